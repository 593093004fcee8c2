/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System time: nanoseconds since boot, the same on all CPUs, from the TSC
 * scaled as the pvclock ABI scales it (struct vcpu_time_info). Floor: time.
 */
#ifndef HV_CLOCK_H
#define HV_CLOCK_H

#include <hv/types.h>

s_time_t now(void); /* any context; 0 before clock_init() */
#define MILLISECS(ms) ((s_time_t)(ms)*1000000)
#define MICROSECS(us) ((s_time_t)(us)*1000)
#define SECONDS(s) ((s_time_t)(s)*1000000000)
extern u32 tsc_khz;

/*
 * This CPU's current scale:
 *   system = base + (((tsc - stamp) << shift) * mul >> 32)
 * with a right shift where shift is negative.
 */
struct cpu_clock {
    u64 tsc_stamp;
    s_time_t system_base;
    u32 tsc_to_system_mul;
    s8 tsc_shift;
};

/* Boot: platform timer, TSC and APIC timer frequencies, RTC. Waits 10 ms at
 * most, not at all where CPUID tells. After irq_init(). */
void clock_init(void);
/* Boot, as late as possible before domains exist: the frequency again, over
 * all the time since clock_init(); starts the watch over the TSC. irqs on. */
void clock_refine(void);
/* A starting CPU, irqs off, while the boot CPU runs clock_assist_cpu(): do the
 * two TSCs agree? If not, every CPU follows the platform timer from now on. */
void clock_init_cpu(void);
void clock_assist_cpu(void);
void udelay(unsigned long us); /* any context */

void clock_read_scale(struct cpu_clock *c); /* consistent copy, this CPU */
/*
 * The debugger held the machine for so long: that time did not happen.  Every
 * CPU, irqs off, by the same amount, and once for the platform timer.
 */
void clock_skip(s_time_t ns);
void clock_skip_platform(s_time_t ns);
/* fn is called on a CPU whose scale has changed, irqs off. One only. */
void clock_register_changed(void (*fn)(void));
/* The TSCs of all CPUs are one clock (XEN_PVCLOCK_TSC_STABLE_BIT). */
extern bool clock_tsc_stable;
/* The time stamp counter's value at a system time of this CPU. */
u64 clock_tsc_at(s_time_t t);
/* APIC timer ticks until a system time, 1 at least, 2^31 at most. */
u32 clock_lapic_ticks(s_time_t t);
u32 clock_lapic_ticks_in(s_time_t ns); /* any context */

u64 wall_clock_at_boot_ns(void); /* UTC of system time 0, since 1970 */
void wall_clock_set(u64 utc_seconds, u32 ns, s_time_t at);
/* The PIT raises its line 18.2 times a second: the watchdog's pulse. */
void pit_tick_start(void);
/* The same by the HPET, which then stands in for the PIT and the RTC's
 * interrupt. False: there is none that can. Boot. */
bool hpet_tick_start(void);
void clock_dump(void); /* debug key 't' */

#endif
