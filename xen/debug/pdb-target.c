/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pdb=com1|com1H|com2|com2H[,wait]: the debugger gets its line and the traps.
 * Without the option nothing of it is allocated and no hook is set.
 */
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/debug.h>
#include <hv/errno.h>
#include <hv/mm.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/x86.h>

#include "pdb-hook.h"
#include "pdb-stop.h"
#include "pdb-target.h"

struct pdb_target *pdb_target;

static char opt_pdb[32] __initdata;
static bool wait_wanted;
OPTION_STRING(pdb, opt_pdb);

static void key_break_in(u8 key)
{
    (void)key;
    pdb_break_in();
}

static const struct debug_key keys[] = {
    {'D', true, false, "stop the machine for gdb", key_break_in},
    {'%', true, false, "stop the machine for gdb", key_break_in},
};

/* --- the core's operations --- */

static void op_resume(void *ctx, const struct pdb_plan *plan)
{
    struct pdb_target *t = ctx;

    if (pdb_is_non_stop())
        pdb_non_stop_resume(plan);
    else
        pdb_plan_copy(&t->plan, plan);
    t->planned = true;
}

static void op_interrupt(void *ctx)
{
    struct pdb_target *t = ctx;

    if (pdb_is_non_stop())
        pdb_non_stop_interrupt();
    else
        t->stop_wanted = true;
}

static void op_detach(void *ctx, int32_t pid)
{
    (void)ctx;
    pdb_non_stop_forget(pid);
}

static void op_reboot(void *ctx)
{
    (void)ctx;
    machine_restart(0);
}

static const char *op_reason(void *ctx)
{
    struct pdb_target *t = ctx;
    const char *why = t->reason;

    t->reason = NULL;
    return why;
}

static void op_reset(void *ctx)
{
    struct pdb_target *t = ctx;

    t->scope = 0;
    t->plan.alone = false;
    pdb_hold_step_over();
    pdb_non_stop_forget(0);
    pdb_events_clear();
}

static void op_print(void *ctx, const char *text, u32 len)
{
    (void)ctx;
    console_puts(text, len);
}

static const struct pdb_ops machine_ops = {
    .read_mem = pdb_read_mem,
    .write_mem = pdb_write_mem,
    .translate = pdb_translate,
    .walk = pdb_walk,
    .reason = op_reason,
    .get_regs = pdb_get_regs,
    .set_regs = pdb_set_regs,
    .get_fpu = pdb_get_fpu,
    .set_fpu = pdb_set_fpu,
    .next_inferior = pdb_next_inferior,
    .next_thread = pdb_next_thread,
    .thread_info = pdb_thread_info,
    .is_down = pdb_is_down,
    .inferior_info = pdb_inferior_info,
    .resume = op_resume,
    .interrupt = op_interrupt,
    .detach = op_detach,
    .reboot = op_reboot,
    .hw_insert = pdb_hw_insert,
    .hw_remove = pdb_hw_remove,
    .catch_syscalls = pdb_catch_syscalls,
    .reset = op_reset,
    .print = op_print,
    .tables = pdb_tables,
    .commands = pdb_commands,
};

/* --- the line --- */

/*
 * The lines' interrupts go to one CPU. If that has interrupts off for good,
 * another one hears gdb's line, and the console's, where a key breaks in: if
 * bytes lie there at two looks in a row, and nobody took one in between.
 */
#define WATCH_PERIOD MILLISECS(200)

static struct timer watch_timer;

#define QUIET_MS 2      /* longer than a character takes, at 9600 baud, too */
#define ATTENTION_MS 100

/* A packet comes a few characters at a time: to its end, or what seems it. */
static void hear_lines(void)
{
    unsigned long flags = local_irq_save();
    u64 began = rdtsc(), heard = began;

    do {
        if (console_lines_waiting()) {
            console_lines_poll();
            heard = rdtsc();
        }
        pdb_rest();
    } while (rdtsc() - heard < (u64)tsc_khz * QUIET_MS &&
             heard - began < (u64)tsc_khz * ATTENTION_MS);
    local_irq_restore(flags);
}

static void watch_lines(void *unused)
{
    static u64 look;

    (void)unused;
    if (console_lines_neglected(&look))
        hear_lines();
    timer_set(&watch_timer, now() + WATCH_PERIOD);
}

static void pdb_watch_lines(void)
{
    unsigned int cpu;

    if (!pdb_target || nr_cpus_online < 2)
        return;
    for_each_online_cpu (cpu)
        if (cpu != 0)
            break;
    softirq_register(SOFTIRQ_LISTEN, hear_lines);
    timer_init(&watch_timer, watch_lines, NULL, cpu);
    timer_set(&watch_timer, now() + WATCH_PERIOD);
}

/* Cut ",wait" off. -EINVAL: something else stands there. */
static int __init split_option(void)
{
    char *comma = strchr(opt_pdb, ',');

    if (!comma)
        return 0;
    *comma = '\0';
    wait_wanted = strcmp(comma + 1, "wait") == 0;
    return wait_wanted ? 0 : -EINVAL;
}

static unsigned int order_of(size_t size)
{
    unsigned int order = 0;

    while ((PAGE_SIZE << order) < size)
        order++;
    return order;
}

static bool shared_line(void)
{
    size_t n = strlen(opt_pdb);

    return n != 0 && (opt_pdb[n - 1] == 'H' || opt_pdb[n - 1] == 'L');
}

/* A line that ends in a program loses nothing, a wire may. */
static unsigned int line_flags(void)
{
    if (shared_line())
        return PDB_SEVEN_BIT;
    return cpu_features.in_vm ? PDB_NO_ACK : 0;
}

void __init pdb_open(void)
{
    struct pdb_target *t;

    if (opt_pdb[0] == '\0')
        return;
    if (split_option()) {
        log_error("ERROR: pdb=: only 'wait' may follow the port.\n");
        return;
    }
    t = alloc_hv_pages(order_of(sizeof(*t)), 0);
    if (!t) {
        log_error("ERROR: no memory for pdb.\n");
        return;
    }
    memset(t, 0, sizeof(*t));
    pdb_init(&t->core, &machine_ops, t, line_flags());
    if (console_debug_open(opt_pdb, pdb_receive) != 0)
        return;
    pdb_target = t;
    pdb_guard_init();
    console_debug_settled(pdb_settled);
    pdb_console_init();
    traps_register_debugger(pdb_trap);
    pv_register_debugger(pdb_trap);
    nmi_register_debugger(pdb_nmi, pdb_button);
    domain_register_life(pdb_life);
    vcpu_register_life(pdb_thread_life);
    debug_keys_register(keys, ARRAY_SIZE(keys));
    printk("pdb: on %s; connect with gdb.\n", opt_pdb);
}

void pdb_wait(void)
{
    pdb_watch_lines();
    if (pdb_target && wait_wanted)
        pdb_break_in();
}

void pdb_panicked(const char *message)
{
    if (pdb_leads())
        (void)pdb_escape(message);
}

bool pdb_crashed(void)
{
    if (!pdb_target)
        return false;
    if (!pdb_leads())
        pdb_unlead(); /* who led is off for good */
    pdb_target->crashed = 1;
    pdb_break_in();
    pdb_target->crashed = 0;
    console_force_unlock();
    return true;
}
