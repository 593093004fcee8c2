/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event channels.
 *
 * A port is a number in a domain, its state a struct evtchn in a bucket. The
 * binding of ports changes under d->event_lock (of two domains, the one at the
 * lower address first). Sending takes no lock: it runs with irqs off, and what
 * it may still look at is freed only after a grace period:
 *   - buckets, and all arrays of pointers to them, live as long as the domain,
 *     the domain for one grace period after its last reference;
 *   - chn->remote_dom is NULL or a domain that was alive when irqs went off;
 *     it is written before chn->state says ECS_INTERDOMAIN.
 * The worst that a send can meet is a port that was closed and bound to
 * something else a moment ago: the guest then sees one event too many, which
 * the ABI allows at any time.
 * Floor: domain.
 */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include <hv/domain.h>
#include <hv/nospec.h>
#include <hv/types.h>
#include <xen/event_channel.h>

struct pirq;

enum evtchn_state {
    ECS_FREE,
    ECS_RESERVED, /* port 0 */
    ECS_UNBOUND,
    ECS_INTERDOMAIN,
    ECS_PIRQ,
    ECS_VIRQ,
    ECS_IPI,
};

struct evtchn {
    u8 state;         /* enum evtchn_state */
    u8 priority;      /* FIFO ABI */
    u8 pending;       /* FIFO: raised before its array page existed */
    u8 unused;
    u16 notify_vcpu;  /* index of the vCPU that is told */
    u16 last_queue;   /* FIFO: vCPU << 4 | priority of its last queue */
    u32 port;
    u32 arg; /* remote port, remote domain id (unbound), pirq or VIRQ */
    struct domain *remote_dom;
};

#define EVTCHNS_PER_BUCKET 64

/* The two ways to show pending ports to the guest. irqs off. */
struct evtchn_port_ops {
    void (*init)(struct domain *d, struct evtchn *chn); /* just allocated */
    bool (*set_pending)(struct vcpu *v, struct evtchn *chn); /* false: was */
    void (*clear_pending)(struct domain *d, struct evtchn *chn);
    void (*unmask)(struct vcpu *v, struct evtchn *chn);
    bool (*is_pending)(const struct domain *d, const struct evtchn *chn);
    bool (*is_masked)(const struct domain *d, const struct evtchn *chn);
    /* A free port that the guest's queue still links to. */
    bool (*is_busy)(const struct domain *d, const struct evtchn *chn);
    int (*set_priority)(struct evtchn *chn, unsigned int priority);
};
extern const struct evtchn_port_ops evtchn_2l_ops, evtchn_fifo_ops;

/* The port's state, or NULL if there never was such a port. Any context. */
static inline struct evtchn *evtchn_find(const struct domain *d, u32 port)
{
    unsigned long nr = READ_ONCE(d->valid_evtchns);

    if (unlikely(port >= nr))
        return NULL;
    port = (u32)index_nospec(port, nr);
    return &READ_ONCE(d->evtchn_bucket)[port / EVTCHNS_PER_BUCKET]
                                       [port % EVTCHNS_PER_BUCKET];
}

/* --- raising --- */
int evtchn_send_port(struct domain *d, u32 port); /* -EINVAL; any context */
void send_guest_vcpu_virq(struct vcpu *v, u32 virq);     /* any context */
void send_guest_global_virq(struct domain *d, u32 virq); /* NULL d: nothing */
/* To the domain that handles it: XEN_DOMCTL_set_virq_handler, else dom0. */
void send_global_virq(u32 virq);
/* False if the guest has not bound it or it is already pending. */
bool send_guest_pirq(struct domain *d, const struct pirq *p);
/* The port became pending: wake vCPUs that poll it. irqs off. */
void evtchn_check_pollers(struct domain *d, u32 port);
/* Is any unmasked event pending for v (its upcall may be masked)? */
static inline bool vcpu_event_pending(struct vcpu *v)
{
    const struct vcpu_info *info = v->pv.info;

    return READ_ONCE(info->evtchn_upcall_pending) &&
           !READ_ONCE(info->evtchn_upcall_mask);
}

bool evtchn_is_pending(const struct domain *d, const struct evtchn *chn);

/* --- binding: under d->event_lock, but for the last three --- */
bool virq_is_global(u32 virq);
/* A free port, initialised, to be given a state now. -EINVAL it is dying,
 * -ENOSPC, -ENOMEM, -ERESTART: call again, without the lock in between. */
int evtchn_alloc_port(struct domain *d);
void evtchn_free_port(struct domain *d, struct evtchn *chn);
void evtchn_set_pending(struct domain *d, struct evtchn *chn);
/* Close a port of d. -EINVAL: not open. Takes the locks itself. */
int evtchn_close(struct domain *d, u32 port);
/* Close all. -ERESTART. */
int evtchn_reset(struct domain *d);
int evtchn_set_virq_handler(struct domain *d, u32 virq);

/* --- FIFO ABI (evtchn-fifo.c) --- */
int evtchn_fifo_init_control(struct domain *d, evtchn_init_control_t *op);
int evtchn_fifo_expand_array(struct domain *d, u64 gfn);
void evtchn_fifo_destroy(struct domain *d); /* no event is sent any more */

/* --- lifetime --- */
int evtchn_init(struct domain *d);
int evtchn_destroy(struct domain *d);        /* domain_kill(); -ERESTART */
void evtchn_destroy_final(struct domain *d); /* the structure goes */
void evtchn_vcpu_init(struct vcpu *v);
void evtchn_dump(struct domain *d); /* debug key 'e' */

#endif
