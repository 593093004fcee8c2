/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stopping the machine and letting it go.
 *
 * A CPU with something to tell becomes the leader, sends the others an NMI and
 * waits, bounded, until they sit in park(). It runs the core, serves gdb if the
 * core wants that, and carries out the plan: single steps are armed, and unless
 * everything may run, the others stay parked until the step is done, or for
 * STEP_PATIENCE_MS: a step that needs another CPU (a guest's page fault, say)
 * gets it. Where gdb wants the others to stay it gets them too, but only after
 * ALONE_PATIENCE_MS: an event may come before the instruction, and the guest's
 * kernel then wait for a vCPU of theirs.
 *
 * A CPU enters park() by setting its bit in `parked` and leaves by clearing it
 * and then looking at `phase` again; a leader sets `phase` and then looks at
 * `parked`. So a leader never takes a CPU for stopped that is on its way out.
 */
#include <hv/atomic.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/domain-clock.h>
#include <hv/format.h>
#include <hv/irq.h>
#include <hv/printk.h>
#include <hv/pv.h>
#include <hv/smp.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "pdb-hook.h"
#include "pdb-stop.h"
#include "pdb-target.h"

#define STOP_PATIENCE_MS 1000
#define STEP_PATIENCE_MS 3
#define ALONE_PATIENCE_MS 500
#define GO_PATIENCE_MS 20
#define QUIET_MS 2
#define REST_US 5
#define REST_ENOUGH_US 50
#define NAP_MS 2
#define RX_RING 16384 /* power of two */
#define NOBODY NR_CPUS

enum phase { RUNNING, STEPPING, STOPPED };

DEFINE_PER_CPU(struct pdb_cpu, pdb_cpu);
static unsigned int leader = NOBODY; /* atomics */
static u32 phase;
static cpumask_t parked;     /* atomics */
static cpumask_t may_step;   /* STEPPING: who runs */
static cpumask_t told_stay;  /* RUNNING: who stays, as the plan says */
static u64 step_deadline;    /* TSC */
static u64 stopped_at;       /* TSC */
static void *escape[5];      /* out of a fault in the core */
static bool escape_valid;
static const char *escape_why;

static struct {
    u32 head, tail; /* free running; head: line's lock, tail: the leader */
    u8 bytes[RX_RING];
} rx;

/*
 * Between two looks at the line, or at the leader: a character takes longer
 * than this (87 us at 115200 baud). In QEMU looking at the UART, and PAUSE,
 * take the lock that whoever brings the characters wants too.
 */
static void rest(void)
{
    u64 end = rdtsc() + (u64)tsc_khz * REST_US / 1000;

    while (rdtsc() < end)
        ;
}

/* --- the others --- */

static void note_cpu(struct cpu_user_regs *regs)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);

    pv_ops->release();
    c->cr2 = read_cr2();
    c->cr3 = read_cr3();
    c->fs_base = rdmsr(MSR_FS_BASE);
    c->gs_base = rdmsr(MSR_GS_BASE);
    c->shadow_gs_base = rdmsr(MSR_SHADOW_GS_BASE);
    c->regs = regs;
    /* In the hypervisor it may be in the midst of changing them. */
    c->fpu_shown = guest_mode(regs);
    if (c->fpu_shown)
        pv_fpu_show(current);
}

static void leave_cpu(void)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);

    do {
        c->again = false;
        barrier();
        if (c->fpu_shown)
            pv_fpu_reload(current);
        c->fpu_shown = false;
        pdb_hw_load();
        barrier();
    } while (c->again);
    c->parking = false;
}

static bool must_stay(unsigned int cpu)
{
    u64 tsc = rdtsc();

    switch (READ_ONCE(phase)) {
    case STOPPED:
        return true;
    case STEPPING:
        if (tsc < step_deadline)
            return !cpumask_test(may_step, cpu);
        if (tsc - step_deadline > (u64)tsc_khz * ALONE_PATIENCE_MS)
            return false;
        break;
    }
    return cpumask_test(READ_ONCE(told_stay), cpu);
}

/* The time that the machine stood still did not happen on this CPU either. */
static void catch_up(void)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    s_time_t skipped = READ_ONCE(pdb_target->skipped);
    s_time_t more = skipped - c->skipped;

    c->skipped = skipped; /* first: an NMI may catch up in between */
    barrier();
    if (more)
        clock_skip(more);
    this_cpu(console_activity)++; /* the watchdog's sign of life */
}

/*
 * A CPU that spins takes, in QEMU, one of the host's from those that bring and
 * take away the line's characters. One that sleeps through the beginning of a
 * step looks at its deadline every NAP_MS.
 */
static void nap(void)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    bool beneath = c->naps; /* in what this NMI interrupted */
    u64 tsc = rdtsc() + (u64)tsc_khz * NAP_MS;

    __atomic_store_n(&c->naps, true, __ATOMIC_SEQ_CST);
    if (!must_stay(smp_processor_id()) ||
        !lapic_nap(clock_lapic_ticks_in(MILLISECS(NAP_MS)), tsc))
        rest();
    WRITE_ONCE(c->naps, beneath);
}

static void wake(cpumask_t cpus)
{
    unsigned int cpu;

    for_each_cpu (cpu, cpus)
        if (__atomic_load_n(&per_cpu(pdb_cpu, cpu).naps, __ATOMIC_SEQ_CST))
            smp_send_vector(cpumask_of(cpu), VECTOR_WAKE);
}

/* Until this CPU may go on. */
static void wait_in_park(void)
{
    cpumask_t self = cpumask_of(smp_processor_id());
    u64 since = rdtsc(), enough = (u64)tsc_khz * REST_ENOUGH_US / 1000;

    do {
        __atomic_fetch_or(&parked, self, __ATOMIC_SEQ_CST);
        while (must_stay(smp_processor_id()))
            if (READ_ONCE(phase) != STEPPING && rdtsc() - since > enough)
                nap();
            else
                rest();
        __atomic_fetch_and(&parked, ~self, __ATOMIC_SEQ_CST);
    } while (must_stay(smp_processor_id()));
    if (this_cpu(pdb_cpu).naps) /* beneath: what woke us was for that, too */
        lapic_send_ipi_self(VECTOR_WAKE);
}

/*
 * irqs off. If an NMI comes when a trap has brought the CPU here already, both
 * wait; what was interrupted first is what gdb sees, as soon as it is noted.
 */
void pdb_park(struct cpu_user_regs *regs)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);

    if (c->parking) {
        wait_in_park();
        catch_up();
        pv_tsc_load();
        c->again = true;
        return;
    }
    c->regs = NULL;
    barrier();
    c->parking = true;
    barrier();
    note_cpu(regs);
    wait_in_park();
    __asm__ volatile("mov %0, %%cr2" ::"r"(c->cr2));
    catch_up();
    pv_tsc_load();
    leave_cpu();
}

bool pdb_nmi(struct cpu_user_regs *regs)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    bool expected = c->expected;

    c->expected = false;
    if (pdb_leads())
        return true;
    if (READ_ONCE(phase) != STOPPED) {
        catch_up(); /* late */
        pv_tsc_load();
        return expected;
    }
    pdb_park(regs);
    return true;
}

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
    while (READ_ONCE(leader) != NOBODY && READ_ONCE(phase) != STOPPED)
        cpu_relax();
    if (READ_ONCE(phase) == STOPPED)
        pdb_park(regs);
}

static cpumask_t others(void)
{
    return READ_ONCE(cpu_online_map) & ~cpumask_of(smp_processor_id());
}

static void send_stop(cpumask_t cpus)
{
    unsigned int cpu;

    for_each_cpu (cpu, cpus)
        WRITE_ONCE(per_cpu(pdb_cpu, cpu).expected, true);
    smp_send_nmi(cpus);
}

/* Stop all the others, or note who does not. */
static void gather(struct cpu_user_regs *regs)
{
    struct pdb_target *t = pdb_target;
    u64 patience = (u64)tsc_khz * STOP_PATIENCE_MS, start;
    bool was_running = READ_ONCE(phase) == RUNNING;

    note_cpu(regs);
    pdb_hw_silence();
    start = rdtsc();
    if (was_running || !stopped_at)
        stopped_at = start;
    console_debug_claim();
    __atomic_store_n(&phase, STOPPED, __ATOMIC_SEQ_CST);
    send_stop(others() & ~READ_ONCE(parked));
    t->absent = 0;
    while (others() & ~READ_ONCE(parked)) {
        if (rdtsc() - start > patience) {
            t->absent = others() & ~READ_ONCE(parked);
            break;
        }
        rest();
    }
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

    while ((n = pdb_tx(&pdb_target->core, out, sizeof(out))) != 0)
        console_debug_write(out, n);
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

bool pdb_escape(const char *why)
{
    if (!escape_valid)
        return false;
    escape_valid = false;
    escape_why = why;
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

/* heard: when gdb last said something. */
static bool is_served(const struct pdb_stop *s, u64 heard)
{
    bool talks = rdtsc() - heard < (u64)tsc_khz * QUIET_MS;

    if (pdb_holding(&pdb_target->core))
        return !pdb_scope_covers(s) || talks;
    return pdb_is_non_stop() && (pdb_non_stop_frozen() || talks);
}

/*
 * Serves gdb until it lets the machine go on; where only a part of it is to
 * stand still, until gdb has been silent for a moment.
 */
static void serve(const struct pdb_stop *s)
{
    const struct pdb *p = &pdb_target->core;
    u64 last = rdtsc(), heard = last;
    bool idle;

    console_debug_hold(true);
    if (p->state == PDB_WAITING && !p->link.held)
        printk("pdb: the machine is stopped and waits for gdb.\n");
    while (is_served(s, heard)) {
        console_debug_poll();
        idle = rx.tail == READ_ONCE(rx.head);
        if (!idle)
            heard = rdtsc();
        (void)guarded(exchange);
        tell_halts();
        if (idle)
            rest();
        if (rdtsc() - last > (u64)tsc_khz * 1000 || pdb_target->tick_due) {
            last = rdtsc();
            pdb_target->tick_due = false;
            (void)guarded(tick);
        }
    }
    (void)guarded(exchange);
    console_debug_hold(false);
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
    catch_up();
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

    while (READ_ONCE(phase) == RUNNING && !READ_ONCE(c->again) &&
           !are_off(stay) && rdtsc() - start < patience)
        rest();
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
    if (!t->scoped && (!(t->planned && t->plan.alone) || pdb_steps_enter()))
        pdb_hooks_plant();
    console_debug_unclaim();
    WRITE_ONCE(told_stay, stay);
    may_step = may;
    this_cpu(pdb_cpu).again = false;
    this_cpu(pdb_cpu).parking = true; /* an NMI finds regs noted already */
    step_deadline = rdtsc() + (u64)tsc_khz * STEP_PATIENCE_MS;
    __atomic_store_n(&phase, steps ? STEPPING : RUNNING, __ATOMIC_SEQ_CST);
    wake(others() & (steps ? may : ~stay));
    pdb_unlead();
    see_off(stay);
    leave_cpu();
    if (must_stay(smp_processor_id()))
        pdb_park(regs);
}

/* What the core makes of it. */
static enum pdb_verdict meet(struct cpu_user_regs *regs, struct pdb_stop *s)
{
    enum pdb_verdict verdict;

    if (s->why == PDB_WHY_BREAK_IN && s->number == PDB_ONLY_LISTEN)
        return PDB_HOLD;
    if (pdb_non_stop_ignores(s))
        return PDB_GO;
    verdict = judge(regs, s);
    if (verdict == PDB_HOLD)
        pdb_non_stop_stopped();
    return verdict;
}

/* The machine has stopped for s, seen by this CPU. */
enum pdb_verdict pdb_stop(struct cpu_user_regs *regs, struct pdb_stop *s)
{
    struct pdb_target *t = pdb_target;
    enum pdb_verdict verdict;

    gather(regs);
    tell_absent(s);
    t->planned = false;
    if (t->scoped && s->why == PDB_WHY_SOFT && pdb_int3_site(regs))
        regs->rip--; /* it was hit on the way to a standstill */
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
    t->planned |= pdb_is_non_stop();
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
        (void)pdb_stop(regs, &s);
        return;
    }
    pdb_unlead();
    if (t->stop_wanted)
        stop_self(s.number);
}

/* Registers of what the line's interrupt found; NULL: polled by a timer. */
static struct cpu_user_regs *interrupted(void)
{
    return in_irq() ? (struct cpu_user_regs *)get_cpu_info()->irq_regs : NULL;
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
