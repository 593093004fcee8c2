/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Per-CPU data and the per-CPU stack.
 *
 * Every CPU owns one STACK_SIZE block aligned to its size.  At its top lies
 * struct cpu_info, found by masking the stack pointer, also on the interrupt
 * stacks (IST), which are pages of the same block:
 *
 *   page 0      double fault        page 1  NMI        page 2  machine check
 *   page 3      debug trap: after a guest's MOV SS it may hit the first
 *               instruction of the system-call entry, still on the guest's rsp
 *   page 4      not mapped (guard)
 *   pages 5-7   the stack; struct cpu_info at the very top
 *
 * Reaching per-CPU data takes no atomics: it is the CPU's own.
 * Floor: lib.
 */
#ifndef HV_PERCPU_H
#define HV_PERCPU_H

#include <hv/compiler.h>
#include <hv/types.h>
#include <xen/xen.h>

#define NR_CPUS 64
#define STACK_ORDER 3
#define STACK_SIZE (PAGE_SIZE << STACK_ORDER)
#define STACK_GUARD_PAGE 4

struct vcpu;

struct cpu_info {
    /* What the guest had when the hypervisor was entered. es..gs: unused. */
    struct cpu_user_regs guest_regs;
    unsigned int processor_id;
    u32 in_irq; /* nesting count of interrupt handlers */
    struct vcpu *current_vcpu;
    unsigned long per_cpu_offset;
    const struct cpu_user_regs *irq_regs; /* what the interrupt found; in_irq */
};

static always_inline struct cpu_info *get_cpu_info(void)
{
    unsigned long sp;

    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct cpu_info *)((sp | (STACK_SIZE - 1)) + 1) - 1;
}

#define smp_processor_id() (get_cpu_info()->processor_id)
#define current (get_cpu_info()->current_vcpu)
#define currd (current->domain)
#define guest_cpu_user_regs() (&get_cpu_info()->guest_regs)
#define in_irq() (get_cpu_info()->in_irq != 0)

/*
 * Offsets of each CPU's copy from the linked (first) one; CPU 0 uses the
 * first.
 */
extern unsigned long per_cpu_offsets[NR_CPUS];

#define DEFINE_PER_CPU(type, name)                                             \
    __attribute__((section(".data.percpu"))) __typeof__(type) per_cpu__##name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) per_cpu__##name
#define per_cpu_ptr_off(name, off)                                             \
    ((__typeof__(per_cpu__##name) *)((char *)&per_cpu__##name + (off)))
#define per_cpu(name, cpu) (*per_cpu_ptr_off(name, per_cpu_offsets[cpu]))
#define this_cpu(name) (*per_cpu_ptr_off(name, get_cpu_info()->per_cpu_offset))

/* Sets of CPUs. NR_CPUS is 64: one word. */
typedef u64 cpumask_t;
extern cpumask_t cpu_online_map;   /* CPUs that take IPIs and run vCPUs */
extern unsigned int nr_cpus_online;
#define cpumask_of(cpu) ((cpumask_t)1 << (cpu))
#define cpumask_test(m, cpu) (((m) >> (cpu)) & 1)
#define for_each_cpu(cpu, mask)                                                \
    for (cpumask_t m_ = (mask);                                                \
         m_ && ((cpu) = (unsigned int)__builtin_ctzl(m_), true); m_ &= m_ - 1)
#define for_each_online_cpu(cpu) for_each_cpu(cpu, READ_ONCE(cpu_online_map))

/* smp/start.c: give `cpu` its per-CPU area and stack. -ENOMEM. */
int percpu_alloc(unsigned int cpu);

#endif
