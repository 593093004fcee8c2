/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fair policy: every vCPU has a virtual time, the time it ran divided by
 * its weight (256 = real time). The one that is furthest behind runs next.
 * Whoever slept is not owed more than WAKE_CREDIT. Virtual times are compared
 * within one queue only; a vCPU that changes queues takes its distance along.
 *
 * A queue's own time is that of who is furthest behind of all that run or wait
 * there. It goes on while one vCPU runs alone: else that one would owe its time
 * to whoever comes next.
 */
#include <hv/bug.h>
#include <hv/domain.h>

#include "sched.h"

#include <xen/domctl.h>

#define SLICE 10000000          /* ns */
#define WAKE_CREDIT 3000000     /* ns of virtual time */
#define PREEMPT_MARGIN 1000000  /* ns: rate limit of preemption */
#define DEFAULT_WEIGHT 256

static bool before(u64 a, u64 b)
{
    return (s64)(a - b) < 0;
}

/* The vCPU that runs at s, or is about to, has that virtual time. */
static void advance(struct sched_cpu *s, u64 vtime)
{
    const struct vcpu *first;

    if (!list_empty(&s->runq)) {
        first = list_entry(s->runq.next, struct vcpu, runq);
        if (before(first->sched_vtime, vtime))
            vtime = first->sched_vtime;
    }
    if (before(s->min_vtime, vtime))
        s->min_vtime = vtime;
}

static void fair_enqueue(struct sched_cpu *s, struct vcpu *v, bool woken)
{
    struct vcpu *w;

    ASSERT(spin_is_locked(&s->lock) && list_empty(&v->runq));
    if (woken && before(v->sched_vtime, s->min_vtime - WAKE_CREDIT))
        v->sched_vtime = s->min_vtime - WAKE_CREDIT;
    if (v->yielding) {
        v->yielding = 0;
        if (!list_empty(&s->runq)) {
            w = list_entry(s->runq.prev, struct vcpu, runq);
            if (before(v->sched_vtime, w->sched_vtime))
                v->sched_vtime = w->sched_vtime;
        }
    }
    list_for_each_entry (w, &s->runq, runq)
        if (before(v->sched_vtime, w->sched_vtime))
            break;
    list_add_tail(&v->runq, &w->runq);
}

static struct vcpu *fair_best(struct sched_cpu *s)
{
    struct vcpu *v;

    list_for_each_entry (v, &s->runq, runq)
        if (!READ_ONCE(v->running) || v == s->curr || held_here(s, v))
            return v;
    return NULL;
}

static void fair_picked(struct sched_cpu *s, struct vcpu *v)
{
    advance(s, v->sched_vtime);
}

static void fair_charge(struct sched_cpu *s, struct vcpu *v, s_time_t ns)
{
    if (likely(v->sched_weight == DEFAULT_WEIGHT))
        v->sched_vtime += (u64)ns;
    else
        v->sched_vtime += (u64)ns * DEFAULT_WEIGHT / MAX(v->sched_weight, 1);
    advance(s, v->sched_vtime);
}

static bool fair_preempts(const struct sched_cpu *s, const struct vcpu *v,
                          s_time_t t)
{
    u64 used = (u64)(t - s->curr->last_run_start);

    return before(v->sched_vtime + PREEMPT_MARGIN,
                  s->curr->sched_vtime + used);
}

static void fair_moved(struct vcpu *v, const struct sched_cpu *from,
                       const struct sched_cpu *to)
{
    ASSERT(from != to && list_empty(&v->runq));
    v->sched_vtime += to->min_vtime - from->min_vtime;
}

const struct sched_policy sched_fair = {
    .name = "fair",
    .id = XEN_SCHEDULER_CREDIT2, /* its only parameter is a weight, too */
    .enqueue = fair_enqueue,
    .best = fair_best,
    .picked = fair_picked,
    .charge = fair_charge,
    .preempts = fair_preempts,
    .moved = fair_moved,
    .slice = SLICE,
};
