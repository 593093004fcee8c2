/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What miniterm writes to files, and the format of --record:
 *
 *   TIME SP KIND SP TEXT LF
 *   2026-01-31T12:00:00.000000Z L< (XEN) Xen call trace:\r\n
 *
 * TIME is UTC; KIND says channel and direction: L console, H debugger, < from
 * the target, > to it, -- a remark.  TEXT holds bytes as escape.h has them.
 * Records are collected and go to a process of their own that writes them
 * (logwriter.h), so a program that is killed leaves whole lines.
 */
#ifndef MINITERM_RECORD_H
#define MINITERM_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logwriter.h"

#define RECORD_MAX 1024 /* payload bytes of one record */

enum record_kind { REC_LOW_IN, REC_LOW_OUT, REC_HIGH_IN, REC_HIGH_OUT,
                   REC_NOTE, REC_NR };

struct record {
    enum record_kind kind;
    uint64_t wall; /* microseconds since 1970 */
    size_t len;
    uint8_t data[RECORD_MAX];
};

/* Takes a line without its LF apart; false when it is no record. */
bool record_parse(struct record *r, const char *line, size_t len);

/* Whole lines on their way to a file. */
struct log_out {
    size_t len;
    char data[LOGWRITER_MAX];
};

/* Output files of one session; closed ones have fd -1. */
struct logs {
    int record_fd, text_fd, raw_fd;
    struct logwriter writer;
    struct log_out record, text;
    int error; /* of a write that failed: disk full or the like; 0 */
    bool said; /* logs_trouble() gave it */
};

struct settings;

/*
 * Opens what the settings ask for; 0 or -1 after a message on stderr.
 * "~/" and strftime's % in names are expanded.
 */
int logs_open(struct logs *l, const struct settings *set);
void logs_close(struct logs *l);

/* Lines that were collected reach the files; to be called before a pause. */
void logs_flush(struct logs *l);

/* Once after a write failed: why, for the message; else NULL. */
const char *logs_trouble(struct logs *l);
#define LOGS_INCOMPLETE "a log has not all lines: %s"

/* Writes records; data of any length, cut at line ends and RECORD_MAX. */
void logs_record(struct logs *l, enum record_kind kind, const void *data,
                 size_t len);
void logs_note(struct logs *l, const char *text);

/* A line of clean text of pane @tag (may be empty) without its LF. */
void logs_text(struct logs *l, uint64_t wall, const char *tag,
               const char *text, size_t len);
void logs_raw(struct logs *l, const void *data, size_t len);

#endif
