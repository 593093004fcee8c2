/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * domctl and sysctl, between their files.  A domctl handler gets the domain
 * (referenced; NULL for those that name none) and the structure copied in; it
 * returns 0, -errno, or -ERESTART to be called again with the structure as it
 * leaves it.  All run under one lock, by privileged callers only.
 */
#ifndef HYPERCALL_CONTROL_H
#define HYPERCALL_CONTROL_H

#include <hv/domain.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

typedef int (*domctl_fn)(struct domain *d, struct xen_domctl *op);
typedef int (*sysctl_fn)(struct xen_sysctl *op);

/* A set of CPUs as the tools pass it. -EFAULT */
int bitmap_to_cpumask(const struct xenctl_bitmap *b, cpumask_t *mask);
int cpumask_to_bitmap(cpumask_t mask, const struct xenctl_bitmap *b);

void fill_domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* domctl-domain.c */
domctl_fn domctl_domain_fn(u32 cmd);
int domctl_createdomain(struct domain *none, struct xen_domctl *op);

/* domctl-vcpu.c, domctl-memory.c, domctl-device.c, cpu-policy.c */
domctl_fn domctl_vcpu_fn(u32 cmd);
domctl_fn domctl_memory_fn(u32 cmd);
domctl_fn domctl_device_fn(u32 cmd);
domctl_fn domctl_policy_fn(u32 cmd);

/* sysctl-machine.c, sysctl-tools.c */
sysctl_fn sysctl_machine_fn(u32 cmd);
sysctl_fn sysctl_policy_fn(u32 cmd);

#endif
