/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables of guests: what an entry may say, and how it is written.
 *
 * Every present entry of a validated table holds a reference on its frame:
 *   level 1, read-only   reference
 *   level 1, writable    reference + type FT_WRITABLE
 *   level 2..4           reference + type of the next lower level
 * Entries that name device memory hold nothing.  Validated tables are written
 * by compare-and-swap only, by somebody who holds the table's type.
 * Floor: pv.
 */
#ifndef HV_PV_MM_H
#define HV_PV_MM_H

#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/mm.h>

/* An update in hand: whose table it is, whose frames it may name. */
struct pt_update {
    struct domain *table_owner; /* owner of the page table */
    struct domain *frame_owner; /* owner of the frames (foreigndom) */
    bool preserve_ad;           /* keep accessed and dirty as they are */
};

static inline enum frame_type level_type(unsigned int level)
{
    return (enum frame_type)(FT_L1 + level - 1);
}

static inline unsigned int type_level(enum frame_type t)
{
    return (unsigned int)t - FT_L1 + 1;
}

/*
 * Write one entry of the validated table `t` (a frame whose type the caller
 * holds). -EINVAL malformed or forbidden, -EPERM/-EBUSY as frame_get_and_type.
 */
int __must_check pt_write(struct pt_update *u, struct frame *t,
                          unsigned int index, pte_t new);
/* As pt_write, but only if the entry still is `old`: -EAGAIN otherwise. */
int __must_check pt_cmpxchg(struct pt_update *u, struct frame *t,
                            unsigned int index, pte_t old, pte_t new);

/* References of one level-1 entry on behalf of d, frames of `owner`. On success
 * *e is the entry as it goes into the table. */
int __must_check l1e_get(struct domain *d, struct domain *owner, pte_t *e);
void l1e_put(pte_t e);

/* The level-1 table and index behind va under the current vCPU's tables, as a
 * frame whose type FT_L1 is held, or NULL. Release with frame_put_and_type. */
struct frame *pv_get_l1_of_va(struct vcpu *v, unsigned long va,
                              unsigned int *index);

extern const struct frame_type_ops pv_frame_type_ops;

/* Pin and unpin (MMUEXT_PIN_*, MMUEXT_UNPIN_TABLE). */
int pv_pin(struct domain *d, mfn_t m, unsigned int level);
int pv_unpin(struct domain *d, mfn_t m);
/* New kernel / user top level of v, which is current or not running. */
int pv_set_kernel_l4(struct vcpu *v, mfn_t m);
int pv_set_user_l4(struct vcpu *v, mfn_t m);
void pv_drop_l4s(struct vcpu *v);
void pv_load_cr3(struct vcpu *v);

/* SOFTIRQ_DROP: go on with the tables that current's work left partial. */
void pv_drop_softirq(void);
/* Unpin and invalidate all page tables of a dying domain; -ERESTART. */
int pv_relinquish_tables(struct domain *d);

/* A descriptor as a guest may have it (bits adjusted), or -EINVAL. */
int pv_check_descriptor(u64 *desc);
int pv_set_gdt(struct vcpu *v, const unsigned long *frames,
               unsigned int entries);
void pv_destroy_gdt(struct vcpu *v);
int pv_set_ldt(struct vcpu *v, unsigned long base, unsigned int entries);
/* A fault in the LDT area: map the page it needs. False: not there. */
bool pv_map_ldt_page(struct vcpu *v, unsigned int page);
void pv_drop_ldt(struct vcpu *v);

#endif
