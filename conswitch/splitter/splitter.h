/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The splitter: one serial line, four TCP ports.
 *
 *   console  L channel; one writer, any number of spies
 *   gdb      H channel, seen as GDB's remote protocol; one client
 *   raw      the whole line, 8-bit, exclusive while connected
 *   control  commands and status, a line each
 *
 * An object with its own poll set: nsplitd drives it with splitter_run(), a
 * program with a loop of its own (a terminal) with splitter_prepare() and
 * splitter_handle().  One thread; no globals; SIGPIPE should be ignored.
 *
 * The line is either opened here from a specification (see source.h), and
 * then reopened when it is lost, or the program keeps it: it passes what it
 * reads to splitter_feed() and gets what is to be written by the hook
 * `line_write`.
 */
#ifndef SPLITTER_H
#define SPLITTER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum splitter_port {
    SPLITTER_CONSOLE,
    SPLITTER_GDB,
    SPLITTER_RAW,
    SPLITTER_CONTROL,
    SPLITTER_NR_PORTS
};

/* What gdb's ^C and the telnet BREAK become on the line. */
enum splitter_interrupt {
    SPLITTER_INT_AUTO,  /* ^C: 0x83; BREAK: a BREAK where the line can */
    SPLITTER_INT_CHAR,  /* always 0x83 */
    SPLITTER_INT_BREAK, /* always a line BREAK */
};

/* Calls out of the engine; any may be NULL.  `ctx` is config.hook_ctx. */
struct splitter_hooks {
    /* console output, as it arrived on the L channel */
    void (*console)(void *ctx, const uint8_t *data, size_t len);
    /* one packet of gdb's (to_target) or the target's, without framing */
    void (*packet)(void *ctx, bool to_target, const uint8_t *data, size_t len);
    /* a message for the person: line lost, client connected, ... */
    void (*event)(void *ctx, const char *text);
    /* config.debug: a packet or a command, printable */
    void (*debug)(void *ctx, const char *text);
    /*
     * Line kept by the program: write bytes, return how many were taken.
     * The rest is offered again by the next splitter_handle().
     */
    size_t (*line_write)(void *ctx, const uint8_t *data, size_t len);
    /* line kept by the program: send a BREAK */
    void (*line_break)(void *ctx);
};

struct splitter_config {
    const char *source;          /* NULL: the program keeps the line */
    const char *listen;          /* address; NULL: 127.0.0.1 and ::1 */
    int port[SPLITTER_NR_PORTS]; /* TCP port; -1: none; 0: any free one */
    int console_fd;              /* a connected console client (inetd), or -1 */
    bool eight_bit;              /* no H channel, the console is 8-bit clean */
    bool transparent; /* gdb port without knowledge of the protocol */
    bool telnet;      /* offer telnet negotiation to console clients */
    bool once;        /* end when the line or the first console does */
    bool debug;       /* pass gdb and control traffic to hooks.debug */
    enum splitter_interrupt interrupt;
    unsigned int replay_lines; /* shown to a console client on attach */
    const char *log_path;      /* NULL: no log */
    bool log_raw;              /* console bytes only, no times, no marks */
    uint64_t log_max;          /* rotate at that many bytes; 0: never */
    unsigned int log_keep;     /* old files kept */
    const char *symbols; /* ELF file or directory offered to gdb, or NULL */
    const struct splitter_hooks *hooks;
    void *hook_ctx;
};

/*
 * The file of a build, by its build-id in hexadecimal, among those in a
 * directory (see --symbols of nsplitd(8)); one with debug information.
 */
bool splitter_find_build(const char *directory, const char *hex, char *path,
                         size_t size);

/*
 * gdb's commands for a slow line, ended by NULL: code comes from the file,
 * other memory in large pieces and once only.
 */
extern const char *const splitter_gdb_settings[];

struct splitter;

/* All defaults, console_fd -1, all ports -1. */
void splitter_defaults(struct splitter_config *c);

/*
 * Opens the ports, the log and starts to open the line.  NULL on failure,
 * with a message for the user in err[size].  Strings are copied.
 */
struct splitter *splitter_create(const struct splitter_config *c, char *err,
                                 size_t size);

/* Closes everything; clients see end of file. */
void splitter_destroy(struct splitter *s);

/* The TCP port really bound (for port 0), or -1. */
int splitter_port_number(const struct splitter *s, enum splitter_port port);

/* Name of the pty that a "pty" source made, or NULL. */
const char *splitter_pty_name(const struct splitter *s);

/*
 * Descriptors to wait for: up to `max` entries into fds, the count returned;
 * *timeout_ms is lowered when something is due earlier (-1: no limit yet).
 */
#define SPLITTER_MAX_FDS 64
size_t splitter_prepare(struct splitter *s, struct pollfd *fds, size_t max,
                        int *timeout_ms);

/* After poll(): the same array.  False when the splitter wants to end. */
bool splitter_handle(struct splitter *s, const struct pollfd *fds, size_t nr);

/* prepare, poll, handle until it ends or *stop becomes non-zero. */
int splitter_run(struct splitter *s, const volatile int *stop);

/* For a program that keeps the line: bytes that came from it. */
void splitter_feed(struct splitter *s, const uint8_t *data, size_t len);

/*
 * The program itself types on the console, as if it were the writer; returns
 * the count taken.  Bytes >= 0x80 are escaped on a shared line.
 */
size_t splitter_type(struct splitter *s, const uint8_t *data, size_t len);

/* A BREAK on the line; 0x03 to the debugger. */
void splitter_send_break(struct splitter *s);
void splitter_interrupt(struct splitter *s);

struct splitter_status {
    bool line_up;
    bool raw_active;
    bool gdb_attached;
    bool target_stopped; /* as far as the packets tell */
    unsigned int nr_console;
    uint64_t line_rx, line_tx;
    uint64_t console_rx, console_tx; /* rx: from the target */
    uint64_t gdb_rx, gdb_tx;
    uint64_t noise; /* H bytes outside any packet */
    uint64_t bad_checksums, retries, duplicates;
    uint64_t near_side; /* packets answered here */
    uint64_t lost;      /* bytes that slow clients missed */
    uint64_t reconnects;
};

void splitter_get_status(const struct splitter *s, struct splitter_status *st);

#endif /* SPLITTER_H */
