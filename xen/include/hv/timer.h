/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One-shot timers on per-CPU queues, in nanoseconds of system time.
 * Handlers run in SOFTIRQ_TIMER with irqs on and may set timers again.
 * Floor: time.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/list.h>
#include <hv/types.h>

struct timer {
    struct list_head link; /* or heap index: time/timer.c's own */
    u32 heap_index;
    s_time_t expires;
    void (*fn)(void *arg);
    void *arg;
    unsigned int cpu; /* whose queue */
    u8 status;        /* time/timer.c */
};

void timer_init(struct timer *t, void (*fn)(void *), void *arg,
                unsigned int cpu);
void timer_set(struct timer *t, s_time_t expires); /* (re)arms; past: at once */
void timer_stop(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);
/* Stop and wait until a running handler has returned; not usable afterwards. */
void timer_kill(struct timer *t);
bool timer_is_active(const struct timer *t);

#endif
