/* SPDX-License-Identifier: GPL-2.0-only */
/* The grant table itself: size, version, places; and what works on entries. */
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/string.h>

#include "grant-ops.h"

int grant_get_target(domid_t id, struct domain **d)
{
    *d = get_domain_by_id(id);
    if (!*d)
        return GNTST_bad_domain;
    if (*d == currd || currd->is_privileged)
        return GNTST_okay;
    put_domain(*d);
    return GNTST_permission_denied;
}

/* --- places --- */

/* The first n frames of the table to the guest's list. */
static int put_frames(struct domain *d, bool status, u32 n, u64 *list)
{
    for (u32 i = 0; i < n; i++) {
        mfn_t m;
        u64 frame;

        if (grant_table_get_frame(d, status, i, &m))
            return GNTST_general_error;
        frame = mfn_x(m);
        if (copy_to_guest(list + i, &frame))
            return GNTST_bad_virt_addr;
    }
    return GNTST_okay;
}

static int setup(struct domain *d, const struct gnttab_setup_table *op)
{
    struct grant_table *gt = d->grant_table;
    int rc = 0;

    spin_lock(&gt->lock);
    if (gt->nr_frames < op->nr_frames)
        rc = grant_table_grow(d, op->nr_frames);
    spin_unlock(&gt->lock);
    if (rc)
        return GNTST_general_error;
    return put_frames(d, false, op->nr_frames, (u64 *)op->frame_list.p);
}

long grant_setup_table(struct gnttab_setup_table *op)
{
    struct domain *d;
    int rc = grant_get_target(op->dom, &d);

    if (!rc) {
        rc = setup(d, op);
        put_domain(d);
    }
    op->status = (int16_t)rc;
    return 0;
}

long grant_get_status_frames(struct gnttab_get_status_frames *op)
{
    struct domain *d;
    int rc = grant_get_target(op->dom, &d);

    if (!rc) {
        if (d->grant_table->version != 2 ||
            op->nr_frames > d->grant_table->nr_status_frames)
            rc = GNTST_general_error;
        else
            rc = put_frames(d, true, op->nr_frames, (u64 *)op->frame_list.p);
        put_domain(d);
    }
    op->status = (int16_t)rc;
    return 0;
}

long grant_query_size(struct gnttab_query_size *op)
{
    struct domain *d;
    int rc = grant_get_target(op->dom, &d);

    if (!rc) {
        op->nr_frames = d->grant_table->nr_frames;
        op->max_nr_frames = d->grant_table->max_frames;
        put_domain(d);
    }
    op->status = (int16_t)rc;
    return 0;
}

long grant_dump_table(struct gnttab_dump_table *op)
{
    struct domain *d;
    int rc = grant_get_target(op->dom, &d);

    if (!rc && !currd->is_privileged) {
        rc = GNTST_permission_denied; /* the console is not the guest's */
        put_domain(d);
    } else if (!rc) {
        grant_table_dump(d);
        put_domain(d);
    }
    op->status = (int16_t)rc;
    return 0;
}

/* --- version --- */

/* Entries that the tools put there before the guest ran live on. */
static void carry_reserved(struct grant_table *gt, u32 to)
{
    grant_entry_v1_t v1[GNTTAB_NR_RESERVED_ENTRIES];
    grant_entry_v2_t *v2;

    if (!gt->nr_frames)
        return;
    memset(v1, 0, sizeof(v1));
    v2 = gt->shared[0];
    if (to == 2) {
        memcpy(v1, gt->shared[0], sizeof(v1));
    } else {
        for (u32 i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++) {
            v1[i].flags = v2[i].hdr.flags;
            v1[i].domid = v2[i].hdr.domid;
            v1[i].frame = (u32)v2[i].full_page.frame;
        }
    }
    for (u32 f = 0; f < gt->nr_frames; f++)
        clear_page(gt->shared[f]);
    for (u32 i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++) {
        if (to == 1) {
            ((grant_entry_v1_t *)gt->shared[0])[i] = v1[i];
            continue;
        }
        v2[i].hdr.flags = v1[i].flags;
        v2[i].hdr.domid = v1[i].domid;
        v2[i].full_page.frame = v1[i].frame;
    }
}

static long change_version(struct domain *d, u32 version)
{
    struct grant_table *gt = d->grant_table;
    int rc;

    if (gt->version == version)
        return 0;
    if (grant_any_active(gt))
        return -EBUSY;
    if (version == 2) {
        u32 n = (u32)DIV_ROUND_UP(MAX(gt->nr_frames, 1U) * GRANT_V2_PER_PAGE,
                                  GRANT_STATUS_PER_PAGE);

        rc = grant_table_grow_status(d, n);
        if (rc)
            return rc;
    }
    carry_reserved(gt, version);
    gt->version = (u8)version;
    return 0;
}

long grant_set_version(struct gnttab_set_version *op)
{
    struct domain *d = currd;
    struct grant_table *gt = d->grant_table;
    u32 wanted = op->version;
    long rc;

    if (wanted != 1 && wanted != 2)
        return -EINVAL;
    if (wanted > gt->max_version)
        return -EOPNOTSUPP;
    spin_lock(&gt->lock);
    rc = change_version(d, wanted);
    op->version = gt->version;
    spin_unlock(&gt->lock);
    return rc;
}

long grant_get_version(struct gnttab_get_version *op)
{
    struct domain *d;
    int rc = grant_get_target(op->dom, &d);

    if (rc)
        return rc == GNTST_bad_domain ? -ESRCH : -EPERM;
    op->version = d->grant_table->version;
    put_domain(d);
    return 0;
}

/* --- entries --- */

static int swap_entries(struct grant_table *gt, u32 a, u32 b)
{
    grant_entry_v2_t tmp;
    size_t size =
        gt->version == 1 ? sizeof(grant_entry_v1_t) : sizeof(grant_entry_v2_t);
    void *ea = grant_entry_header(gt, a), *eb = grant_entry_header(gt, b);

    memcpy(&tmp, ea, size);
    memcpy(ea, eb, size);
    memcpy(eb, &tmp, size);
    return GNTST_okay;
}

/* gt->lock held, a < b. */
static int swap_unused(struct grant_table *gt, u32 a, u32 b)
{
    struct grant_active *aa = grant_active_lock(gt, a), *ab;
    int rc = GNTST_eagain;

    if (!aa)
        return GNTST_no_space;
    ab = grant_active_lock(gt, b);
    if (!ab) {
        spin_unlock(&aa->lock);
        return GNTST_no_space;
    }
    if (!aa->readers && !aa->writers && !ab->readers && !ab->writers)
        rc = swap_entries(gt, a, b);
    spin_unlock(&ab->lock);
    spin_unlock(&aa->lock);
    return rc;
}

void grant_swap(struct gnttab_swap_grant_ref *op)
{
    struct grant_table *gt = currd->grant_table;
    u32 a = MIN(op->ref_a, op->ref_b), b = MAX(op->ref_a, op->ref_b);
    int rc = GNTST_okay;

    spin_lock(&gt->lock);
    if (b >= grant_nr_entries(gt))
        rc = GNTST_bad_gntref;
    else if (a != b)
        rc = swap_unused(gt, a, b);
    spin_unlock(&gt->lock);
    op->status = (int16_t)rc;
}

/* Caches are coherent with devices on x86: checked, then nothing to do. */
int grant_cache_flush(struct gnttab_cache_flush *op)
{
    u32 ops = op->op & ~GNTTAB_CACHE_SOURCE_GREF;

    if (op->offset >= PAGE_SIZE || op->length > PAGE_SIZE ||
        op->offset + op->length > PAGE_SIZE)
        return -EINVAL;
    if (!op->length || !ops)
        return 0;
    if (ops & ~(GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL))
        return -EINVAL;
    return -EOPNOTSUPP;
}
