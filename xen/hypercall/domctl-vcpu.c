/* SPDX-License-Identifier: GPL-2.0-only */
/* domctl: the vCPUs of a domain. */
#include <hv/domain-clock.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/nospec.h>
#include <hv/pv.h>
#include <hv/sched.h>

#include "control.h"

static struct vcpu *find_vcpu(struct domain *d, u32 id)
{
    return id < d->max_vcpus ? d->vcpu[index_nospec(id, d->max_vcpus)] : NULL;
}

static int make_vcpus(struct domain *d)
{
    for (u32 i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i])
            continue;
        if (d->evtchn_fifo)
            return -EBUSY; /* its queues are made for those there are */
        if (!vcpu_create(d, i))
            return -ENOMEM;
    }
    return 0;
}

/*
 * Makes them all; the number is the one that createdomain was given. Where
 * memory ran out it may be asked again, with the first of them at work.
 */
static int max_vcpus(struct domain *d, struct xen_domctl *op)
{
    int rc;

    if (d == currd || op->u.max_vcpus.max != d->max_vcpus)
        return -EINVAL;
    domain_pause(d);
    rc = make_vcpus(d);
    domain_unpause(d);
    return rc;
}

static int set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    int rc;

    domain_pause(v->domain);
    current->pv.preemptible = 1;
    rc = pv_ops->set_context(v, c);
    current->pv.preemptible = 0;
    if (!rc) {
        v->initialised = 1;
        if (v->id == 0) /* a builder clears the shared page first */
            domain_update_wall_clock(v->domain);
        if (c->flags & VGCF_online)
            vcpu_bring_up(v);
        else
            vcpu_bring_down(v);
    }
    domain_unpause(v->domain);
    return rc;
}

static int setvcpucontext(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_vcpucontext *a = &op->u.vcpucontext;
    struct vcpu *v = find_vcpu(d, a->vcpu);
    struct vcpu_guest_context *c;
    int rc;

    if (d == currd || !v)
        return -EINVAL;
    if (handle_is_null(a->ctxt))
        return -EOPNOTSUPP; /* a reset is for other kinds of guests */
    c = hv_alloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    rc = copy_from_handle(c, a->ctxt) ? -EFAULT : set_context(v, c);
    hv_free(c);
    return rc;
}

static int getvcpucontext(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_vcpucontext *a = &op->u.vcpucontext;
    struct vcpu *v = find_vcpu(d, a->vcpu);
    struct vcpu_guest_context *c;
    int rc = 0;

    if (d == currd || a->vcpu >= d->max_vcpus)
        return -EINVAL;
    if (!v)
        return -ESRCH;
    if (!v->initialised)
        return -ENODATA;
    c = hv_zalloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    vcpu_pause(v);
    pv_ops->get_context(v, c);
    if (!(v->pause_flags & VPF_DOWN))
        c->flags |= VGCF_online;
    vcpu_unpause(v);
    if (copy_to_handle(a->ctxt, c))
        rc = -EFAULT;
    hv_free(c);
    return rc;
}

static int getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_getvcpuinfo *a = &op->u.getvcpuinfo;
    struct vcpu *v = find_vcpu(d, a->vcpu);
    struct vcpu_runstate_info r;

    if (a->vcpu >= d->max_vcpus)
        return -EINVAL;
    if (!v)
        return -ESRCH;
    vcpu_get_runstate(v, &r);
    a->online = !(v->pause_flags & VPF_DOWN);
    a->blocked = !!(v->pause_flags & (VPF_BLOCKED | VPF_POLL));
    a->running = v->runstate.state == RUNSTATE_running;
    a->cpu_time = r.time[RUNSTATE_running];
    a->cpu = v->processor;
    return 0;
}

/* --- affinity --- */

static int set_affinity(struct vcpu *v, struct xen_domctl_vcpuaffinity *a)
{
    cpumask_t hard = v->hard_affinity, soft = v->soft_affinity;
    cpumask_t online = READ_ONCE(cpu_online_map);
    int rc = 0;

    if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
        bitmap_to_cpumask(&a->cpumap_hard, &hard))
        return -EFAULT;
    if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
        bitmap_to_cpumask(&a->cpumap_soft, &soft))
        return -EFAULT;
    if (a->flags & XEN_VCPUAFFINITY_FORCE)
        (void)vcpu_pin_override(v, -1);
    if (a->flags & XEN_VCPUAFFINITY_HARD)
        rc = vcpu_set_hard_affinity(v, hard);
    if (rc)
        return rc;
    if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
        cpumask_to_bitmap(hard & online, &a->cpumap_hard))
        return -EFAULT;
    if (a->flags & XEN_VCPUAFFINITY_SOFT) {
        WRITE_ONCE(v->soft_affinity, soft);
        if (cpumask_to_bitmap(soft & hard & online, &a->cpumap_soft))
            return -EFAULT;
    }
    return 0;
}

static int get_affinity(struct vcpu *v, struct xen_domctl_vcpuaffinity *a)
{
    int rc = 0;

    if (a->flags & XEN_VCPUAFFINITY_HARD)
        rc = cpumask_to_bitmap(v->hard_affinity, &a->cpumap_hard);
    if (!rc && (a->flags & XEN_VCPUAFFINITY_SOFT))
        rc = cpumask_to_bitmap(v->soft_affinity, &a->cpumap_soft);
    return rc;
}

static int vcpuaffinity(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    struct vcpu *v = find_vcpu(d, a->vcpu);

    if (a->vcpu >= d->max_vcpus)
        return -EINVAL;
    if (!v)
        return -ESRCH;
    if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
        return -EINVAL;
    return op->cmd == XEN_DOMCTL_setvcpuaffinity ? set_affinity(v, a)
                                                 : get_affinity(v, a);
}

/* --- the other entry points, kept apart from vcpu_guest_context --- */

#define EXT_CONTEXT_SIZE                                                       \
    (offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap) + sizeof(u64))

static int get_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_ext_vcpucontext *a = &op->u.ext_vcpucontext;
    struct vcpu *v = find_vcpu(d, a->vcpu);

    if (!v)
        return -ESRCH;
    a->size = EXT_CONTEXT_SIZE;
    a->sysenter_callback_cs = v->pv.sysenter.registered ? GUEST_CS32 : 0;
    a->sysenter_callback_eip = v->pv.sysenter.address;
    a->sysenter_disables_events = v->pv.sysenter.mask_events;
    a->syscall32_callback_cs = v->pv.syscall32.registered ? GUEST_CS32 : 0;
    a->syscall32_callback_eip = v->pv.syscall32.address;
    a->syscall32_disables_events = v->pv.syscall32.mask_events;
    a->mcg_cap = 0;
    return 0;
}

static int set_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_ext_vcpucontext *a = &op->u.ext_vcpucontext;
    struct vcpu *v = find_vcpu(d, a->vcpu);

    if (!v)
        return -ESRCH;
    if (d == currd ||
        a->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap) ||
        !canonical(a->sysenter_callback_eip) ||
        !canonical(a->syscall32_callback_eip) ||
        !guest_range_ok(a->sysenter_callback_eip, 1) ||
        !guest_range_ok(a->syscall32_callback_eip, 1))
        return -EINVAL;
    domain_pause(d);
    v->pv.sysenter = (struct guest_callback){a->sysenter_callback_eip,
                                             a->sysenter_disables_events,
                                             a->sysenter_callback_cs != 0};
    v->pv.syscall32 = (struct guest_callback){a->syscall32_callback_eip,
                                              a->syscall32_disables_events,
                                              a->syscall32_callback_cs != 0};
    domain_unpause(d);
    return 0;
}

static int sendtrigger(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_sendtrigger *a = &op->u.sendtrigger;
    struct vcpu *v = find_vcpu(d, a->vcpu);

    if (a->vcpu >= d->max_vcpus)
        return -EINVAL;
    if (!v)
        return -ESRCH;
    if (a->trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
        return -ENOSYS;
    vcpu_send_nmi(v);
    return 0;
}

domctl_fn domctl_vcpu_fn(u32 cmd)
{
    switch (cmd) {
    case XEN_DOMCTL_max_vcpus:
        return max_vcpus;
    case XEN_DOMCTL_setvcpucontext:
        return setvcpucontext;
    case XEN_DOMCTL_getvcpucontext:
        return getvcpucontext;
    case XEN_DOMCTL_getvcpuinfo:
        return getvcpuinfo;
    case XEN_DOMCTL_setvcpuaffinity:
    case XEN_DOMCTL_getvcpuaffinity:
        return vcpuaffinity;
    case XEN_DOMCTL_get_ext_vcpucontext:
        return get_ext_vcpucontext;
    case XEN_DOMCTL_set_ext_vcpucontext:
        return set_ext_vcpucontext;
    case XEN_DOMCTL_sendtrigger:
        return sendtrigger;
    default:
        return NULL;
    }
}
