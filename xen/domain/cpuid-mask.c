/* SPDX-License-Identifier: GPL-2.0-only */
/* Features of the CPU that a domain does not get to see. */
#include <hv/cpuid-mask.h>
#include <hv/domain.h>

const struct cpuid_feature_word cpuid_feature_words[NR_CPUID_FEATURE_WORDS] = {
    {0x1, 0, 3},        {0x1, 0, 2}, {0x80000001, 0, 3}, {0x80000001, 0, 2},
    {0xd, 1, 0},        {0x7, 0, 1}, {0x7, 0, 2},        {0x80000007, 0, 3},
    {0x80000008, 0, 1}, {0x7, 0, 3}, {0x7, 1, 0},        {0x80000021, 0, 0},
    {0x7, 1, 1},        {0x7, 2, 3},
};

void domain_mask_cpuid(const struct domain *d, u32 leaf, u32 sub,
                       struct cpuid_regs *r)
{
    if (!d->cpuid_mask)
        return;
    for (unsigned int i = 0; i < NR_CPUID_FEATURE_WORDS; i++) {
        const struct cpuid_feature_word *w = &cpuid_feature_words[i];
        /* Only these leaves have sub-leaves. */
        bool subleaves = w->leaf == 0x7 || w->leaf == 0xd;

        if (w->leaf == leaf && (!subleaves || w->sub == sub))
            *cpuid_reg(r, w->reg) &= d->cpuid_mask[i];
    }
}
