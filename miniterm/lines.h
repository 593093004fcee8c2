/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Console output as a list of lines: what arrives is run through a terminal
 * of one row (libvterm's state layer), whose scrolling is our "line done".
 * So carriage return, backspace, tabs, colours and escape sequences mean what
 * they mean, while every line, however wide, stays one line with its time.
 *
 * While a full-screen program has the alternate screen, nothing is kept.
 * Lines are numbered from 0 for ever; those in [first, next) are kept.
 */
#ifndef MINITERM_LINES_H
#define MINITERM_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vterm.h>

#define LINES_COLUMNS 4096 /* a longer line is cut into several */

/* Attributes: foreground and background 0 default, else 1 + colour 0..15. */
#define ATTR_FG(a) ((a) & 0x1fu)
#define ATTR_BG(a) ((a) >> 5 & 0x1fu)
#define ATTR_BOLD 0x400u
#define ATTR_UNDERLINE 0x800u
#define ATTR_REVERSE 0x1000u

/* @attr changed as a sequence of the target asks, in libvterm's terms. */
uint16_t lines_pen(uint16_t attr, VTermAttr what, const VTermValue *val);

/* From byte @start on, text has attributes @attr. */
struct attr_run {
    uint16_t start, attr;
};

struct tline {
    uint64_t wall;         /* arrival of its first byte */
    unsigned len, nr_runs; /* bytes of text; runs */
    char *note;            /* annotation or NULL; belongs to the line */
    struct attr_run *runs;
    bool mark;             /* ours (a remark), not the target's */
    char text[];           /* UTF-8, NUL-terminated */
};

struct lines_ops {
    /* A line is complete. @line stays valid while it is kept. */
    void (*done)(void *user, struct tline *line);
    /* A full-screen program asks for (or leaves) the alternate screen. */
    void (*alt_screen)(void *user, bool on);
    void (*bell)(void *user);
};

struct lines;

struct lines *lines_new(unsigned max, const struct lines_ops *ops,
                        void *user);
void lines_free(struct lines *l);

/* Output of the target, any bytes. */
void lines_feed(struct lines *l, const void *data, size_t len, uint64_t wall);

/* A remark of ours as a line of its own. */
void lines_mark(struct lines *l, const char *text, uint64_t wall);

/* Ends the unfinished line if there is one. */
void lines_end(struct lines *l);
void lines_clear(struct lines *l);

uint64_t lines_first(const struct lines *l);
uint64_t lines_next(const struct lines *l);
/* A kept line; NULL outside [first, next). */
struct tline *lines_get(const struct lines *l, uint64_t number);
/* The unfinished line, valid until the next call; NULL when it is empty. */
const struct tline *lines_current(struct lines *l);
/* A full-screen program has the terminal. */
bool lines_away(const struct lines *l);
/* Column of the cursor in the unfinished line. */
unsigned lines_cursor(const struct lines *l);

#endif
