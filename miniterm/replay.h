/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a file of --record and feeds a session at the pace of then. */
#ifndef MINITERM_REPLAY_H
#define MINITERM_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct replay;
struct session;

/* NULL after a message on stderr. @speed 0: all at once. */
struct replay *replay_open(const char *path, double speed);
void replay_close(struct replay *r);

/*
 * Feeds what is due; *wait_us is lowered to when the next is.  False at the
 * end of the file.
 */
bool replay_step(struct replay *r, struct session *s, bool paused,
                 uint64_t *wait_us);

#endif
