/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Assertions and the end of the road.
 *
 * ASSERT: what this code established itself; compiled out with NDEBUG.
 * BUG_ON: going on would leak or escalate; always there.  Nothing that a
 * guest, the wire or a tool can cause may reach either.
 * Floor: lib (crash.c on floor cpu implements panic and the BUG trap: ud2).
 */
#ifndef HV_BUG_H
#define HV_BUG_H

#include <hv/compiler.h>

/*
 * Print, dump registers and stack, then reboot or (noreboot) halt. Any
 * context.
 */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn __cold;
void bug_fail(const char *what, const char *file, unsigned int line) __noreturn
    __cold;

#define BUG() bug_fail("BUG", __FILE__, __LINE__)
#define BUG_ON(c)                                                              \
    do {                                                                       \
        if (unlikely(c))                                                       \
            bug_fail("BUG_ON(" #c ")", __FILE__, __LINE__);                    \
    } while (0)

#ifdef NDEBUG
#define ASSERT(c)                                                              \
    do {                                                                       \
        if (0 && (c)) {                                                        \
        }                                                                      \
    } while (0)
#else
#define ASSERT(c)                                                              \
    do {                                                                       \
        if (unlikely(!(c)))                                                    \
            bug_fail("ASSERT(" #c ")", __FILE__, __LINE__);                    \
    } while (0)
#endif

#endif
