/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of a scale and of steering it. No hardware: unit-tested on the
 * host (tests/unit/xen/test-clock.c).
 */
#ifndef HV_TIME_CLOCK_STEER_H
#define HV_TIME_CLOCK_STEER_H

#include <hv/clock.h>

/* A clock that lags by more than this is put forward; none is put back. */
#define STEER_STEP_NS 1000000

static always_inline s_time_t clock_scale(const struct cpu_clock *c, u64 tsc)
{
    u64 delta = tsc - c->tsc_stamp;

    if (c->tsc_shift < 0)
        delta >>= -c->tsc_shift;
    else
        delta <<= c->tsc_shift;
    return c->system_base +
           (s_time_t)(((unsigned __int128)delta * c->tsc_to_system_mul) >> 32);
}

/* Some nine years: to a timer that is as good as never. */
#define CLOCK_FAR_NS (1UL << 58)

/*
 * Ticks in ns, of a rate in ticks per nanosecond times 2^32. What a guest asks
 * for may be beyond all reason: it must not come round to a moment ago.
 */
static always_inline u64 clock_ticks(u64 ns, u64 rate)
{
    ns = MIN(ns, CLOCK_FAR_NS);
    return (u64)(((unsigned __int128)ns * rate) >> 32);
}

/* The pvclock form of a frequency: mul in (1/2, 1], see struct cpu_clock. */
static inline void clock_set_frequency(struct cpu_clock *c, u64 hz)
{
    s8 shift = 0;

    while (hz > 2000000000) {
        hz >>= 1;
        shift--;
    }
    while (hz <= 1000000000) {
        hz <<= 1;
        shift++;
    }
    c->tsc_shift = shift;
    c->tsc_to_system_mul = (u32)((1000000000UL << 32) / hz);
}

/* What is known of a TSC's rate, in ticks a second. */
struct clock_rate {
    u64 hz;
    u64 suspect; /* last time's measurement, if it was not believed */
};

static inline bool clock_rates_differ(u64 a, u64 b)
{
    return a > b + b / 128 || b > a + a / 128;
}

/*
 * A measurement far from all before it is a TSC that stood still or was
 * written, and no rate to go on with; unless the next one says the same.
 */
static inline void clock_rate_measured(struct clock_rate *r, u64 hz)
{
    if (clock_rates_differ(hz, r->hz) && clock_rates_differ(hz, r->suspect)) {
        r->suspect = hz;
        return;
    }
    r->hz = hz;
    r->suspect = 0;
}

/*
 * A clock says *mine where the truth is `target` and its TSC makes hz ticks a
 * second: the rate to give it so that both agree after `span` ns. *mine is the
 * time to go on from, which is later only where the step is too large for that.
 */
static inline u64 clock_steer(s_time_t *mine, s_time_t target, u64 hz,
                              s_time_t span)
{
    s_time_t error = target - *mine;

    if (error > STEER_STEP_NS) {
        *mine = target;
        error = 0;
    }
    if (error < -span / 10) /* far ahead: walk until the others catch up */
        error = -span / 10;
    return (u64)((unsigned __int128)hz * (u64)span / (u64)(span + error));
}

#endif
