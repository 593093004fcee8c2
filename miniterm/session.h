/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session: a line, what comes over it, and everything that is done with
 * that, without a screen.  The screen, batch mode and replay drive it.
 *
 * Ways of a byte:
 *   line -> record -> top bit? -> H: gdb port, packet decoder -> gdb pane
 *                               L: tagger -> pane -> lines -> a complete line
 *   complete line -> input owner, palette, annotation, triggers, log
 *   typed -> pace -> record -> line
 */
#ifndef MINITERM_SESSION_H
#define MINITERM_SESSION_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "charmap.h"
#include "conswitch.h"
#include "gdbport.h"
#include "hvkeys.h"
#include "line.h"
#include "outq.h"
#include "palette.h"
#include "pane.h"
#include "record.h"
#include "rsp.h"
#include "rules.h"
#include "settings.h"
#include "symbols.h"
#include "tagger.h"

#define SESSION_MAX_PANES 24
#define SESSION_MAX_FDS (GDBPORT_MAX_FDS + 8)
#define SESSION_FROZEN_MAX 4

/* Told to whoever drives the session; any may be NULL. */
struct session_ops {
    /* Console bytes as they come (channel L, or all of an 8-bit line). */
    void (*output)(void *user, const uint8_t *data, size_t len);
    /* A message for the person. */
    void (*say)(void *user, const char *text);
    void (*bell)(void *user);
    /* A trigger or the person asks for the debugger. */
    void (*want_gdb)(void *user);
};

/*
 * Ways into the debugger, tried in this order.  Each is followed by the
 * question `?`: a stub that nobody has told to run stops without a word.
 */
enum breakin_state { BREAKIN_NONE, BREAKIN_CHAR, BREAKIN_BREAK, BREAKIN_KEY };

/* A program that has the line (session-exec.c); pid 0: none. */
struct session_exec {
    pid_t pid;
    int pid_fd;             /* readable when it has ended */
    int fd, err_fd;
    int far_fd;             /* its end of fd: what it leaves unread is ours */
    int status;             /* of the last one */
    struct queue to;        /* from the line, for the program */
};

/* Bytes per second over the last full second, each way. */
struct rates {
    uint64_t since, rx_at, tx_at;
    unsigned rx, tx;
};

struct session {
    const struct settings *set;
    const struct session_ops *ops;
    void *user;
    struct line line;
    struct logs logs;
    struct charmap imap, omap, emap;
    struct outq out;       /* typed, for the console */
    struct session_exec exec;
    FILE *sending;         /* session_send_file(): what is left of it */
    uint64_t sent_of_file;
    struct queue high_out; /* from gdb, marked, for the debugger */
    struct gdbport *gdb;
    struct tagger tagger;
    uint64_t tagger_fed;
    struct cs_unescape unescape[2]; /* hypervisor's, others' */
    struct rsp_stream rsp_in, rsp_out;
    struct rsp_context rsp_context;
    struct hvkeys keys;
    struct palette palette;
    struct rules *rules;
    struct symbols *symbols;
    struct rawring low;    /* of the console, for frozen copies */
    struct pane *pane[SESSION_MAX_PANES];
    unsigned nr_panes;
    bool dirty;            /* something to show has changed */
    bool panes_changed;    /* one came or went */
    bool lost;             /* the line is gone and stays gone */
    bool replaying;
    uint64_t wall;         /* of what is being fed */
    uint64_t reopen_at, heard, silent_since, tick_at;
    bool silent;
    struct line_errors errors;
    bool has_errors;
    struct rates rates;
    uint64_t freeze_at, trigger_quiet_until;
    const struct trigger_rule *fired;
    enum breakin_state breakin;
    bool breakin_asked;
    uint64_t breakin_at;
    unsigned nr_triggers;
    size_t exec_fds;       /* where session_exec_prepare() put its own */
    size_t nr_own_fds;     /* of session_prepare(): before the gdb port's */
};

/*
 * Opens logs, symbols, rules, gdb port; not the line.  NULL after a message
 * on stderr.
 */
struct session *session_new(const struct settings *set,
                            const struct session_ops *ops, void *user);
void session_free(struct session *s);

/* First attempt to open the line; -1 with s->line.error. */
int session_open(struct session *s);

/* Descriptors to wait for; *wait_us is lowered.  Then the same array. */
size_t session_prepare(struct session *s, struct pollfd *fds,
                       uint64_t *wait_us);
void session_handle(struct session *s, const struct pollfd *fds, size_t nr);

/* Typed at the console; returns the count taken. */
size_t session_type(struct session *s, const void *data, size_t len);
/*
 * Sends a file as if it were typed, at the pace of the settings, its line ends
 * as CR; 0, or -1 after session_say().  One at a time.
 */
int session_send_file(struct session *s, const char *path);
/*
 * Gives the line to a shell command (sz, rx, ...) until it ends; 0, or -1
 * after session_say().  Needs an 8-bit line.
 */
int session_exec(struct session *s, const char *command);
void session_exec_end(struct session *s);
void session_exec_hang_up(struct session *s);
static inline bool session_exec_busy(const struct session *s)
{
    return s->exec.pid != 0;
}
/* Debug keys, wherever the input goes; false when too many wait. */
bool session_press(struct session *s, const char *keys);
void session_switch_input(struct session *s);
void session_break(struct session *s);
/* Stop the target: 0x83, then BREAK, then the key D, until it answers. */
void session_break_in(struct session *s);
/* Let a target go that nobody's gdb holds. */
void session_continue(struct session *s);
void session_reconnect(struct session *s);

/* Says something in the status line and notes it in the record. */
__attribute__((format(printf, 2, 3)))
void session_say(struct session *s, const char *fmt, ...);

/* Panes. */
struct pane *session_pane(struct session *s, enum pane_kind kind, int domain);
void session_drop_pane(struct session *s, struct pane *p);
/* The pane that the input's owner prints to. */
struct pane *session_input_pane(struct session *s);
/* A program in a pane of its own; NULL after session_say(). */
struct pane *session_run(struct session *s, const char *command);

/* Replay: what was received or sent then. */
void session_replay(struct session *s, const struct record *r);

/* --------------------------------- between the session's own files */

void session_low(struct session *s, const uint8_t *data, size_t len);
void session_high(struct session *s, bool to_target, const uint8_t *data,
                  size_t len);
#define SESSION_EXEC_FDS 3
size_t session_exec_prepare(struct session *s, struct pollfd *fds);
void session_exec_handle(struct session *s, const struct pollfd *fds);
void session_line_done(void *user, struct tline *line);
void session_fire(struct session *s, const struct trigger_rule *rule,
                  const char *text);
void session_watch(struct session *s, uint64_t now, uint64_t *wait_us);
void session_stopped(struct session *s, const struct rsp_event *ev);
void session_mark_all(struct session *s, const char *text);
void session_reply(const char *data, size_t len, void *user);
extern const struct lines_ops session_lines_ops;
extern const struct lines_ops session_quiet_ops;

#endif
