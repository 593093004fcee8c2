/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of fuzz-monitor share: machine.c is what the commands ask,
 * model.c what they should answer, lines.c what is typed.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pdb.h"

/* --- machine.c: compiled with the hypervisor's headers --- */
extern struct pdb *const machine_core; /* in the hypervisor's own struct */
extern struct pdb_ops machine_ops;     /* commands: to be filled in */

#define MACHINE_FRAMES 8u
#define MACHINE_BASE 0x1000u /* where machine address 0 is mapped */

/* Moods, chosen by the fuzzer. */
extern bool machine_non_stop;
enum { HOOKS_GOOD, HOOKS_NO_EVENT, HOOKS_NO_SHUTDOWN };
extern int machine_hooks;

/* What was done to it. */
extern unsigned int machine_hook_users, machine_pressed, machine_reboots;
extern unsigned char machine_key;
/* A domain or key that there is. */
bool machine_holds(uint64_t domid);
bool machine_has_key(unsigned char key);
unsigned int machine_says(unsigned char key); /* lines */

extern const struct pdb_command pdb_commands[]; /* xen/debug */

/* --- model.c --- */
enum answer {
    SAYS,    /* exactly .text */
    BEGINS,  /* with .text */
    REFUSES, /* one line behind .text, which is "COMMAND: " */
};

struct expected {
    enum answer answer;
    bool mine;             /* one of xen/debug's runs */
    unsigned char pressed; /* that key, or 0 */
    bool reboots;
    char text[16384];
};

/* From what `break-on` says at first: its events and their fields. */
void model_learn(const char *listing);
/* The line as it was typed but for control characters. */
void model_answer(const char *line, struct expected *e);

/* --- lines.c --- */
#define MAX_LINE 8000u
uint32_t rnd(uint32_t below);
void rnd_seed(uint64_t seed);
/* Returns the length; any byte may be in it. */
uint32_t make_line(char *line);
uint32_t make_long_event(char *line); /* break-on with all that fits it */

void die(const char *what) __attribute__((noreturn));

#endif
