/* SPDX-License-Identifier: GPL-2.0-only */
/* What hypercalls ask of the scheduler. Floor: domain. */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <hv/percpu.h>
#include <hv/types.h>
#include <hv/vcpu.h>

/* SCHEDOP_block: unmask events; sleep unless one is pending. Of current. */
void vcpu_block(void);
/* SCHEDOP_yield: let those that wait run first. Of current. */
void vcpu_yield(void);

/* -EINVAL: no CPU of the mask is online. */
int vcpu_set_hard_affinity(struct vcpu *v, cpumask_t mask);
/* SCHEDOP_pin_override: cpu < 0 undoes. -EINVAL, -EBUSY already pinned. */
int vcpu_pin_override(struct vcpu *v, int cpu);

#define SCHED_DEFAULT_WEIGHT 256
void domain_set_weight(struct domain *d, u16 weight); /* 1..65535 */
u32 sched_id(void);                                   /* XEN_SCHEDULER_* */
s_time_t cpu_idle_time(unsigned int cpu);             /* ns since boot */
/* dom0_max_vcpus=, else as many as there are CPUs. */
unsigned int dom0_vcpu_count(void);

void sched_dump(void); /* debug key 'r' */

#endif
