/* SPDX-License-Identifier: GPL-2.0-only */
/* Event channels as the rest of the hypervisor raises them. Floor: domain. */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include <hv/types.h>

struct domain;
struct vcpu;
struct pirq;

void send_guest_vcpu_virq(struct vcpu *v, u32 virq);    /* any context */
void send_guest_global_virq(struct domain *d, u32 virq); /* NULL d: nothing */
/* False if the guest has not bound it or it is already pending. */
bool send_guest_pirq(struct domain *d, const struct pirq *p);
/* Is any unmasked event pending for v (its upcall may be masked)? */
bool vcpu_event_pending(struct vcpu *v);
int evtchn_init(struct domain *d);
void evtchn_destroy(struct domain *d);
void evtchn_vcpu_init(struct vcpu *v); /* virq_to_evtchn etc. */
void evtchn_dump(struct domain *d);    /* debug key 'e' */

#endif
