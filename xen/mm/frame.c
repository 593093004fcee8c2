/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types and references of frames: the slow halves of hv/frame.h.
 *
 * A type changes only while its count is 0.  Whoever changes it first sets
 * FRAME_BUSY together with the new type and a count of 1, and so is alone:
 * others that want the same type wait, others that want another one are told
 * -EBUSY.  Waiting cannot deadlock: validating a table of level n waits for
 * tables of level n-1 only, and leaving a type waits for nobody.
 *
 * Leaving a type may be much work. The CPU that does it can be interrupted: the
 * frame is then partial, its count is 0, and everybody is told -EBUSY until
 * frame_continue() has done the rest.
 *
 * TLBs: an old use of the frame may survive in the TLB of a CPU that has not
 * flushed since the count fell to 0.  tlb_stamp tells when that was; the CPUs
 * that may still hold it are flushed before the new type is used.
 */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/mm.h>

struct frame *frame_table;
unsigned long max_mfn;
u64 *m2p_table;
u64 tlb_clock = 1;
DEFINE_PER_CPU(u64, tlb_flush_time);

/* CPUs that have a guest's page tables loaded: only their TLBs matter. */
cpumask_t tlb_guest_cpus;
DEFINE_PER_CPU(bool, tlb_lazy);

static const struct frame_type_ops *type_ops;
static void (*wait_hook)(void);
static const struct frame_owner_ops *owner_ops;

void frame_register_type_ops(const struct frame_type_ops *ops)
{
    type_ops = ops;
}

void frame_register_owner_ops(const struct frame_owner_ops *ops)
{
    owner_ops = ops;
}

void frame_register_wait(void (*fn)(void))
{
    wait_hook = fn;
}

/* The CPU we wait for may be waiting for us to flush, with our irqs off. */
static void wait_for_busy(void)
{
    if (wait_hook)
        wait_hook();
    cpu_relax();
}

static bool type_has_rules(enum frame_type t)
{
    return t >= FT_L1;
}

static enum frame_type type_of(u64 refs)
{
    return (enum frame_type)((refs & FRAME_TYPE_MASK) >> FRAME_TYPE_SHIFT);
}

/* The whole of f->tlb_stamp. One that is very old seems newer: no harm. */
static u64 stamp_of(const struct frame *f)
{
    u32 stamp = READ_ONCE(f->tlb_stamp);
    u64 clock = READ_ONCE(tlb_clock);

    return clock - (u32)((u32)clock - stamp);
}

/* Flush the CPUs whose TLB may hold the uses that ended at f->tlb_stamp. */
static void flush_stale(const struct frame *f)
{
    u64 stamp = stamp_of(f);
    cpumask_t stale = 0;
    unsigned int cpu;

    for_each_cpu(cpu, READ_ONCE(tlb_guest_cpus))
        if (READ_ONCE(per_cpu(tlb_flush_time, cpu)) <= stamp)
            stale |= cpumask_of(cpu);
    if (stale)
        tlb_flush_mask(stale);
}

/*
 * Alone with a frame: it becomes partial, with no use of its type and a
 * reference for whoever goes on. `change` takes back what its refs say now.
 */
static int set_aside(struct frame *f, u64 change, unsigned int left)
{
    ASSERT(!(left & 1) && left < PT_ENTRIES);
    f->order = (u8)(left / 2);
    atomic_add_return(&f->refs, change + FRAME_PARTIAL + FRAME_REF_ONE);
    return type_ops->postpone(f);
}

/* Alone with a frame (busy, count 1) that is leaving `was` for `t`. */
static int enter_type(struct frame *f, enum frame_type was, bool validated,
                      enum frame_type t)
{
    unsigned int left = 0;
    int rc;

    if (type_has_rules(was) && validated)
        left = type_ops->invalidate(f, was, PT_ENTRIES);
    if (left)
        return set_aside(f,
                         FRAME_TYPE(was) - FRAME_TYPE(t) - FRAME_BUSY - 1,
                         left);
    if (was != FT_NONE)
        flush_stale(f);
    rc = type_has_rules(t) ? type_ops->validate(f, t, &left) : 0;
    /* From BUSY with count 1 to VALIDATED, or to no type at all. */
    if (likely(!rc))
        atomic_add_return(&f->refs, FRAME_VALIDATED - FRAME_BUSY);
    else if (left)
        (void)set_aside(f, -(FRAME_BUSY + 1), left);
    else
        atomic_sub_return(&f->refs, FRAME_TYPE(t) | FRAME_BUSY | 1);
    return rc;
}

int __attribute__((noipa, cold)) frame_type_conflict(const struct frame *f,
                                                     enum frame_type wanted)
{
    (void)f, (void)wanted;
    return -EBUSY;
}

int frame_type_slow(struct frame *f, enum frame_type t)
{
    u64 old = READ_ONCE(f->refs);

    for (;;) {
        bool same = type_of(old) == t;
        u64 new;

        ASSERT(old & FRAME_REF_MASK);
        if (old & FRAME_BUSY) {
            if (!same)
                return frame_type_conflict(f, t);
            wait_for_busy();
            old = READ_ONCE(f->refs);
            continue;
        }
        if (old & (FRAME_FULL | FRAME_PARTIAL))
            return -EBUSY;
        if (same && (old & FRAME_VALIDATED)) {
            if (atomic_try_cmpxchg(&f->refs, &old, old + 1))
                return 0;
            continue;
        }
        if (old & FRAME_COUNT_MASK)
            return frame_type_conflict(f, t);
        new = (old & ~(FRAME_TYPE_MASK | FRAME_VALIDATED)) | FRAME_TYPE(t) |
              FRAME_BUSY | 1;
        if (atomic_try_cmpxchg(&f->refs, &old, new))
            break;
    }
    return enter_type(f, type_of(old), old & FRAME_VALIDATED, t);
}

/* Alone with a frame (busy, count 0) and holding a reference for that. */
static bool leave_type(struct frame *f, enum frame_type t, unsigned int end)
{
    unsigned int left = type_ops->invalidate(f, t, end);

    if (left) {
        (void)set_aside(f, -(FRAME_BUSY + FRAME_REF_ONE), left);
        return false;
    }
    atomic_sub_return(&f->refs, FRAME_BUSY);
    frame_put(f);
    return true;
}

void frame_continue(struct frame *f)
{
    u64 refs = atomic_add_return(&f->refs, FRAME_BUSY - FRAME_PARTIAL);

    ASSERT((refs & FRAME_BUSY) && !(refs & (FRAME_PARTIAL | FRAME_COUNT_MASK)));
    leave_type(f, type_of(refs), f->order * 2U);
}

/* The reference taken here keeps the frame while it is alone with us. A full
 * count (FRAME_FULL) has room for one of each CPU. */
bool frame_clear_idle_type(struct frame *f)
{
    u64 old = READ_ONCE(f->refs);

    do {
        if (old & FRAME_PARTIAL)
            return false;
        if (!(old & FRAME_VALIDATED) || !type_has_rules(type_of(old)))
            return true;
        if ((old & (FRAME_BUSY | FRAME_COUNT_MASK)) || !(old & FRAME_REF_MASK))
            return false;
    } while (!atomic_try_cmpxchg(&f->refs, &old,
                                 (old + FRAME_REF_ONE + FRAME_BUSY) &
                                     ~FRAME_VALIDATED));
    return leave_type(f, type_of(old), PT_ENTRIES);
}

/* Recursion ends with the levels: four. */
void frame_type_idle(struct frame *f)
{
    frame_clear_idle_type(f);
}

/* Nobody refers to it any more: leave the type, give it back. */
void frame_last_ref(struct frame *f)
{
    u64 refs = READ_ONCE(f->refs);
    domid_t owner = f->owner;

    BUG_ON(refs & (FRAME_ALLOCATED | FRAME_COUNT_MASK | FRAME_PINNED |
                   FRAME_PARTIAL));
    if (type_has_rules(type_of(refs)) && (refs & FRAME_VALIDATED)) {
        atomic_add_return(&f->refs, FRAME_REF_ONE);
        frame_clear_idle_type(f);
        frame_put(f);
        return;
    }
    if (owner == OWNER_HV) {
        free_frames(frame_to_mfn(f), 0);
        return;
    }
    flush_stale(f);
    if (owner_ops)
        owner_ops->freed(f, owner);
    else
        free_frames(frame_to_mfn(f), 0);
}
