/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine in an array, for unit tests and fuzzing of pdb's core: inferior 1
 * with two threads, inferior 2 with one and a second address space, each with
 * its own memory.  Inferior n's memory starts at virtual address FAKE_BASE and
 * at machine address n << 20.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdio.h>

#include "pdb.h"

#define FAKE_BASE 0x10000ull
#define FAKE_SIZE 0x4000u
#define FAKE_INFERIORS 3
#define FAKE_THREADS 2
#define FAKE_CR3(pid) ((uint64_t)(pid) << 12)

struct fake {
    struct pdb pdb;
    uint8_t mem[FAKE_INFERIORS + 1][FAKE_SIZE]; /* by pid; 0 unused */
    bool exists[FAKE_INFERIORS + 1];
    bool down[FAKE_INFERIORS + 1][FAKE_THREADS + 1];
    struct pdb_regs regs[FAKE_INFERIORS + 1][FAKE_THREADS + 1];
    uint8_t fpu[PDB_FPU_SIZE];
    struct pdb_hw hw[4];
    bool hw_used[4];
    struct pdb_plan plan;     /* of the last resume() */
    unsigned int nr_resumes, nr_interrupts, nr_reboots, nr_attaches;
    unsigned int nr_detaches, nr_commands;
    bool catching, refuse_attach, read_only, no_fpu;
    uint64_t fixed; /* registers that cannot be set, as pdb_regs.known */
    int fail; /* if not 0: what memory operations return */
    const char *why;
    char printed[512];
    uint32_t nr_printed;
    char out[65536]; /* what the core sent */
    uint32_t nr_out;
};

extern const struct pdb_ops fake_ops;

void fake_init(struct fake *f, unsigned int flags);

/* Takes all that the core wants to send; returns it, terminated. */
const char *fake_pull(struct fake *f);
void fake_push(struct fake *f, const char *bytes, uint32_t len);

/* "$body#sum" to the core. */
void fake_packet(struct fake *f, const char *body);
void fake_packet_len(struct fake *f, const char *body, uint32_t len);

/*
 * Sends a packet, takes the reply, acknowledges it, and returns the reply's
 * body with runs expanded; "(none)" if there is no reply.
 */
const char *fake_ask(struct fake *f, const char *body);
/* Types `monitor LINE`, and takes one packet of output and the OK. */
void fake_monitor(struct fake *f, const char *line);

/* The first frame in the text, checked and expanded; *rest behind it. */
const char *fake_body(const char *text, const char **rest);

/* Stops the machine and attaches a gdb that speaks all extensions. */
void fake_attach(struct fake *f);

/* pdb_event() with thread pPID.TID. */
enum pdb_verdict fake_stop(struct fake *f, enum pdb_why why, int pid, int tid);

/* Does what the processor does at an int3: if there is one at rip. */
enum pdb_verdict fake_int3(struct fake *f, int pid, int tid, uint64_t rip);

#endif /* FAKE_H */
