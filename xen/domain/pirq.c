/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical interrupts of domains: numbers, binding, end of interrupt.
 *
 * An irq of domains has one struct pirq_action, the handler's argument, that
 * lists who has bound it. Lock order: d->event_lock, irqs_lock, action->lock,
 * irq_desc.lock. action->lock is taken in interrupt context.
 */
#include <hv/bug.h>
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/evtchn.h>
#include <hv/irq.h>
#include <hv/pirq.h>
#include <hv/printk.h>

#define MAX_SHARERS 4

struct pirq_action {
    spinlock_t lock;
    s_time_t last_move; /* to another CPU */
    bool shareable;
    u8 nr_guests;
    u8 nr_in_service; /* of them, how many have not given an EOI */
    struct pirq *guests[MAX_SHARERS];
};

/* Which action an irq has; the handlers get theirs as an argument. */
static struct pirq_action *actions[NR_IRQS];
static DEFINE_SPINLOCK(irqs_lock); /* actions[], and who is in them */

/* --- numbers --- */

/* Only who drives devices has pirqs. */
static unsigned int pirq_limit(const struct domain *d)
{
    return d->is_privileged ? NR_IRQS : 0;
}

struct pirq *pirq_find(const struct domain *d, int pirq)
{
    struct pirq **table = READ_ONCE(d->pirqs);

    if (!table || pirq < 0 || (unsigned int)pirq >= d->nr_pirqs)
        return NULL;
    return READ_ONCE(table[pirq]);
}

static bool make_table(struct domain *d)
{
    unsigned int n = pirq_limit(d);
    struct pirq **table;

    if (d->pirqs || !n)
        return d->pirqs != NULL;
    table = new_array(struct pirq *, n);
    if (!table)
        return false;
    d->nr_pirqs = n;
    smp_wmb(); /* pirq_find() looks at the table first */
    WRITE_ONCE(d->pirqs, table);
    return true;
}

struct pirq *pirq_get(struct domain *d, int pirq)
{
    struct pirq *p;

    if (!make_table(d) || pirq < 0 || (unsigned int)pirq >= d->nr_pirqs)
        return NULL;
    if (d->pirqs[pirq])
        return d->pirqs[pirq];
    p = new(struct pirq);
    if (!p)
        return NULL;
    p->pirq = pirq;
    p->irq = -1;
    p->domain = d;
    smp_wmb();
    WRITE_ONCE(d->pirqs[pirq], p);
    return p;
}

static bool number_free(const struct domain *d, int pirq)
{
    const struct pirq *p = pirq_find(d, pirq);

    return !p || (p->irq < 0 && !p->evtchn);
}

/* The first of n free numbers from the top down, above the GSIs. */
static int find_free_block(struct domain *d, unsigned int n)
{
    if (!make_table(d))
        return -ENOMEM;
    for (unsigned int first = d->nr_pirqs - n; first >= nr_gsis; first--) {
        unsigned int i = 0;

        while (i < n && number_free(d, (int)(first + i)))
            i++;
        if (i == n)
            return (int)first;
    }
    return -ENOSPC;
}

int pirq_find_free(struct domain *d, bool msi)
{
    if (msi)
        return find_free_block(d, 1);
    if (!make_table(d))
        return -ENOMEM;
    for (unsigned int i = NR_ISA_IRQS; i < nr_gsis; i++)
        if (number_free(d, (int)i))
            return (int)i;
    return -ENOSPC;
}

/* --- the page of EOI bits --- */

static void eoi_map_update(struct pirq *p)
{
    unsigned long *map = READ_ONCE(p->domain->pirq_eoi_map);

    if (!map)
        return;
    if (p->needs_eoi)
        set_bit((unsigned int)p->pirq, map);
    else
        clear_bit((unsigned int)p->pirq, map);
}

static_assert(NR_IRQS <= PAGE_SIZE * 8, "one page has a bit for each pirq");

static int set_eoi_page(struct domain *d, mfn_t m, bool auto_unmask)
{
    int rc;

    ASSERT(spin_is_locked(&d->event_lock));
    if (d->pirq_eoi_map)
        return -EBUSY;
    if (!mfn_valid(m))
        return -EINVAL;
    rc = frame_get_and_type(mfn_to_frame(m), d->id, FT_WRITABLE);
    if (rc)
        return -EINVAL;
    if (!make_table(d)) {
        frame_put_and_type(mfn_to_frame(m));
        return -ENOMEM;
    }
    WRITE_ONCE(d->pirq_eoi_map, mfn_to_virt(m));
    d->pirq_auto_unmask = auto_unmask;
    for (unsigned int i = 0; i < d->nr_pirqs; i++)
        if (d->pirqs[i])
            eoi_map_update(d->pirqs[i]);
    return 0;
}

int pirq_set_eoi_page(struct domain *d, unsigned long gmfn, bool auto_unmask)
{
    int rc;

    /* Two vCPUs may both want to be the first: one page, one table. */
    spin_lock(&d->event_lock);
    rc = set_eoi_page(d, _mfn(gmfn), auto_unmask);
    spin_unlock(&d->event_lock);
    return rc;
}

/* --- interrupts --- */

/* Not more often: a vCPU that is moved about must not drag its interrupts
 * through the IO-APIC each time. */
#define MIN_MOVE_INTERVAL MILLISECS(1)

/*
 * Interrupts follow the vCPU that handles them: one that finds it on another
 * CPU sends the next ones there.
 */
static void follow_vcpu(unsigned int irq, struct pirq_action *a)
{
    const struct pirq *p = a->guests[0];
    const struct evtchn *chn = evtchn_find(p->domain, READ_ONCE(p->evtchn));
    unsigned int cpu;

    if (!chn || chn->state != ECS_PIRQ)
        return;
    cpu = p->domain->vcpu[chn->notify_vcpu]->processor;
    if (likely(cpu == smp_processor_id()) ||
        now() - a->last_move < MIN_MOVE_INTERVAL)
        return;
    a->last_move = now();
    irq_set_cpu(irq, cpu);
}

static void guest_interrupt(unsigned int irq, void *arg)
{
    struct pirq_action *a = arg;
    bool end = false;

    spin_lock(&a->lock);
    for (unsigned int i = 0; i < a->nr_guests; i++) {
        struct pirq *p = a->guests[i];

        if (p->needs_eoi && !p->in_service) {
            p->in_service = true;
            a->nr_in_service++;
        }
        send_guest_pirq(p->domain, p);
    }
    end = a->nr_in_service == 0;
    if (a->nr_guests == 1)
        follow_vcpu(irq, a);
    spin_unlock(&a->lock);
    if (unlikely(end && irq_is_level(irq)))
        irq_end(irq); /* the last one has just unbound it */
}

/* a->lock held; true if the line may be opened again. */
static bool end_of_service(struct pirq_action *a, struct pirq *p)
{
    if (!p->in_service)
        return false;
    p->in_service = false;
    return --a->nr_in_service == 0;
}

static void unmask_port(struct domain *d, const struct pirq *p)
{
    struct evtchn *chn = p->evtchn ? evtchn_find(d, p->evtchn) : NULL;
    unsigned long flags = local_irq_save();

    if (chn && chn->state == ECS_PIRQ)
        d->evtchn_ops->unmask(d->vcpu[chn->notify_vcpu], chn);
    local_irq_restore(flags);
}

/* The action cannot go away while d's vCPU is in the hypervisor: irqs_lock. */
void pirq_guest_eoi(struct domain *d, struct pirq *p)
{
    unsigned long flags;
    bool end = false;
    int irq = -1;

    if (unlikely(d->pirq_auto_unmask))
        unmask_port(d, p);
    if (!p->needs_eoi)
        return;
    spin_lock_irqsave(&irqs_lock, flags);
    if (p->action) {
        spin_lock(&p->action->lock);
        end = end_of_service(p->action, p);
        irq = p->irq;
        spin_unlock(&p->action->lock);
    }
    spin_unlock_irqrestore(&irqs_lock, flags);
    if (end)
        irq_end((unsigned int)irq);
}

void pirq_set_affinity(struct domain *d, struct pirq *p, unsigned int cpu)
{
    (void)d;
    if (p->irq >= 0 && p->action && p->action->nr_guests == 1)
        irq_set_cpu((unsigned int)p->irq, cpu);
}

bool pirq_is_shared(const struct pirq *p)
{
    return p->action && p->action->nr_guests > 1;
}

/* --- binding --- */

static void add_guest(struct pirq_action *a, struct pirq *p)
{
    unsigned long flags;

    spin_lock_irqsave(&irqs_lock, flags);
    spin_lock(&a->lock);
    a->guests[a->nr_guests++] = p;
    p->action = a;
    p->in_service = false;
    spin_unlock(&a->lock);
    spin_unlock_irqrestore(&irqs_lock, flags);
    eoi_map_update(p);
}

/* True if p was the last one. *end: its service was the last to end. */
static bool remove_guest(struct pirq_action *a, struct pirq *p, bool *end)
{
    unsigned long flags;
    unsigned int i = 0;
    bool last;

    spin_lock_irqsave(&irqs_lock, flags);
    spin_lock(&a->lock);
    *end = end_of_service(a, p);
    while (a->guests[i] != p)
        i++;
    a->guests[i] = a->guests[--a->nr_guests];
    p->action = NULL;
    last = a->nr_guests == 0;
    if (last)
        actions[p->irq] = NULL;
    spin_unlock(&a->lock);
    spin_unlock_irqrestore(&irqs_lock, flags);
    return last;
}

static int bind_first(struct vcpu *v, struct pirq *p, bool will_share)
{
    struct pirq_action *a = new(struct pirq_action);
    unsigned int irq = (unsigned int)p->irq;
    int rc;

    if (!a)
        return -ENOMEM;
    spin_lock_init(&a->lock);
    a->shareable = will_share;
    add_guest(a, p);
    actions[irq] = a;
    rc = irq_request_guest(irq, guest_interrupt, a, v->processor);
    if (rc) {
        bool end;

        remove_guest(a, p, &end);
        hv_free(a);
        guest_warn("irq %u cannot be bound: %s (%d)\n", irq,
                   rc == -EBUSY ? "the hypervisor uses it" : "failed", rc);
    }
    return rc;
}

int pirq_guest_bind(struct vcpu *v, struct pirq *p, bool will_share)
{
    struct pirq_action *a;

    if (p->irq < 0 || p->action)
        return -EINVAL;
    p->needs_eoi = irq_is_level((unsigned int)p->irq);
    a = actions[p->irq];
    if (!a)
        return bind_first(v, p, will_share);
    if (!a->shareable || !will_share || a->nr_guests == MAX_SHARERS)
        return -EBUSY;
    add_guest(a, p);
    return 0;
}

void pirq_guest_unbind(struct domain *d, struct pirq *p)
{
    struct pirq_action *a = p->action;
    bool end;

    (void)d;
    if (!a)
        return;
    if (remove_guest(a, p, &end)) {
        irq_free((unsigned int)p->irq); /* waits for its handler */
        hv_free(a);
    } else if (end) {
        irq_end((unsigned int)p->irq);
    }
    p->needs_eoi = false;
    eoi_map_update(p);
}

/* --- mapping --- */

int pirq_map_gsi(struct domain *d, unsigned int gsi, int pirq)
{
    struct pirq *p;

    if (gsi >= nr_gsis || !irq_descs[gsi].chip)
        return -EINVAL;
    if (pirq < 0)
        pirq = number_free(d, (int)gsi) ? (int)gsi : pirq_find_free(d, false);
    if (pirq < 0)
        return pirq;
    p = pirq_get(d, pirq);
    if (!p)
        return -EINVAL;
    if (p->irq >= 0 && p->irq != (int)gsi)
        return -EEXIST;
    p->irq = (int)gsi;
    return pirq;
}

static unsigned int home_cpu(const struct domain *d)
{
    return d->vcpu[0] ? d->vcpu[0]->processor : 0;
}

/* Where n new messages go: all structures exist afterwards. */
static int prepare_numbers(struct domain *d, int pirq, unsigned int n)
{
    if (pirq < 0)
        pirq = find_free_block(d, n);
    for (unsigned int i = 0; pirq >= 0 && i < n; i++) {
        struct pirq *p = pirq_get(d, pirq + (int)i);

        if (!p)
            return -EINVAL;
        if (p->irq >= 0)
            return -EEXIST;
    }
    return pirq;
}

int pirq_map_msi(struct domain *d, struct pci_address a, unsigned int nr,
                 int pirq)
{
    int irqs[32], rc;

    if (!nr || nr > ARRAY_SIZE(irqs))
        return -EINVAL;
    pirq = prepare_numbers(d, pirq, nr);
    if (pirq < 0)
        return pirq;
    rc = msi_map(a, nr, irqs, home_cpu(d));
    for (unsigned int i = 0; !rc && i < nr; i++)
        d->pirqs[pirq + (int)i]->irq = irqs[i];
    return rc ? rc : pirq;
}

int pirq_map_msix(struct domain *d, struct pci_address a, unsigned int entry,
                  u64 table_base, int pirq)
{
    int irq, rc;

    pirq = prepare_numbers(d, pirq, 1);
    if (pirq < 0)
        return pirq;
    rc = msix_map(a, entry, table_base, &irq, home_cpu(d));
    if (rc)
        return rc;
    d->pirqs[pirq]->irq = irq;
    return pirq;
}

int pirq_unmap(struct domain *d, int pirq)
{
    struct pirq *p = pirq_find(d, pirq);
    unsigned int irq;

    if (!p || p->irq < 0)
        return -EINVAL;
    if (p->action) {
        guest_warn("pirq %d unmapped while bound to port %u\n", pirq,
                   p->evtchn);
        pirq_guest_unbind(d, p);
    }
    irq = (unsigned int)p->irq;
    p->irq = -1;
    if (irq_descs[irq].msi)
        msi_unmap(irq);
    return 0;
}

static void drop_eoi_page(struct domain *d)
{
    unsigned long *map = d->pirq_eoi_map;

    WRITE_ONCE(d->pirq_eoi_map, NULL);
    if (map)
        frame_put_and_type(mfn_to_frame(virt_to_mfn(map)));
}

void free_domain_pirqs(struct domain *d)
{
    struct pirq **table = d->pirqs;

    spin_lock(&d->event_lock);
    drop_eoi_page(d);
    WRITE_ONCE(d->pirqs, NULL);
    for (unsigned int i = 0; table && i < d->nr_pirqs; i++) {
        struct pirq *p = table[i];

        if (!p)
            continue;
        pirq_guest_unbind(d, p);
        if (p->irq >= 0 && irq_descs[p->irq].msi)
            msi_unmap((unsigned int)p->irq);
        hv_free(p);
    }
    spin_unlock(&d->event_lock);
    hv_free(table);
}
