/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Atomics and barriers, on plain integers by pointer.
 * x86-64 orders all but store-load (SDM vol. 3A, 9.2): smp_mb() is for that.
 * Floor: lib.
 */
#ifndef HV_ATOMIC_H
#define HV_ATOMIC_H

#include <hv/compiler.h>
#include <hv/types.h>

#define atomic_read(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_set(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define atomic_add_return(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_sub_return(p, v) __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_inc(p) ((void)__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(p) ((void)__atomic_fetch_sub(p, 1, __ATOMIC_SEQ_CST))
#define atomic_dec_and_test(p)                                                 \
    (__atomic_sub_fetch(p, 1, __ATOMIC_SEQ_CST) == 0)
#define atomic_xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
/* True if *p was *old and is now new; else *old is what it was. */
#define atomic_try_cmpxchg(p, old, new)                                        \
    __atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST,          \
                                __ATOMIC_SEQ_CST)

#define smp_mb() __asm__ volatile("lock; addl $0, -4(%%rsp)" ::: "memory", "cc")
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define cpu_relax() __builtin_ia32_pause()

/*
 * Bit operations on arrays of unsigned long (bits 0..). Atomic ones: lock
 * prefix.
 */
static inline bool test_bit(unsigned int nr, const volatile void *addr)
{
    return (((const volatile u32 *)addr)[nr / 32] >> (nr % 32)) & 1;
}

static inline void set_bit(unsigned int nr, volatile void *addr)
{
    __asm__ volatile("lock; btsl %1, %0"
                     : "+m"(((volatile u32 *)addr)[nr / 32])
                     : "Ir"(nr % 32)
                     : "memory", "cc");
}

static inline void clear_bit(unsigned int nr, volatile void *addr)
{
    __asm__ volatile("lock; btrl %1, %0"
                     : "+m"(((volatile u32 *)addr)[nr / 32])
                     : "Ir"(nr % 32)
                     : "memory", "cc");
}

static inline bool test_and_set_bit(unsigned int nr, volatile void *addr)
{
    bool old;

    __asm__ volatile("lock; btsl %2, %0"
                     : "+m"(((volatile u32 *)addr)[nr / 32]), "=@ccc"(old)
                     : "Ir"(nr % 32)
                     : "memory");
    return old;
}

static inline bool test_and_clear_bit(unsigned int nr, volatile void *addr)
{
    bool old;

    __asm__ volatile("lock; btrl %2, %0"
                     : "+m"(((volatile u32 *)addr)[nr / 32]), "=@ccc"(old)
                     : "Ir"(nr % 32)
                     : "memory");
    return old;
}

static inline void __set_bit(unsigned int nr, void *addr)
{
    ((u32 *)addr)[nr / 32] |= 1U << (nr % 32);
}

static inline void __clear_bit(unsigned int nr, void *addr)
{
    ((u32 *)addr)[nr / 32] &= ~(1U << (nr % 32));
}

/* Lowest set / clear bit in [from, size), or size. (lib/bitmap.c) */
unsigned int find_next_bit(const unsigned long *map, unsigned int size,
                           unsigned int from);
unsigned int find_next_zero_bit(const unsigned long *map, unsigned int size,
                                unsigned int from);
#define find_first_bit(m, s) find_next_bit(m, s, 0)
#define find_first_zero_bit(m, s) find_next_zero_bit(m, s, 0)
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, 64)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

#endif
