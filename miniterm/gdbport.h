/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The built-in splitter: serves the debugger's channel to gdb on a TCP port
 * while miniterm keeps the line.  A thin layer over conswitch/splitter.
 */
#ifndef MINITERM_GDBPORT_H
#define MINITERM_GDBPORT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gdbport;

struct gdbport_ops {
    /* Bytes for the line; returns how many were taken. */
    size_t (*write)(void *user, const uint8_t *data, size_t len);
    void (*send_break)(void *user);
    void (*event)(void *user, const char *text);
};

struct gdbport_status {
    bool attached, stopped;
    uint64_t retries, bad_checksums, near_side;
};

/* @port: number as text.  NULL with a message in err[size]. */
struct gdbport *gdbport_new(const char *port, const char *symbols,
                            const struct gdbport_ops *ops, void *user,
                            char *err, size_t size);
void gdbport_free(struct gdbport *g);
int gdbport_number(const struct gdbport *g);

/* gdb's commands for a slow line, from 0 on; NULL behind the last. */
const char *gdbport_setting(unsigned nr);

#define GDBPORT_MAX_FDS 64
size_t gdbport_prepare(struct gdbport *g, struct pollfd *fds, size_t max,
                       int *timeout_ms);
void gdbport_handle(struct gdbport *g, const struct pollfd *fds, size_t nr);

/* What came from the line, both channels. */
void gdbport_feed(struct gdbport *g, const uint8_t *data, size_t len);
/* As gdb's ^C. */
void gdbport_interrupt(struct gdbport *g);
void gdbport_get_status(const struct gdbport *g, struct gdbport_status *st);

#endif
