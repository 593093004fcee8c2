/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starting the other CPUs, one after the other.
 *
 * Stages of a CPU, written by compare-and-swap, so that the boot CPU giving up
 * and the new one coming late cannot both have their way:
 *   ABSENT -> STARTING (boot CPU) -> CALLED_IN (new CPU) -> ONLINE (new CPU)
 *             STARTING -> FAILED (boot CPU, after a second)
 */
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/cpu-tables.h>
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/smp.h>
#include <hv/string.h>

#include "smp-internal.h"

enum cpu_stage { ABSENT, STARTING, CALLED_IN, ONLINE, FAILED };

#define START_TIMEOUT_US 1000000
#define POLL_US 50

unsigned long per_cpu_offsets[NR_CPUS];
cpumask_t cpu_online_map = 1;
unsigned int nr_cpus_online = 1;

extern char percpu_start[], percpu_end[];

static u32 stages[NR_CPUS];
static const struct smp_ops *ops;

static bool __initdata opt_nosmp;
static bool __initdata opt_noht;
static unsigned int __initdata opt_maxcpus = NR_CPUS;
OPTION_BOOL(nosmp, opt_nosmp);
OPTION_BOOL(noht, opt_noht);
OPTION_UINT(maxcpus, opt_maxcpus);

/* --- memory of a CPU --- */

/* Per-CPU data has no initial values: it starts as zeros on every CPU. */
static int percpu_area_alloc(unsigned int cpu)
{
    size_t size = (size_t)(percpu_end - percpu_start);
    unsigned int order = 0;
    char *area;

    while (PAGE_SIZE << order < size)
        order++;
    area = alloc_hv_pages(order, 0);
    if (!area)
        return -ENOMEM;
    memset(area, 0, PAGE_SIZE << order);
    per_cpu_offsets[cpu] = (unsigned long)area - (unsigned long)percpu_start;
    return 0;
}

/* A buddy block is aligned to its size, as the stack must be. */
int percpu_alloc(unsigned int cpu)
{
    struct cpu_info *info;
    char *stack;

    if (cpu_stacks[cpu])
        return 0;
    if (!per_cpu_offsets[cpu] && percpu_area_alloc(cpu))
        return -ENOMEM;
    if (!cpu_gdt_pages[cpu])
        cpu_gdt_pages[cpu] = alloc_hv_page_zeroed();
    stack = cpu_gdt_pages[cpu] ? alloc_hv_pages(STACK_ORDER, 0) : NULL;
    if (!stack)
        return -ENOMEM;
    ASSERT(!((unsigned long)stack & (STACK_SIZE - 1)));
    memset(stack, 0, STACK_SIZE);
    hv_unmap_page(stack + STACK_GUARD_PAGE * PAGE_SIZE);
    cpu_stacks[cpu] = stack;
    info = cpu_info_of_stack(stack);
    info->processor_id = cpu;
    info->per_cpu_offset = per_cpu_offsets[cpu];
    return 0;
}

/* --- the new CPU --- */

static void run(void)
{
    ops->run();
}

static bool advance(unsigned int cpu, u32 from, u32 to)
{
    return atomic_try_cmpxchg(&stages[cpu], &from, to);
}

static void start_secondary(void) __noreturn;
static void start_secondary(void)
{
    unsigned int cpu = smp_processor_id();

    if (!advance(cpu, STARTING, CALLED_IN))
        for (;;)
            cpu_halt(); /* too late: the boot went on without us */
    write_cr3(virt_to_maddr(hv_l4));
    cpu_features_enable();
    cpu_tables_init(cpu);
    irq_init_cpu();
    ops->init_cpu();
    set_bit(cpu, &cpu_online_map);
    atomic_set(&stages[cpu], ONLINE);
    reset_stack_and_jump(run);
}

/* --- the boot CPU --- */

static bool __init wait_stage(unsigned int cpu, u32 stage)
{
    for (unsigned int us = 0; us < START_TIMEOUT_US; us += POLL_US) {
        if (READ_ONCE(stages[cpu]) >= stage)
            return true;
        ops->delay_us(POLL_US);
    }
    return false;
}

/* INIT, then up to two startup IPIs (SDM vol. 3A, 8.4.4.1). */
static bool __init kick(unsigned int cpu, maddr_t trampoline)
{
    u32 apic_id = cpu_apic_id(cpu);
    u32 page = (u32)(trampoline >> PAGE_SHIFT);

    lapic_send_ipi(apic_id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
    ops->delay_us(10000);
    lapic_send_ipi(apic_id, ICR_STARTUP | ICR_ASSERT | page);
    ops->delay_us(200);
    if (READ_ONCE(stages[cpu]) >= CALLED_IN)
        return true;
    lapic_send_ipi(apic_id, ICR_STARTUP | ICR_ASSERT | page);
    return wait_stage(cpu, CALLED_IN) || !advance(cpu, STARTING, FAILED);
}

/* What lies at the page is put back afterwards. */
struct trampoline {
    maddr_t ma;
    u8 *va;
    u8 saved[PAGE_SIZE];
    pte_t *l4;
};
static struct trampoline trampoline __initdata;

static maddr_t __init find_low_page(void)
{
    for (unsigned int i = 0; i < nr_memory_regions; i++) {
        const struct memory_region *r = &memory_map[i];
        u64 first = MAX(r->start, 0x1000UL);
        u64 end = MIN(r->start + r->size, 0x9f000UL);

        if (r->type == E820_RAM && first + PAGE_SIZE <= end)
            return MIN(end - PAGE_SIZE, MAX(first, 0x8000UL)) & PAGE_MASK;
    }
    return 0;
}

/* The hypervisor's tables plus the first 2 MiB one to one. */
static bool __init make_tables(void)
{
    pte_t *l4 = alloc_hv_pages(0, MEMF_BELOW_4G);
    pte_t *l3 = alloc_hv_page_zeroed();
    pte_t *l2 = alloc_hv_page_zeroed();

    if (!l4 || !l3 || !l2)
        return false;
    copy_page(l4, hv_l4);
    l4[0] = virt_to_maddr(l3) | _PAGE_PRESENT | _PAGE_RW;
    l3[0] = virt_to_maddr(l2) | _PAGE_PRESENT | _PAGE_RW;
    l2[0] = _PAGE_PRESENT | _PAGE_RW | _PAGE_PSE;
    trampoline.l4 = l4;
    return true;
}

static void __init drop_tables(void)
{
    pte_t *l3 = mfn_to_virt(pte_mfn(trampoline.l4[0]));
    pte_t *l2 = mfn_to_virt(pte_mfn(l3[0]));

    free_hv_pages(l2, 0);
    free_hv_pages(l3, 0);
    free_hv_pages(trampoline.l4, 0);
}

/* Address in the copy of something in the original. */
static u32 __init in_copy(const char *p)
{
    return (u32)(trampoline.ma + (unsigned long)(p - trampoline_start));
}

static void *__init at_copy(const char *p)
{
    return trampoline.va + (p - trampoline_start);
}

static bool __init trampoline_install(void)
{
    u32 address;

    trampoline.ma = find_low_page();
    if (!trampoline.ma || !make_tables()) {
        log_warn("no memory below 1 MiB for starting CPUs\n");
        return false;
    }
    trampoline.va = maddr_to_virt(trampoline.ma);
    memcpy(trampoline.saved, trampoline.va, PAGE_SIZE);
    memcpy(trampoline.va, trampoline_start,
           (size_t)(trampoline_end - trampoline_start));
    address = in_copy(trampoline_gdt);
    memcpy((u8 *)at_copy(trampoline_gdtr) + 2, &address, 4);
    address = in_copy(trampoline_32);
    memcpy(at_copy(trampoline_far32), &address, 4);
    return true;
}

static void __init trampoline_remove(void)
{
    memcpy(trampoline.va, trampoline.saved, PAGE_SIZE);
    drop_tables();
}

static void __init trampoline_aim(unsigned int cpu)
{
    struct trampoline_data *data = at_copy(trampoline_data);

    *data = (struct trampoline_data){
        /* As after a call: start_secondary finds an aligned stack. */
        .stack = (u64)cpu_info_of_stack(cpu_stacks[cpu]) - 8,
        .entry = (u64)start_secondary,
        .cr3 = (u32)virt_to_maddr(trampoline.l4),
        .cr4 = X86_CR4_PAE | X86_CR4_PSE,
        .efer = (u32)(rdmsr(MSR_EFER) & (EFER_LME | EFER_NX | EFER_SCE)),
    };
}

static void __init start_cpu(unsigned int cpu)
{
    if (percpu_alloc(cpu) || ops->prepare(cpu)) {
        log_warn("CPU%u not started: no memory\n", cpu);
        return;
    }
    trampoline_aim(cpu);
    atomic_set(&stages[cpu], STARTING);
    if (!kick(cpu, trampoline.ma)) {
        log_warn("CPU%u (APIC id %u) does not start; going on without it\n",
                 cpu, cpu_apic_id(cpu));
        lapic_send_ipi(cpu_apic_id(cpu), ICR_INIT | ICR_LEVEL | ICR_ASSERT);
        return;
    }
    ops->assist();
    if (!wait_stage(cpu, ONLINE))
        panic("CPU%u (APIC id %u) hangs in its initialisation", cpu,
              cpu_apic_id(cpu));
    nr_cpus_online++;
}

/* Bits of an APIC id that number the threads of one core. */
static unsigned int __init thread_bits(void)
{
    unsigned int threads = 1, bits = 0;

    if (cpu_features.max_leaf >= 0xb) {
        struct cpuid_regs r = cpuid_count(0xb, 0);

        if (r.b & 0xffff)
            return r.a & 0x1f;
    }
    if (cpu_features.max_ext_leaf >= 0x8000001e)
        threads = ((cpuid_count(0x8000001e, 0).b >> 8) & 0xff) + 1;
    while (1U << bits < threads)
        bits++;
    return bits;
}

/* Take the second and further threads of each core out of machine.cpus. */
static void __init drop_siblings(void)
{
    u32 mask = (1U << thread_bits()) - 1;
    unsigned int kept = 1; /* the boot CPU, whichever it is */

    for (unsigned int i = 1; i < machine.nr_cpus; i++)
        if (!(machine.cpus[i].apic_id & mask))
            machine.cpus[kept++] = machine.cpus[i];
    if (kept < machine.nr_cpus)
        log_info("noht: %u of %u hardware threads are used\n", kept,
                 machine.nr_cpus);
    machine.nr_cpus = kept;
}

void __init smp_start(const struct smp_ops *smp_ops)
{
    unsigned int cpu;

    ops = smp_ops;
    if (opt_noht)
        drop_siblings();
    if (opt_nosmp || opt_maxcpus <= 1 || machine.nr_cpus <= 1) {
        if (machine.nr_cpus > 1)
            log_info("1 of %u CPUs used\n", machine.nr_cpus);
        return;
    }
    if (!trampoline_install())
        return;
    for (cpu = 1; cpu < MIN(machine.nr_cpus, opt_maxcpus); cpu++)
        start_cpu(cpu);
    trampoline_remove();
    log_info("%u CPUs of %u are up\n", nr_cpus_online, machine.nr_cpus);
}
