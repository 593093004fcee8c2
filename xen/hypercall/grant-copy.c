/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GNTTABOP_copy, between frames of one's own and granted ones, and
 * GNTTABOP_transfer, which gives a frame away.
 */
#include <hv/mm.h>
#include <hv/string.h>

#include "grant-ops.h"
#include "reservation.h"

/* One end of a copy: a frame that stays what it is until end_put(). */
struct end {
    struct domain *d; /* referenced */
    bool granted, writable;
    u32 ref;
    mfn_t m;
    u16 start, length; /* the bytes that may be touched */
};

/* A frame of one's own, by its number. */
static int end_own(struct end *e, mfn_t m)
{
    struct frame *f;

    if (!mfn_valid(m))
        return GNTST_bad_page;
    f = mfn_to_frame(m);
    if (e->writable ? frame_get_and_type(f, e->d->id, FT_WRITABLE) != 0
                    : !frame_get(f, e->d->id))
        return GNTST_bad_page;
    e->m = m;
    e->length = PAGE_SIZE;
    return GNTST_okay;
}

static int end_granted(struct end *e, u32 ref)
{
    struct grant_use use;
    int rc = grant_acquire(e->d, ref, currd->id, e->writable, false, &use);

    if (rc)
        return rc;
    if (e->writable && frame_get_type(mfn_to_frame(use.mfn), FT_WRITABLE)) {
        grant_release(e->d, ref, true);
        return GNTST_general_error; /* it is a page table, say */
    }
    e->granted = true;
    e->ref = ref;
    e->m = use.mfn;
    e->start = use.start;
    e->length = use.length;
    return GNTST_okay;
}

static int end_get(struct end *e, const struct gnttab_copy_ptr *p, bool granted)
{
    int rc;

    e->d = get_domain_by_id(p->domid);
    if (!e->d)
        return GNTST_bad_domain;
    /* Only one's own frames may be named without a grant. */
    if (granted)
        rc = end_granted(e, p->u.ref);
    else
        rc = e->d == currd ? end_own(e, _mfn(p->u.gmfn))
                           : GNTST_permission_denied;
    if (rc)
        put_domain(e->d);
    return rc;
}

static void end_put(struct end *e)
{
    struct frame *f = mfn_to_frame(e->m);

    if (e->granted) {
        if (e->writable)
            frame_put_type(f);
        grant_release(e->d, e->ref, e->writable);
    } else if (e->writable) {
        frame_put_and_type(f);
    } else {
        frame_put(f);
    }
    put_domain(e->d);
}

static bool range_granted(const struct end *e, u32 offset, u32 len)
{
    return offset >= e->start && offset + len <= (u32)e->start + e->length;
}

static int copy_between(const struct end *from, const struct end *to,
                        const struct gnttab_copy *op)
{
    if (!range_granted(from, op->source.offset, op->len) ||
        !range_granted(to, op->dest.offset, op->len))
        return GNTST_general_error;
    memmove((char *)mfn_to_virt(to->m) + op->dest.offset,
            (const char *)mfn_to_virt(from->m) + op->source.offset, op->len);
    return GNTST_okay;
}

static int copy(const struct gnttab_copy *op)
{
    struct end from = {.writable = false}, to = {.writable = true};
    int rc;

    if ((u32)op->source.offset + op->len > PAGE_SIZE ||
        (u32)op->dest.offset + op->len > PAGE_SIZE)
        return GNTST_bad_copy_arg;
    rc = end_get(&from, &op->source, op->flags & GNTCOPY_source_gref);
    if (rc)
        return rc;
    rc = end_get(&to, &op->dest, op->flags & GNTCOPY_dest_gref);
    if (!rc) {
        rc = copy_between(&from, &to, op);
        end_put(&to);
    }
    end_put(&from);
    return rc;
}

void grant_copy(struct gnttab_copy *op)
{
    op->status = (int16_t)copy(op);
}

/* --- transfer --- */

/*
 * The receiver's entry says that it waits for a frame from us: commit to it,
 * so that the guest leaves the entry alone until it is completed.
 */
static int commit_entry(struct domain *rd, u32 ref, unsigned long *pfn)
{
    struct grant_table *gt = rd->grant_table;
    u32 wanted = GTF_accept_transfer | (u32)currd->id << 16;
    int rc = GNTST_bad_gntref;

    spin_lock(&gt->lock);
    if (ref < grant_nr_entries(gt)) {
        grant_entry_header_t *entry = grant_entry_header(gt, ref);
        u32 *word = (u32 *)entry;
        u32 old = wanted;

        if (atomic_try_cmpxchg(word, &old, wanted | GTF_transfer_committed))
            rc = GNTST_okay;
        *pfn = gt->version == 1
                   ? READ_ONCE(((grant_entry_v1_t *)entry)->frame)
                   : READ_ONCE(((grant_entry_v2_t *)entry)->full_page.frame);
    }
    spin_unlock(&gt->lock);
    return rc;
}

/*
 * Since the commitment the receiver may have been killed, or have changed the
 * version, and with it where entry `ref` is and how large: look again.
 */
static void complete_entry(struct domain *rd, u32 ref, mfn_t m)
{
    struct grant_table *gt = rd->grant_table;

    spin_lock(&gt->lock);
    if (ref < grant_nr_entries(gt)) {
        grant_entry_header_t *entry = grant_entry_header(gt, ref);

        if (gt->version == 1)
            ((grant_entry_v1_t *)entry)->frame = (u32)mfn_x(m);
        else
            ((grant_entry_v2_t *)entry)->full_page.frame = mfn_x(m);
        smp_wmb(); /* the frame before the flag that says it is there */
        __atomic_fetch_or(&entry->flags, GTF_transfer_completed,
                          __ATOMIC_SEQ_CST);
    }
    spin_unlock(&gt->lock);
}

/* f is nobody's: make it the receiver's if it waits for it. */
static int give_frame(struct domain *rd, u32 ref, struct frame *f)
{
    unsigned long pfn = 0;
    int rc;

    if (domain_account_frames(rd, 1))
        return GNTST_general_error;
    rc = commit_entry(rd, ref, &pfn);
    if (rc) {
        domain_unaccount_frames(rd, 1);
        return rc;
    }
    /* Once it is the receiver's, it may soon be the next one's. */
    set_m2p(frame_to_mfn(f), pfn);
    reattach_frame(rd, f);
    complete_entry(rd, ref, frame_to_mfn(f));
    domain_unaccount_frames(currd, 1);
    return GNTST_okay;
}

/* As the ABI has it, the frame is lost to us unless it is a bad one. */
void grant_transfer(struct gnttab_transfer *op)
{
    mfn_t m = _mfn(op->mfn);
    struct domain *rd;
    int rc = GNTST_bad_domain;

    if (!mfn_valid(m) || !detach_frame(currd, mfn_to_frame(m))) {
        op->status = GNTST_bad_page;
        return;
    }
    /* It changes hands with its type: no TLB of ours may know it any more. */
    tlb_flush_mask(READ_ONCE(currd->dirty_cpus));
    rd = get_domain_by_id(op->domid);
    if (rd && rd != currd)
        rc = give_frame(rd, op->ref, mfn_to_frame(m));
    if (rc) {
        free_detached_frame(mfn_to_frame(m));
        domain_unaccount_frames(currd, 1);
    }
    if (rd)
        put_domain(rd);
    op->status = (int16_t)rc;
}
