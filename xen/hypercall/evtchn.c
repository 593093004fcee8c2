/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event_channel_op (event_channel.h). Sending comes first: it is the one that
 * has to be fast.
 */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/evtchn.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/pirq.h>

/* vCPU `id` of d, or NULL. */
static struct vcpu *domain_vcpu(struct domain *d, u32 id)
{
    return id < d->max_vcpus ? d->vcpu[index_nospec(id, d->max_vcpus)] : NULL;
}

/* Domain `id` for an operation on somebody's ports. -ESRCH, -EPERM. */
static int get_target(domid_t id, struct domain **d)
{
    *d = get_domain_by_id(id);
    if (!*d)
        return -ESRCH;
    if (*d != currd && !currd->is_privileged) {
        put_domain(*d);
        return -EPERM;
    }
    return 0;
}

/* --- making ports --- */

static int alloc_unbound(evtchn_alloc_unbound_t *op)
{
    struct domain *d;
    struct evtchn *chn;
    int port, rc = get_target(op->dom, &d);

    if (rc)
        return rc;
    spin_lock(&d->event_lock);
    port = evtchn_alloc_port(d);
    if (port >= 0) {
        chn = evtchn_find(d, (u32)port);
        chn->arg = op->remote_dom == DOMID_SELF ? currd->id : op->remote_dom;
        WRITE_ONCE(chn->state, ECS_UNBOUND);
        op->port = (u32)port;
    }
    spin_unlock(&d->event_lock);
    put_domain(d);
    return port < 0 ? port : 0;
}

/* Under both event locks. */
static int connect(struct domain *ld, struct domain *rd,
                   evtchn_bind_interdomain_t *op)
{
    struct evtchn *lchn, *rchn = evtchn_find(rd, op->remote_port);
    int port;

    if (!rchn || rchn->state != ECS_UNBOUND || rchn->arg != ld->id ||
        rd->is_dying || !rd->vcpu[rchn->notify_vcpu]) /* nobody to send to */
        return -EINVAL;
    port = evtchn_alloc_port(ld);
    if (port < 0)
        return port;
    lchn = evtchn_find(ld, (u32)port);
    if (lchn == rchn)
        return -EINVAL;
    lchn->remote_dom = rd;
    lchn->arg = op->remote_port;
    rchn->remote_dom = ld;
    rchn->arg = (u32)port;
    smp_wmb(); /* both ends complete before sends may follow them */
    WRITE_ONCE(lchn->state, ECS_INTERDOMAIN);
    WRITE_ONCE(rchn->state, ECS_INTERDOMAIN);
    /* What was sent while nobody was connected is lost: look once. */
    evtchn_set_pending(ld, lchn);
    op->local_port = (u32)port;
    return 0;
}

static int bind_interdomain(evtchn_bind_interdomain_t *op)
{
    struct domain *ld = currd, *rd = get_domain_by_id(op->remote_dom);
    struct domain *first, *second;
    int rc;

    if (!rd)
        return -ESRCH;
    first = ld < rd ? ld : rd;
    second = ld < rd ? rd : ld;
    spin_lock(&first->event_lock);
    if (second != first)
        spin_lock(&second->event_lock);
    rc = connect(ld, rd, op);
    if (second != first)
        spin_unlock(&second->event_lock);
    spin_unlock(&first->event_lock);
    put_domain(rd);
    return rc;
}

static int bind_virq(evtchn_bind_virq_t *op)
{
    struct domain *d = currd;
    struct vcpu *v;
    struct evtchn *chn;
    u32 virq = op->virq;
    int port;

    if (virq >= ARRAY_SIZE(v->virq_to_evtchn))
        return -EINVAL;
    virq = (u32)index_nospec(virq, ARRAY_SIZE(v->virq_to_evtchn));
    if (virq_is_global(virq) && op->vcpu)
        return -EINVAL;
    v = domain_vcpu(d, op->vcpu);
    if (!v)
        return -ENOENT;
    spin_lock(&d->event_lock);
    port = v->virq_to_evtchn[virq] ? -EEXIST : evtchn_alloc_port(d);
    if (port >= 0) {
        chn = evtchn_find(d, (u32)port);
        chn->notify_vcpu = (u16)v->id;
        chn->arg = virq;
        WRITE_ONCE(chn->state, ECS_VIRQ);
        WRITE_ONCE(v->virq_to_evtchn[virq], (u32)port);
        op->port = (u32)port;
    }
    spin_unlock(&d->event_lock);
    return port < 0 ? port : 0;
}

static int bind_ipi(evtchn_bind_ipi_t *op)
{
    struct domain *d = currd;
    struct vcpu *v = domain_vcpu(d, op->vcpu);
    struct evtchn *chn;
    int port;

    if (!v)
        return -ENOENT;
    spin_lock(&d->event_lock);
    port = evtchn_alloc_port(d);
    if (port >= 0) {
        chn = evtchn_find(d, (u32)port);
        chn->notify_vcpu = (u16)v->id;
        WRITE_ONCE(chn->state, ECS_IPI);
        op->port = (u32)port;
    }
    spin_unlock(&d->event_lock);
    return port < 0 ? port : 0;
}

/* Under the event lock. */
static int bind_pirq_locked(struct domain *d, evtchn_bind_pirq_t *op)
{
    struct pirq *p = pirq_find(d, (int)op->pirq);
    struct evtchn *chn;
    int port, rc;

    if (p && p->evtchn)
        return -EEXIST;
    p = pirq_get(d, (int)op->pirq);
    if (!p)
        return -ENOMEM;
    port = evtchn_alloc_port(d);
    if (port < 0)
        return port;
    /* The first interrupt may come before pirq_guest_bind() returns. */
    chn = evtchn_find(d, (u32)port);
    chn->arg = op->pirq;
    WRITE_ONCE(chn->state, ECS_PIRQ);
    p->evtchn = (u32)port;
    rc = pirq_guest_bind(d->vcpu[0], p, op->flags & BIND_PIRQ__WILL_SHARE);
    if (rc) {
        p->evtchn = 0;
        evtchn_free_port(d, chn);
        return rc;
    }
    op->port = (u32)port;
    return 0;
}

static int bind_pirq(evtchn_bind_pirq_t *op)
{
    struct domain *d = currd;
    int rc;

    if (op->pirq >= d->nr_pirqs)
        return -EINVAL;
    if (!pirq_find(d, (int)op->pirq))
        return -EPERM; /* it was never mapped for this domain */
    spin_lock(&d->event_lock);
    rc = bind_pirq_locked(d, op);
    spin_unlock(&d->event_lock);
    return rc;
}

/* --- looking at and changing ports --- */

static void fill_status(struct domain *d, const struct evtchn *chn,
                        evtchn_status_t *op)
{
    op->vcpu = chn->notify_vcpu;
    switch (chn->state) {
    case ECS_FREE:
    case ECS_RESERVED:
        op->status = EVTCHNSTAT_closed;
        break;
    case ECS_UNBOUND:
        op->status = EVTCHNSTAT_unbound;
        op->u.unbound.dom = (domid_t)chn->arg;
        break;
    case ECS_INTERDOMAIN:
        op->status = EVTCHNSTAT_interdomain;
        op->u.interdomain.dom = chn->remote_dom->id;
        op->u.interdomain.port = chn->arg;
        break;
    case ECS_PIRQ:
        op->status = EVTCHNSTAT_pirq;
        op->u.pirq = chn->arg;
        break;
    case ECS_VIRQ:
        op->status = EVTCHNSTAT_virq;
        op->u.virq = chn->arg;
        break;
    default:
        op->status = EVTCHNSTAT_ipi;
    }
    (void)d;
}

static int port_status(evtchn_status_t *op)
{
    struct domain *d;
    struct evtchn *chn;
    int rc = get_target(op->dom, &d);

    if (rc)
        return rc;
    chn = evtchn_find(d, op->port);
    if (chn) {
        spin_lock(&d->event_lock);
        fill_status(d, chn, op);
        spin_unlock(&d->event_lock);
    }
    put_domain(d);
    return chn ? 0 : -EINVAL;
}

/* Under the event lock. */
static int bind_vcpu_locked(struct domain *d, struct evtchn *chn,
                            struct vcpu *v)
{
    struct pirq *p;

    switch (chn->state) {
    case ECS_VIRQ:
        if (!virq_is_global(chn->arg))
            return -EINVAL;
        break;
    case ECS_UNBOUND:
    case ECS_INTERDOMAIN:
        break;
    case ECS_PIRQ:
        p = pirq_find(d, (int)chn->arg);
        if (p)
            pirq_set_affinity(d, p, v->processor);
        break;
    default:
        return -EINVAL;
    }
    WRITE_ONCE(chn->notify_vcpu, (u16)v->id);
    return 0;
}

static int bind_vcpu(const evtchn_bind_vcpu_t *op)
{
    struct domain *d = currd;
    struct vcpu *v = domain_vcpu(d, op->vcpu);
    struct evtchn *chn;
    int rc;

    if (!v)
        return -ENOENT;
    chn = evtchn_find(d, op->port);
    if (!chn)
        return -EINVAL;
    spin_lock(&d->event_lock);
    rc = bind_vcpu_locked(d, chn, v);
    spin_unlock(&d->event_lock);
    return rc;
}

static int unmask(const evtchn_unmask_t *op)
{
    struct domain *d = currd;
    struct evtchn *chn = evtchn_find(d, op->port);
    unsigned long flags;

    if (!chn)
        return -EINVAL;
    flags = local_irq_save();
    d->evtchn_ops->unmask(d->vcpu[READ_ONCE(chn->notify_vcpu)], chn);
    local_irq_restore(flags);
    return 0;
}

static int set_priority(const evtchn_set_priority_t *op)
{
    struct domain *d = currd;
    struct evtchn *chn = evtchn_find(d, op->port);
    int rc;

    if (!chn)
        return -EINVAL;
    spin_lock(&d->event_lock);
    rc = d->evtchn_ops->set_priority(chn, op->priority);
    spin_unlock(&d->event_lock);
    return rc;
}

static int reset(const evtchn_reset_t *op)
{
    struct domain *d;
    int rc = get_target(op->dom, &d);

    if (rc)
        return rc;
    if (d != currd && !d->controller_paused)
        rc = -EINVAL;
    else
        rc = evtchn_reset(d);
    put_domain(d);
    return rc;
}

/* --- decoding --- */

union evtchn_args {
    evtchn_alloc_unbound_t alloc_unbound;
    evtchn_bind_interdomain_t bind_interdomain;
    evtchn_bind_virq_t bind_virq;
    evtchn_bind_pirq_t bind_pirq;
    evtchn_bind_ipi_t bind_ipi;
    evtchn_close_t close;
    evtchn_status_t status;
    evtchn_bind_vcpu_t bind_vcpu;
    evtchn_unmask_t unmask;
    evtchn_reset_t reset;
    evtchn_init_control_t init_control;
    evtchn_expand_array_t expand_array;
    evtchn_set_priority_t set_priority;
};

static int op_alloc_unbound(union evtchn_args *a)
{
    return alloc_unbound(&a->alloc_unbound);
}

static int op_bind_interdomain(union evtchn_args *a)
{
    return bind_interdomain(&a->bind_interdomain);
}

static int op_bind_virq(union evtchn_args *a)
{
    return bind_virq(&a->bind_virq);
}

static int op_bind_pirq(union evtchn_args *a)
{
    return bind_pirq(&a->bind_pirq);
}

static int op_bind_ipi(union evtchn_args *a)
{
    return bind_ipi(&a->bind_ipi);
}

static int op_close(union evtchn_args *a)
{
    return evtchn_close(currd, a->close.port);
}

static int op_status(union evtchn_args *a)
{
    return port_status(&a->status);
}

static int op_bind_vcpu(union evtchn_args *a)
{
    return bind_vcpu(&a->bind_vcpu);
}

static int op_unmask(union evtchn_args *a)
{
    return unmask(&a->unmask);
}

static int op_reset(union evtchn_args *a)
{
    return reset(&a->reset);
}

static int op_init_control(union evtchn_args *a)
{
    return evtchn_fifo_init_control(currd, &a->init_control);
}

static int op_expand_array(union evtchn_args *a)
{
    return evtchn_fifo_expand_array(currd, a->expand_array.array_gfn);
}

static int op_set_priority(union evtchn_args *a)
{
    return set_priority(&a->set_priority);
}

/* The structure of each: its size, and whether it is copied back. */
static const struct {
    u8 size;
    bool reply;
    int (*fn)(union evtchn_args *a);
} evtchn_subops[] = {
#define SUBOP(name, reply)                                                     \
    {sizeof(evtchn_##name##_t), reply, op_##name}
    [EVTCHNOP_bind_interdomain] = SUBOP(bind_interdomain, true),
    [EVTCHNOP_bind_virq] = SUBOP(bind_virq, true),
    [EVTCHNOP_bind_pirq] = SUBOP(bind_pirq, true),
    [EVTCHNOP_close] = SUBOP(close, false),
    [EVTCHNOP_status] = SUBOP(status, true),
    [EVTCHNOP_alloc_unbound] = SUBOP(alloc_unbound, true),
    [EVTCHNOP_bind_ipi] = SUBOP(bind_ipi, true),
    [EVTCHNOP_bind_vcpu] = SUBOP(bind_vcpu, false),
    [EVTCHNOP_unmask] = SUBOP(unmask, false),
    [EVTCHNOP_reset] = SUBOP(reset, false),
    [EVTCHNOP_init_control] = SUBOP(init_control, true),
    [EVTCHNOP_expand_array] = SUBOP(expand_array, false),
    [EVTCHNOP_set_priority] = SUBOP(set_priority, false),
#undef SUBOP
};

static long call_subop(u32 cmd, void *arg, union evtchn_args *args)
{
    int rc;

    cmd = (u32)index_nospec(cmd, ARRAY_SIZE(evtchn_subops));
    if (raw_copy_from_guest(args, arg, evtchn_subops[cmd].size))
        return -EFAULT;
    rc = evtchn_subops[cmd].fn(args);
    if (!rc && evtchn_subops[cmd].reply &&
        raw_copy_to_guest(arg, args, evtchn_subops[cmd].size))
        return -EFAULT;
    return rc;
}

static bool subop_exists(unsigned long cmd)
{
    return cmd < ARRAY_SIZE(evtchn_subops) && evtchn_subops[cmd].fn;
}

/* The form before 3.0.2: the command and its structure are one. */
long do_event_channel_op_compat(unsigned long arg, unsigned long a2,
                                unsigned long a3, unsigned long a4,
                                unsigned long a5)
{
    struct evtchn_op *op = (struct evtchn_op *)arg;
    union evtchn_args args;
    long rc;
    u32 cmd;

    (void)a2, (void)a3, (void)a4, (void)a5;
    if (raw_copy_from_guest(&cmd, &op->cmd, sizeof(cmd)) ||
        raw_copy_from_guest(&args, &op->u, sizeof(op->u)))
        return -EFAULT;
    if (cmd == EVTCHNOP_send)
        return evtchn_send_port(currd, args.close.port);
    if (cmd > EVTCHNOP_unmask || !subop_exists(cmd))
        return -ENOSYS;
    rc = call_subop(cmd, &op->u, &args);
    return rc == -ERESTART ? HYPERCALL_RESTART(arg) : rc;
}

long do_event_channel_op(unsigned long cmd, unsigned long arg, unsigned long a3,
                         unsigned long a4, unsigned long a5)
{
    union evtchn_args args;
    long rc;

    (void)a3, (void)a4, (void)a5;
    if (likely((u32)cmd == EVTCHNOP_send)) {
        evtchn_send_t send;

        if (unlikely(copy_from_guest(&send, (void *)arg)))
            return -EFAULT;
        return evtchn_send_port(currd, send.port);
    }
    cmd = (u32)cmd;
    if (!subop_exists(cmd))
        return -ENOSYS;
    rc = call_subop((u32)cmd, (void *)arg, &args);
    return rc == -ERESTART ? HYPERCALL_RESTART(cmd, arg) : rc;
}
