/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory_op: making a domain's reservation larger and smaller. PV guests keep
 * their own physical-to-machine table; we keep machine-to-physical right.
 * What is done so far is counted in extents, and the call ends early, to be
 * restarted, when something else wants this CPU.
 */
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/printk.h>

#include "reservation.h"

#define DOMU_MAX_ORDER 9 /* 2 MiB */

unsigned int max_extent_order(const struct domain *caller)
{
    return caller->is_privileged ? MAX_ORDER : DOMU_MAX_ORDER;
}

bool frames_fit(mfn_t m, unsigned int order, unsigned int address_bits)
{
    unsigned long end = mfn_x(m) + (1UL << order);

    if (!address_bits || address_bits >= 52)
        return true;
    return address_bits > PAGE_SHIFT &&
           end <= 1UL << (address_bits - PAGE_SHIFT);
}

/* True: let others run first. Never before the first extent. */
static bool take_a_break(struct reservation *r, u32 i, u32 start)
{
    if (i != start && hypercall_preempt_check())
        r->preempted = true;
    return r->preempted;
}

/* Another vCPU of the domain may have guessed what it got, and freed it. */
static void release_extent(const struct reservation *r, mfn_t m)
{
    for (unsigned long i = 0; i < 1UL << r->order; i++)
        domain_give_back(r->d, mfn_to_frame(_mfn(mfn_x(m) + i)));
}

static void set_m2p_of_extent(const struct reservation *r, mfn_t first,
                              xen_pfn_t pfn)
{
    for (unsigned long i = 0; i < 1UL << r->order; i++) {
        mfn_t m = _mfn(mfn_x(first) + i);

        if (unlikely(!frame_get(mfn_to_frame(m), r->d->id)))
            continue;
        set_m2p(m, pfn + i);
        frame_put(mfn_to_frame(m));
    }
}

static mfn_t alloc_extent(struct reservation *r)
{
    mfn_t m = domain_alloc_frames(r->d, r->order, r->memf);

    if (mfn_eq(m, INVALID_MFN) || frames_fit(m, r->order, r->address_bits))
        return m;
    release_extent(r, m);
    return INVALID_MFN;
}

static bool put_extent(const struct reservation *r, u32 i, mfn_t m)
{
    xen_pfn_t n = mfn_x(m);

    return !raw_copy_to_guest(&r->extents[i], &n, sizeof(n));
}

void increase_reservation(struct reservation *r)
{
    u32 i, start = r->done;

    if (r->order > max_extent_order(currd))
        return;
    for (i = start; i < r->nr_extents && !take_a_break(r, i, start); i++) {
        mfn_t m = alloc_extent(r);

        if (mfn_eq(m, INVALID_MFN))
            break;
        if (r->extents && !put_extent(r, i, m)) {
            release_extent(r, m);
            break;
        }
    }
    r->done = i;
}

void populate_physmap(struct reservation *r)
{
    u32 i, start = r->done;

    if (r->order > max_extent_order(currd))
        return;
    for (i = start; i < r->nr_extents && !take_a_break(r, i, start); i++) {
        xen_pfn_t pfn;
        mfn_t m;

        if (raw_copy_from_guest(&pfn, &r->extents[i], sizeof(pfn)))
            break;
        m = alloc_extent(r);
        if (mfn_eq(m, INVALID_MFN))
            break;
        set_m2p_of_extent(r, m, pfn);
        if (!put_extent(r, i, m)) {
            release_extent(r, m);
            break;
        }
    }
    r->done = i;
}

/*
 * Give up one frame. If it is still mapped or pinned, it stays what it is
 * until the last of that goes; it is no longer the guest's to keep.
 */
static bool remove_page(struct domain *d, mfn_t m)
{
    struct frame *f;

    if (!mfn_valid(m))
        return false;
    f = mfn_to_frame(m);
    if (!frame_get(f, d->id))
        return false;
    if (f->flags & FF_SHARED) { /* ours: not the guest's to free */
        frame_put(f);
        return false;
    }
    domain_release_frame(f);
    frame_put(f);
    return true;
}

static bool remove_extent(struct reservation *r, xen_pfn_t first)
{
    for (unsigned long j = 0; j < 1UL << r->order; j++) {
        if (!remove_page(r->d, _mfn(first + j))) {
            guest_debug("frame %lx is not domain %u's to give back\n",
                        (unsigned long)first + j, r->d->id);
            return false;
        }
    }
    return true;
}

void decrease_reservation(struct reservation *r)
{
    u32 i, start = r->done;

    if (r->order > max_extent_order(currd))
        return;
    for (i = start; i < r->nr_extents && !take_a_break(r, i, start); i++) {
        xen_pfn_t first;

        if (raw_copy_from_guest(&first, &r->extents[i], sizeof(first)) ||
            !remove_extent(r, first))
            break;
    }
    r->done = i;
}
