/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hypercalls. hypercalls.def is the only list; prototypes, the table, counters
 * and names are made from it. A handler takes its arguments as they were in
 * rdi, rsi, rdx, r10, r8 and returns the guest's rax; it runs with irqs on,
 * may be preempted only where it says so.  Floor: hypercall.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <hv/layout.h>
#include <hv/types.h>

#define HYPERCALL(nr, name, nargs, flags)                                      \
    long do_##name(unsigned long a1, unsigned long a2, unsigned long a3,       \
                   unsigned long a4, unsigned long a5);
#include <hv/hypercalls.def>
#undef HYPERCALL

typedef long (*hypercall_fn)(unsigned long a1, unsigned long a2,
                             unsigned long a3, unsigned long a4,
                             unsigned long a5);
/* NR_HYPERCALL_SLOTS (layout.h) entries, no holes. */
extern const hypercall_fn hypercall_table[];

/*
 * Long hypercalls: true when the vCPU should let others run first.  The
 * handler then stores its progress in the arguments and returns
 * hypercall_restart(); the guest executes the SYSCALL again.
 */
bool hypercall_preempt_check(void);
/*
 * Restart this hypercall with these arguments (only those given change); the
 * result is what the handler returns.  Within a multicall (v->in_multicall ==
 * MULTICALL_RUNNING) nothing is restarted: the arguments go to
 * v->multicall_args, in_multicall becomes MULTICALL_RESTART, and do_multicall()
 * has to put them into the guest's entry and restart itself at that entry.
 */
long hypercall_restart(unsigned int nargs, const unsigned long *args);
#define HYPERCALL_RESTART(...)                                                 \
    hypercall_restart(                                                         \
        sizeof((unsigned long[]){__VA_ARGS__}) / sizeof(unsigned long),        \
        (const unsigned long[]){__VA_ARGS__})

#endif
