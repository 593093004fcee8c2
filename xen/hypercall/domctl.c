/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * domctl (domctl.h): copy in, check the version, find the domain, call, copy
 * back. One operation at a time: domctl_lock. A caller that finds it taken
 * goes back to its guest and comes again, for the holder may be waiting for
 * just this vCPU to leave its CPU.
 */
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>

#include "control.h"

static DEFINE_SPINLOCK(domctl_lock);

static domctl_fn find_domctl(u32 cmd)
{
    static domctl_fn (*const groups[])(u32 cmd) = {
        domctl_domain_fn, domctl_vcpu_fn, domctl_memory_fn, domctl_device_fn,
        domctl_policy_fn,
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(groups); i++) {
        domctl_fn fn = groups[i](cmd);

        if (fn)
            return fn;
    }
    return NULL;
}

/* What may still be done to a domain that is being killed. */
static bool works_on_dying(u32 cmd)
{
    switch (cmd) {
    case XEN_DOMCTL_destroydomain:
    case XEN_DOMCTL_getdomaininfo:
    case XEN_DOMCTL_getvcpuinfo:
    case XEN_DOMCTL_pausedomain:
    case XEN_DOMCTL_unpausedomain:
        return true;
    default:
        return false;
    }
}

static int call_domctl(struct xen_domctl *op)
{
    domctl_fn fn;
    struct domain *d;
    int rc;

    if (op->cmd == XEN_DOMCTL_createdomain)
        return domctl_createdomain(NULL, op);
    /* The tools walk the domains by asking for the next id each time. */
    d = op->cmd == XEN_DOMCTL_getdomaininfo ? get_next_domain(op->domain)
                                            : get_domain_by_id(op->domain);
    if (!d)
        return -ESRCH;
    fn = find_domctl(op->cmd);
    if (!fn)
        rc = -ENOSYS;
    else if (d->is_dying && !works_on_dying(op->cmd))
        rc = -EINVAL;
    else
        rc = fn(d, op);
    put_domain(d);
    return rc;
}

long do_domctl(unsigned long arg, unsigned long a2, unsigned long a3,
               unsigned long a4, unsigned long a5)
{
    struct xen_domctl *guest = (struct xen_domctl *)arg, op;
    int rc;

    (void)a2, (void)a3, (void)a4, (void)a5;
    if (copy_from_guest(&op, guest))
        return -EFAULT;
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return -EACCES;
    if (!spin_trylock(&domctl_lock))
        return HYPERCALL_RESTART(arg);
    rc = call_domctl(&op);
    spin_unlock(&domctl_lock);
    /* Some answer also when they refuse: all that is cheap and harmless. */
    if (rc != -ESRCH && rc != -ENOSYS && copy_to_guest(guest, &op) && !rc)
        rc = -EFAULT;
    if (rc == -ERESTART)
        return HYPERCALL_RESTART(arg);
    return rc;
}

int bitmap_to_cpumask(const struct xenctl_bitmap *b, cpumask_t *mask)
{
    u64 bytes = MIN(DIV_ROUND_UP((u64)b->nr_bits, 8), sizeof(*mask));
    cpumask_t m = 0;

    if (raw_copy_from_guest(&m, b->bitmap.p, bytes))
        return -EFAULT;
    if (b->nr_bits < NR_CPUS)
        m &= ((cpumask_t)1 << b->nr_bits) - 1;
    *mask = m;
    return 0;
}

int cpumask_to_bitmap(cpumask_t mask, const struct xenctl_bitmap *b)
{
    u64 want = DIV_ROUND_UP((u64)b->nr_bits, 8);
    u64 bytes = MIN(want, sizeof(mask));

    if (b->nr_bits < NR_CPUS)
        mask &= ((cpumask_t)1 << b->nr_bits) - 1;
    if (raw_copy_to_guest(b->bitmap.p, &mask, bytes))
        return -EFAULT;
    if (want > bytes && raw_clear_guest(b->bitmap.p + bytes, want - bytes))
        return -EFAULT;
    return 0;
}
