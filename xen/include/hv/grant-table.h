/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grant tables: what a domain allows others to do with its frames, and what it
 * does with others'.
 *
 * Two sides.  The granter's side: the table shared with the guest (`shared`,
 * 512 or 256 entries a page) and, per entry in use, a struct grant_active of
 * ours with the counts of uses.  The user's side: a track entry per mapping,
 * named by the handle the guest got.
 *
 * Locks: gt->lock protects version and size (they change rarely);
 * grant_active.lock one entry.  Order: gt->lock, then one grant_active.lock;
 * never two of a kind, but for swap_grant_ref (lower reference first).
 * Both are taken with irqs on.
 * Floor: domain.
 */
#ifndef HV_GRANT_TABLE_H
#define HV_GRANT_TABLE_H

#include <hv/mm.h>
#include <hv/spinlock.h>
#include <hv/types.h>
#include <xen/grant_table.h>

struct domain;

#define GRANT_DEFAULT_FRAMES 64
#define GRANT_DEFAULT_TRACK_FRAMES 1024
#define GRANT_V1_PER_PAGE (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define GRANT_V2_PER_PAGE (PAGE_SIZE / sizeof(grant_entry_v2_t))
#define GRANT_STATUS_PER_PAGE (PAGE_SIZE / sizeof(grant_status_t))

/* One entry of the granter that somebody uses. */
struct grant_active {
    spinlock_t lock;
    u32 readers, writers; /* mappings and copies under way */
    domid_t user;         /* who: the one domain it is granted to */
    u16 start, length;    /* bytes of the page: sub-page grants; 0, 4096 */
    u8 foreign_io;        /* no RAM frame behind it: not reference-counted */
    mfn_t mfn;
};
#define GRANT_ACTIVE_PER_PAGE (PAGE_SIZE / sizeof(struct grant_active))

/* One mapping of the user. flags 0: free, `ref` is then the next free one. */
struct grant_track {
    u32 ref;
    domid_t granter;
    u16 flags; /* GNTMAP_* that are still mapped */
};
#define GRANT_TRACK_PER_PAGE (PAGE_SIZE / sizeof(struct grant_track))

struct grant_table {
    spinlock_t lock;
    u8 version;                     /* 1 or 2 */
    u32 nr_frames, max_frames;      /* of `shared` */
    u32 nr_status_frames;
    void **shared;                  /* max_frames pointers to pages */
    grant_status_t **status;        /* version 2; NULL until used */
    struct grant_active **active;   /* pages, NULL until used */
    spinlock_t track_lock;
    u32 nr_track_frames, max_track_frames;
    u32 track_free;                 /* handle, ~0: none */
    struct grant_track **track;
    u32 relinquish_handle;
};

int grant_table_create(struct domain *d);
/* Before the domain runs; from XEN_DOMCTL_createdomain. -EINVAL, -ENOMEM. */
int grant_table_set_limits(struct domain *d, int max_frames,
                           int max_track_frames);
int grant_table_relinquish(struct domain *d); /* -ERESTART */
void grant_table_free(struct domain *d);

#endif
