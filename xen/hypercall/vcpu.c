/* SPDX-License-Identifier: GPL-2.0-only */
/* vcpu_op (vcpu.h), for the vCPUs of the calling domain. */
#include <hv/acpi.h>
#include <hv/clock.h>
#include <hv/domain-clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/nospec.h>
#include <hv/vcpu-timer.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define MIN_PERIOD MILLISECS(1)
#define MAX_PERIOD ((s_time_t)(~0UL >> 2))

static long initialise(struct vcpu *v, const void *arg)
{
    struct vcpu_guest_context *ctxt;
    struct domain *d = v->domain;
    int rc = -EFAULT;

    if (v->pv.info == &v->early_info)
        return -EINVAL; /* it has no place for its events yet */
    ctxt = hv_alloc(sizeof(*ctxt));
    if (!ctxt)
        return -ENOMEM;
    if (!copy_from_guest(ctxt, arg)) {
        spin_lock(&d->lock);
        current->pv.preemptible = 1;
        rc = v->initialised ? -EEXIST : pv_ops->set_context(v, ctxt);
        current->pv.preemptible = 0;
        if (!rc)
            v->initialised = 1;
        spin_unlock(&d->lock);
    }
    hv_free(ctxt);
    if (rc == -ERESTART)
        return HYPERCALL_RESTART(VCPUOP_initialise, v->id, (unsigned long)arg);
    return rc;
}

static long bring_up(struct vcpu *v)
{
    struct domain *d = v->domain;
    long rc = -EINVAL;

    if (v->pv.info == &v->early_info)
        return -EINVAL;
    spin_lock(&d->lock);
    if (v->initialised) {
        vcpu_bring_up(v);
        rc = 0;
    }
    spin_unlock(&d->lock);
    return rc;
}

/* The last one that goes takes the domain with it. */
static long bring_down(struct vcpu *v)
{
    struct domain *d = v->domain;
    bool last = true;
    struct vcpu *w;

    spin_lock(&d->lock); /* two that go at once: one of them is the last */
    for_each_vcpu (d, w)
        if (w != v && !(READ_ONCE(w->pause_flags) & VPF_DOWN))
            last = false;
    if (!last)
        vcpu_bring_down(v);
    spin_unlock(&d->lock);
    if (last)
        domain_shutdown(d, SHUTDOWN_poweroff);
    return 0;
}

static long get_runstate(struct vcpu *v, void *arg)
{
    struct vcpu_runstate_info r;

    vcpu_get_runstate(v, &r);
    return copy_to_guest((struct vcpu_runstate_info *)arg, &r) ? -EFAULT : 0;
}

static long register_runstate(struct vcpu *v, const void *arg)
{
    struct vcpu_register_runstate_memory_area area;

    if (copy_from_guest(&area, arg) ||
        !guest_range_ok(area.addr.p, sizeof(struct vcpu_runstate_info)))
        return -EFAULT;
    v->runstate_va = area.addr.p;
    vcpu_update_runstate_area(v); /* not mapped yet: at the next switch */
    return 0;
}

static long register_time(struct vcpu *v, const void *arg)
{
    struct vcpu_register_time_memory_area area;

    if (copy_from_guest(&area, arg) ||
        !guest_range_ok(area.addr.p, sizeof(struct vcpu_time_info)))
        return -EFAULT;
    v->time_info_va = area.addr.p;
    vcpu_invalidate_time_info(v);
    if (v == current)
        vcpu_update_time_info(v);
    return 0;
}

static long register_info(struct vcpu *v, const void *arg)
{
    struct vcpu_register_vcpu_info info;
    struct domain *d = v->domain;
    int rc;

    if (copy_from_guest(&info, arg))
        return -EFAULT;
    spin_lock(&d->lock);
    rc = vcpu_map_info(v, _mfn(info.mfn), info.offset);
    spin_unlock(&d->lock);
    return rc;
}

static long set_periodic(struct vcpu *v, const void *arg)
{
    struct vcpu_set_periodic_timer set;

    if (copy_from_guest(&set, arg))
        return -EFAULT;
    if (set.period_ns < (u64)MIN_PERIOD || set.period_ns > (u64)MAX_PERIOD)
        return -EINVAL;
    vcpu_periodic_set(v, (s_time_t)set.period_ns);
    return 0;
}

static long set_singleshot(struct vcpu *v, const void *arg)
{
    struct vcpu_set_singleshot_timer set;

    if (unlikely(v != current))
        return -EINVAL;
    if (unlikely(copy_from_guest(&set, arg)))
        return -EFAULT;
    if (set.flags & VCPU_SSHOTTMR_future) {
        s_time_t t = now() - v->domain->time_shift;

        if ((s_time_t)set.timeout_abs_ns < t)
            return -ETIME;
    }
    vcpu_singleshot_set(v, (s_time_t)set.timeout_abs_ns);
    return 0;
}

static long stop_singleshot(struct vcpu *v)
{
    if (v != current)
        return -EINVAL;
    vcpu_singleshot_stop(v);
    return 0;
}

static long send_nmi(struct vcpu *v, const void *arg)
{
    if (arg)
        return -EINVAL;
    vcpu_send_nmi(v);
    return 0;
}

/* Where domain 0's vCPU is tied to one CPU: that CPU's numbers. */
static long get_physid(struct vcpu *v, void *arg)
{
    cpumask_t where = v->hard_affinity;
    struct vcpu_get_physid id;
    const struct machine_cpu *cpu;

    if (!v->domain->is_privileged || !where || (where & (where - 1)))
        return -EINVAL;
    cpu = &machine.cpus[__builtin_ctzl(where)];
    id.phys_id = (u64)cpu->acpi_id << 32 | cpu->apic_id;
    return copy_to_guest((struct vcpu_get_physid *)arg, &id) ? -EFAULT : 0;
}

long do_vcpu_op(unsigned long cmd, unsigned long id, unsigned long guest_arg,
                unsigned long a4, unsigned long a5)
{
    struct domain *d = currd;
    void *arg = (void *)guest_arg;
    struct vcpu *v;

    (void)a4, (void)a5;
    id = (u32)id;
    if (id >= d->max_vcpus)
        return -ENOENT;
    v = d->vcpu[index_nospec(id, d->max_vcpus)];
    if (!v)
        return -ENOENT;
    switch ((u32)cmd) {
    case VCPUOP_initialise:
        return initialise(v, arg);
    case VCPUOP_up:
        return bring_up(v);
    case VCPUOP_down:
        return bring_down(v);
    case VCPUOP_is_up:
        return !(READ_ONCE(v->pause_flags) & VPF_DOWN);
    case VCPUOP_get_runstate_info:
        return get_runstate(v, arg);
    case VCPUOP_register_runstate_memory_area:
        return register_runstate(v, arg);
    case VCPUOP_set_periodic_timer:
        return set_periodic(v, arg);
    case VCPUOP_stop_periodic_timer:
        vcpu_periodic_set(v, 0);
        return 0;
    case VCPUOP_set_singleshot_timer:
        return set_singleshot(v, arg);
    case VCPUOP_stop_singleshot_timer:
        return stop_singleshot(v);
    case VCPUOP_register_vcpu_info:
        return register_info(v, arg);
    case VCPUOP_send_nmi:
        return send_nmi(v, arg);
    case VCPUOP_get_physid:
        return get_physid(v, arg);
    case VCPUOP_register_vcpu_time_memory_area:
        return register_time(v, arg);
    default:
        return -ENOSYS;
    }
}
