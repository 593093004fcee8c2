/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID as a PV guest gets it: the machine's, less what a kernel in ring 3
 * cannot have or the hypervisor does not virtualise, plus the hypervisor's own
 * leaves (arch-x86/cpuid.h).  Leaf facts: SDM vol. 2A, AMD APM vol. 3 app. E.
 */
#include "internal.h"

#include <hv/clock.h>
#include <hv/cpuid-mask.h>
#include <hv/string.h>
#include <hv/x86.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/version.h>

#define BIT(n) (1U << (n))

/* Leaf 1. EDX: VME, PSE, MCE, MTRR, PGE, MCA, PSE36, DS, ACPI, TM, PBE. */
#define HIDE_1D                                                                \
    (BIT(1) | BIT(3) | BIT(7) | BIT(12) | BIT(13) | BIT(14) | BIT(17) |        \
     BIT(21) | BIT(22) | BIT(29) | BIT(31))
/* ECX: DTES64, MONITOR, DS-CPL, VMX, SMX, EIST, TM2, xTPR, PDCM, PCID, DCA,
 * x2APIC, TSC-deadline, OSXSAVE (put back below). */
#define HIDE_1C                                                                \
    (BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(14) |  \
     BIT(15) | BIT(17) | BIT(18) | BIT(21) | BIT(24) | BIT(27))
/* Leaf 7. EBX: FSGSBASE (with it Linux reads the user's GS base by a trapping
 * RDMSR at every task switch; without it, it has no need to), TSC_ADJUST, SGX,
 * SMEP, INVPCID, PQM, MPX, PQE, SMAP, PT. */
#define HIDE_7B                                                                \
    (BIT(0) | BIT(1) | BIT(2) | BIT(7) | BIT(10) | BIT(12) | BIT(14) |         \
     BIT(15) | BIT(20) | BIT(25))
/* ECX: what remains is instructions of user mode: AVX512_VBMI.. and the like.
 * UMIP, PKU, OSPKE, WAITPKG, CET_SS, TME, LA57, RDPID, KL, BUSLOCK, ENQCMD.. */
#define HIDE_7C                                                                \
    (BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(7) | BIT(13) | BIT(16) |          \
     BIT(17) | BIT(22) | BIT(23) | BIT(24) | BIT(29) | BIT(30) | BIT(31))
/* EDX: keeps AVX512 parts, FSRM, MD_CLEAR, SERIALIZE. */
#define KEEP_7D (BIT(2) | BIT(3) | BIT(4) | BIT(8) | BIT(10) | BIT(14))
/* 0x80000001 EDX: as leaf 1, and 1 GiB pages, RDTSCP. */
#define HIDE_E1D                                                               \
    (BIT(1) | BIT(3) | BIT(7) | BIT(12) | BIT(13) | BIT(14) | BIT(17) |        \
     BIT(26) | BIT(27))
/* ECX: SVM, ExtApic, OSVW, IBS, SKINIT, WDT, LWP, NodeId, TopoExt, PerfCtr*,
 * MONITORX. */
#define HIDE_E1C                                                               \
    (BIT(2) | BIT(3) | BIT(9) | BIT(10) | BIT(12) | BIT(13) | BIT(15) |        \
     BIT(19) | BIT(22) | BIT(23) | BIT(24) | BIT(26) | BIT(28) | BIT(29))

static void hypervisor_leaf(u32 n, u32 sub, struct cpuid_regs *r)
{
    static const char name[12] = "XenVMMXenVMM";
    struct cpu_clock c;

    memset(r, 0, sizeof(*r));
    switch (n) {
    case 0:
        r->a = XEN_CPUID_FIRST_LEAF + 5;
        memcpy(&r->b, name, 4);
        memcpy(&r->c, name + 4, 4);
        memcpy(&r->d, name + 8, 4);
        break;
    case 1:
        r->a = 4 << 16 | 17;
        break;
    case 2:
        r->a = 1; /* hypercall pages */
        r->b = 0x40000000;
        r->c = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
        break;
    case 3:
        if (sub == 0) {
            r->c = tsc_khz;
        } else if (sub == 1) {
            clock_read_scale(&c);
            r->a = (u32)c.system_base;
            r->b = (u32)((u64)c.system_base >> 32);
            r->c = c.tsc_to_system_mul;
            r->d = (u32)(s32)c.tsc_shift;
        } else if (sub == 2) {
            r->a = tsc_khz;
        }
        break;
    case 5:
        if (sub == 0)
            r->b = cpu_features.phys_bits;
        break;
    default:
        break;
    }
}

static void leaf1(struct vcpu *v, struct cpuid_regs *r)
{
    r->b = (r->b & 0xffff) | 1U << 16 | (v->id * 2) << 24;
    r->c &= ~HIDE_1C;
    r->c |= BIT(31);
    if (!cpu_features.xsave)
        r->c &= ~(BIT(26) | BIT(28) | BIT(12) | BIT(29));
    if (v->pv.ctrlreg[4] & X86_CR4_OSXSAVE)
        r->c |= BIT(27);
    r->d &= ~(HIDE_1D | BIT(28)); /* HTT: one thread a core */
}

static void leaf7(struct cpuid_regs *r, u32 sub)
{
    if (sub) {
        r->a &= BIT(4) | BIT(5); /* AVX_VNNI, AVX512_BF16 */
        r->b = r->c = r->d = 0;
        return;
    }
    r->a = MIN(r->a, 1U);
    r->b &= ~HIDE_7B;
    r->c &= ~HIDE_7C;
    r->d &= KEEP_7D;
}

static void leaf_xsave(struct cpuid_regs *r, u32 sub)
{
    if (!cpu_features.xsave) {
        memset(r, 0, sizeof(*r));
    } else if (sub == 0) {
        r->a &= (u32)cpu_features.xcr0;
        r->d &= (u32)(cpu_features.xcr0 >> 32);
    } else if (sub == 1) {
        r->a &= BIT(0) | BIT(1) | BIT(2); /* no XSAVES */
        r->b = r->c = r->d = 0;
    } else if (sub > 62 || !(cpu_features.xcr0 >> sub & 1)) {
        memset(r, 0, sizeof(*r));
    }
}

static void extended_leaf(u32 leaf, struct cpuid_regs *r)
{
    switch (leaf) {
    case 0x80000000:
        r->a = MIN(r->a, 0x80000008U);
        break;
    case 0x80000001:
        r->c &= ~HIDE_E1C;
        r->d &= ~HIDE_E1D;
        break;
    case 0x80000007:
        r->a = r->b = r->c = 0;
        /* Invariant TSC. It runs on while a debugger keeps the machine: Linux
         * is to prefer our clock, which does not. */
        r->d &= pv_has_debugger() ? 0 : BIT(8);
        break;
    case 0x80000008:
        r->b = r->c = r->d = 0;
        break;
    default:
        break;
    }
}

static void basic_leaf(struct vcpu *v, u32 leaf, u32 sub, struct cpuid_regs *r)
{
    switch (leaf) {
    case 0:
        r->a = MIN(r->a, 0xdU);
        break;
    case 1:
        leaf1(v, r);
        break;
    case 4: /* caches: each core its own */
        if (r->a & 0x1f)
            r->a &= 0x3fff;
        break;
    case 5:
    case 9:
    case 0xa:
    case 0xb:
        memset(r, 0, sizeof(*r));
        break;
    case 6:
        r->a &= BIT(2); /* APIC timer always runs */
        r->b = r->c = r->d = 0;
        break;
    case 7:
        leaf7(r, sub);
        break;
    case 0xd:
        leaf_xsave(r, sub);
        break;
    default:
        break;
    }
}

void pv_cpuid(struct vcpu *v, u32 leaf, u32 sub, struct cpuid_regs *r)
{
    if ((leaf & 0xffffff00) == XEN_CPUID_FIRST_LEAF) {
        hypervisor_leaf(leaf & 0xff, sub, r);
        return;
    }
    memset(r, 0, sizeof(*r));
    if (leaf & 0x80000000) {
        if (leaf > MIN(cpu_features.max_ext_leaf, 0x80000008U))
            return;
        *r = cpuid_count(leaf, sub);
        extended_leaf(leaf, r);
    } else if (leaf <= MIN(cpu_features.max_leaf, 0xdU)) {
        *r = cpuid_count(leaf, sub);
        basic_leaf(v, leaf, sub, r);
    }
    domain_mask_cpuid(v->domain, leaf, sub, r);
}
