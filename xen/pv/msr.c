/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model-specific registers of a guest kernel: its segment bases, and read-only
 * views of a few others. A register that is not named here is #GP, unless the
 * write would change nothing.
 */
#include "internal.h"

#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/frame.h>
#include <hv/printk.h>
#include <hv/x86.h>

#define MSR_HYPERCALL_PAGE 0x40000000 /* as CPUID says: cpuid.c */
#define MSR_TSC 0x10
#define MSR_PLATFORM_ID 0x17
#define MSR_MICROCODE_REV 0x8b
#define MSR_MISC_ENABLE 0x1a0
#define MSR_AMD_PATCHLEVEL 0xc0010058
#define EFER_VISIBLE ((u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX))

int pv_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_SHADOW_GS_BASE:
    case MSR_PAT:
        *val = rdmsr(msr);
        return 0;
    case MSR_EFER:
        *val = rdmsr(msr) & EFER_VISIBLE;
        return 0;
    case MSR_TSC:
        *val = pv_guest_tsc(v->domain);
        return 0;
    case MSR_APIC_BASE:
        *val = 0xfee00000UL | 1UL << 11 | (v->id ? 0 : 1UL << 8);
        return 0;
    case MSR_SYSENTER_CS:
    case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
        *val = 0;
        return 0;
    case MSR_PLATFORM_ID:
    case MSR_MICROCODE_REV:
    case MSR_MISC_ENABLE:
    case MSR_AMD_PATCHLEVEL:
        return rdmsr_safe(msr, val) ? -EPERM : 0;
    default:
        guest_debug("RDMSR %#x refused\n", msr);
        return -EPERM;
    }
}

/* Fill a page of the guest with hypercall stubs (leaf 0x40000002). */
static int write_hypercall_page(struct vcpu *v, u64 val)
{
    mfn_t m = maddr_to_mfn(val);
    struct frame *f;

    if ((val & (PAGE_SIZE - 1)) || !mfn_valid(m))
        return -EPERM;
    f = mfn_to_frame(m);
    if (frame_get_and_type(f, v->domain->id, FT_WRITABLE))
        return -EPERM;
    pv_fill_hypercall_page(mfn_to_virt(m));
    frame_put_and_type(f);
    return 0;
}

static int write_base(u32 msr, u64 val)
{
    if (!canonical(val))
        return -EPERM;
    wrmsr(msr, val);
    return 0;
}

int pv_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
    u64 now;

    switch (msr) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_SHADOW_GS_BASE:
        return write_base(msr, val);
    case MSR_SYSENTER_CS:
    case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
    case MSR_STAR:
    case MSR_LSTAR:
    case MSR_CSTAR:
    case MSR_SYSCALL_MASK:
        return 0; /* the guest registered callbacks instead */
    case MSR_HYPERCALL_PAGE:
        return write_hypercall_page(v, val);
    case MSR_EFER:
        return (val ^ rdmsr(MSR_EFER)) & EFER_VISIBLE ? -EPERM : 0;
    case MSR_MICROCODE_REV:
        return 0;
    default:
        if (!pv_rdmsr(v, msr, &now) && now == val)
            return 0;
        guest_debug("WRMSR %#x = %#lx refused\n", msr, (unsigned long)val);
        return -EPERM;
    }
}
