/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that writes a program's log lines.
 *
 * SIGKILL stops a write() of the program that it hits wherever the data cross
 * a page, and then a file ends in half a line.  So the write() is made by a
 * process of its own, in a session of its own, that takes whole pieces over a
 * socket: what it has got it writes to the end, whatever becomes of the
 * program, and it leaves when the socket is closed.
 *
 * The files stay the program's: each piece comes with its descriptor, so
 * rotation, truncation and several logs need nothing here.
 */
#ifndef LOGWRITER_H
#define LOGWRITER_H

#include <stdbool.h>
#include <stddef.h>

#define LOGWRITER_MAX 65536u /* bytes of one piece */

struct logwriter {
    int fd; /* to the process; -1: none, the program writes by itself */
};

/* Without a process to be had, the program writes by itself. */
void logwriter_start(struct logwriter *w);

/*
 * Appends a piece of whole lines to @fd, a file opened for appending, and
 * waits until it is there; 0, or the errno of a write that failed.  @done has
 * the bytes that are in the file: after a failure the whole lines for which
 * there was room.  A longer piece than LOGWRITER_MAX is written without the
 * process.
 */
int logwriter_put(struct logwriter *w, int fd, const void *data, size_t len,
                  size_t *done);

/*
 * True when a regular file ends within a line, and still does after 200 ms:
 * the writer of a program that was killed just now may be at work on it.
 */
bool logwriter_is_cut(int fd);

void logwriter_stop(struct logwriter *w);

#endif /* LOGWRITER_H */
