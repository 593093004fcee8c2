/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeping system time true: refinement at the end of the boot, the watch over
 * the TSC, and what is done if it cannot be trusted.
 *
 * Platform time is the platform timer's count, extended over its wraps by the
 * boot CPU every period().  With an untrusted TSC, each CPU samples its
 * own TSC and the platform timer once per period and chooses its rate for
 * the next one so that the error found is gone at its end: time is continuous
 * and never steps back; a CPU that lags by more than STEP_NS is put forward.
 */
#include <hv/atomic.h>
#include <hv/clock.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>
#include <hv/timer.h>

#include "clock-internal.h"

#define STEP_NS 1000000
/* A second in which the TSC and the platform timer differ by more than this
 * speaks against the TSC; so many in a row convict it. */
#define MAX_DRIFT_NS 1000000
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
    u64 hz;
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
        (struct cpu_calibration){.last = boot_sample, .hz = hz};
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
    if (!clock_tsc_stable || !platform_timer)
        return;
    clock_tsc_stable = false;
    log_warn("the TSC is not reliable (%s): following the %s\n", why,
             platform_timer->name);
}

static void watch(const struct clock_sample *s)
{
    u64 predicted;
    s64 ahead = ticks_ahead(&platform.last, s, &predicted);
    s64 limit = (s64)(platform_timer->hz * MAX_DRIFT_NS / 1000000000);

    strikes = ahead > limit || ahead < -limit ? strikes + 1 : 0;
    platform.last = *s;
    platform.time = clock_time_at(s->tsc);
    if (strikes >= MAX_STRIKES)
        distrust("it drifts");
}

/* --- untrusted TSC --- */

/* Every CPU, irqs off: its own scale from its own sample. */
static void calibrate_this_cpu(void *unused)
{
    struct cpu_calibration *c = &this_cpu(calibration);
    struct clock_sample s;
    s_time_t mine, target, error, span = period();
    u64 hz;

    (void)unused;
    clock_sample(&s);
    target = platform_time_at(&s);
    mine = clock_time_at(s.tsc);
    /* A sample that came late says nothing about the rate: keep the former. */
    hz = seen_lately(&c->last, &s) ? clock_frequency(&c->last, &s) : 0;
    if (!hz)
        hz = c->hz;
    c->last = s;
    c->hz = hz;
    error = target - mine;
    if (error > STEP_NS) {
        mine = target;
        error = 0;
    }
    if (error < -span / 10) /* far ahead: walk until the others catch up */
        error = -span / 10;
    clock_install(s.tsc, mine,
                  (u64)((unsigned __int128)hz * (u64)span /
                        (u64)(span + error)));
}

static void calibrate(void)
{
    struct clock_sample s;
    cpumask_t others = cpu_online_map & ~cpumask_of(smp_processor_id());
    unsigned long flags;

    clock_sample(&s);
    if (clock_tsc_stable) {
        watch(&s);
    } else {
        platform_advance(&s);
        smp_call_function(others, calibrate_this_cpu, NULL, true);
        flags = local_irq_save();
        calibrate_this_cpu(NULL);
        local_irq_restore(flags);
    }
    timer_set(&calibrate_timer, now() + period());
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

/*
 * The two CPUs read their TSCs in turn, under a lock: a reading smaller than
 * the one before, by the other, is a TSC that lags.
 */
#define WARP_ROUNDS 2000

static struct {
    spinlock_t lock;
    u32 arrived; /* stages, see meet(); 8: go on, 9: gone */
    u64 last;
    u64 worst; /* ticks */
    struct cpu_clock boot_clock;
} warp;

static void meet(u32 at)
{
    atomic_inc(&warp.arrived);
    while (READ_ONCE(warp.arrived) < at)
        cpu_relax();
}

static void read_in_turn(void)
{
    for (unsigned int i = 0; i < WARP_ROUNDS; i++) {
        u64 t;

        spin_lock(&warp.lock);
        t = rdtsc();
        if (t < warp.last)
            warp.worst = MAX(warp.worst, warp.last - t);
        else
            warp.last = t;
        spin_unlock(&warp.lock);
    }
}

/* Both ends of the test; true if the two TSCs are one clock. */
static bool warp_test(void)
{
    meet(2);
    read_in_turn();
    meet(4);
    return warp.worst == 0;
}

/* The boot CPU. */
void clock_assist_cpu(void)
{
    unsigned long flags = local_irq_save();

    warp.last = 0;
    warp.worst = 0;
    clock_read_scale(&warp.boot_clock);
    if (clock_tsc_stable && !warp_test())
        distrust("the CPUs' TSCs differ");
    if (platform_timer) {
        struct clock_sample s;

        clock_sample(&s);
        if (!clock_tsc_stable)
            platform_advance(&s);
    }
    smp_wmb();
    atomic_set(&warp.arrived, 8); /* the new CPU may go on */
    while (READ_ONCE(warp.arrived) == 8)
        cpu_relax();
    atomic_set(&warp.arrived, 0);
    local_irq_restore(flags);
}

/* The new CPU. */
void clock_init_cpu(void)
{
    if (clock_tsc_stable)
        (void)warp_test();
    while (READ_ONCE(warp.arrived) != 8)
        cpu_relax();
    this_cpu(calibration).hz = tsc_hz;
    if (clock_tsc_stable) {
        clock_install_copy(&warp.boot_clock, tsc_hz);
    } else {
        struct clock_sample s;

        clock_sample(&s);
        this_cpu(calibration).last = s;
        clock_install(s.tsc, platform_time_at(&s), tsc_hz);
    }
    atomic_set(&warp.arrived, 9);
}

void clock_dump(void)
{
    unsigned int cpu = smp_processor_id();
    struct cpu_clock c;

    clock_read_scale(&c);
    printk("time: %ld ns, TSC %lu Hz, %s; CPU%u: stamp %lu base %ld mul %#x shift %d\n",
           now(), tsc_hz,
           clock_tsc_stable ? "one clock for all CPUs" : "follows the timer",
           cpu, c.tsc_stamp, c.system_base, c.tsc_to_system_mul, c.tsc_shift);
}
