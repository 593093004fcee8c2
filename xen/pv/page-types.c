/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that become page tables or descriptor tables, and stop being it.
 *
 * validate() runs alone with the frame (FRAME_BUSY): nobody else writes it,
 * since the type it leaves had no use.  It takes the references of all entries
 * or none.  A long validation stops between tables with -ERESTART: what it
 * took is given back, but the tables it validated stay valid with count zero,
 * so the next attempt passes them quickly.
 *
 * A tree of tables may be as large as its domain, so dropping it stops between
 * tables as well, where a softirq waits.  The tables on the way are partial
 * (hv/frame.h); the vCPU whose work it was goes on with them, deepest first, by
 * a softirq of its own: before it runs a guest's instruction again, so that to
 * the guest all is done at once.
 */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>

/* The frame keeps its owner, but others in the hash chain may be freed. */
static struct domain *owner_of(const struct frame *f)
{
    unsigned long flags;
    struct domain *d;

    if (likely(f->owner == currd->id))
        return currd;
    flags = local_irq_save();
    d = domain_find(f->owner);
    local_irq_restore(flags);
    return d;
}

/* Most of a table is empty: it is looked through by fours. */
static inline bool four_absent(const pte_t *t)
{
    return !((t[0] | t[1] | t[2] | t[3]) & _PAGE_PRESENT);
}

static int l1_validate(struct domain *d, pte_t *t)
{
    for (unsigned int i = 0; i < PT_ENTRIES; i += 4) {
        if (four_absent(t + i))
            continue;
        for (unsigned int j = i; j < i + 4; j++) {
            pte_t e = t[j];
            int rc;

            if (!(e & _PAGE_PRESENT))
                continue;
            rc = l1e_get(d, d, &e);
            if (rc) {
                guest_debug("level 1 entry %u %#lx: %d\n", j, t[j], rc);
                while (j--)
                    l1e_put(t[j]);
                return rc == -EPERM ? -EINVAL : rc;
            }
            t[j] = e;
        }
    }
    return 0;
}

static void l1_invalidate(pte_t *t)
{
    for (unsigned int i = 0; i < PT_ENTRIES; i += 4) {
        if (four_absent(t + i))
            continue;
        for (unsigned int j = i; j < i + 4; j++)
            l1e_put(t[j]);
    }
}

/* The hypervisor's own entries of a top level: the same in all, but one. */
static void l4_set_hv_slots(struct domain *d, pte_t *t)
{
    for (unsigned int i = HV_FIRST_SLOT; i < HV_END_SLOT; i++)
        t[i] = hv_l4[i];
    if (d->perdomain_l3)
        t[PERDOMAIN_SLOT] = virt_to_maddr(d->perdomain_l3) | _PAGE_PRESENT |
                            _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED;
}

static bool is_hv_slot(unsigned int level, unsigned int i)
{
    return level == 4 && i >= HV_FIRST_SLOT && i < HV_END_SLOT;
}

static void upper_drop_lazy(const pte_t *t, unsigned int level,
                            unsigned int end)
{
    for (unsigned int i = 0; i < end; i++)
        if ((t[i] & _PAGE_PRESENT) && !is_hv_slot(level, i))
            frame_put_and_type_lazy(mfn_to_frame(pte_mfn(t[i])));
}

/* Each of the levels above that stop too needs a place in the list. */
static bool may_stop(void)
{
    const struct vcpu *v = current;

    return softirq_is_pending() && !v->is_idle && v->nr_drops < MAX_DROPS - 4;
}

/* How many entries are left: an even number, for struct frame. */
static unsigned int upper_drop(const pte_t *t, unsigned int level,
                               unsigned int end)
{
    for (unsigned int i = end; i > 0;) {
        if (!(i & 3) && four_absent(t + i - 4)) {
            i -= 4;
            continue;
        }
        i--;
        if (!(t[i] & _PAGE_PRESENT) || is_hv_slot(level, i))
            continue;
        frame_put_and_type(mfn_to_frame(pte_mfn(t[i])));
        if (!(i & 1) && may_stop())
            return i;
    }
    return 0;
}

static int upper_validate_entry(struct domain *d, unsigned int level, pte_t *e)
{
    mfn_t m = pte_mfn(*e);
    int rc;

    if ((*e & (_PAGE_PSE | _PAGE_GLOBAL)) || !mfn_valid(m))
        return -EINVAL;
    rc = frame_get_and_type(mfn_to_frame(m), d->id, level_type(level - 1));
    if (!rc)
        *e |= _PAGE_USER;
    return rc;
}

static int upper_validate(struct domain *d, pte_t *t, unsigned int level,
                          unsigned int *left)
{
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        int rc;

        if (!(i & 3) && four_absent(t + i)) {
            i += 3;
            continue;
        }
        if (!(t[i] & _PAGE_PRESENT) || is_hv_slot(level, i))
            continue;
        rc = upper_validate_entry(d, level, &t[i]);
        if (!rc && softirq_is_pending() && current->pv.preemptible) {
            frame_put_and_type_lazy(mfn_to_frame(pte_mfn(t[i])));
            rc = -ERESTART;
        }
        if (rc) {
            if (rc == -ERESTART) {
                upper_drop_lazy(t, level, i);
            } else {
                guest_debug("level %u entry %u %#lx: %d\n", level, i, t[i], rc);
                *left = upper_drop(t, level, i);
            }
            return rc == -EPERM ? -EINVAL : rc;
        }
    }
    if (level == 4)
        l4_set_hv_slots(d, t);
    return 0;
}

static int desc_validate(u64 *t)
{
    for (unsigned int i = 0; i < PAGE_SIZE / 8; i++) {
        u64 d = t[i];

        if (pv_check_descriptor(&d))
            return -EINVAL;
        t[i] = d;
    }
    return 0;
}

static int validate(struct frame *f, enum frame_type t, unsigned int *left)
{
    struct domain *d = owner_of(f);
    void *page = mfn_to_virt(frame_to_mfn(f));

    if (!d || (f->flags & FF_SHARED))
        return -EINVAL;
    switch (t) {
    case FT_L1:
        return l1_validate(d, page);
    case FT_L2:
    case FT_L3:
    case FT_L4:
        return upper_validate(d, page, type_level(t), left);
    case FT_DESC:
        return desc_validate(page);
    default:
        return -EINVAL;
    }
}

static unsigned int invalidate(struct frame *f, enum frame_type t,
                               unsigned int end)
{
    void *page = mfn_to_virt(frame_to_mfn(f));

    if (t == FT_L1)
        l1_invalidate(page);
    else if (t != FT_DESC)
        return upper_drop(page, type_level(t), end);
    return 0;
}

static int postpone(struct frame *f)
{
    struct vcpu *v = current;

    BUG_ON(v->nr_drops >= MAX_DROPS);
    v->drops[v->nr_drops++] = f;
    raise_softirq(SOFTIRQ_DROP);
    return v->pv.preemptible ? -ERESTART : -EBUSY;
}

/*
 * The lowest level first: then the list never grows by more than the levels
 * under the one at hand. Stops for softirqs; what stops again is current's.
 */
static void finish_drops(struct vcpu *v)
{
    while (v->nr_drops) {
        struct frame **next = &v->drops[0], *f;

        for (unsigned int i = 1; i < v->nr_drops; i++)
            if (frame_type(v->drops[i]) < frame_type(*next))
                next = &v->drops[i];
        f = *next;
        *next = v->drops[--v->nr_drops];
        frame_continue(f);
        if (softirq_is_pending())
            break;
    }
}

void pv_drop_softirq(void)
{
    finish_drops(current);
    if (current->nr_drops)
        raise_softirq(SOFTIRQ_DROP);
}

const struct frame_type_ops pv_frame_type_ops = {
    .validate = validate,
    .invalidate = invalidate,
    .postpone = postpone,
};

#define SCAN_BATCH 8192 /* frames between two looks at pending softirqs */

static bool set_pinned(struct frame *f)
{
    u64 old = READ_ONCE(f->refs);

    do {
        if (old & FRAME_PINNED)
            return false;
    } while (!atomic_try_cmpxchg(&f->refs, &old, old | FRAME_PINNED));
    return true;
}

static bool clear_pinned(struct frame *f)
{
    u64 old = READ_ONCE(f->refs);

    do {
        if (!(old & FRAME_PINNED))
            return false;
    } while (!atomic_try_cmpxchg(&f->refs, &old, old & ~FRAME_PINNED));
    return true;
}

int pv_pin(struct domain *d, mfn_t m, unsigned int level)
{
    struct frame *f;
    int rc;

    if (!mfn_valid(m))
        return -EINVAL;
    f = mfn_to_frame(m);
    rc = frame_get_and_type(f, d->id, level_type(level));
    if (rc)
        return rc == -EPERM ? -EINVAL : rc;
    if (!set_pinned(f)) {
        guest_debug("frame %#lx is pinned already\n", mfn_x(m));
        frame_put_and_type(f);
        return -EINVAL;
    }
    return 0;
}

int pv_unpin(struct domain *d, mfn_t m)
{
    struct frame *f;
    int rc = -EINVAL;

    if (!mfn_valid(m))
        return -EINVAL;
    f = mfn_to_frame(m);
    if (!frame_get(f, d->id))
        return -EINVAL;
    if (clear_pinned(f)) {
        frame_put_and_type(f);
        rc = 0;
    }
    frame_put(f);
    return rc;
}

/* Of a frame that d owned a moment ago. One with so many references that no
 * more can be had, not even by pv_unpin(), does not change hands soon. */
static void relinquish_pin(struct domain *d, struct frame *f)
{
    if (!(READ_ONCE(f->refs) & FRAME_PINNED) || !pv_unpin(d, frame_to_mfn(f)))
        return;
    if ((READ_ONCE(f->refs) & FRAME_FULL) && clear_pinned(f))
        frame_put_and_type(f);
}

int pv_relinquish_tables(struct domain *d)
{
    struct vcpu *v;

    finish_drops(current);
    for_each_vcpu(d, v) {
        finish_drops(v);
        if (v->nr_drops)
            return -ERESTART;
    }
    if (current->nr_drops)
        return -ERESTART;
    /* What an interrupted validation left behind goes with the pins. */
    for (; d->relinquish_mfn < max_mfn; d->relinquish_mfn++) {
        unsigned long m = d->relinquish_mfn;
        bool own = frame_table[m].owner == d->id && mfn_valid(_mfn(m));

        if (own) {
            relinquish_pin(d, &frame_table[m]);
            frame_clear_idle_type(&frame_table[m]);
        }
        if ((own || m % SCAN_BATCH == 0) && softirq_is_pending()) {
            d->relinquish_mfn++;
            return -ERESTART;
        }
    }
    if (current->nr_drops)
        return -ERESTART;
    d->relinquish_mfn = 0;
    return 0;
}
