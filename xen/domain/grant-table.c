/* SPDX-License-Identifier: GPL-2.0-only */
/* Grant tables: the pages shared with the guest, handles, creation, the end. */
#include <hv/bug.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/grant-table.h>
#include <hv/nospec.h>
#include <hv/printk.h>
#include <hv/softirq.h>
#include <hv/string.h>

#define LIMIT_FRAMES 512       /* highest limit that may be asked for */
#define LIMIT_TRACK_FRAMES 4096
#define FIRST_TRACK_SLOTS 8

static u32 max_status_frames(const struct grant_table *gt)
{
    return (u32)DIV_ROUND_UP(gt->max_frames * GRANT_V2_PER_PAGE,
                             GRANT_STATUS_PER_PAGE);
}

static u32 max_active_pages(const struct grant_table *gt)
{
    return (u32)DIV_ROUND_UP(gt->max_frames * GRANT_V1_PER_PAGE,
                             GRANT_ACTIVE_PER_PAGE);
}

/* --- creation --- */

/* The three arrays of pointers, by max_frames. */
static int alloc_arrays(struct grant_table *gt)
{
    gt->shared = new_array(void *, gt->max_frames);
    gt->status = new_array(grant_status_t *, max_status_frames(gt));
    gt->active = new_array(struct grant_active *, max_active_pages(gt));
    return gt->shared && gt->status && gt->active ? 0 : -ENOMEM;
}

static void free_arrays(struct grant_table *gt)
{
    hv_free(gt->shared);
    hv_free(gt->status);
    hv_free(gt->active);
}

int grant_table_create(struct domain *d)
{
    struct grant_table *gt = new(struct grant_table);

    if (!gt)
        return -ENOMEM;
    spin_lock_init(&gt->lock);
    spin_lock_init(&gt->track_lock);
    gt->version = 1;
    gt->max_version = 2;
    gt->max_frames = GRANT_DEFAULT_FRAMES;
    gt->max_track_frames = GRANT_DEFAULT_TRACK_FRAMES;
    gt->track_free = GRANT_NO_HANDLE;
    d->grant_table = gt;
    return alloc_arrays(gt);
}

int grant_table_set_limits(struct domain *d, int max_frames,
                           int max_track_frames, unsigned int max_version)
{
    struct grant_table *gt = d->grant_table;
    struct grant_table want = *gt;

    if (max_frames == 0 || max_frames > LIMIT_FRAMES ||
        max_track_frames > LIMIT_TRACK_FRAMES || max_version > 2)
        return -EINVAL;
    if (gt->nr_frames || gt->nr_track_frames)
        return -EBUSY;
    if (max_track_frames >= 0)
        gt->max_track_frames = (u32)max_track_frames;
    if (max_version)
        gt->max_version = (u8)max_version;
    if (max_frames < 0 || (u32)max_frames == gt->max_frames)
        return 0;
    want.max_frames = (u32)max_frames;
    if (alloc_arrays(&want)) {
        free_arrays(&want);
        return -ENOMEM;
    }
    free_arrays(gt);
    gt->max_frames = want.max_frames;
    gt->shared = want.shared;
    gt->status = want.status;
    gt->active = want.active;
    return 0;
}

/* --- size --- */

u32 grant_nr_entries(const struct grant_table *gt)
{
    return gt->nr_frames * (u32)(gt->version == 2 ? GRANT_V2_PER_PAGE
                                                  : GRANT_V1_PER_PAGE);
}

/* Append zeroed pages, owned by d, to an array until there are n. */
static int grow_pages(struct domain *d, void **array, u32 *nr, u32 n)
{
    while (*nr < n) {
        void *page = alloc_hv_page_zeroed();

        if (!page)
            return -ENOMEM;
        share_hv_page_with_guest(page, d);
        set_m2p(virt_to_mfn(page), INVALID_M2P_ENTRY);
        array[*nr] = page;
        smp_wmb(); /* the page before the count */
        WRITE_ONCE(*nr, *nr + 1);
    }
    return 0;
}

int grant_table_grow_status(struct domain *d, u32 n)
{
    struct grant_table *gt = d->grant_table;

    ASSERT(spin_is_locked(&gt->lock));
    /* What a dying domain gets nobody would take back. */
    if (n > max_status_frames(gt) || d->is_dying)
        return -EINVAL;
    return grow_pages(d, (void **)gt->status, &gt->nr_status_frames, n);
}

int grant_table_grow(struct domain *d, u32 n)
{
    struct grant_table *gt = d->grant_table;
    u32 status = (u32)DIV_ROUND_UP(n * GRANT_V2_PER_PAGE,
                                   GRANT_STATUS_PER_PAGE);
    int rc = 0;

    ASSERT(spin_is_locked(&gt->lock));
    if (n > gt->max_frames || d->is_dying)
        return -EINVAL;
    if (gt->version == 2)
        rc = grant_table_grow_status(d, status);
    return rc ? rc : grow_pages(d, gt->shared, &gt->nr_frames, n);
}

int grant_table_get_frame(struct domain *d, bool status, u32 index, mfn_t *m)
{
    struct grant_table *gt = d->grant_table;
    int rc = -EINVAL;

    spin_lock(&gt->lock);
    if (status) {
        if (gt->version == 2)
            rc = grant_table_grow_status(d, index + 1);
    } else if (index < gt->max_frames) {
        rc = grant_table_grow(d, MAX(index + 1, gt->nr_frames));
    }
    if (!rc)
        *m = virt_to_mfn(status ? (void *)gt->status[index]
                                : gt->shared[index]);
    spin_unlock(&gt->lock);
    return rc;
}

struct grant_active *grant_active_lock(struct grant_table *gt, u32 ref)
{
    unsigned long nr = max_active_pages(gt) * GRANT_ACTIVE_PER_PAGE;
    struct grant_active *page, *act;

    ASSERT(spin_is_locked(&gt->lock) && ref < nr);
    ref = (u32)index_nospec(ref, nr);
    page = gt->active[ref / GRANT_ACTIVE_PER_PAGE];
    if (!page) {
        page = alloc_hv_page_zeroed();
        if (!page)
            return NULL;
        gt->active[ref / GRANT_ACTIVE_PER_PAGE] = page;
    }
    act = &page[ref % GRANT_ACTIVE_PER_PAGE];
    spin_lock(&act->lock);
    return act;
}

u32 grant_table_limit(struct domain *d, bool status)
{
    const struct grant_table *gt = d->grant_table;

    return status ? max_status_frames(gt) : gt->max_frames;
}

bool grant_any_active(struct grant_table *gt)
{
    bool any = false;

    for (u32 i = 0; i < max_active_pages(gt); i++) {
        for (u32 n = 0; gt->active[i] && n < GRANT_ACTIVE_PER_PAGE; n++) {
            struct grant_active *act = &gt->active[i][n];

            /* The lock: whoever is in the middle of an entry finishes. */
            spin_lock(&act->lock);
            any |= act->readers || act->writers;
            spin_unlock(&act->lock);
        }
    }
    return any;
}

/* --- handles --- */

static struct grant_track *track_of(struct grant_table *gt, u32 handle)
{
    return &gt->track[handle / GRANT_TRACK_PER_PAGE]
                     [handle % GRANT_TRACK_PER_PAGE];
}

/* Room for one more page pointer. */
static int grow_track_slots(struct grant_table *gt)
{
    u32 n = gt->nr_track_slots ? gt->nr_track_slots * 2 : FIRST_TRACK_SLOTS;
    struct grant_track **array;

    if (gt->nr_track_frames < gt->nr_track_slots)
        return 0;
    array = new_array(struct grant_track *, n);
    if (!array)
        return -ENOMEM;
    if (gt->nr_track_frames)
        memcpy(array, gt->track, gt->nr_track_frames * sizeof(*array));
    hv_free(gt->track);
    gt->track = array;
    gt->nr_track_slots = n;
    return 0;
}

/* track_lock held: a new page of free handles. */
static int add_track_page(struct grant_table *gt)
{
    struct grant_track *page;
    u32 first = gt->nr_track_frames * (u32)GRANT_TRACK_PER_PAGE;

    ASSERT(spin_is_locked(&gt->track_lock));
    if (gt->nr_track_frames >= gt->max_track_frames || grow_track_slots(gt))
        return -ENOMEM;
    page = alloc_hv_page_zeroed();
    if (!page)
        return -ENOMEM;
    for (u32 i = 0; i < GRANT_TRACK_PER_PAGE; i++)
        page[i].ref = first + i + 1;
    page[GRANT_TRACK_PER_PAGE - 1].ref = gt->track_free;
    gt->track[gt->nr_track_frames++] = page;
    gt->track_free = first;
    return 0;
}

u32 grant_track_alloc(struct grant_table *gt)
{
    u32 handle = GRANT_NO_HANDLE;

    spin_lock(&gt->track_lock);
    if (gt->track_free != GRANT_NO_HANDLE || !add_track_page(gt)) {
        handle = gt->track_free;
        gt->track_free = track_of(gt, handle)->ref;
    }
    spin_unlock(&gt->track_lock);
    return handle;
}

void grant_track_free(struct grant_table *gt, u32 handle)
{
    struct grant_track *t;

    spin_lock(&gt->track_lock);
    ASSERT(handle < gt->nr_track_frames * GRANT_TRACK_PER_PAGE);
    t = track_of(gt, handle);
    t->flags = 0;
    t->ref = gt->track_free;
    gt->track_free = handle;
    spin_unlock(&gt->track_lock);
}

bool grant_track_get(struct grant_table *gt, u32 handle, struct grant_track *t)
{
    unsigned long nr;
    bool valid;

    spin_lock(&gt->track_lock);
    nr = gt->nr_track_frames * GRANT_TRACK_PER_PAGE;
    valid = handle < nr;
    if (valid) {
        *t = *track_of(gt, (u32)index_nospec(handle, nr));
        valid = t->flags != 0;
    }
    spin_unlock(&gt->track_lock);
    return valid;
}

bool grant_track_claim(struct grant_table *gt, u32 handle,
                       struct grant_track *t)
{
    unsigned long nr;
    bool valid = false;

    spin_lock(&gt->track_lock);
    nr = gt->nr_track_frames * GRANT_TRACK_PER_PAGE;
    if (handle < nr) {
        struct grant_track *e = track_of(gt, (u32)index_nospec(handle, nr));

        valid = e->flags && !(e->flags & GRANT_TRACK_CLAIMED);
        *t = *e;
        if (valid)
            e->flags |= GRANT_TRACK_CLAIMED;
    }
    spin_unlock(&gt->track_lock);
    return valid;
}

void grant_track_set(struct grant_table *gt, u32 handle,
                     const struct grant_track *t)
{
    spin_lock(&gt->track_lock);
    ASSERT(handle < gt->nr_track_frames * GRANT_TRACK_PER_PAGE);
    *track_of(gt, handle) = *t;
    spin_unlock(&gt->track_lock);
}

/* --- the dump for people --- */

void grant_table_dump(struct domain *d)
{
    struct grant_table *gt = d->grant_table;

    spin_lock(&gt->lock);
    printk("Grant table of domain %u: version %u, %u of %u frames\n", d->id,
           gt->version, gt->nr_frames, gt->max_frames);
    for (u32 ref = 0; ref < grant_nr_entries(gt); ref++) {
        const struct grant_active *page =
            gt->active[ref / GRANT_ACTIVE_PER_PAGE];
        const struct grant_active *act =
            page ? &page[ref % GRANT_ACTIVE_PER_PAGE] : NULL;

        if (act && (act->readers || act->writers))
            printk("  %u: frame %x, domain %u, %u readers, %u writers\n", ref,
                   act->mfn, act->user, act->readers, act->writers);
    }
    spin_unlock(&gt->lock);
}

/* --- the end --- */

static void release_mapping(struct grant_table *gt, u32 handle)
{
    struct grant_track t;
    struct domain *rd;

    if (!grant_track_get(gt, handle, &t))
        return;
    grant_track_free(gt, handle);
    rd = get_domain_by_id(t.granter);
    if (!rd)
        return;
    grant_release(rd, t.ref, !(t.flags & GNTMAP_readonly));
    put_domain(rd);
}

/*
 * What this domain still has of others' grants. Its page tables go elsewhere.
 * It may have had half a million handles, free by now.
 */
static int release_mappings(struct domain *d)
{
    struct grant_table *gt = d->grant_table;
    u32 nr = gt->nr_track_frames * (u32)GRANT_TRACK_PER_PAGE;

    while (gt->relinquish_handle < nr) {
        release_mapping(gt, gt->relinquish_handle++);
        if (softirq_is_pending())
            return -ERESTART;
    }
    return 0;
}

/*
 * Others may still use frames that d granted; they need only the active
 * entries. The shared pages go: nr_frames 0 tells everybody to keep off.
 */
static void retire_pages(struct domain *d)
{
    struct grant_table *gt = d->grant_table;
    u32 frames, status;

    spin_lock(&gt->lock);
    frames = gt->nr_frames;
    status = gt->nr_status_frames;
    gt->nr_frames = gt->nr_status_frames = 0;
    (void)grant_any_active(gt);
    spin_unlock(&gt->lock);
    while (frames--)
        unshare_hv_page(gt->shared[frames]);
    while (status--)
        unshare_hv_page(gt->status[status]);
}

int grant_table_relinquish(struct domain *d)
{
    int rc = release_mappings(d);

    if (!rc)
        retire_pages(d);
    return rc;
}

void grant_table_free(struct domain *d)
{
    struct grant_table *gt = d->grant_table;

    if (!gt)
        return;
    for (u32 i = 0; gt->active && i < max_active_pages(gt); i++)
        free_hv_pages(gt->active[i], 0);
    for (u32 i = 0; i < gt->nr_track_frames; i++)
        free_hv_pages(gt->track[i], 0);
    hv_free(gt->track);
    free_arrays(gt);
    hv_free(gt);
}
