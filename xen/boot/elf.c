/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest kernel's ELF file: its segments and what its Xen notes ask for.
 * Facts: System V ABI, AMD64 supplement; <xen/elfnote.h>.
 *
 * A segment's guest address is p_paddr - PADDR_OFFSET + VIRT_BASE: Linux links
 * its per-CPU segment at virtual address 0, so p_vaddr is no use.
 */
#include <elf.h>
#include <hv/string.h>
#include <xen/elfnote.h>
#include <xen/features.h>

#include "kernel-image.h"

#define MAX_SEGMENTS ARRAY_SIZE(((struct kernel_image *)0)->segments)

static bool range_ok(u64 offset, u64 size, u64 limit)
{
    return offset <= limit && size <= limit - offset;
}

static const char *__init check_header(struct bytes elf, Elf64_Ehdr *h)
{
    if (elf.size < sizeof(*h))
        return "the ELF file is truncated";
    memcpy(h, elf.data, sizeof(*h));
    if (h->e_ident[EI_CLASS] != ELFCLASS64 ||
        h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_machine != EM_X86_64)
        return "it is not a 64-bit x86 kernel, and no other can run here";
    if (h->e_phentsize < sizeof(Elf64_Phdr) || h->e_phnum == 0 ||
        !range_ok(h->e_phoff, (u64)h->e_phnum * h->e_phentsize, elf.size))
        return "the ELF file is truncated or has no program headers";
    return NULL;
}

/* A note's number, 4 or 8 bytes little endian; other sizes are 0. */
static u64 __init note_number(const u8 *desc, u32 size)
{
    u64 v = 0;

    if (size == 4 || size == 8)
        memcpy(&v, desc, size);
    return v;
}

static void __init note_string(char *to, size_t room, const u8 *desc, u32 size)
{
    size_t n = MIN(room - 1, (size_t)size);

    memcpy(to, desc, n);
    to[n] = '\0';
}

/* FEATURES: "a|b|!c" */
static bool __init has_feature(const u8 *desc, u32 size, const char *name)
{
    size_t len = strlen(name);

    for (u32 i = 0; i + len <= size; i++)
        if (memcmp(desc + i, name, len) == 0)
            return true;
    return false;
}

static void __init apply_note(u32 type, const u8 *desc, u32 size,
                              struct kernel_image *k)
{
    switch (type) {
    case XEN_ELFNOTE_ENTRY:
        k->virt_entry = note_number(desc, size);
        break;
    case XEN_ELFNOTE_HYPERCALL_PAGE:
        k->hypercall_page = note_number(desc, size);
        break;
    case XEN_ELFNOTE_VIRT_BASE:
        k->virt_base = note_number(desc, size);
        break;
    case XEN_ELFNOTE_PADDR_OFFSET:
        k->paddr_offset = note_number(desc, size);
        break;
    case XEN_ELFNOTE_GUEST_OS:
        note_string(k->guest_os, sizeof(k->guest_os), desc, size);
        break;
    case XEN_ELFNOTE_GUEST_VERSION:
        note_string(k->guest_version, sizeof(k->guest_version), desc, size);
        break;
    case XEN_ELFNOTE_LOADER:
        note_string(k->loader, sizeof(k->loader), desc, size);
        break;
    case XEN_ELFNOTE_FEATURES:
        k->supports_dom0 |= has_feature(desc, size, "dom0");
        break;
    case XEN_ELFNOTE_SUPPORTED_FEATURES:
        k->supports_dom0 |= (note_number(desc, size) >> XENFEAT_dom0) & 1;
        break;
    case XEN_ELFNOTE_L1_MFN_VALID:
        if (size >= 16) {
            k->l1_mfn_mask = note_number(desc, 8);
            k->l1_mfn_value = note_number(desc + 8, 8);
        }
        break;
    case XEN_ELFNOTE_INIT_P2M:
        k->init_p2m = note_number(desc, size);
        break;
    case XEN_ELFNOTE_MOD_START_PFN:
        k->mod_start_pfn = note_number(desc, size) != 0;
        break;
    }
}

/* All notes in [data, data + size); returns how many were Xen's. */
static unsigned int __init read_notes(const u8 *data, u64 size,
                                      struct kernel_image *k)
{
    unsigned int found = 0;

    while (size >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr n;
        u64 name, desc, next;

        memcpy(&n, data, sizeof(n));
        name = sizeof(n);
        desc = name + ROUND_UP((u64)n.n_namesz, 4UL);
        next = desc + ROUND_UP((u64)n.n_descsz, 4UL);
        if (!range_ok(desc, n.n_descsz, size))
            break;
        if (n.n_namesz == 4 && memcmp(data + name, "Xen", 4) == 0) {
            apply_note(n.n_type, data + desc, n.n_descsz, k);
            found++;
        }
        if (next >= size)
            break;
        data += next;
        size -= next;
    }
    return found;
}

/* Notes of the program headers, else of the sections. */
static unsigned int __init find_notes(struct bytes elf, const Elf64_Ehdr *h,
                                      struct kernel_image *k)
{
    unsigned int found = 0;

    for (unsigned int i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;

        memcpy(&p, elf.data + h->e_phoff + i * h->e_phentsize, sizeof(p));
        if (p.p_type == PT_NOTE && range_ok(p.p_offset, p.p_filesz, elf.size))
            found += read_notes(elf.data + p.p_offset, p.p_filesz, k);
    }
    if (found != 0 || h->e_shentsize < sizeof(Elf64_Shdr) ||
        !range_ok(h->e_shoff, (u64)h->e_shnum * h->e_shentsize, elf.size))
        return found;
    for (unsigned int i = 0; i < h->e_shnum; i++) {
        Elf64_Shdr s;

        memcpy(&s, elf.data + h->e_shoff + i * h->e_shentsize, sizeof(s));
        if (s.sh_type == SHT_NOTE && range_ok(s.sh_offset, s.sh_size, elf.size))
            found += read_notes(elf.data + s.sh_offset, s.sh_size, k);
    }
    return found;
}

static const char *__init add_segment(struct bytes elf, const Elf64_Phdr *p,
                                      struct kernel_image *k)
{
    u64 vaddr = p->p_paddr - k->paddr_offset + k->virt_base;

    if (p->p_memsz == 0)
        return NULL;
    if (k->nr_segments == MAX_SEGMENTS)
        return "the kernel has more segments than any that is known";
    if (!range_ok(p->p_offset, p->p_filesz, elf.size))
        return "the ELF file is truncated: copy it again";
    if (p->p_filesz > p->p_memsz || vaddr + p->p_memsz < vaddr ||
        vaddr < k->virt_base)
        return "the kernel has a segment with impossible addresses";
    k->segments[k->nr_segments].vaddr = vaddr;
    k->segments[k->nr_segments].file_offset = p->p_offset;
    k->segments[k->nr_segments].file_size = p->p_filesz;
    k->segments[k->nr_segments].mem_size = p->p_memsz;
    k->nr_segments++;
    k->virt_start = MIN(k->virt_start, vaddr);
    k->virt_end = MAX(k->virt_end, vaddr + p->p_memsz);
    return NULL;
}

static bool __init inside(const struct kernel_image *k, u64 va, u64 size)
{
    return va >= k->virt_start && range_ok(va - k->virt_start, size,
                                           k->virt_end - k->virt_start);
}

const char *__init elf_kernel_parse(struct bytes elf, struct kernel_image *k)
{
    Elf64_Ehdr h;
    const char *wrong = check_header(elf, &h);

    if (wrong)
        return wrong;
    k->elf = elf.data;
    k->elf_size = elf.size;
    k->virt_entry = h.e_entry;
    k->virt_start = ~0UL;
    if (find_notes(elf, &h, k) == 0)
        return "the kernel has no Xen notes: it was built without CONFIG_XEN_PV and cannot run here. Take Debian's linux-image-amd64";
    for (unsigned int i = 0; i < h.e_phnum; i++) {
        Elf64_Phdr p;

        memcpy(&p, elf.data + h.e_phoff + i * h.e_phentsize, sizeof(p));
        if (p.p_type == PT_LOAD)
            wrong = add_segment(elf, &p, k);
        if (wrong)
            return wrong;
    }
    if (k->nr_segments == 0)
        return "the kernel has nothing to load";
    if (!inside(k, k->virt_entry, 1))
        return "the kernel's entry point lies outside of it";
    if (k->hypercall_page != 0 &&
        ((k->hypercall_page & ~PAGE_MASK) != 0 ||
         !inside(k, k->hypercall_page, PAGE_SIZE)))
        return "the kernel's hypercall page lies outside of it";
    return NULL;
}
