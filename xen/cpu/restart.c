/* SPDX-License-Identifier: GPL-2.0-only */
/* Restarting, halting and switching off the machine. Any context. */
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/spinlock.h>
#include <hv/string.h>

#define KBD_COMMAND 0x64
#define KBD_BUSY 0x02
#define KBD_PULSE_RESET 0xfe
#define RESET_CONTROL 0xcf9 /* PCI reset control, ICH data sheets */

/* Methods in the order in which they are tried; reboot= puts one first. */
static char methods[8] = "akpt";

static const struct crash_ops *ops;

void restart_register(const struct crash_ops *crash_ops)
{
    ops = crash_ops;
}

/* Letters of reboot=, separated by commas or not, go before the others. */
static int __init parse_reboot(const char *value)
{
    char order[8] = "";
    unsigned int n = 0;

    for (; *value != '\0'; value++) {
        if (*value == ',')
            continue;
        if (!strchr("akpt", *value))
            return -EINVAL;
        if (!strchr(order, *value))
            order[n++] = *value;
    }
    for (const char *m = "akpt"; *m != '\0'; m++)
        if (!strchr(order, *m))
            order[n++] = *m;
    memcpy(methods, order, sizeof(methods));
    return 0;
}
OPTION_CUSTOM(reboot, parse_reboot);

/* One access to the POST port takes about a microsecond on any PC. */
static void delay_ms(unsigned int ms)
{
    for (; ms != 0; ms--) {
        if (ops && ops->delay_us)
            ops->delay_us(1000);
        else
            for (unsigned int i = 0; i < 1000; i++)
                outb(0, 0x80);
    }
}

static void reset_by_keyboard(void)
{
    for (unsigned int i = 0; i < 10; i++) {
        for (unsigned int j = 0; j < 65536; j++)
            if (!(inb(KBD_COMMAND) & KBD_BUSY))
                break;
        outb(KBD_PULSE_RESET, KBD_COMMAND);
        delay_ms(50);
    }
}

static void reset_by_port(void)
{
    outb(0x02, RESET_CONTROL); /* hard reset, armed */
    outb(0x06, RESET_CONTROL);
    delay_ms(50);
}

/* A fault without an IDT shuts the processor down, which resets the board. */
static void reset_by_triple_fault(void)
{
    static const struct {
        u16 limit;
        u64 base;
    } __packed none = {0, 0};

    __asm__ volatile("lidt %0; int3" ::"m"(none));
}

static void reset_by(char method)
{
    printk("Restarting by %s\n", method == 'a'   ? "ACPI"
                                 : method == 'k' ? "the keyboard controller"
                                 : method == 'p' ? "port 0xcf9"
                                                 : "a triple fault");
    console_flush();
    switch (method) {
    case 'a':
        if (ops && ops->acpi_reset)
            ops->acpi_reset();
        break;
    case 'k':
        reset_by_keyboard();
        break;
    case 'p':
        reset_by_port();
        break;
    case 't':
        reset_by_triple_fault();
        break;
    }
}

/* What is still to be said is said by this CPU, whoever had the console. */
static void stop_others(void)
{
    if (!ops || !ops->stop_other_cpus)
        return;
    ops->stop_other_cpus();
    console_force_unlock();
}

void machine_halt(void)
{
    local_irq_disable();
    stop_others();
    console_flush();
    for (;;)
        cpu_halt();
}

void machine_restart(unsigned int wait_ms)
{
    local_irq_disable();
    if (opt_noreboot) {
        printk("Reboot disabled on cmdline: require manual reset\n");
        machine_halt();
    }
    if (wait_ms != 0)
        printk("Reboot in %u seconds...\n", wait_ms / 1000);
    console_flush();
    delay_ms(wait_ms);
    stop_others();
    for (const char *m = methods; *m != '\0'; m++)
        reset_by(*m);
    machine_halt();
}

void machine_power_off(void)
{
    local_irq_disable();
    printk("Power off.\n");
    stop_others();
    console_flush();
    if (ops && ops->acpi_power_off)
        ops->acpi_power_off();
    printk("This machine cannot be switched off by software: do it by hand.\n");
    machine_halt();
}
