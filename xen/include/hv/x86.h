/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processor: register bits, MSRs, and the instructions C has no word for.
 * Facts: Intel SDM vol. 3 and 4. Floor: lib.
 */
#ifndef HV_X86_H
#define HV_X86_H

#define X86_EFLAGS_CF 0x1
#define X86_EFLAGS_TF 0x100
#define X86_EFLAGS_IF 0x200
#define X86_EFLAGS_DF 0x400
#define X86_EFLAGS_IOPL 0x3000
#define X86_EFLAGS_NT 0x4000
#define X86_EFLAGS_RF 0x10000
#define X86_EFLAGS_VM 0x20000
#define X86_EFLAGS_AC 0x40000
#define X86_EFLAGS_VIF 0x80000
#define X86_EFLAGS_VIP 0x100000
#define X86_EFLAGS_ID 0x200000

#define DR6_CLEAR 0xffff0ff0UL /* its reserved bits: SDM vol. 3B 18.2.3 */

#define X86_CR0_PE 0x1
#define X86_CR0_MP 0x2
#define X86_CR0_EM 0x4
#define X86_CR0_TS 0x8
#define X86_CR0_ET 0x10
#define X86_CR0_NE 0x20
#define X86_CR0_WP 0x10000
#define X86_CR0_AM 0x40000
#define X86_CR0_PG 0x80000000

#define X86_CR4_TSD 0x4
#define X86_CR4_DE 0x8
#define X86_CR4_PSE 0x10
#define X86_CR4_PAE 0x20
#define X86_CR4_MCE 0x40
#define X86_CR4_PGE 0x80
#define X86_CR4_PCE 0x100
#define X86_CR4_OSFXSR 0x200
#define X86_CR4_OSXMMEXCPT 0x400
#define X86_CR4_UMIP 0x800
#define X86_CR4_FSGSBASE 0x10000
#define X86_CR4_PCIDE 0x20000
#define X86_CR4_OSXSAVE 0x40000
#define X86_CR4_SMEP 0x100000
#define X86_CR4_SMAP 0x200000
#define X86_CR4_PKE 0x400000

#define MSR_APIC_BASE 0x1b
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_PAT 0x277
#define MSR_X2APIC_FIRST 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_SHADOW_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define EFER_SCE 0x1
#define EFER_LME 0x100
#define EFER_LMA 0x400
#define EFER_NX 0x800

/* Exception vectors. */
#define X86_EXC_DE 0
#define X86_EXC_DB 1
#define X86_EXC_NMI 2
#define X86_EXC_BP 3
#define X86_EXC_OF 4
#define X86_EXC_BR 5
#define X86_EXC_UD 6
#define X86_EXC_NM 7
#define X86_EXC_DF 8
#define X86_EXC_TS 10
#define X86_EXC_NP 11
#define X86_EXC_SS 12
#define X86_EXC_GP 13
#define X86_EXC_PF 14
#define X86_EXC_MF 16
#define X86_EXC_AC 17
#define X86_EXC_MC 18
#define X86_EXC_XM 19

/* Page fault error code. */
#define PFEC_PRESENT 1
#define PFEC_WRITE 2
#define PFEC_USER 4
#define PFEC_RSVD 8
#define PFEC_INSN 16
#define PFEC_PK 32

#ifndef __ASSEMBLY__

#include <hv/compiler.h>
#include <hv/types.h>

static inline u64 rdmsr(u32 msr)
{
    u32 lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return ((u64)hi << 32) | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)v), "d"((u32)(v >> 32))
                     : "memory");
}

/* Survive a #GP: 0 or -EFAULT (cpu/traps.c, exception table). */
int rdmsr_safe(u32 msr, u64 *v);
int wrmsr_safe(u32 msr, u64 v);

static inline u64 read_dr6(void)
{
    u64 v;

    __asm__ volatile("mov %%db6, %0" : "=r"(v));
    return v;
}

static inline void write_dr6(u64 v)
{
    __asm__ volatile("mov %0, %%db6" ::"r"(v));
}

static inline u64 rdtsc(void)
{
    u32 lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return ((u64)hi << 32) | lo;
}

#define X86_PORT_OPS(sfx, type)                                                \
    static inline type in##sfx(u16 port)                                       \
    {                                                                          \
        type v;                                                                \
        __asm__ volatile("in" #sfx " %1, %0" : "=a"(v) : "Nd"(port));          \
        return v;                                                              \
    }                                                                          \
    static inline void out##sfx(type v, u16 port)                              \
    {                                                                          \
        __asm__ volatile("out" #sfx " %0, %1" ::"a"(v), "Nd"(port));           \
    }
X86_PORT_OPS(b, u8)
X86_PORT_OPS(w, u16)
X86_PORT_OPS(l, u32)

#define X86_CR_OPS(n)                                                          \
    static inline unsigned long read_cr##n(void)                               \
    {                                                                          \
        unsigned long v;                                                       \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v) : : "memory");         \
        return v;                                                              \
    }                                                                          \
    static inline void write_cr##n(unsigned long v)                            \
    {                                                                          \
        __asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory");               \
    }
X86_CR_OPS(0)
X86_CR_OPS(2)
X86_CR_OPS(3)
X86_CR_OPS(4)

struct cpuid_regs {
    u32 a, b, c, d;
};

static inline struct cpuid_regs cpuid_count(u32 leaf, u32 sub)
{
    struct cpuid_regs r;

    __asm__ volatile("cpuid"
                     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                     : "a"(leaf), "c"(sub));
    return r;
}

static inline void invlpg(unsigned long va)
{
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline void cpu_halt(void)
{
    __asm__ volatile("hlt" ::: "memory");
}

/* The shadow of sti covers hlt: no wake-up is lost. Called with irqs off. */
static inline void cpu_sti_halt(void)
{
    __asm__ volatile("sti; hlt" ::: "memory");
}

/* What this machine's CPUs have (cpu/features.c); read-only after boot. */
struct cpu_features {
    char vendor[13];
    u32 max_leaf, max_ext_leaf;
    u8 phys_bits;
    bool nx, smep, smap, umip, pku, xsave, xsaveopt, x2apic, arat;
    bool tsc_deadline, invariant_tsc, pge, page1gb, erms;
    bool syscall_compat;
    bool in_vm; /* there is a hypervisor below this one */
    bool fpu_pointers_stay; /* FXRSTOR and XRSTOR may leave FIP, FDP, FOP */
    u64 xcr0;          /* all components the CPU offers and we enable */
    u32 xsave_size;    /* bytes of an XSAVE area for them */
    u32 mxcsr_mask;
};
extern struct cpu_features cpu_features;
/* Boot CPU: find the features; every CPU: set CR0, CR4, EFER, PAT, MXCSR. */
void cpu_features_detect(void);
void cpu_features_show(void);   /* a line on the console */
void cpu_features_enable(void);

#endif /* !__ASSEMBLY__ */
#endif
