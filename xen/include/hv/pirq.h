/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical interrupts as a domain sees them: pirq numbers, bound to event
 * channels; up to nr_gsis they are GSIs, above they are MSIs.
 *
 * A pirq is mapped (it names an irq of the machine), then bound (the irq's
 * interrupts raise an event). Both change under d->event_lock; a level
 * interrupt's line stays masked from the event until the domain's EOI.
 * Floor: domain.
 */
#ifndef HV_PIRQ_H
#define HV_PIRQ_H

#include <hv/types.h>

struct domain;
struct pci_address;
struct pirq_action;
struct vcpu;

struct pirq {
    int pirq;
    u32 evtchn;     /* port, 0: not bound; evtchn.c writes it */
    int irq;        /* the hypervisor's irq number, -1: not mapped */
    bool in_service; /* a level interrupt was raised and waits for EOI */
    bool needs_eoi;
    struct domain *domain;
    struct pirq_action *action; /* NULL: not bound */
};

/* d->event_lock held for all, but where noted. */

/* The domain's pirq structure, any context; pirq_get creates it. NULL: no such
 * number, not allowed to this domain, or no memory. */
struct pirq *pirq_find(const struct domain *d, int pirq);
struct pirq *pirq_get(struct domain *d, int pirq);
/* -EBUSY: bound by another without sharing, or the hypervisor's; -EINVAL: not
 * mapped; -ENOSPC, -ENOMEM. */
int pirq_guest_bind(struct vcpu *v, struct pirq *p, bool will_share);
void pirq_guest_unbind(struct domain *d, struct pirq *p);
/* PHYSDEVOP_eoi, without a lock; with the version 1 eoi page also unmasks. */
void pirq_guest_eoi(struct domain *d, struct pirq *p);
/* Interrupts go to where the vCPU runs that handles them. Without a lock. */
void pirq_set_affinity(struct domain *d, struct pirq *p, unsigned int cpu);
bool pirq_is_shared(const struct pirq *p);

/*
 * Mapping. pirq -1: a free number is chosen. They return the pirq number, for
 * a block of messages the first of adjacent ones. -EINVAL, -EEXIST (the pirq is
 * something else already), -ENOSPC, and what msi_map() and msix_map() return.
 */
int pirq_map_gsi(struct domain *d, unsigned int gsi, int pirq);
int pirq_map_msi(struct domain *d, struct pci_address a, unsigned int nr,
                 int pirq);
int pirq_map_msix(struct domain *d, struct pci_address a, unsigned int entry,
                  u64 table_base, int pirq);
int pirq_unmap(struct domain *d, int pirq); /* -EINVAL: not mapped */
int pirq_find_free(struct domain *d, bool msi); /* -ENOSPC */

/*
 * The page in which bit n says that pirq n needs an EOI. -EBUSY: there is one.
 */
int pirq_set_eoi_page(struct domain *d, unsigned long gmfn, bool auto_unmask);

void free_domain_pirqs(struct domain *d); /* domain_kill(); takes the lock */

#endif
