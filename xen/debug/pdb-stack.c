/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames on a CPU's stacks.  #DB has a page of its own, where the next one's
 * frame overwrites the last one's.
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

bool pdb_enters_db(const struct cpu_user_regs *regs)
{
    return !guest_mode(regs) && regs->rip >= exception_entries[X86_EXC_DB] &&
           regs->rip < db_handler_places[DB_SAVED];
}

static bool is_within(u64 rip, const u64 *places)
{
    return rip >= places[0] && rip < places[1];
}

struct cpu_user_regs *pdb_interrupted(struct cpu_user_regs *regs)
{
    struct cpu_user_regs *frame;

    if (guest_mode(regs))
        return regs;
    if (is_within(regs->rip, guest_exit_places)) {
        frame = guest_cpu_user_regs();
        regs->rip = guest_exit_places[0];
        regs->rsp = (unsigned long)frame;
        return frame;
    }
    if (!is_on_db_page(regs->rsp))
        return regs;
    frame = frame_at_end_of_page(regs->rsp);
    if (is_within(regs->rip, &db_handler_places[DB_WAY_OUT]) &&
        regs->rsp >= (unsigned long)frame) {
        regs->rip = db_handler_places[DB_WAY_OUT];
        regs->rsp = (unsigned long)frame;
    }
    return frame;
}
