/* SPDX-License-Identifier: GPL-2.0-only */
/* domctl: domains as a whole - create, destroy, pause, describe, time. */
#include <hv/clock.h>
#include <hv/domain-clock.h>
#include <hv/errno.h>
#include <hv/evtchn.h>
#include <hv/grant-table.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "control.h"

static_assert(sizeof(((struct domain *)0)->handle) ==
                  sizeof(xen_domain_handle_t),
              "a UUID");

/* --- creation --- */

#define ALLOWED_FLAGS                                                          \
    (XEN_DOMCTL_CDF_s3_integrity | XEN_DOMCTL_CDF_oos_off |                    \
     XEN_DOMCTL_CDF_xs_domain)

/* What a PV guest without an IOMMU can be asked to be. */
static int check_config(const struct xen_domctl_createdomain *c)
{
    if (c->flags & ~(2 * XEN_DOMCTL_CDF_MAX - 1))
        return -EINVAL;
    if (c->flags & ~(u32)ALLOWED_FLAGS)
        return -EOPNOTSUPP;
    if (c->iommu_opts || c->vmtrace_size || c->arch.emulation_flags ||
        (c->arch.misc_flags & ~XEN_X86_MSR_RELAXED))
        return -EINVAL;
    if (!c->max_vcpus || c->max_vcpus > MAX_VCPUS)
        return -EINVAL;
    if (c->cpupool_id)
        return -ESRCH;
    return 0;
}

static bool id_is_free(domid_t id)
{
    struct domain *d = get_domain_by_id(id);

    if (d)
        put_domain(d);
    return !d;
}

/* A free id: ids are not used again before all others were. */
static int choose_id(domid_t wanted, domid_t *id)
{
    static domid_t last;

    if (wanted && wanted < DOMID_FIRST_RESERVED) {
        *id = wanted;
        return id_is_free(wanted) ? 0 : -EEXIST;
    }
    for (u32 tries = 1; tries < DOMID_FIRST_RESERVED; tries++) {
        last = last + 1 < (domid_t)DOMID_FIRST_RESERVED ? last + 1 : 1;
        if (id_is_free(last)) {
            *id = last;
            return 0;
        }
    }
    return -ENOMEM;
}

static int configure(struct domain *d, const struct xen_domctl_createdomain *c)
{
    memcpy(d->handle, c->handle, sizeof(d->handle));
    d->ssidref = c->ssidref;
    d->is_xenstore = !!(c->flags & XEN_DOMCTL_CDF_xs_domain);
    d->max_pages = 0;
    d->max_evtchn_port =
        MIN(c->max_evtchn_port, (u32)EVTCHN_FIFO_NR_CHANNELS - 1);
    return grant_table_set_limits(d, c->max_grant_frames,
                                  c->max_maptrack_frames,
                                  XEN_DOMCTL_GRANT_version(c->grant_opts));
}

int domctl_createdomain(struct domain *none, struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *c = &op->u.createdomain;
    struct domain *d;
    domid_t id;
    int rc = check_config(c);

    (void)none;
    if (!rc)
        rc = choose_id(op->domain, &id);
    if (rc)
        return rc;
    d = domain_create(id, c->max_vcpus, 0, &rc);
    if (!d)
        return rc;
    d->controller_paused = 1;
    domain_pause(d);
    rc = configure(d, c);
    if (rc) {
        while (domain_kill(d) == -ERESTART)
            ;
        return rc;
    }
    op->domain = id;
    return 0;
}

static int destroydomain(struct domain *d, struct xen_domctl *op)
{
    (void)op;
    return domain_kill(d);
}

/* --- pausing --- */

static int pausedomain(struct domain *d, struct xen_domctl *op)
{
    (void)op;
    if (d == currd)
        return -EINVAL;
    if (d->controller_paused == 255)
        return -EOVERFLOW;
    d->controller_paused++;
    domain_pause(d);
    return 0;
}

static int unpausedomain(struct domain *d, struct xen_domctl *op)
{
    (void)op;
    if (!d->controller_paused)
        return -EINVAL;
    if (!d->is_told) {
        d->is_told = true;
        domain_tell_life(d, true);
    }
    d->controller_paused--;
    domain_unpause(d);
    return 0;
}

static int resumedomain(struct domain *d, struct xen_domctl *op)
{
    (void)op;
    if (d == currd)
        return -EINVAL;
    domain_resume(d);
    return 0;
}

/* --- description --- */

static u32 vcpu_flags(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    u32 flags = XEN_DOMINF_blocked;
    struct vcpu *v;

    info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    for_each_vcpu (d, v) {
        struct vcpu_runstate_info r;

        vcpu_get_runstate(v, &r);
        info->cpu_time += r.time[RUNSTATE_running];
        info->max_vcpu_id = v->id;
        if (v->pause_flags & VPF_DOWN)
            continue;
        if (!(v->pause_flags & (VPF_BLOCKED | VPF_POLL)))
            flags &= ~(u32)XEN_DOMINF_blocked;
        if (v->runstate.state == RUNSTATE_running)
            flags |= XEN_DOMINF_running;
        info->nr_online_vcpus++;
    }
    return flags;
}

void fill_domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    memset(info, 0, sizeof(*info));
    info->domain = d->id;
    info->flags = vcpu_flags(d, info);
    if (d->is_dying == 2)
        info->flags |= XEN_DOMINF_dying;
    if (d->is_shutting_down == 2)
        info->flags |= XEN_DOMINF_shutdown;
    if (d->controller_paused)
        info->flags |= XEN_DOMINF_paused;
    if (d->is_xenstore)
        info->flags |= XEN_DOMINF_xs_domain;
    info->flags |= (u32)d->shutdown_code << XEN_DOMINF_shutdownshift;
    info->tot_pages = d->tot_pages;
    info->max_pages = d->max_pages;
    info->outstanding_pages = d->claimed_pages;
    info->shared_info_frame = mfn_x(d->shared_info_mfn);
    info->ssidref = d->ssidref;
    info->gpaddr_bits = cpu_features.phys_bits;
    memcpy(info->handle, d->handle, sizeof(info->handle));
}

static int getdomaininfo(struct domain *d, struct xen_domctl *op)
{
    fill_domain_info(d, &op->u.getdomaininfo);
    op->domain = d->id;
    return 0;
}

static int setdomainhandle(struct domain *d, struct xen_domctl *op)
{
    memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
    return 0;
}

/* --- scheduling --- */

static int scheduler_op(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

    if (s->sched_id != sched_id())
        return -EINVAL;
    switch (s->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        s->u.credit2.weight = d->sched_weight;
        s->u.credit2.cap = 0;
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo:
        if (s->u.credit2.cap)
            return -EOPNOTSUPP;
        if (s->u.credit2.weight)
            domain_set_weight(d, s->u.credit2.weight);
        return 0;
    default:
        return -EINVAL;
    }
}

/* One node: any set that holds it. */
static int setnodeaffinity(struct domain *d, struct xen_domctl *op)
{
    cpumask_t nodes;
    int rc = bitmap_to_cpumask(&op->u.nodeaffinity.nodemap, &nodes);

    (void)d;
    return rc ? rc : nodes & 1 ? 0 : -EINVAL;
}

static int getnodeaffinity(struct domain *d, struct xen_domctl *op)
{
    (void)d;
    return cpumask_to_bitmap(1, &op->u.nodeaffinity.nodemap);
}

/* --- time --- */

static int settimeoffset(struct domain *d, struct xen_domctl *op)
{
    d->time_offset_seconds = op->u.settimeoffset.time_offset_seconds;
    domain_update_wall_clock(d);
    return 0;
}

/* The TSC is never emulated; a guest gets the machine's, and is told so. */
#define TSC_MODE_ALWAYS_EMULATE 1
#define TSC_MODE_LAST 2

static int gettscinfo(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_tsc_info *t = &op->u.tsc_info;

    if (d == currd)
        return -EINVAL;
    t->tsc_mode = d->tsc_mode;
    t->gtsc_khz = tsc_khz;
    t->incarnation = d->tsc_incarnation;
    t->elapsed_nsec = (u64)(now() - d->time_shift);
    return 0;
}

static int settscinfo(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_tsc_info *t = &op->u.tsc_info;

    if (d == currd || t->tsc_mode > TSC_MODE_LAST)
        return -EINVAL;
    if (t->tsc_mode == TSC_MODE_ALWAYS_EMULATE)
        return -EOPNOTSUPP;
    d->tsc_mode = (u8)t->tsc_mode;
    d->tsc_incarnation = t->incarnation;
    return 0;
}

/* --- events --- */

static int subscribe(struct domain *d, struct xen_domctl *op)
{
    struct evtchn *chn = evtchn_find(d, op->u.subscribe.port);

    if (!chn || chn->state == ECS_FREE)
        return -EINVAL;
    d->suspend_evtchn = op->u.subscribe.port;
    return 0;
}

static int set_virq_handler(struct domain *d, struct xen_domctl *op)
{
    return evtchn_set_virq_handler(d, op->u.set_virq_handler.virq);
}

/* No device models: no domain has power over another one. */
static int set_target(struct domain *d, struct xen_domctl *op)
{
    (void)d, (void)op;
    return -EOPNOTSUPP;
}

domctl_fn domctl_domain_fn(u32 cmd)
{
    switch (cmd) {
    case XEN_DOMCTL_destroydomain:
        return destroydomain;
    case XEN_DOMCTL_pausedomain:
        return pausedomain;
    case XEN_DOMCTL_unpausedomain:
        return unpausedomain;
    case XEN_DOMCTL_resumedomain:
        return resumedomain;
    case XEN_DOMCTL_getdomaininfo:
        return getdomaininfo;
    case XEN_DOMCTL_setdomainhandle:
        return setdomainhandle;
    case XEN_DOMCTL_scheduler_op:
        return scheduler_op;
    case XEN_DOMCTL_setnodeaffinity:
        return setnodeaffinity;
    case XEN_DOMCTL_getnodeaffinity:
        return getnodeaffinity;
    case XEN_DOMCTL_settimeoffset:
        return settimeoffset;
    case XEN_DOMCTL_gettscinfo:
        return gettscinfo;
    case XEN_DOMCTL_settscinfo:
        return settscinfo;
    case XEN_DOMCTL_subscribe:
        return subscribe;
    case XEN_DOMCTL_set_virq_handler:
        return set_virq_handler;
    case XEN_DOMCTL_set_target:
        return set_target;
    default:
        return NULL;
    }
}
