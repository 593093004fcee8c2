/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt descriptors and the way from a vector to its handler.
 *
 * A move to another CPU leaves the former vector in place until the first
 * interrupt arrives at the new one: what was sent before the change is still
 * taken.  Lock order: see hv/irq.h.
 */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/perf.h>
#include <hv/printk.h>

struct irq_desc irq_descs[NR_IRQS];

static void (*vector_handlers[256])(void);
static DEFINE_PER_CPU(u64, spurious_count);

u8 irq_vector(unsigned int irq)
{
    return irq < NR_IRQS ? irq_descs[irq].vector : 0;
}

bool irq_is_level(unsigned int irq)
{
    return irq < NR_IRQS && irq_descs[irq].level;
}

void irq_set_vector_handler(u8 vector, void (*fn)(void))
{
    ASSERT(vector > VECTOR_LAST_DYNAMIC && !vector_handlers[vector]);
    vector_handlers[vector] = fn;
}

/* desc->lock held. Gives up where the move cannot be made now. */
static void try_move(struct irq_desc *desc)
{
    u16 old_cpu = desc->cpu;
    u8 old_vector = desc->vector;

    if (desc->old_vector || !desc->vector ||
        irq_move_vector(desc, (unsigned int)desc->wanted_cpu))
        return;
    if (desc->chip->retarget(desc)) {
        struct irq_desc undo = {.cpu = desc->cpu, .vector = desc->vector};

        irq_release_vector(&undo);
        desc->cpu = old_cpu;
        desc->vector = old_vector;
        return;
    }
    desc->old_cpu = old_cpu;
    desc->old_vector = old_vector;
    desc->wanted_cpu = -1;
}

/* An interrupt came at the new place: the old one is history. */
static void finish_move(struct irq_desc *desc)
{
    struct irq_desc old = {.cpu = desc->old_cpu, .vector = desc->old_vector};

    desc->old_vector = 0;
    irq_release_vector(&old);
}

static void spurious(u8 vector)
{
    lapic_eoi();
    if (this_cpu(spurious_count)++ < 5)
        log_debug("CPU%u: interrupt at unused vector %#x\n",
                  smp_processor_id(), vector);
}

static void device_interrupt(u8 vector)
{
    int irq = irq_of_vector(vector);
    struct irq_desc *desc;
    bool end_later;

    if (irq < 0) {
        spurious(vector);
        return;
    }
    desc = &irq_descs[irq];
    spin_lock(&desc->lock);
    desc->count++;
    if (desc->old_vector && desc->cpu == smp_processor_id() &&
        desc->vector == vector)
        finish_move(desc);
    if (desc->level && desc->state == IRQ_GUEST) {
        desc->chip->mask(desc);
        desc->waits_for_end = 1;
    } else if (desc->wanted_cpu >= 0) {
        try_move(desc);
    }
    end_later = desc->level && desc->state == IRQ_HYPERVISOR;
    if (!end_later)
        lapic_eoi();
    if (desc->state == IRQ_UNUSED) {
        spin_unlock(&desc->lock);
        return;
    }
    desc->running++;
    spin_unlock(&desc->lock);

    desc->handler((unsigned int)irq, desc->arg);

    if (end_later)
        lapic_eoi();
    /* Pairs with the wait in irq_free(). */
    __atomic_fetch_sub(&desc->running, 1, __ATOMIC_RELEASE);
}

void do_irq(struct cpu_user_regs *regs)
{
    struct cpu_info *info = get_cpu_info();
    u8 vector = (u8)regs->entry_vector;

    irqs_off_begin(vector);
    info->irq_regs = regs;
    info->in_irq++;
    perf_inc(irqs);
    if (vector_handlers[vector]) {
        lapic_eoi();
        vector_handlers[vector]();
    } else if (vector != VECTOR_SPURIOUS) { /* that one has no EOI */
        device_interrupt(vector);
    }
    info->in_irq--;
    irqs_off_end();
}

/* Locked, chip present. */
static int start_irq(struct irq_desc *desc, unsigned int cpu)
{
    int ret;

    if (!desc->vector) {
        ret = irq_alloc_vectors(&desc, 1, cpu);
        if (ret)
            return ret;
        if (desc->chip->mask)
            desc->chip->mask(desc);
        desc->cpu = (u16)cpu;
        ret = desc->chip->retarget(desc);
        if (ret) {
            irq_release_vector(desc);
            return ret;
        }
    }
    if (desc->chip->unmask)
        desc->chip->unmask(desc);
    return 0;
}

static int request(unsigned int irq, enum irq_state state,
                   irq_handler_t handler, void *arg, unsigned int cpu)
{
    struct irq_desc *desc;
    unsigned long flags;
    int ret = -EINVAL;

    if (irq >= NR_IRQS)
        return ret;
    desc = &irq_descs[irq];
    spin_lock_irqsave(&desc->lock, flags);
    if (desc->chip)
        ret = desc->state == IRQ_UNUSED ? 0 : -EBUSY;
    if (!ret) {
        desc->state = (u8)state;
        desc->handler = handler;
        desc->arg = arg;
        desc->waits_for_end = 0;
        desc->wanted_cpu = -1;
        ret = start_irq(desc, cpu);
        if (ret)
            desc->state = IRQ_UNUSED;
    }
    spin_unlock_irqrestore(&desc->lock, flags);
    return ret;
}

int irq_request(unsigned int irq, irq_handler_t handler, void *arg)
{
    return request(irq, IRQ_HYPERVISOR, handler, arg, smp_processor_id());
}

int irq_request_guest(unsigned int irq, irq_handler_t handler, void *arg,
                      unsigned int cpu)
{
    return request(irq, IRQ_GUEST, handler, arg, cpu);
}

/* A line gives its vectors back; a message keeps its own until msi_unmap(). */
void irq_free(unsigned int irq)
{
    struct irq_desc *desc = &irq_descs[irq];
    unsigned long flags;

    ASSERT(irq < NR_IRQS);
    spin_lock_irqsave(&desc->lock, flags);
    if (desc->state != IRQ_UNUSED) {
        if (desc->chip->mask)
            desc->chip->mask(desc);
        desc->state = IRQ_UNUSED;
        desc->wanted_cpu = -1; /* what is still under way moves nothing */
        if (desc->old_vector)
            finish_move(desc);
        if (!desc->msi)
            irq_release_vector(desc);
    }
    spin_unlock_irqrestore(&desc->lock, flags);
    while (__atomic_load_n(&desc->running, __ATOMIC_ACQUIRE))
        cpu_relax(); /* the handler ends on its CPU: bounded */
}

void irq_end(unsigned int irq)
{
    struct irq_desc *desc = &irq_descs[irq];
    unsigned long flags;

    spin_lock_irqsave(&desc->lock, flags);
    if (desc->waits_for_end && desc->state != IRQ_UNUSED) {
        desc->waits_for_end = 0;
        if (desc->wanted_cpu >= 0)
            try_move(desc);
        desc->chip->unmask(desc);
    }
    spin_unlock_irqrestore(&desc->lock, flags);
}

void irq_set_cpu(unsigned int irq, unsigned int cpu)
{
    struct irq_desc *desc = &irq_descs[irq];
    unsigned long flags;

    if (READ_ONCE(desc->cpu) == cpu && READ_ONCE(desc->wanted_cpu) < 0)
        return;
    spin_lock_irqsave(&desc->lock, flags);
    if (desc->state != IRQ_UNUSED && !desc->fixed) {
        desc->wanted_cpu = desc->cpu == cpu ? -1 : (s16)cpu;
        if (desc->wanted_cpu >= 0)
            try_move(desc);
    }
    spin_unlock_irqrestore(&desc->lock, flags);
}

static DEFINE_SPINLOCK(alloc_lock);

int irq_alloc(const struct irq_chip *chip)
{
    unsigned long flags;
    unsigned int irq;

    spin_lock_irqsave(&alloc_lock, flags);
    for (irq = nr_gsis; irq < NR_IRQS; irq++) {
        if (irq_descs[irq].chip)
            continue;
        irq_descs[irq].chip = chip;
        break;
    }
    spin_unlock_irqrestore(&alloc_lock, flags);
    return irq < NR_IRQS ? (int)irq : -ENOSPC;
}

void irq_release(unsigned int irq)
{
    struct irq_desc *desc = &irq_descs[irq];
    unsigned long flags;

    spin_lock_irqsave(&desc->lock, flags);
    ASSERT(desc->state == IRQ_UNUSED && !desc->vector);
    desc->msi = NULL;
    desc->fixed = 0;
    desc->count = 0;
    spin_unlock_irqrestore(&desc->lock, flags);
    spin_lock_irqsave(&alloc_lock, flags);
    desc->chip = NULL;
    spin_unlock_irqrestore(&alloc_lock, flags);
}

/* Both 8259s: nothing comes through them any more. */
static void __init mask_8259(void)
{
    outb(0xff, 0xa1);
    outb(0xff, 0x21);
}

void __init irq_init(void)
{
    if (machine.has_8259)
        mask_8259();
    lapic_init();
    ioapic_init();
}

void irq_init_cpu(void)
{
    lapic_init_cpu();
}

void irq_dump(void)
{
    static const char *const states[] = {"unused", "hypervisor", "guest"};

    for (unsigned int irq = 0; irq < NR_IRQS; irq++) {
        const struct irq_desc *desc = &irq_descs[irq];

        if (!desc->chip || desc->state == IRQ_UNUSED)
            continue;
        printk("  irq %u: %s, %s, vector %02x on CPU%u, count %lu%s\n", irq,
               desc->chip->name, states[desc->state], desc->vector, desc->cpu,
               desc->count, desc->waits_for_end ? ", waits for EOI" : "");
    }
    ioapic_dump();
}
