/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC of each CPU, in xAPIC mode (registers in memory) or x2APIC
 * mode (MSRs).  Facts: Intel SDM vol. 3A, chapter 11.
 */
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/x86.h>

#define APIC_ID 0x020
#define APIC_VERSION 0x030
#define APIC_TPR 0x080
#define APIC_ISR_OF(vector) (0x100 + (vector) / 32 * 0x10)
#define APIC_EOI 0x0b0
#define APIC_LDR 0x0d0
#define APIC_DFR 0x0e0
#define APIC_SVR 0x0f0
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERF 0x340
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0

#define SVR_ENABLE 0x100
#define LVT_MASKED 0x10000
#define LVT_NMI 0x400
#define LVT_EXTINT 0x700
#define LVT_TSC_DEADLINE 0x40000
#define ICR_BUSY 0x1000
#define DIVIDE_BY_1 0xb

#define APIC_BASE_X2APIC 0x400
#define APIC_BASE_ENABLE 0x800

#define MSR_X2APIC_ICR (MSR_X2APIC_FIRST + (APIC_ICR >> 4))
#define MSR_X2APIC_SELF_IPI 0x83f
#define MSR_TSC_DEADLINE 0x6e0

bool x2apic_enabled __ro_after_init;
static volatile u32 *regs __ro_after_init;

static u32 apic_read(unsigned int reg)
{
    if (x2apic_enabled)
        return (u32)rdmsr(MSR_X2APIC_FIRST + (reg >> 4));
    return regs[reg / 4];
}

static void apic_write(unsigned int reg, u32 v)
{
    if (x2apic_enabled)
        wrmsr(MSR_X2APIC_FIRST + (reg >> 4), v);
    else
        regs[reg / 4] = v;
}

/* From CPUID, so that it holds before the APIC is mapped: leaf 0xb has all 32
 * bits, leaf 1 the first 8. */
u32 lapic_id(void)
{
    if (cpuid_count(0, 0).a >= 0xb) {
        struct cpuid_regs r = cpuid_count(0xb, 0);

        if (r.b & 0xffff)
            return r.d;
    }
    return cpuid_count(1, 0).b >> 24;
}

u32 cpu_apic_id(unsigned int cpu)
{
    return machine.cpus[cpu].apic_id;
}

void lapic_eoi(void)
{
    if (x2apic_enabled)
        wrmsr(MSR_X2APIC_FIRST + (APIC_EOI >> 4), 0);
    else
        regs[APIC_EOI / 4] = 0;
}

static void wait_icr_idle(void)
{
    /* Microseconds on hardware; never here for ever if the chip is broken. */
    for (unsigned int i = 0; i < 1000000; i++) {
        if (!(regs[APIC_ICR / 4] & ICR_BUSY))
            return;
        cpu_relax();
    }
}

/* An NMI handler may come between the two writes of the code it interrupted:
 * the destination is put back as it was. */
void lapic_send_ipi(u32 apic_id, u32 icr_low)
{
    unsigned long flags;
    u32 old;

    smp_mb(); /* what the receiver is to see; x2APIC writes do not order */
    if (x2apic_enabled) {
        wrmsr(MSR_X2APIC_ICR, ((u64)apic_id << 32) | icr_low);
        return;
    }
    flags = local_irq_save();
    wait_icr_idle();
    old = regs[APIC_ICR_HIGH / 4];
    regs[APIC_ICR_HIGH / 4] = apic_id << 24;
    regs[APIC_ICR / 4] = icr_low;
    wait_icr_idle();
    regs[APIC_ICR_HIGH / 4] = old;
    local_irq_restore(flags);
}

void lapic_send_ipi_self(u8 vector)
{
    if (x2apic_enabled)
        wrmsr(MSR_X2APIC_SELF_IPI, vector);
    else
        lapic_send_ipi(cpu_apic_id(smp_processor_id()), vector | ICR_ASSERT);
}

void lapic_timer_set(u32 count)
{
    apic_write(APIC_TIMER_INITIAL, count);
}

u32 lapic_timer_count(void)
{
    return apic_read(APIC_TIMER_CURRENT);
}

void lapic_timer_set_deadline(u64 tsc)
{
    wrmsr(MSR_TSC_DEADLINE, tsc);
}

/* 11.5.4.1: this write and the next one of a deadline must not overtake one
 * another in xAPIC mode. */
static void set_timer_lvt(u32 lvt)
{
    apic_write(APIC_LVT_TIMER, lvt);
    __asm__ volatile("mfence" ::: "memory");
}

void lapic_timer_mode(bool deadline)
{
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    set_timer_lvt(VECTOR_TIMER | (deadline ? LVT_TSC_DEADLINE : 0));
}

static bool has_deadlines(void)
{
    return apic_read(APIC_LVT_TIMER) & LVT_TSC_DEADLINE;
}

u64 lapic_timer_halt(void)
{
    u64 left;

    if (has_deadlines()) {
        left = rdmsr(MSR_TSC_DEADLINE);
        lapic_timer_set_deadline(0);
    } else {
        left = lapic_timer_count();
        lapic_timer_set(0);
    }
    return left;
}

void lapic_timer_go_on(u64 left, u64 halted)
{
    if (!has_deadlines()) /* at 0 the interrupt may not have come yet: QEMU */
        lapic_timer_set(left ? (u32)left : 1);
    else if (left)
        lapic_timer_set_deadline(left + halted);
}

static bool timer_stands(void)
{
    return has_deadlines() ? !rdmsr(MSR_TSC_DEADLINE)
                           : !apic_read(APIC_TIMER_INITIAL);
}

bool cpu_nap(void); /* entry.S */

/* The timer had left when ours of so many ticks began, which it now ends. */
static u64 left_behind(u64 left, u32 ticks)
{
    u64 passed = ticks - lapic_timer_count();

    return has_deadlines() ? left : left - MIN(left, passed);
}

bool lapic_nap(u32 ticks, u64 until_tsc, bool time_passes)
{
    u32 tpr = apic_read(APIC_TPR), lvt = apic_read(APIC_LVT_TIMER);
    bool stands = timer_stands(); /* if not, it may still be due at 0 */
    u64 left;

    if (apic_read(APIC_ISR_OF(VECTOR_WAKE)) >> VECTOR_WAKE % 32 & 1)
        return false;
    /* 11.8.3.1: what is not of a higher class waits */
    apic_write(APIC_TPR, VECTOR_WAKE - 0x10);
    left = lapic_timer_halt();
    set_timer_lvt((lvt & ~0xffU) | VECTOR_WAKE);
    if (lvt & LVT_TSC_DEADLINE)
        lapic_timer_set_deadline(until_tsc);
    else
        lapic_timer_set(ticks);
    if (cpu_nap())
        lapic_eoi();
    if (time_passes)
        left = left_behind(left, ticks);
    (void)lapic_timer_halt();
    set_timer_lvt(lvt);
    if (!stands)
        lapic_timer_go_on(left, 0);
    apic_write(APIC_TPR, tpr);
    return true;
}

/* Reading needs a write first (11.5.3). */
u32 lapic_error_status(void)
{
    apic_write(APIC_ESR, 0);
    return apic_read(APIC_ESR);
}

static void wake_interrupt(void)
{
}

static void error_interrupt(void)
{
    log_warn("CPU%u: APIC error %#x\n", smp_processor_id(),
             lapic_error_status());
}

static void enable_mode(void)
{
    u64 base = rdmsr(MSR_APIC_BASE);

    if (!(base & APIC_BASE_ENABLE)) {
        base |= APIC_BASE_ENABLE;
        wrmsr(MSR_APIC_BASE, base);
    }
    /* Two steps: from disabled there is no way straight to x2APIC. */
    if (x2apic_enabled && !(base & APIC_BASE_X2APIC))
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
}

/* Take back interrupts that the firmware or the past left in service. */
static void drain_in_service(void)
{
    for (unsigned int i = 0; i < 256; i++)
        lapic_eoi();
}

void lapic_init_cpu(void)
{
    bool boot_cpu = smp_processor_id() == 0;
    unsigned int nr_lvt;

    enable_mode();
    if (!x2apic_enabled) {
        apic_write(APIC_DFR, ~0U);
        apic_write(APIC_LDR, 0);
    }
    apic_write(APIC_TPR, 0);
    apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    drain_in_service();
    nr_lvt = ((apic_read(APIC_VERSION) >> 16) & 0xff) + 1;
    apic_write(APIC_LVT_LINT0, LVT_EXTINT | LVT_MASKED);
    apic_write(APIC_LVT_LINT1, LVT_NMI | (boot_cpu ? 0 : LVT_MASKED));
    if (nr_lvt > 4)
        apic_write(APIC_LVT_PERF, LVT_NMI | LVT_MASKED);
    if (nr_lvt > 5)
        apic_write(APIC_LVT_THERMAL, LVT_MASKED);
    (void)lapic_error_status();
    apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
    lapic_timer_mode(false);
}

void __init lapic_init(void)
{
    bool was_x2apic = (rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC) != 0;

    x2apic_enabled = cpu_features.x2apic || was_x2apic;
    if (!x2apic_enabled) {
        regs = ioremap(machine.lapic_address, PAGE_SIZE);
        if (!regs)
            panic("no address space for the local APIC");
    }
    iomem_restrict(maddr_to_mfn(machine.lapic_address), 1, IO_DENIED);
    irq_set_vector_handler(VECTOR_ERROR, error_interrupt);
    irq_set_vector_handler(VECTOR_WAKE, wake_interrupt);
    if (!machine.nr_cpus) {
        machine.cpus[0] = (struct machine_cpu){lapic_id(), 0};
        machine.nr_cpus = 1;
    }
    if (machine.cpus[0].apic_id != lapic_id())
        log_warn("boot CPU's APIC id %u is not in the tables\n", lapic_id());
    lapic_init_cpu();
    log_info("local APIC: %s mode, id %u\n",
             x2apic_enabled ? "x2APIC" : "xAPIC",
             lapic_id());
}
