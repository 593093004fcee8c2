/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the boot loader left, and the steps of the bring-up. Floor: boot.
 */
#ifndef HV_BOOT_H
#define HV_BOOT_H

#include <hv/types.h>

struct boot_module {
    maddr_t start;
    size_t size;         /* bytes */
    const char *cmdline; /* never NULL; without the path word for a kernel */
};

#define MAX_BOOT_MODULES 16
struct boot_info {
    const char *loader_name;
    const char *cmdline; /* the hypervisor's, without the path word */
    struct boot_module modules[MAX_BOOT_MODULES];
    unsigned int nr_modules;
    maddr_t acpi_rsdp; /* multiboot 2 / EFI; 0: to be searched */
    maddr_t efi_system_table;
    /* Linear framebuffer or VGA text, as multiboot 2 tells; 0 if unknown. */
    struct {
        maddr_t addr;
        u32 pitch, width, height;
        u8 bpp, type;
        u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
    } framebuffer;
};
extern struct boot_info boot_info;

/*
 * A kernel made ready for building a domain: an ELF file in memory and what
 * its Xen notes ask for (xen/elfnote.h). kernel-image.c: accepts ELF, gzipped
 * ELF, and bzImage with gzip, xz, lz4 or zstd payload. Errors are explained on
 * the console. m NULL: there is no module. 0 or -EINVAL.
 */
struct kernel_image {
    const u8 *elf; /* direct map or image memory */
    size_t elf_size;
    u64 virt_base;      /* XEN_ELFNOTE_VIRT_BASE */
    u64 paddr_offset;   /* XEN_ELFNOTE_PADDR_OFFSET */
    u64 virt_entry;     /* XEN_ELFNOTE_ENTRY, else e_entry */
    u64 hypercall_page; /* 0: none */
    u64 init_p2m;       /* 0: p2m list inside the initial mapping */
    u64 l1_mfn_mask, l1_mfn_value; /* XEN_ELFNOTE_L1_MFN_VALID; 0 if none */
    bool mod_start_pfn; /* XEN_ELFNOTE_MOD_START_PFN */
    bool supports_dom0;
    char guest_os[32], guest_version[32], loader[16];
    u64 virt_start, virt_end; /* of all PT_LOAD segments, by virtual address */
    unsigned int nr_segments;
    struct {
        u64 vaddr, file_offset, file_size, mem_size;
    } segments[8];
    void *to_free; /* decompressed copy, hypervisor pages */
    unsigned int to_free_order;
};
int kernel_image_open(const struct boot_module *m, struct kernel_image *k);
void kernel_image_close(struct kernel_image *k);

/* domain0.c: make domain 0 out of modules[0] and [1]; panics with a clear
 * message when that cannot be. */
void build_domain0(void);

#endif
