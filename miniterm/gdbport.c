/* SPDX-License-Identifier: GPL-2.0-only */
/* The built-in splitter, by the engine that nsplitd is made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbport.h"
#include "splitter/splitter.h"
#include "util.h"

struct gdbport {
    struct splitter *splitter;
    struct splitter_hooks hooks;
    const struct gdbport_ops *ops;
    void *user;
};

/*
 * Marked bytes from gdb for the line. What is not taken now the engine offers
 * again.
 */
static size_t on_write(void *ctx, const uint8_t *data, size_t len)
{
    struct gdbport *g = ctx;

    return g->ops->write(g->user, data, len);
}

static void on_break(void *ctx)
{
    struct gdbport *g = ctx;

    g->ops->send_break(g->user);
}

static void on_event(void *ctx, const char *text)
{
    struct gdbport *g = ctx;

    g->ops->event(g->user, text);
}

/*
 * Only the gdb port is opened: the console belongs to miniterm's own panes,
 * and raw or control ports would let others at the line.
 */
struct gdbport *gdbport_new(const char *port, const char *symbols,
                            const struct gdbport_ops *ops, void *user,
                            char *err, size_t size)
{
    struct splitter_config c;
    struct gdbport *g;
    char *end;
    long number = strtol(port, &end, 10);

    if (*end || end == port || number < 0 || number > 65535) {
        snprintf(err, size, "--gdb-port: '%s' is no TCP port (0-65535)",
                 port);
        return NULL;
    }
    g = xcalloc(1, sizeof(*g));
    g->ops = ops;
    g->user = user;
    g->hooks.line_write = on_write;
    g->hooks.line_break = on_break;
    g->hooks.event = on_event;
    splitter_defaults(&c);
    c.port[SPLITTER_GDB] = (int)number;
    c.symbols = symbols;
    c.hooks = &g->hooks;
    c.hook_ctx = g;
    g->splitter = splitter_create(&c, err, size);
    if (g->splitter)
        return g;
    free(g);
    return NULL;
}

void gdbport_free(struct gdbport *g)
{
    if (!g)
        return;
    splitter_destroy(g->splitter);
    free(g);
}

const char *gdbport_setting(unsigned nr)
{
    return splitter_gdb_settings[nr];
}

int gdbport_number(const struct gdbport *g)
{
    return splitter_port_number(g->splitter, SPLITTER_GDB);
}

size_t gdbport_prepare(struct gdbport *g, struct pollfd *fds, size_t max,
                       int *timeout_ms)
{
    return splitter_prepare(g->splitter, fds, max, timeout_ms);
}

void gdbport_handle(struct gdbport *g, const struct pollfd *fds, size_t nr)
{
    splitter_handle(g->splitter, fds, nr);
}

void gdbport_feed(struct gdbport *g, const uint8_t *data, size_t len)
{
    splitter_feed(g->splitter, data, len);
}

void gdbport_interrupt(struct gdbport *g)
{
    splitter_interrupt(g->splitter);
}

void gdbport_get_status(const struct gdbport *g, struct gdbport_status *st)
{
    struct splitter_status s;

    splitter_get_status(g->splitter, &s);
    st->attached = s.gdb_attached;
    st->stopped = s.target_stopped;
    st->retries = s.retries;
    st->bad_checksums = s.bad_checksums;
    st->near_side = s.near_side;
}
