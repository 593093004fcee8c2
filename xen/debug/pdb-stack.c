/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the stack that a trap came on to the CPU's ordinary one.
 */
#include <hv/cpu.h>

#include "pdb-target.h"

struct call {
    bool (*fn)(struct cpu_user_regs *regs);
    struct cpu_user_regs *regs;
    bool result;
};

static __used void run_call(struct call *c)
{
    c->result = c->fn(c->regs);
}

/*
 * #DB comes on a page of its own, too small for all this and overwritten by
 * the next one: work on the ordinary stack, below what lies there.
 */
bool pdb_on_main_stack(bool (*fn)(struct cpu_user_regs *),
                       struct cpu_user_regs *regs)
{
    struct cpu_info *info = get_cpu_info();
    unsigned long top = (unsigned long)&info->guest_regs;
    unsigned long bottom = top - 2 * PAGE_SIZE, sp = (unsigned long)regs;
    struct call c = {fn, regs, false};

    if (sp >= bottom && sp <= top)
        return fn(regs);
    sp = regs->rsp >= bottom && regs->rsp <= top && !guest_mode(regs)
             ? regs->rsp : top;
    sp = ROUND_DOWN(sp, 16);
    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "mov %0, %%rsp\n\t"
                     "call run_call\n\t"
                     "mov %%rbx, %%rsp"
                     : "+r"(sp)
                     : "D"(&c)
                     : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10",
                       "r11", "memory", "cc");
    return c.result;
}
