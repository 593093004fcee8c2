/* SPDX-License-Identifier: GPL-2.0-only */
/* Between domain0.c (what goes where) and domain0-memory.c (frames, tables). */
#ifndef BOOT_DOMAIN0_H
#define BOOT_DOMAIN0_H

#include <hv/boot.h>
#include <hv/domain.h>

/* The initial pseudo-physical layout, in page numbers from 0. */
struct dom0_layout {
    struct domain *d;
    mfn_t *p2m; /* nr_pages entries, hypervisor memory */
    unsigned int p2m_order;
    unsigned long nr_pages;
    u64 virt_base; /* virtual address of page 0 */

    unsigned long kernel_end;                   /* first free after the image */
    unsigned long initrd, initrd_pages;
    unsigned long p2m_list, p2m_list_pages;     /* the guest's own p2m */
    unsigned long start_info;
    unsigned long tables, nr_tables;            /* page tables of the mapping */
    unsigned long stack;
    unsigned long mapped;                       /* pages from virt_base */
    unsigned long p2m_tables, nr_p2m_tables;    /* for an init_p2m address */
};

/* Bytes of dom0_mem= and of the machine: how many pages; or panics. */
unsigned long dom0_memory_pages(void);
unsigned long dom0_memory_max_pages(unsigned long now);
void dom0_allocate(struct dom0_layout *l);
void *dom0_page(const struct dom0_layout *l, unsigned long pfn);
void dom0_copy(const struct dom0_layout *l, unsigned long offset,
               const void *from, size_t n);
void dom0_clear(const struct dom0_layout *l, unsigned long offset, size_t n);
/* Builds the tables; the frame of the top level. */
mfn_t dom0_build_tables(const struct dom0_layout *l, u64 init_p2m);
unsigned long dom0_tables_needed(u64 start, u64 end);

#endif
