/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timers a guest sets, all ending in VIRQ_TIMER. Deadlines are system time
 * as the guest sees it, in ns: ours less d->time_shift. Floor: domain.
 */
#ifndef HV_VCPU_TIMER_H
#define HV_VCPU_TIMER_H

#include <hv/types.h>
#include <hv/vcpu.h>

void vcpu_timers_init(struct vcpu *v);
/* v is current. A deadline in the past fires at once. */
void vcpu_singleshot_set(struct vcpu *v, s_time_t deadline);
void vcpu_singleshot_stop(struct vcpu *v);
/* period 0: stop. v may run elsewhere. */
void vcpu_periodic_set(struct vcpu *v, s_time_t period);

#endif
