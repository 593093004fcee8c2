/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts from CPU to CPU, and calls of functions on other CPUs.
 *
 * One call is under way at a time (call_lock).  Who waits, for the lock or for
 * the others, carries out meanwhile what others ask of this CPU: two CPUs that
 * call each other with irqs off do not wait for ever.
 */
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/perf.h>
#include <hv/smp.h>
#include <hv/spinlock.h>

#include "smp-internal.h"

static DEFINE_SPINLOCK(call_lock);
static DEFINE_PER_CPU(bool, in_call);
static struct {
    cpumask_t pending; /* atomics: CPUs that have not done it */
    void (*fn)(void *);
    void *arg;
} call;

void smp_send_event_check(unsigned int cpu)
{
    lapic_send_ipi(cpu_apic_id(cpu), ICR_ASSERT | VECTOR_EVENT_CHECK);
}

void smp_send_vector(cpumask_t mask, u8 vector)
{
    unsigned int cpu;

    for_each_cpu (cpu, mask)
        lapic_send_ipi(cpu_apic_id(cpu), ICR_ASSERT | vector);
}

void smp_send_nmi(cpumask_t mask)
{
    unsigned int cpu;

    mask &= READ_ONCE(cpu_online_map) & ~cpumask_of(smp_processor_id());
    for_each_cpu (cpu, mask)
        lapic_send_ipi(cpu_apic_id(cpu), ICR_ASSERT | ICR_NMI);
}

/* irqs off. The bit goes last: who waits may free the argument then. Calls do
 * not nest, though fn may itself wait for something and so poll. */
static void run_pending_call(void)
{
    unsigned int cpu = smp_processor_id();
    void (*fn)(void *);
    void *arg;

    if (!cpumask_test(READ_ONCE(call.pending), cpu) ||
        this_cpu(in_call))
        return;
    this_cpu(in_call) = true;
    fn = READ_ONCE(call.fn); /* not before the look at `pending` */
    arg = READ_ONCE(call.arg);
    fn(arg);
    this_cpu(in_call) = false;
    __atomic_fetch_and(&call.pending, ~cpumask_of(cpu), __ATOMIC_SEQ_CST);
}

/* irqs may be on: the interrupt must not come in the middle of it. */
void smp_poll_requests(void)
{
    unsigned long flags = local_irq_save();

    tlb_run_pending_flush();
    run_pending_call();
    local_irq_restore(flags);
}

void smp_lock_polling(spinlock_t *lock)
{
    while (!spin_trylock(lock)) {
        smp_poll_requests();
        cpu_relax();
    }
}

static void call_others(cpumask_t others, void (*fn)(void *), void *arg,
                        bool wait)
{
    smp_lock_polling(&call_lock);
    while (READ_ONCE(call.pending)) { /* one that nobody waited for */
        smp_poll_requests();
        cpu_relax();
    }
    call.fn = fn;
    call.arg = arg;
    __atomic_store_n(&call.pending, others, __ATOMIC_SEQ_CST);
    perf_inc(calls);
    smp_send_vector(others, VECTOR_CALL_FUNCTION);
    while (wait && READ_ONCE(call.pending)) {
        smp_poll_requests();
        cpu_relax();
    }
    spin_unlock(&call_lock);
}

void smp_call_function(cpumask_t mask, void (*fn)(void *), void *arg, bool wait)
{
    cpumask_t self = cpumask_of(smp_processor_id());
    cpumask_t others = mask & READ_ONCE(cpu_online_map) & ~self;
    unsigned long flags;

    ASSERT(!in_irq());
    if (others)
        call_others(others, fn, arg, wait);
    if (mask & self) {
        flags = local_irq_save();
        fn(arg);
        local_irq_restore(flags);
    }
}

static void event_check_interrupt(void)
{
    /* The way out of the interrupt looks for softirqs and events. */
}

/* A CPU that has stopped answers nothing: no IPI waits for it any more. */
void smp_stop_others(void)
{
    WRITE_ONCE(cpus_stopping, true);
    smp_send_nmi(READ_ONCE(cpu_online_map));
    WRITE_ONCE(cpu_online_map, cpumask_of(smp_processor_id()));
}

void smp_init(void)
{
    irq_set_vector_handler(VECTOR_EVENT_CHECK, event_check_interrupt);
    irq_set_vector_handler(VECTOR_CALL_FUNCTION, run_pending_call);
    irq_set_vector_handler(VECTOR_TLB_FLUSH, tlb_run_pending_flush);
}
