/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical interrupts as a domain sees them: pirq numbers, bound to event
 * channels; up to nr_gsis they are GSIs, above they are MSIs. Floor: domain.
 */
#ifndef HV_PIRQ_H
#define HV_PIRQ_H

#include <hv/types.h>

struct domain;
struct vcpu;

struct pirq {
    int pirq;
    u32 evtchn;    /* port, 0: not bound */
    int irq;       /* the hypervisor's irq number, -1: not mapped */
    bool masked;   /* by the guest's port mask: level irq waits for EOI */
    bool needs_eoi;
    struct domain *domain;
};

/* The domain's pirq structure; pirq_get creates it. */
struct pirq *pirq_find(struct domain *d, int pirq);
struct pirq *pirq_get(struct domain *d, int pirq);
/* -EBUSY: bound by another without sharing; -EINVAL: not mapped. */
int pirq_guest_bind(struct vcpu *v, struct pirq *p, bool will_share);
void pirq_guest_unbind(struct domain *d, struct pirq *p);
void pirq_guest_eoi(struct domain *d, struct pirq *p); /* PHYSDEVOP_eoi, port unmask */
void pirq_set_affinity(struct domain *d, struct pirq *p, unsigned int cpu);
void free_domain_pirqs(struct domain *d);

#endif
