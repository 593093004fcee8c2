/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parking: where CPUs wait while another one has the machine.
 *
 * A CPU enters pdb_park() by setting its bit in `parked` and leaves by clearing
 * it and then looking at `phase` again; a leader sets `phase` and then looks at
 * `parked`. So a leader never takes a CPU for stopped that is on its way out.
 *
 * During steps those that may not run stay until `step_deadline`; where gdb
 * wants them to stay they go on too, but only ALONE_PATIENCE_MS later: an event
 * may come before the instruction, and the guest's kernel then wait for a vCPU
 * of theirs.
 */
#include <hv/atomic.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/pv.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/x86.h>

#include "pdb-stop.h"
#include "pdb-target.h"

#define ALONE_PATIENCE_MS 500
#define REST_US 5
#define PARK_NAP_US 2000

DEFINE_PER_CPU(struct pdb_cpu, pdb_cpu);
struct pdb_gate pdb_gate;

/*
 * Between two looks at the line, or at the leader: a character takes longer
 * than this (87 us at 115200 baud). In QEMU looking at the UART, and PAUSE,
 * take the lock that whoever brings the characters wants too.
 */
void pdb_rest(void)
{
    u64 end = rdtsc() + (u64)tsc_khz * REST_US / 1000;

    while (rdtsc() < end)
        ;
}

void pdb_note_cpu(struct cpu_user_regs *regs)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);

    pv_ops->release();
    c->cr2 = read_cr2();
    c->cr3 = read_cr3();
    c->dr6 = read_dr6();
    c->fs_base = rdmsr(MSR_FS_BASE);
    c->gs_base = rdmsr(MSR_GS_BASE);
    c->shadow_gs_base = rdmsr(MSR_SHADOW_GS_BASE);
    /* In the hypervisor it may be in the midst of changing them. */
    c->fpu_shown = guest_mode(regs);
    if (c->fpu_shown)
        pv_fpu_show(current);
    barrier();
    c->regs = regs; /* last: all is noted */
}

/* Whatever an NMI changes on the way out, however late, is loaded again. */
void pdb_leave_cpu(void)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    bool fpu_shown = c->fpu_shown;

    do {
        c->parking = true;
        c->again = false;
        barrier();
        if (fpu_shown)
            pv_fpu_reload(current);
        pv_regs_again();
        pdb_hw_load();
        c->dr6 = 0;
        barrier();
        c->fpu_shown = false;
        c->parking = false;
        barrier();
    } while (c->again);
}

bool pdb_must_stay(unsigned int cpu)
{
    u64 tsc = rdtsc();

    switch (READ_ONCE(pdb_gate.phase)) {
    case GATE_STOPPED:
        return true;
    case GATE_STEPPING:
        if (tsc < pdb_gate.step_deadline)
            return !cpumask_test(pdb_gate.may_step, cpu);
        if (tsc - pdb_gate.step_deadline > (u64)tsc_khz * ALONE_PATIENCE_MS)
            return false;
        break;
    }
    return cpumask_test(READ_ONCE(pdb_gate.told_stay), cpu);
}

void pdb_catch_up(void)
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
 * take away the line's characters, or from the CPU that it waits for. One that
 * sleeps through the beginning of a step sees its end 2 ms late, at most.
 */
void pdb_nap(bool (*over)(void), unsigned int us, bool time_passes)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    bool beneath = c->naps; /* in what this NMI interrupted */
    u64 tsc = rdtsc() + (u64)tsc_khz * us / 1000;

    __atomic_store_n(&c->naps, true, __ATOMIC_SEQ_CST);
    if ((over && over()) ||
        !lapic_nap(clock_lapic_ticks_in(MICROSECS(us)), tsc, time_passes))
        pdb_rest();
    WRITE_ONCE(c->naps, beneath);
}

void pdb_wake(cpumask_t cpus)
{
    unsigned int cpu;

    for_each_cpu (cpu, cpus)
        if (__atomic_load_n(&per_cpu(pdb_cpu, cpu).naps, __ATOMIC_SEQ_CST))
            smp_send_vector(cpumask_of(cpu), VECTOR_WAKE);
}

/*
 * The CPUs that hear the lines may be those that gdb keeps stopped while others
 * run: what lies there is one of these others'.
 */
static void look_at_lines(u64 *look)
{
    unsigned int cpu;

    if (READ_ONCE(pdb_gate.phase) != GATE_RUNNING ||
        !console_lines_neglected(look))
        return;
    for_each_cpu (cpu, READ_ONCE(cpu_online_map) & ~READ_ONCE(pdb_gate.parked))
        cpu_raise_softirq(cpu, SOFTIRQ_LISTEN);
}

static bool may_go(void)
{
    return !pdb_must_stay(smp_processor_id());
}

/* Until this CPU may go on. */
static void wait_in_park(void)
{
    cpumask_t self = cpumask_of(smp_processor_id());
    u64 since = rdtsc(), enough = (u64)tsc_khz * PDB_AWAKE_US / 1000;
    u64 look = 0;

    do {
        __atomic_fetch_or(&pdb_gate.parked, self, __ATOMIC_SEQ_CST);
        while (pdb_must_stay(smp_processor_id()))
            if (READ_ONCE(pdb_gate.phase) != GATE_STEPPING &&
                rdtsc() - since > enough) {
                pdb_nap(may_go, PARK_NAP_US, false);
                look_at_lines(&look);
            } else {
                pdb_rest();
            }
        __atomic_fetch_and(&pdb_gate.parked, ~self, __ATOMIC_SEQ_CST);
    } while (pdb_must_stay(smp_processor_id()));
    if (this_cpu(pdb_cpu).naps) /* beneath: what woke us was for that, too */
        lapic_send_ipi_self(VECTOR_WAKE);
}

/* irqs off. An NMI may come when a trap has brought the CPU here: both wait. */
void pdb_park(struct cpu_user_regs *regs)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);

    if (c->parking) {
        wait_in_park();
        pdb_catch_up();
        pv_tsc_load();
        c->again = true;
        return;
    }
    c->regs = NULL;
    barrier();
    c->parking = true;
    c->put_off = false;
    barrier();
    pdb_note_cpu(regs);
    wait_in_park();
    __asm__ volatile("mov %0, %%cr2" ::"r"(c->cr2));
    pdb_catch_up();
    pv_tsc_load();
    pdb_leave_cpu();
}

/*
 * From here to pdb_serves_no_more() the debugger works for regs, a trap's or an
 * interrupt's: that is where gdb finds this CPU.  An NMI does not stop it in
 * between, but is put off until it would wait, or has done.
 */
void pdb_serves(struct cpu_user_regs *regs)
{
    this_cpu(pdb_cpu).serves = regs;
    barrier();
}

void pdb_serves_no_more(void)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    struct cpu_user_regs *regs = c->serves;
    u64 dr6;

    barrier();
    c->serves = NULL;
    barrier();
    if (!c->put_off)
        return;
    c->put_off = false;
    if (READ_ONCE(pdb_gate.phase) != GATE_STOPPED)
        return;
    dr6 = read_dr6();
    write_dr6(DR6_CLEAR); /* no step's */
    pdb_park(regs);
    write_dr6(dr6); /* a guest is to see it */
}

bool pdb_nmi(struct cpu_user_regs *regs)
{
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    bool expected = atomic_xchg(&c->expected, false);

    if (pdb_leads())
        return true;
    if (READ_ONCE(pdb_gate.phase) != GATE_STOPPED) {
        pdb_catch_up(); /* late */
        pv_tsc_load();
        return expected;
    }
    if (c->parking ? !c->regs : c->serves || pdb_enters_db(regs))
        c->put_off = true;
    else
        pdb_park(pdb_interrupted(regs));
    return true;
}
