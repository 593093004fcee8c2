/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at the machine: debug keys, NMIs, the watchdog. Floor: debug; used
 * by boot alone.
 */
#ifndef HV_DEBUG_H
#define HV_DEBUG_H

#include <hv/types.h>

struct cpu_user_regs;

void dump_keys_register(void);
/* For debug_keys_register_defer(); notes the registers for key `d`. */
bool keys_run_soon(void);
void perf_keys_register(void);
void machine_keys_register(void);

/* --- nmi.c --- */
void nmi_init(void); /* boot, after softirq_init(): takes the NMI hook */
/* Another CPU prints its registers; false: it did not within a second. */
bool nmi_dump_cpu(unsigned int cpu);
/* An NMI that the debugger sent for: true if it was (rendezvous). */
void nmi_register_debugger(bool (*fn)(struct cpu_user_regs *regs),
                           bool (*unexplained)(struct cpu_user_regs *regs));
void nmi_dump(void); /* debug key 'n' */

/* --- watchdog.c --- */
void watchdog_init(void); /* boot, when all CPUs are online; irqs on */
/* Called for every NMI: was it the pulse? Does not return if this CPU is
 * stuck. */
bool watchdog_nmi(const struct cpu_user_regs *regs);

/* --- pdb-target.c --- */
void pdb_open(void);    /* boot, interrupts and clock work: pdb= */
void pdb_wait(void);    /* boot, all CPUs run, domain 0 is next: pdb=...,wait */
/* panic() by what the debugger runs: gdb hears of it, no return. */
void pdb_panicked(const char *message);
bool pdb_crashed(void); /* the crash hook: true if gdb was offered a look */

/* --- pdb-thread.c --- */
/* Where the debugger, which runs on this CPU, has stopped that one, or this;
 * NULL: it has not. A CPU that is stopped answers nobody. */
const struct cpu_user_regs *pdb_stopped_regs(unsigned int cpu);
/* It has stopped v, whose registers now are in v->regs if any CPU had them. */
bool pdb_stopped_vcpu(struct vcpu *v);

#endif
