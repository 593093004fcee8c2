/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The person's terminal: raw while the console is on it, as it was before on
 * every way out: exit, signal, crash, and while the program is stopped.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

/* Makes standard input raw if it is a terminal; else does nothing. */
void terminal_raw(void);
void terminal_restore(void); /* any time, any number of times */
bool terminal_is_raw(void);

#endif /* TERMINAL_H */
