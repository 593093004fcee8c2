/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grant_table_op, between grant-op.c (decoding) and the files of each group.
 * Each function does one element of the guest's array, already copied in, and
 * leaves its answer there. Status: GNTST_*.
 */
#ifndef HYPERCALL_GRANT_OPS_H
#define HYPERCALL_GRANT_OPS_H

#include <hv/domain.h>
#include <hv/grant-table.h>

/* grant-map.c */
void grant_map(struct gnttab_map_grant_ref *op);
/*
 * Unmappings come in batches: their grants are released, and so their frames
 * may be freed, only after one TLB flush for all of them.
 */
#define GRANT_UNMAP_BATCH 32
struct grant_unmap_batch {
    unsigned int nr;
    struct {
        struct domain *rd;
        u32 ref;
        bool writable;
    } entry[GRANT_UNMAP_BATCH];
};
void grant_unmap(struct gnttab_unmap_grant_ref *op,
                 struct grant_unmap_batch *b);
void grant_unmap_and_replace(struct gnttab_unmap_and_replace *op,
                             struct grant_unmap_batch *b);
void grant_unmap_finish(struct grant_unmap_batch *b);

/* grant-copy.c */
void grant_copy(struct gnttab_copy *op);
void grant_transfer(struct gnttab_transfer *op);

/* grant-setup.c: one structure each; 0 or -errno as the call's result */
long grant_setup_table(struct gnttab_setup_table *op);
long grant_query_size(struct gnttab_query_size *op);
long grant_dump_table(struct gnttab_dump_table *op);
long grant_set_version(struct gnttab_set_version *op);
long grant_get_version(struct gnttab_get_version *op);
long grant_get_status_frames(struct gnttab_get_status_frames *op);
void grant_swap(struct gnttab_swap_grant_ref *op);
int grant_cache_flush(struct gnttab_cache_flush *op);

/* Domain `id` for an operation on its table: GNTST_okay, or why not. */
int grant_get_target(domid_t id, struct domain **d);

#endif
