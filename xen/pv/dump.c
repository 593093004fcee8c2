/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU for people: registers, code and stack words.  The guest's memory is
 * reached through its own page tables by walking them, so nothing faults and
 * no page table needs to be loaded.
 */
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/pv.h>

#include "internal.h"

#define STACK_LINES 12
#define WORDS_PER_LINE 4
#define CODE_BYTES 32
#define CODE_BEFORE 12

u8 *pv_guest_byte(const struct vcpu *v, unsigned long va)
{
    u64 cr3 = v->pv.in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user;
    pte_t e;
    unsigned int level = pt_walk(cr3, va, &e);
    maddr_t ma;

    if (level == 0)
        return NULL;
    ma = pt_address(e, level, va);
    return mfn_valid(maddr_to_mfn(ma)) ? maddr_to_virt(ma) : NULL;
}

static bool read_word(const struct vcpu *v, unsigned long va, unsigned long *w)
{
    *w = 0;
    for (unsigned int i = 0; i < sizeof(*w); i++) {
        const u8 *byte = pv_guest_byte(v, va + i);

        if (!byte)
            return false;
        *w |= (unsigned long)*byte << (8 * i);
    }
    return true;
}

static void show_guest_code(const struct vcpu *v, unsigned long rip)
{
    printk("Code: ");
    for (unsigned long va = rip - CODE_BEFORE; va != rip + CODE_BYTES; va++) {
        const u8 *byte = pv_guest_byte(v, va);

        if (!byte)
            printk("?? ");
        else
            printk(va == rip ? "<%02x> " : "%02x ", *byte);
    }
    printk("\n");
}

static void show_guest_stack(const struct vcpu *v, unsigned long sp)
{
    unsigned long w;

    printk("Guest stack trace from RSP=%016lx:\n", sp);
    for (unsigned int line = 0; line < STACK_LINES; line++) {
        printk("  ");
        for (unsigned int i = 0; i < WORDS_PER_LINE; i++, sp += sizeof(w)) {
            if (!read_word(v, sp, &w)) {
                printk(" (no memory at %016lx)\n", sp);
                return;
            }
            printk(" %016lx", w);
        }
        printk("\n");
    }
}

void pv_dump_vcpu(struct vcpu *v)
{
    const struct cpu_user_regs *regs =
        v == current ? guest_cpu_user_regs() : &v->regs;

    printk("*** d%uv%u, %s mode ***\n", v->domain->id, v->id,
           v->pv.in_kernel ? "kernel" : "user");
    show_registers(regs);
    show_guest_code(v, regs->rip);
    show_guest_stack(v, regs->rsp & ~7UL);
}
