/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Supervisor-mode access prevention: guest memory is reached only between
 * begin and end.  The instructions are no-ops that smap_patch() turns into
 * STAC/CLAC when CR4.SMAP is going to be set.  get_guest/put_guest: one
 * machine word each, jumping to a label when guest memory is not there.
 * Floor: cpu.
 */
#ifndef HV_SMAP_H
#define HV_SMAP_H

#include <hv/extable.h>

#define SMAP_PATCH(last)                                                       \
    "771: .byte 0x0f, 0x1f, 0x00\n"                                            \
    ".pushsection .smap_patch, \"a\"; .long 771b - .; .long " #last            \
    "; .popsection\n"

static inline void user_access_begin(void)
{
    __asm__ volatile(SMAP_PATCH(0xcb)::: "memory");
}

static inline void user_access_end(void)
{
    __asm__ volatile(SMAP_PATCH(0xca)::: "memory");
}

#define get_guest(x, p, fault)                                                 \
    __asm__ volatile goto("1: mov %1, %0\n" EX_TABLE(1b, %l[fault])            \
                 : "=r"(x)                                                     \
                 : "m"(*(p))                                                   \
                 :                                                             \
                 : fault)
#define put_guest(x, p, fault)                                                 \
    __asm__ volatile goto("1: mov %0, %1\n" EX_TABLE(1b, %l[fault])            \
                 :                                                             \
                 : "r"(x), "m"(*(p))                                           \
                 : "memory"                                                    \
                 : fault)

/* Boot CPU, before text becomes read-only. */
void smap_patch(void);

#endif
