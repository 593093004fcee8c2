/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stopping the machine: what pdb-stop.c does for pdb-trap.c.  irqs off.
 * Floor: debug.
 */
#ifndef HV_PDB_STOP_H
#define HV_PDB_STOP_H

#include <hv/types.h>
#include <pdb.h>

struct cpu_user_regs;

/* True: this CPU is the leader now, until it stops the machine or unleads. */
bool pdb_lead(void);
void pdb_unlead(void);
bool pdb_leads(void);
/* Until the leader has let go; stopped, if it stops the machine. */
void pdb_wait_behind_leader(struct cpu_user_regs *regs);
void pdb_park(struct cpu_user_regs *regs);
/* By the leader: stops the machine for *s and lets it go. */
enum pdb_verdict pdb_stop(struct cpu_user_regs *regs, struct pdb_stop *s);
/* Out of a fault in the core. Returns, false, if it was not there. */
bool pdb_escape(const char *why);

#endif
