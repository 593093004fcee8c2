/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * XENMEM_exchange: frames of one size for frames of another, in chunks of the
 * larger size.
 *
 * A chunk: allocate the new frames, owned by nobody; detach the old ones from
 * the domain, which works only if nothing maps them; then nothing can fail any
 * more: the new ones become the domain's, the old ones are freed. The number
 * of frames the domain owns does not change.
 */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>

#include "reservation.h"

struct chunk {
    struct domain *d;
    unsigned int in_order, out_order;
    u32 nr_in, nr_out; /* extents in this chunk */
    xen_pfn_t *in;     /* their first frames */
    struct {
        mfn_t m;
        xen_pfn_t pfn;
    } *out;
};

/*
 * Take f away from d if nothing but its allocation refers to it: no reference
 * can be got any more, and nobody owns it. The sticky type stays, with the
 * time of its last use, for the TLB flush when it is freed.
 */
bool detach_frame(struct domain *d, struct frame *f)
{
    u64 old;

    if (!frame_get(f, d->id))
        return false;
    if ((f->flags & FF_SHARED) || !frame_clear_idle_type(f))
        goto refuse;
    old = READ_ONCE(f->refs);
    do {
        if ((old & (FRAME_REF_MASK | FRAME_ALLOCATED | FRAME_COUNT_MASK |
                    FRAME_PINNED | FRAME_BUSY | FRAME_PARTIAL)) !=
            (FRAME_ALLOCATED | 2 * FRAME_REF_ONE))
            goto refuse;
        /* Another vCPU may have left it a valid table since we looked: its
         * entries are d's, it must never become another's table. */
        if ((old & FRAME_VALIDATED) && frame_refs_idle_table(old))
            goto refuse;
    } while (!atomic_try_cmpxchg(&f->refs, &old, old & ~FRAME_REF_MASK));
    WRITE_ONCE(f->owner, OWNER_NONE);
    return true;

refuse:
    frame_put(f);
    return false;
}

static void own_frame(struct domain *d, struct frame *f)
{
    ASSERT(READ_ONCE(f->owner) == OWNER_NONE);
    WRITE_ONCE(f->owner, d->id);
    smp_mb(); /* owner, then is_dying: domain-memory.c */
    if (unlikely(READ_ONCE(d->is_dying)))
        domain_give_back(d, f);
}

void reattach_frame(struct domain *d, struct frame *f)
{
    atomic_add_return(&f->refs, FRAME_REF_ONE);
    own_frame(d, f);
}

void free_detached_frame(struct frame *f)
{
    atomic_add_return(&f->refs, FRAME_REF_ONE);
    domain_release_frame(f);
}

/* The n-th frame of the chunk's input. */
static struct frame *input_frame(const struct chunk *c, unsigned long n)
{
    return mfn_to_frame(_mfn(c->in[n >> c->in_order] +
                             (n & ((1UL << c->in_order) - 1))));
}

static unsigned long nr_frames(const struct chunk *c)
{
    return (unsigned long)c->nr_in << c->in_order;
}

static int detach_all(struct chunk *c)
{
    for (unsigned long n = 0; n < nr_frames(c); n++) {
        struct frame *f = input_frame(c, n);

        if (mfn_valid(frame_to_mfn(f)) && detach_frame(c->d, f))
            continue;
        while (n--)
            reattach_frame(c->d, input_frame(c, n));
        return -EINVAL;
    }
    return 0;
}

static void free_outputs(struct chunk *c, u32 n)
{
    while (n--)
        for (unsigned long i = 0; i < 1UL << c->out_order; i++)
            domain_release_frame(
                mfn_to_frame(_mfn(mfn_x(c->out[n].m) + i)));
}

static int alloc_outputs(struct chunk *c, unsigned int address_bits)
{
    unsigned int memf = address_bits && address_bits <= 32 ? MEMF_BELOW_4G : 0;

    for (u32 n = 0; n < c->nr_out; n++) {
        c->out[n].m = alloc_frames(OWNER_NONE, c->out_order, memf);
        if (mfn_eq(c->out[n].m, INVALID_MFN)) {
            free_outputs(c, n);
            return -ENOMEM;
        }
        if (!frames_fit(c->out[n].m, c->out_order, address_bits)) {
            free_outputs(c, n + 1);
            return -ENOMEM;
        }
    }
    return 0;
}

static void commit(struct chunk *c)
{
    for (u32 n = 0; n < c->nr_out; n++) {
        for (unsigned long i = 0; i < 1UL << c->out_order; i++) {
            mfn_t m = _mfn(mfn_x(c->out[n].m) + i);

            set_m2p(m, c->out[n].pfn + i);
            own_frame(c->d, mfn_to_frame(m));
        }
    }
    for (unsigned long n = 0; n < nr_frames(c); n++)
        free_detached_frame(input_frame(c, n));
}

/* Lists of the guest: read once, answered at the end. */
static int read_lists(struct chunk *c, const struct xen_memory_exchange *e,
                      unsigned long chunk)
{
    for (u32 n = 0; n < c->nr_in; n++) {
        if (copy_from_handle_offset(&c->in[n], e->in.extent_start,
                                    chunk * c->nr_in + n))
            return -EFAULT;
        if (c->in[n] > max_mfn)
            return -EINVAL;
    }
    for (u32 n = 0; n < c->nr_out; n++)
        if (copy_from_handle_offset(&c->out[n].pfn, e->out.extent_start,
                                    chunk * c->nr_out + n))
            return -EFAULT;
    return 0;
}

static int exchange_chunk(struct chunk *c, const struct xen_memory_exchange *e,
                          unsigned long chunk)
{
    int rc = read_lists(c, e, chunk);

    if (!rc)
        rc = alloc_outputs(c, XENMEMF_get_address_bits(e->out.mem_flags));
    if (rc)
        return rc;
    rc = detach_all(c);
    if (rc) {
        free_outputs(c, c->nr_out);
        return rc;
    }
    /* Uses that were read-only left no stamp: nobody may see through them what
     * the frames become next. */
    tlb_flush_mask(READ_ONCE(c->d->dirty_cpus));
    commit(c);
    for (u32 n = 0; n < c->nr_out; n++) {
        xen_pfn_t m = mfn_x(c->out[n].m);

        if (copy_to_handle_offset(e->out.extent_start, chunk * c->nr_out + n,
                                  &m))
            rc = -EFAULT;
    }
    return rc;
}

static int check(const struct xen_memory_exchange *e)
{
    const struct xen_memory_reservation *in = &e->in, *out = &e->out;
    unsigned int max = max_extent_order(currd);

    if (e->nr_exchanged > in->nr_extents)
        return -EINVAL;
    if (in->extent_order > max || out->extent_order > max)
        return -EPERM;
    if (in->domid != out->domid ||
        in->nr_extents > ~0UL >> in->extent_order ||
        out->nr_extents > ~0UL >> out->extent_order ||
        in->nr_extents << in->extent_order !=
            out->nr_extents << out->extent_order)
        return -EINVAL;
    if (!guest_range_ok((unsigned long)in->extent_start.p,
                        in->nr_extents * sizeof(xen_pfn_t)) ||
        !guest_range_ok((unsigned long)out->extent_start.p,
                        out->nr_extents * sizeof(xen_pfn_t)))
        return -EFAULT;
    return 0;
}

static long exchange_all(struct chunk *c, struct xen_memory_exchange *e)
{
    unsigned long chunk = e->nr_exchanged / c->nr_in;
    unsigned long nr_chunks = e->in.nr_extents / c->nr_in;
    long rc = 0;

    for (; chunk < nr_chunks && !rc; chunk++) {
        rc = exchange_chunk(c, e, chunk);
        if (rc)
            break;
        e->nr_exchanged = (chunk + 1) * c->nr_in;
        if (chunk + 1 < nr_chunks && hypercall_preempt_check())
            rc = -ERESTART;
    }
    return rc;
}

long memory_exchange(struct xen_memory_exchange *arg)
{
    struct xen_memory_exchange e;
    struct chunk c;
    unsigned int order;
    long rc;

    if (copy_from_guest(&e, arg))
        return -EFAULT;
    rc = check(&e);
    if (rc)
        return rc;
    c.d = get_domain_by_id(e.in.domid);
    if (!c.d)
        return -ESRCH;
    rc = -EPERM;
    if (c.d != currd && !currd->is_privileged)
        goto put;
    c.in_order = e.in.extent_order;
    c.out_order = e.out.extent_order;
    order = MAX(c.in_order, c.out_order);
    c.nr_in = 1U << (order - c.in_order);
    c.nr_out = 1U << (order - c.out_order);
    c.in = hv_alloc(c.nr_in * sizeof(*c.in));
    c.out = hv_alloc(c.nr_out * sizeof(*c.out));
    rc = c.in && c.out ? exchange_all(&c, &e) : -ENOMEM;
    hv_free(c.in);
    hv_free(c.out);
    if (raw_copy_to_guest(&arg->nr_exchanged, &e.nr_exchanged,
                          sizeof(e.nr_exchanged)) &&
        (!rc || rc == -ERESTART))
        rc = -EFAULT;
put:
    put_domain(c.d);
    return rc;
}
