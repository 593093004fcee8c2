/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters of the machine that run at a known rate: HPET, ACPI PM timer,
 * PIT. One is chosen at boot as the measure of the TSC.  Used by clock.c only.
 */
#ifndef HV_TIME_PLATFORM_TIMER_H
#define HV_TIME_PLATFORM_TIMER_H

#include <hv/types.h>

struct platform_timer {
    const char *name;
    bool (*probe)(struct platform_timer *p); /* sets hz and mask */
    u64 (*read)(void);                       /* any CPU; irqs off */
    u64 hz;
    u64 mask; /* the counter wraps at mask + 1 */
};

/* The chosen one; NULL if nothing counts. */
extern struct platform_timer *platform_timer;
/* The option named one: its time is the system's, the TSC only interpolates. */
extern bool platform_timer_forced;
void platform_timer_init(void);
/* `clocksource=tsc`: never doubt the TSC. */
bool clocksource_is_tsc(void);

/* Seconds since 1970 by the CMOS clock, in UTC. */
u64 rtc_read(void);

#endif
