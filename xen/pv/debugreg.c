/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug registers of a vCPU: loaded while it runs, if it enabled any.
 * DR7 facts: SDM vol. 3B 18.2.4.  Breakpoints inside the hypervisor's range
 * are refused: a guest must not stop us.
 */
#include "internal.h"

#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/x86.h>

#define DR7_ENABLES 0xffUL
#define DR7_RESERVED_ZERO 0xffffffff0000d800UL /* 15:14, 12:11, upper half */
#define DR7_FIXED 0x400UL
#define DR6_FIXED 0xffff0ff0UL
#define DR6_RESERVED_ZERO 0xffffffff00001000UL

#define WRITE_DR(n, v) __asm__ volatile("mov %0, %%db" #n ::"r"(v))

/*
 * Registers that the debugger has, a bit each, and what they have in DR7. The
 * guests' own values of them are kept, but do nothing; their others work.
 */
static unsigned int taken;
static u64 taken_dr7 = DR7_FIXED;

void pv_debugreg_take(unsigned int mask, u64 dr7)
{
    taken = mask;
    taken_dr7 = dr7 | DR7_FIXED;
}

/* The enables, kinds and lengths of the registers that are left to guests. */
static u64 left_to(const struct vcpu *v)
{
    u64 dr7 = v->pv.debugreg[7];

    for (unsigned int i = 0; i < 4; i++)
        if (taken >> i & 1)
            dr7 &= ~(3UL << (2 * i) | 0xfUL << (16 + 4 * i));
    return dr7;
}

u64 pv_debugreg_share(const struct vcpu *v)
{
    if (!(v->pv.debugreg[7] & DR7_ENABLES))
        return 0;
    if (!(taken & 1))
        WRITE_DR(0, v->pv.debugreg[0]);
    if (!(taken & 2))
        WRITE_DR(1, v->pv.debugreg[1]);
    if (!(taken & 4))
        WRITE_DR(2, v->pv.debugreg[2]);
    if (!(taken & 8))
        WRITE_DR(3, v->pv.debugreg[3]);
    return left_to(v);
}

void pv_debugreg_load(struct vcpu *v)
{
    u64 dr7;

    if (likely(!(v->pv.debugreg[7] & DR7_ENABLES)))
        return;
    dr7 = pv_debugreg_share(v);
    WRITE_DR(6, v->pv.debugreg[6]);
    cpu_write_dr7(dr7 | taken_dr7);
}

void pv_debugreg_unload(struct vcpu *v)
{
    if (unlikely(v->pv.debugreg[7] & DR7_ENABLES))
        cpu_write_dr7(taken_dr7);
}

/* Each enabled breakpoint: no I/O kind (CR4.DE is ours), none global-detect. */
static int check_dr7(u64 val)
{
    for (unsigned int i = 0; i < 4; i++)
        if ((val >> (2 * i) & 3) && (val >> (16 + 4 * i) & 3) == 2)
            return -EPERM;
    return 0;
}

static int set_dr7(struct vcpu *v, u64 val)
{
    if (val >> 32)
        return -EINVAL;
    val &= ~(DR7_RESERVED_ZERO | 1UL << 13);
    val |= DR7_FIXED;
    if (check_dr7(val))
        return -EPERM;
    v->pv.debugreg[7] = val;
    if (v != current)
        return 0;
    if (val & DR7_ENABLES)
        pv_debugreg_load(v);
    else
        cpu_write_dr7(taken_dr7);
    return 0;
}

int pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long val)
{
    switch (reg) {
    case 0 ... 3:
        if (!canonical(val) || !guest_range_ok(val, 8))
            return -EPERM;
        v->pv.debugreg[reg] = val;
        break;
    case 4:
    case 6:
        if (val >> 32)
            return -EINVAL;
        v->pv.debugreg[6] = (val & ~DR6_RESERVED_ZERO) | DR6_FIXED;
        break;
    case 5:
    case 7:
        return set_dr7(v, val);
    default:
        return -ENODEV;
    }
    if (v == current)
        pv_debugreg_load(v);
    return 0;
}
