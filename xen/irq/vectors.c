/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Vectors 0x21-0xef of each CPU: which irq has which.  The tables change under
 * vector_lock; the CPU that takes an interrupt reads its own without it.
 */
#include <hv/errno.h>
#include <hv/irq.h>

#define NR_VECTORS 256

/* irq + 1; 0: free. */
static DEFINE_PER_CPU(u16, vector_irq)[NR_VECTORS];
static DEFINE_SPINLOCK(vector_lock);
/* Where the next search starts: neighbours share a priority class, two of
 * which a CPU can hold pending on old hardware. */
static u8 next_vector = VECTOR_FIRST_DYNAMIC;

int irq_of_vector(u8 vector)
{
    return this_cpu(vector_irq)[vector] - 1;
}

static bool block_free(unsigned int cpu, unsigned int first, unsigned int n)
{
    for (unsigned int i = first; i < first + n; i++)
        if (i < VECTOR_FIRST_DYNAMIC || i > VECTOR_LAST_DYNAMIC ||
            i == VECTOR_GUEST_INT80 || per_cpu(vector_irq, cpu)[i])
            return false;
    return true;
}

static unsigned int find_block(unsigned int cpu, unsigned int n)
{
    unsigned int tries = NR_VECTORS / n;
    unsigned int v = ROUND_UP(next_vector, n) % NR_VECTORS;

    while (tries--) {
        if (block_free(cpu, v, n))
            return v;
        v = (v + n) % NR_VECTORS;
    }
    return 0;
}

static u16 table_value(const struct irq_desc *desc)
{
    return (u16)(desc - irq_descs + 1);
}

int irq_alloc_vectors(struct irq_desc *const *descs, unsigned int n,
                      unsigned int cpu)
{
    unsigned long flags;
    unsigned int first;

    spin_lock_irqsave(&vector_lock, flags);
    first = find_block(cpu, n);
    for (unsigned int i = 0; first && i < n; i++) {
        per_cpu(vector_irq, cpu)[first + i] = table_value(descs[i]);
        descs[i]->vector = (u8)(first + i);
        descs[i]->cpu = (u16)cpu;
    }
    if (first)
        next_vector = (u8)(first + n);
    spin_unlock_irqrestore(&vector_lock, flags);
    return first ? 0 : -ENOSPC;
}

int irq_move_vector(struct irq_desc *desc, unsigned int cpu)
{
    unsigned long flags;
    unsigned int v = desc->vector;

    spin_lock_irqsave(&vector_lock, flags);
    if (!block_free(cpu, v, 1))
        v = desc->chip->same_vector ? 0 : find_block(cpu, 1);
    if (v) {
        per_cpu(vector_irq, cpu)[v] = table_value(desc);
        desc->vector = (u8)v;
        desc->cpu = (u16)cpu;
    }
    spin_unlock_irqrestore(&vector_lock, flags);
    return v ? 0 : -ENOSPC;
}

void irq_release_vector(struct irq_desc *desc)
{
    unsigned long flags;

    if (!desc->vector)
        return;
    spin_lock_irqsave(&vector_lock, flags);
    per_cpu(vector_irq, desc->cpu)[desc->vector] = 0;
    spin_unlock_irqrestore(&vector_lock, flags);
    desc->vector = 0;
}
