/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watchdog: the PIT's line, as an NMI to every CPU 18 times a second, looks
 * whether a half-second timer of that CPU still runs.  Printing is a sign of
 * life as well (a debug key may take a minute at 9600 baud), and while the
 * debugger holds the machine nobody is stuck.  Nor is a CPU that did not run:
 * one that was kept in an NMI, or whose whole machine slept, comes back with
 * its time over and must get half of the pulses of that time first.
 *
 * Where the PIT does not tick (newer boards gate its clock) the HPET takes its
 * place on the same line: IA-PC HPET specification 1.0a, 2.3.4, legacy
 * replacement.
 */
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/debug.h>
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/options.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/string.h>
#include <hv/timer.h>

#define TEST_MS 300
#define TIMER_ISA_IRQ 0
#define PULSES_HZ 18
#define TICK MILLISECS(500) /* well below the shortest timeout, a second */

static enum { OFF, PIT, HPET } opt_watchdog __initdata;
static unsigned int opt_timeout = 5; /* seconds */

/* A switch, or the pulse to begin with. */
static int __init parse_watchdog(const char *value)
{
    static const struct {
        const char *word;
        u8 choice;
    } words[] __initconst = {
        {"", PIT},  {"pit", PIT}, {"hpet", HPET}, {"1", PIT},  {"on", PIT},
        {"yes", PIT}, {"y", PIT}, {"true", PIT},  {"0", OFF},  {"off", OFF},
        {"no", OFF},  {"n", OFF}, {"false", OFF},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(value, words[i].word) == 0) {
            opt_watchdog = words[i].choice;
            return 0;
        }
    return -EINVAL;
}
OPTION_CUSTOM(watchdog, parse_watchdog);
OPTION_UINT(watchdog_timeout, opt_timeout);

struct watch {
    struct timer timer;
    u32 ticks; /* of the timer */
    /* The NMI's own. */
    u32 pulses, last_ticks, last_activity;
    u64 since; /* TSC when a sign of life was last seen */
    u32 since_pulses; /* and the pulses so far then */
};
static DEFINE_PER_CPU(struct watch, watch);
static bool armed;

static void tick(void *arg)
{
    struct watch *w = arg;

    w->ticks++;
    timer_set(&w->timer, now() + TICK);
}

/* Who waits for others to print lives as long as they do. */
static u32 console_life(void)
{
    u32 sum = this_cpu(console_activity);
    unsigned int cpu;

    if (console_busy_here())
        for_each_online_cpu (cpu)
            sum += per_cpu(console_activity, cpu);
    return sum;
}

bool watchdog_nmi(const struct cpu_user_regs *regs)
{
    struct watch *w = &this_cpu(watch);
    u32 activity = console_life();
    u64 t = rdtsc();

    if (!READ_ONCE(armed))
        return false;
    w->pulses++;
    if (w->ticks != w->last_ticks || activity != w->last_activity ||
        console_debug_held()) {
        w->last_ticks = w->ticks;
        w->last_activity = activity;
        w->since = t;
        w->since_pulses = w->pulses;
    } else if (t - w->since > (u64)opt_timeout * tsc_khz * 1000 &&
               w->pulses - w->since_pulses > opt_timeout * PULSES_HZ / 2) {
        panic_at(regs, "Watchdog: CPU%u has been stuck for %u seconds",
                 smp_processor_id(), opt_timeout);
    }
    return true;
}

/* Did every CPU get its pulses? *any: one did. */
static bool __init test_pulse(const char *source, bool *any)
{
    unsigned int cpu;
    bool all = true;

    *any = false;
    for_each_online_cpu (cpu)
        WRITE_ONCE(per_cpu(watch, cpu).pulses, 0);
    printk("Testing NMI watchdog (%s) --- ", source);
    udelay(TEST_MS * 1000);
    for_each_online_cpu (cpu) {
        bool okay = READ_ONCE(per_cpu(watch, cpu).pulses) != 0;

        printk("CPU#%u %s. ", cpu, okay ? "okay" : "stuck");
        all &= okay;
        *any |= okay;
    }
    printk("\n");
    return all;
}

/* One after the other until a CPU gets a pulse. False: not all of them do. */
static bool __init start_pulse(void)
{
    bool any = false, all = false;

    if (opt_watchdog == PIT) {
        pit_tick_start();
        all = test_pulse("PIT", &any);
    }
    if (!any && hpet_tick_start())
        all = test_pulse("HPET", &any);
    return all;
}

void __init watchdog_init(void)
{
    unsigned int cpu;

    if (opt_watchdog == OFF)
        return;
    if (opt_timeout == 0)
        opt_timeout = 1;
    for_each_online_cpu (cpu) {
        struct watch *w = &per_cpu(watch, cpu);

        w->since = rdtsc();
        timer_init(&w->timer, tick, w, cpu);
        timer_set(&w->timer, now() + TICK);
    }
    armed = true;
    if (!ioapic_broadcast_nmi(isa_irq_to_gsi(TIMER_ISA_IRQ))) {
        armed = false;
        log_warn("No watchdog: the timer's line is not to be had.\n");
    } else if (!start_pulse()) {
        log_warn("The watchdog does not reach every CPU of this machine.\n");
    }
}
