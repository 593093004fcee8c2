/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dispatch table that entry.S indexes, and the restart of long calls.
 *
 * entry.S compares the number with NR_HYPERCALL_SLOTS, masks it for
 * speculation and calls the handler; the table has no holes.
 */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/evtchn.h>
#include <hv/hypercall.h>
#include <hv/softirq.h>

static long no_such_call(unsigned long a1, unsigned long a2, unsigned long a3,
                         unsigned long a4, unsigned long a5)
{
    (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
    return -ENOSYS;
}

/* Calls with HC_PRIV get a look at the caller's rights first. */
#define CHECKED_0(name)
#define CHECKED_HC_PRIV(name)                                                  \
    static long checked_##name(unsigned long a1, unsigned long a2,             \
                               unsigned long a3, unsigned long a4,             \
                               unsigned long a5)                               \
    {                                                                          \
        if (!currd->is_privileged)                                             \
            return -EPERM;                                                     \
        return do_##name(a1, a2, a3, a4, a5);                                  \
    }
#define ENTRY_0(name) do_##name
#define ENTRY_HC_PRIV(name) checked_##name

#define HYPERCALL(nr, name, nargs, flags) CHECKED_##flags(name)
#include <hv/hypercalls.def>
#undef HYPERCALL

/* Filled from the list; what it does not name stays no_such_call. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const hypercall_fn hypercall_table[NR_HYPERCALL_SLOTS] = {
    [0 ... NR_HYPERCALL_SLOTS - 1] = no_such_call,
#define HYPERCALL(nr, name, nargs, flags) [nr] = ENTRY_##flags(name),
#include <hv/hypercalls.def>
#undef HYPERCALL
};
#pragma GCC diagnostic pop

bool hypercall_preempt_check(void)
{
    return softirq_is_pending() || vcpu_event_pending(current);
}

long hypercall_restart(unsigned int nargs, const unsigned long *args)
{
    struct cpu_user_regs *regs = guest_cpu_user_regs();
    struct vcpu *v = current;
    u64 *const slot[] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10,
                         &regs->r8};

    if (unlikely(v->in_multicall)) {
        for (unsigned int i = 0; i < nargs; i++)
            v->multicall_args[i] = args[i];
        v->multicall_nargs = (u8)nargs;
        v->in_multicall = MULTICALL_RESTART;
        return -ERESTART;
    }
    for (unsigned int i = 0; i < nargs; i++)
        *slot[i] = args[i];
    regs->rip -= 2; /* the SYSCALL instruction, 0f 05 */
    return (long)regs->rax;
}
