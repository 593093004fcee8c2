/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the splitter.  The parts, by file:
 *
 *   splitter.c  the object, its poll set, its timers
 *   line.c      the source: opening, losing, reopening it; both directions
 *   client.c    accepting, reading, writing, slow and refused clients
 *   control.c   the commands of the control port
 *   http.c      debuginfod's requests, which come there too
 *
 * Memory is bounded: CLIENTS_MAX clients with OUT_MAX each, fixed queues for
 * the rest.  A client that does not read holds the line back for SLOW_MS,
 * then it loses bytes, which are counted, and nobody waits for it any more.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <netinet/in.h>

#include "bytes.h"
#include "history.h"
#include "log.h"
#include "rsp.h"
#include "source.h"
#include "splitter.h"
#include "symbols.h"
#include "telnet.h"

#define CLIENTS_MAX 24u
#define LISTENERS_MAX 8u
#define READ_MAX 32768u        /* bytes taken from a descriptor at once */
#define OUT_HIGH (96u * 1024u) /* a client with more holds the line back */
#define OUT_MAX (192u * 1024u) /* beyond it bytes are lost */
#define KERNEL_OUT 262144      /* a client's send buffer in the kernel */
#define IN_MAX 16384u          /* typed, not sent yet */
#define TURN 256u              /* bytes before the other channel's turn */
#define LINE_OUT_MAX 16384u
#define SLOW_MS 200u
#define SLOW_PROGRESS 32768u /* bytes a client must take in SLOW_MS */
#define RETRY_MS 500u        /* between attempts to open the line */
#define BREAK_MS 300u
#define REFUSE_MS 3000u /* a refused gdb's time to ask */
#define COMMAND_MAX 256u

struct client {
    int fd;
    enum splitter_port port;
    unsigned int id;
    char peer[80];
    bool writer;  /* console: its typing counts */
    bool refused; /* gdb: another one is attached */
    bool closing; /* ends when `out` is written */
    bool dead;
    bool slow;         /* nobody waits for it */
    bool telnet_on;    /* console: telnet is understood */
    bool known;        /* control: has sent a command that exists */
    bool http;         /* control: a request came, no commands follow */
    bool http_done;    /* ... and was answered */
    bool http_code;    /* ... wants the code of a build, else its debug info */
    bool input_ended;  /* it sends no more, but still takes a file */
    struct build_id http_id;
    int file; /* what it gets, or -1 */
    uint64_t file_left;
    uint64_t since;    /* wall clock, ms */
    uint64_t full_ms;  /* since when it holds the line back; 0: it does not */
    uint64_t full_tx;  /* its tx then */
    uint64_t close_ms; /* deadline when closing or refused; 0: none */
    uint64_t rx, tx, lost, lost_now;
    struct telnet telnet;
    struct bytes out;
    struct bytes in; /* gdb: not parsed yet; control: the line so far */
};

struct listener {
    int fd;
    enum splitter_port port;
};

/*
 * Invariants: `up` implies that the source, if we have one, is open; line_out
 * is empty while the line is down; clients[0..nr_clients) are in order
 * of arrival; at most one console client is the writer.
 */
struct splitter {
    struct splitter_config cfg;
    char *source_text, *listen_text, *log_text, *symbols_text;
    int port_number[SPLITTER_NR_PORTS];
    struct listener listeners[LISTENERS_MAX];
    unsigned int nr_listeners;
    struct client *clients[CLIENTS_MAX];
    unsigned int nr_clients, next_id;

    struct source_spec spec;
    struct source src;
    bool have_source; /* we open it; else the program feeds us */
    bool up;
    bool released; /* by command: another program may have it */
    bool said_down;
    uint64_t retry_ms;
    uint64_t break_ms; /* a BREAK is on until then; 0: none */
    uint64_t drain_ms; /* the UART has enough until then; 0: write on */
    struct telnet line_telnet;
    struct bytes line_out; /* as it goes out, telnet included */
    struct bytes typed;    /* for the console, escaped */
    struct bytes gdb_raw;  /* transparent gdb port */
    bool console_turn;
    bool end;

    struct rsp rsp;
    struct history history;
    struct logfile log;
    struct symbols symbols;
    uint64_t line_rx, line_tx, console_rx, console_tx, gdb_rx, gdb_tx;
    uint64_t noise, lost, reconnects;
    uint64_t now, wall; /* ms, read once a turn of the loop */
    uint8_t in[READ_MAX], plain[READ_MAX + 1];
    uint8_t low[READ_MAX + 1], high[READ_MAX + 1];
    uint8_t escaped[2 * READ_MAX];
};

/* ------------------------------------------------------------ splitter.c */

/* A message for the person and for the log; without a line end. */
void splitter_event(struct splitter *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* With config.debug: `who` and the data, made printable. */
void splitter_debug(struct splitter *s, const char *who, const uint8_t *data,
                    size_t len);

/* ---------------------------------------------------------------- line.c */

/*
 * Reads config.source and makes the first attempt to open it.  -1, with a
 * message, only when the specification is malformed: what cannot be opened
 * now is tried again later.
 */
int line_create(struct splitter *s, char *err, size_t size);
void line_destroy(struct splitter *s);

/* Close the line and leave it closed, or take it back. */
void line_release(struct splitter *s, bool release);
void line_reopen(struct splitter *s);

/* What to poll the line for; 0: not now. */
short line_events(const struct splitter *s);
void line_handle(struct splitter *s, short revents);

/* Bytes from the line, at most READ_MAX, telnet removed: to the clients. */
void line_receive(struct splitter *s, const uint8_t *data, size_t len);

/* From the clients' queues to the line, as far as both go. */
void line_pump(struct splitter *s);

/* When line_tick() is due: reopening, end of a BREAK, a UART that drains. */
uint64_t line_deadline(const struct splitter *s);
void line_tick(struct splitter *s);

/* A BREAK by whatever means this line has; 0x83 when it has none. */
void line_send_break(struct splitter *s);

/* Bytes of the raw port: to the line as they are. */
void line_raw(struct splitter *s, const uint8_t *data, size_t len);

/* Typed bytes to the console's queue; returns how many were taken. */
size_t line_type(struct splitter *s, const uint8_t *data, size_t len);

/* The line has no channels now: -8, or the raw port is in use. */
bool line_eight_bit(const struct splitter *s);

/* -------------------------------------------------------------- client.c */

/*
 * A connected descriptor becomes a client of a port.  Takes the descriptor:
 * on failure (too many, no memory) it is closed and NULL returned.
 */
struct client *client_add(struct splitter *s, int fd, enum splitter_port port);
void client_accept(struct splitter *s, const struct listener *l);

/* What to poll a client for.  Reading stops while its input has no room. */
short client_events(const struct splitter *s, const struct client *c);
void client_handle(struct splitter *s, struct client *c, short revents);

/* Queue output.  A slow client, or one whose queue is full, loses it. */
void client_send(struct splitter *s, struct client *c, const uint8_t *data,
                 size_t len);
void client_text(struct splitter *s, struct client *c, const char *text);

/* The same to all consoles. */
void clients_console(struct splitter *s, const uint8_t *data, size_t len);

/*
 * The client leaves, once its queue is written or REFUSE_MS have passed.  The
 * object stays valid until clients_sweep() at the end of the loop's turn.
 */
void client_close(struct splitter *s, struct client *c, const char *why);
void clients_sweep(struct splitter *s);

/* Write what the sockets take, and see who falls behind or catches up. */
void clients_flush(struct splitter *s);

/* Is the line to wait for a client that still gets the benefit of doubt? */
bool clients_hold(const struct splitter *s);
uint64_t clients_deadline(const struct splitter *s);
void clients_tick(struct splitter *s);

/* The oldest client in service on a port, or NULL. */
struct client *client_find(const struct splitter *s, enum splitter_port port);
struct client *client_by_id(const struct splitter *s, unsigned int id);

/* The keyboard goes to this console client. */
void client_make_writer(struct splitter *s, struct client *c);

/* Pass on what gdb sent while an earlier command was unacknowledged. */
void client_gdb_input(struct splitter *s);

/* ------------------------------------------------------------- control.c */

/* Runs the whole lines in c->in. */
void control_input(struct splitter *s, struct client *c);

/* ---------------------------------------------------------------- http.c */

/* Takes the first line if it is a request; false when it is none. */
bool http_request(struct client *c, const char *line);

/* The rest of a request, in c->in, which is answered at its end. */
void http_input(struct splitter *s, struct client *c);

/* More of the file, as far as the client has taken what it got. */
void http_continue(struct splitter *s, struct client *c);

#endif /* ENGINE_H */
