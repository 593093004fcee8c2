/* SPDX-License-Identifier: GPL-2.0-only */
/* The modes without a screen; each returns the program's exit status. */
#ifndef MINITERM_PLAIN_H
#define MINITERM_PLAIN_H

struct settings;

/* Pass-through between the user's terminal (or pipe) and the line. */
int plain_run(const struct settings *set);

/* --expect, --send and the like, in their order. */
int batch_run(const struct settings *set);

#endif
