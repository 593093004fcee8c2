/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places in the hypervisor that the debugger listens at.  Until somebody does,
 * they cost nothing: the code there is what it would be without them.  A place
 * that is in use holds an int3 while the machine runs, and its instruction is
 * run from a copy.  Floor: debug.
 */
#ifndef HV_PDB_HOOK_H
#define HV_PDB_HOOK_H

#include <hv/types.h>

struct cpu_user_regs;
struct pdb_stop;

enum pdb_hook {
    PDB_HOOK_HYPERCALL,
    PDB_HOOK_HYPERCALL_RETURN,
    PDB_HOOK_SYSCALL, /* of guests' processes: entry.S, guest_regs half full */
    PDB_HOOK_SYSRET,
    PDB_HOOK_EXCEPTION,
    PDB_HOOK_EVENT_2L,
    PDB_HOOK_EVENT_FIFO,
    PDB_HOOK_GRANT,
    PDB_HOOK_PAGE_TYPE,
    PDB_HOOK_START,
    PDB_HOOK_CRASH,
    PDB_HOOK_SHUTDOWN,
    PDB_HOOK_SCHEDULE,
    PDB_HOOK_PT_WRITE, /* for pdb_guard_hook(); no stop */
    PDB_HOOK_PT_CMPXCHG,
    NR_PDB_HOOKS
};

/* entry.S: the first four hooks, and where the last two of them can be sent to
 * instead (guest_regs complete there, then C, then back to the guest). */
extern const unsigned long pdb_entry_places[6];
#define PDB_PLACE_SYSCALL 4
#define PDB_PLACE_SYSRET 5

/* What an int3 in the hypervisor turned out to be. */
enum pdb_hook_hit {
    PDB_HOOK_NONE, /* no hook's */
    PDB_HOOK_PASS, /* nobody cares: regs go on behind it */
    PDB_HOOK_STOP, /* *s says what; rip is at the place again */
};

/* The machine is stopped: one more, or one less, wants to hear of it. False:
 * the compiler put an instruction there that cannot be moved. */
bool pdb_hook_use(enum pdb_hook h, bool on);
/* The int3s of all hooks in use come, or go. By the leader. */
void pdb_hooks_plant(void);
void pdb_hooks_lift(void);
/* #BP in the hypervisor, on this CPU, irqs off; no lock is taken. */
enum pdb_hook_hit pdb_hook_trap(struct cpu_user_regs *regs,
                                struct pdb_stop *s);
/* After PDB_HOOK_STOP: it was not told; the place is not passed, but seen as
 * if for the first time. */
void pdb_hook_again(void);
/* The same for a CPU that must not stop: go on. */
bool pdb_hook_pass(struct cpu_user_regs *regs);
/* A step ended behind the copy of an instruction: show it behind its place. */
void pdb_hook_mend(struct cpu_user_regs *regs);

/* --- pdb-event.c: is a stop wanted for what h tells of? --- */
bool pdb_event_hit(enum pdb_hook h, const struct cpu_user_regs *regs,
                   struct pdb_stop *s);
/* What pdb_event_hit() found on this CPU is told now: it counts. False: it is
 * not wanted any more. */
bool pdb_event_told(void);
void pdb_events_clear(void);

/* --- pdb-guard.c: true if this place is for nothing else --- */
bool pdb_guard_hook(enum pdb_hook h, struct cpu_user_regs *regs);

/* --- pdb-syscall.c --- */
bool pdb_syscall_hit(enum pdb_hook h, struct cpu_user_regs *regs,
                     struct pdb_stop *s, bool *redirected);
int pdb_catch_syscalls(void *ctx, s32 pid, bool on);

#endif
