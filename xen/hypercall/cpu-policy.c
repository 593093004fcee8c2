/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID as lists of leaves, for the tools (XEN_DOMCTL_get_cpu_policy and
 * _set_, XEN_SYSCTL_get_cpu_policy), and as feature words.
 *
 * A PV guest's CPUID is the machine's with fixed masks (pv/cpuid.c). A policy
 * that is set may hide features of it from one domain (domain/cpuid-mask.c);
 * one that asks for more than there is is refused, and the leaf named. What
 * else a policy says (cache and topology leaves, highest leaf) is ignored.
 */
#include <hv/cpuid-mask.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "control.h"

#define LAST_BASIC 0xdU
#define LAST_EXTENDED 0x80000021U
#define NR_CACHES 6    /* sub-leaves of leaf 4 in a policy, used or not */
#define NR_LEVELS 2    /* of leaf 0xb */
#define LAST_FEATURE_SUB 2U
/* Places of the hypervisor's own leaves; a policy lists them as empty. */
#define HYPERVISOR_LEAF 0x40000000U
#define HYPERVISOR_LEAF2 0x40000100U

static bool leaf_exists(u32 leaf)
{
    return leaf < 0x80000000 ? leaf <= cpu_features.max_leaf
                             : leaf <= cpu_features.max_ext_leaf;
}

/* As domain d sees it; NULL: as the machine is. */
static void read_leaf(const struct domain *d, u32 leaf, u32 sub,
                      xen_cpuid_leaf_t *out)
{
    struct cpuid_regs r;

    if (d) { /* domain 0, the caller, has no mask of its own */
        pv_cpuid(current, leaf, sub, &r);
        domain_mask_cpuid(d, leaf, sub, &r);
    } else {
        r = cpuid_count(leaf, sub);
    }
    out->a = r.a;
    out->b = r.b;
    out->c = r.c;
    out->d = r.d;
}

/*
 * Which sub-leaves a policy lists of a leaf, as bits; 0: it has none.  The
 * tools count on finding as many leaves as they would write themselves.
 */
static u64 subleaves_of(const struct domain *d, u32 leaf)
{
    xen_cpuid_leaf_t l, m;

    switch (leaf) {
    case 0x4:
        return (1UL << NR_CACHES) - 1;
    case 0x7:
        read_leaf(d, leaf, 0, &l);
        return (2UL << MIN(l.a, LAST_FEATURE_SUB)) - 1;
    case 0xb:
        return (1UL << NR_LEVELS) - 1;
    case 0xd: /* 0, 1, and one for each component of XCR0 and XSS */
        read_leaf(d, leaf, 0, &l);
        read_leaf(d, leaf, 1, &m);
        return 3 | (((u64)(l.d | m.d) << 32 | l.a | m.c) & ~(1UL << 63));
    default:
        return 0;
    }
}

typedef int (*leaf_fn)(const xen_cpuid_leaf_t *l, u32 n, void *arg);

struct leaf_walk {
    const struct domain *d; /* NULL: the machine */
    leaf_fn fn;
    void *arg;
    u32 count;
};

static int visit(struct leaf_walk *w, u32 leaf, u32 sub)
{
    xen_cpuid_leaf_t l = {.leaf = leaf, .subleaf = sub};

    if (leaf != HYPERVISOR_LEAF && leaf != HYPERVISOR_LEAF2)
        read_leaf(w->d, leaf, sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub, &l);
    return w->fn(&l, w->count++, w->arg);
}

static int visit_range(struct leaf_walk *w, u32 first, u32 last)
{
    int rc = 0;

    for (u32 leaf = first; leaf <= last && leaf_exists(leaf) && !rc; leaf++) {
        u64 subs = subleaves_of(w->d, leaf);

        if (!subs)
            rc = visit(w, leaf, XEN_CPUID_NO_SUBLEAF);
        for (; subs && !rc; subs &= subs - 1)
            rc = visit(w, leaf, (u32)__builtin_ctzl(subs));
    }
    return rc;
}

/* Call fn for each leaf; their number in *count. */
static int for_each_leaf(const struct domain *d, leaf_fn fn, void *arg,
                         u32 *count)
{
    struct leaf_walk w = {d, fn, arg, 0};
    int rc = visit_range(&w, 0, LAST_BASIC);

    if (!rc)
        rc = visit(&w, HYPERVISOR_LEAF, XEN_CPUID_NO_SUBLEAF);
    if (!rc)
        rc = visit(&w, HYPERVISOR_LEAF2, XEN_CPUID_NO_SUBLEAF);
    if (!rc)
        rc = visit_range(&w, 0x80000000, LAST_EXTENDED);
    *count = w.count;
    return rc;
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

static u32 feature_word(const struct domain *d,
                        const struct cpuid_feature_word *w)
{
    xen_cpuid_leaf_t l = {.leaf = w->leaf};
    struct cpuid_regs r;

    if (!leaf_exists(w->leaf))
        return 0;
    read_leaf(d, w->leaf, w->sub, &l);
    r = (struct cpuid_regs){l.a, l.b, l.c, l.d};
    return *cpuid_reg(&r, w->reg);
}

/*
 * How much room a caller needs that asks with a null list: the tools write
 * all leaves they know of into it, not only those that exist here.
 */
#define MAX_POLICY_LEAVES 256
#define MAX_POLICY_MSRS 8

/* No MSR is part of a policy here: the list is empty. */
static int put_policy(const struct domain *d, xen_cpuid_leaf_t *to,
                      u32 *nr_leaves, u32 *nr_msrs, bool ask_msrs)
{
    struct leaf_buffer b = {to, *nr_leaves};

    *nr_msrs = ask_msrs ? MAX_POLICY_MSRS : 0;
    if (to)
        return for_each_leaf(d, put_leaf, &b, nr_leaves);
    *nr_leaves = MAX_POLICY_LEAVES;
    return 0;
}

static int get_domain_policy(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

    return put_policy(d, p->leaves.p, &p->nr_leaves, &p->nr_msrs,
                      handle_is_null(p->msrs));
}

/* OSXSAVE shows CR4: it is no feature that could be taken away. */
#define LEAF1_C_OSXSAVE (1U << 27)

/* One leaf that the tools want: what of its features is to be hidden. False:
 * it asks for one that there is not. */
static bool mask_from_leaf(const xen_cpuid_leaf_t *l, u32 *mask)
{
    u32 sub = l->subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : l->subleaf;
    struct cpuid_regs wanted = {l->a, l->b, l->c, l->d};

    for (unsigned int i = 0; i < NR_CPUID_FEATURE_WORDS; i++) {
        const struct cpuid_feature_word *w = &cpuid_feature_words[i];

        if (w->leaf != l->leaf || w->sub != sub)
            continue;
        mask[i] = *cpuid_reg(&wanted, w->reg);
        if (l->leaf == 1 && w->reg == 2)
            mask[i] |= LEAF1_C_OSXSAVE;
        if (mask[i] & ~feature_word(currd, w) &
            ~(l->leaf == 1 && w->reg == 2 ? LEAF1_C_OSXSAVE : 0))
            return false;
    }
    return true;
}

static int read_policy(struct xen_domctl_cpu_policy *p, u32 *mask)
{
    for (u32 i = 0; i < p->nr_leaves; i++) {
        xen_cpuid_leaf_t l;

        if (copy_from_handle_offset(&l, p->leaves, i))
            return -EFAULT;
        if (mask_from_leaf(&l, mask))
            continue;
        p->err_leaf = l.leaf;
        p->err_subleaf = l.subleaf;
        return -EINVAL;
    }
    for (u32 i = 0; i < p->nr_msrs; i++) {
        xen_msr_entry_t m;

        if (copy_from_handle_offset(&m, p->msrs, i))
            return -EFAULT;
        if (!m.flags && !m.val)
            continue;
        p->err_msr = m.idx;
        return -EINVAL;
    }
    return 0;
}

/* Before the domain runs. Of a policy only the feature words are honoured. */
static int set_domain_policy(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
    u32 *mask, *old;
    int rc;

    p->err_leaf = p->err_subleaf = p->err_msr = ~0U;
    if (d == currd)
        return -EINVAL;
    if (p->nr_leaves > MAX_POLICY_LEAVES || p->nr_msrs > MAX_POLICY_MSRS)
        return -E2BIG;
    if (d->shared_info->arch.max_pfn) /* it has run */
        return -EEXIST;
    mask = new_array(u32, NR_CPUID_FEATURE_WORDS);
    if (!mask)
        return -ENOMEM;
    memset(mask, 0xff, NR_CPUID_FEATURE_WORDS * sizeof(*mask));
    rc = read_policy(p, mask);
    if (rc) {
        hv_free(mask);
        return rc;
    }
    old = d->cpuid_mask;
    domain_pause(d); /* it might run after all, and look at the old one */
    d->cpuid_mask = mask;
    domain_unpause(d);
    hv_free(old);
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
        return put_policy(NULL, p->leaves.p, &p->nr_leaves, &p->nr_msrs,
                          handle_is_null(p->msrs));
    case XEN_SYSCTL_cpu_policy_pv_max:
    case XEN_SYSCTL_cpu_policy_pv_default:
        return put_policy(currd, p->leaves.p, &p->nr_leaves, &p->nr_msrs,
                          handle_is_null(p->msrs));
    case XEN_SYSCTL_cpu_policy_hvm_max:
    case XEN_SYSCTL_cpu_policy_hvm_default:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

static int get_featureset(struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_featureset *f = &op->u.cpu_featureset;
    u32 room = f->nr_features;
    bool guest = f->index == XEN_SYSCTL_cpu_featureset_pv ||
                 f->index == XEN_SYSCTL_cpu_featureset_pv_max;
    const struct domain *d = guest ? currd : NULL;

    if (f->index > XEN_SYSCTL_cpu_featureset_hvm_max)
        return -EINVAL;
    if (f->index == XEN_SYSCTL_cpu_featureset_hvm ||
        f->index == XEN_SYSCTL_cpu_featureset_hvm_max)
        return -EOPNOTSUPP;
    f->nr_features = NR_CPUID_FEATURE_WORDS;
    if (handle_is_null(f->features))
        return 0;
    for (u32 i = 0; i < f->nr_features && i < room; i++) {
        u32 word = feature_word(d, &cpuid_feature_words[i]);

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
