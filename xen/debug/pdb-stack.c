/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the stack that a trap came on to the ordinary one; what lies on them.
 * #DB has a page of its own, where each frame overwrites the last one.
 */
#include <hv/cpu-tables.h>
#include <hv/cpu.h>

#include "pdb-target.h"

struct call {
    bool (*fn)(struct cpu_user_regs *regs);
    struct cpu_user_regs *regs;
    bool result;
};

static struct cpu_user_regs *frame_at_end_of_page(unsigned long sp)
{
    return (struct cpu_user_regs *)((sp | (PAGE_SIZE - 1)) + 1 -
                                    offsetof(struct cpu_user_regs, es));
}

static bool is_on_db_page(unsigned long sp)
{
    unsigned long base = ROUND_DOWN((unsigned long)get_cpu_info(), STACK_SIZE);

    return sp - base < STACK_SIZE && (sp - base) / PAGE_SIZE == DB_STACK_PAGE;
}

/*
 * How far down the ordinary stack is in use.  A trap in the midst of an NMI (a
 * panic of the watchdog's, say) is on the NMI's page, at whose end lies the
 * frame of what was interrupted: gdb is to see that unharmed.
 */
static unsigned long used_down_to(const struct cpu_user_regs *regs,
                                  unsigned long bottom, unsigned long top)
{
    unsigned long base = ROUND_DOWN(top, STACK_SIZE);

    for (unsigned int n = 0; n < STACK_GUARD_PAGE && !guest_mode(regs); n++) {
        unsigned long sp = regs->rsp;

        if (sp >= bottom && sp <= top)
            return sp;
        if (sp - base >= STACK_GUARD_PAGE * PAGE_SIZE)
            break;
        regs = frame_at_end_of_page(sp);
    }
    return top;
}

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
    sp = ROUND_DOWN(used_down_to(regs, bottom, top), 16);
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

static bool is_within(const struct cpu_user_regs *regs, const u64 range[2])
{
    return !guest_mode(regs) && regs->rip >= range[0] && regs->rip < range[1];
}

bool pdb_enters_db(const struct cpu_user_regs *regs)
{
    return is_within(regs, db_entry_range);
}

struct cpu_user_regs *pdb_beneath_db(struct cpu_user_regs *regs)
{
    return !guest_mode(regs) && is_on_db_page(regs->rsp)
               ? frame_at_end_of_page(regs->rsp) : regs;
}

struct cpu_user_regs *pdb_interrupted(struct cpu_user_regs *regs)
{
    struct cpu_user_regs *guest = guest_cpu_user_regs();

    if (!is_within(regs, guest_exit_range) || regs->rsp != (u64)guest)
        return pdb_beneath_db(regs);
    regs->rip = guest_exit_range[0];
    regs->rflags &= ~(u64)X86_EFLAGS_TF; /* of a step here, which is over */
    return guest;
}
