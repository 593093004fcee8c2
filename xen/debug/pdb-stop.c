/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stopping the machine and letting it go.
 *
 * A CPU with something to tell becomes the leader, sends the others an NMI and
 * waits, bounded, until they sit in pdb_park(). It runs the core, serves gdb if
 * the core wants that, and carries out the plan: single steps are armed, and
 * unless everything may run, the others stay parked until the step is done, or
 * for STEP_PATIENCE_MS: a step that needs another CPU (a guest's page fault,
 * say) gets it.
 */
#include <hv/atomic.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/debug.h>
#include <hv/domain-clock.h>
#include <hv/format.h>
#include <hv/irq.h>
#include <hv/printk.h>
#include <hv/pv.h>
#include <hv/smp.h>
#include <hv/spinlock.h>
#include <hv/timer.h>
#include <hv/x86.h>

#include "pdb-hook.h"
#include "pdb-stop.h"
#include "pdb-target.h"

#define STOP_PATIENCE_MS 1000
#define STEP_PATIENCE_MS 3
#define GO_PATIENCE_MS 20
#define QUIET_MS 2
#define LEADER_NAP_US 40 /* a character at 115200 baud takes 87 */
#define LONG_NAP_US 500
#define LONG_SILENCE_US 1000000
#define AWAKE_US 20000
#define RX_RING 16384 /* power of two */
#define NOBODY NR_CPUS

DEFINE_PER_CPU(struct pdb_stop, pdb_own_stop);

static unsigned int leader = NOBODY; /* atomics */
static u64 stopped_at;               /* TSC */
static void *escape[5];              /* out of a fault in the core */
static bool escape_valid;
static char escape_why[PDB_NOTE];

static struct {
    u32 head, tail; /* free running; head: line's lock, tail: the leader */
    u8 bytes[RX_RING];
} rx;

/* --- the leader --- */

bool pdb_lead(void)
{
    unsigned int nobody = NOBODY;

    return atomic_try_cmpxchg(&leader, &nobody, smp_processor_id());
}

void pdb_unlead(void)
{
    __atomic_store_n(&leader, NOBODY, __ATOMIC_SEQ_CST);
}

bool pdb_leads(void)
{
    return READ_ONCE(leader) == smp_processor_id();
}

void pdb_wait_behind_leader(struct cpu_user_regs *regs)
{
    while (READ_ONCE(leader) != NOBODY &&
           READ_ONCE(pdb_gate.phase) != GATE_STOPPED)
        cpu_relax();
    if (READ_ONCE(pdb_gate.phase) == GATE_STOPPED)
        pdb_park(regs);
}

static cpumask_t others(void)
{
    return READ_ONCE(cpu_online_map) & ~cpumask_of(smp_processor_id());
}

/* Those that do not stand still yet. */
static cpumask_t awaited(void)
{
    return others() & ~READ_ONCE(pdb_gate.parked);
}

static bool all_parked(void)
{
    return !awaited();
}

/*
 * Each CPU has one NMI of ours at most before it: one of the last stop, which a
 * trap had stopped the CPU for already, may still have to come, and will do.  A
 * second one would be latched behind it, and then be taken for the button.
 */
static void send_stop(cpumask_t cpus)
{
    cpumask_t to = 0;
    unsigned int cpu;

    for_each_cpu (cpu, cpus)
        if (!atomic_xchg(&per_cpu(pdb_cpu, cpu).expected, true))
            to |= cpumask_of(cpu);
    smp_send_nmi(to);
}

/* Stop all the others, or note who does not. */
static void gather(struct cpu_user_regs *regs)
{
    struct pdb_target *t = pdb_target;
    u64 patience = (u64)tsc_khz * STOP_PATIENCE_MS, start;
    bool was_running = READ_ONCE(pdb_gate.phase) == GATE_RUNNING;

    pdb_note_cpu(regs);
    pdb_hw_silence();
    start = rdtsc();
    console_debug_claim();
    __atomic_store_n(&pdb_gate.phase, GATE_STOPPED, __ATOMIC_SEQ_CST);
    send_stop(awaited());
    t->absent = 0;
    while (!all_parked()) {
        u64 waited = rdtsc() - start;

        if (waited > patience) {
            t->absent = awaited();
            break;
        }
        if (waited > (u64)tsc_khz * PDB_AWAKE_US / 1000)
            pdb_nap(all_parked, LEADER_NAP_US, true);
        else
            pdb_rest();
    }
    /* Not before all stand still: what they have read until then stays true.
     * But one that does not answer is no time that passes for the others. */
    if (was_running || !stopped_at)
        stopped_at = t->absent ? start : rdtsc();
    pdb_hooks_lift();
    pdb_steps_disarm();
}

/* Name those who did not stop, for the user. */
static void tell_absent(struct pdb_stop *s)
{
    struct pdb_target *t = pdb_target;
    size_t n = 0;
    unsigned int cpu;

    if (!t->absent || s->text)
        return;
    for_each_cpu (cpu, t->absent)
        if (n + 48 < sizeof(t->text))
            n += (size_t)snprintf(t->text + n, sizeof(t->text) - n,
                                  "CPU%u does not answer an NMI.\n", cpu);
    s->text = t->text;
}

static void send_all(void)
{
    u8 out[256];
    u32 n;

    pdb_console_hand_on();
    while ((n = pdb_tx(&pdb_target->core, out, sizeof(out))) != 0) {
        console_debug_write(out, n);
        pdb_console_hand_on();
    }
}

static void feed_ring(void)
{
    while (rx.tail != READ_ONCE(rx.head)) {
        u8 byte = rx.bytes[rx.tail % RX_RING];

        rx.tail++;
        pdb_rx(&pdb_target->core, byte);
    }
}

/* Run fn with a way out of faults; the core hears of one. True: no fault. */
static noinline bool guarded(void (*fn)(void))
{
    if (__builtin_setjmp(escape) == 0) {
        escape_valid = true;
        fn();
        escape_valid = false;
        return true;
    }
    pdb_fault(&pdb_target->core, escape_why);
    return false;
}

void pdb_tell_gdb(void)
{
    unsigned long flags = local_irq_save();

    while (!pdb_lead())
        cpu_relax();
    pdb_hw_silence(); /* nothing has stopped: breakpoints are in force */
    (void)guarded(send_all);
    pdb_int3s_again();
    pdb_hw_load();
    pdb_unlead();
    local_irq_restore(flags);
}

bool pdb_escape(const char *why)
{
    if (!escape_valid)
        return false;
    escape_valid = false;
    snprintf(escape_why, sizeof(escape_why), "%s", why); /* may be unwound */
    __builtin_longjmp(escape, 1);
}

static struct {
    const struct pdb_stop *stop;
    enum pdb_verdict verdict;
} event;

static void run_event(void)
{
    event.verdict = pdb_event(&pdb_target->core, event.stop);
}

/*
 * pdb_event(), guarded. A fault in it is what gdb then hears of; without a gdb,
 * or after another one, the machine goes on.
 */
static enum pdb_verdict judge(struct cpu_user_regs *regs, struct pdb_stop *s)
{
    struct pdb_target *t = pdb_target;

    event.stop = s;
    event.verdict = PDB_GO;
    if (guarded(run_event))
        return event.verdict;
    if (s->why == PDB_WHY_SOFT && pdb_int3_site(regs))
        regs->rip--;
    if (t->core.state != PDB_RUNNING)
        return PDB_GO;
    snprintf(t->text, sizeof(t->text),
             "%s inside the debugger, which had to judge a stop\n",
             escape_why);
    s->why = PDB_WHY_NOTE;
    s->text = t->text;
    (void)guarded(run_event);
    return event.verdict;
}

static void exchange(void)
{
    feed_ring();
    send_all();
}

static void tick(void)
{
    pdb_tick(&pdb_target->core);
}

/* Non-stop: what gdb has just asked to stop, stands. */
static void tell_halts(void)
{
    struct pdb_stop s;

    if (pdb_is_non_stop())
        while (pdb_non_stop_halt(&s))
            (void)judge(NULL, &s);
}

/* All stands still, and only gdb can say that it goes on. */
static bool is_gdbs(const struct pdb_stop *s)
{
    if (pdb_holding(&pdb_target->core))
        return !pdb_scope_covers(s);
    return pdb_non_stop_frozen();
}

/* heard: when gdb was last listened to, and answered. */
static bool is_served(const struct pdb_stop *s, u64 heard)
{
    if (pdb_holding(&pdb_target->core) || pdb_is_non_stop())
        return is_gdbs(s) || rdtsc() - heard < (u64)tsc_khz * QUIET_MS;
    return false;
}

/*
 * Silence, in TSC ticks, after which this CPU sleeps between its looks at the
 * line, instead of taking one of the host's from those that bring what comes.
 * Behind a step or a hit gdb goes on at once, and waits for the answer. Just
 * behind a break-in the host may have put it, or whoever brings it the answer,
 * where this CPU is, which may have slept for long or had others to wake: there
 * they wait, for the answer, too, if it stays awake.
 */
static u64 awake(const struct pdb_stop *s)
{
    u64 ticks = (u64)tsc_khz * AWAKE_US / 1000;

    return s->why == PDB_WHY_BREAK_IN && rdtsc() - stopped_at < ticks ? 0
                                                                      : ticks;
}

/* Between two looks at the line, behind so much silence, in TSC ticks. */
static void wait_for_gdb(const struct pdb_stop *s, u64 silence)
{
    bool is_long = silence > (u64)tsc_khz * LONG_SILENCE_US / 1000;

    if (silence <= awake(s) || !is_gdbs(s))
        pdb_rest();
    else if (is_long)
        pdb_nap(NULL, MIN(LONG_NAP_US, console_debug_fifo_us() / 2), false);
    else
        pdb_nap(NULL, LEADER_NAP_US, false);
}

/*
 * Serves gdb until it lets the machine go on; where only a part of it is to
 * stand still, until gdb has been silent for a moment.
 */
static void serve(const struct pdb_stop *s)
{
    const struct pdb *p = &pdb_target->core;
    u64 since = rdtsc(), last = since, heard = since;
    bool idle;

    timers_halt_cpu();
    console_debug_hold(true);
    if (p->state == PDB_WAITING && !p->link.held)
        printk("pdb: the machine is stopped and waits for gdb.\n");
    while (is_served(s, heard)) {
        console_debug_poll();
        idle = rx.tail == READ_ONCE(rx.head);
        (void)guarded(exchange);
        tell_halts();
        if (!idle)
            heard = rdtsc();
        wait_for_gdb(s, idle ? rdtsc() - heard : 0);
        if (rdtsc() - last > (u64)tsc_khz * 1000 || pdb_target->tick_due) {
            last = rdtsc();
            pdb_target->tick_due = false;
            (void)guarded(tick);
        }
    }
    (void)guarded(exchange);
    console_debug_hold(false);
    timers_go_on_cpu(rdtsc() - since);
}

/* --- letting go --- */

/* Single steps are armed; the CPUs that may run are told. */
static bool arm_steps(cpumask_t *may)
{
    struct pdb_target *t = pdb_target;
    int32_t pid = 0, tid;
    bool any = false;

    *may = 0;
    while ((pid = pdb_next_inferior(t, pid)) != 0)
        for (tid = pdb_next_thread(t, pid, 0); tid != 0;
             tid = pdb_next_thread(t, pid, tid)) {
            struct pdb_tid who = {pid, tid};
            struct vcpu *v;

            if (pdb_wanted(who) != PDB_DO_STEP)
                continue;
            pdb_step_arm(who);
            any = true;
            v = pid == PDB_PID_HYPERVISOR ? NULL : pdb_vcpu(who);
            *may |= cpumask_of(v ? v->processor : (unsigned int)tid - 1);
            if (t->scope)
                *may = READ_ONCE(cpu_online_map);
        }
    return any;
}

/*
 * CPUs that the plan keeps stopped while others run (gdb's scheduler-locking).
 * A plan that lets no CPU run is about domains: these need CPUs.
 */
static cpumask_t staying(void)
{
    cpumask_t stay = 0, run = 0;
    unsigned int cpu;

    for_each_online_cpu (cpu) {
        struct pdb_tid who = {PDB_PID_HYPERVISOR, (int32_t)cpu + 1};

        if (pdb_wanted(who) == PDB_DO_STAY)
            stay |= cpumask_of(cpu);
        else
            run |= cpumask_of(cpu);
    }
    if (pdb_target->plan.alone || pdb_non_stop_frees_cpus())
        return 0;
    return run ? stay : 0;
}

/* Guests compute the time by themselves: tell all of them. */
static void update_guest_clocks(u64 ticks)
{
    struct domain *d;
    struct vcpu *v;

    for (d = domain_next(0); d; d = domain_next((domid_t)(d->id + 1))) {
        if (d->id >= DOMID_FIRST_RESERVED)
            return;
        if (d->is_dying)
            continue;
        pv_tsc_skip(d, ticks);
        for_each_vcpu (d, v)
            if (v->initialised && v->pv.info)
                vcpu_update_time_info(v);
    }
}

static void skip_stopped_time(void)
{
    struct pdb_target *t = pdb_target;
    u64 ticks = rdtsc() - stopped_at;
    s_time_t ns = (s_time_t)((unsigned __int128)ticks * 1000000 / tsc_khz);

    stopped_at = 0;
    WRITE_ONCE(t->skipped, t->skipped + ns);
    clock_skip_platform(ns);
    pdb_catch_up();
    update_guest_clocks(ticks);
    pv_tsc_load();
}

/* All who may go on have left park(), or are about to stop again. */
static bool are_off(cpumask_t stay)
{
    unsigned int cpu;

    for_each_cpu (cpu, others() & ~stay)
        if (READ_ONCE(per_cpu(pdb_cpu, cpu).parking))
            return false;
    return true;
}

/*
 * The others first: a CPU that goes on at once runs into the next breakpoint
 * before they have moved, and again, and they would never get to theirs.
 */
static void see_off(cpumask_t stay)
{
    const struct pdb_cpu *c = &this_cpu(pdb_cpu);
    u64 start = rdtsc(), patience = (u64)tsc_khz * GO_PATIENCE_MS;

    while (READ_ONCE(pdb_gate.phase) == GATE_RUNNING && !READ_ONCE(c->again) &&
           !are_off(stay) && rdtsc() - start < patience)
        pdb_rest();
}

/* Carry out the plan; this CPU itself may have to stay. */
static void let_go(struct cpu_user_regs *regs)
{
    struct pdb_target *t = pdb_target;
    cpumask_t may = 0, stay = 0;
    bool steps = false;

    if (t->planned) {
        steps = arm_steps(&may);
        stay = staying();
    }
    skip_stopped_time();
    if (t->planned)
        pdb_hold_domains();
    pdb_int3s_again();
    pdb_guards_again();
    if (!t->scoped && (!(t->planned && t->plan.alone) ||
                       pdb_steps_enter() || pdb_guards_any()))
        pdb_hooks_plant();
    console_debug_unclaim();
    WRITE_ONCE(pdb_gate.told_stay, stay);
    pdb_gate.may_step = may;
    this_cpu(pdb_cpu).again = false;
    this_cpu(pdb_cpu).parking = true; /* an NMI finds regs noted already */
    pdb_gate.step_deadline = rdtsc() + (u64)tsc_khz * STEP_PATIENCE_MS;
    __atomic_store_n(&pdb_gate.phase, steps ? GATE_STEPPING : GATE_RUNNING,
                     __ATOMIC_SEQ_CST);
    pdb_wake(others() & (steps ? may : ~stay));
    pdb_unlead();
    see_off(stay);
    pdb_leave_cpu();
    if (pdb_must_stay(smp_processor_id()))
        pdb_park(regs);
}

/* Registers of what the line's interrupt found; NULL: polled by a timer. */
static struct cpu_user_regs *interrupted(void)
{
    return in_irq() ? (struct cpu_user_regs *)get_cpu_info()->irq_regs : NULL;
}

/* A debug key's int3 is in an interrupt of what the CPU was doing. */
static bool was_idle(const struct cpu_user_regs *regs)
{
    if (regs->rip - 1 == (unsigned long)pdb_own_int3)
        regs = interrupted();
    return regs && in_idle_loop(regs);
}

/* Not one that waits to tell of something itself: it would not be told. */
static bool runs_vcpu(unsigned int cpu)
{
    return pdb_stopped_regs(cpu) && !per_cpu(pdb_cpu, cpu).serves &&
           pdb_vcpu_on(cpu);
}

/*
 * A break in is heard by whichever CPU has the line, which says nothing of
 * where the user would look: if that one had nothing to do, gdb is shown one
 * that runs a vCPU.
 */
static void show_busy(const struct cpu_user_regs *regs, struct pdb_stop *s)
{
    unsigned int cpu;

    if (s->why != PDB_WHY_BREAK_IN || s->number == PDB_ONLY_LISTEN ||
        pdb_is_non_stop() || !was_idle(regs))
        return;
    for_each_cpu (cpu, others())
        if (runs_vcpu(cpu)) {
            s->thread = pdb_thread_on(cpu, per_cpu(pdb_cpu, cpu).regs);
            return;
        }
}

/* What the core makes of it. */
static enum pdb_verdict meet(struct cpu_user_regs *regs, struct pdb_stop *s)
{
    enum pdb_verdict verdict;

    if (s->why == PDB_WHY_BREAK_IN && s->number == PDB_ONLY_LISTEN)
        return PDB_HOLD;
    if (pdb_non_stop_ignores(s))
        return PDB_GO;
    s->waited = pdb_hold_gave_up();
    pdb_console_hand_on();
    verdict = judge(regs, s);
    if (verdict == PDB_HOLD)
        pdb_non_stop_stopped(s);
    else if (verdict == PDB_LATER)
        pdb_hold_back(s->thread);
    return verdict;
}

/* The machine has stopped for s, seen by this CPU. */
enum pdb_verdict pdb_stop(struct cpu_user_regs *regs, struct pdb_stop *s)
{
    struct pdb_target *t = pdb_target;
    bool life = s->why == PDB_WHY_NEW_THREAD || s->why == PDB_WHY_GONE_THREAD;
    enum pdb_verdict verdict;

    gather(regs);
    pdb_guard_in_turn(s);
    tell_absent(s);
    t->planned = false;
    if (t->scoped && s->why == PDB_WHY_SOFT && pdb_int3_site(regs))
        regs->rip--; /* it was hit on the way to a standstill */
    show_busy(regs, s);
    pdb_scope_choose(s);
    do {
        t->stop_wanted = false;
        verdict = meet(regs, s);
        if (verdict == PDB_HOLD || pdb_non_stop_frozen()) {
            if (pdb_holding(&t->core))
                pdb_steps_forget(NULL);
            serve(s);
        } else {
            send_all();
        }
        /* A ^C right behind "continue": stopped before anything has run. */
        s->why = PDB_WHY_BREAK_IN;
        s->number = 0;
        s->signal = 0;
        s->text = NULL;
    } while (t->stop_wanted);
    t->scoped = pdb_holding(&t->core);
    if (t->scoped)
        pdb_scope_hold();
    /* What gdb does not care for was in the midst of what it wants. */
    t->planned |= pdb_is_non_stop() ||
                  (life && t->core.state == PDB_RUNNING);
    let_go(regs);
    return verdict;
}

/* --- the line --- */

/* number: of the stop that it makes. */
static noinline __attribute__((noclone)) void stop_self(u64 number)
{
    __asm__ volatile(".globl pdb_own_int3\n"
                     "pdb_own_int3: int3" ::"D"(number) : "memory");
}

void pdb_receive(u8 byte)
{
    u32 head = rx.head;

    if (head - READ_ONCE(rx.tail) >= RX_RING)
        return;
    rx.bytes[head % RX_RING] = byte;
    smp_wmb(); /* whoever leads reads without a lock */
    WRITE_ONCE(rx.head, head + 1);
}

/* Bytes while the machine runs: gdb comes, or wants it to stop. */
static void listen(struct cpu_user_regs *regs)
{
    struct pdb_target *t = pdb_target;
    struct pdb_stop s = {.why = PDB_WHY_BREAK_IN};

    t->stop_wanted = t->scoped || pdb_is_non_stop();
    if (t->stop_wanted) /* what gdb asks is answered at a standstill */
        s.number = PDB_ONLY_LISTEN;
    else
        (void)guarded(exchange);
    if (t->stop_wanted && regs) {
        s.thread = pdb_thread_here(regs);
        pdb_serves(regs);
        (void)pdb_stop(regs, &s);
        pdb_serves_no_more();
        return;
    }
    pdb_unlead();
    if (t->stop_wanted)
        stop_self(s.number);
}

void pdb_settled(void)
{
    struct cpu_user_regs *regs = interrupted();

    /* A leader that is just letting go does not look again: wait for it. One
     * that is stopping the machine will stop us here. */
    while (READ_ONCE(rx.tail) != READ_ONCE(rx.head) &&
           !pdb_leads())
        if (pdb_lead())
            listen(regs);
        else
            cpu_relax();
}

void pdb_break_in(void)
{
    stop_self(0);
}

void pdb_listen(void)
{
    stop_self(PDB_ONLY_LISTEN);
}

void pdb_life(const struct domain *d, bool born)
{
    struct pdb_stop s = {
        .why = born ? PDB_WHY_NEW : PDB_WHY_GONE,
        .thread = {PDB_PID_DOMAIN(d->id), 1},
        .number = d->shutdown_code == SHUTDOWN_CODE_NONE ? 0 : d->shutdown_code,
    };
    unsigned long flags = local_irq_save();
    enum pdb_verdict verdict;

    while (!pdb_lead())
        cpu_relax();
    if (!born) {
        pdb_steps_forget_domain(d);
        pdb_hold_forget(d);
    }
    verdict = judge(NULL, &s);
    send_all();
    pdb_unlead();
    /* gdb is to see it: stop, as for a key. */
    if (verdict == PDB_HOLD && !pdb_is_non_stop())
        pdb_break_in();
    local_irq_restore(flags);
}

/* Nobody can resume or destroy a domain that has shut down. */
static bool dom0_stays(void)
{
    const struct vcpu *v;

    for_each_vcpu (dom0, v)
        if (pdb_wanted((struct pdb_tid){PDB_PID_DOMAIN(0),
                                        (int32_t)v->id + 1}) != PDB_DO_STAY)
            return false;
    return true;
}

/* It was the last one that gdb waits for. irqs off. */
static bool ends_the_wait(enum vcpu_life what)
{
    bool ends;

    if (!READ_ONCE(pdb_target->core.owed))
        return false;
    while (!pdb_lead()) /* nobody changes the plan meanwhile */
        cpu_relax();
    ends = (what != VCPU_IS_SHUT_DOWN || dom0_stays()) &&
           pdb_nothing_runs(&pdb_target->core);
    pdb_unlead();
    return ends;
}

/* All is to stand still when gdb hears of it.  A shutdown is told only to a gdb
 * that would wait for ever: domain_resume() tells nobody that it is over. */
void pdb_thread_life(const struct vcpu *v, enum vcpu_life what)
{
    struct pdb_tid t = {PDB_PID_DOMAIN(v->domain->id), (int32_t)v->id + 1};
    unsigned long flags;

    flags = local_irq_save();
    if (pdb_is_attached(t.pid) &&
        ((what != VCPU_IS_SHUT_DOWN &&
          READ_ONCE(pdb_target->core.thread_events)) ||
         (what != VCPU_COMES_UP && ends_the_wait(what)))) {
        this_cpu(pdb_own_stop) = (struct pdb_stop){
            .why = what == VCPU_COMES_UP ? PDB_WHY_NEW_THREAD
                                         : PDB_WHY_GONE_THREAD,
            .thread = t,
        };
        stop_self(PDB_OWN_STOP);
    }
    local_irq_restore(flags);
}
