/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock checker of debug builds: a lock that is taken twice by one CPU,
 * released by another, or shared with interrupts without disabling them, is
 * reported at once and not as a hang.
 */
#include <hv/bug.h>
#include <hv/percpu.h>
#include <hv/spinlock.h>

#ifndef NDEBUG

/* spinlock_t.flags */
#define USED_IN_IRQ 1
#define USED_IRQS_ON 2

void lock_check_acquire(spinlock_t *l)
{
    unsigned int cpu = smp_processor_id();

    if (unlikely(READ_ONCE(l->owner) == cpu + 1))
        panic("Lock %p taken twice by CPU%u", l, cpu);
    l->flags |= in_irq() ? USED_IN_IRQ
                         : local_irq_is_enabled() ? USED_IRQS_ON : 0;
    if (unlikely(l->flags == (USED_IN_IRQ | USED_IRQS_ON)))
        panic("Lock %p is used by interrupt handlers and also with interrupts on",
              l);
}

void lock_check_acquired(spinlock_t *l)
{
    l->owner = (u16)(smp_processor_id() + 1);
}

void lock_check_release(spinlock_t *l)
{
    unsigned int cpu = smp_processor_id();

    if (unlikely(l->owner != cpu + 1))
        panic("Lock %p released by CPU%u, its holder is CPU%d (-1: none)", l,
              cpu, (int)l->owner - 1);
    l->owner = 0;
}

#endif
