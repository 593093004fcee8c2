/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upward calls go through hooks; all of them are registered here, by name, so
 * that one page shows which floor hears of which.
 */
#include <hv/acpi.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/debug.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/pv.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/timer.h>

#include "hooks.h"

#define KEYBOARD_IRQ 1

unsigned int order_of_size(unsigned long size)
{
    unsigned int order = 0;

    while ((PAGE_SIZE << order) < size)
        order++;
    return order;
}

/* --- printk --- */

static bool running_guest(unsigned int *domid, unsigned int *vcpu)
{
    const struct vcpu *v = current;

    if (!v || v->is_idle)
        return false;
    *domid = v->domain->id;
    *vcpu = v->id;
    return true;
}

static const struct printk_ops printk_hooks = {
    .now = now,
    .guest = running_guest,
};

/* --- crash --- */

#define TRAP_SYSCALL 0x100 /* entry.S */

static void show_running_on(unsigned int cpu)
{
    const struct cpu_info *info = cpu_info_of_stack(cpu_stacks[cpu]);
    const struct cpu_user_regs *r = &info->guest_regs;
    const struct vcpu *v = info->current_vcpu;

    if (!v || v->is_idle)
        printk("  CPU%u: idle\n", cpu);
    else
        printk("  CPU%u: d%uv%u, entry %#x, rip %016lx, rax %#lx\n", cpu,
               v->domain->id, v->id, r->entry_vector, r->rip, r->rax);
}

/* Any context: whose guest each CPU runs, and how it came in here. */
static void show_running(void)
{
    printk("CPUs ran, with what the guest entered by (%#x: hypercall, number in rax):\n",
           TRAP_SYSCALL);
    /* Those that were stopped are not online any more. */
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
        if (cpu_stacks[cpu])
            show_running_on(cpu);
}

static const struct crash_ops crash_hooks = {
    .show_domains = show_running,
    .stop_other_cpus = smp_stop_others,
    .delay_us = udelay,
    .acpi_reset = acpi_reset,
    .acpi_power_off = acpi_power_off,
    .page_walk = dump_page_walk,
    .escape = pdb_panicked,
    .debugger = pdb_crashed,
};

/* --- console --- */

static void (*key_runner)(void *);

static void run_keys(void *unused)
{
    key_runner(unused);
}

static struct tasklet key_tasklet = {.fn = run_keys};

static void defer_keys(void (*run)(void *))
{
    key_runner = run;
    tasklet_schedule(&key_tasklet);
}

static void notify_dom0_input(void)
{
    send_guest_global_virq(dom0, VIRQ_CONSOLE);
}

void hooks_register(void)
{
    format_register_symbols(symbol_lookup);
    printk_register(&printk_hooks);
    crash_register(&crash_hooks);
    debug_keys_init();
    pv_init();
    frame_register_wait(smp_poll_requests);
    debug_keys_register_defer(defer_keys, keys_run_soon);
    dump_keys_register();
    perf_keys_register();
    machine_keys_register();
    console_register_dom0_input(notify_dom0_input);
}

static void (*line_handlers[NR_ISA_IRQS * 2])(unsigned int port);

static void line_irq(unsigned int irq, void *arg)
{
    unsigned long port = (unsigned long)arg;

    (void)irq;
    line_handlers[port]((unsigned int)port);
}

static int request_line_irq(unsigned int isa_irq, void (*fn)(unsigned int port),
                            unsigned int port)
{
    line_handlers[port] = fn;
    return irq_request(isa_irq_to_gsi(isa_irq), line_irq,
                       (void *)(unsigned long)port);
}

static struct timer poll_timer;

static void poll_console(void *unused)
{
    (void)unused;
    timer_set(&poll_timer, now() + MICROSECS(console_poll()));
}

/* Until domain 0 has its keyboard, the bytes are fetched for it. */
static void keyboard_irq(unsigned int irq, void *unused)
{
    (void)irq, (void)unused;
    keyboard_fetch();
}

void leave_keyboard(void)
{
    irq_free(isa_irq_to_gsi(KEYBOARD_IRQ));
    keyboard_fetch();
}

void __init start_console_irqs(void)
{
    console_init_irqs(request_line_irq);
    (void)irq_request(isa_irq_to_gsi(KEYBOARD_IRQ), keyboard_irq, NULL);
    if (!console_needs_poll())
        return;
    timer_init(&poll_timer, poll_console, NULL, 0);
    timer_set(&poll_timer, now());
}

/* --- other CPUs --- */

static void init_other_cpu(void)
{
    clock_init_cpu();
    timers_init_cpu();
}

static int prepare_other_cpu(unsigned int cpu)
{
    struct vcpu *idle = idle_vcpu_create(cpu);

    if (!idle)
        return -ENOMEM;
    cpu_info_of_stack(cpu_stacks[cpu])->current_vcpu = idle;
    sched_init_cpu(cpu);
    return 0;
}

static const struct smp_ops smp_hooks = {
    .delay_us = udelay,
    .init_cpu = init_other_cpu,
    .assist = clock_assist_cpu,
    .prepare = prepare_other_cpu,
    .run = idle_loop,
};

void __init start_other_cpus(void)
{
    smp_start(&smp_hooks);
}

static void flush_this_tlb(void *unused)
{
    (void)unused;
    tlb_flush_all_local();
}

void flush_all_tlbs(void)
{
    if (nr_cpus_online > 1)
        smp_call_function(cpu_online_map & ~cpumask_of(smp_processor_id()),
                          flush_this_tlb, NULL, true);
    tlb_flush_all_local();
}
