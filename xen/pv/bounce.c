/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handing a trap or an event to the guest kernel: a frame on its stack as the
 * CPU would have pushed one, with rcx and r11 on top (see entry.S), and the
 * registers set so that the way out enters the handler.
 */
#include <hv/cpu.h>
#include <hv/guest-access.h>
#include <hv/printk.h>
#include <hv/pv.h>
#include <hv/smap.h>
#include <hv/spinlock.h>
#include <hv/x86.h>

/* Never carried into a handler; nor is TF. */
#define FLAGS_CLEARED                                                          \
    ((u64)(X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT |     \
           X86_EFLAGS_IOPL))
#define SYSRET_OK 0x100U /* entry_vector, see entry.S */

/*
 * Traps and the slow ends of entry.S come with irqs off. domain_crash() takes
 * locks whose holders may be waiting for this CPU to flush its TLB: irqs on.
 * Every way out turns them off again.
 */
#define guest_crash(d, ...)                                                    \
    do {                                                                       \
        local_irq_enable();                                                    \
        domain_crash(d, __VA_ARGS__);                                          \
    } while (0)

void pv_syscall_stack_bad(void);
void pv_syscall_unregistered(void);
void pv_syscall_compat(struct cpu_user_regs *regs);
void pv_sysenter(struct cpu_user_regs *regs);
void pv_iret_frame_bad(void);
void pv_iret_without_tables(void);
void pv_iret_faulted(struct cpu_user_regs *regs);

void pv_toggle_mode(struct vcpu *v)
{
    v->pv.in_kernel ^= 1;
    write_cr3(v->pv.in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user);
    __asm__ volatile("swapgs" ::: "memory");
}

/* What a frame holds besides the registers. */
struct bounce {
    unsigned long address;
    bool mask_events;
    bool has_error;
    u32 error_code;
    bool has_segments; /* failsafe: ds es fs gs above r11 */
};

static bool write_segments(u64 *sp)
{
    u64 ds, es, fs, gs;

    __asm__("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
            : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    put_guest(ds & 0xffff, &sp[0], fault);
    put_guest(es & 0xffff, &sp[1], fault);
    put_guest(fs & 0xffff, &sp[2], fault);
    put_guest(gs & 0xffff, &sp[3], fault);
    return true;
fault:
    return false;
}

/* By one instruction: the debugger may come in between, and is to see whether
 * the guest's frame will have the flag. */
static always_inline bool take_trap_flag(struct cpu_user_regs *regs)
{
    bool set;

    __asm__("btrq $8, %0" : "+m"(regs->rflags), "=@ccc"(set));
    return set;
}

static always_inline bool write_frame(const struct vcpu *v,
                                      struct cpu_user_regs *regs,
                                      const struct bounce *b, u64 *sp, u64 cs)
{
    u64 mask = v->pv.info->evtchn_upcall_mask;
    u64 traps = unlikely(take_trap_flag(regs)) ? X86_EFLAGS_TF : 0;
    u64 flags = regs->rflags & ~(u64)(X86_EFLAGS_IF | X86_EFLAGS_IOPL);

    flags |= traps | (mask ? 0 : X86_EFLAGS_IF);
    if (v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl))
        flags |= v->pv.iopl;
    user_access_begin();
    put_guest(regs->rcx, sp++, fault);
    put_guest(regs->r11, sp++, fault);
    if (b->has_segments) {
        if (!write_segments(sp))
            goto fault;
        sp += 4;
    }
    if (b->has_error)
        put_guest((u64)b->error_code, sp++, fault);
    put_guest(regs->rip, &sp[0], fault);
    put_guest(cs | mask << 32, &sp[1], fault);
    put_guest(flags, &sp[2], fault);
    put_guest(regs->rsp, &sp[3], fault);
    put_guest((u64)regs->ss, &sp[4], fault);
    user_access_end();
    return true;
fault:
    user_access_end();
    return false;
}

static noinline void stack_bad(struct domain *d, unsigned long sp,
                               unsigned long address)
{
    guest_crash(
        d,
        "its kernel stack at %#lx cannot be written (entering the handler at %#lx)",
        sp, address);
}

/*
 * False, with the domain crashed, if the stack is not writable.  In line where
 * it is often run: what `b` says is known to the compiler there.
 */
static always_inline bool bounce_inline(struct vcpu *v,
                                        struct cpu_user_regs *regs,
                                        const struct bounce *b)
{
    unsigned int words =
        7U + (b->has_error ? 1 : 0) + (b->has_segments ? 4 : 0);
    unsigned long sp;
    u64 cs = regs->cs;

    if (v->pv.in_kernel) {
        sp = regs->rsp;
        cs &= ~3UL;
    } else {
        sp = v->pv.kernel_sp;
        pv_toggle_mode(v);
    }
    sp = (sp & ~0xfUL) - words * 8;
    if (unlikely(!guest_range_ok(sp, words * 8)) ||
        unlikely(!write_frame(v, regs, b, (u64 *)sp, cs))) {
        stack_bad(v->domain, sp, b->address);
        return false;
    }
    if (b->mask_events)
        v->pv.info->evtchn_upcall_mask = 1;
    regs->rip = b->address;
    regs->rsp = sp;
    regs->cs = GUEST_CS64;
    regs->ss = GUEST_SS;
    /* If TF is set, the debugger has just done it. */
    regs->rflags = (regs->rflags & ~FLAGS_CLEARED) | X86_EFLAGS_IF;
    regs->entry_vector = SYSRET_OK;
    return true;
}

static noinline void bounce(struct cpu_user_regs *regs, const struct bounce *b)
{
    bounce_inline(current, regs, b);
}

void pv_inject_trap(struct cpu_user_regs *regs, unsigned int vector,
                    u32 error_code)
{
    struct vcpu *v = current;
    const struct guest_trap *t = &v->pv.traps[vector];
    struct bounce b = {t->address, t->mask_events,
                       error_code != TRAP_NO_ERROR_CODE, error_code, false};

    if (unlikely(!t->address)) {
        guest_crash(v->domain,
                    "trap %u (error code %#x) at %#lx and it registered no handler",
                    vector, error_code == TRAP_NO_ERROR_CODE ? 0 : error_code,
                    (unsigned long)regs->rip);
        return;
    }
    bounce_inline(v, regs, &b);
}

void pv_inject_page_fault(struct cpu_user_regs *regs, u32 error_code,
                          unsigned long cr2)
{
    struct vcpu *v = current;

    v->pv.info->arch.cr2 = cr2;
    if (v->pv.in_kernel)
        error_code &= ~(u32)PFEC_USER;
    else
        error_code |= PFEC_USER;
    pv_inject_trap(regs, X86_EXC_PF, error_code);
}

void pv_deliver_event(void)
{
    struct vcpu *v = current;
    struct bounce b = {v->pv.event.address, true, false, 0, false};

    if (unlikely(!b.address)) {
        /* Nothing registered yet: the guest polls. */
        return;
    }
    /* entry.S does not look for softirqs again: a crash has raised one. */
    if (unlikely(!bounce_inline(v, guest_cpu_user_regs(), &b)))
        return_to_guest();
}

/*
 * SOFTIRQ_GUEST_NMI: on the way out, guest_regs complete, irqs on.  A kernel
 * names the handler by a callback or, as Linux does, by vector 2 of its trap
 * table.
 */
void pv_deliver_nmi(void)
{
    struct vcpu *v = current;
    struct bounce b = {0, true, false, 0, false};

    if (v->is_idle || !READ_ONCE(v->nmi_pending))
        return;
    b.address = v->pv.nmi.address ? v->pv.nmi.address
                                  : v->pv.traps[X86_EXC_NMI].address;
    if (!b.address)
        return;
    v->nmi_pending = 0;
    bounce(guest_cpu_user_regs(), &b);
}

/* --- the slow ends of entry.S --- */

void pv_syscall_stack_bad(void)
{
    guest_crash(currd, "its kernel stack at %#lx cannot be written (system call)",
                current->pv.kernel_sp);
}

void pv_syscall_unregistered(void)
{
    guest_crash(currd, "SYSCALL in user mode and it registered no entry");
}

static void compat_entry(struct cpu_user_regs *regs,
                         const struct guest_callback *cb)
{
    struct bounce b = {cb->address, cb->mask_events, false, 0, false};

    if (current->pv.in_kernel || !cb->address) {
        pv_inject_trap(regs, X86_EXC_GP, 0);
        return;
    }
    bounce(regs, &b);
}

void pv_enter_by_syscall(struct cpu_user_regs *regs)
{
    const struct guest_callback *cb = &current->pv.syscall;
    struct bounce b = {cb->address, cb->mask_events, false, 0, false};

    bounce(regs, &b);
    regs->rflags &= ~(u64)X86_EFLAGS_DF;
}

void pv_syscall_compat(struct cpu_user_regs *regs)
{
    compat_entry(regs, &current->pv.syscall32);
}

void pv_sysenter(struct cpu_user_regs *regs)
{
    regs->rflags |= X86_EFLAGS_IF;
    compat_entry(regs, &current->pv.sysenter);
}

void pv_iret_frame_bad(void)
{
    guest_crash(currd, "its iret frame at %#lx cannot be read",
                (unsigned long)guest_cpu_user_regs()->rsp);
}

void pv_iret_without_tables(void)
{
    guest_crash(currd, "it returns to user mode and gave no page table for it");
}

/* The guest gave IRET selectors or an address that the CPU refuses. */
void pv_iret_faulted(struct cpu_user_regs *regs)
{
    struct vcpu *v = current;
    struct bounce b = {v->pv.failsafe.address, v->pv.failsafe.mask_events,
                       false, 0, true};

    if (!b.address) {
        guest_crash(v->domain,
                    "it returns to cs:rip %#x:%#lx ss %#x, which faults, and it registered no failsafe handler",
                    regs->cs, (unsigned long)regs->rip, regs->ss);
        return;
    }
    bounce(regs, &b);
}
