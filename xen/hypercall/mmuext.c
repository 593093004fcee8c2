/* SPDX-License-Identifier: GPL-2.0-only */
/* mmuext_op (xen.h, struct mmuext_op): pinning, base pointers, flushes, LDT. */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/nospec.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/x86.h>

#define MMU_UPDATE_PREEMPTED (~(~0U >> 1))

int pv_guest_vcpumask(struct domain *d, const void *bitmap, cpumask_t *mask);

typedef int (*mmuext_fn)(struct domain *d, const struct mmuext_op *op);

static int op_pin(struct domain *d, const struct mmuext_op *op)
{
    return pv_pin(d, _mfn(op->arg1.mfn), op->cmd - MMUEXT_PIN_L1_TABLE + 1);
}

static int op_unpin(struct domain *d, const struct mmuext_op *op)
{
    return pv_unpin(d, _mfn(op->arg1.mfn));
}

static int op_new_baseptr(struct domain *d, const struct mmuext_op *op)
{
    (void)d;
    return pv_set_kernel_l4(current, _mfn(op->arg1.mfn));
}

static int op_new_user_baseptr(struct domain *d, const struct mmuext_op *op)
{
    (void)d;
    return pv_set_user_l4(current, _mfn(op->arg1.mfn));
}

static int op_flush_local(struct domain *d, const struct mmuext_op *op)
{
    (void)d, (void)op;
    tlb_flush_local();
    return 0;
}

static int op_invlpg_local(struct domain *d, const struct mmuext_op *op)
{
    (void)d;
    invlpg(op->arg1.linear_addr);
    return 0;
}

static int op_flush_multi(struct domain *d, const struct mmuext_op *op)
{
    cpumask_t mask;
    int rc = pv_guest_vcpumask(d, op->arg2.vcpumask.p, &mask);

    if (rc || !mask)
        return rc;
    if (op->cmd == MMUEXT_TLB_FLUSH_MULTI)
        tlb_flush_mask(mask);
    else
        tlb_flush_va_mask(mask, op->arg1.linear_addr);
    return 0;
}

static int op_flush_all(struct domain *d, const struct mmuext_op *op)
{
    if (op->cmd == MMUEXT_TLB_FLUSH_ALL)
        tlb_flush_mask(READ_ONCE(d->dirty_cpus));
    else
        tlb_flush_va_mask(READ_ONCE(d->dirty_cpus), op->arg1.linear_addr);
    return 0;
}

static int op_flush_cache(struct domain *d, const struct mmuext_op *op)
{
    (void)op;
    if (!d->io_all_allowed)
        return -EACCES;
    __asm__ volatile("wbinvd" ::: "memory");
    return 0;
}

static int op_set_ldt(struct domain *d, const struct mmuext_op *op)
{
    unsigned long base = op->arg1.linear_addr;
    unsigned int entries = op->arg2.nr_ents;

    (void)d;
    if ((base & (PAGE_SIZE - 1)) || entries > 8192 ||
        !canonical(base) || !guest_range_ok(base, entries * 8UL))
        return -EINVAL;
    return pv_set_ldt(current, base, entries);
}

static int op_clear_page(struct domain *d, const struct mmuext_op *op)
{
    mfn_t m = _mfn(op->arg1.mfn);

    if (!mfn_valid(m) ||
        frame_get_and_type(mfn_to_frame(m), d->id, FT_WRITABLE))
        return -EINVAL;
    clear_page(mfn_to_virt(m));
    frame_put_and_type(mfn_to_frame(m));
    return 0;
}

static int op_copy_page(struct domain *d, const struct mmuext_op *op)
{
    mfn_t to = _mfn(op->arg1.mfn), from = _mfn(op->arg2.src_mfn);
    int rc = -EINVAL;

    if (!mfn_valid(from) || !frame_get(mfn_to_frame(from), d->id))
        return -EINVAL;
    if (mfn_valid(to) &&
        !frame_get_and_type(mfn_to_frame(to), d->id, FT_WRITABLE)) {
        copy_page(mfn_to_virt(to), mfn_to_virt(from));
        frame_put_and_type(mfn_to_frame(to));
        rc = 0;
    }
    frame_put(mfn_to_frame(from));
    return rc;
}

/* Superpages are not offered. */
static int op_super(struct domain *d, const struct mmuext_op *op)
{
    (void)d, (void)op;
    return -EOPNOTSUPP;
}

static const struct {
    mmuext_fn fn;
    bool foreign; /* may name another domain */
} ops[] = {
    [MMUEXT_PIN_L1_TABLE] = {op_pin, true},
    [MMUEXT_PIN_L2_TABLE] = {op_pin, true},
    [MMUEXT_PIN_L3_TABLE] = {op_pin, true},
    [MMUEXT_PIN_L4_TABLE] = {op_pin, true},
    [MMUEXT_UNPIN_TABLE] = {op_unpin, true},
    [MMUEXT_NEW_BASEPTR] = {op_new_baseptr, false},
    [MMUEXT_TLB_FLUSH_LOCAL] = {op_flush_local, false},
    [MMUEXT_INVLPG_LOCAL] = {op_invlpg_local, false},
    [MMUEXT_TLB_FLUSH_MULTI] = {op_flush_multi, false},
    [MMUEXT_INVLPG_MULTI] = {op_flush_multi, false},
    [MMUEXT_TLB_FLUSH_ALL] = {op_flush_all, false},
    [MMUEXT_INVLPG_ALL] = {op_flush_all, false},
    [MMUEXT_FLUSH_CACHE] = {op_flush_cache, false},
    [MMUEXT_FLUSH_CACHE_GLOBAL] = {op_flush_cache, false},
    [MMUEXT_SET_LDT] = {op_set_ldt, false},
    [MMUEXT_NEW_USER_BASEPTR] = {op_new_user_baseptr, false},
    [MMUEXT_CLEAR_PAGE] = {op_clear_page, true},
    [MMUEXT_COPY_PAGE] = {op_copy_page, true},
    [MMUEXT_MARK_SUPER] = {op_super, false},
    [MMUEXT_UNMARK_SUPER] = {op_super, false},
};

static int one_op(struct domain *d, const struct mmuext_op *op)
{
    unsigned long cmd = index_nospec(op->cmd, ARRAY_SIZE(ops));

    if (op->cmd >= ARRAY_SIZE(ops) || !ops[cmd].fn)
        return -ENOSYS;
    if (d != currd && !ops[cmd].foreign)
        return -EPERM;
    return ops[cmd].fn(d, op);
}

static unsigned int run_ops(struct domain *d, const struct mmuext_op *list,
                            unsigned int count, int *rc)
{
    unsigned int i;

    *rc = 0;
    for (i = 0; i < count && !*rc; i++) {
        struct mmuext_op op;

        if (i && softirq_is_pending())
            *rc = -ERESTART;
        else if (unlikely(copy_from_guest(&op, &list[i])))
            *rc = -EFAULT;
        else
            *rc = one_op(d, &op);
    }
    return *rc ? i - 1 : i;
}

long do_mmuext_op(unsigned long a1, unsigned long a2, unsigned long a3,
                  unsigned long foreign, unsigned long a5)
{
    const struct mmuext_op *list = (const struct mmuext_op *)a1;
    unsigned int count = (unsigned int)a2 & ~MMU_UPDATE_PREEMPTED, done;
    unsigned int *pdone = (unsigned int *)a3, before = 0;
    struct domain *d = currd;
    int rc;

    (void)a5;
    if (foreign != DOMID_SELF) {
        if (!currd->is_privileged)
            return -EPERM;
        d = get_domain_by_id((domid_t)foreign);
        if (!d)
            return -ESRCH;
    }
    current->pv.preemptible = 1;
    done = run_ops(d, list, count, &rc);
    current->pv.preemptible = 0;
    if (foreign != DOMID_SELF)
        put_domain(d);
    if (pdone) {
        if ((a2 & MMU_UPDATE_PREEMPTED) && copy_from_guest(&before, pdone))
            return -EFAULT;
        before += done;
        if (copy_to_guest(pdone, &before))
            return -EFAULT;
    }
    if (rc == -ERESTART)
        return HYPERCALL_RESTART((unsigned long)(list + done),
                                 (count - done) | MMU_UPDATE_PREEMPTED);
    return rc;
}
