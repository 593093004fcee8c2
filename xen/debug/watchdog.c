/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watchdog: the PIT's line, as an NMI to every CPU 18 times a second, looks
 * whether a one-second timer of that CPU still runs.  Printing is a sign of
 * life as well (a debug key may take a minute at 9600 baud), and while the
 * debugger holds the machine nobody is stuck.
 */
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/debug.h>
#include <hv/irq.h>
#include <hv/options.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/timer.h>

#define TEST_MS 300
#define TIMER_ISA_IRQ 0

static bool opt_watchdog __initdata;
static unsigned int opt_timeout = 5; /* seconds */
OPTION_BOOL(watchdog, opt_watchdog);
OPTION_UINT(watchdog_timeout, opt_timeout);

struct watch {
    struct timer timer;
    u32 ticks; /* of the timer */
    /* The NMI's own. */
    u32 pulses, last_ticks, last_activity;
    u64 since; /* TSC when a sign of life was last seen */
};
static DEFINE_PER_CPU(struct watch, watch);
static bool armed;

static void tick(void *arg)
{
    struct watch *w = arg;

    w->ticks++;
    timer_set(&w->timer, now() + SECONDS(1));
}

bool watchdog_nmi(const struct cpu_user_regs *regs)
{
    struct watch *w = &this_cpu(watch);
    u32 activity = this_cpu(console_activity);
    u64 t = rdtsc();

    if (!READ_ONCE(armed))
        return false;
    w->pulses++;
    if (w->ticks != w->last_ticks || activity != w->last_activity ||
        console_debug_held()) {
        w->last_ticks = w->ticks;
        w->last_activity = activity;
        w->since = t;
    } else if (t - w->since > (u64)opt_timeout * tsc_khz * 1000) {
        panic_at(regs, "Watchdog: CPU%u has been stuck for %u seconds",
                 smp_processor_id(), opt_timeout);
    }
    return true;
}

/* Did every CPU get its pulses? */
static bool __init test_pulse(void)
{
    unsigned int cpu;
    bool all = true;

    printk("Testing NMI watchdog --- ");
    udelay(TEST_MS * 1000);
    for_each_online_cpu (cpu) {
        bool okay = READ_ONCE(per_cpu(watch, cpu).pulses) != 0;

        printk("CPU#%u %s. ", cpu, okay ? "okay" : "stuck");
        all &= okay;
    }
    printk("\n");
    return all;
}

void __init watchdog_init(void)
{
    unsigned int cpu;

    if (!opt_watchdog)
        return;
    if (opt_timeout == 0)
        opt_timeout = 1;
    for_each_online_cpu (cpu) {
        struct watch *w = &per_cpu(watch, cpu);

        w->since = rdtsc();
        timer_init(&w->timer, tick, w, cpu);
        timer_set(&w->timer, now() + SECONDS(1));
    }
    pit_tick_start();
    armed = true;
    if (!ioapic_broadcast_nmi(isa_irq_to_gsi(TIMER_ISA_IRQ))) {
        armed = false;
        log_warn("No watchdog: the PIT's line is not to be had.\n");
    } else if (!test_pulse()) {
        log_warn("The watchdog does not reach every CPU of this machine.\n");
    }
}
