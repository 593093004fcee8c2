/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the processors have, and what every one of them is set to.
 * Facts: SDM vol. 2A CPUID; vol. 3A 2.5 (control registers), 12.12 (PAT),
 * 13.2 (XCR0).
 */
#include <hv/bug.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/string.h>
#include <hv/x86.h>

/* x87, SSE, AVX, and the three parts of AVX-512 together. */
#define XCR0_BASE 0x03UL
#define XCR0_AVX 0x04UL
#define XCR0_AVX512 0xe0UL

/* WB WT UC- UC WC WP - -: what PV guests of this ABI expect to read. */
#define PAT_VALUE 0x050100070406UL

struct cpu_features cpu_features __ro_after_init;

static bool opt_smep __initdata = true, opt_smap __initdata = true;
static bool opt_xsave __initdata = true;
OPTION_BOOL(smep, opt_smep);
OPTION_BOOL(smap, opt_smap);
OPTION_BOOL(xsave, opt_xsave);

static bool bit(u32 word, unsigned int n)
{
    return (word >> n) & 1;
}

static struct cpuid_regs __init leaf(u32 nr, u32 sub)
{
    u32 max = nr & 0x80000000 ? cpu_features.max_ext_leaf
                              : cpu_features.max_leaf;

    return nr <= max ? cpuid_count(nr, sub) : (struct cpuid_regs){0};
}

/*
 * QEMU's emulator before version 9 pops the frame of an IRET at CPL 3 with
 * supervisor rights: with CR4.SMAP set every guest kernel's IRET would fault.
 */
static bool __init smap_is_sound(void)
{
    struct cpuid_regs r;

    if (!cpu_features.in_vm)
        return true;
    r = cpuid_count(0x40000000, 0);
    return !(r.b == 0x54474354 && r.c == 0x43544743 && r.d == 0x47435447);
}

static void __init detect_xsave(const struct cpuid_regs *one)
{
    struct cpu_features *f = &cpu_features;
    struct cpuid_regs r;
    u64 offered;

    f->xsave = opt_xsave && bit(one->c, 26) && f->max_leaf >= 0xd;
    f->xsave_size = 512; /* FXSAVE */
    if (!f->xsave)
        return;
    r = leaf(0xd, 0);
    offered = r.a | (u64)r.d << 32;
    f->xcr0 = offered & (XCR0_BASE | XCR0_AVX);
    if ((offered & XCR0_AVX512) == XCR0_AVX512)
        f->xcr0 |= XCR0_AVX512;
    f->xsaveopt = bit(leaf(0xd, 1).a, 0);
}

static void __init detect_limits(void)
{
    struct cpu_features *f = &cpu_features;
    struct cpuid_regs r = cpuid_count(0, 0);
    u32 vendor[3] = {r.b, r.d, r.c};

    f->max_leaf = r.a;
    memcpy(f->vendor, vendor, 12);
    f->max_ext_leaf = cpuid_count(0x80000000, 0).a;
    r = leaf(0x80000008, 0);
    f->phys_bits = r.a ? (u8)r.a : 36;
    /* AMD's, where no x87 exception is pending (APM vol. 2, 11.4.4), until
     * RstrFpErrPtrs came. Others of that family say another name. */
    f->fpu_pointers_stay =
        strcmp(f->vendor, "GenuineIntel") != 0 && !bit(r.b, 2);
}

void __init cpu_features_detect(void)
{
    struct cpu_features *f = &cpu_features;
    struct cpuid_regs r;

    detect_limits();
    r = leaf(1, 0);
    f->x2apic = bit(r.c, 21);
    f->in_vm = bit(r.c, 31);
    f->tsc_deadline = bit(r.c, 24);
    f->pge = bit(r.d, 13);
    detect_xsave(&r);
    f->arat = bit(leaf(6, 0).a, 2);
    r = leaf(7, 0);
    f->smep = opt_smep && bit(r.b, 7);
    f->erms = bit(r.b, 9);
    f->smap = opt_smap && bit(r.b, 20) && smap_is_sound();
    f->umip = bit(r.c, 2);
    f->pku = bit(r.c, 3);
    r = leaf(0x80000001, 0);
    f->nx = bit(r.d, 20);
    f->page1gb = bit(r.d, 26);
    /* AMD has SYSCALL in compatibility mode, Intel does not. */
    f->syscall_compat = strcmp(f->vendor, "GenuineIntel") != 0;
    f->invariant_tsc = bit(leaf(0x80000007, 0).d, 8);
}

void __init cpu_features_show(void)
{
    const struct cpu_features *f = &cpu_features;

    log_info("CPU features in use:%s%s%s%s\n", f->nx ? " NX" : "",
             f->smep ? " SMEP" : "", f->smap ? " SMAP" : "",
             f->xsave ? " XSAVE" : "");
}

static u64 wanted_cr4(void)
{
    const struct cpu_features *f = &cpu_features;
    u64 cr4 = X86_CR4_DE | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_MCE |
              X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;

    cr4 |= f->pge ? X86_CR4_PGE : 0;
    cr4 |= f->xsave ? X86_CR4_OSXSAVE : 0;
    cr4 |= f->smep ? X86_CR4_SMEP : 0;
    cr4 |= f->smap ? X86_CR4_SMAP : 0;
    return cr4;
}

/* Bits of MXCSR that may be set; 0 in the image means the first SSE's. */
static u32 read_mxcsr_mask(void)
{
    u8 area[512 + 16];
    u8 *fx = (u8 *)ROUND_UP((unsigned long)area, 16UL);
    u32 mask;

    memset(fx, 0, 512);
    __asm__ volatile("fxsave64 (%0)" ::"r"(fx) : "memory");
    memcpy(&mask, fx + 28, sizeof(mask));
    return mask ? mask : 0xffbf;
}

static void enable_xsave(void)
{
    u64 xcr0 = cpu_features.xcr0;

    __asm__ volatile("xsetbv" ::"c"(0), "a"((u32)xcr0), "d"((u32)(xcr0 >> 32)));
}

void cpu_features_enable(void)
{
    struct cpu_features *f = &cpu_features;
    bool first = f->mxcsr_mask == 0;

    write_cr0(X86_CR0_PG | X86_CR0_AM | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET |
              X86_CR0_MP | X86_CR0_PE);
    write_cr4(wanted_cr4());
    wrmsr(MSR_EFER, EFER_LMA | EFER_LME | EFER_SCE | EFER_NX);
    wrmsr(MSR_PAT, PAT_VALUE);
    if (f->xsave)
        enable_xsave();
    if (!first)
        return;
    f->mxcsr_mask = read_mxcsr_mask();
    if (f->xsave)
        f->xsave_size = cpuid_count(0xd, 0).b;
}
