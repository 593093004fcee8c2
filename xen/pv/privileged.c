/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Privileged instructions that a guest kernel executes in ring 3 and that
 * fault with #GP: control and debug registers, MSRs, port I/O, XSETBV, CPUID
 * where it faults.  What the guest may have is carried out, anything else is
 * its own #GP.
 */
#include "internal.h"

#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/x86.h>

/* What a guest may set in CR4; the rest is ours or not offered. */
#define GUEST_CR4                                                              \
    ((u64)(X86_CR4_TSD | X86_CR4_DE | X86_CR4_PAE | X86_CR4_MCE |              \
           X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT |            \
           X86_CR4_OSXSAVE))

static bool read_cr(struct vcpu *v, unsigned int cr, u64 *val)
{
    switch (cr) {
    case 0:
        *val = (read_cr0() & ~(u64)X86_CR0_TS) |
               (v->pv.ctrlreg[0] & X86_CR0_TS);
        return true;
    case 2:
        *val = v->pv.info->arch.cr2;
        return true;
    case 3:
        *val = v->pv.cr3_kernel;
        return true;
    case 4:
        *val = pv_guest_cr4(v);
        return true;
    default:
        return false;
    }
}

static bool write_guest_cr0(struct vcpu *v, u64 val)
{
    if ((val ^ read_cr0()) & ~(u64)X86_CR0_TS)
        return false;
    v->pv.ctrlreg[0] = (v->pv.ctrlreg[0] & ~(u64)X86_CR0_TS) |
                       (val & X86_CR0_TS);
    write_cr0(val);
    return true;
}

static bool write_guest_cr4(struct vcpu *v, u64 val)
{
    WRITE_ONCE(v->pv.ctrlreg[4], (val & GUEST_CR4) | X86_CR4_PAE);
    /* Behind it: a stop's NMI in between sets both. */
    if (READ_ONCE(v->domain->tsc_shift))
        v->pv.ctrlreg[4] |= X86_CR4_TSD;
    v->pv.own_tsd = !!(val & X86_CR4_TSD);
    pv_tsc_load();
    return true;
}

static bool write_cr(struct vcpu *v, unsigned int cr, u64 val)
{
    switch (cr) {
    case 0:
        return write_guest_cr0(v, val);
    case 2:
        v->pv.info->arch.cr2 = val;
        return true;
    case 4:
        return write_guest_cr4(v, val);
    default:
        return false;
    }
}

/* Interrupted: length 0, so that the guest comes back to the instruction. */
static bool move_to_cr3(struct vcpu *v, struct insn *i, u64 val)
{
    int rc;

    v->pv.preemptible = 1;
    rc = pv_set_kernel_l4(v, maddr_to_mfn(val & PTE_ADDR_MASK));
    v->pv.preemptible = 0;
    if (rc == -ERESTART)
        i->at = 0;
    return !rc || rc == -ERESTART;
}

static bool mov_cr(struct cpu_user_regs *regs, struct insn *i)
{
    struct vcpu *v = current;
    u64 *r;

    if (!insn_modrm(i, regs, 0) || i->memory)
        return false;
    r = insn_register(regs, i->rm);
    if (i->opcode == 0x0f20)
        return read_cr(v, i->reg, r);
    return i->reg == 3 ? move_to_cr3(v, i, *r) : write_cr(v, i->reg, *r);
}

static bool mov_dr(struct cpu_user_regs *regs, struct insn *i)
{
    struct vcpu *v = current;
    u64 *r;

    if (!insn_modrm(i, regs, 0) || i->memory || i->reg > 7)
        return false;
    r = insn_register(regs, i->rm);
    if (i->opcode == 0x0f21) {
        *r = v->pv.debugreg[i->reg == 4 || i->reg == 5 ? i->reg + 2 : i->reg];
        return true;
    }
    return pv_set_debugreg(v, i->reg, *r) == 0;
}

static bool msr_access(struct cpu_user_regs *regs, const struct insn *i)
{
    struct vcpu *v = current;
    u64 val = (u32)regs->rax | (u64)(u32)regs->rdx << 32;

    if (i->opcode == 0x0f30)
        return pv_wrmsr(v, (u32)regs->rcx, val) == 0;
    if (pv_rdmsr(v, (u32)regs->rcx, &val))
        return false;
    regs->rax = (u32)val;
    regs->rdx = val >> 32;
    return true;
}

/* 0f 01: XSETBV, and the memory and register forms of LMSW, SMSW, INVLPG. */
static bool group7(struct cpu_user_regs *regs, struct insn *i)
{
    struct vcpu *v = current;

    if (!insn_modrm(i, regs, 0))
        return false;
    if (i->modrm == 0xd1)
        return (u32)regs->rcx == 0 &&
               pv_set_xcr0(v, (u32)regs->rax |
                                  (u64)(u32)regs->rdx << 32) == 0;
    if (i->memory && (i->modrm >> 3 & 7) == 7) {
        invlpg(i->address);
        return true;
    }
    return false;
}

static void do_cpuid(struct cpu_user_regs *regs)
{
    struct cpuid_regs r;

    pv_cpuid(current, (u32)regs->rax, (u32)regs->rcx, &r);
    regs->rax = r.a;
    regs->rbx = r.b;
    regs->rcx = r.c;
    regs->rdx = r.d;
}

u64 pv_guest_tsc(const struct domain *d)
{
    unsigned int tries = 3; /* gdb may be stepping through here */
    u64 shift, t;

    do {
        shift = READ_ONCE(d->tsc_shift);
        t = rdtsc();
    } while (READ_ONCE(d->tsc_shift) != shift && tries--);
    return t - shift;
}

/* False: the guest kernel keeps the TSC from this mode. */
static bool do_rdtsc(struct cpu_user_regs *regs)
{
    u64 t = pv_guest_tsc(currd);

    if (current->pv.own_tsd && !current->pv.in_kernel)
        return false;
    regs->rax = (u32)t;
    regs->rdx = t >> 32;
    return true;
}

/* Is the guest's own IOPL enough for CLI and STI? */
static bool iopl_ok(const struct vcpu *v)
{
    return v->pv.iopl >= (v->pv.in_kernel ? 0x1000U : 0x3000U);
}

static bool kernel_only(struct cpu_user_regs *regs, struct insn *i)
{
    switch (i->opcode) {
    case 0x0f01:
        return group7(regs, i);
    case 0x0f06:
        current->pv.ctrlreg[0] &= ~(u64)X86_CR0_TS;
        __asm__ volatile("clts");
        return true;
    case 0x0f08:
    case 0x0f09:
        if (currd->io_all_allowed)
            __asm__ volatile("wbinvd" ::: "memory");
        return true;
    case 0x0f20:
    case 0x0f22:
        return mov_cr(regs, i);
    case 0x0f21:
    case 0x0f23:
        return mov_dr(regs, i);
    case 0x0f30:
    case 0x0f32:
        return msr_access(regs, i);
    default:
        return false;
    }
}

static bool emulate(struct cpu_user_regs *regs, struct insn *i)
{
    switch (i->opcode) {
    case 0x6c ... 0x6f:
    case 0xe4 ... 0xe7:
    case 0xec ... 0xef:
        return pv_emulate_io(regs, i);
    case 0xfa:
    case 0xfb:
        return iopl_ok(current);
    case 0x0f31:
        return do_rdtsc(regs);
    case 0x0fa2:
        do_cpuid(regs);
        return true;
    default:
        return current->pv.in_kernel && kernel_only(regs, i);
    }
}

static void step_over(struct cpu_user_regs *regs, unsigned int length)
{
    regs->rip += length;
    regs->rflags &= ~(u64)X86_EFLAGS_RF;
    if (regs->rflags & X86_EFLAGS_TF)
        pv_single_stepped(regs);
}

/*
 * RDTSC and RDTSCP at rip, or 0: their length. RDTSCP is not offered, but is
 * there for who asks the CPU itself; its TSC_AUX is nobody's, and 0.
 */
static unsigned int tsc_reader(const struct cpu_user_regs *regs)
{
    const u8 *at = (const u8 *)regs->rip;
    u16 code;
    u8 last = 0;

    if (!guest_range_ok(regs->rip, 3))
        return 0;
    user_access_begin();
    get_guest(code, (const u16 *)at, fault);
    if (code == 0x010f)
        get_guest(last, at + 2, fault);
    user_access_end();
    return code == 0x310f ? 2 : last == 0xf9 ? 3 : 0;
fault:
    user_access_end();
    return 0;
}

bool pv_emulate_tsc(struct cpu_user_regs *regs)
{
    unsigned int length;

    if (!(current->pv.ctrlreg[4] & X86_CR4_TSD) || (u16)regs->error_code)
        return false;
    length = tsc_reader(regs);
    if (!length || !do_rdtsc(regs))
        return false;
    if (length == 3)
        regs->rcx = 0;
    step_over(regs, length);
    return true;
}

bool pv_emulate_privileged(struct cpu_user_regs *regs)
{
    struct insn i;

    if (!insn_fetch(&i, regs) || !insn_opcode(&i) || i.lock ||
        !emulate(regs, &i))
        return false;
    if (i.at)
        step_over(regs, i.at);
    return true;
}

/* "ud2 'xen'" before CPUID: the guest asks for the hypervisor's answer
 * (xen.h, XEN_EMULATE_PREFIX). */
bool pv_emulate_forced(struct cpu_user_regs *regs)
{
    static const u8 want[7] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
    u8 code[sizeof(want)];

    if (raw_copy_from_guest(code, (void *)regs->rip, sizeof(code)) ||
        memcmp(code, want, sizeof(want)))
        return false;
    do_cpuid(regs);
    step_over(regs, sizeof(want));
    return true;
}
