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
    u16 readers, writers; /* mappings and copies under way */
    domid_t user;         /* the one domain it is granted to */
    u16 start, length;    /* bytes of the page that may be copied */
    u16 unused;
    u32 mfn; /* referenced while there are readers or writers */
};
#define GRANT_ACTIVE_PER_PAGE (PAGE_SIZE / sizeof(struct grant_active))

/* One mapping of the user. flags 0: free, `ref` is then the next free one. */
struct grant_track {
    u32 ref;
    domid_t granter;
    u16 flags; /* GNTMAP_device_map, _host_map, _readonly, _contains_pte */
#define GRANT_TRACK_CLAIMED 0x8000 /* being unmapped */
};
#define GRANT_TRACK_PER_PAGE (PAGE_SIZE / sizeof(struct grant_track))
#define GRANT_NO_HANDLE (~0U)

struct grant_table {
    spinlock_t lock;
    u8 version;                   /* 1 or 2 */
    u8 max_version;               /* what the guest may choose */
    u32 nr_frames, max_frames;    /* of `shared` */
    u32 nr_status_frames;         /* of `status`: version 2 */
    void **shared;                /* max_frames pointers to pages */
    grant_status_t **status;
    struct grant_active **active; /* pages, NULL until used */
    spinlock_t track_lock;
    u32 nr_track_frames, max_track_frames, nr_track_slots;
    u32 track_free; /* handle */
    struct grant_track **track;
    u32 relinquish_handle;
};

/* --- the table (grant-table.c) --- */
int grant_table_create(struct domain *d);
/* Before the domain runs; < 0: default. -EINVAL, -EBUSY, -ENOMEM. */
int grant_table_set_limits(struct domain *d, int max_frames,
                           int max_track_frames, unsigned int max_version);
int grant_table_relinquish(struct domain *d); /* -ERESTART */
void grant_table_free(struct domain *d);
/* At least n frames / status frames. gt->lock held. -EINVAL, -ENOMEM. */
int grant_table_grow(struct domain *d, u32 n);
int grant_table_grow_status(struct domain *d, u32 n);
/* gt->lock held. */
u32 grant_nr_entries(const struct grant_table *gt);
/* Frames of the shared (or status) table for somebody who maps them, grown
 * if need be. -EINVAL outside of the limit. */
int grant_table_get_frame(struct domain *d, bool status, u32 index, mfn_t *m);
/* How many such frames there can be. */
u32 grant_table_limit(struct domain *d, bool status);
/* Does anybody use a grant of this table? gt->lock held. */
bool grant_any_active(struct grant_table *gt);
/* Our side of `ref`, below the limit, with its lock held; NULL: no memory.
 * gt->lock held; it may be given up before the entry's. */
struct grant_active *grant_active_lock(struct grant_table *gt, u32 ref);

void grant_table_dump(struct domain *d); /* debug key 'g' */
/* The guest's entry `ref`, below grant_nr_entries(). */
grant_entry_header_t *grant_entry_header(const struct grant_table *gt, u32 ref);

/* --- using a grant (grant-use.c): results are GNTST_* --- */
struct grant_use {
    mfn_t mfn;
    u16 start, length; /* the part of the page that is granted */
};
/*
 * Begin to use `ref` of rd on behalf of `user`. whole: the grant must cover a
 * page (mappings). On GNTST_okay the frame is referenced until the release.
 */
int grant_acquire(struct domain *rd, u32 ref, domid_t user, bool writable,
                  bool whole, struct grant_use *use);
void grant_release(struct domain *rd, u32 ref, bool writable);

/* Handles. GRANT_NO_HANDLE: none left. */
u32 grant_track_alloc(struct grant_table *gt);
void grant_track_free(struct grant_table *gt, u32 handle);
/* Take the entry for oneself, until it is set or freed; false: no such handle,
 * or somebody else has it. */
bool grant_track_claim(struct grant_table *gt, u32 handle,
                       struct grant_track *t);
/* A copy of the entry; false: no such handle. */
bool grant_track_get(struct grant_table *gt, u32 handle, struct grant_track *t);
void grant_track_set(struct grant_table *gt, u32 handle,
                     const struct grant_track *t);

#endif
