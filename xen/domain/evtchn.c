/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event channels: ports, sending, closing. The rules are in hv/evtchn.h, the
 * two ways to show a port to the guest in evtchn-2l.c and evtchn-fifo.c.
 */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/evtchn.h>
#include <hv/pirq.h>
#include <hv/printk.h>
#include <hv/softirq.h>
#include <hv/string.h>

#define FIRST_BUCKETS 4 /* pointers; doubled as the domain needs them */
#define NR_VIRQ 24

static struct domain *virq_handler[NR_VIRQ]; /* NULL: domain 0 */
static DEFINE_SPINLOCK(virq_handler_lock);

bool virq_is_global(u32 virq)
{
    switch (virq) {
    case VIRQ_TIMER:
    case VIRQ_DEBUG:
    case VIRQ_XENOPROF:
    case VIRQ_XENPMU:
        return false;
    default:
        return true;
    }
}

/* --- raising --- */

void vcpu_mark_events_pending(struct vcpu *v)
{
    if (!atomic_xchg(&v->pv.info->evtchn_upcall_pending, 1))
        vcpu_kick(v);
}

void evtchn_check_pollers(struct domain *d, u32 port)
{
    u64 mask = READ_ONCE(d->poll_mask[0]);

    /* Pollers set their bit before they look at the ports; we set the port
     * pending, by a locked instruction, before this look at the bits. */
    if (likely(!mask))
        return;
    for (; mask; mask &= mask - 1) {
        unsigned int id = (unsigned int)__builtin_ctzl(mask);
        struct vcpu *v = d->vcpu[id];
        u32 polled = READ_ONCE(v->poll_evtchn);

        if ((!polled || polled == port) &&
            test_and_clear_bit(id, d->poll_mask))
            vcpu_clear_flags(v, VPF_POLL);
    }
}

/* irqs off */
static bool raise_port(struct domain *d, struct evtchn *chn)
{
    struct vcpu *v = d->vcpu[READ_ONCE(chn->notify_vcpu)];

    ASSERT(!local_irq_is_enabled());
    return d->evtchn_ops->set_pending(v, chn);
}

void evtchn_set_pending(struct domain *d, struct evtchn *chn)
{
    unsigned long flags = local_irq_save();

    raise_port(d, chn);
    local_irq_restore(flags);
}

/* irqs off: the other end lives at least until they are on again. */
static void send_interdomain(const struct evtchn *chn)
{
    struct domain *rd = READ_ONCE(chn->remote_dom);
    struct evtchn *rchn;

    if (unlikely(!rd) || unlikely(rd->is_dying == 2))
        return;
    rchn = evtchn_find(rd, READ_ONCE(chn->arg));
    if (likely(rchn))
        raise_port(rd, rchn);
}

int evtchn_send_port(struct domain *d, u32 port)
{
    struct evtchn *chn = evtchn_find(d, port);
    unsigned long flags;
    int rc = 0;

    if (unlikely(!chn))
        return -EINVAL;
    flags = local_irq_save();
    switch (READ_ONCE(chn->state)) {
    case ECS_INTERDOMAIN:
        send_interdomain(chn);
        break;
    case ECS_IPI:
        raise_port(d, chn);
        break;
    case ECS_UNBOUND: /* nobody is there yet: no error */
        break;
    default:
        rc = -EINVAL;
    }
    local_irq_restore(flags);
    return rc;
}

void send_guest_vcpu_virq(struct vcpu *v, u32 virq)
{
    unsigned long flags = local_irq_save();
    struct domain *d = v->domain;
    u32 port = READ_ONCE(v->virq_to_evtchn[virq]);
    struct evtchn *chn = port ? evtchn_find(d, port) : NULL;

    if (chn)
        d->evtchn_ops->set_pending(d->vcpu[READ_ONCE(chn->notify_vcpu)], chn);
    local_irq_restore(flags);
}

void send_guest_global_virq(struct domain *d, u32 virq)
{
    if (d && d->vcpu && d->vcpu[0])
        send_guest_vcpu_virq(d->vcpu[0], virq);
}

void send_global_virq(u32 virq)
{
    unsigned long flags = local_irq_save();
    struct domain *d = READ_ONCE(virq_handler[virq]);

    send_guest_global_virq(d ? d : dom0, virq);
    local_irq_restore(flags);
}

bool send_guest_pirq(struct domain *d, const struct pirq *p)
{
    unsigned long flags = local_irq_save();
    u32 port = READ_ONCE(p->evtchn);
    struct evtchn *chn = port ? evtchn_find(d, port) : NULL;
    bool sent = chn && raise_port(d, chn);

    local_irq_restore(flags);
    return sent;
}

/* --- who handles the global VIRQs --- */

int evtchn_set_virq_handler(struct domain *d, u32 virq)
{
    struct domain *old;

    if (virq >= NR_VIRQ || !virq_is_global(virq))
        return -EINVAL;
    if (d == dom0)
        d = NULL;
    else
        get_domain(d);
    spin_lock(&virq_handler_lock);
    old = virq_handler[virq];
    WRITE_ONCE(virq_handler[virq], d);
    spin_unlock(&virq_handler_lock);
    if (old)
        put_domain(old);
    return 0;
}

static void forget_virq_handler(struct domain *d)
{
    for (u32 virq = 0; virq < NR_VIRQ; virq++) {
        bool was = false;

        spin_lock(&virq_handler_lock);
        if (virq_handler[virq] == d) {
            WRITE_ONCE(virq_handler[virq], NULL);
            was = true;
        }
        spin_unlock(&virq_handler_lock);
        if (was)
            put_domain(d);
    }
}

/* --- ports --- */

bool evtchn_is_pending(const struct domain *d, const struct evtchn *chn)
{
    unsigned long flags = local_irq_save();
    bool pending = d->evtchn_ops->is_pending(d, chn);

    local_irq_restore(flags);
    return pending;
}

/*
 * Room for one more pointer to a bucket. Whoever looks a port up may still hold
 * the old array, with irqs on as well, so it lives as long as the domain: the
 * element behind the last slot leads to it.
 */
static int grow_bucket_array(struct domain *d, unsigned int used)
{
    struct evtchn **old = d->evtchn_bucket, **array;

    if (used < d->nr_bucket_slots)
        return 0;
    ASSERT(spin_is_locked(&d->event_lock) && used == d->nr_bucket_slots);
    array = new_array(struct evtchn *, used * 2 + 1);
    if (!array)
        return -ENOMEM;
    memcpy(array, old, used * sizeof(*array));
    array[used * 2] = (struct evtchn *)old;
    smp_wmb(); /* contents before the pointer */
    WRITE_ONCE(d->evtchn_bucket, array);
    d->nr_bucket_slots *= 2;
    return 0;
}

static int add_bucket(struct domain *d)
{
    unsigned int first = d->valid_evtchns;
    struct evtchn *bucket = new_array(struct evtchn, EVTCHNS_PER_BUCKET);

    if (!bucket)
        return -ENOMEM;
    if (grow_bucket_array(d, first / EVTCHNS_PER_BUCKET)) {
        hv_free(bucket);
        return -ENOMEM;
    }
    for (unsigned int i = 0; i < EVTCHNS_PER_BUCKET; i++)
        bucket[i].port = first + i;
    d->evtchn_bucket[first / EVTCHNS_PER_BUCKET] = bucket;
    smp_wmb(); /* the bucket before the count that makes it visible */
    WRITE_ONCE(d->valid_evtchns, first + EVTCHNS_PER_BUCKET);
    return 0;
}

static void init_port(struct domain *d, struct evtchn *chn)
{
    ASSERT(chn->state == ECS_FREE);
    chn->notify_vcpu = 0;
    chn->remote_dom = NULL;
    chn->arg = 0;
    chn->pending = 0;
    d->evtchn_ops->init(d, chn);
}

/* Ports looked at in one go, with the lock held. */
#define MAX_SEARCH 4096

int evtchn_alloc_port(struct domain *d)
{
    u32 first = MAX(d->evtchn_hint, d->evtchn_search);
    bool all_used = first == d->evtchn_hint;
    int rc;

    ASSERT(spin_is_locked(&d->event_lock));
    if (d->is_dying)
        return -EINVAL;
    d->evtchn_search = 0;
    for (u32 port = first;; port++) {
        struct evtchn *chn;

        if (port > d->max_evtchn_port || port >= d->max_evtchns)
            return -ENOSPC;
        if (port - first == MAX_SEARCH) {
            d->evtchn_search = port;
            return -ERESTART;
        }
        if (port >= d->valid_evtchns) {
            rc = add_bucket(d);
            if (rc)
                return rc;
        }
        chn = evtchn_find(d, port);
        if (chn->state == ECS_FREE && !d->evtchn_ops->is_busy(d, chn)) {
            init_port(d, chn);
            if (all_used)
                d->evtchn_hint = port + 1;
            return (int)port;
        }
        if (chn->state == ECS_FREE)
            all_used = false; /* only not just now */
        if (all_used)
            d->evtchn_hint = port + 1;
    }
}

/* Under the event locks. */
void evtchn_free_port(struct domain *d, struct evtchn *chn)
{
    ASSERT(spin_is_locked(&d->event_lock));
    WRITE_ONCE(chn->state, ECS_FREE);
    chn->remote_dom = NULL;
    d->evtchn_ops->clear_pending(d, chn);
    d->evtchn_hint = MIN(d->evtchn_hint, chn->port);
    d->evtchn_search = MIN(d->evtchn_search, chn->port);
}

static void lock_pair(struct domain *a, struct domain *b)
{
    if (a == b) {
        spin_lock(&a->event_lock);
        return;
    }
    spin_lock(&(a < b ? a : b)->event_lock);
    spin_lock(&(a < b ? b : a)->event_lock);
}

static void unlock_pair(struct domain *a, struct domain *b)
{
    spin_unlock(&a->event_lock);
    if (a != b)
        spin_unlock(&b->event_lock);
}

/* The far end goes back to waiting for a connection from d. */
static void disconnect(struct domain *d, struct evtchn *chn)
{
    struct domain *rd = chn->remote_dom;
    struct evtchn *rchn = evtchn_find(rd, chn->arg);

    ASSERT(rchn && rchn->state == ECS_INTERDOMAIN && rchn->remote_dom == d);
    WRITE_ONCE(rchn->state, ECS_UNBOUND);
    rchn->remote_dom = NULL;
    rchn->arg = d->id;
}

static void unbind_virq(struct domain *d, const struct evtchn *chn)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        if (v->virq_to_evtchn[chn->arg] == chn->port)
            WRITE_ONCE(v->virq_to_evtchn[chn->arg], 0);
}

static void unbind_pirq(struct domain *d, const struct evtchn *chn)
{
    struct pirq *p = pirq_find(d, (int)chn->arg);

    if (!p)
        return;
    pirq_guest_unbind(d, p);
    p->evtchn = 0;
}

/*
 * The other end of an interdomain port, with a reference, or NULL. It may be
 * another one by the time both locks are held.
 */
static struct domain *get_remote(struct domain *d, struct evtchn *chn)
{
    struct domain *rd = NULL;

    spin_lock(&d->event_lock);
    if (chn->state == ECS_INTERDOMAIN) {
        rd = chn->remote_dom;
        get_domain(rd); /* alive: its own port still points here */
    }
    spin_unlock(&d->event_lock);
    return rd;
}

/* Under d's lock, and the other end's if it is interdomain. */
static int close_locked(struct domain *d, struct evtchn *chn)
{
    switch (chn->state) {
    case ECS_FREE:
    case ECS_RESERVED:
        return -EINVAL;
    case ECS_INTERDOMAIN:
        disconnect(d, chn);
        break;
    case ECS_VIRQ:
        unbind_virq(d, chn);
        break;
    case ECS_PIRQ:
        unbind_pirq(d, chn);
        break;
    default:
        break;
    }
    evtchn_free_port(d, chn);
    return 0;
}

int evtchn_close(struct domain *d, u32 port)
{
    struct evtchn *chn = evtchn_find(d, port);
    struct domain *rd;
    bool stable;
    int rc = 0;

    if (!chn)
        return -EINVAL;
    do {
        rd = get_remote(d, chn);
        lock_pair(d, rd ? rd : d);
        stable = rd ? chn->state == ECS_INTERDOMAIN && chn->remote_dom == rd
                    : chn->state != ECS_INTERDOMAIN;
        if (stable)
            rc = close_locked(d, chn);
        unlock_pair(d, rd ? rd : d);
        if (rd)
            put_domain(rd);
    } while (!stable);
    return rc;
}

/* From *next on, where it also says where to go on. */
static int close_all(struct domain *d, u32 *next)
{
    for (; *next < d->valid_evtchns; ++*next) {
        (void)evtchn_close(d, *next);
        if (!(*next % 64) && softirq_is_pending()) {
            ++*next;
            return -ERESTART;
        }
    }
    *next = 0;
    return 0;
}

/*
 * Back to the 2-level ABI, with no port open and nothing pending. The lock is
 * held over the grace period: nobody may give pages to the arrays that go.
 */
static void back_to_2l(struct domain *d)
{
    struct shared_info *s = d->shared_info;

    spin_lock(&d->event_lock);
    d->evtchn_search = 0; /* it may be beyond the last port now */
    if (d->evtchn_fifo) {
        ASSERT(d->evtchn_ops == &evtchn_fifo_ops);
        WRITE_ONCE(d->evtchn_ops, &evtchn_2l_ops);
        d->max_evtchns = EVTCHN_2L_NR_CHANNELS;
        memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
        memset(s->evtchn_mask, 0xff, sizeof(s->evtchn_mask));
        domain_grace_period(); /* for those who still use the arrays */
        evtchn_fifo_destroy(d);
    }
    spin_unlock(&d->event_lock);
}

int evtchn_reset(struct domain *d)
{
    int rc = close_all(d, &d->evtchn_reset_port);

    if (!rc)
        back_to_2l(d);
    return rc;
}

/* --- lifetime --- */

int evtchn_init(struct domain *d)
{
    d->evtchn_ops = &evtchn_2l_ops;
    d->max_evtchns = EVTCHN_2L_NR_CHANNELS;
    d->max_evtchn_port = EVTCHN_FIFO_NR_CHANNELS - 1;
    d->nr_bucket_slots = FIRST_BUCKETS;
    d->evtchn_bucket = new_array(struct evtchn *, FIRST_BUCKETS + 1);
    if (!d->evtchn_bucket || add_bucket(d))
        return -ENOMEM;
    evtchn_find(d, 0)->state = ECS_RESERVED;
    d->evtchn_hint = 1;
    return 0;
}

void evtchn_vcpu_init(struct vcpu *v)
{
    memset(v->virq_to_evtchn, 0, sizeof(v->virq_to_evtchn));
}

int evtchn_destroy(struct domain *d)
{
    /* Not where a reset stopped that its guest never went on with: since then
     * it may have opened ports below. */
    int rc = close_all(d, &d->evtchn_destroy_port);

    if (rc)
        return rc;
    forget_virq_handler(d);
    domain_grace_period();
    spin_lock(&d->event_lock); /* domain 0 may just be resetting it */
    d->evtchn_ops = &evtchn_2l_ops;
    evtchn_fifo_destroy(d); /* also what a refused init_control left */
    ASSERT(!d->evtchn_fifo);
    spin_unlock(&d->event_lock);
    return 0;
}

void evtchn_destroy_final(struct domain *d)
{
    struct evtchn **array = d->evtchn_bucket, **older;

    for (u32 p = 0; array && p < d->valid_evtchns; p += EVTCHNS_PER_BUCKET)
        hv_free(array[p / EVTCHNS_PER_BUCKET]);
    for (u32 nr = d->nr_bucket_slots; array; nr /= 2, array = older) {
        ASSERT(nr >= FIRST_BUCKETS);
        older = (struct evtchn **)array[nr];
        hv_free(array);
    }
}

/* --- debug key 'e' --- */

/* A port as it was: nothing stops the guest while it is printed. */
struct shown_port {
    struct evtchn chn;
    domid_t remote; /* of an interdomain port */
    bool pending, masked;
};

/* With irqs off the other end lives, and so do the pages with the bits. */
static void look_at_port(const struct domain *d, u32 port,
                         struct shown_port *to)
{
    unsigned long flags = local_irq_save();
    const struct evtchn *chn = evtchn_find(d, port);
    const struct domain *rd;

    *to = (struct shown_port){.chn = *chn, .remote = DOMID_INVALID};
    rd = to->chn.remote_dom;
    if (rd)
        to->remote = rd->id;
    if (to->chn.state != ECS_FREE) {
        to->pending = d->evtchn_ops->is_pending(d, chn);
        to->masked = d->evtchn_ops->is_masked(d, chn);
    }
    local_irq_restore(flags);
}

void evtchn_dump(struct domain *d)
{
    static const char *const names[] = {"free", "reserved", "unbound",
                                        "interdomain", "pirq", "virq", "ipi"};

    printk("Event channels of domain %u, %s ABI:\n", d->id,
           d->evtchn_fifo ? "FIFO" : "2-level");
    for (u32 port = 1; port < d->valid_evtchns; port++) {
        struct shown_port p;

        look_at_port(d, port, &p);
        if (p.chn.state == ECS_FREE)
            continue;
        printk("  port %4u [%c%c] vcpu %u %s %u%s", port,
               p.pending ? 'p' : '-', p.masked ? 'm' : '-', p.chn.notify_vcpu,
               names[p.chn.state], p.chn.arg,
               p.chn.state == ECS_INTERDOMAIN ? "" : "\n");
        if (p.chn.state == ECS_INTERDOMAIN)
            printk(" of domain %u\n", p.remote);
    }
}
