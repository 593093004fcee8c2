/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Basic types, and the typed frame numbers of the whole hypervisor.
 *
 * mfn_t: a frame of the machine.  gfn_t/pfn_t: a frame as a guest numbers it
 * (the same thing for a PV guest: index into its p2m).  maddr_t: a machine
 * address in bytes.  The three frame types are distinct structs so that the
 * compiler refuses to mix them; they cost nothing at run time.
 * Floor: lib.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef long ssize_t;

typedef u64 maddr_t;
typedef s64 s_time_t; /* nanoseconds of system time since boot */

#define HV_DEFINE_FRAME_TYPE(name)                                             \
    typedef struct {                                                           \
        unsigned long n;                                                       \
    } name##_t;                                                                \
    static inline name##_t _##name(unsigned long n)                            \
    {                                                                          \
        return (name##_t){n};                                                  \
    }                                                                          \
    static inline unsigned long name##_x(name##_t f)                           \
    {                                                                          \
        return f.n;                                                            \
    }                                                                          \
    static inline bool name##_eq(name##_t a, name##_t b)                       \
    {                                                                          \
        return a.n == b.n;                                                     \
    }

HV_DEFINE_FRAME_TYPE(mfn)
HV_DEFINE_FRAME_TYPE(gfn)
HV_DEFINE_FRAME_TYPE(pfn)

#define INVALID_MFN _mfn(~0UL)

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

static inline maddr_t mfn_to_maddr(mfn_t m)
{
    return (maddr_t)m.n << PAGE_SHIFT;
}

static inline mfn_t maddr_to_mfn(maddr_t ma)
{
    return _mfn((unsigned long)(ma >> PAGE_SHIFT));
}

#endif
