/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feature words of CPUID, in the order of arch-x86/cpufeatureset.h, and what
 * the tools took away from a domain (XEN_DOMCTL_set_cpu_policy).
 * Floor: domain.
 */
#ifndef HV_CPUID_MASK_H
#define HV_CPUID_MASK_H

#include <hv/types.h>
#include <hv/x86.h>

struct domain;

struct cpuid_feature_word {
    u32 leaf, sub;
    u8 reg; /* 0..3: eax..edx */
};
#define NR_CPUID_FEATURE_WORDS 14
extern const struct cpuid_feature_word
    cpuid_feature_words[NR_CPUID_FEATURE_WORDS];

/* Register number `reg` of r. */
static inline u32 *cpuid_reg(struct cpuid_regs *r, unsigned int reg)
{
    return reg == 0 ? &r->a : reg == 1 ? &r->b : reg == 2 ? &r->c : &r->d;
}

/* Clear in r, the answer for leaf and sub, what d is not to have. */
void domain_mask_cpuid(const struct domain *d, u32 leaf, u32 sub,
                       struct cpuid_regs *r);

#endif
