/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work put off from interrupt context to the moment before the guest (or the
 * idle loop) goes on: irqs on, no locks held, on the same CPU. Floor: time.
 */
#ifndef HV_SOFTIRQ_H
#define HV_SOFTIRQ_H

#include <hv/percpu.h>

enum softirq {
    SOFTIRQ_TIMER,
    SOFTIRQ_SCHEDULE,
    SOFTIRQ_TASKLET, /* debug keys and the like */
    SOFTIRQ_TIME_CALIBRATE,
    SOFTIRQ_NMI, /* what an NMI must not do itself */
    SOFTIRQ_RELEASE, /* pv/: what an idle CPU keeps of its last guest */
    SOFTIRQ_GUEST_TIME, /* domain/: tell the current vCPU of a new clock */
    SOFTIRQ_GUEST_NMI, /* pv/: hand the current vCPU its NMI */
    SOFTIRQ_GUARD, /* debug/: a watched page was let through */
    SOFTIRQ_LISTEN, /* debug/: who hears the lines is kept stopped */
    SOFTIRQ_TELL, /* debug/: the console has said something */
    SOFTIRQ_DROP, /* pv/: tables whose drop was interrupted; last of all */
    NR_SOFTIRQS,
};

DECLARE_PER_CPU(u32, softirq_pending); /* atomics: other CPUs set bits */

void softirq_init(void); /* boot, first of this floor: tasklets */
void softirq_register(enum softirq nr, void (*fn)(void));
void raise_softirq(enum softirq nr);                 /* this CPU; any context */
void cpu_raise_softirq(unsigned int cpu, enum softirq nr); /* sends an IPI */
/* Run all pending ones until none is left. Called by entry.S and idle. */
void do_softirq(void);
static inline bool softirq_is_pending(void)
{
    return READ_ONCE(this_cpu(softirq_pending)) != 0;
}

/* Small deferred calls, queued at most once each. Any context. */
struct tasklet {
    struct tasklet *next;
    void (*fn)(void *);
    void *arg;
    u8 queued;
};
void tasklet_schedule(struct tasklet *t);
/* All queued on this CPU, now: the boot, which runs no softirqs. irqs on. */
void tasklets_run(void);

#endif
