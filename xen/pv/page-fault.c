/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page faults of a guest. Most are its own and go to its handler; four are
 * ours: a write to a page table, a load from the LDT area that is not mapped
 * yet, one beyond the guest's GDT, and a flaw of an emulator's IRET.
 */
#include <hv/guest-access.h>
#include <hv/layout.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>
#include <hv/x86.h>

#define LDT_AREA_OFFSET 0x10000UL

/* A selector load touched the LDT area of this vCPU. */
static bool ldt_fault(struct vcpu *v, struct cpu_user_regs *regs,
                      unsigned long addr)
{
    unsigned long base = PERDOMAIN_VIRT_START +
                         ((unsigned long)v->id << GDT_LDT_VCPU_SHIFT) +
                         LDT_AREA_OFFSET;
    unsigned long offset = addr - base;

    if (offset >= LDT_AREA_OFFSET || offset >= v->pv.ldt_entries * 8UL)
        return false;
    if (pv_map_ldt_page(v, (unsigned int)(offset >> PAGE_SHIFT)))
        return true;
    /* As if the CPU had looked at the guest's own LDT. */
    pv_inject_page_fault(regs, 0, v->pv.ldt_base + offset);
    return true;
}

/*
 * A selector beyond the GDT that the guest loaded: the CPU looks for the
 * descriptor where nothing is mapped.  To the guest its table just ends there.
 */
static bool gdt_fault(struct vcpu *v, struct cpu_user_regs *regs,
                      unsigned long addr)
{
    unsigned long base = PERDOMAIN_VIRT_START +
                         ((unsigned long)v->id << GDT_LDT_VCPU_SHIFT);

    if ((regs->error_code & PFEC_USER) || addr - base >= LDT_AREA_OFFSET)
        return false;
    pv_inject_trap(regs, X86_EXC_GP, (u32)(addr - base) & 0xfff8);
    return true;
}

/*
 * QEMU before version 9 lets an IRET at CPL 3 read its frame with supervisor
 * rights; with SMAP that is a fault no real CPU reports: from ring 3, page
 * present, and not a user access.  Carry the IRET out for the guest.
 */
static bool impossible_iret_fault(struct cpu_user_regs *regs)
{
    u64 frame[5];
    u8 code[2];

    if ((regs->error_code & (PFEC_PRESENT | PFEC_USER)) != PFEC_PRESENT ||
        raw_copy_from_guest(code, (void *)regs->rip, 2) || code[0] != 0x48 ||
        code[1] != 0xcf ||
        raw_copy_from_guest(frame, (void *)regs->rsp, sizeof(frame)))
        return false;
    if ((frame[1] & 3) != 3 || (frame[4] & 3) != 3)
        return false;
    regs->rip = frame[0];
    regs->cs = (u16)frame[1];
    regs->rflags = (frame[2] & 0x250fd5UL) | (regs->rflags & X86_EFLAGS_IF) | 2;
    regs->rsp = frame[3];
    regs->ss = (u16)frame[4];
    return true;
}

void pv_page_fault(struct cpu_user_regs *regs)
{
    unsigned long addr = read_cr2();
    struct vcpu *v = current;
    u32 ec = regs->error_code;

    if ((ec & (PFEC_PRESENT | PFEC_WRITE | PFEC_RSVD)) ==
            (PFEC_PRESENT | PFEC_WRITE) &&
        v->pv.in_kernel && pv_write_page_table(regs, addr))
        return;
    if (unlikely(addr - PERDOMAIN_VIRT_START < 1UL << 39) &&
        (ldt_fault(v, regs, addr) || gdt_fault(v, regs, addr)))
        return;
    if (unlikely(!(ec & PFEC_USER)) && impossible_iret_fault(regs))
        return;
    pv_inject_page_fault(regs, ec, addr);
}
