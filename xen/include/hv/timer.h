/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One-shot timers on per-CPU queues, in nanoseconds of system time.
 * Handlers run in SOFTIRQ_TIMER with irqs on and may set timers again.
 * Each queue is a pairing heap through the timers themselves: no allocation,
 * no limit, setting takes constant time. All calls: any context but NMI.
 * Floor: time.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/types.h>

struct timer {
    struct timer *child, *next; /* first child, next sibling */
    struct timer *prev; /* previous sibling, or the parent of a first child */
    s_time_t expires;
    void (*fn)(void *arg);
    void *arg;
    unsigned int cpu; /* whose queue */
    u8 status;        /* time/timer.c; 0: not initialised */
};

void timers_init(void); /* boot CPU, after clock_init() */
void timers_init_cpu(void); /* every further CPU, after clock_init_cpu() */

void timer_init(struct timer *t, void (*fn)(void *), void *arg,
                unsigned int cpu);
void timer_set(struct timer *t, s_time_t expires); /* (re)arms; past: at once */
void timer_stop(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);
/* Stop and wait until a running handler has returned; not usable afterwards. */
void timer_kill(struct timer *t);
bool timer_is_active(const struct timer *t);
void timers_dump(void); /* debug key 'a' */

/* The debugger has stopped the machine, irqs off, any context: this CPU's
 * timers make no interrupt until they go on, so many TSC ticks later. */
void timers_halt_cpu(void);
void timers_go_on_cpu(u64 halted);

#endif
