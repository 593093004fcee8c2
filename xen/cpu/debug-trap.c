/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DR7, and the stack that debug traps come on.
 *
 * #DB has a stack of its own (hv/percpu.h), so a second one before the handler
 * has moved the frame of the first would overwrite it.  A processor reports a
 * step and a data breakpoint on the same instruction by one trap.  An emulator
 * may report them by two, the second at the handler's first instruction: then
 * every process of a guest could do that to us.  Such a machine is found out at
 * boot.  On it #DB uses the stack at hand while a data breakpoint is set; it
 * holds back no debug trap behind MOV SS, which is what the other stack is for.
 */
#include <hv/cpu-tables.h>
#include <hv/cpu.h>
#include <hv/layout.h>
#include <hv/printk.h>

#define DR7_FIXED 0x400UL
#define DR7_WATCH_0 0xd0001UL /* L0; write, 8 bytes */

static bool debug_traps_nest;

/* A set bit 0 or 1 of a data breakpoint's kind: write, or read and write. */
static bool watches_data(u64 dr7)
{
    for (unsigned int i = 0; i < 4; i++)
        if ((dr7 >> (2 * i) & 3) && (dr7 >> (16 + 4 * i) & 3))
            return true;
    return false;
}

void cpu_write_dr7(u64 val)
{
    if (unlikely(debug_traps_nest))
        cpu_load_idt(!watches_data(val));
    __asm__ volatile("mov %0, %%db7" ::"r"(val));
}

bool debug_trap_nested(struct cpu_user_regs *regs)
{
    unsigned long at = (unsigned long)regs & (STACK_SIZE - 1);

    if (regs->rip != exception_entries[X86_EXC_DB])
        return false;
    debug_traps_nest = true;
    /* On the ordinary stack the first one goes on, and DR6 tells of both. */
    if (at / PAGE_SIZE != DB_STACK_PAGE)
        return true;
    /* Where the guest was is lost: a double fault is what the CPU calls it. */
    regs->cs = GUEST_CS64;
    regs->ss = GUEST_SS;
    regs->rip = regs->rsp = 0;
    regs->rflags = X86_EFLAGS_IF | 2;
    regs->entry_vector = X86_EXC_DF;
    regs->error_code = 0;
    *guest_cpu_user_regs() = *regs;
    guest_trap_handler(guest_cpu_user_regs());
    return_to_guest();
}

/*
 * TF falls to the handler, as all of a guest's do that meet us. The word may
 * not lie in a page of the stack: QEMU 7.2 aborts when a trap frame goes there.
 */
void __init debug_trap_test(void)
{
    static u64 word __initdata;

    cpu_load_idt(false);
    __asm__ volatile("mov %0, %%db0" ::"r"(&word));
    cpu_write_dr7(DR7_FIXED | DR7_WATCH_0);
    __asm__ volatile("pushfq\n"
                     "orq %1, (%%rsp)\n"
                     "popfq\n"
                     "movq $0, %0\n"
                     "nop\n"
                     : "=m"(word)
                     : "i"(X86_EFLAGS_TF)
                     : "memory", "cc");
    cpu_write_dr7(DR7_FIXED);
    if (debug_traps_nest)
        log_info("debug traps nest: on this machine they share a stack\n");
    cpu_load_idt(true);
}
