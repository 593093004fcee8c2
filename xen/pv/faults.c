/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trap that happened while a guest ran: what is the hypervisor's business
 * is dealt with, the rest goes to the guest kernel's own handler.
 */
#include "internal.h"

#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/guest-access.h>
#include <hv/printk.h>
#include <hv/pv.h>
#include <hv/spinlock.h>

#define DR6_BS 0x4000UL
#define INT3 0xcc

static bool (*debugger)(struct cpu_user_regs *regs);

void pv_register_debugger(bool (*fn)(struct cpu_user_regs *regs))
{
    debugger = fn;
}

bool pv_has_debugger(void)
{
    return debugger != NULL;
}

static bool has_error_code(unsigned int vector)
{
    return vector == X86_EXC_DF || (vector >= X86_EXC_TS &&
                                    vector <= X86_EXC_PF) ||
           vector == X86_EXC_AC;
}

/*
 * INT n of the guest is #GP for us, as the IDT has no gate for it. The number
 * is read from the instruction: emulators report the error code wrongly.
 */
static bool software_interrupt(struct cpu_user_regs *regs)
{
    struct vcpu *v = current;
    const struct guest_trap *t;
    u8 code[2];

    if (raw_copy_from_guest(code, (void *)regs->rip, 2) || code[0] != 0xcd)
        return false;
    regs->error_code = (u32)code[1] << 3 | 2; /* an IDT entry's (SDM 6.13) */
    t = &v->pv.traps[code[1]];
    if (!t->address || t->dpl < (v->pv.in_kernel ? 1 : 3))
        return false;
    regs->rip += 2;
    pv_inject_trap(regs, code[1], TRAP_NO_ERROR_CODE);
    return true;
}

static void general_protection(struct cpu_user_regs *regs)
{
    if (software_interrupt(regs))
        return;
    if (!(regs->error_code & 0xffff) && pv_emulate_privileged(regs))
        return;
    pv_inject_trap(regs, X86_EXC_GP, regs->error_code);
}

static void invalid_opcode(struct cpu_user_regs *regs)
{
    if (!pv_emulate_forced(regs))
        pv_inject_trap(regs, X86_EXC_UD, TRAP_NO_ERROR_CODE);
}

/* DR6 is the guest's; the registers are shared with nobody while it runs. */
static void debug_trap(struct cpu_user_regs *regs)
{
    struct vcpu *v = current;

    v->pv.debugreg[6] = read_dr6();
    write_dr6(DR6_CLEAR);
    pv_inject_trap(regs, X86_EXC_DB, TRAP_NO_ERROR_CODE);
}

/* The debugger's step or the guest's own: as if the CPU had trapped. */
void pv_single_stepped(struct cpu_user_regs *regs)
{
    unsigned long flags = local_irq_save();
    bool taken = false;

    regs->entry_vector = X86_EXC_DB;
    if (debugger) {
        write_dr6(DR6_CLEAR | DR6_BS);
        taken = debugger(regs);
        write_dr6(DR6_CLEAR);
    }
    local_irq_restore(flags);
    if (taken)
        return;
    current->pv.debugreg[6] |= DR6_BS;
    pv_inject_trap(regs, X86_EXC_DB, TRAP_NO_ERROR_CODE);
}

/*
 * An emulator that runs CPUs side by side (QEMU 7.2) may translate an int3 just
 * while another CPU writes over it, and keep the translation. A kernel that
 * patches itself finds no int3 there and goes back, each CPU that comes by, for
 * ever. A write to that byte makes the emulator look again; it changes nothing.
 */
static void refetch(const struct cpu_user_regs *regs)
{
    u8 *byte = pv_guest_byte(current, regs->rip - 1);

    if (byte && *byte != INT3)
        __asm__ volatile("lock orb $0, %0" : "+m"(*byte));
}

static void int80(struct cpu_user_regs *regs)
{
    struct vcpu *v = current;
    const struct guest_trap *t = &v->pv.traps[0x80];

    if (!t->address || t->dpl < (v->pv.in_kernel ? 1 : 3)) {
        regs->rip -= 2;
        pv_inject_trap(regs, X86_EXC_GP, 0x80 << 3 | 2);
        return;
    }
    pv_inject_trap(regs, 0x80, TRAP_NO_ERROR_CODE);
}

void pv_guest_trap(struct cpu_user_regs *regs)
{
    unsigned int vector = regs->entry_vector & 0xff;

    switch (vector) {
    case X86_EXC_PF:
        pv_page_fault(regs);
        return;
    case X86_EXC_GP:
        if (pv_emulate_tsc(regs))
            return;
        local_irq_enable();
        general_protection(regs);
        return;
    case X86_EXC_UD:
        invalid_opcode(regs);
        return;
    case X86_EXC_NM:
        if (!pv_device_not_available(current))
            pv_inject_trap(regs, X86_EXC_NM, TRAP_NO_ERROR_CODE);
        return;
    case X86_EXC_DB:
        if (!debugger || !debugger(regs))
            debug_trap(regs);
        return;
    case X86_EXC_BP:
        refetch(regs);
        if (!debugger || !debugger(regs))
            pv_inject_trap(regs, X86_EXC_BP, TRAP_NO_ERROR_CODE);
        return;
    case 0x80:
        int80(regs);
        return;
    default:
        pv_inject_trap(regs, vector,
                       has_error_code(vector) ? regs->error_code
                                              : TRAP_NO_ERROR_CODE);
    }
}
