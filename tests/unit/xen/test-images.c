/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel images: a small one that is right, packed in every way, then the same
 * with bytes changed and ends cut off. What is asked is that nothing is read
 * or written out of bounds; the sanitizers watch.
 */
#include <elf.h>
#include <hv/string.h>
#include <kernel-image.h>
#include <lz4.h>
#include <lzma.h>
#include <xen/elfnote.h>
#include <xen/features.h>
#include <zlib.h>
#include <zstd.h>

#include "check.h"

#define ELF_SIZE 8192
#define PACKED_MAX 16384
#define BASE 0xffffffff80000000UL

struct small_kernel {
    Elf64_Ehdr h;
    Elf64_Phdr load, note;
    struct {
        Elf64_Nhdr n;
        char name[4];
        u64 value;
    } entry, base, hypercall;
    struct {
        Elf64_Nhdr n;
        char name[4];
        u32 value;
    } features;
    struct {
        Elf64_Nhdr n;
        char name[4];
        char value[8];
    } os;
} __packed;

static u8 kernel[ELF_SIZE];

#define NOTE(type, size) .n = {4, size, type}, .name = "Xen"

static void make_kernel(void)
{
    struct small_kernel k = {
        .h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
              .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_entry = BASE,
              .e_phoff = offsetof(struct small_kernel, load),
              .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2},
        .load = {.p_type = PT_LOAD, .p_paddr = 0x1000000, .p_filesz = ELF_SIZE,
                 .p_memsz = 3 * ELF_SIZE},
        .note = {.p_type = PT_NOTE,
                 .p_offset = offsetof(struct small_kernel, entry),
                 .p_filesz = sizeof(k) - offsetof(struct small_kernel, entry)},
        .entry = {NOTE(XEN_ELFNOTE_ENTRY, 8), .value = BASE + 0x1000040},
        .base = {NOTE(XEN_ELFNOTE_VIRT_BASE, 8), .value = BASE},
        .hypercall = {NOTE(XEN_ELFNOTE_HYPERCALL_PAGE, 8),
                      .value = BASE + 0x1001000},
        .features = {NOTE(XEN_ELFNOTE_SUPPORTED_FEATURES, 4),
                     .value = 1U << XENFEAT_dom0},
        .os = {NOTE(XEN_ELFNOTE_GUEST_OS, 6), .value = "linux"},
    };

    for (unsigned int i = 0; i < ELF_SIZE; i++)
        kernel[i] = (u8)(i % 7 == 0 ? random_number() : i / 64);
    memcpy(kernel, &k, sizeof(k));
}

static void test_good_elf(void)
{
    struct kernel_image k = {0};

    CHECK(!elf_kernel_parse((struct bytes){kernel, ELF_SIZE}, &k));
    CHECK(k.virt_base == BASE && k.virt_entry == BASE + 0x1000040);
    CHECK(k.hypercall_page == BASE + 0x1001000 && k.supports_dom0);
    CHECK(strcmp(k.guest_os, "linux") == 0 && k.nr_segments == 1);
    CHECK(k.virt_start == BASE + 0x1000000);
    CHECK(k.virt_end == BASE + 0x1000000 + 3 * ELF_SIZE);
}

/* What an accepted image promises to the domain builder. */
static bool promises_hold(const struct kernel_image *k)
{
    for (unsigned int i = 0; i < k->nr_segments; i++) {
        const __typeof__(k->segments[0]) *s = &k->segments[i];

        if (s->file_offset + s->file_size > k->elf_size ||
            s->file_size > s->mem_size || s->vaddr < k->virt_base ||
            s->vaddr + s->mem_size > k->virt_end)
            return false;
    }
    return k->virt_entry >= k->virt_start && k->virt_entry < k->virt_end;
}

/* A heap copy of exactly that size: reading past it is seen. */
static u8 *exact_copy(const u8 *from, size_t n)
{
    u8 *p = malloc(n ? n : 1);

    memcpy(p, from, n);
    return p;
}

static void change_bytes(u8 *p, size_t n)
{
    for (u64 i = random_number() % 4; n != 0 && i != 0; i--)
        p[random_number() % n] = random_number() & 1
                                     ? (u8)random_number()
                                     : (u8)(0xff * (random_number() & 1));
}

static void test_bad_elf(void)
{
    bool kept = true;

    for (unsigned int round = 0; round < 100000; round++) {
        struct kernel_image k = {0};
        size_t n = random_number() & 1 ? ELF_SIZE
                                       : random_number() % ELF_SIZE;
        u8 *p = exact_copy(kernel, n);

        change_bytes(p, MIN(n, sizeof(struct small_kernel)));
        if (!elf_kernel_parse((struct bytes){p, n}, &k))
            kept &= promises_hold(&k);
        free(p);
    }
    CHECK(kept);
}

static size_t pack_gzip(u8 *out)
{
    z_stream z = {.next_in = kernel, .avail_in = ELF_SIZE, .next_out = out,
                  .avail_out = PACKED_MAX};

    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return z.total_out;
}

static size_t pack_xz(u8 *out)
{
    lzma_options_lzma lz;
    lzma_filter f[] = {{LZMA_FILTER_X86, NULL}, {LZMA_FILTER_LZMA2, &lz},
                       {LZMA_VLI_UNKNOWN, NULL}};
    size_t n = 0;

    lzma_lzma_preset(&lz, 6);
    CHECK(lzma_stream_buffer_encode(f, LZMA_CHECK_CRC32, NULL, kernel,
                                    ELF_SIZE, out, &n, PACKED_MAX) == LZMA_OK);
    return n;
}

static size_t pack_lz4(u8 *out)
{
    u32 magic = 0x184c2102, n;

    n = (u32)LZ4_compress_default((char *)kernel, (char *)out + 8, ELF_SIZE,
                                  PACKED_MAX - 8);
    memcpy(out, &magic, 4);
    memcpy(out + 4, &n, 4);
    return n + 8;
}

static size_t pack_zstd(u8 *out)
{
    return ZSTD_compress(out, PACKED_MAX, kernel, ELF_SIZE, 19);
}

/* As built, then changed and cut. */
static void test_packed(enum compression kind, size_t (*pack)(u8 *out))
{
    static u8 packed[PACKED_MAX];
    size_t n = pack(packed);
    struct bytes in = {packed, n};
    u8 *out = malloc(ELF_SIZE);
    unsigned int refused = 0;

    CHECK(compression_of(in) == kind);
    CHECK(!decompress(kind, in, out, ELF_SIZE));
    CHECK(memcmp(out, kernel, ELF_SIZE) == 0);
    for (unsigned int round = 0; round < 1000; round++) {
        size_t m = round % 2 ? n : random_number() % n;
        u8 *p = exact_copy(packed, m);

        change_bytes(p, m);
        refused += decompress(kind, (struct bytes){p, m}, out, ELF_SIZE) !=
                   NULL;
        free(p);
    }
    CHECK(refused >= 500);
    free(out);
}

/* Sizes, offsets and lengths of all kinds. */
static void test_bzimage(void)
{
    u8 head[0x400] = {[0x1f1] = 1, [0x1fe] = 0x55, [0x1ff] = 0xaa,
                      [0x202] = 'H', 'd', 'r', 'S', [0x206] = 0x0f, 2};
    bool is_bzimage, inside = true;
    struct bytes out;
    u32 length = 0x100;

    memcpy(head + 0x24c, &length, 4);
    CHECK(bzimage_payload((struct bytes){head, sizeof(head)}, &out,
                          &is_bzimage) != NULL && is_bzimage);
    for (unsigned int round = 0; round < 50000; round++) {
        size_t n = random_number() % 0x2000;
        u8 *p = malloc(n + 1);

        memset(p, 0, n + 1);
        memcpy(p, head, MIN(n, sizeof(head)));
        if (n > 0x250)
            change_bytes(p + 0x240, 16);
        if (!bzimage_payload((struct bytes){p, n}, &out, &is_bzimage))
            inside &= out.data >= p && out.size <= n &&
                      (size_t)(out.data - p) <= n - out.size;
        free(p);
    }
    CHECK(inside);
}

void test_images(void)
{
    make_kernel();
    test_good_elf();
    test_bad_elf();
    test_packed(COMPRESSION_GZIP, pack_gzip);
    test_packed(COMPRESSION_XZ, pack_xz);
    test_packed(COMPRESSION_LZ4, pack_lz4);
    test_packed(COMPRESSION_ZSTD, pack_zstd);
    test_bzimage();
}
