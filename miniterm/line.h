/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The line: the far end that miniterm talks to, whatever carries it.
 *
 *   /path        a tty (or any file that reads and writes)
 *   host:port    TCP, raw or telnet; [v6]:port
 *   unix:PATH    a Unix socket
 *   pty          a new pseudo terminal, its name in `where`;
 *                pty:LINK makes the symlink LINK to it
 *
 * All descriptors are non-blocking.  A tty is locked by flock(), which the
 * kernel drops with the process, so no death leaves a lock behind.
 */
#ifndef MINITERM_LINE_H
#define MINITERM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings.h"

enum line_kind { LINE_TTY, LINE_TCP, LINE_UNIX, LINE_PTY };
enum line_state { LINE_DOWN, LINE_CONNECTING, LINE_UP };

/* Errors that a UART's driver counted since the line was opened. */
struct line_errors {
    unsigned frame, overrun, parity, brk;
};

struct line {
    enum line_kind kind;
    enum line_state state;
    int fd;             /* -1 while LINE_DOWN */
    char *name;         /* as given */
    char *host, *path;  /* parts of it; path also holds the port */
    char where[128];    /* for people: "/dev/ttyS0 115200 8n1" */
    char error[200];    /* why the last call failed */
    const struct settings *set;
    int slave_fd;       /* LINE_PTY: keeps the other side open */
    void *saved_modes;  /* LINE_TTY: put back by line_close() */
    struct line_errors base;
    struct telnet *telnet;
    uint64_t rx, tx;    /* payload bytes */
};

/* Takes the target's name apart; 0, or -1 with line->error. */
int line_init(struct line *line, const struct settings *set);
void line_free(struct line *line);

/* Opens or starts to connect; 0, or -1 with line->error.  From LINE_DOWN. */
int line_open(struct line *line);
void line_close(struct line *line);

/*
 * LINE_CONNECTING: call when fd is writable; moves to LINE_UP, or closes and
 * returns -1 with line->error.
 */
int line_connected(struct line *line);

/* Bytes read, 0 when none are there, -1 when it is gone (line->error). */
ssize_t line_read(struct line *line, void *buf, size_t size);

/* Bytes accepted, maybe 0; -1 when it is gone. */
ssize_t line_write(struct line *line, const void *buf, size_t len);

/* Bytes that the line itself still has to send (telnet); poll for POLLOUT. */
bool line_wants_out(const struct line *line);
int line_flush(struct line *line);

/* A BREAK of 0.25 s or its telnet form; -1 with line->error if it has none. */
int line_break(struct line *line);

/* False when the driver keeps no counts. */
bool line_get_errors(struct line *line, struct line_errors *out);

/* Prints the serial ports of this machine with their stable names. */
int line_list(void);

/* ----------------------------- parts, for line.c and its halves only */

int line_fail(struct line *line, const char *what, int err);
int tty_open(struct line *line);
int tty_restore(struct line *line);
bool tty_counts(int fd, struct line_errors *out);
/* Raw mode and speed of an open terminal; message parts as line_fail(). */
int tty_set(struct line *line, int fd);
int pty_open(struct line *line);
int net_connect(struct line *line);

struct telnet *telnet_start(struct line *line);
void telnet_stop(struct telnet *t);
ssize_t telnet_read(struct telnet *t, void *buf, size_t size);
ssize_t telnet_write(struct telnet *t, const void *buf, size_t len);
bool telnet_pending(const struct telnet *t);
int telnet_flush(struct telnet *t);
int telnet_break(struct telnet *t);

#endif
