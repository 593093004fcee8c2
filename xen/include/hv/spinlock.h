/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ticket spin locks. Misuse (taken twice by one CPU, released by another, in
 * the wrong order) is caught at once in debug builds, where locks have names.
 * Lock order is documented in docs/locking.md.
 * Locks taken in interrupt context must always be taken with _irqsave.
 * Floor: lib (the checker is cpu/locks.c).
 */
#ifndef HV_SPINLOCK_H
#define HV_SPINLOCK_H

#include <hv/atomic.h>
#include <hv/compiler.h>
#include <hv/types.h>

typedef struct {
    union {
        u32 both;
        struct {
            u16 head, tail;
        };
    };
    u16 owner; /* CPU + 1 of the holder, 0 = free; debug builds */
    u8 flags;  /* debug builds; 1: taken in irq context, 2: with irqs on */
    u8 class;  /* debug builds: cpu/locks.c */
#ifndef NDEBUG
    const char *name; /* of all locks of its kind */
#endif
} spinlock_t;

#ifdef NDEBUG
#define SPINLOCK_INIT(what) {.both = 0}
#else
#define SPINLOCK_INIT(what) {.name = what}
#endif
#define DEFINE_SPINLOCK(lock) spinlock_t lock = SPINLOCK_INIT(#lock)
#define spin_lock_init(l) (*(l) = (spinlock_t)SPINLOCK_INIT(#l))

#ifdef NDEBUG
static inline void lock_check_acquire(spinlock_t *l) { (void)l; }
static inline void lock_check_acquired(spinlock_t *l) { (void)l; }
static inline void lock_check_release(spinlock_t *l) { (void)l; }
static inline void lock_check_none_held(void) {}
static inline void lock_check_stop(void) {}
static inline void irqs_off_begin(unsigned long by) { (void)by; }
static inline void irqs_off_end(void) {}
#else
void lock_check_acquire(spinlock_t *l);  /* before waiting */
void lock_check_acquired(spinlock_t *l); /* after it was got */
void lock_check_release(spinlock_t *l);  /* before it is given up */
void lock_check_none_held(void);         /* by this CPU, else panic */
void lock_check_stop(void);              /* the machine crashes */
/* How long irqs are off: by is a vector, or 0 for the caller's address. */
void irqs_off_begin(unsigned long by);
void irqs_off_end(void);
#endif
void locks_dump(u32 tsc_khz); /* debug key 'k' */

static inline void spin_lock(spinlock_t *l)
{
    u16 t;

    lock_check_acquire(l);
    t = __atomic_fetch_add(&l->tail, 1, __ATOMIC_ACQUIRE);
    while (__atomic_load_n(&l->head, __ATOMIC_ACQUIRE) != t)
        cpu_relax();
    lock_check_acquired(l);
}

static inline bool spin_trylock(spinlock_t *l)
{
    u32 old = READ_ONCE(l->both);

    if ((u16)old != (u16)(old >> 16))
        return false;
    if (!__atomic_compare_exchange_n(&l->both, &old, old + 0x10000, false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    lock_check_acquired(l);
    return true;
}

static inline void spin_unlock(spinlock_t *l)
{
    lock_check_release(l);
    __atomic_store_n(&l->head, (u16)(l->head + 1), __ATOMIC_RELEASE);
}

static inline bool spin_is_locked(const spinlock_t *l)
{
    return READ_ONCE(l->head) != READ_ONCE(l->tail);
}

static inline unsigned long local_irq_save(void)
{
    unsigned long f;

    __asm__ volatile("pushfq; pop %0; cli" : "=r"(f) : : "memory");
    if (f & 0x200)
        irqs_off_begin(0);
    return f;
}

static inline void local_irq_restore(unsigned long f)
{
    if (f & 0x200) {
        irqs_off_end();
        __asm__ volatile("sti" ::: "memory");
    }
}

static inline void local_irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void local_irq_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static inline bool local_irq_is_enabled(void)
{
    unsigned long f;

    __asm__ volatile("pushfq; pop %0" : "=r"(f));
    return f & 0x200;
}

#define spin_lock_irqsave(l, flags)                                            \
    do {                                                                       \
        (flags) = local_irq_save();                                            \
        spin_lock(l);                                                          \
    } while (0)
#define spin_unlock_irqrestore(l, flags)                                       \
    do {                                                                       \
        spin_unlock(l);                                                        \
        local_irq_restore(flags);                                              \
    } while (0)

#endif
