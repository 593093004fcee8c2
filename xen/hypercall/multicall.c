/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * multicall: a list of hypercalls in one. Each entry gets its result written
 * back; between entries, and where an entry's own handler asks for it, the
 * list is restarted at the entry reached.
 */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/nospec.h>
#include <hv/smap.h>
#include <hv/softirq.h>

/* An entry was preempted: its new arguments go into the guest's list. */
static long restart_entry(struct vcpu *v, struct multicall_entry *e,
                          unsigned long left)
{
    v->in_multicall = 0;
    if (raw_copy_to_guest(e->args, v->multicall_args,
                          sizeof(e->args[0]) * v->multicall_nargs))
        return -EFAULT;
    return HYPERCALL_RESTART((unsigned long)e, left);
}

static always_inline int call_one(const struct multicall_entry *e,
                                  unsigned long *result)
{
    unsigned long op, a1, a2, a3, a4, a5;

    user_access_begin();
    get_guest(op, &e->op, fault);
    get_guest(a1, &e->args[0], fault);
    get_guest(a2, &e->args[1], fault);
    get_guest(a3, &e->args[2], fault);
    get_guest(a4, &e->args[3], fault);
    get_guest(a5, &e->args[4], fault);
    user_access_end();
    *result = (unsigned long)-ENOSYS;
    if (likely(op < NR_HYPERCALL_SLOTS)) {
        op = index_nospec(op, NR_HYPERCALL_SLOTS);
        *result = (unsigned long)hypercall_table[op](a1, a2, a3, a4, a5);
    }
    return 0;
fault:
    user_access_end();
    return -EFAULT;
}

long do_multicall(unsigned long list, unsigned long nr, unsigned long a3,
                  unsigned long a4, unsigned long a5)
{
    struct multicall_entry *e = (struct multicall_entry *)list;
    struct vcpu *v = current;
    unsigned long n = (unsigned int)nr, result;

    (void)a3, (void)a4, (void)a5;
    if (unlikely(v->in_multicall))
        return -EINVAL;
    if (unlikely(!guest_range_ok(list, n * sizeof(*e))))
        return -EFAULT;
    for (unsigned long i = 0; i < n; i++, e++) {
        if (i && unlikely(softirq_is_pending()))
            return HYPERCALL_RESTART((unsigned long)e, n - i);
        v->in_multicall = MULTICALL_RUNNING;
        if (unlikely(call_one(e, &result)))
            goto fault;
        if (unlikely(v->in_multicall == MULTICALL_RESTART))
            return restart_entry(v, e, n - i);
        v->in_multicall = 0;
        user_access_begin();
        put_guest(result, &e->result, fault_access);
        user_access_end();
    }
    return 0;
fault_access:
    user_access_end();
fault:
    v->in_multicall = 0;
    return -EFAULT;
}
