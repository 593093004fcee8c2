/* SPDX-License-Identifier: GPL-2.0-only */
/* Single instructions. */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

struct cpuid {
    u32 a, b, c, d;
};

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
    struct cpuid r;
    asm volatile("cpuid"
                 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                 : "0"(leaf), "2"(sub));
    return r;
}

/* The prefix of <xen/arch-x86/xen.h>: the hypervisor answers, not the CPU. */
static inline struct cpuid cpuid_forced(u32 leaf, u32 sub)
{
    struct cpuid r;
    asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2"
                 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                 : "0"(leaf), "2"(sub));
    return r;
}

static inline u64 rdmsr(u32 msr)
{
    u32 lo, hi;
    asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return lo | ((u64)hi << 32);
}

static inline void wrmsr(u32 msr, u64 v)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)));
}

static inline u64 rdtsc(void)
{
    u32 lo, hi;
    asm volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return lo | ((u64)hi << 32);
}

#define READ_REG(reg)                                      \
    ({                                                     \
        u64 value_;                                        \
        asm volatile("mov %%" #reg ", %0" : "=r"(value_)); \
        value_;                                            \
    })
#define WRITE_REG(reg, value) \
    asm volatile("mov %0, %%" #reg : : "r"((u64)(value)) : "memory")

static inline u64 read_flags(void)
{
    u64 f;
    asm volatile("pushfq\n\tpopq %0" : "=r"(f));
    return f;
}

static inline void write_flags(u64 f)
{
    asm volatile("pushq %0\n\tpopfq" : : "r"(f) : "memory", "cc");
}

static inline void outb(uint16_t port, uint8_t v)
{
    asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;
    asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;
    asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline u32 inl(uint16_t port)
{
    u32 v;
    asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void barrier(void)
{
    asm volatile("" : : : "memory");
}

#endif
