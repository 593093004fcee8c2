/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeping system time true: refinement at the end of the boot, the watch over
 * the TSC, and what is done if it cannot be trusted.
 *
 * Platform time is the platform timer's count, extended over its wraps by the
 * boot CPU every period().  With an untrusted TSC, that CPU samples its TSC and
 * the platform timer once per period and chooses the rate for the next one so
 * that the error found is gone at its end (clock-steer.h). All CPUs get that
 * scale at once (clock-agree.c). Where their TSCs are not even one clock, each
 * does the same for itself, and clocks differ by what a sample is wrong by.
 */
#include <hv/atomic.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>
#include <hv/timer.h>

#include "clock-internal.h"
#include "clock-steer.h"

/* A second in which the TSC and the platform timer differ by more than a
 * thousandth speaks against the TSC; so many in a row convict it. It is a
 * longer one by both if the machine stood still meanwhile, for the debugger. */
#define MAX_DRIFT(ticks) ((ticks) / 1000)
#define MAX_STOP_S 3600
#define MAX_STRIKES 3

/* Platform time: written by the boot CPU, followed by an IPI to the readers. */
static struct {
    struct clock_sample last;
    s_time_t time; /* system time at last.count */
} platform;

/* Where the long measurement of the TSC starts. */
static struct clock_sample boot_sample;
static u64 tsc_hz;
static unsigned int strikes;
static struct timer calibrate_timer;

/* Per CPU, untrusted TSC only. */
struct cpu_calibration {
    struct clock_sample last;
    struct clock_rate rate;
};
static DEFINE_PER_CPU(struct cpu_calibration, calibration);

static s_time_t ticks_to_ns(u64 ticks)
{
    return (s_time_t)((unsigned __int128)ticks * 1000000000 /
                      platform_timer->hz);
}

/* A second; with an untrusted TSC a third of the counter's wrap at most. */
static s_time_t period(void)
{
    if (clock_tsc_stable)
        return SECONDS(1);
    return MIN(SECONDS(1), ticks_to_ns(platform_timer->mask) / 3);
}

void clock_calibrate_start(u64 hz)
{
    tsc_hz = hz;
    clock_sample(&boot_sample);
    platform.last = boot_sample;
    platform.time = clock_time_at(boot_sample.tsc);
    this_cpu(calibration) =
        (struct cpu_calibration){.last = boot_sample, .rate.hz = hz};
}

void clock_skip_platform(s_time_t ns)
{
    platform.time -= ns;
}

static s_time_t platform_time_at(const struct clock_sample *s)
{
    return platform.time + ticks_to_ns(clock_elapsed(&platform.last, s));
}

/* The counter cannot have wrapped unseen between two samples of one CPU. */
static bool seen_lately(const struct clock_sample *from,
                        const struct clock_sample *to)
{
    return to->tsc > from->tsc &&
           (s64)((to->tsc - from->tsc) / (tsc_hz / 1000 + 1)) * 1000000 <
               ticks_to_ns(platform_timer->mask) / 2;
}

/* The boot CPU: carry platform time on to s. */
static void platform_advance(const struct clock_sample *s)
{
    platform.time = seen_lately(&platform.last, s) ? platform_time_at(s)
                                                   : clock_time_at(s->tsc);
    platform.last = *s;
}

/* --- trusted TSC --- */

/*
 * What the TSC says that the platform timer did between two samples, and by
 * how much the timer was ahead of that: less than half a wrap, however many
 * wraps there were.
 */
static s64 ticks_ahead(const struct clock_sample *from,
                       const struct clock_sample *to, u64 *predicted)
{
    u64 mask = platform_timer->mask, off;

    *predicted = (u64)((unsigned __int128)(to->tsc - from->tsc) *
                       platform_timer->hz / tsc_hz);
    off = (to->count - from->count - *predicted) & mask;
    return off > mask / 2 ? (s64)off - (s64)mask - 1 : (s64)off;
}

static void install_refined(void *arg)
{
    const struct cpu_clock *c = arg;

    clock_install(c->tsc_stamp, c->system_base, tsc_hz);
}

static void distrust(const char *why)
{
    if (!platform_timer || clocksource_is_tsc())
        return;
    clock_tsc_stable = false;
    log_warn("the TSC is not reliable (%s): following the %s\n", why,
             platform_timer->name);
}

void clock_tscs_differ(void)
{
    if (!clock_tscs_agree)
        return;
    distrust("the CPUs' TSCs differ");
    clock_tscs_agree = clock_tsc_stable || !platform_timer;
}

static void watch(const struct clock_sample *s)
{
    u64 predicted, second = platform_timer->hz;
    s64 ahead = ticks_ahead(&platform.last, s, &predicted);
    /* (a TSC that went back predicts ages) */
    u64 elapsed = MIN(MAX(predicted, second), second * MAX_STOP_S);
    s64 limit = (s64)MAX_DRIFT(elapsed);

    strikes = ahead > limit || ahead < -limit ? strikes + 1 : 0;
    platform.last = *s;
    platform.time = clock_time_at(s->tsc);
    if (strikes >= MAX_STRIKES)
        distrust("it drifts");
    if (!cpu_features.invariant_tsc && !clock_tscs_check())
        clock_tscs_differ();
}

/* --- untrusted TSC --- */

/* From the sample s on: the rate that makes up for the error in a period. */
static u64 steered_rate(const struct clock_sample *s, s_time_t *mine)
{
    struct cpu_calibration *c = &this_cpu(calibration);
    u64 hz = 0;

    /* A sample that came late says nothing about the rate: keep the former. */
    if (seen_lately(&c->last, s))
        hz = clock_frequency(&c->last, s);
    if (hz)
        clock_rate_measured(&c->rate, hz);
    c->last = *s;
    *mine = clock_time_at(s->tsc);
    return clock_steer(mine, platform_time_at(s), c->rate.hz, period());
}

/* Every CPU, irqs off: its own scale from its own sample. */
static void calibrate_this_cpu(void *unused)
{
    struct clock_sample s;
    s_time_t mine;
    u64 hz;

    (void)unused;
    clock_sample(&s);
    hz = steered_rate(&s, &mine);
    clock_install(s.tsc, mine, hz);
}

/* The boot CPU's scale for all; soon again if they could not be assembled. */
static s_time_t calibrate_together(const struct clock_sample *s)
{
    s_time_t mine;
    u64 hz = steered_rate(s, &mine);
    int rc = clock_install_everywhere(mine - clock_time_at(s->tsc), hz);

    if (rc == -EIO)
        clock_tscs_differ();
    return rc == -EAGAIN ? MILLISECS(50) : period();
}

static void calibrate(void)
{
    cpumask_t others = cpu_online_map & ~cpumask_of(smp_processor_id());
    s_time_t next = period();
    struct clock_sample s;
    unsigned long flags;

    clock_sample(&s);
    if (clock_tsc_stable) {
        watch(&s);
    } else {
        platform_advance(&s);
        if (clock_tscs_agree) {
            next = calibrate_together(&s);
        } else {
            smp_call_function(others, calibrate_this_cpu, NULL, true);
            flags = local_irq_save();
            calibrate_this_cpu(NULL);
            local_irq_restore(flags);
        }
    }
    timer_set(&calibrate_timer, now() + next);
}

static void calibrate_timer_fired(void *unused)
{
    (void)unused;
    raise_softirq(SOFTIRQ_TIME_CALIBRATE);
}

/* A first scale over 10 ms is off by some 100 ppm; this one by less than 1. */
static void __init refine(void)
{
    struct clock_sample s;
    struct cpu_clock c;
    u64 hz, predicted;
    s64 ahead;

    clock_sample(&s);
    if (s.tsc - boot_sample.tsc < tsc_hz / 10)
        return; /* too short to be better */
    ahead = ticks_ahead(&boot_sample, &s, &predicted);
    hz = (u64)((unsigned __int128)(s.tsc - boot_sample.tsc) *
               platform_timer->hz / (predicted + (u64)ahead));
    if (hz < tsc_hz - tsc_hz / 500 || hz > tsc_hz + tsc_hz / 500) {
        log_warn("TSC: %lu kHz at first, %lu kHz over the boot\n",
                 tsc_hz / 1000, hz / 1000);
        distrust("its rate changes");
        return;
    }
    c.tsc_stamp = s.tsc;
    c.system_base = clock_time_at(s.tsc);
    tsc_hz = hz;
    tsc_khz = (u32)(hz / 1000);
    platform.last = s;
    platform.time = c.system_base;
    smp_call_function(cpu_online_map, install_refined, &c, true);
    log_info("TSC: refined to %lu.%06lu MHz\n", hz / 1000000, hz % 1000000);
}

void __init clock_refine(void)
{
    if (!platform_timer)
        return;
    if (clock_tsc_stable)
        refine();
    if (clocksource_is_tsc())
        return;
    softirq_register(SOFTIRQ_TIME_CALIBRATE, calibrate);
    timer_init(&calibrate_timer, calibrate_timer_fired, NULL, 0);
    timer_set(&calibrate_timer, now() + period());
}

/* --- a CPU that starts --- */

void clock_platform_advance(void)
{
    struct clock_sample s;

    if (!platform_timer)
        return;
    clock_sample(&s);
    platform_advance(&s);
}

/* Its TSC is the boot CPU's, with that one's scale; or a clock of its own. */
void clock_calibrate_cpu(const struct cpu_clock *boot_clock)
{
    struct clock_sample s;

    this_cpu(calibration).rate.hz = tsc_hz;
    if (boot_clock) {
        clock_install_copy(boot_clock, tsc_hz);
        return;
    }
    clock_sample(&s);
    this_cpu(calibration).last = s;
    clock_install(s.tsc, platform_time_at(&s), tsc_hz);
}

void clock_dump(void)
{
    unsigned int cpu = smp_processor_id();
    struct cpu_clock c;

    clock_read_scale(&c);
    printk("time: %ld ns, TSC %lu Hz, %s; CPU%u: stamp %lu base %ld mul %#x shift %d\n",
           now(), tsc_hz,
           clock_tsc_stable   ? "one clock for all CPUs"
           : clock_tscs_agree ? "one scale that follows the timer"
                              : "a scale each that follows the timer",
           cpu, c.tsc_stamp, c.system_base, c.tsc_to_system_mul, c.tsc_shift);
}
