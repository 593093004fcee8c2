/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The debug keys that look at floors: what each of them prints is made there;
 * here are the key, its line in the list of `h`, and the loop over domains.
 */
#include <hv/acpi.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/debug.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/grant-table.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/timer.h>

static void for_all_domains(void (*fn)(struct domain *d))
{
    struct domain *d;
    domid_t next = 0;

    while ((d = get_next_domain(next)) != NULL) {
        next = (domid_t)(d->id + 1);
        fn(d);
        put_domain(d);
    }
}

/* --- registers --- */

/* Where a key's interrupt found its CPU, for a key that runs after it. */
static struct cpu_user_regs found;
static bool found_any;

bool keys_run_soon(void)
{
    const struct cpu_user_regs *regs = get_cpu_info()->irq_regs;

    if (!in_irq())
        return true;
    if (!guest_mode(regs) && !in_idle_loop(regs))
        return false;
    found = *regs;
    found_any = true;
    return true;
}

static const struct cpu_user_regs *own_registers(void)
{
    const struct cpu_user_regs *regs = pdb_stopped_regs(smp_processor_id());

    if (regs)
        return regs;
    if (in_irq())
        return get_cpu_info()->irq_regs;
    return atomic_xchg(&found_any, false) ? &found : guest_cpu_user_regs();
}

/* The debugger keeps it in an NMI: another one would not get through. */
static void show_stopped(unsigned int cpu, const struct cpu_user_regs *regs)
{
    printk("*** CPU%u is stopped by the debugger at %pS ***\n", cpu,
           (void *)regs->rip);
    if (!guest_mode(regs))
        show_stack(regs);
}

static bool show_other(unsigned int cpu)
{
    const struct cpu_user_regs *regs = pdb_stopped_regs(cpu);

    if (!regs)
        return nmi_dump_cpu(cpu);
    show_stopped(cpu, regs);
    return true;
}

static void key_registers(u8 key)
{
    unsigned int cpu;

    (void)key;
    printk("*** CPU%u ***\n", smp_processor_id());
    show_execution_state(own_registers());
    /* The others by NMI: also those that are stuck. */
    for_each_online_cpu (cpu)
        if (cpu != smp_processor_id() && !show_other(cpu))
            printk("*** CPU%u does not answer an NMI ***\n", cpu);
}

static void key_dom0_registers(u8 key)
{
    struct vcpu *v;

    (void)key;
    if (!dom0)
        return;
    for_each_vcpu (dom0, v) {
        bool runs = v != current && !pdb_stopped_vcpu(v);

        if (!v->initialised)
            continue;
        if (runs)
            vcpu_pause(v);
        pv_ops->dump(v);
        if (runs)
            vcpu_unpause(v);
    }
}

/* --- domains --- */

static const char *vcpu_state(const struct vcpu *v)
{
    u32 flags = READ_ONCE(v->pause_flags);

    if (v->runstate.state == RUNSTATE_running)
        return "running";
    if (flags & VPF_DOWN)
        return "down";
    if (flags & VPF_PAUSED)
        return "paused";
    return flags ? "blocked" : "runnable";
}

static void show_vcpu(struct vcpu *v)
{
    const struct vcpu_info *info = v->pv.info;

    printk("    v%u: CPU%u %s, flags %#x, upcall pending %u mask %u, selector %lx, affinity %lx\n",
           v->id, v->processor, vcpu_state(v), v->pause_flags,
           info ? info->evtchn_upcall_pending : 0,
           info ? info->evtchn_upcall_mask : 0,
           info ? info->evtchn_pending_sel : 0, v->hard_affinity);
    /* The guest prints what it knows about its events. */
    if (v->initialised && !v->is_idle)
        send_guest_vcpu_virq(v, VIRQ_DEBUG);
}

static void show_domain(struct domain *d)
{
    struct vcpu *v;

    printk("Domain %u:%s%s%s refs %u, pauses %u\n", d->id,
           d->is_privileged ? " privileged" : "",
           d->is_dying ? " dying" : "",
           d->is_shutting_down ? " shut down" : "", d->refcount,
           d->pause_count);
    printk("    %u of %u pages, shared info at mfn %#lx, port words %u\n",
           d->tot_pages, d->max_pages, mfn_x(d->shared_info_mfn),
           d->valid_evtchns);
    printk("    handle %02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x, vm_assist %lx\n",
           d->handle[0], d->handle[1], d->handle[2], d->handle[3],
           d->handle[4], d->handle[5], d->handle[6], d->handle[7],
           d->handle[8], d->handle[9], d->handle[10], d->handle[11],
           d->handle[12], d->handle[13], d->handle[14], d->handle[15],
           d->vm_assist);
    for_each_vcpu (d, v)
        show_vcpu(v);
}

static void key_domains(u8 key)
{
    (void)key;
    printk("System time %ld ms, %u CPUs\n", now() / 1000000, nr_cpus_online);
    for_all_domains(show_domain);
}

/* No rate is emulated: only the debugger's stops are taken off. */
static void show_tsc(struct domain *d)
{
    if (d->tsc_shift)
        printk("  domain %u: each read is a trap, and %lu us less: it was stopped\n",
               d->id, d->tsc_shift / (tsc_khz / 1000));
    else
        printk("  domain %u: reads it natively\n", d->id);
}

static void key_tsc(u8 key)
{
    (void)key;
    printk("TSC: %u.%03u MHz, %s, %s on all CPUs\n", tsc_khz / 1000,
           tsc_khz % 1000,
           cpu_features.invariant_tsc ? "invariant" : "may change or stop",
           clock_tsc_stable ? "the same" : "not the same");
    for_all_domains(show_tsc);
}

static void show_events(struct domain *d)
{
    evtchn_dump(d);
}

static void key_events(u8 key)
{
    (void)key;
    for_all_domains(show_events);
}

static void key_grants(u8 key)
{
    (void)key;
    for_all_domains(grant_table_dump);
}

/* --- memory --- */

static void show_domain_memory(struct domain *d)
{
    if (d->max_pages == ~0U)
        printk("    domain %u: %u KiB, may grow\n", d->id,
               d->tot_pages << 2);
    else
        printk("    domain %u: %u KiB of at most %lu KiB\n", d->id,
               d->tot_pages << 2, (unsigned long)d->max_pages << 2);
}

static void key_memory(u8 key)
{
    unsigned long total = nr_total_pages(), mine = 0;

    (void)key;
    for (unsigned long m = 0; m < max_mfn; m++)
        mine += frame_table[m].flags & FF_RAM &&
                frame_table[m].owner == OWNER_HV;
    printk("RAM: %lu KiB, free %lu KiB, the hypervisor's own %lu KiB\n",
           total << 2, nr_free_pages() << 2, mine << 2);
    for_all_domains(show_domain_memory);
}

/* Every frame with an owner, by type: do the counts make sense? */
static void key_audit(u8 key)
{
    static const char *const names[] = {"none", "writable", "L1", "L2", "L3",
                                        "L4", "descriptor", "?"};
    unsigned long count[8] = {0}, pinned = 0, busy = 0, lost = 0;

    (void)key;
    for (unsigned long m = 0; m < max_mfn; m++) {
        const struct frame *f = &frame_table[m];
        u64 refs = READ_ONCE(f->refs);

        if (!(f->flags & FF_RAM) || f->owner >= OWNER_NONE)
            continue;
        count[frame_type(f)]++;
        pinned += (refs & FRAME_PINNED) != 0;
        busy += (refs & FRAME_BUSY) != 0;
        lost += frame_ref_count(f) < frame_type_count(f);
    }
    for (unsigned int t = 0; t < ARRAY_SIZE(names); t++)
        if (count[t] != 0)
            printk("    type %-10s %8lu frames\n", names[t], count[t]);
    printk("    %lu pinned, %lu changing type, %lu with more type uses than references%s\n",
           pinned, busy, lost, lost ? " (a bug)" : "");
}

/* --- interrupts, time, scheduler --- */

static void key_irqs(u8 key)
{
    (void)key;
    irq_dump();
}

static void key_ioapics(u8 key)
{
    (void)key;
    ioapic_dump();
}

static void key_nmis(u8 key)
{
    (void)key;
    nmi_dump();
}

static void key_send_nmi(u8 key)
{
    (void)key;
    __asm__ volatile("int $2");
    nmi_dump();
}

static void key_timers(u8 key)
{
    (void)key;
    timers_dump();
}

static void show_clock(void *unused)
{
    (void)unused;
    clock_dump();
}

/* Each CPU reads its own, one after the other. */
static void key_clocks(u8 key)
{
    bool alone = in_irq() || pdb_stopped_regs(smp_processor_id());
    unsigned int cpu;

    (void)key;
    clock_dump();
    for_each_online_cpu (cpu)
        if (!alone && cpu != smp_processor_id())
            smp_call_function(cpumask_of(cpu), show_clock, NULL, true);
}

static void key_run_queues(u8 key)
{
    (void)key;
    sched_dump();
}

static void key_idle(u8 key)
{
    unsigned int cpu;
    s_time_t t = now();

    (void)key;
    for_each_online_cpu (cpu)
        printk("CPU%u: idle %ld ms of %ld ms\n", cpu,
               cpu_idle_time(cpu) / 1000000, t / 1000000);
}

/* --- the end --- */

static void key_reboot(u8 key)
{
    (void)key;
    machine_restart(0);
}

/*
 * CTRL-ALT-DEL as if typed: the keyboard controller hands the bytes to its
 * driver in domain 0 (command 0xd2), which shuts down in good order.  One byte
 * at a time, as domain 0 has to run in between to fetch it.
 */
#define I8042_DATA 0x60
#define I8042_STATUS 0x64
#define I8042_FULL 0x03 /* a byte waits for the driver or the controller */
#define I8042_TYPE 0xd2
#define TYPE_PERIOD MILLISECS(20)
#define TYPE_TRIES 200

static struct timer type_timer;
static unsigned int nr_typed, nr_tries;

static void type_next(void *unused)
{
    static const u8 codes[] = {0x1d, 0x38, 0xe0, 0x53,
                               0xe0, 0xd3, 0xb8, 0x9d};

    (void)unused;
    if (!(inb(I8042_STATUS) & I8042_FULL)) {
        outb(I8042_TYPE, I8042_STATUS);
        outb(codes[nr_typed++], I8042_DATA);
    } else if (++nr_tries == TYPE_TRIES) {
        printk("Domain 0 does not read its keyboard: press R to reboot.\n");
        return;
    }
    if (nr_typed < ARRAY_SIZE(codes))
        timer_set(&type_timer, now() + TYPE_PERIOD);
}

static void key_graceful_reboot(u8 key)
{
    (void)key;
    if (!type_timer.fn)
        timer_init(&type_timer, type_next, NULL, smp_processor_id());
    timer_stop(&type_timer);
    nr_typed = nr_tries = 0;
    timer_set(&type_timer, now());
}

static void key_crash(u8 key)
{
    (void)key;
    panic("A crash was asked for by debug key");
}

static const struct debug_key keys[] = {
    {'d', true, true, "registers of every CPU", key_registers},
    {'0', false, true, "registers of domain 0's vCPUs", key_dom0_registers},
    {'q', false, true, "domains and vCPUs", key_domains},
    {'e', false, true, "event channels", key_events},
    {'g', false, true, "grant tables", key_grants},
    {'m', false, true, "memory", key_memory},
    {'H', false, true, "memory", key_memory},
    {'o', false, true, "audit of all frames", key_audit},
    {'i', false, true, "interrupts", key_irqs},
    {'M', false, true, "interrupts, MSIs among them", key_irqs},
    {'z', false, true, "IO-APICs", key_ioapics},
    {'n', false, true, "NMIs", key_nmis},
    {'N', false, false, "an NMI to this CPU", key_send_nmi},
    {'a', false, true, "timers", key_timers},
    {'t', false, true, "clocks of all CPUs", key_clocks},
    {'s', false, true, "the TSC and who emulates it", key_tsc},
    {'r', false, true, "run queues", key_run_queues},
    {'c', false, true, "idle times", key_idle},
    {'B', false, false, "reboot in good order, through domain 0",
     key_graceful_reboot},
    {'R', true, false, "reboot at once", key_reboot},
    {'C', true, false, "crash", key_crash},
};

void dump_keys_register(void)
{
    debug_keys_register(keys, ARRAY_SIZE(keys));
}
