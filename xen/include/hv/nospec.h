/* SPDX-License-Identifier: GPL-2.0-only */
/* Indices that a guest chose, kept in bounds under speculation. Floor: lib. */
#ifndef HV_NOSPEC_H
#define HV_NOSPEC_H

/* i if i < n, else 0, without a branch that could be predicted. */
static inline unsigned long index_nospec(unsigned long i, unsigned long n)
{
    unsigned long mask;

    __asm__("cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(i), "g"(n) : "cc");
    return i & mask;
}

#endif
