/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLB flushes on other CPUs.
 *
 * One shootdown at a time, under flush_lock. Only the CPUs of the mask are
 * interrupted; who waits serves requests to itself (smp_poll_requests), so it
 * may be called with irqs off.
 */
#include <hv/atomic.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/perf.h>
#include <hv/x86.h>

#include "smp-internal.h"

#define FLUSH_EVERYTHING (~0UL) /* no page begins there */

static DEFINE_SPINLOCK(flush_lock);
static struct {
    cpumask_t pending; /* atomics */
    unsigned long va;
} flush;

static void (*lazy_hook)(void);

void tlb_register_lazy(void (*fn)(void))
{
    lazy_hook = fn;
}

static void flush_here(unsigned long va)
{
    if (va == FLUSH_EVERYTHING)
        tlb_flush_local();
    else
        invlpg(va);
}

void tlb_run_pending_flush(void)
{
    cpumask_t self = cpumask_of(smp_processor_id());

    if (!(READ_ONCE(flush.pending) & self))
        return;
    flush_here(READ_ONCE(flush.va)); /* not before the look at `pending` */
    if (this_cpu(tlb_lazy))
        lazy_hook(); /* once is enough */
    __atomic_fetch_and(&flush.pending, ~self, __ATOMIC_SEQ_CST);
}

static void flush_others(cpumask_t others, unsigned long va)
{
    smp_lock_polling(&flush_lock);
    flush.va = va;
    __atomic_store_n(&flush.pending, others, __ATOMIC_SEQ_CST);
    perf_inc(flushes);
    smp_send_vector(others, VECTOR_TLB_FLUSH);
    while (READ_ONCE(flush.pending)) {
        smp_poll_requests();
        cpu_relax();
    }
    spin_unlock(&flush_lock);
}

static void flush_mask(cpumask_t mask, unsigned long va)
{
    cpumask_t self = cpumask_of(smp_processor_id());
    cpumask_t others = mask & READ_ONCE(cpu_online_map) & ~self;

    if (others)
        flush_others(others, va);
    if (mask & self)
        flush_here(va);
}

void tlb_flush_mask(cpumask_t mask)
{
    flush_mask(mask, FLUSH_EVERYTHING);
}

void tlb_flush_va_mask(cpumask_t mask, unsigned long va)
{
    flush_mask(mask, va);
}
