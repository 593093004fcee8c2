/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `catch syscall`: system calls of a domain's processes, or for inferior 1 the
 * hypercalls.
 *
 * A system call is caught in the fast path from a process to its kernel, where
 * the process's registers are not saved yet.  If it is wanted, entry.S saves
 * them and the CPU comes to pdb_syscall_caught() with the process as it was
 * before its SYSCALL, which it makes again when the machine goes on.  The way
 * back is caught in the iret hypercall, by where it leads to.
 */
#include <hv/cpu.h>
#include <hv/domain.h>

#include "pdb-hook.h"
#include "pdb-target.h"

#define SYSCALL_LENGTH 2 /* 0f 05 */
#define NR_CALLS 32

/* A process in a system call that was shown: where it will come back to. */
static struct call {
    u64 cr3, rip, rsp; /* rip: behind the SYSCALL; 0: free */
    u64 number;
    bool again; /* the SYSCALL is still to be made again */
} calls[NR_CALLS];
static unsigned int next_call; /* atomics */

static bool is_caught(s32 pid, u64 nr)
{
    const struct pdb *p = &pdb_target->core;

    if (!p->catching.on || p->catching.pid != pid || pdb_holding(p))
        return false;
    return p->catching.all ||
           (nr < PDB_NR_SYSCALLS && p->catching.set[nr / 32] >> nr % 32 & 1);
}

static struct call *find_call(const struct cpu_user_regs *guest)
{
    u64 cr3 = current->pv.cr3_user;

    for (struct call *c = calls; c < calls + NR_CALLS; c++)
        if (c->rip == guest->rip && c->rsp == guest->rsp && c->cr3 == cr3)
            return c;
    return NULL;
}

static bool hypercall_hit(const struct cpu_user_regs *regs, struct pdb_stop *s,
                          bool entry)
{
    const struct cpu_user_regs *guest = guest_cpu_user_regs();
    u64 nr = (u32)(entry ? regs->rax : guest->rax);

    if (!is_caught(PDB_PID_HYPERVISOR, nr))
        return false;
    s->why = entry ? PDB_WHY_SYSCALL : PDB_WHY_SYSRET;
    s->number = nr;
    s->thread = pdb_thread_here(regs);
    return true;
}

/* True: this system call is to be shown, now. */
static bool syscall_hit(const struct cpu_user_regs *regs)
{
    struct call *c;

    if (!is_caught(PDB_PID_DOMAIN(currd->id), regs->rax))
        return false;
    c = find_call(guest_cpu_user_regs());
    if (!c || !c->again)
        return true;
    c->again = false;
    return false;
}

static bool sysret_hit(void)
{
    const struct cpu_user_regs *guest = guest_cpu_user_regs();
    struct call *c;

    if (current->pv.in_kernel)
        return false;
    c = find_call(guest);
    return c && !c->again && is_caught(PDB_PID_DOMAIN(currd->id), c->number);
}

bool pdb_syscall_hit(enum pdb_hook h, struct cpu_user_regs *regs,
                     struct pdb_stop *s, bool *redirected)
{
    switch (h) {
    case PDB_HOOK_HYPERCALL:
    case PDB_HOOK_HYPERCALL_RETURN:
        return hypercall_hit(regs, s, h == PDB_HOOK_HYPERCALL);
    case PDB_HOOK_SYSCALL:
        *redirected = syscall_hit(regs) || pdb_step_enters_kernel();
        if (*redirected)
            regs->rip = pdb_entry_places[PDB_PLACE_SYSCALL];
        return false;
    case PDB_HOOK_SYSRET:
        *redirected = sysret_hit();
        if (*redirected)
            regs->rip = pdb_entry_places[PDB_PLACE_SYSRET];
        return false;
    default:
        return false;
    }
}

/* Not, or no longer, for `catch syscall`: a step that enters the kernel. */
static bool is_step(const struct call *c)
{
    u64 number = guest_cpu_user_regs()->rax;

    return !is_caught(PDB_PID_DOMAIN(currd->id), number) || (c && !c->again);
}

/* From entry.S, irqs off, guest_regs those of the process. */
void pdb_syscall_caught(void);
void pdb_sysret_caught(void);

void pdb_syscall_caught(void)
{
    struct cpu_user_regs *guest = guest_cpu_user_regs();
    struct pdb_stop s = {.why = PDB_WHY_SYSCALL, .number = guest->rax};
    struct call *c;

    c = find_call(guest);
    if (is_step(c) && pdb_step_enter_kernel(guest, &s)) {
        while (!pdb_stop_guest(&s))
            ;
        return;
    }
    if (!c)
        c = &calls[__atomic_fetch_add(&next_call, 1, __ATOMIC_RELAXED) %
                   NR_CALLS];
    *c = (struct call){current->pv.cr3_user, guest->rip, guest->rsp,
                       guest->rax, true};
    guest->rip -= SYSCALL_LENGTH;
    if (!pdb_stop_guest(&s))
        c->again = false;
}

void pdb_sysret_caught(void)
{
    const struct cpu_user_regs *guest = guest_cpu_user_regs();
    struct call *c = find_call(guest);
    struct pdb_stop s = {.why = PDB_WHY_SYSRET};

    if (!c)
        return;
    s.number = c->number;
    c->rip = 0;
    while (!pdb_stop_guest(&s))
        if (!is_caught(s.thread.pid, s.number))
            break;
}

int pdb_catch_syscalls(void *ctx, s32 pid, bool on)
{
    struct pdb_target *t = ctx;
    enum pdb_hook in = PDB_HOOK_SYSCALL, out = PDB_HOOK_SYSRET;

    if (pid == PDB_PID_HYPERVISOR) {
        in = PDB_HOOK_HYPERCALL;
        out = PDB_HOOK_HYPERCALL_RETURN;
    }
    /* gdb ends it at each stop and wants it anew: what is known stays. */
    if (pdb_hook_use(in, on)) {
        if (pdb_hook_use(out, on))
            return 0;
        (void)pdb_hook_use(in, !on);
    }
    t->reason = "this build of the hypervisor has no place to listen at";
    return -PDB_EOPNOTSUPP;
}
