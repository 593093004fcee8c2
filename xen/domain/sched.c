/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scheduler: which vCPU runs on which CPU, and what makes it change.
 *
 * Each CPU has a run queue with a lock. A vCPU belongs to the queue of
 * v->processor, whether it waits there, runs there or sleeps; v->processor
 * changes only under that queue's lock, while the vCPU is not on the list.
 * v->running says that its registers are (still) in the CPU: a vCPU that was
 * just taken off one CPU may already wait at another, which takes it only
 * after pv_ops->switch_to has cleared `running`.
 *
 * A sleeper sets its flag, then looks whether there is a reason to wake; a
 * waker makes the reason, then looks at the flag. Both with locked
 * instructions, so one of them sees the other.
 *
 * Lock order: queue locks are taken with irqs off, inside every other lock
 * but the timers' and the console's; of two queues, the second by trylock.
 */
#include <hv/bug.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/evtchn.h>
#include <hv/domain.h>
#include <hv/options.h>
#include <hv/perf.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/softirq.h>

#include "sched.h"

#include <xen/sched.h>

static DEFINE_PER_CPU(struct sched_cpu, sched_cpu);
static const struct sched_policy *policy = &sched_fair;

static unsigned int opt_dom0_max_vcpus;
static bool opt_dom0_vcpus_pin;
OPTION_UINT(dom0_max_vcpus, opt_dom0_max_vcpus);
OPTION_BOOL(dom0_vcpus_pin, opt_dom0_vcpus_pin);

/* --- locks --- */

static struct sched_cpu *vcpu_lock(const struct vcpu *v, unsigned long *flags)
{
    *flags = local_irq_save();
    for (;;) {
        unsigned int cpu = READ_ONCE(v->processor);
        struct sched_cpu *s = &per_cpu(sched_cpu, cpu);

        spin_lock(&s->lock);
        if (likely(cpu == v->processor))
            return s;
        spin_unlock(&s->lock);
    }
}

static void vcpu_unlock(struct sched_cpu *s, unsigned long flags)
{
    spin_unlock_irqrestore(&s->lock, flags);
}

/* --- state --- */

static void runstate_set(struct vcpu *v, int state, s_time_t t)
{
    s_time_t passed = t - (s_time_t)v->runstate.state_entry_time;

    if (likely(passed > 0)) {
        v->runstate.time[v->runstate.state] += passed;
        v->runstate.state_entry_time = t;
    }
    v->runstate.state = state;
}

void vcpu_get_runstate(const struct vcpu *v, struct vcpu_runstate_info *r)
{
    unsigned long flags;
    struct sched_cpu *s;
    s_time_t passed;

    if (v == current) { /* changes here alone, and not now */
        *r = v->runstate;
    } else {
        s = vcpu_lock(v, &flags);
        *r = v->runstate;
        vcpu_unlock(s, flags);
    }
    passed = now() - (s_time_t)r->state_entry_time;
    if (passed > 0)
        r->time[r->state] += passed;
    r->state_entry_time -= v->domain->time_shift;
}

static int runstate_asleep(const struct vcpu *v)
{
    return READ_ONCE(v->pause_flags) & (VPF_BLOCKED | VPF_POLL)
               ? RUNSTATE_blocked
               : RUNSTATE_offline;
}

static void reschedule(unsigned int cpu)
{
    if (cpu == smp_processor_id())
        raise_softirq(SOFTIRQ_SCHEDULE);
    else
        cpu_raise_softirq(cpu, SOFTIRQ_SCHEDULE);
}

static void arm_slice(struct sched_cpu *s, s_time_t t)
{
    if (s->slice_armed)
        return;
    s->slice_armed = true;
    timer_set(&s->slice, t + policy->slice);
}

static bool cpu_is_idle(const struct sched_cpu *s)
{
    return READ_ONCE(s->curr) == s->idle && !READ_ONCE(s->nr_queued);
}

/*
 * Who still waits here may have been queued while another CPU, that found
 * nothing to take, was on its way to idle: idle CPUs look again.
 */
static void slice_over(void *arg)
{
    struct sched_cpu *s = arg;
    unsigned int cpu;

    s->slice_armed = false;
    reschedule(s->cpu);
    if (READ_ONCE(s->nr_queued))
        for_each_online_cpu (cpu)
            if (cpu_is_idle(&per_cpu(sched_cpu, cpu)))
                reschedule(cpu);
}

/* What runs at s has run until t. */
static void charge(struct sched_cpu *s, s_time_t t)
{
    struct vcpu *v = s->curr;

    if (t <= v->last_run_start)
        return;
    if (!v->is_idle)
        policy->charge(s, v, t - v->last_run_start);
    v->last_run_start = t;
}

static void dequeue(struct sched_cpu *s, struct vcpu *v)
{
    ASSERT(spin_is_locked(&s->lock) && s->nr_queued);
    ASSERT(!list_empty(&v->runq) && v->processor == s->cpu);
    list_del(&v->runq);
    s->nr_queued--;
}

static void enqueue(struct sched_cpu *s, struct vcpu *v, bool woken)
{
    ASSERT(spin_is_locked(&s->lock) && !v->is_idle);
    ASSERT(list_empty(&v->runq) && v->processor == s->cpu);
    policy->enqueue(s, v, woken);
    s->nr_queued++;
}

/* --- waking --- */

/* Runnable, but neither waiting nor running: somebody has to queue it. */
static bool needs_queueing(const struct sched_cpu *s, const struct vcpu *v)
{
    return vcpu_runnable(v) && list_empty(&v->runq) && s->curr != v;
}

/* Where v should wait: where it was, unless that is busy or not allowed. */
static unsigned int best_cpu(const struct sched_cpu *s, const struct vcpu *v)
{
    cpumask_t allowed = v->hard_affinity & READ_ONCE(cpu_online_map);
    unsigned int cpu;

    if (likely(cpumask_test(allowed, s->cpu)) && cpu_is_idle(s))
        return s->cpu;
    if (unlikely(!allowed))
        allowed = READ_ONCE(cpu_online_map);
    for_each_cpu (cpu, (allowed & v->soft_affinity))
        if (cpu_is_idle(&per_cpu(sched_cpu, cpu)))
            return cpu;
    for_each_cpu (cpu, allowed)
        if (cpu_is_idle(&per_cpu(sched_cpu, cpu)))
            return cpu;
    return cpumask_test(allowed, s->cpu)
               ? s->cpu
               : (unsigned int)__builtin_ctzl(allowed);
}

/* Put v, which is on no queue, under `cpu`; v's lock changes with it. */
static struct sched_cpu *move_to(struct sched_cpu *s, struct vcpu *v,
                                 unsigned int cpu)
{
    ASSERT(spin_is_locked(&s->lock) && !local_irq_is_enabled());
    ASSERT(list_empty(&v->runq) && s->curr != v && s->cpu != cpu);
    policy->moved(v, s, &per_cpu(sched_cpu, cpu));
    WRITE_ONCE(v->processor, cpu);
    smp_mb(); /* a CPU that begins to keep v's registers looks there next */
    if (unlikely(READ_ONCE(v->held_by)))
        cpu_raise_softirq(s->cpu, SOFTIRQ_RELEASE);
    spin_unlock(&s->lock);
    for (;;) {
        cpu = READ_ONCE(v->processor);
        s = &per_cpu(sched_cpu, cpu);
        spin_lock(&s->lock);
        if (cpu == v->processor)
            return s;
        spin_unlock(&s->lock);
    }
}

static void queue_vcpu(struct vcpu *v, bool woken)
{
    unsigned long flags;
    struct sched_cpu *s = vcpu_lock(v, &flags);
    unsigned int cpu;
    s_time_t t;

    if (!needs_queueing(s, v))
        goto out;
    cpu = best_cpu(s, v);
    if (cpu != s->cpu) {
        s = move_to(s, v, cpu);
        if (!needs_queueing(s, v))
            goto out;
    }
    t = now();
    runstate_set(v, RUNSTATE_runnable, t);
    charge(s, t); /* v is placed beside it */
    enqueue(s, v, woken);
    if (s->curr == s->idle || policy->preempts(s, v, t))
        reschedule(s->cpu);
    else
        arm_slice(s, t);
out:
    vcpu_unlock(s, flags);
}

void vcpu_wake(struct vcpu *v)
{
    queue_vcpu(v, true);
}

void vcpu_sleep_nosync(struct vcpu *v)
{
    unsigned long flags;
    struct sched_cpu *s = vcpu_lock(v, &flags);

    if (!vcpu_runnable(v)) {
        if (s->curr == v) {
            reschedule(s->cpu);
        } else if (!list_empty(&v->runq)) {
            dequeue(s, v);
            runstate_set(v, runstate_asleep(v), now());
        }
    }
    vcpu_unlock(s, flags);
}

void vcpu_set_flags(struct vcpu *v, u32 flags)
{
    __atomic_fetch_or(&v->pause_flags, flags, __ATOMIC_SEQ_CST);
    if (v == current)
        raise_softirq(SOFTIRQ_SCHEDULE);
    else
        vcpu_sleep_nosync(v);
}

void vcpu_clear_flags(struct vcpu *v, u32 flags)
{
    u32 old = __atomic_fetch_and(&v->pause_flags, ~flags, __ATOMIC_SEQ_CST);

    if ((old & flags) && !(old & ~flags))
        vcpu_wake(v);
}

/* --- pausing --- */

void vcpu_pause_nosync(struct vcpu *v)
{
    unsigned long flags;
    struct sched_cpu *s = vcpu_lock(v, &flags);

    if (v->pause_count++ == 0)
        __atomic_fetch_or(&v->pause_flags, VPF_PAUSED, __ATOMIC_SEQ_CST);
    vcpu_unlock(s, flags);
    vcpu_sleep_nosync(v);
}

void vcpu_pause(struct vcpu *v)
{
    ASSERT(v != current && local_irq_is_enabled());
    vcpu_pause_nosync(v);
    pv_ops->release(); /* it may be this CPU that keeps it */
    if (READ_ONCE(v->running))
        cpu_raise_softirq(READ_ONCE(v->processor), SOFTIRQ_RELEASE);
    while (READ_ONCE(v->running))
        cpu_relax();
    smp_mb(); /* its state is in memory: `running` was cleared after it */
}

void vcpu_unpause(struct vcpu *v)
{
    unsigned long flags;
    struct sched_cpu *s = vcpu_lock(v, &flags);
    bool last;

    ASSERT(v->pause_count);
    last = --v->pause_count == 0;
    if (last)
        __atomic_fetch_and(&v->pause_flags, ~VPF_PAUSED, __ATOMIC_SEQ_CST);
    vcpu_unlock(s, flags);
    if (last)
        vcpu_wake(v);
}

/* --- blocking, yielding, being poked --- */

void vcpu_block(void)
{
    struct vcpu *v = current;

    ASSERT(!v->is_idle);
    v->pv.info->evtchn_upcall_mask = 0;
    __atomic_fetch_or(&v->pause_flags, VPF_BLOCKED, __ATOMIC_SEQ_CST);
    /* The flag is set before this look for events. */
    if (vcpu_event_pending(v))
        __atomic_fetch_and(&v->pause_flags, ~VPF_BLOCKED, __ATOMIC_SEQ_CST);
    else
        raise_softirq(SOFTIRQ_SCHEDULE);
}

void vcpu_yield(void)
{
    current->yielding = 1;
    raise_softirq(SOFTIRQ_SCHEDULE);
}

void vcpu_kick(struct vcpu *v)
{
    u32 asleep = READ_ONCE(v->pause_flags) & (VPF_BLOCKED | VPF_POLL);

    if (asleep) {
        if (asleep & VPF_POLL)
            clear_bit(v->id, v->domain->poll_mask);
        vcpu_clear_flags(v, asleep);
    } else if (v != current && READ_ONCE(v->running)) {
        smp_send_event_check(READ_ONCE(v->processor));
    }
}

/* --- choosing --- */

/* Nothing to do here: take a vCPU that waits at a busy CPU. Own lock held. */
static struct vcpu *steal(struct sched_cpu *s)
{
    unsigned int cpu;
    struct vcpu *v;

    for_each_online_cpu (cpu) {
        struct sched_cpu *o = &per_cpu(sched_cpu, cpu);

        if (o == s || !READ_ONCE(o->nr_queued) || !spin_trylock(&o->lock))
            continue;
        list_for_each_entry (v, &o->runq, runq) {
            if (READ_ONCE(v->running) || unlikely(!vcpu_runnable(v)) ||
                !cpumask_test(v->hard_affinity, s->cpu))
                continue;
            dequeue(o, v);
            policy->moved(v, o, s);
            WRITE_ONCE(v->processor, s->cpu);
            spin_unlock(&o->lock);
            return v;
        }
        spin_unlock(&o->lock);
    }
    return NULL;
}

static struct vcpu *choose(struct sched_cpu *s)
{
    struct vcpu *v;

    while (s->nr_queued) {
        v = policy->best(s);
        if (v) {
            dequeue(s, v);
            if (unlikely(!vcpu_runnable(v))) { /* VPF_DEBUG takes no lock */
                runstate_set(v, runstate_asleep(v), now());
                continue;
            }
            policy->picked(s, v);
            return v;
        }
        /* All of them are about to leave another CPU: look again soon. What
         * this one keeps is no use here, and its CPU may wait for it. */
        pv_ops->release();
        raise_softirq(SOFTIRQ_SCHEDULE);
        return s->idle;
    }
    v = steal(s);
    return v ? v : s->idle;
}

/* prev stops being the choice: where does it go? True: to another CPU. */
static bool put_back(struct sched_cpu *s, struct vcpu *prev)
{
    ASSERT(list_empty(&prev->runq) && prev->processor == s->cpu);
    if (prev == s->idle || !vcpu_runnable(prev))
        return false;
    if (unlikely(!cpumask_test(prev->hard_affinity, s->cpu)) &&
        (prev->hard_affinity & READ_ONCE(cpu_online_map)))
        return true;
    enqueue(s, prev, false);
    return false;
}

/* irqs are on again; s->curr is next already. Never returns. */
static void switch_vcpus(struct vcpu *prev, struct vcpu *next, bool leaves)
{
    ASSERT(prev != next && prev->running && next->running);
    ASSERT(local_irq_is_enabled());
    vcpu_update_runstate_area(prev);
    vcpu_update_runstate_area(next);
    if (unlikely(leaves))
        queue_vcpu(prev, false);
    if (unlikely(prev->domain->is_shutting_down == 1))
        domain_check_shutdown(prev->domain);
    local_irq_disable();
    pv_ops->switch_to(prev, next);
}

/* SOFTIRQ_SCHEDULE. */
static void schedule(void)
{
    struct sched_cpu *s = &this_cpu(sched_cpu);
    struct vcpu *prev = current, *next;
    s_time_t t = now();
    bool leaves;

    ASSERT(local_irq_is_enabled());
    local_irq_disable();
    spin_lock(&s->lock);
    ASSERT(s->curr == prev);
    charge(s, t);
    leaves = put_back(s, prev);
    next = choose(s);
    if (unlikely(s->nr_queued))
        arm_slice(s, t);
    if (next == prev) {
        spin_unlock(&s->lock);
        local_irq_enable();
        return;
    }
    if (vcpu_runnable(prev))
        runstate_set(prev, RUNSTATE_runnable, t);
    else
        runstate_set(prev, runstate_asleep(prev), t);
    if (next->runstate.state == RUNSTATE_runnable)
        perf_latency(t - (s_time_t)next->runstate.state_entry_time);
    runstate_set(next, RUNSTATE_running, t);
    perf_inc(switches);
    next->last_run_start = t;
    next->running = 1;
    s->curr = next;
    spin_unlock(&s->lock);
    local_irq_enable();
    switch_vcpus(prev, next, leaves);
}

void idle_loop(void)
{
    OUTERMOST_FRAME();
    for (;;) {
        local_irq_disable();
        if (softirq_is_pending())
            local_irq_enable();
        else
            cpu_sti_halt();
        do_softirq();
    }
}

bool in_idle_loop(const struct cpu_user_regs *regs)
{
    unsigned long offset, size;

    return !guest_mode(regs) && symbol_lookup(regs->rip, &offset, &size) &&
           regs->rip - offset == (unsigned long)idle_loop;
}

/* --- affinity and parameters --- */

int vcpu_set_hard_affinity(struct vcpu *v, cpumask_t mask)
{
    unsigned long flags;
    struct sched_cpu *s;

    if (!(mask & READ_ONCE(cpu_online_map)))
        return -EINVAL;
    s = vcpu_lock(v, &flags);
    v->hard_affinity = mask;
    if (!cpumask_test(mask, s->cpu)) {
        if (!list_empty(&v->runq))
            dequeue(s, v); /* needs_queueing() again */
        else if (s->curr == v)
            reschedule(s->cpu);
    }
    vcpu_unlock(s, flags);
    queue_vcpu(v, false);
    return 0;
}

int vcpu_pin_override(struct vcpu *v, int cpu)
{
    cpumask_t mask;

    if (cpu < 0) {
        if (!v->pinned_override)
            return -EINVAL;
        v->pinned_override = 0;
        return vcpu_set_hard_affinity(v, v->saved_affinity);
    }
    if (cpu >= NR_CPUS)
        return -EINVAL;
    if (v->pinned_override)
        return -EBUSY;
    mask = cpumask_of(cpu);
    if (!(mask & READ_ONCE(cpu_online_map)))
        return -EINVAL;
    v->saved_affinity = v->hard_affinity;
    v->pinned_override = 1;
    return vcpu_set_hard_affinity(v, mask);
}

u32 sched_id(void)
{
    return policy->id;
}

void domain_set_weight(struct domain *d, u16 weight)
{
    struct vcpu *v;

    d->sched_weight = weight;
    for_each_vcpu (d, v)
        WRITE_ONCE(v->sched_weight, weight);
}

s_time_t cpu_idle_time(unsigned int cpu)
{
    struct vcpu_runstate_info r;
    struct vcpu *idle = per_cpu(sched_cpu, cpu).idle;

    if (!idle)
        return 0;
    vcpu_get_runstate(idle, &r);
    return (s_time_t)r.time[RUNSTATE_running];
}

unsigned int dom0_vcpu_count(void)
{
    unsigned int n = opt_dom0_max_vcpus ? opt_dom0_max_vcpus : nr_cpus_online;

    return MIN(n, MAX_VCPUS);
}

void sched_place_vcpu(struct vcpu *v)
{
    cpumask_t online = READ_ONCE(cpu_online_map);
    unsigned int skip = (v->domain->id + v->id) % nr_cpus_online;

    while (skip--)
        online &= online - 1;
    v->processor = (unsigned int)__builtin_ctzl(online);
    if (v->domain == dom0 && opt_dom0_vcpus_pin)
        v->hard_affinity = cpumask_of(v->processor);
}

/* --- bring-up --- */

void sched_init_cpu(unsigned int cpu)
{
    struct sched_cpu *s = &per_cpu(sched_cpu, cpu);

    spin_lock_init(&s->lock);
    list_init(&s->runq);
    s->cpu = cpu;
    s->curr = s->idle = idle_domain->vcpu[cpu];
    ASSERT(s->idle);
    timer_init(&s->slice, slice_over, s, cpu);
}

void sched_init(void)
{
    softirq_register(SOFTIRQ_SCHEDULE, schedule);
    sched_init_cpu(0);
}

/* --- debug key 'r' --- */

/* A queue as it was: printing takes too long for its lock. */
struct shown_vcpu {
    unsigned int domid, vcpu, weight;
    s64 vtime; /* ns from the queue's */
};
struct shown_queue {
    struct shown_vcpu runs, waits[16];
    unsigned int nr;
    bool slice_armed;
};

static struct shown_vcpu show_waiting(const struct sched_cpu *s,
                                      const struct vcpu *v)
{
    return (struct shown_vcpu){
        .domid = v->domain->id,
        .vcpu = v->id,
        .weight = v->domain->sched_weight,
        .vtime = (s64)v->sched_vtime - (s64)s->min_vtime,
    };
}

static void copy_queue(struct sched_cpu *s, struct shown_queue *to)
{
    unsigned long flags;
    struct vcpu *v;

    to->nr = 0;
    spin_lock_irqsave(&s->lock, flags);
    to->runs = show_waiting(s, s->curr);
    to->slice_armed = s->slice_armed;
    list_for_each_entry (v, &s->runq, runq) {
        if (to->nr < ARRAY_SIZE(to->waits))
            to->waits[to->nr] = show_waiting(s, v);
        to->nr++;
    }
    spin_unlock_irqrestore(&s->lock, flags);
}

static void dump_queue(struct sched_cpu *s)
{
    struct shown_queue q;

    copy_queue(s, &q);
    printk("CPU%u: runs d%uv%u, %u waiting, slice timer %s\n", s->cpu,
           q.runs.domid, q.runs.vcpu, q.nr, q.slice_armed ? "armed" : "off");
    for (unsigned int i = 0; i < MIN(q.nr, ARRAY_SIZE(q.waits)); i++)
        printk("    d%uv%u: weight %u, vtime %+ld us from the queue's\n",
               q.waits[i].domid, q.waits[i].vcpu, q.waits[i].weight,
               q.waits[i].vtime / 1000);
}

void sched_dump(void)
{
    unsigned int cpu;

    printk("Scheduler: %s, slice %ld us, now %ld us\n", sched_fair.name,
           sched_fair.slice / 1000, now() / 1000);
    for_each_online_cpu (cpu)
        dump_queue(&per_cpu(sched_cpu, cpu));
}
