/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's view of time: pvclock and wall clock. Floor: domain. */
#ifndef HV_DOMAIN_CLOCK_H
#define HV_DOMAIN_CLOCK_H

struct domain;
struct vcpu;

/*
 * Rewrite v's vcpu_time_info (and its registered copy) from this CPU's clock;
 * v is current or about to be. No-op if nothing changed since the last time.
 */
void vcpu_update_time_info(struct vcpu *v);
/* The next update writes everything: the structure is at a new place, or
 * d->time_shift changed. v is current or not running. */
void vcpu_invalidate_time_info(struct vcpu *v);
/* shared_info wc_*. d is referenced; that it is being killed does no harm. */
void domain_update_wall_clock(struct domain *d);
void domain_clock_init(void); /* boot: hooks into hv/clock.h */

#endif
