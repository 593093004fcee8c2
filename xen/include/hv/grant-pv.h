/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Granted frames in the page tables of the current vCPU. The entry holds its
 * own references on the frame, like any other entry, whoever owns the frame.
 * Addresses: a virtual address, or with GNTMAP_contains_pte the machine
 * address of a level-1 entry. Results are GNTST_*. Floor: pv.
 */
#ifndef HV_GRANT_PV_H
#define HV_GRANT_PV_H

#include <hv/domain.h>
#include <hv/types.h>

/* Map frame m of `owner`; flags: GNTMAP_*. */
int pv_grant_map(u64 address, u32 flags, mfn_t m, struct domain *owner);
/*
 * Take the mapping of m away, made with `flags`. The TLB is the caller's to
 * flush. -EINVAL-like
 * results leave the entry as it is: it does not map m.
 */
int pv_grant_unmap(u64 address, u32 flags, mfn_t m);
/*
 * The same, and put what new_va maps in its place, whose entry is cleared.
 */
int pv_grant_replace(u64 address, u32 flags, mfn_t m, u64 new_va);

#endif
