/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the scheduler and its policies. Everything here happens under the
 * lock of the run queue concerned, irqs off.
 */
#ifndef DOMAIN_SCHED_H
#define DOMAIN_SCHED_H

#include <hv/list.h>
#include <hv/spinlock.h>
#include <hv/timer.h>
#include <hv/vcpu.h>

struct sched_cpu {
    spinlock_t lock;
    struct list_head runq; /* runnable vCPUs that wait here, best first */
    unsigned int nr_queued;
    unsigned int cpu;
    struct vcpu *curr; /* runs here, or is being switched to */
    struct vcpu *idle;
    u64 min_vtime;     /* sched-fair.c */
    struct timer slice;
    bool slice_armed;
};

struct sched_policy {
    const char *name;
    u32 id; /* XEN_SCHEDULER_* */
    /* v starts to wait at s. `woken`: it did not want to run before. */
    void (*enqueue)(struct sched_cpu *s, struct vcpu *v, bool woken);
    /* Best v that may be switched to now (not running elsewhere), or NULL. */
    struct vcpu *(*best)(struct sched_cpu *s);
    /* v was taken: it runs on s from now on. */
    void (*picked)(struct sched_cpu *s, struct vcpu *v);
    /* v ran on s for ns. */
    void (*charge)(struct sched_cpu *s, struct vcpu *v, s_time_t ns);
    /* Should v, which waits at s, replace what runs there? */
    bool (*preempts)(const struct sched_cpu *s, const struct vcpu *v,
                     s_time_t t);
    /* v goes from one queue to another; it is on neither. */
    void (*moved)(struct vcpu *v, const struct sched_cpu *from,
                  const struct sched_cpu *to);
    s_time_t slice; /* ns between two decisions while somebody waits */
};

/* Its registers are still here, though the CPU idles. */
static inline bool held_here(const struct sched_cpu *s, const struct vcpu *v)
{
    return READ_ONCE(v->held_by) == s->cpu + 1;
}

extern const struct sched_policy sched_fair;

#endif
