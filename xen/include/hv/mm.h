/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the hypervisor: page allocator, heap, mappings, TLB.
 * All RAM is in the direct map; one pool serves the hypervisor and domains.
 * Floor: mm.
 */
#ifndef HV_MM_H
#define HV_MM_H

#include <hv/compiler.h>
#include <hv/frame.h>
#include <hv/percpu.h>
#include <hv/types.h>

/* One region of the machine's memory map (types as in E820: 1 = RAM, 2 =
 * reserved, 3 = ACPI data, 4 = ACPI NVS, 5 = bad). */
struct memory_region {
    u64 start, size; /* bytes */
    u32 type;
};
#define MAX_MEMORY_REGIONS 256
extern struct memory_region memory_map[MAX_MEMORY_REGIONS];
extern unsigned int nr_memory_regions;
#define E820_RAM 1
#define E820_RESERVED 2
#define E820_ACPI 3
#define E820_NVS 4
#define E820_UNUSABLE 5

/* --- page-alloc.c: buddy allocator; order = log2 of pages. --- */
#define MAX_ORDER 18
#define MEMF_BELOW_4G 1 /* all of the block below 4 GiB */
#define MEMF_NO_SCRUB 2 /* contents do not matter (will be overwritten) */
/* Pages for the hypervisor itself, direct-mapped, not cleared. NULL if none. */
void *alloc_hv_pages(unsigned int order, unsigned int memf);
void *alloc_hv_page_zeroed(void);
void free_hv_pages(void *p, unsigned int order);
/* Frames for a domain: refs = allocated + 1, owner set. Does no accounting.
 * Returns INVALID_MFN if there are none. */
mfn_t alloc_frames(domid_t owner, unsigned int order, unsigned int memf);
void free_frames(mfn_t m, unsigned int order);
unsigned long nr_free_pages(void);
unsigned long nr_total_pages(void); /* RAM pages of the machine */
/* Boot: give [start, end) bytes to the allocator. */
void page_alloc_add(maddr_t start, maddr_t end);

/* --- heap.c: small objects, 16-byte aligned, zeroed by the z variants. --- */
void *hv_alloc(size_t size);
void *hv_zalloc(size_t size);
void hv_free(void *p); /* NULL is fine */
#define new(type) ((type *)hv_zalloc(sizeof(type)))
#define new_array(type, n) ((type *)hv_zalloc(sizeof(type) * (n)))

/* --- paging.c --- */
#define _PAGE_PRESENT 0x001UL
#define _PAGE_RW 0x002UL
#define _PAGE_USER 0x004UL
#define _PAGE_PWT 0x008UL
#define _PAGE_PCD 0x010UL
#define _PAGE_ACCESSED 0x020UL
#define _PAGE_DIRTY 0x040UL
#define _PAGE_PSE 0x080UL
#define _PAGE_PAT 0x080UL
#define _PAGE_GLOBAL 0x100UL
#define _PAGE_AVAIL 0xe00UL
#define _PAGE_NX (1UL << 63)
#define PTE_ADDR_MASK 0x000ffffffffff000UL
#define PTE_FLAGS_MASK (~PTE_ADDR_MASK)
#define PAGE_HV_RW (PAGE_HV_RO | _PAGE_RW)
#define PAGE_HV_RO                                                             \
    (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_GLOBAL | _PAGE_NX)
#define PAGE_HV_RX (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_GLOBAL)
#define PAGE_HV_UC (PAGE_HV_RW | _PAGE_PCD | _PAGE_PWT)

typedef u64 pte_t; /* an entry of any level */

#define PT_ENTRIES 512
static inline unsigned int pt_index(unsigned long va, unsigned int level)
{
    return (va >> (PAGE_SHIFT + 9 * (level - 1))) & (PT_ENTRIES - 1);
}

static inline mfn_t pte_mfn(pte_t e)
{
    return _mfn((e & PTE_ADDR_MASK) >> PAGE_SHIFT);
}

static inline pte_t make_pte(mfn_t m, u64 flags)
{
    return mfn_to_maddr(m) | flags;
}

/* The hypervisor's own top-level table: slots 256-271 of every guest's. */
extern pte_t *hv_l4;
/* Map device or firmware memory, uncached (ioremap) or as RAM (map_firmware).
 * NULL if address space is used up. Mappings stay for ever. */
void *ioremap(maddr_t ma, size_t size);
void *map_firmware(maddr_t ma, size_t size);
/*
 * Map [va, va+size) to ma in the hypervisor's tables; largest pages that fit.
 */
int hv_map(unsigned long va, maddr_t ma, size_t size, u64 flags);
/* Walk the tables under `cr3` for va: the entry and its level (1 = 4K, 2, 3);
 * 0 if not present. Reads only RAM; never faults. Any context. */
unsigned int pt_walk(maddr_t cr3, unsigned long va, pte_t *entry);
/* Where such an entry of that level leads for va. */
static inline maddr_t pt_address(pte_t entry, unsigned int level,
                                 unsigned long va)
{
    u64 mask = (1UL << (PAGE_SHIFT + 9 * (level - 1))) - 1;

    return (entry & PTE_ADDR_MASK & ~mask) | (va & mask);
}

maddr_t virt_to_maddr_image(const void *p);

/* --- TLB --- */
extern u64 tlb_clock;
/* CPUs with a guest's tables loaded; each sets and clears its own bit before
 * and after the CR3 load (pv/context.c). Atomics. */
extern cpumask_t tlb_guest_cpus;
/* This CPU idles, with a guest's tables still loaded. */
DECLARE_PER_CPU(bool, tlb_lazy);
/* fn is called when such a CPU was made to flush; irqs off. Once, at boot. */
void tlb_register_lazy(void (*fn)(void));
void tlb_flush_local(void);            /* all non-global */
void tlb_flush_all_local(void);        /* global ones too */
/* A CR3 load that was made for another reason counts as a flush too. */
void tlb_note_flush(void);
/* Flush on every CPU of mask, this one included, and wait (smp/tlb.c). */
void tlb_flush_mask(cpumask_t mask);
void tlb_flush_va_mask(cpumask_t mask, unsigned long va);

/* --- boot ---
 * Order: fill memory_map[] (sorted, not overlapping, RAM clipped to pages);
 * boot_reserve() the image, the modules, what firmware and loader left and all
 * below 1 MiB; mm_init(). Until then the first GiB is mapped at
 * DIRECTMAP_VIRT_START by head.S; afterwards all RAM is, and the page
 * allocator works.  What was reserved for the boot alone is given back by
 * page_alloc_add().
 */
#define BOOT_MAPPED (1UL << 30)
void boot_reserve(maddr_t start, maddr_t end);
maddr_t boot_alloc(size_t size, size_t align, maddr_t limit); /* or panics */
void boot_for_each_free(void (*fn)(maddr_t start, maddr_t end));
void mm_init(void);
void page_alloc_set_total(unsigned long pages);
/* Drop the low identity mapping and the boot page tables. */
void mm_drop_boot_mappings(void);
/* Take 4 KiB out of the direct map (guard pages). */
void hv_unmap_page(void *p);

/* --- iomem.c: device memory --- */
enum io_access { IO_ALLOWED, IO_READ_ONLY, IO_DENIED };
/* What domains may do with a frame that is no RAM; default: allowed to domains
 * with device access. The hypervisor denies its own devices'. */
void iomem_restrict(mfn_t first, unsigned long nr, enum io_access access);
enum io_access iomem_access(mfn_t m);

static inline void clear_page(void *p)
{
    unsigned long n = PAGE_SIZE / 8;

    __asm__ volatile("rep stosq" : "+D"(p), "+c"(n) : "a"(0UL) : "memory");
}

static inline void copy_page(void *to, const void *from)
{
    unsigned long n = PAGE_SIZE / 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

#endif
