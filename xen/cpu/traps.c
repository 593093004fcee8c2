/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traps that the hypervisor itself runs into, and NMI, double fault, machine
 * check from anywhere.  A guest's traps go to the handler that pv/ registers.
 */
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/extable.h>
#include <hv/printk.h>
#include <hv/x86.h>

static void no_guest_handler(struct cpu_user_regs *regs)
{
    fatal_trap(regs);
}

/* Called by entry.S. */
void (*guest_trap_handler)(struct cpu_user_regs *regs) = no_guest_handler;
static bool (*debugger_handler)(struct cpu_user_regs *regs);
static bool (*key_handler)(const struct cpu_user_regs *regs);
static void (*nmi_handler)(struct cpu_user_regs *regs);

bool cpus_stopping;


void do_hv_trap(struct cpu_user_regs *regs);
void do_nmi(struct cpu_user_regs *regs);
void do_double_fault(struct cpu_user_regs *regs);
void do_machine_check(struct cpu_user_regs *regs);

void traps_register_guest(void (*fn)(struct cpu_user_regs *regs))
{
    guest_trap_handler = fn;
}

void traps_register_debugger(bool (*fn)(struct cpu_user_regs *regs))
{
    debugger_handler = fn;
}

void traps_register_keys(bool (*fn)(const struct cpu_user_regs *regs))
{
    key_handler = fn;
}

void traps_register_nmi(void (*fn)(struct cpu_user_regs *regs))
{
    nmi_handler = fn;
}

/*
 * #DB in the hypervisor that no debugger asked for is a guest's doing: its data
 * breakpoint on memory that we touch for it, one held back by its MOV SS until
 * our first instruction, or its TF, which SYSENTER does not clear. None of them
 * is worth anything here; the guest misses the event.
 */
static bool guests_debug_trap(struct cpu_user_regs *regs)
{
    if (regs->entry_vector != X86_EXC_DB)
        return false;
    write_dr6(DR6_CLEAR);
    regs->rflags &= ~(u64)X86_EFLAGS_TF;
    return true;
}

void do_hv_trap(struct cpu_user_regs *regs)
{
    unsigned long fixup;

    if (key_handler && key_handler(regs))
        return;
    fixup = extable_lookup(regs->rip);
    if (regs->entry_vector == X86_EXC_DB && debug_trap_nested(regs))
        return;
    if (fixup && regs->entry_vector != X86_EXC_DB) {
        regs->rip = fixup;
        return;
    }
    if (debugger_handler && debugger_handler(regs))
        return;
    if (guests_debug_trap(regs))
        return;
    fatal_trap(regs);
}

void do_nmi(struct cpu_user_regs *regs)
{
    while (READ_ONCE(cpus_stopping))
        cpu_halt();
    if (nmi_handler)
        nmi_handler(regs);
    else
        log_warn("NMI while starting (port 0x61: %#x)\n", inb(0x61));
}

void do_double_fault(struct cpu_user_regs *regs)
{
    fatal_trap(regs);
}

void do_machine_check(struct cpu_user_regs *regs)
{
    fatal_trap(regs);
}
