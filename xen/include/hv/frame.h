/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame table: owner, type and reference counts of every frame of RAM.
 *
 * One 64-bit word carries both counts, so that taking and dropping is one
 * compare-and-swap and no lock exists:
 *
 *   bits  0-25  type count: uses of the frame *as* its type
 *   bits 26-28  type (enum frame_type)
 *   bit  29     validated: the contents satisfy the type's rules
 *   bit  30     pinned: the guest asked to keep the type (one type + one ref)
 *   bit  31     busy: one CPU is changing the type; others wait
 *   bits 32-57  references: reasons why the frame may not be freed
 *   bit  58     allocated: the owner's own reference is still held
 *   bit  59     partial: a table that was in use has still to drop what its
 *               first 2 * order entries hold; nobody gets a type till then
 *
 * A type sticks when its count falls to zero, so that it costs nothing to come
 * back, until somebody wants another one.  A page table does not stay validated
 * then: its entries' references are dropped at once, except by
 * frame_put_and_type_lazy(). A type change needs count zero.
 *
 * Rules: owner changes only while references are 0.  A frame with a page
 * table or descriptor type has no writable mapping in any guest.
 * Floor: mm.
 */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/layout.h>
#include <hv/types.h>
#include <xen/xen.h>

enum frame_type {
    FT_NONE,     /* no rules */
    FT_WRITABLE, /* may be mapped writable */
    FT_L1,       /* page tables, by level */
    FT_L2,
    FT_L3,
    FT_L4,
    FT_DESC,     /* GDT or LDT page */
};

#define FRAME_COUNT_MASK ((1UL << 26) - 1)
#define FRAME_TYPE_SHIFT 26
#define FRAME_TYPE_MASK (7UL << FRAME_TYPE_SHIFT)
#define FRAME_VALIDATED (1UL << 29)
#define FRAME_PINNED (1UL << 30)
#define FRAME_BUSY (1UL << 31)
#define FRAME_REF_ONE (1UL << 32)
#define FRAME_REF_MASK (FRAME_COUNT_MASK << 32)
#define FRAME_ALLOCATED (1UL << 58)
#define FRAME_PARTIAL (1UL << 59)
#define FRAME_TYPE(t) ((unsigned long)(t) << FRAME_TYPE_SHIFT)

/* Owners that are no domain. Domain ids are below DOMID_FIRST_RESERVED. */
#define OWNER_NONE 0x7fff  /* free, or not RAM that anybody may have */
#define OWNER_HV DOMID_XEN /* the hypervisor's own */

/* struct frame.flags */
#define FF_RAM 0x01   /* ordinary memory of the e820 map */
#define FF_FREE 0x02  /* head of a free block of 2^order frames */
#define FF_SHARED 0x04 /* hypervisor memory shared with its owner (shared info,
                          grant table): never goes to the domain heap */
#define FF_BAD 0x08   /* named by badpage= */

struct frame {
    u64 refs; /* see above */
    union {
        u32 next;      /* free lists: frame number */
        u32 tlb_stamp; /* low half of tlb_clock when a typed use last ended */
    };
    u16 owner;
    u8 order; /* of a free block; or see FRAME_PARTIAL */
    u8 flags;
};

extern struct frame *frame_table; /* indexed by machine frame number */
extern unsigned long max_mfn;     /* one above the highest in the table */
extern u64 *m2p_table;            /* machine-to-phys, writable alias */

#define INVALID_M2P_ENTRY (~0UL)

static inline struct frame *mfn_to_frame(mfn_t m)
{
    return &frame_table[mfn_x(m)];
}

static inline mfn_t frame_to_mfn(const struct frame *f)
{
    return _mfn((unsigned long)(f - frame_table));
}

/* True for RAM that has an entry worth looking at. Anything else is device. */
static inline bool mfn_valid(mfn_t m)
{
    return mfn_x(m) < max_mfn && (frame_table[mfn_x(m)].flags & FF_RAM);
}

static inline void *maddr_to_virt(maddr_t ma)
{
    return (void *)(DIRECTMAP_VIRT_START + ma);
}

static inline void *mfn_to_virt(mfn_t m)
{
    return maddr_to_virt(mfn_to_maddr(m));
}

/* Of a direct-map address only; image addresses: virt_to_maddr_image(). */
static inline maddr_t virt_to_maddr(const void *p)
{
    return (maddr_t)((unsigned long)p - DIRECTMAP_VIRT_START);
}

static inline mfn_t virt_to_mfn(const void *p)
{
    return maddr_to_mfn(virt_to_maddr(p));
}

static inline void set_m2p(mfn_t m, unsigned long pfn)
{
    m2p_table[mfn_x(m)] = pfn;
}

static inline unsigned long get_m2p(mfn_t m)
{
    return m2p_table[mfn_x(m)];
}

static inline enum frame_type frame_type(const struct frame *f)
{
    return (enum frame_type)((READ_ONCE(f->refs) & FRAME_TYPE_MASK) >>
                             FRAME_TYPE_SHIFT);
}

static inline unsigned long frame_type_count(const struct frame *f)
{
    return READ_ONCE(f->refs) & FRAME_COUNT_MASK;
}

static inline unsigned long frame_ref_count(const struct frame *f)
{
    return (READ_ONCE(f->refs) & FRAME_REF_MASK) >> 32;
}

/* A count whose top bit is set is full: no more may be taken. */
#define FRAME_FULL ((1UL << 25) | (1UL << 57))

extern u64 tlb_clock;

/* The slow halves: frame.c. */
int __must_check frame_type_slow(struct frame *f, enum frame_type t);
void frame_type_idle(struct frame *f);
/* -EBUSY, from one place that a debugger can stop at: f is in use as another
 * type. */
int frame_type_conflict(const struct frame *f, enum frame_type wanted);
void frame_last_ref(struct frame *f);

/*
 * Take a reference to a frame that `owner` owns: false if it does not, if the
 * frame is free, or if the count is full. Any context.
 */
static inline bool __must_check frame_get(struct frame *f, domid_t owner)
{
    u64 old = READ_ONCE(f->refs);

    do {
        if (unlikely(!(old & FRAME_REF_MASK) || (old & FRAME_FULL)))
            return false;
    } while (
        unlikely(!atomic_try_cmpxchg(&f->refs, &old, old + FRAME_REF_ONE)));
    /* The reference keeps the owner what it is. */
    if (likely(READ_ONCE(f->owner) == owner))
        return true;
    if (!(atomic_sub_return(&f->refs, FRAME_REF_ONE) & FRAME_REF_MASK))
        frame_last_ref(f);
    return false;
}

/* Drop one; the last one frees the frame. */
static inline void frame_put(struct frame *f)
{
    ASSERT(READ_ONCE(f->refs) & FRAME_REF_MASK);
    if (unlikely(!(atomic_sub_return(&f->refs, FRAME_REF_ONE) &
                   FRAME_REF_MASK)))
        frame_last_ref(f);
}

/*
 * The type alone, by somebody who holds a reference. Types that have rules are
 * validated through the hook.  -EINVAL wrong contents, -EBUSY in use as
 * something else, -ERESTART preempted (page tables only).
 */
static inline int __must_check frame_get_type(struct frame *f,
                                              enum frame_type t)
{
    u64 old = READ_ONCE(f->refs);

    if (likely((old & (FRAME_TYPE_MASK | FRAME_VALIDATED | FRAME_BUSY |
                       FRAME_FULL)) == (FRAME_TYPE(t) | FRAME_VALIDATED)) &&
        likely(atomic_try_cmpxchg(&f->refs, &old, old + 1)))
        return 0;
    return frame_type_slow(f, t);
}

static inline bool frame_refs_idle_table(u64 refs)
{
    return !(refs & FRAME_COUNT_MASK) &&
           (refs & FRAME_TYPE_MASK) >= FRAME_TYPE(FT_L1);
}

/*
 * The end of a typed use notes the time, before the count falls. Every one
 * does: which of two that end at once is the last is not known yet. The stamp
 * is read before the clock, so a later one that another CPU sets meanwhile is
 * never replaced by an earlier one.
 */
static inline void frame_stamp(struct frame *f)
{
    u32 old, now;

    do {
        old = READ_ONCE(f->tlb_stamp);
        now = (u32)READ_ONCE(tlb_clock);
    } while (old != now && !atomic_try_cmpxchg(&f->tlb_stamp, &old, now));
}

static inline void frame_put_type(struct frame *f)
{
    ASSERT(READ_ONCE(f->refs) & FRAME_COUNT_MASK);
    frame_stamp(f);
    if (unlikely(frame_refs_idle_table(atomic_sub_return(&f->refs, 1))))
        frame_type_idle(f);
}

/* As below, but a table that becomes idle stays validated for the time being:
 * a validation that was interrupted will soon want it again. */
static inline void frame_put_and_type_lazy(struct frame *f)
{
    frame_stamp(f);
    atomic_dec(&f->refs);
    frame_put(f);
}

static inline void frame_put_and_type(struct frame *f)
{
    u64 now;

    ASSERT(READ_ONCE(f->refs) & FRAME_COUNT_MASK);
    frame_stamp(f);
    now = atomic_sub_return(&f->refs, FRAME_REF_ONE + 1);
    if (unlikely(frame_refs_idle_table(now)))
        frame_type_idle(f);
    if (unlikely(!(now & FRAME_REF_MASK)))
        frame_last_ref(f);
}

/* In use as a page table right now: the type, from one look; else FT_NONE. */
static inline enum frame_type frame_table_type(const struct frame *f)
{
    u64 refs = READ_ONCE(f->refs);

    if ((refs & FRAME_VALIDATED) && (refs & FRAME_COUNT_MASK) &&
        (refs & FRAME_TYPE_MASK) >= FRAME_TYPE(FT_L1) &&
        (refs & FRAME_TYPE_MASK) <= FRAME_TYPE(FT_L4))
        return (enum frame_type)((refs & FRAME_TYPE_MASK) >> FRAME_TYPE_SHIFT);
    return FT_NONE;
}

static inline bool frame_is_table(const struct frame *f)
{
    return frame_table_type(f) != FT_NONE;
}

/* Reference plus type in one step. -EPERM: not the owner's. */
static inline int __must_check frame_get_and_type(struct frame *f,
                                                  domid_t owner,
                                                  enum frame_type t)
{
    u64 old = READ_ONCE(f->refs);
    int rc;

    if (likely((old & (FRAME_TYPE_MASK | FRAME_VALIDATED | FRAME_BUSY |
                       FRAME_FULL)) == (FRAME_TYPE(t) | FRAME_VALIDATED)) &&
        likely(old & FRAME_REF_MASK) && likely(READ_ONCE(f->owner) == owner) &&
        likely(atomic_try_cmpxchg(&f->refs, &old, old + FRAME_REF_ONE + 1))) {
        if (likely(READ_ONCE(f->owner) == owner))
            return 0;
        frame_put_and_type(f);
        return -EPERM;
    }
    if (!frame_get(f, owner))
        return -EPERM;
    rc = frame_get_type(f, t);
    if (rc)
        frame_put(f);
    return rc;
}

/*
 * Drop what the entries of a validated table with count zero hold. True if
 * there is nothing (more) to be dropped, false if it is in use or free, or if
 * that was put off.
 */
bool frame_clear_idle_type(struct frame *f);

/* Go on with a frame that postpone() was given, and take over its reference. */
void frame_continue(struct frame *f);

/*
 * Registered by pv/page-types.c: enter / leave a type that has rules.
 * invalidate() drops entries from `end` - 1 downwards and says how many are
 * left, an even number: 0, or it was interrupted. validate() that fails drops
 * what it took, and says likewise in *left (set to 0 by the caller).
 * postpone() keeps a frame, with a reference, that has to go on later; its
 * result is for a caller who wanted it at once: -ERESTART or -EBUSY.
 */
struct frame_type_ops {
    int (*validate)(struct frame *f, enum frame_type t, unsigned int *left);
    unsigned int (*invalidate)(struct frame *f, enum frame_type t,
                               unsigned int end);
    int (*postpone)(struct frame *f);
};
void frame_register_type_ops(const struct frame_type_ops *ops);
/* Registered by smp/: called while one CPU waits for another. */
void frame_register_wait(void (*fn)(void));
/* Registered by domain/domain.c: frame f of `owner` lost its last reference. */
struct frame_owner_ops {
    void (*freed)(struct frame *f, domid_t owner);
};
void frame_register_owner_ops(const struct frame_owner_ops *ops);

#endif
