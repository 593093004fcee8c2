/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a line: what the console printed, with times, whether somebody
 * looks on or not.  One record a line of text:
 *
 *   2026-01-31T12:00:00.123Z L text      a line of the console
 *   2026-01-31T12:00:00.123Z l text      a piece of one: the line goes on
 *   2026-01-31T12:00:00.123Z ! text      an event: line lost, gdb attached
 *
 * Control characters other than TAB, and the backslash, are written \xHH.
 * A raw log holds the console's bytes alone.
 *
 * Records reach the file whole: they are written at line ends only, by a
 * process that outlives a kill of the program.  A line that is cut all the
 * same, by the end of the machine, is removed at the next start.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../logwriter.h"
#include "bytes.h"

#define LOG_LINE_MAX 1024u
#define LOG_IDLE_MS 1000u /* a line without end is written after that */

struct logfile {
    int fd; /* -1: no log */
    struct logwriter writer;
    char *path;
    bool raw;
    uint64_t max, size; /* bytes; max 0: no rotation */
    unsigned int keep;
    bool failed;   /* the last write failed, and that was said */
    uint64_t lost; /* lines, of a raw log bytes, for which was no room */
    struct bytes out;
    size_t len;                   /* of the line under way */
    uint64_t line_ms, touched_ms; /* wall clock of its start; monotonic */
    uint8_t line[LOG_LINE_MAX];
};

/* 0 or -1 with a message. */
int log_open(struct logfile *l, const char *path, char *err, size_t size);

/* wall: milliseconds since 1970; now: monotonic milliseconds. */
void log_console(struct logfile *l, const uint8_t *data, size_t len,
                 uint64_t wall, uint64_t now);
void log_event(struct logfile *l, const char *text, uint64_t wall);

/* Writes what is due.  0, or the errno of a failed write. */
int log_flush(struct logfile *l, uint64_t now);

/* When log_flush() is due; UINT64_MAX: nothing waits. */
uint64_t log_deadline(const struct logfile *l);

/* Move the file aside and begin a new one; 0 or an errno. */
int log_rotate(struct logfile *l);
void log_close(struct logfile *l);

#endif /* LOG_H */
