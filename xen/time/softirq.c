/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Softirqs and tasklets. The pending word of a CPU is changed by atomics:
 * interrupts and other CPUs set bits, the CPU itself clears them.
 */
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>

DEFINE_PER_CPU(u32, softirq_pending);
static void (*handlers[NR_SOFTIRQS])(void) __ro_after_init;

void softirq_register(enum softirq nr, void (*fn)(void))
{
    ASSERT(nr < NR_SOFTIRQS && !handlers[nr]);
    handlers[nr] = fn;
}

void raise_softirq(enum softirq nr)
{
    set_bit(nr, &this_cpu(softirq_pending));
}

/* Somebody who found a bit set already has sent the interrupt, or the CPU is
 * on its way to do_softirq(). */
void cpu_raise_softirq(unsigned int cpu, enum softirq nr)
{
    u32 *pending = &per_cpu(softirq_pending, cpu);
    u32 old = __atomic_fetch_or(pending, 1U << nr, __ATOMIC_SEQ_CST);

    if (!old && cpu != smp_processor_id())
        smp_send_event_check(cpu);
}

/*
 * Lowest number first: timers wake vCPUs before the scheduler chooses one.
 * A handler need not come back (the scheduler does not): what is still pending
 * then is found on the way into the guest or the idle loop.
 */
void do_softirq(void)
{
    u32 *word = &this_cpu(softirq_pending);
    u32 pending;

    ASSERT(!in_irq());
    lock_check_none_held();
    while ((pending = READ_ONCE(*word)) != 0) {
        unsigned int nr = (unsigned int)__builtin_ctz(pending);

        clear_bit(nr, word);
        if (likely(handlers[nr]))
            handlers[nr]();
    }
}

/* --- tasklets --- */

static DEFINE_PER_CPU(struct tasklet *, tasklet_first);
static DEFINE_PER_CPU(struct tasklet *, tasklet_last);

/* Only this CPU's queue, irqs off: no lock. */
void tasklet_schedule(struct tasklet *t)
{
    unsigned long flags = local_irq_save();

    if (!atomic_xchg(&t->queued, 1)) {
        t->next = NULL;
        if (this_cpu(tasklet_last))
            this_cpu(tasklet_last)->next = t;
        else
            this_cpu(tasklet_first) = t;
        this_cpu(tasklet_last) = t;
        raise_softirq(SOFTIRQ_TASKLET);
    }
    local_irq_restore(flags);
}

static struct tasklet *take_first(void)
{
    unsigned long flags = local_irq_save();
    struct tasklet *t = this_cpu(tasklet_first);

    if (t) {
        this_cpu(tasklet_first) = t->next;
        if (!t->next)
            this_cpu(tasklet_last) = NULL;
    }
    local_irq_restore(flags);
    return t;
}

static void run(struct tasklet *t)
{
    void (*fn)(void *) = t->fn;
    void *arg = t->arg;

    /* It may be queued again, or freed by fn, from here on. */
    __atomic_store_n(&t->queued, 0, __ATOMIC_RELEASE);
    fn(arg);
}

/* One at a time, so that a timer or the scheduler may come in between. */
static void run_tasklet(void)
{
    struct tasklet *t = take_first();

    if (!t)
        return;
    if (this_cpu(tasklet_first))
        raise_softirq(SOFTIRQ_TASKLET);
    run(t);
}

void tasklets_run(void)
{
    struct tasklet *t;

    while ((t = take_first()) != NULL)
        run(t);
}

void softirq_init(void)
{
    softirq_register(SOFTIRQ_TASKLET, run_tasklet);
}
