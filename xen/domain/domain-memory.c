/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames of a domain: allocation and accounting, pages of the hypervisor
 * shared with a guest, and taking everything back when the domain is killed.
 *
 * tot_pages counts the frames whose owner is the domain (or is about to be).
 * While it is not 0 it holds one reference to the domain, shared_pages holds
 * another: so the owner of any frame is a living structure.
 *
 * is_dying against allocation: the allocator makes the frame the domain's,
 * then looks at is_dying; the killer sets is_dying, then looks at the frames.
 * Whoever comes second gives the frame back.
 */
#include <hv/bug.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/evtchn.h>
#include <hv/grant-table.h>
#include <hv/pirq.h>
#include <hv/softirq.h>

/* --- claims: promises of memory to a domain that is being built --- */

static u32 total_claimed; /* of all domains; atomics */

/* Under d->page_lock. Allocation fulfils the promise. */
static void use_claim(struct domain *d, unsigned int n)
{
    ASSERT(spin_is_locked(&d->page_lock));
    n = MIN(d->claimed_pages, n);
    d->claimed_pages -= n;
    atomic_sub_return(&total_claimed, n);
}

int domain_claim_pages(struct domain *d, unsigned long pages)
{
    unsigned long missing, available;
    int rc = 0;

    spin_lock(&d->page_lock);
    if (!pages) {
        use_claim(d, d->claimed_pages);
    } else if (d->claimed_pages || pages <= d->tot_pages ||
               pages > d->max_pages || d->is_dying) {
        rc = -EINVAL;
    } else {
        missing = pages - d->tot_pages;
        available = nr_free_pages();
        if (missing + atomic_read(&total_claimed) > available) {
            rc = -ENOMEM;
        } else {
            d->claimed_pages = (u32)missing;
            atomic_add_return(&total_claimed, (u32)missing);
        }
    }
    spin_unlock(&d->page_lock);
    return rc;
}

unsigned long total_claimed_pages(void)
{
    return atomic_read(&total_claimed);
}

/* --- frames --- */

int domain_account_frames(struct domain *d, unsigned int n)
{
    int rc = 0;

    spin_lock(&d->page_lock);
    if (d->is_dying) {
        rc = -EINVAL;
    } else if (n > d->max_pages || d->tot_pages > d->max_pages - n) {
        rc = -ENOMEM;
    } else {
        if (atomic_add_return(&d->tot_pages, n) == n)
            get_domain(d);
        use_claim(d, n);
    }
    spin_unlock(&d->page_lock);
    return rc;
}

void domain_unaccount_frames(struct domain *d, unsigned int n)
{
    ASSERT(atomic_read(&d->tot_pages) >= n);
    if (!atomic_sub_return(&d->tot_pages, n))
        put_domain(d);
}

bool domain_release_frame(struct frame *f)
{
    /* Bit 58 of the little-endian word: FRAME_ALLOCATED. */
    if (!test_and_clear_bit(58, &f->refs))
        return false;
    frame_put(f);
    return true;
}

bool domain_give_back(struct domain *d, struct frame *f)
{
    bool was;

    if (!frame_get(f, d->id))
        return false;
    was = !(f->flags & FF_SHARED) && domain_release_frame(f);
    frame_put(f);
    return was;
}

mfn_t domain_alloc_frames(struct domain *d, unsigned int order,
                          unsigned int memf)
{
    unsigned int n = 1U << order;
    mfn_t m;

    if (domain_account_frames(d, n))
        return INVALID_MFN;
    m = alloc_frames(d->id, order, memf);
    if (mfn_eq(m, INVALID_MFN)) {
        domain_unaccount_frames(d, n);
        return m;
    }
    smp_mb(); /* the owner of the frames before is_dying */
    if (likely(!READ_ONCE(d->is_dying)))
        return m;
    for (unsigned int i = 0; i < n; i++)
        domain_give_back(d, mfn_to_frame(_mfn(mfn_x(m) + i)));
    return INVALID_MFN;
}

/* The last reference to f went. */
static void frame_freed(struct frame *f, domid_t owner)
{
    bool shared = f->flags & FF_SHARED;
    unsigned long flags = local_irq_save();
    struct domain *d = owner == currd->id ? currd : domain_find(owner);

    local_irq_restore(flags);
    /* Read-only uses leave no stamp: what a TLB of its CPUs may still hold must
     * go before the frame is somebody else's. */
    if (d && READ_ONCE(d->dirty_cpus))
        tlb_flush_mask(READ_ONCE(d->dirty_cpus));
    free_frames(frame_to_mfn(f), 0);
    if (!d)
        return; /* never a domain's: OWNER_NONE */
    if (!shared)
        domain_unaccount_frames(d, 1);
    else if (atomic_dec_and_test(&d->shared_pages))
        put_domain(d);
}

static const struct frame_owner_ops owner_ops = {.freed = frame_freed};

void domain_memory_init(void)
{
    frame_register_owner_ops(&owner_ops);
}

void share_hv_page_with_guest(void *page, struct domain *d)
{
    struct frame *f = mfn_to_frame(virt_to_mfn(page));

    ASSERT(f->owner == OWNER_HV && (f->refs & FRAME_ALLOCATED));
    if (atomic_add_return(&d->shared_pages, 1) == 1)
        get_domain(d);
    f->flags |= FF_SHARED;
    WRITE_ONCE(f->owner, d->id);
}

void unshare_hv_page(void *page)
{
    bool was = domain_release_frame(mfn_to_frame(virt_to_mfn(page)));

    ASSERT(was);
    (void)was;
}

/* --- the end, in steps that may each be interrupted --- */

#define SCAN_BATCH 8192 /* frames between two looks at pending softirqs */

/* One with so many references that no more can be had is not freed soon. */
static void relinquish_frame(const struct domain *d, struct frame *f)
{
    if (frame_get(f, d->id)) {
        domain_release_frame(f);
        frame_put(f);
    } else if (READ_ONCE(f->refs) & FRAME_FULL) {
        domain_release_frame(f);
    }
}

static int relinquish_memory(struct domain *d)
{
    while (d->relinquish_mfn < max_mfn) {
        unsigned long end = MIN(d->relinquish_mfn + SCAN_BATCH, max_mfn);

        for (unsigned long m = d->relinquish_mfn; m < end; m++)
            if (READ_ONCE(frame_table[m].owner) == d->id)
                relinquish_frame(d, &frame_table[m]);
        d->relinquish_mfn = end;
        if (softirq_is_pending())
            return -ERESTART;
    }
    return 0;
}

static int relinquish_events(struct domain *d)
{
    struct vcpu *v;
    int rc = evtchn_destroy(d);

    if (rc)
        return rc;
    domain_kill_watchdogs(d);
    for_each_vcpu (d, v) {
        timer_kill(&v->singleshot);
        timer_kill(&v->periodic);
        timer_kill(&v->poll_timer);
        vcpu_unmap_info(v);
    }
    free_domain_pirqs(d);
    return 0;
}

static int relinquish_pv(struct domain *d)
{
    return pv_ops->domain_relinquish(d);
}

/* No event is sent to it and no vCPU of it runs any more. Domain 0 may just be
 * setting all domains' wall clocks. */
static int relinquish_shared_info(struct domain *d)
{
    struct shared_info *page = d->shared_info;
    struct vcpu *v;

    ASSERT(d->is_dying == 1 && page && !d->evtchn_fifo);

    for_each_vcpu (d, v)
        v->pv.info = NULL;
    WRITE_ONCE(d->shared_info, NULL);
    domain_grace_period();
    unshare_hv_page(page);
    return 0;
}

/* In this order: later steps rely on the references dropped by earlier ones. */
static int (*const relinquish_steps[])(struct domain *d) = {
    relinquish_events,
    grant_table_relinquish,
    relinquish_pv,
    relinquish_shared_info,
    relinquish_memory,
};

/* False: somebody else kills it, or it is dead. */
static bool start_dying(struct domain *d)
{
    bool first;

    spin_lock(&d->page_lock);
    first = !d->is_dying;
    use_claim(d, d->claimed_pages);
    d->is_dying = MAX(d->is_dying, 1);
    spin_unlock(&d->page_lock);
    return first;
}

int domain_kill(struct domain *d)
{
    int rc;

    if (d == currd || d == dom0)
        return -EINVAL;
    if (d->is_dying == 2)
        return 0;
    if (start_dying(d)) {
        note_event("domain destroyed", d->id, 0);
        domain_pause(d);
        domain_tell_life(d, false);
        smp_mb(); /* is_dying before the owners of frames */
    }
    while (d->relinquish_step < ARRAY_SIZE(relinquish_steps)) {
        rc = relinquish_steps[d->relinquish_step](d);
        if (rc)
            return rc;
        d->relinquish_step++;
    }
    d->is_dying = 2;
    send_global_virq(VIRQ_DOM_EXC);
    put_domain(d);
    return 0;
}
