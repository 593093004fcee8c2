/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System time.
 *
 * Normally the TSCs of all CPUs are one clock: one scale, measured at boot and
 * once more over the whole boot, serves everybody and never changes again
 * (clock_tsc_stable).  A watch compares it with the platform timer each second.
 * If it drifts, or if the option clocksource= names a platform timer, the scale
 * of all CPUs is adjusted to that timer each second; if a CPU's TSC is found to
 * disagree, at its start or later, each CPU's own: see clock-calibrate.c.
 *
 * A scale is written by its own CPU only, irqs off, into the copy that is not
 * in use; readers on that CPU (NMI handlers too) need no lock.
 */
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/clock.h>
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/string.h>

#include "clock-internal.h"
#include "clock-steer.h"

/* Measured: ticks per nanosecond times 2^32. */
static u64 lapic_rate __ro_after_init;

u32 tsc_khz;
bool clock_tsc_stable;
static s64 wall_base_ns; /* UTC at system time 0 */
static void (*changed_hook)(void) __ro_after_init;

void clock_register_changed(void (*fn)(void))
{
    changed_hook = fn;
}

static bool opt_tsc_unstable __initdata;

/* tsc=unstable: its rate cannot be trusted; skewed: nor are the TSCs one. */
static int __init parse_tsc(const char *s)
{
    clock_tscs_agree = strcmp(s, "skewed") != 0;
    opt_tsc_unstable = !clock_tscs_agree || strcmp(s, "unstable") == 0;
    return opt_tsc_unstable ? 0 : -EINVAL;
}
OPTION_CUSTOM(tsc, parse_tsc);

struct clock_latch {
    struct cpu_clock copy[2];
    u64 tsc_rate[2]; /* TSC ticks per nanosecond times 2^32 */
    u32 index;
};
static DEFINE_PER_CPU(struct clock_latch, clock_latch);

static always_inline const struct cpu_clock *my_clock(void)
{
    struct clock_latch *l = &this_cpu(clock_latch);

    return &l->copy[READ_ONCE(l->index) & 1];
}

s_time_t now(void)
{
    const struct cpu_clock *c = my_clock();
    u64 tsc = rdtsc();

    /* Another CPU's stamp may be a hair ahead of this TSC at its start. */
    return likely(tsc >= c->tsc_stamp) ? clock_scale(c, tsc) : c->system_base;
}

s_time_t clock_time_at(u64 tsc)
{
    return clock_scale(my_clock(), tsc);
}

void clock_read_scale(struct cpu_clock *c)
{
    *c = *my_clock();
}

void clock_skip(s_time_t ns)
{
    struct clock_latch *l = &this_cpu(clock_latch);

    l->copy[0].system_base -= ns;
    l->copy[1].system_base -= ns;
}

u64 clock_tsc_at(s_time_t t)
{
    struct clock_latch *l = &this_cpu(clock_latch);
    unsigned int i = READ_ONCE(l->index) & 1;
    const struct cpu_clock *c = &l->copy[i];

    if (t <= c->system_base)
        return c->tsc_stamp + 1;
    return c->tsc_stamp +
           clock_ticks((u64)t - (u64)c->system_base, l->tsc_rate[i]) + 1;
}

u32 clock_lapic_ticks(s_time_t t)
{
    return clock_lapic_ticks_in(t - now());
}

u32 clock_lapic_ticks_in(s_time_t ns)
{
    unsigned __int128 ticks;

    if (ns <= 0)
        return 1;
    ticks = ((unsigned __int128)(u64)ns * lapic_rate) >> 32;
    if (ticks > 0x7fffffff)
        return 0x7fffffff;
    return (u32)ticks + 1;
}

/*
 * This CPU, irqs off: from `stamp` on, which is time `base`, hz ticks a
 * second.
 */
void clock_install(u64 stamp, s_time_t base, u64 hz)
{
    struct clock_latch *l = &this_cpu(clock_latch);
    unsigned int i = (l->index + 1) & 1;

    l->copy[i].tsc_stamp = stamp;
    l->copy[i].system_base = base;
    clock_set_frequency(&l->copy[i], hz);
    l->tsc_rate[i] = (u64)(((unsigned __int128)hz << 32) / 1000000000);
    barrier(); /* complete before it counts; readers are on this CPU */
    WRITE_ONCE(l->index, i);
    if (changed_hook)
        changed_hook();
}

/* The scale of the boot CPU, which does not change meanwhile. */
void clock_install_copy(const struct cpu_clock *c, u64 hz)
{
    struct clock_latch *l = &this_cpu(clock_latch);
    unsigned int i = (l->index + 1) & 1;

    l->copy[i] = *c;
    l->tsc_rate[i] = (u64)(((unsigned __int128)hz << 32) / 1000000000);
    barrier();
    WRITE_ONCE(l->index, i);
    if (changed_hook)
        changed_hook();
}

/* --- frequencies --- */

#define CALIBRATION_NS 10000000

/* The pair whose two halves were read in the least time of a few. */
void clock_sample(struct clock_sample *s)
{
    unsigned long flags = local_irq_save();
    u64 best = ~0UL;

    for (unsigned int i = 0; i < 5; i++) {
        u64 before = rdtsc();
        u64 count = platform_timer->read();
        u64 after = rdtsc();

        if (after - before >= best)
            continue;
        best = after - before;
        s->tsc = before + best / 2;
        s->count = count;
    }
    local_irq_restore(flags);
}

/* Ticks of the platform timer between two samples. */
u64 clock_elapsed(const struct clock_sample *from,
                  const struct clock_sample *to)
{
    return (to->count - from->count) & platform_timer->mask;
}

u64 clock_frequency(const struct clock_sample *from,
                    const struct clock_sample *to)
{
    unsigned __int128 tsc = to->tsc - from->tsc;
    u64 ticks = clock_elapsed(from, to);

    return ticks ? (u64)(tsc * platform_timer->hz / ticks) : 0;
}

static u64 __init tsc_hz_by_cpuid(void)
{
    if (cpu_features.max_leaf >= 0x15) {
        struct cpuid_regs r = cpuid_count(0x15, 0);

        if (r.a && r.b && r.c) /* denominator, numerator, crystal in Hz */
            return (u64)r.c * r.b / r.a;
    }
    if (cpuid_count(1, 0).c >> 31 &&
        cpuid_count(0x40000000, 0).a >= 0x40000010) {
        struct cpuid_regs r = cpuid_count(0x40000010, 0);

        if (r.a)
            return r.a * 1000UL; /* VMware's and KVM's timing leaf */
    }
    return 0;
}

/* Both counters over the same few milliseconds. Returns the TSC's rate. */
static u64 __init measure(void)
{
    struct clock_sample from, to;
    u64 wait, hz;
    u32 lapic;

    if (!platform_timer)
        panic("No HPET, PM timer or PIT counts: cannot measure the TSC");
    wait = platform_timer->hz / (1000000000 / CALIBRATION_NS);
    lapic_timer_mode(false);
    lapic_timer_set(~0U);
    clock_sample(&from);
    lapic = lapic_timer_count();
    do {
        clock_sample(&to);
    } while (clock_elapsed(&from, &to) < wait);
    lapic -= lapic_timer_count();
    lapic_timer_set(0);
    hz = clock_frequency(&from, &to);
    if (hz < 1000000)
        panic("The TSC does not run (%lu Hz)", hz);
    lapic_rate = (u64)(((unsigned __int128)lapic << 32) /
                       clock_elapsed(&from, &to) * platform_timer->hz /
                       1000000000);
    return hz;
}

void __init clock_init(void)
{
    unsigned long flags = local_irq_save();
    u64 hz = tsc_hz_by_cpuid();

    platform_timer_init();
    if (!hz || !cpu_features.tsc_deadline)
        hz = measure();
    tsc_khz = (u32)(hz / 1000);
    clock_install(rdtsc(), 0, hz);
    clock_tsc_stable = !platform_timer_forced && !opt_tsc_unstable;
    if (platform_timer)
        clock_calibrate_start(hz);
    wall_base_ns = (s64)(rtc_read() * 1000000000) - now();
    local_irq_restore(flags);
    log_info("TSC: %lu.%03lu MHz%s%s\n", hz / 1000000, hz / 1000 % 1000,
             platform_timer ? ", platform timer: " : "",
             platform_timer ? platform_timer->name : "");
}

void udelay(unsigned long us)
{
    u64 start = rdtsc();

    if (!tsc_khz) {
        while (us--)
            outb(0, 0x80); /* about a microsecond on an ISA bus */
        return;
    }
    while (rdtsc() - start < us * tsc_khz / 1000)
        cpu_relax();
}

/* --- wall clock --- */

u64 wall_clock_at_boot_ns(void)
{
    return (u64)READ_ONCE(wall_base_ns);
}

void wall_clock_set(u64 utc_seconds, u32 ns, s_time_t at)
{
    WRITE_ONCE(wall_base_ns,
               (s64)(utc_seconds * 1000000000 + ns) - at);
}
