/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Port I/O of guests. Two questions: does the guest kernel let this mode use
 * the port (its IOPL, its bitmap), and may the domain (ioport_allowed)?  A port
 * that the guest may use but the domain may not reads as all ones and swallows
 * writes, as an empty bus does.
 *
 * The PCI address register is kept per domain and written to the bus together
 * with each data access, since the hypervisor uses it too.
 */
#include "internal.h"

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/guest-access.h>
#include <hv/irq.h>
#include <hv/spinlock.h>
#include <hv/x86.h>

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define KEYBOARD_DATA 0x60

static u32 port_in(u16 port, unsigned int size)
{
    return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}

static void port_out(u16 port, unsigned int size, u32 v)
{
    if (size == 1)
        outb((u8)v, port);
    else if (size == 2)
        outw((u16)v, port);
    else
        outl(v, port);
}

static bool domain_may(const struct domain *d, unsigned int port,
                       unsigned int size)
{
    for (unsigned int p = port; p < port + size; p++)
        if (p > 0xffff || !d->ioport_allowed || !test_bit(p, d->ioport_allowed))
            return false;
    return true;
}

/* The bitmap is the kernel's memory: user mode's tables need not have it. */
static bool read_bitmap(struct vcpu *v, unsigned int byte, u16 *bits)
{
    bool ok;

    if (!v->pv.in_kernel)
        write_cr3(v->pv.cr3_kernel);
    ok = !raw_copy_from_guest(bits, v->pv.iobmp + byte, 2) ||
         !raw_copy_from_guest(bits, v->pv.iobmp + byte, 1);
    if (!v->pv.in_kernel)
        write_cr3(v->pv.cr3_user);
    return ok;
}

/* By the guest's own rules. */
static bool mode_may(struct vcpu *v, unsigned int port, unsigned int size)
{
    u16 bits = 0;

    if (v->pv.iopl >= (v->pv.in_kernel ? 0x1000U : 0x3000U))
        return true;
    if (!v->pv.iobmp || port + size > v->pv.iobmp_limit)
        return false;
    if (!read_bitmap(v, port / 8, &bits))
        return false;
    return !((bits >> (port & 7)) & ((1U << size) - 1));
}

static u32 pci_data(struct domain *d, u16 port, unsigned int size, bool write,
                    u32 v)
{
    unsigned long flags;

    spin_lock_irqsave(&pci_port_lock, flags);
    outl(d->pci_cf8, PCI_ADDRESS);
    if (write)
        port_out(port, size, v);
    else
        v = port_in(port, size);
    spin_unlock_irqrestore(&pci_port_lock, flags);
    return v;
}

static u32 io_read(struct domain *d, u16 port, unsigned int size)
{
    u32 v;

    if (!domain_may(d, port, size))
        return ~0U;
    if (port == PCI_ADDRESS && size == 4)
        return d->pci_cf8;
    if ((port & 0xfffc) == PCI_DATA)
        return pci_data(d, port, size, false, 0);
    v = port_in(port, size);
    if (port == KEYBOARD_DATA)
        keyboard_listen((u8)v);
    return v;
}

static void io_write(struct domain *d, u16 port, unsigned int size, u32 v)
{
    if (!domain_may(d, port, size))
        return;
    if (port == PCI_ADDRESS && size == 4)
        d->pci_cf8 = v;
    else if ((port & 0xfffc) == PCI_DATA)
        pci_data(d, port, size, true, v);
    else
        port_out(port, size, v);
}

/* One element of INS or OUTS; false: guest memory faulted (injected). */
static bool string_step(struct cpu_user_regs *regs, u16 port,
                        unsigned int size, bool in)
{
    u64 *index = in ? &regs->rdi : &regs->rsi;
    u64 step = regs->rflags & X86_EFLAGS_DF ? -(u64)size : size;
    unsigned long left;
    u32 v = 0;

    if (in) {
        v = io_read(currd, port, size);
        left = raw_copy_to_guest((void *)*index, &v, size);
    } else {
        left = raw_copy_from_guest(&v, (void *)*index, size);
    }
    if (left) {
        pv_inject_page_fault(regs, in ? PFEC_WRITE : 0, *index);
        return false;
    }
    if (!in)
        io_write(currd, port, size, v);
    *index += step;
    return true;
}

/* In a burst of at most 64 elements, so that nobody waits for a long one. */
static bool string_io(struct cpu_user_regs *regs, struct insn *i, u16 port,
                      unsigned int size)
{
    bool in = i->opcode < 0x6e, rep = i->rep || i->repne;
    unsigned int burst = 64;

    while (!rep || regs->rcx) {
        if (!string_step(regs, port, size, in)) {
            i->at = 0;
            return true;
        }
        if (!rep)
            return true;
        regs->rcx--;
        if (!--burst && regs->rcx) {
            i->at = 0; /* the same instruction again */
            return true;
        }
    }
    return true;
}

bool pv_emulate_io(struct cpu_user_regs *regs, struct insn *i)
{
    unsigned int size = i->opcode & 1 ? (i->opsize16 ? 2 : 4) : 1;
    u16 port = (u16)regs->rdx;
    s64 imm;

    if (i->opcode >= 0xe4 && i->opcode <= 0xe7) {
        if (!insn_immediate(i, 1, &imm))
            return false;
        port = (u8)imm;
    }
    if (!mode_may(current, port, size))
        return false;
    if (i->opcode <= 0x6f)
        return string_io(regs, i, port, size);
    if (i->opcode & 2)
        io_write(currd, port, size,
                 (u32)insn_read_register(i, regs, 0, size));
    else
        insn_write_register(i, regs, 0, size, io_read(currd, port, size));
    return true;
}
