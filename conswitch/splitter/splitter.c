/* SPDX-License-Identifier: GPL-2.0-only */
/* The splitter object: ports, poll set, timers. */
#include "splitter.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

void splitter_defaults(struct splitter_config *c)
{
    memset(c, 0, sizeof(*c));
    for (int i = 0; i < SPLITTER_NR_PORTS; i++)
        c->port[i] = -1;
    c->console_fd = -1;
    c->replay_lines = 25;
    c->log_max = 10u << 20;
    c->log_keep = 5;
}

void splitter_event(struct splitter *s, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_event(&s->log, text, s->wall);
    if (s->cfg.hooks && s->cfg.hooks->event)
        s->cfg.hooks->event(s->cfg.hook_ctx, text);
}

static uint64_t clock_ms(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void read_clocks(struct splitter *s)
{
    s->now = clock_ms(CLOCK_MONOTONIC);
    s->wall = clock_ms(CLOCK_REALTIME);
}

/* -------------------------------------------------------------- listening */

static int bind_one(struct splitter *s, const struct addrinfo *ai,
                    enum splitter_port port)
{
    const int one = 1;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } addr;
    socklen_t len = sizeof(addr);
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (ai->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, &addr.any, &len) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    s->port_number[port] = ntohs(
        addr.any.sa_family == AF_INET6 ? addr.v6.sin6_port : addr.v4.sin_port);
    s->listeners[s->nr_listeners++] = (struct listener){ fd, port };
    return 0;
}

/* Both loopback addresses; the second is optional (no IPv6, taken port). */
static int listen_on(struct splitter *s, enum splitter_port port, char *err,
                     size_t size)
{
    static const char *const loopback[] = { "127.0.0.1", "::1" };
    bool given = s->cfg.listen != NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    unsigned int nr = 0;

    for (unsigned int i = 0; i < (given ? 1 : 2); i++) {
        const char *host = given ? s->cfg.listen : loopback[i];
        int number = nr ? s->port_number[port] : s->cfg.port[port];
        struct addrinfo *ai;
        char service[16];

        snprintf(service, sizeof(service), "%d", number);
        if (getaddrinfo(host, service, &hints, &ai) != 0) {
            snprintf(err, size, "%s: not an address to listen on", host);
            return nr ? 0 : -1;
        }
        if (bind_one(s, ai, port) == 0)
            nr++;
        else if (nr == 0)
            snprintf(err, size, "cannot listen on %s port %s: %s", host,
                     service, strerror(errno));
        freeaddrinfo(ai);
        if (nr == 0)
            return -1;
    }
    return 0;
}

static int listen_all(struct splitter *s, char *err, size_t size)
{
    for (unsigned int i = 0; i < SPLITTER_NR_PORTS; i++)
        if (s->cfg.port[i] >= 0 &&
            listen_on(s, (enum splitter_port)i, err, size) < 0)
            return -1;
    return 0;
}

/* --------------------------------------------------------- the object */

void splitter_debug(struct splitter *s, const char *who, const uint8_t *data,
                    size_t len)
{
    char text[1100];
    size_t nr;

    if (!s->cfg.debug || !s->cfg.hooks || !s->cfg.hooks->debug)
        return;
    nr = (size_t)snprintf(text, 64, "%s ", who);
    for (size_t i = 0; i < len && nr < sizeof(text) - 1; i++)
        text[nr++] = data[i] >= ' ' && data[i] < 0x7f ? (char)data[i] : '.';
    text[nr] = '\0';
    s->cfg.hooks->debug(s->cfg.hook_ctx, text);
}

static void packet_seen(void *ctx, bool to_target, const uint8_t *data,
                        size_t len)
{
    struct splitter *s = ctx;

    if (s->cfg.hooks && s->cfg.hooks->packet)
        s->cfg.hooks->packet(s->cfg.hook_ctx, to_target, data, len);
    splitter_debug(s, to_target ? "gdb ->" : "gdb <-", data, len);
}

static bool near(void *ctx, const uint8_t *cmd, size_t len, uint8_t *reply,
                 size_t max, size_t *reply_len)
{
    struct splitter *s = ctx;

    return symbols_near(&s->symbols, cmd, len, reply, max, reply_len);
}

static void init_rsp(struct splitter *s)
{
    struct rsp_config cfg = {
        .chars_per_s = s->spec.baud / 10,
        .interrupt_is_break = s->cfg.interrupt == SPLITTER_INT_BREAK,
        .serves_exec_file = s->symbols.path[0] != '\0',
        .near = near,
        .packet = packet_seen,
        .ctx = s,
    };

    rsp_init(&s->rsp, &cfg);
}

static char *own(const char *text, const char **slot)
{
    char *copy = text ? strdup(text) : NULL;

    *slot = copy;
    return copy;
}

static int start(struct splitter *s, char *err, size_t size)
{
    if (s->cfg.symbols &&
        symbols_init(&s->symbols, s->cfg.symbols, err, size) < 0)
        return -1;
    if (s->cfg.log_path) {
        if (log_open(&s->log, s->cfg.log_path, err, size) < 0)
            return -1;
        s->log.raw = s->cfg.log_raw;
        s->log.max = s->cfg.log_max;
        s->log.keep = s->cfg.log_keep;
    }
    if (listen_all(s, err, size) < 0 || line_create(s, err, size) < 0)
        return -1;
    init_rsp(s);
    if (s->cfg.console_fd >= 0 &&
        !client_add(s, s->cfg.console_fd, SPLITTER_CONSOLE)) {
        snprintf(err, size, "out of memory");
        return -1;
    }
    return 0;
}

struct splitter *splitter_create(const struct splitter_config *c, char *err,
                                 size_t size)
{
    struct splitter *s = calloc(1, sizeof(*s));

    if (!s) {
        snprintf(err, size, "out of memory");
        return NULL;
    }
    s->cfg = *c;
    s->log.fd = s->src.fd = s->src.slave = -1;
    symbols_clear(&s->symbols);
    s->source_text = own(c->source, &s->cfg.source);
    s->listen_text = own(c->listen, &s->cfg.listen);
    s->log_text = own(c->log_path, &s->cfg.log_path);
    s->symbols_text = own(c->symbols, &s->cfg.symbols);
    for (int i = 0; i < SPLITTER_NR_PORTS; i++)
        s->port_number[i] = -1;
    read_clocks(s);
    if (start(s, err, size) < 0) {
        splitter_destroy(s);
        return NULL;
    }
    return s;
}

void splitter_destroy(struct splitter *s)
{
    if (!s)
        return;
    for (unsigned int i = 0; i < s->nr_clients; i++)
        s->clients[i]->dead = true;
    clients_sweep(s);
    for (unsigned int i = 0; i < s->nr_listeners; i++)
        close(s->listeners[i].fd);
    line_destroy(s);
    log_close(&s->log);
    symbols_close(&s->symbols);
    free(s->source_text);
    free(s->listen_text);
    free(s->log_text);
    free(s->symbols_text);
    free(s);
}

int splitter_port_number(const struct splitter *s, enum splitter_port port)
{
    return s->port_number[port];
}

const char *splitter_pty_name(const struct splitter *s)
{
    return s->src.pty_name[0] ? s->src.pty_name : NULL;
}

/* ------------------------------------------------------------------ loop */

static void sooner(uint64_t *due, uint64_t other)
{
    if (other < *due)
        *due = other;
}

static int until_due(const struct splitter *s)
{
    uint64_t due = UINT64_MAX, left;

    sooner(&due, line_deadline(s));
    sooner(&due, clients_deadline(s));
    sooner(&due, log_deadline(&s->log));
    if (!s->cfg.transparent && s->up)
        sooner(&due, rsp_deadline(&s->rsp));
    if (due == UINT64_MAX)
        return -1;
    left = due > s->now ? due - s->now : 0;
    return left > 60000 ? 60000 : (int)left;
}

size_t splitter_prepare(struct splitter *s, struct pollfd *fds, size_t max,
                        int *timeout_ms)
{
    size_t nr = 0;
    int left;

    read_clocks(s);
    /* a line that is to wait is not polled at all: a hang-up may wait too */
    if (s->have_source && max > 0 && line_events(s))
        fds[nr++] = (struct pollfd){ .fd = s->src.fd,
                                     .events = line_events(s) };
    for (unsigned int i = 0; i < s->nr_listeners && nr < max; i++)
        fds[nr++] = (struct pollfd){ .fd = s->listeners[i].fd,
                                     .events = POLLIN };
    for (unsigned int i = 0; i < s->nr_clients && nr < max; i++) {
        const struct client *c = s->clients[i];

        fds[nr++] = (struct pollfd){ .fd = c->fd,
                                     .events = client_events(s, c) };
    }
    left = until_due(s);
    if (left >= 0 && (*timeout_ms < 0 || left < *timeout_ms))
        *timeout_ms = left;
    return nr;
}

static short events_of(const struct pollfd *fds, size_t nr, int fd)
{
    short events = 0;

    for (size_t i = 0; i < nr; i++)
        if (fds[i].fd == fd)
            events |= fds[i].revents;
    return events;
}

static void tick(struct splitter *s)
{
    int rc;

    line_tick(s);
    clients_tick(s);
    if (!s->cfg.transparent && s->up)
        rsp_tick(&s->rsp, s->now);
    rc = log_flush(&s->log, s->now);
    if (rc != 0 && !s->log.failed)
        splitter_event(s, "log %s: %s", s->cfg.log_path, strerror(rc));
    s->log.failed = rc != 0;
}

bool splitter_handle(struct splitter *s, const struct pollfd *fds, size_t nr)
{
    unsigned int nr_clients = s->nr_clients;

    read_clocks(s);
    if (s->have_source && s->src.fd >= 0)
        line_handle(s, events_of(fds, nr, s->src.fd));
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *c = s->clients[i];

        client_handle(s, c, events_of(fds, nr, c->fd));
    }
    for (unsigned int i = 0; i < s->nr_listeners; i++)
        if (events_of(fds, nr, s->listeners[i].fd) & POLLIN)
            client_accept(s, &s->listeners[i]);
    tick(s);
    line_pump(s);
    clients_flush(s);
    clients_sweep(s);
    return !s->end;
}

int splitter_run(struct splitter *s, const volatile int *stop)
{
    struct pollfd fds[SPLITTER_MAX_FDS];
    sigset_t open;

    /* blocked elsewhere, so that *stop cannot change just before the wait */
    sigprocmask(SIG_SETMASK, NULL, &open);
    sigdelset(&open, SIGTERM);
    sigdelset(&open, SIGINT);
    sigdelset(&open, SIGHUP);
    while (!*stop) {
        int timeout = -1;
        size_t nr = splitter_prepare(s, fds, SPLITTER_MAX_FDS, &timeout);
        struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };

        if (ppoll(fds, nr, timeout < 0 ? NULL : &ts, &open) < 0) {
            if (errno != EINTR)
                return -1;
            for (size_t i = 0; i < nr; i++)
                fds[i].revents = 0;
        }
        if (!splitter_handle(s, fds, nr))
            return 0;
    }
    return 0;
}

/* -------------------------------------------------- for the program itself */

void splitter_feed(struct splitter *s, const uint8_t *data, size_t len)
{
    read_clocks(s);
    for (; len > READ_MAX; data += READ_MAX, len -= READ_MAX)
        line_receive(s, data, READ_MAX);
    line_receive(s, data, len);
    line_pump(s);
    clients_flush(s);
}

size_t splitter_type(struct splitter *s, const uint8_t *data, size_t len)
{
    return line_type(s, data, len);
}

void splitter_send_break(struct splitter *s)
{
    line_send_break(s);
}

void splitter_interrupt(struct splitter *s)
{
    rsp_interrupt(&s->rsp);
}

void splitter_get_status(const struct splitter *s, struct splitter_status *st)
{
    const struct client *gdb = client_find(s, SPLITTER_GDB);

    memset(st, 0, sizeof(*st));
    st->line_up = s->up;
    st->raw_active = client_find(s, SPLITTER_RAW) != NULL;
    st->gdb_attached = gdb != NULL;
    st->target_stopped = s->rsp.stopped;
    for (unsigned int i = 0; i < s->nr_clients; i++)
        if (s->clients[i]->port == SPLITTER_CONSOLE && !s->clients[i]->dead)
            st->nr_console++;
    st->line_rx = s->line_rx;
    st->line_tx = s->line_tx;
    st->console_rx = s->console_rx;
    st->console_tx = s->console_tx;
    st->gdb_rx = s->gdb_rx;
    st->gdb_tx = s->gdb_tx;
    st->noise = s->noise + s->rsp.stats.noise;
    st->bad_checksums = s->rsp.stats.bad_line;
    st->retries = s->rsp.stats.retries;
    st->duplicates = s->rsp.stats.duplicates;
    st->near_side = s->rsp.stats.near_side;
    st->lost = s->lost + s->rsp.stats.dropped;
    st->reconnects = s->reconnects;
}
