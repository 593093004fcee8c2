/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reaching a console of conserver(8).  Its servers speak lines: "ok", then
 * `login USER` and `call CONSOLE`.  The master's port answers a call with the
 * number of another port; there the same dialogue ends in the console.  From
 * then on it is bytes, with ff doubled both ways, and ^Ec begins conserver's
 * own commands.  (Learnt by talking to Debian's 8.2.7.)
 */
#ifndef CONSERVER_H
#define CONSERVER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Logs in and asks for the console on a connected, non-blocking descriptor.
 * Returns the port to go on at, 0 when the console itself answers from now on
 * (what it says first is still unread), -1 with a message for the user.
 */
int conserver_call(int fd, const char *console, char *err, size_t size);

/* What sends a BREAK there. */
#define CONSERVER_BREAK "\005cl0"

#endif /* CONSERVER_H */
