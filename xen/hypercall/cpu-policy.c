/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID as lists of leaves, for the tools (XEN_DOMCTL_get_cpu_policy and
 * _set_, XEN_SYSCTL_get_cpu_policy), and as feature words.
 *
 * A PV guest's CPUID is the machine's with fixed masks (pv/cpuid.c): all PV
 * guests have the same. A policy that is set is accepted if it asks for
 * nothing else; otherwise the leaf that differs is named.
 */
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/pv.h>
#include <hv/x86.h>

#include "control.h"

/* Which sub-leaves a leaf has; all other leaves have none. */
static const struct leaf_range {
    u32 first, last; /* leaves, or sub-leaves of `first` */
    bool subleaves;
} ranges[] = {
    {0x0, 0x3, false},        {0x4, 3, true},
    {0x5, 0x6, false},        {0x7, 0, true},
    {0xa, 0xa, false},        {0xb, 1, true},
    {0xd, 1, true},           {0x80000000, 0x80000008, false},
};

static bool leaf_exists(u32 leaf)
{
    return leaf < 0x80000000 ? leaf <= cpu_features.max_leaf
                             : leaf <= cpu_features.max_ext_leaf;
}

static void read_leaf(bool guest, u32 leaf, u32 sub, xen_cpuid_leaf_t *out)
{
    struct cpuid_regs r;

    if (guest)
        pv_cpuid(current, leaf, sub, &r);
    else
        r = cpuid_count(leaf, sub);
    out->a = r.a;
    out->b = r.b;
    out->c = r.c;
    out->d = r.d;
}

typedef int (*leaf_fn)(const xen_cpuid_leaf_t *l, u32 n, void *arg);

/* Call fn for each leaf; their number in *count. */
static int for_each_leaf(bool guest, leaf_fn fn, void *arg, u32 *count)
{
    u32 n = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
        const struct leaf_range *r = &ranges[i];
        u32 nr = r->subleaves ? r->last + 1 : r->last - r->first + 1;

        for (u32 k = 0; k < nr; k++) {
            xen_cpuid_leaf_t l;
            int rc;

            l.leaf = r->subleaves ? r->first : r->first + k;
            l.subleaf = r->subleaves ? k : XEN_CPUID_NO_SUBLEAF;
            if (!leaf_exists(l.leaf))
                continue;
            read_leaf(guest, l.leaf, r->subleaves ? k : 0, &l);
            rc = fn ? fn(&l, n, arg) : 0;
            if (rc)
                return rc;
            n++;
        }
    }
    *count = n;
    return 0;
}

struct leaf_buffer {
    xen_cpuid_leaf_t *guest;
    u32 room;
};

static int put_leaf(const xen_cpuid_leaf_t *l, u32 n, void *arg)
{
    struct leaf_buffer *b = arg;

    if (n >= b->room)
        return -ENOBUFS;
    return copy_to_guest(b->guest + n, l) ? -EFAULT : 0;
}

/* No MSR is part of a policy here: the list is empty. */
static int put_policy(bool guest, xen_cpuid_leaf_t *to, u32 *nr_leaves,
                      u32 *nr_msrs)
{
    struct leaf_buffer b = {to, *nr_leaves};

    *nr_msrs = 0;
    return for_each_leaf(guest, to ? put_leaf : NULL, &b, nr_leaves);
}

static int get_domain_policy(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

    (void)d;
    return put_policy(true, p->leaves.p, &p->nr_leaves, &p->nr_msrs);
}

#define MAX_POLICY_LEAVES 256

static bool same_leaf(const xen_cpuid_leaf_t *l)
{
    xen_cpuid_leaf_t ours;

    if (!leaf_exists(l->leaf))
        return !(l->a | l->b | l->c | l->d);
    read_leaf(true, l->leaf,
              l->subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : l->subleaf, &ours);
    /* Leaf 1 EBX and leaf 0xb name the CPU that is asked: no policy. */
    if (l->leaf == 1)
        ours.b = l->b;
    return l->leaf == 0xb || (ours.a == l->a && ours.b == l->b &&
                              ours.c == l->c && ours.d == l->d);
}

static int set_domain_policy(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

    p->err_leaf = p->err_subleaf = p->err_msr = ~0U;
    if (d == currd)
        return -EINVAL;
    if (p->nr_leaves > MAX_POLICY_LEAVES)
        return -E2BIG;
    for (u32 i = 0; i < p->nr_leaves; i++) {
        xen_cpuid_leaf_t l;

        if (copy_from_handle_offset(&l, p->leaves, i))
            return -EFAULT;
        if (same_leaf(&l))
            continue;
        p->err_leaf = l.leaf;
        p->err_subleaf = l.subleaf;
        return -EOPNOTSUPP;
    }
    return 0;
}

domctl_fn domctl_policy_fn(u32 cmd)
{
    switch (cmd) {
    case XEN_DOMCTL_get_cpu_policy:
        return get_domain_policy;
    case XEN_DOMCTL_set_cpu_policy:
        return set_domain_policy;
    default:
        return NULL;
    }
}

/* --- the machine's --- */

static int get_machine_policy(struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_policy *p = &op->u.cpu_policy;

    if (p->_rsvd)
        return -EINVAL;
    switch (p->index) {
    case XEN_SYSCTL_cpu_policy_raw:
    case XEN_SYSCTL_cpu_policy_host:
        return put_policy(false, p->leaves.p, &p->nr_leaves, &p->nr_msrs);
    case XEN_SYSCTL_cpu_policy_pv_max:
    case XEN_SYSCTL_cpu_policy_pv_default:
        return put_policy(true, p->leaves.p, &p->nr_leaves, &p->nr_msrs);
    case XEN_SYSCTL_cpu_policy_hvm_max:
    case XEN_SYSCTL_cpu_policy_hvm_default:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

/* The words of a featureset, in the order of arch-x86/cpufeatureset.h. */
static const struct feature_word {
    u32 leaf, sub;
    u8 reg; /* 0..3: eax..edx */
} feature_words[] = {
    {0x1, 0, 3},        {0x1, 0, 2}, {0x80000001, 0, 3}, {0x80000001, 0, 2},
    {0xd, 1, 0},        {0x7, 0, 1}, {0x7, 0, 2},        {0x80000007, 0, 3},
    {0x80000008, 0, 1}, {0x7, 0, 3}, {0x7, 1, 0},        {0x80000021, 0, 0},
    {0x7, 1, 1},        {0x7, 2, 3},
};

static u32 feature_word(bool guest, const struct feature_word *w)
{
    xen_cpuid_leaf_t l = {.leaf = w->leaf};

    if (!leaf_exists(w->leaf))
        return 0;
    read_leaf(guest, w->leaf, w->sub, &l);
    return w->reg == 0 ? l.a : w->reg == 1 ? l.b : w->reg == 2 ? l.c : l.d;
}

static int get_featureset(struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_featureset *f = &op->u.cpu_featureset;
    u32 room = f->nr_features;
    bool guest = f->index == XEN_SYSCTL_cpu_featureset_pv ||
                 f->index == XEN_SYSCTL_cpu_featureset_pv_max;

    if (f->index > XEN_SYSCTL_cpu_featureset_hvm_max)
        return -EINVAL;
    if (f->index == XEN_SYSCTL_cpu_featureset_hvm ||
        f->index == XEN_SYSCTL_cpu_featureset_hvm_max)
        return -EOPNOTSUPP;
    f->nr_features = ARRAY_SIZE(feature_words);
    if (handle_is_null(f->features))
        return 0;
    for (u32 i = 0; i < f->nr_features && i < room; i++) {
        u32 word = feature_word(guest, &feature_words[i]);

        if (copy_to_handle_offset(f->features, i, &word))
            return -EFAULT;
    }
    if (room < f->nr_features)
        return -ENOBUFS;
    return 0;
}

/* CPUID of a PV kernel is seen through its forced-emulation prefix only. */
static int get_levelling_caps(struct xen_sysctl *op)
{
    op->u.cpu_levelling_caps.caps = 0;
    return 0;
}

sysctl_fn sysctl_policy_fn(u32 cmd)
{
    switch (cmd) {
    case XEN_SYSCTL_get_cpu_policy:
        return get_machine_policy;
    case XEN_SYSCTL_get_cpu_featureset:
        return get_featureset;
    case XEN_SYSCTL_get_cpu_levelling_caps:
        return get_levelling_caps;
    default:
        return NULL;
    }
}
