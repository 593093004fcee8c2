/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The NMI button stops the machine for gdb, wherever its CPUs may hang.
 *
 * Nobody leads from an NMI, whose stack the next one overwrites: what was
 * interrupted makes one more instruction, and the trap behind it stops the
 * machine.  Every CPU may get such an NMI: the first tells, and the others find
 * that there is nothing left to tell.
 */
#include <hv/atomic.h>
#include <hv/percpu.h>
#include <hv/x86.h>

#include "pdb-target.h"

static bool pressed; /* and nobody has told yet */

bool pdb_button(struct cpu_user_regs *regs)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    bool traps = pdb_enters_db(regs); /* this one will do */

    if (!traps)
        regs = c->serves ? c->serves : pdb_beneath_db(regs);
    if (!c->button)
        c->had_tf = traps || (regs->rflags & X86_EFLAGS_TF);
    c->button = true;
    WRITE_ONCE(pressed, true);
    if (!traps)
        regs->rflags |= X86_EFLAGS_TF;
    return true;
}

bool pdb_button_steps(unsigned int cpu)
{
    return per_cpu(pdb_cpu, cpu).button;
}

bool pdb_button_trap(struct cpu_user_regs *regs)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);

    if (!c->button)
        return false;
    c->button = false;
    if (pdb_step_armed_here())
        return false; /* it ends here in any case */
    if (!c->had_tf)
        regs->rflags &= ~(u64)X86_EFLAGS_TF;
    return true;
}

bool pdb_button_news(void)
{
    return atomic_xchg(&pressed, false);
}
