/* SPDX-License-Identifier: GPL-2.0-only */
/* Between clock.c and clock-calibrate.c. */
#ifndef HV_TIME_CLOCK_INTERNAL_H
#define HV_TIME_CLOCK_INTERNAL_H

#include <hv/clock.h>

#include "platform-timer.h"

/* The TSC of a CPU and the platform timer at one moment. */
struct clock_sample {
    u64 tsc, count;
};
void clock_sample(struct clock_sample *s);
u64 clock_elapsed(const struct clock_sample *from,
                  const struct clock_sample *to);
/* TSC ticks per second between two samples; 0: no time passed. */
u64 clock_frequency(const struct clock_sample *from,
                    const struct clock_sample *to);
s_time_t clock_time_at(u64 tsc);
void clock_install(u64 stamp, s_time_t base, u64 hz);
void clock_install_copy(const struct cpu_clock *c, u64 hz);
void clock_calibrate_start(u64 hz);

/* --- clock-agree.c --- */
extern bool clock_tscs_agree; /* the TSCs of all CPUs are one clock */
bool clock_tscs_check(void);  /* boot CPU, irqs on: are they still? */
/*
 * Boot CPU, irqs on: from now on all CPUs have the rate hz, and time goes on
 * where it is, or `step` ns later. -EAGAIN: they could not be assembled and
 * nothing has changed; -EIO: done, but their TSCs differ.
 */
int clock_install_everywhere(s_time_t step, u64 hz);

/* --- clock-calibrate.c, for a CPU that starts and the one that helps it --- */
void clock_tscs_differ(void);      /* each CPU its own clock from now on */
void clock_platform_advance(void); /* boot CPU */
/* boot_clock NULL: the TSCs differ. */
void clock_calibrate_cpu(const struct cpu_clock *boot_clock);

#endif
