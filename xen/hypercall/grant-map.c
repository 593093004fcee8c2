/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapping and unmapping grants. A handle remembers granter, reference and what
 * is still mapped; the grant is released when neither the host nor the device
 * mapping is left.
 */
#include <hv/grant-pv.h>
#include <hv/mm.h>

#include "grant-ops.h"

#define MAP_KINDS (GNTMAP_device_map | GNTMAP_host_map)
#define TRACK_FLAGS                                                            \
    (MAP_KINDS | GNTMAP_readonly | GNTMAP_application_map | GNTMAP_contains_pte)

static int map_from(struct domain *rd, struct gnttab_map_grant_ref *op,
                    u32 handle)
{
    bool writable = !(op->flags & GNTMAP_readonly);
    struct grant_use use;
    struct grant_track t;
    int rc = grant_acquire(rd, op->ref, currd->id, writable, true, &use);

    if (rc)
        return rc;
    if (op->flags & GNTMAP_host_map) {
        rc = pv_grant_map(op->host_addr, op->flags, use.mfn, rd);
        if (rc) {
            grant_release(rd, op->ref, writable);
            return rc;
        }
    }
    t = (struct grant_track){op->ref, rd->id, (u16)(op->flags & TRACK_FLAGS)};
    grant_track_set(currd->grant_table, handle, &t);
    op->dev_bus_addr = mfn_to_maddr(use.mfn);
    op->handle = handle;
    return GNTST_okay;
}

void grant_map(struct gnttab_map_grant_ref *op)
{
    struct domain *rd;
    u32 handle;

    if (!(op->flags & MAP_KINDS)) {
        op->status = GNTST_bad_gntref;
        return;
    }
    rd = get_domain_by_id(op->dom);
    if (!rd) {
        op->status = GNTST_bad_domain;
        return;
    }
    handle = grant_track_alloc(currd->grant_table);
    if (handle == GRANT_NO_HANDLE) {
        op->status = GNTST_no_space;
    } else {
        op->status = (int16_t)map_from(rd, op, handle);
        if (op->status)
            grant_track_free(currd->grant_table, handle);
    }
    put_domain(rd);
}

/* The frame behind a handle: it is in use, so it stays what it is. */
static bool mapped_frame(struct domain *rd, u32 ref, mfn_t *m)
{
    struct grant_table *gt = rd->grant_table;
    struct grant_active *act;

    spin_lock(&gt->lock);
    act = grant_active_lock(gt, ref);
    spin_unlock(&gt->lock);
    if (!act)
        return false;
    *m = _mfn(act->mfn);
    spin_unlock(&act->lock);
    return true;
}

/*
 * How a host mapping is taken away: it is gone, or something is in its place.
 */
struct unmap {
    u64 host_addr, dev_bus_addr, new_addr;
    u32 handle;
    bool replace;
};

static int unmap_host(const struct unmap *u, const struct grant_track *t,
                      mfn_t m)
{
    if (u->replace)
        return pv_grant_replace(u->host_addr, t->flags, m, u->new_addr);
    return pv_grant_unmap(u->host_addr, t->flags, m);
}

/* The last mapping of a handle went: remember to release the grant. */
static void release_later(struct grant_unmap_batch *b, struct domain *rd,
                          const struct grant_track *t)
{
    get_domain(rd);
    b->entry[b->nr].rd = rd;
    b->entry[b->nr].ref = t->ref;
    b->entry[b->nr].writable = !(t->flags & GNTMAP_readonly);
    b->nr++;
}

static int unmap_from(struct domain *rd, const struct unmap *u,
                      struct grant_track *t, struct grant_unmap_batch *b)
{
    struct grant_table *gt = currd->grant_table;
    mfn_t m;
    int rc;

    if (!mapped_frame(rd, t->ref, &m))
        return GNTST_bad_handle;
    if (u->dev_bus_addr && u->dev_bus_addr != mfn_to_maddr(m))
        return GNTST_general_error;
    if (u->host_addr && (t->flags & GNTMAP_host_map)) {
        rc = unmap_host(u, t, m);
        if (rc)
            return rc;
        t->flags &= (u16)~GNTMAP_host_map;
    }
    if (u->dev_bus_addr)
        t->flags &= (u16)~GNTMAP_device_map;
    if (t->flags & MAP_KINDS) {
        grant_track_set(gt, u->handle, t);
        return GNTST_okay;
    }
    release_later(b, rd, t);
    grant_track_free(gt, u->handle);
    return GNTST_okay;
}

static int unmap(const struct unmap *u, struct grant_unmap_batch *b)
{
    struct grant_track t;
    struct domain *rd;
    int rc;

    if (!grant_track_claim(currd->grant_table, u->handle, &t))
        return GNTST_bad_handle;
    rd = get_domain_by_id(t.granter);
    rc = rd ? unmap_from(rd, u, &t, b) : GNTST_bad_domain;
    if (rd)
        put_domain(rd);
    if (rc)
        grant_track_set(currd->grant_table, u->handle, &t);
    return rc;
}

void grant_unmap(struct gnttab_unmap_grant_ref *op, struct grant_unmap_batch *b)
{
    struct unmap u = {.host_addr = op->host_addr,
                      .dev_bus_addr = op->dev_bus_addr,
                      .handle = op->handle};

    op->status = (int16_t)unmap(&u, b);
}

void grant_unmap_and_replace(struct gnttab_unmap_and_replace *op,
                             struct grant_unmap_batch *b)
{
    struct unmap u = {.host_addr = op->host_addr,
                      .new_addr = op->new_addr,
                      .handle = op->handle,
                      .replace = true};

    op->status = (int16_t)(op->new_addr ? unmap(&u, b) : GNTST_general_error);
}

void grant_unmap_finish(struct grant_unmap_batch *b)
{
    if (!b->nr)
        return;
    tlb_flush_mask(READ_ONCE(currd->dirty_cpus));
    while (b->nr--) {
        struct domain *rd = b->entry[b->nr].rd;

        grant_release(rd, b->entry[b->nr].ref, b->entry[b->nr].writable);
        put_domain(rd);
    }
    b->nr = 0;
}
