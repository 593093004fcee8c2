/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HPET, PM timer and PIT as plain counters; `clocksource=`.
 * Facts: IA-PC HPET specification 1.0a, 2.3; ACPI specification 6.4, 4.8.3.3;
 * Intel 8254 data sheet.
 */
#include <hv/acpi.h>
#include <hv/errno.h>
#include <hv/mm.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "platform-timer.h"

struct platform_timer *platform_timer __ro_after_init;
bool platform_timer_forced __ro_after_init;

/* --- HPET --- */

#define HPET_ID 0x000
#define HPET_ID_64BIT (1U << 13)
#define HPET_PERIOD 0x004 /* femtoseconds per tick */
#define HPET_CONFIG 0x010
#define HPET_CONFIG_ENABLE 1U
#define HPET_COUNTER 0x0f0
#define HPET_MAX_PERIOD 100000000U
#define HPET_ID_LEGACY (1U << 15) /* can stand in for PIT and RTC */
#define HPET_CONFIG_LEGACY 2U
#define HPET_TIMER0 0x100
#define HPET_COMPARATOR0 0x108
#define TIMER_ON 0x004
#define TIMER_REPEAT 0x008
#define TIMER_CAN_REPEAT 0x010
#define TIMER_SET 0x040 /* the next write is the comparator's value */
#define TIMER_32 0x100
#define HPET_TICKS_HZ 18 /* as many as the PIT makes */

static volatile u8 *hpet __ro_after_init;

static u32 hpet_read32(unsigned int reg)
{
    return *(volatile u32 *)(hpet + reg);
}

/* The low half alone: 32 bits read in one access on every machine. */
static u64 hpet_read(void)
{
    return hpet_read32(HPET_COUNTER);
}

static bool __init hpet_map(void)
{
    if (!hpet && machine.hpet_address)
        hpet = ioremap(machine.hpet_address, 0x400);
    return hpet != NULL;
}

static bool __init hpet_probe(struct platform_timer *p)
{
    u32 period, config;

    if (!hpet_map())
        return false;
    period = hpet_read32(HPET_PERIOD);
    if (!period || period > HPET_MAX_PERIOD) {
        log_warn("HPET: bad period %u fs, not used\n", period);
        return false;
    }
    config = hpet_read32(HPET_CONFIG);
    if (!(config & HPET_CONFIG_ENABLE))
        *(volatile u32 *)(hpet + HPET_CONFIG) = config | HPET_CONFIG_ENABLE;
    p->hz = 1000000000000000UL / period;
    p->mask = 0xffffffff;
    return true;
}

static void __init hpet_write32(unsigned int reg, u32 v)
{
    *(volatile u32 *)(hpet + reg) = v;
}

bool __init hpet_tick_start(void)
{
    u32 period, ticks;

    if (!hpet_map() || !(hpet_read32(HPET_ID) & HPET_ID_LEGACY) ||
        !(hpet_read32(HPET_TIMER0) & TIMER_CAN_REPEAT))
        return false;
    period = hpet_read32(HPET_PERIOD);
    if (!period || period > HPET_MAX_PERIOD)
        return false;
    ticks = (u32)(1000000000000000UL / HPET_TICKS_HZ / period);
    hpet_write32(HPET_TIMER0, TIMER_ON | TIMER_REPEAT | TIMER_SET | TIMER_32);
    /* First when, then how often. */
    hpet_write32(HPET_COMPARATOR0, hpet_read32(HPET_COUNTER) + ticks);
    hpet_write32(HPET_COMPARATOR0, ticks);
    hpet_write32(HPET_CONFIG, hpet_read32(HPET_CONFIG) |
                                  HPET_CONFIG_ENABLE | HPET_CONFIG_LEGACY);
    return true;
}

/* --- ACPI PM timer --- */

#define PM_TIMER_HZ 3579545

static u16 pm_port __ro_after_init;

static u64 pm_read(void)
{
    return inl(pm_port);
}

static bool __init pm_probe(struct platform_timer *p)
{
    if (!machine.pm_timer.address ||
        machine.pm_timer.space != ACPI_SPACE_IO)
        return false;
    pm_port = (u16)machine.pm_timer.address;
    p->hz = PM_TIMER_HZ;
    p->mask = machine.pm_timer_32bit ? 0xffffffff : 0xffffff;
    return true;
}

/* --- PIT, channel 0 counting down from 65536 again and again --- */

#define PIT_HZ 1193182
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND 0x43
#define PIT_RATE_GENERATOR 0x34
#define PIT_LATCH 0x00

static DEFINE_SPINLOCK(pit_lock);

static u64 pit_read(void)
{
    u8 low, high;

    spin_lock(&pit_lock); /* latch and two reads */
    outb(PIT_LATCH, PIT_COMMAND);
    low = inb(PIT_CHANNEL0);
    high = inb(PIT_CHANNEL0);
    spin_unlock(&pit_lock);
    return 0xffff - (u64)(high << 8 | low);
}

static bool __init pit_probe(struct platform_timer *p)
{
    outb(PIT_RATE_GENERATOR, PIT_COMMAND);
    outb(0, PIT_CHANNEL0);
    outb(0, PIT_CHANNEL0);
    p->hz = PIT_HZ;
    p->mask = 0xffff;
    return true;
}

void pit_tick_start(void)
{
    unsigned long flags;

    if (platform_timer && platform_timer->read == pit_read)
        return; /* it runs like this already */
    flags = local_irq_save();
    outb(PIT_RATE_GENERATOR, PIT_COMMAND);
    outb(0, PIT_CHANNEL0);
    outb(0, PIT_CHANNEL0);
    local_irq_restore(flags);
}

/* --- choice --- */

static struct platform_timer timers[] = {
    {.name = "HPET", .probe = hpet_probe, .read = hpet_read},
    {.name = "PM timer", .probe = pm_probe, .read = pm_read},
    {.name = "PIT", .probe = pit_probe, .read = pit_read},
};
enum { TIMER_HPET, TIMER_PM, TIMER_PIT, TIMER_AUTO, TIMER_TSC };

static unsigned int opt_clocksource __ro_after_init = TIMER_AUTO;

static int __init parse_clocksource(const char *s)
{
    static const struct {
        const char *name;
        unsigned int timer;
    } names[] = {
        {"hpet", TIMER_HPET},  {"acpi", TIMER_PM}, {"pmtimer", TIMER_PM},
        {"pit", TIMER_PIT},    {"tsc", TIMER_TSC},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(s, names[i].name)) {
            opt_clocksource = names[i].timer;
            return 0;
        }
    return -EINVAL;
}
OPTION_CUSTOM(clocksource, parse_clocksource);

/* A counter that stands still is worse than none. */
static bool __init counts(struct platform_timer *p)
{
    u64 first = p->read();

    for (unsigned int i = 0; i < 1000; i++)
        if (((p->read() - first) & p->mask) != 0)
            return true;
    log_warn("%s does not count, not used\n", p->name);
    return false;
}

static bool __init use(struct platform_timer *p)
{
    if (!p->probe(p) || !counts(p))
        return false;
    platform_timer = p;
    return true;
}

/* With clocksource=tsc the TSC is still measured by one, then left alone. */
void __init platform_timer_init(void)
{
    unsigned int i;

    if (opt_clocksource < ARRAY_SIZE(timers)) {
        platform_timer_forced = use(&timers[opt_clocksource]);
        if (platform_timer_forced)
            return;
        log_warn("clocksource=: this machine has no %s, choosing another\n",
                 timers[opt_clocksource].name);
    }
    for (i = 0; i < ARRAY_SIZE(timers); i++)
        if (use(&timers[i]))
            break;
}

bool clocksource_is_tsc(void)
{
    return opt_clocksource == TIMER_TSC;
}
