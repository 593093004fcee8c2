/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domains that gdb has stopped while the rest of the machine runs: those it is
 * attached to and did not resume.  Their vCPUs get VPF_DEBUG, which keeps the
 * scheduler from choosing them.  Setting it takes no lock, so the leader does
 * it; waking does, so a tasklet does that.
 */
#include <hv/atomic.h>
#include <hv/domain.h>
#include <hv/softirq.h>

#include "pdb-target.h"

static void wake_released(void *unused);

static struct tasklet waker = {.fn = wake_released};
static bool holding; /* some vCPU may have the flag */

static bool is_to_stay(const struct vcpu *v)
{
    struct pdb_tid t = {PDB_PID_DOMAIN(v->domain->id), (int32_t)v->id + 1};

    return pdb_plan_find(&pdb_target->core, &pdb_target->plan, t) ==
           PDB_DO_STAY;
}

static void keep(struct vcpu *v)
{
    holding = true;
    __atomic_fetch_or(&v->pause_flags, VPF_DEBUG, __ATOMIC_SEQ_CST);
    if (READ_ONCE(v->running))
        cpu_raise_softirq(v->processor, SOFTIRQ_SCHEDULE);
}

/* Calls fn for each vCPU of each domain. Nothing may change the list. */
static void for_each(void (*fn)(struct vcpu *v))
{
    struct domain *d;
    struct vcpu *v;

    for (d = domain_next(0); d && d->id < DOMID_FIRST_RESERVED;
         d = domain_next((domid_t)(d->id + 1)))
        for_each_vcpu (d, v)
            fn(v);
}

static void keep_or_not(struct vcpu *v)
{
    if (is_to_stay(v))
        keep(v);
}

static void release(struct vcpu *v)
{
    if ((v->pause_flags & VPF_DEBUG) && !is_to_stay(v))
        vcpu_clear_flags(v, VPF_DEBUG);
}

/* irqs on. Readers of the list without a reference have them off. */
static void wake_released(void *unused)
{
    unsigned long flags = local_irq_save();

    (void)unused;
    for_each(release);
    local_irq_restore(flags);
}

void pdb_hold_domains(void)
{
    if (pdb_target->plan.alone)
        return; /* for one instruction: nobody is woken or sent to sleep */
    for_each(keep_or_not);
    if (holding)
        tasklet_schedule(&waker);
}
