/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the splitter.  The parts, by file:
 *
 *   splitter.c  the object, its poll set, its timers
 *   line.c      the source: opening, losing, reopening it; both directions
 *   client.c    accepting, reading, writing, slow and refused clients
 *   control.c   the commands of the control port
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
#define READ_MAX 32768u      /* bytes taken from a descriptor at once */
#define OUT_HIGH (96u * 1024u) /* a client with more holds the line back */
#define OUT_MAX (192u * 1024u) /* beyond it bytes are lost */
#define KERNEL_OUT 262144    /* a client's send buffer in the kernel */
#define IN_MAX 16384u        /* typed, not sent yet */
#define TURN 256u            /* bytes before the other channel's turn */
#define LINE_OUT_MAX 16384u
#define SLOW_MS 200u
#define SLOW_PROGRESS 32768u /* bytes a client must take in SLOW_MS */
#define RETRY_MS 500u        /* between attempts to open the line */
#define BREAK_MS 300u
#define REFUSE_MS 3000u      /* a refused gdb's time to ask */
#define COMMAND_MAX 256u

struct client {
    int fd;
    enum splitter_port port;
    unsigned int id;
    char peer[80];
    bool writer;   /* console: its typing counts */
    bool refused;  /* gdb: another one is attached */
    bool closing;  /* ends when `out` is written */
    bool dead;
    bool slow;     /* nobody waits for it */
    bool telnet_on; /* console: telnet is understood */
    bool known;    /* control: has sent a command that exists */
    uint64_t since;     /* wall clock, ms */
    uint64_t full_ms;   /* since when it holds the line back; 0: it does not */
    uint64_t full_tx;   /* its tx then */
    uint64_t close_ms;  /* deadline when closing or refused; 0: none */
    uint64_t rx, tx, lost, lost_now;
    struct telnet telnet;
    struct bytes out;
    struct bytes in;    /* gdb: not parsed yet; control: the line so far */
};

struct listener {
    int fd;
    enum splitter_port port;
};

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

/* splitter.c */
void splitter_event(struct splitter *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void splitter_debug(struct splitter *s, const char *who, const uint8_t *data,
                    size_t len);

/* line.c */
int line_create(struct splitter *s, char *err, size_t size);
void line_destroy(struct splitter *s);
void line_release(struct splitter *s, bool release); /* by command */
void line_reopen(struct splitter *s);
short line_events(const struct splitter *s);
void line_handle(struct splitter *s, short revents);
void line_receive(struct splitter *s, const uint8_t *data, size_t len);
void line_pump(struct splitter *s); /* from the clients to the line */
uint64_t line_deadline(const struct splitter *s);
void line_tick(struct splitter *s);
void line_send_break(struct splitter *s);
void line_raw(struct splitter *s, const uint8_t *data, size_t len);
size_t line_type(struct splitter *s, const uint8_t *data, size_t len);
bool line_eight_bit(const struct splitter *s); /* no channels now */

/* client.c */
struct client *client_add(struct splitter *s, int fd, enum splitter_port port);
void client_accept(struct splitter *s, const struct listener *l);
short client_events(const struct splitter *s, const struct client *c);
void client_handle(struct splitter *s, struct client *c, short revents);
void client_send(struct splitter *s, struct client *c, const uint8_t *data,
                 size_t len);
void client_text(struct splitter *s, struct client *c, const char *text);
void client_close(struct splitter *s, struct client *c, const char *why);
void clients_sweep(struct splitter *s); /* frees the dead */
void clients_console(struct splitter *s, const uint8_t *data, size_t len);
void clients_flush(struct splitter *s);
bool clients_hold(const struct splitter *s); /* is the line to wait? */
uint64_t clients_deadline(const struct splitter *s);
void clients_tick(struct splitter *s);
struct client *client_find(const struct splitter *s, enum splitter_port port);
struct client *client_by_id(const struct splitter *s, unsigned int id);
void client_make_writer(struct splitter *s, struct client *c);
void client_gdb_input(struct splitter *s);

/* control.c */
void control_input(struct splitter *s, struct client *c);

#endif /* ENGINE_H */
