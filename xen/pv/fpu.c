/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Floating-point and vector state of a vCPU: saved whenever it leaves a CPU,
 * loaded when it comes back unless nobody used the registers meanwhile.
 * The image is XSAVE's where the CPU has it, else FXSAVE's (SDM vol. 1, 13.4).
 */
#include "internal.h"

#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/mm.h>
#include <hv/string.h>
#include <hv/x86.h>

#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80
#define FX_FCW 0
#define FX_MXCSR 24
#define XSAVE_HEADER 512
#define XCR0_X87 1UL
#define XCR0_SSE 2UL
#define XCR0_AVX 4UL
#define XCR0_AVX512 0xe0UL

/* Whose state is in this CPU's registers, and where it was last loaded. */
static DEFINE_PER_CPU(struct vcpu *, fpu_owner);
static DEFINE_PER_CPU(u64, xcr0_loaded);

static unsigned int image_order(void)
{
    return cpu_features.xsave_size > PAGE_SIZE ? 1 : 0;
}

int pv_fpu_init(struct vcpu *v)
{
    u16 fcw = FCW_DEFAULT;
    u32 mxcsr = MXCSR_DEFAULT;

    v->pv.fpu = alloc_hv_pages(image_order(), 0);
    if (!v->pv.fpu)
        return -ENOMEM;
    memset(v->pv.fpu, 0, PAGE_SIZE << image_order());
    memcpy((char *)v->pv.fpu + FX_FCW, &fcw, sizeof(fcw));
    memcpy((char *)v->pv.fpu + FX_MXCSR, &mxcsr, sizeof(mxcsr));
    v->pv.xcr0 = XCR0_X87;
    v->pv.fpu_cpu = NR_CPUS;
    return 0;
}

void pv_fpu_free(struct vcpu *v)
{
    unsigned int cpu;

    for_each_online_cpu(cpu)
        if (per_cpu(fpu_owner, cpu) == v)
            per_cpu(fpu_owner, cpu) = NULL;
    free_hv_pages(v->pv.fpu, image_order());
    v->pv.fpu = NULL;
}

/* SSE works without its XCR0 bit, so its state is always saved. */
static void load_xcr0(u64 xcr0)
{
    xcr0 |= XCR0_X87 | XCR0_SSE;
    if (this_cpu(xcr0_loaded) == xcr0)
        return;
    this_cpu(xcr0_loaded) = xcr0;
    __asm__ volatile("xsetbv" ::"c"(0), "a"((u32)xcr0),
                     "d"((u32)(xcr0 >> 32)));
}

/* The image's word that names the components in it (SDM vol. 1, 13.4.2). */
static u64 *xstate_bv(struct vcpu *v)
{
    return (u64 *)((char *)v->pv.fpu + XSAVE_HEADER);
}

/* Legacy part from outside: reserved bits of MXCSR would fault on loading. */
void pv_fpu_set_legacy(struct vcpu *v, const void *image)
{
    char *fpu = v->pv.fpu;
    u32 mxcsr;

    memcpy(fpu, image, XSAVE_HEADER);
    memcpy(&mxcsr, fpu + FX_MXCSR, sizeof(mxcsr));
    mxcsr &= cpu_features.mxcsr_mask;
    memcpy(fpu + FX_MXCSR, &mxcsr, sizeof(mxcsr));
    if (cpu_features.xsave)
        *xstate_bv(v) = XCR0_X87 | XCR0_SSE;
    v->pv.fpu_cpu = NR_CPUS;
}

/* With TS clear. */
void pv_fpu_save(struct vcpu *v)
{
    if (v->pv.ctrlreg[0] & X86_CR0_TS)
        __asm__ volatile("clts");
    if (cpu_features.xsave)
        __asm__ volatile("xsave64 (%0)" ::"r"(v->pv.fpu), "a"(~0U), "d"(~0U)
                         : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(v->pv.fpu) : "memory");
    this_cpu(fpu_owner) = v;
    v->pv.fpu_cpu = smp_processor_id();
}

/*
 * Where the last x87 instruction and operand of the vCPU before were is not for
 * v to know: a load of our own takes their place where restoring would not.
 */
static void forget_fpu_pointers(void)
{
    static const u32 zero;

    __asm__ volatile("fnclex; emms; fildl %0" ::"m"(zero));
}

void pv_fpu_restore(struct vcpu *v)
{
    if (this_cpu(fpu_owner) != v || v->pv.fpu_cpu != smp_processor_id()) {
        __asm__ volatile("clts");
        if (unlikely(cpu_features.fpu_pointers_stay))
            forget_fpu_pointers();
        if (cpu_features.xsave) {
            load_xcr0(v->pv.xcr0);
            __asm__ volatile("xrstor64 (%0)" ::"r"(v->pv.fpu), "a"(~0U),
                             "d"(~0U)
                             : "memory");
        } else {
            __asm__ volatile("fxrstor64 (%0)" ::"r"(v->pv.fpu) : "memory");
        }
        /* Its owner's image is not what the registers hold any more. */
        this_cpu(fpu_owner) = v;
    }
    if (unlikely(v->pv.ctrlreg[0] & X86_CR0_TS))
        write_cr0(read_cr0() | X86_CR0_TS);
}

/* The debugger: v's registers are in this CPU and its image is to show them. */
void pv_fpu_show(struct vcpu *v)
{
    pv_fpu_save(v);
    if (unlikely(v->pv.ctrlreg[0] & X86_CR0_TS))
        write_cr0(read_cr0() | X86_CR0_TS);
}

/* The legacy part anew; the other components stay. */
void pv_fpu_change(struct vcpu *v, const void *image)
{
    u64 others = cpu_features.xsave ? *xstate_bv(v) : 0;

    pv_fpu_set_legacy(v, image);
    if (cpu_features.xsave)
        *xstate_bv(v) |= others;
}

/* After pv_fpu_show(), and perhaps pv_fpu_change(), of what this CPU runs. */
void pv_fpu_reload(struct vcpu *v)
{
    if (v->pv.fpu_cpu != smp_processor_id())
        pv_fpu_restore(v);
}

/*
 * Components that v did not have on: their registers hold what an earlier vCPU
 * of this CPU left. The image has none of them, so XRSTOR initialises them; it
 * loads MXCSR too (SDM vol. 1, 13.8.1), which must stay as it is.
 */
static void init_components(struct vcpu *v, u64 added)
{
    __asm__ volatile("clts\n"
                     "stmxcsr 24(%0)\n"
                     "xrstor64 (%0)" ::"r"(v->pv.fpu),
                     "a"((u32)added), "d"((u32)(added >> 32))
                     : "memory");
    if (v->pv.ctrlreg[0] & X86_CR0_TS)
        write_cr0(read_cr0() | X86_CR0_TS);
}

int pv_set_xcr0(struct vcpu *v, u64 xcr0)
{
    u64 avx512 = xcr0 & XCR0_AVX512;
    u64 added = xcr0 & ~(v->pv.xcr0 | XCR0_X87 | XCR0_SSE);

    if (!(v->pv.ctrlreg[4] & X86_CR4_OSXSAVE) || !(xcr0 & XCR0_X87) ||
        (xcr0 & ~cpu_features.xcr0) ||
        ((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE)) ||
        (avx512 && (avx512 != XCR0_AVX512 || !(xcr0 & XCR0_AVX))))
        return -EINVAL;
    v->pv.xcr0 = xcr0;
    /* XRSTOR refuses an image with components that are off. */
    *xstate_bv(v) &= (xcr0 & ~added) | XCR0_X87 | XCR0_SSE;
    load_xcr0(xcr0);
    if (added)
        init_components(v, added);
    return 0;
}

/* TS is only ever set for the guest: #NM is its own, with TS clear then. */
bool pv_device_not_available(struct vcpu *v)
{
    __asm__ volatile("clts");
    v->pv.ctrlreg[0] &= ~(u64)X86_CR0_TS;
    return false;
}
