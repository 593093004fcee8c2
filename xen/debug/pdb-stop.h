/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stopping the machine: what pdb-stop.c does for pdb-trap.c, and pdb-park.c for
 * both.  irqs off.  Floor: debug.
 */
#ifndef HV_PDB_STOP_H
#define HV_PDB_STOP_H

#include <hv/cpu.h>
#include <hv/types.h>
#include <pdb.h>

struct cpu_user_regs;

/* True: this CPU is the leader now, until it stops the machine or unleads. */
bool pdb_lead(void);
void pdb_unlead(void);
bool pdb_leads(void);
/* Until the leader has let go; stopped, if it stops the machine. */
void pdb_wait_behind_leader(struct cpu_user_regs *regs);
/* By the leader: stops the machine for *s and lets it go. */
enum pdb_verdict pdb_stop(struct cpu_user_regs *regs, struct pdb_stop *s);
/* Out of a fault or panic in the core. Returns, false, if it was not there. */
bool pdb_escape(const char *why);

/* Who waits for longer sleeps: the host's CPUs are for those who work. */
#define PDB_AWAKE_US 50

/* --- pdb-park.c --- */

enum pdb_phase { GATE_RUNNING, GATE_STEPPING, GATE_STOPPED };

/* Who may run. Changed by the leader; `parked` by each CPU. Atomics. */
extern struct pdb_gate {
    u32 phase;
    cpumask_t parked;
    cpumask_t may_step;  /* STEPPING: who runs */
    cpumask_t told_stay; /* RUNNING: who stays, as the plan says */
    u64 step_deadline;   /* TSC */
} pdb_gate;

/* Waits until this CPU may go on; a stop and its end for everything else. */
void pdb_park(struct cpu_user_regs *regs);
bool pdb_must_stay(unsigned int cpu);
/* Between the two gdb finds this CPU at regs. irqs off. */
void pdb_serves(struct cpu_user_regs *regs);
void pdb_serves_no_more(void);
/* Those of them that sleep there look at pdb_must_stay() again. */
void pdb_wake(cpumask_t cpus);
/* What was interrupted here, for gdb; and back to it. */
void pdb_note_cpu(struct cpu_user_regs *regs);
void pdb_leave_cpu(void);
/* The time that the machine stood still did not happen on this CPU either. */
void pdb_catch_up(void);
/* Some microseconds, without a look at the line or at memory. */
void pdb_rest(void);
/* Sleeps, if not over() (NULL: no), for so many us, a parked CPU until
 * pdb_wake(). time_passes: not skipped, like a stop's. irqs off. */
void pdb_nap(bool (*over)(void), unsigned int us, bool time_passes);

#endif
