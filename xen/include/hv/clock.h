/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System time: nanoseconds since boot, the same on all CPUs, from the TSC
 * scaled as the pvclock ABI scales it (struct vcpu_time_info). Floor: time.
 */
#ifndef HV_CLOCK_H
#define HV_CLOCK_H

#include <hv/types.h>

s_time_t now(void); /* any context */
#define MILLISECS(ms) ((s_time_t)(ms)*1000000)
#define MICROSECS(us) ((s_time_t)(us)*1000)
#define SECONDS(s) ((s_time_t)(s)*1000000000)
extern u32 tsc_khz;

void clock_init(void); /* boot: platform timer, TSC calibration, RTC */
void clock_init_cpu(void);
void udelay(unsigned long us);

/* This CPU's current scale: system = base + ((tsc - stamp) << shift) * mul >> 32. */
struct cpu_clock {
    u64 tsc_stamp;
    s_time_t system_base;
    u32 tsc_to_system_mul;
    s8 tsc_shift;
};
void clock_read_scale(struct cpu_clock *c); /* consistent copy, this CPU */
u64 wall_clock_at_boot_ns(void);            /* UTC of system time 0 */
void wall_clock_set(u64 utc_seconds, u32 ns, s_time_t at);

#endif
