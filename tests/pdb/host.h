/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine made of traced processes, for driving real gdb against the core.
 *
 * Inferior 1 (the "hypervisor") and each "domain" are processes running
 * guest.c under ptrace; their threads are CPUs and vCPUs.  So steps, int3s,
 * debug registers and system calls are those of a real processor.
 */
#ifndef HOST_H
#define HOST_H

#include <setjmp.h>
#include <sys/types.h>

#include "pdb.h"

#define MAX_THREADS 32
#define MAX_INFERIORS 8

struct inferior {
    int32_t pid; /* gdb's number, 0: free entry */
    pid_t lwp;   /* the process */
    int mem;     /* /proc/LWP/mem */
    int cpus;
    bool catching;
    struct pdb_hw slot[4];
    bool slot_used[4];
};

struct thread {
    struct pdb_tid id; /* pid 0: free entry */
    pid_t lwp;
    bool running;
    bool held;        /* kept still for another thread's lone step */
    bool pending;     /* it stopped by itself while being frozen: */
    int status;       /* this is what waitpid() said, not yet told */
    unsigned long at; /* an int3 it ran into then, rip being put back to it */
    bool in_syscall;
    enum pdb_do doing;
};

struct machine {
    struct pdb pdb;
    struct inferior inf[MAX_INFERIORS];
    struct thread thread[MAX_THREADS];
    struct pdb_plan plan;
    bool plan_set, want_break;
    const char *guest, *text_file;
    const char *why; /* of the last failure */
    bool list_exec_file;
    jmp_buf rescue; /* out of a fault inside the core, as a hypervisor would */
};

extern const struct pdb_ops machine_ops;

/* host-process.c */
int machine_spawn(struct machine *m, int32_t pid, int cpus);
void machine_destroy(struct machine *m, int32_t pid);
struct inferior *machine_inferior(struct machine *m, int32_t pid);
struct thread *machine_thread(struct machine *m, struct pdb_tid id);
/* Stops every thread; what one had to tell it tells when it is to run. */
void machine_freeze(struct machine *m);
/* Sets threads going as m->plan says. */
void machine_go(struct machine *m);
/* Looks for stopped threads and tells the core. */
void machine_wait(struct machine *m);
int machine_load_debug(struct machine *m, struct inferior *inf);

/* host-commands.c */
extern const struct pdb_command machine_commands[];
extern const struct pdb_table machine_tables[];

#endif /* HOST_H */
