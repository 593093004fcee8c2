/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames and page tables.  pfn: number within the domain; mfn: of the
 * machine.  The image and the pool are mapped one to one from VIRT_BASE, so a
 * pool page's pfn follows from its address.
 */
#ifndef GUEST_PAGES_H
#define GUEST_PAGES_H

#define VIRT_BASE 0xffffffff80000000UL

/* Page-table entry bits (Intel SDM vol. 3, 4.5). */
#define PTE_P 0x001UL
#define PTE_RW 0x002UL
#define PTE_US 0x004UL
#define PTE_PWT 0x008UL
#define PTE_PCD 0x010UL
#define PTE_A 0x020UL
#define PTE_D 0x040UL
#define PTE_PSE 0x080UL
#define PTE_PAT 0x080UL
#define PTE_G 0x100UL
#define PTE_AVAIL0 0x200UL
#define PTE_NX (1UL << 63)
#define PTE_RO_FLAGS (PTE_P | PTE_US | PTE_A)
#define PTE_RW_FLAGS (PTE_RO_FLAGS | PTE_RW | PTE_D)
#define PTE_ADDR 0x000ffffffffff000UL
#define PTE(mfn, flags) (((u64)(mfn) << 12) | (flags))
#define PTE_MFN(pte) (((pte)&PTE_ADDR) >> 12)

/* Where tests map things: an L4 slot that nothing else uses. */
#define SCRATCH_VA 0x0000010000000000UL
/* Addresses nothing is mapped at; and one in the hypervisor's own area. */
#define UNMAPPED_VA 0x0000700000001000UL
#define HYPERVISOR_VA 0xffff830000000000UL
#define NON_CANONICAL_VA 0x0000800000001000UL

/* Maps the shared page; must come first. */
void pages_init(void);

/* A zeroed page of the pool, mapped writable; never runs out in practice. */
void *page_get(void);
/* n pages one after the other. */
void *pages_get(unsigned n);

ulong pfn_of(const volatile void *va);
ulong mfn_of(const volatile void *va);
u64 maddr_of(const volatile void *va);
/* Only for frames of the image, the pool and the first page tables. */
void *va_of_mfn(ulong mfn);
ulong *p2m(void);
ulong m2p(ulong mfn);
/* Does this frame belong to us, by both tables? */
bool mfn_is_ours(ulong mfn);
/* A frame of the machine's memory that is not ours; 0 if there is none. */
ulong mfn_not_ours(void);

/* The entry for va at a level (4..1) of the tables we run on, or NULL. */
u64 *pte_of(ulong va, unsigned level);
u64 pte_maddr(ulong va, unsigned level);

/* Change how a page of ours is mapped in the first tables: 0 or -errno. */
long remap(const volatile void *va, u64 pte);
long make_ro(const volatile void *va);
long make_rw(const volatile void *va);

/* Maps an entry at any lower-half address, building tables as needed. */
long map_at(ulong va, u64 pte);

/* A page holding one table: entry `slot` set, read-only mapped. */
u64 *table_with(unsigned slot, u64 entry);
u64 *table_empty(void);

/* The last n bytes of a page after which nothing is mapped. */
void *edge(unsigned n);

#endif
