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

#endif
