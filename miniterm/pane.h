/* SPDX-License-Identifier: GPL-2.0-only */
/* A pane: one stream of output, how it is kept and how it is looked at. */
#ifndef MINITERM_PANE_H
#define MINITERM_PANE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "emul.h"
#include "lines.h"

#define RAW_KEEP 65536u /* last bytes, for the hex view and frozen copies */

/* The last RAW_KEEP bytes of a stream; total counts all of them. */
struct rawring {
    uint8_t data[RAW_KEEP];
    uint64_t total;
};

void rawring_put(struct rawring *r, const uint8_t *data, size_t len);
static inline uint8_t rawring_at(const struct rawring *r, uint64_t offset)
{
    return r->data[offset % RAW_KEEP];
}
static inline uint64_t rawring_first(const struct rawring *r)
{
    return r->total < RAW_KEEP ? 0 : r->total - RAW_KEEP;
}

enum pane_kind { PANE_HV, PANE_DOMAIN, PANE_GDB, PANE_FROZEN, PANE_PROC };

struct session;

struct pane {
    enum pane_kind kind;
    int domain;          /* PANE_DOMAIN */
    char title[40];
    struct session *session;
    struct lines *lines;
    struct emul *emul;   /* NULL: shown as lines */
    bool emul_by_hand;
    struct rawring *raw;
    int proc_fd;         /* PANE_PROC: the child's pty, else -1 */
    pid_t proc_pid;
    /* How it is looked at; the screen's business. */
    bool follow;         /* shows the newest lines */
    uint64_t bottom;     /* else: number of the line below the last shown */
    uint64_t hex_bottom;
    bool hex, unread;
    int rows, cols;      /* size of its window, 0 when it has none */
    uint64_t match_line; /* search: line number of the match shown */
    bool has_match;
};

struct pane *pane_new(struct session *s, enum pane_kind kind, int domain,
                      unsigned scrollback, const struct lines_ops *ops);
void pane_free(struct pane *p);

/* Output of the pane's owner. @reply answers the terminal's queries. */
void pane_feed(struct pane *p, const uint8_t *data, size_t len,
               uint64_t wall, emul_reply_fn *reply);

/* Called by the lines' alt_screen hook. */
void pane_alt_screen(struct pane *p, bool on);

/* Full terminal on or off by hand. */
void pane_toggle_emul(struct pane *p, emul_reply_fn *reply);

/* Writes the kept lines with times to a file; lines written or -1 (errno). */
long pane_save(struct pane *p, const char *path);

#endif
