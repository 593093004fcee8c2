/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user's own terminal: made raw, and put back on every way out.
 *
 * The ways out and who restores:
 *   return from main, exit()          an atexit handler
 *   SIGINT, SIGTERM, SIGHUP, SIGQUIT  a signal handler, which then dies by it
 *   SIGSEGV, SIGABRT and the like     the same handler
 *   SIGTSTP (of others)               restored while the program is stopped
 *   SIGKILL                           the guardian, a child that sleeps on a
 *                                     pipe until this process is gone
 * The guardian restores only if the terminal is still as we left it, so it
 * never undoes what a shell has set up meanwhile.
 */
#ifndef MINITERM_USERTERM_H
#define MINITERM_USERTERM_H

#include <stdbool.h>

/*
 * Remembers the terminal on @fd, arms every handler and starts the guardian.
 * Call before any other descriptor is open that a child must not hold.
 * @reset: bytes that leave a full-screen display, or NULL; copied.
 * 0; -1 when @fd is no terminal (then nothing needs restoring).
 */
int userterm_arm(int fd, const char *reset);

/* Raw, 8 bits, no echo; 0 or -1 with errno.  Needs userterm_arm(). */
int userterm_raw(void);

/*
 * A display library has set its own modes: those are ours from now on, and
 * leaving has to write @reset of userterm_arm() too.
 */
void userterm_adopt_fullscreen(void);

/*
 * Standard output for writing without being held up: a terminal that is
 * stopped (CTRL-s, a pager) must not stop the way from the keys to the line.
 * A description of our own, as stdout's flags belong to the shell as well;
 * stdout itself when it is no terminal.
 */
int userterm_output(void);

/* Puts the terminal back; harmless when repeated.  Async-signal-safe. */
void userterm_restore(void);

#endif
