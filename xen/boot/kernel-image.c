/* SPDX-License-Identifier: GPL-2.0-only */
/* From a boot module to an ELF kernel in memory. */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/string.h>

#include "kernel-image.h"
#include "libc-stubs.h"

#define MIN_KERNEL 4096
#define MAX_KERNEL (1UL << 30)

static unsigned int __init order_for(size_t size)
{
    unsigned int order = 0;

    while ((PAGE_SIZE << order) < size)
        order++;
    return order;
}

/* What it looks like, for those who took the wrong file. */
static void __init say_what_it_is(struct bytes file)
{
    char hex[3 * 16 + 1] = "";
    size_t n = MIN(file.size, (size_t)16);

    for (size_t i = 0; i < n; i++)
        snprintf(hex + 3 * i, 4, "%02x ", file.data[i]);
    log_error("It begins with: %s(%lu bytes in all). A kernel is a bzImage (vmlinuz), an ELF file or a gzipped one.\n",
              hex, file.size);
}

/*
 * Decompress into pages of k. The last four bytes of the payload are the size
 * of what it becomes: gzip's own format, and how Linux packs all the others.
 */
static const char *__init unpack(enum compression c, struct bytes in,
                                 struct kernel_image *k, struct bytes *elf)
{
    const char *wrong;
    u32 size;

    if (in.size < 8)
        return "the compressed kernel is truncated";
    memcpy(&size, in.data + in.size - 4, 4);
    if (size < MIN_KERNEL || size > MAX_KERNEL)
        return "the size of the decompressed kernel makes no sense: truncated file?";
    if (c != COMPRESSION_GZIP)
        in.size -= 4;
    k->to_free_order = order_for(size);
    k->to_free = alloc_hv_pages(k->to_free_order, MEMF_NO_SCRUB);
    if (!k->to_free)
        return "there is not enough memory to decompress it";
    libc_stubs_begin();
    wrong = decompress(c, in, k->to_free, size);
    libc_stubs_end();
    *elf = (struct bytes){k->to_free, size};
    return wrong;
}

/* The ELF file inside `file`: in place, or decompressed. */
static const char *__init find_elf(struct bytes file, struct kernel_image *k,
                                   struct bytes *elf)
{
    struct bytes payload;
    bool is_bzimage;
    enum compression c;
    const char *wrong = bzimage_payload(file, &payload, &is_bzimage);

    if (wrong)
        return wrong;
    c = compression_of(payload);
    *elf = payload;
    if (c == COMPRESSION_NONE)
        return NULL;
    if (c == COMPRESSION_UNKNOWN && is_bzimage)
        return "the bzImage is compressed in a way that is not known here (gzip, XZ, LZ4 and Zstandard are)";
    if (c == COMPRESSION_UNKNOWN)
        return "it is no kernel";
    if (!is_bzimage && c != COMPRESSION_GZIP)
        return "an ELF kernel may only be compressed by gzip";
    log_info("Kernel: %s, %s, %lu KiB\n", is_bzimage ? "bzImage" : "ELF",
             compression_name(c), payload.size >> 10);
    return unpack(c, payload, k, elf);
}

int __init kernel_image_open(const struct boot_module *m,
                             struct kernel_image *k)
{
    struct bytes file, elf;
    const char *wrong;

    memset(k, 0, sizeof(*k));
    if (!m) {
        log_error("ERROR: the boot loader gave no module. Name a kernel as the first one and its initrd as the second: GRUB's module or module2 lines, QEMU's -initrd \"vmlinuz arguments,initrd\".\n");
        return -EINVAL;
    }
    file = (struct bytes){maddr_to_virt(m->start), m->size};
    wrong = find_elf(file, k, &elf);
    if (!wrong && compression_of(elf) != COMPRESSION_NONE)
        wrong = "what it holds is no ELF file";
    if (!wrong)
        wrong = elf_kernel_parse(elf, k);
    if (!wrong)
        return 0;
    log_error("ERROR: the first module (%s) is not usable as domain 0's kernel: %s.\n",
              m->cmdline[0] ? m->cmdline : "no arguments", wrong);
    say_what_it_is(file);
    kernel_image_close(k);
    return -EINVAL;
}

void __init kernel_image_close(struct kernel_image *k)
{
    if (k->to_free)
        free_hv_pages(k->to_free, k->to_free_order);
    k->to_free = NULL;
}
