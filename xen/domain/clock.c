/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pvclock: how a guest computes system time from the TSC by itself, and the
 * wall clock.  Facts: xen.h, struct vcpu_time_info and shared_info.
 *
 * Where all TSCs are one clock, every vCPU has the same numbers for good and
 * the update on a switch is a comparison. A guest's time is system time less
 * d->time_shift (the time that a debugger kept it stopped).
 */
#include <hv/atomic.h>
#include <hv/clock.h>
#include <hv/domain-clock.h>
#include <hv/domain.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>
#include <hv/string.h>

/* Version odd, contents, version even: a reader that sees one even number
 * before and after has read one set. */
static void write_vcpu_info(struct vcpu *v)
{
    struct vcpu_time_info *t = &v->pv.info->time;
    u32 version = (READ_ONCE(t->version) | 1) + (t->version & 1 ? 2 : 0);

    WRITE_ONCE(t->version, version);
    smp_wmb();
    t->tsc_timestamp = v->time_last.tsc_timestamp - v->domain->tsc_shift;
    t->system_time = v->time_last.system_time;
    t->tsc_to_system_mul = v->time_last.tsc_to_system_mul;
    t->tsc_shift = v->time_last.tsc_shift;
    t->flags = v->time_last.flags;
    smp_wmb();
    WRITE_ONCE(t->version, version + 1);
}

/* By the guest's own address. It may unmap it: then it is not told. */
static void write_registered(struct vcpu *v)
{
    unsigned long va = v->time_info_va;
    struct vcpu_time_info t = v->time_last;

    v->time_last.version += 2;
    t.version = v->time_last.version | 1;
    t.tsc_timestamp -= v->domain->tsc_shift;
    if (!vcpu_write_kernel_va(v, va, &t.version, sizeof(t.version)))
        return;
    smp_wmb();
    if (!vcpu_write_kernel_va(v, va + 4, &t.pad0, sizeof(t) - 4))
        return;
    smp_wmb();
    t.version++;
    (void)vcpu_write_kernel_va(v, va, &t.version, sizeof(t.version));
}

/* irqs off. Not in interrupts: it takes references of frames, and the last one
 * that goes frees a frame. */
static void update(struct vcpu *v, const struct cpu_clock *c, u64 base)
{
    v->time_last.tsc_timestamp = c->tsc_stamp;
    v->time_last.system_time = base;
    v->time_last.tsc_to_system_mul = c->tsc_to_system_mul;
    v->time_last.tsc_shift = c->tsc_shift;
    v->time_last.flags = clock_tsc_stable ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
    write_vcpu_info(v);
    if (v->time_info_va)
        write_registered(v);
}

void vcpu_update_time_info(struct vcpu *v)
{
    struct cpu_clock c;
    unsigned long flags;
    unsigned int tries = 3; /* gdb may be stepping through here */
    u64 base, shift;

    clock_read_scale(&c);
    base = (u64)(c.system_base - v->domain->time_shift);
    if (likely(v->time_last.tsc_timestamp == c.tsc_stamp &&
               v->time_last.system_time == base))
        return;
    flags = local_irq_save();
    do { /* the NMI of a debugger's stop changes all of it */
        shift = READ_ONCE(v->domain->tsc_shift);
        clock_read_scale(&c);
        update(v, &c, (u64)(c.system_base - v->domain->time_shift));
    } while (unlikely(READ_ONCE(v->domain->tsc_shift) != shift) && tries--);
    local_irq_restore(flags);
}

void vcpu_invalidate_time_info(struct vcpu *v)
{
    v->time_last.tsc_timestamp = ~0UL; /* no stamp is that */
}

/* This CPU's clock changed, in an interrupt or while it waits for another CPU,
 * with any lock: its guest is told before it runs on. */
static void clock_changed(void)
{
    raise_softirq(SOFTIRQ_GUEST_TIME);
}

static void tell_current(void)
{
    if (!current->is_idle)
        vcpu_update_time_info(current);
}

void domain_update_wall_clock(struct domain *d)
{
    static DEFINE_SPINLOCK(lock);
    unsigned long flags;
    struct shared_info *s;
    u64 ns, seconds;
    u32 version;

    /* With irqs off the page stays: it goes after a grace period. */
    spin_lock_irqsave(&lock, flags);
    s = READ_ONCE(d->shared_info);
    if (!s)
        goto out;
    ns = wall_clock_at_boot_ns() + (u64)d->time_shift;
    seconds = ns / 1000000000 + (u64)d->time_offset_seconds;
    version = s->wc_version | 1;
    WRITE_ONCE(s->wc_version, version);
    smp_wmb();
    s->wc_sec = (u32)seconds;
    s->wc_sec_hi = (u32)(seconds >> 32);
    s->wc_nsec = (u32)(ns % 1000000000);
    smp_wmb();
    WRITE_ONCE(s->wc_version, version + 1);
out:
    spin_unlock_irqrestore(&lock, flags);
}

void __init domain_clock_init(void)
{
    softirq_register(SOFTIRQ_GUEST_TIME, tell_current);
    clock_register_changed(clock_changed);
}
