/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timers of a vCPU: single-shot, periodic, and the time limit of a poll.
 * Handlers run in SOFTIRQ_TIMER.
 */
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/vcpu-timer.h>

static void singleshot_fired(void *arg)
{
    send_guest_vcpu_virq(arg, VIRQ_TIMER);
}

static void periodic_fired(void *arg)
{
    struct vcpu *v = arg;
    s_time_t period = READ_ONCE(v->periodic_period);
    s_time_t t = now();

    if (!period)
        return;
    send_guest_vcpu_virq(v, VIRQ_TIMER);
    /* Ticks missed while the vCPU did not run are not made up for. */
    v->periodic_next += period;
    if (v->periodic_next <= t)
        v->periodic_next = t + period;
    timer_set(&v->periodic, v->periodic_next);
}

static void poll_timed_out(void *arg)
{
    vcpu_clear_flags(arg, VPF_POLL);
}

void vcpu_timers_init(struct vcpu *v)
{
    timer_init(&v->singleshot, singleshot_fired, v, v->processor);
    timer_init(&v->periodic, periodic_fired, v, v->processor);
    timer_init(&v->poll_timer, poll_timed_out, v, v->processor);
}

void vcpu_singleshot_set(struct vcpu *v, s_time_t deadline)
{
    if (unlikely(v->singleshot.cpu != smp_processor_id()))
        timer_migrate(&v->singleshot, smp_processor_id());
    timer_set(&v->singleshot, deadline + v->domain->time_shift);
}

void vcpu_singleshot_stop(struct vcpu *v)
{
    timer_stop(&v->singleshot);
}

void vcpu_periodic_set(struct vcpu *v, s_time_t period)
{
    WRITE_ONCE(v->periodic_period, 0);
    timer_stop(&v->periodic);
    if (!period)
        return;
    v->periodic_next = now() + period;
    WRITE_ONCE(v->periodic_period, period);
    timer_set(&v->periodic, v->periodic_next);
}
