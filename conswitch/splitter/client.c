/* SPDX-License-Identifier: GPL-2.0-only */
/* The clients of the four ports. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine.h"

static const char *const port_names[] = { "console", "gdb", "raw", "control" };

struct client *client_find(const struct splitter *s, enum splitter_port port)
{
    for (unsigned int i = 0; i < s->nr_clients; i++) {
        struct client *c = s->clients[i];

        if (c->port == port && !c->dead && !c->refused && !c->closing)
            return c;
    }
    return NULL;
}

struct client *client_by_id(const struct splitter *s, unsigned int id)
{
    for (unsigned int i = 0; i < s->nr_clients; i++)
        if (s->clients[i]->id == id && !s->clients[i]->dead)
            return s->clients[i];
    return NULL;
}

void client_make_writer(struct splitter *s, struct client *c)
{
    for (unsigned int i = 0; i < s->nr_clients; i++)
        s->clients[i]->writer = false;
    c->writer = true;
    splitter_event(s, "console %u (%s) is the writer", c->id, c->peer);
}

/* gdb's bytes wait in the protocol's own queue. */
static bool is_rsp(const struct splitter *s, const struct client *c)
{
    return c->port == SPLITTER_GDB && !s->cfg.transparent && !c->refused;
}

static size_t backlog(const struct splitter *s, const struct client *c)
{
    return c->out.len + (is_rsp(s, c) ? s->rsp.out_head - s->rsp.out_tail : 0);
}

static size_t high_water(const struct splitter *s, const struct client *c)
{
    return is_rsp(s, c) ? RSP_TO_GDB / 2 : OUT_HIGH;
}

/* --------------------------------------------------------------- sending */

void client_send(struct splitter *s, struct client *c, const uint8_t *data,
                 size_t len)
{
    size_t nr = len;

    if (c->dead || c->closing)
        return;
    if (c->telnet_on && c->telnet.active) {
        nr = telnet_tx(&c->telnet, data, len, s->escaped);
        data = s->escaped;
    }
    if (c->slow || c->out.len + nr > OUT_MAX || !bytes_add(&c->out, data, nr)) {
        c->lost += len;
        c->lost_now += len;
        s->lost += len;
    }
}

void client_text(struct splitter *s, struct client *c, const char *text)
{
    client_send(s, c, (const uint8_t *)text, strlen(text));
}

void clients_console(struct splitter *s, const uint8_t *data, size_t len)
{
    for (unsigned int i = 0; i < s->nr_clients; i++)
        if (s->clients[i]->port == SPLITTER_CONSOLE)
            client_send(s, s->clients[i], data, len);
}

/* -1: the peer is gone. */
static ssize_t put(struct client *c, const uint8_t *data, size_t len)
{
    ssize_t nr = write(c->fd, data, len);

    if (nr < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (nr > 0)
        c->tx += (uint64_t)nr;
    return nr;
}

static void flush_out(struct splitter *s, struct client *c)
{
    ssize_t nr;

    if (c->out.len == 0)
        return;
    nr = put(c, bytes_data(&c->out), c->out.len);
    if (nr < 0)
        client_close(s, c, strerror(errno));
    else
        bytes_drop(&c->out, (size_t)nr);
}

/* gdb's queue is a ring inside the protocol: at most two pieces. */
static void flush_rsp(struct splitter *s, struct client *c)
{
    const uint8_t *data;
    size_t len;
    ssize_t nr;

    while ((len = rsp_gdb_peek(&s->rsp, &data)) > 0) {
        nr = put(c, data, len);
        if (nr < 0) {
            client_close(s, c, strerror(errno));
            return;
        }
        rsp_gdb_done(&s->rsp, (size_t)nr);
        s->gdb_rx += (uint64_t)nr;
        if ((size_t)nr < len)
            return;
    }
}

/* It reads again: say what is missing, where it is missing. */
static void caught_up(struct splitter *s, struct client *c)
{
    char text[80];

    c->slow = false;
    splitter_event(s, "%s %u (%s) reads again, lost %llu bytes",
                   port_names[c->port], c->id, c->peer,
                   (unsigned long long)c->lost_now);
    snprintf(text, sizeof(text), "\r\n[nsplitd: %llu bytes lost]\r\n",
             (unsigned long long)c->lost_now);
    if (c->port == SPLITTER_CONSOLE && c->lost_now)
        client_text(s, c, text);
    c->lost_now = 0;
}

/* Above the high-water mark the clock runs; well below it all is forgiven. */
static void watch_backlog(struct splitter *s, struct client *c)
{
    size_t nr = backlog(s, c), high = high_water(s, c);

    if (c->slow && nr < high / 4)
        caught_up(s, c);
    if (nr <= high) {
        c->full_ms = 0;
    } else if (!c->full_ms && !c->slow) {
        c->full_ms = s->now;
        c->full_tx = c->tx;
    }
}

void clients_flush(struct splitter *s)
{
    for (unsigned int i = 0; i < s->nr_clients; i++) {
        struct client *c = s->clients[i];

        if (c->dead)
            continue;
        if (c->file >= 0)
            http_continue(s, c);
        flush_out(s, c);
        if (!c->dead && is_rsp(s, c))
            flush_rsp(s, c);
        if (!c->dead)
            watch_backlog(s, c);
        if (c->closing && c->out.len == 0)
            c->dead = true;
    }
}

bool clients_hold(const struct splitter *s)
{
    for (unsigned int i = 0; i < s->nr_clients; i++) {
        const struct client *c = s->clients[i];

        if (!c->dead && !c->slow && !c->closing &&
            backlog(s, c) > high_water(s, c))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------- timers */

uint64_t clients_deadline(const struct splitter *s)
{
    uint64_t due = UINT64_MAX;

    for (unsigned int i = 0; i < s->nr_clients; i++) {
        const struct client *c = s->clients[i];

        if (c->full_ms && !c->slow && c->full_ms + SLOW_MS < due)
            due = c->full_ms + SLOW_MS;
        if (c->close_ms && c->close_ms < due)
            due = c->close_ms;
    }
    return due;
}

/* It had SLOW_MS: whoever took little in that time is waited for no more. */
static void slow_tick(struct splitter *s, struct client *c)
{
    if (!c->full_ms || c->slow || s->now < c->full_ms + SLOW_MS)
        return;
    if (c->tx - c->full_tx >= SLOW_PROGRESS) {
        c->full_ms = s->now;
        c->full_tx = c->tx;
        return;
    }
    c->slow = true;
    c->full_ms = 0;
    splitter_event(s, "%s %u (%s) does not read; its output is dropped",
                   port_names[c->port], c->id, c->peer);
}

void clients_tick(struct splitter *s)
{
    for (unsigned int i = 0; i < s->nr_clients; i++) {
        struct client *c = s->clients[i];

        slow_tick(s, c);
        if (c->close_ms && s->now >= c->close_ms)
            c->dead = true;
    }
}

/* -------------------------------------------------------- coming, going */

static bool nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static void name_peer(struct client *c)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    char host[64], service[8];

    if (getpeername(c->fd, (struct sockaddr *)&addr, &len) == 0 &&
        getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), service,
                    sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(c->peer, sizeof(c->peer),
                 strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, service);
    else
        snprintf(c->peer, sizeof(c->peer), "local");
}

static void set_options(int fd)
{
    const int one = 1, buffer = KERNEL_OUT;

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static void welcome_console(struct splitter *s, struct client *c)
{
    uint8_t *tail;

    telnet_init(&c->telnet, TELNET_BINARY | TELNET_ECHO | TELNET_SGA,
                TELNET_BINARY | TELNET_SGA);
    c->telnet_on = !s->cfg.eight_bit || s->cfg.telnet;
    if (s->cfg.telnet)
        telnet_offer(&c->telnet);
    (void)bytes_add(&c->out, c->telnet.reply, c->telnet.nr_reply);
    c->telnet.nr_reply = 0;
    tail = malloc(HISTORY_SIZE);
    if (tail)
        client_send(s, c, tail,
                    history_tail(&s->history, s->cfg.replay_lines, tail));
    free(tail);
    if (!client_find(s, SPLITTER_CONSOLE))
        client_make_writer(s, c);
}

/* Before `c` is in the list: the ones there are the others. */
static void welcome(struct splitter *s, struct client *c)
{
    bool taken = client_find(s, c->port) != NULL;

    if (c->port == SPLITTER_CONSOLE) {
        welcome_console(s, c);
    } else if (c->port == SPLITTER_GDB && taken) {
        c->refused = true;
        c->close_ms = s->now + REFUSE_MS;
    } else if (c->port == SPLITTER_GDB) {
        symbols_close(&s->symbols);
        rsp_attach(&s->rsp);
    } else if (c->port == SPLITTER_RAW && taken) {
        client_text(s, c, "nsplitd: the raw port is in use\r\n");
        client_close(s, c, "refused, the port is in use");
    } else if (c->port == SPLITTER_RAW) {
        rsp_line_reset(&s->rsp);
    }
}

struct client *client_add(struct splitter *s, int fd, enum splitter_port port)
{
    struct client *c = NULL;

    if (s->nr_clients < CLIENTS_MAX)
        c = calloc(1, sizeof(*c));
    if (!c || !nonblocking(fd)) {
        free(c);
        close(fd);
        return NULL;
    }
    c->fd = fd;
    c->file = -1;
    c->port = port;
    c->id = s->next_id++;
    c->since = s->wall;
    set_options(fd);
    name_peer(c);
    welcome(s, c);
    s->clients[s->nr_clients++] = c;
    splitter_event(s, "%s %u (%s) connected%s", port_names[port], c->id,
                   c->peer, c->refused ? ", refused: gdb is attached" : "");
    return c;
}

void client_accept(struct splitter *s, const struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        (void)client_add(s, fd, l->port);
}

void client_close(struct splitter *s, struct client *c, const char *why)
{
    if (c->closing || c->dead)
        return;
    splitter_event(s, "%s %u (%s) left: %s", port_names[c->port], c->id,
                   c->peer, why);
    c->closing = true;
    c->close_ms = s->now + REFUSE_MS;
    if (c->out.len == 0)
        c->dead = true;
    if (c->port == SPLITTER_GDB && !c->refused)
        rsp_detach(&s->rsp);
    if (c->port == SPLITTER_RAW)
        rsp_line_reset(&s->rsp);
    if (c->port == SPLITTER_CONSOLE && s->cfg.once && c->id == 0)
        s->end = true;
}

static void free_client(struct client *c)
{
    close(c->fd);
    if (c->file >= 0)
        close(c->file);
    bytes_free(&c->out);
    bytes_free(&c->in);
    free(c);
}

void clients_sweep(struct splitter *s)
{
    unsigned int nr = 0;
    bool writer_left = false;
    struct client *c;

    for (unsigned int i = 0; i < s->nr_clients; i++) {
        c = s->clients[i];
        if (!c->dead) {
            s->clients[nr++] = c;
            continue;
        }
        writer_left |= c->writer;
        free_client(c);
    }
    s->nr_clients = nr;
    if (writer_left && (c = client_find(s, SPLITTER_CONSOLE)))
        client_make_writer(s, c);
}

/* ------------------------------------------------------------- receiving */

short client_events(const struct splitter *s, const struct client *c)
{
    bool raw = client_find(s, SPLITTER_RAW) != NULL, want = false;

    switch (c->port) {
    case SPLITTER_CONSOLE:
        want = !c->writer || (s->up && !raw && s->typed.len < IN_MAX);
        break;
    case SPLITTER_GDB:
        want = c->refused ||
               (s->up && !raw && c->in.len < IN_MAX && s->gdb_raw.len < IN_MAX);
        break;
    case SPLITTER_RAW: want = s->up && s->line_out.len < LINE_OUT_MAX; break;
    default: want = c->out.len < OUT_HIGH && !c->input_ended;
    }
    if (c->dead || c->closing)
        want = false;
    return (short)((want ? POLLIN : 0) |
                   (backlog(s, c) || c->file >= 0 ? POLLOUT : 0));
}

/* A spy's bytes are read, for telnet's sake, and forgotten. */
static void console_input(struct splitter *s, struct client *c, size_t len)
{
    const uint8_t *data = s->in;

    if (c->telnet_on) {
        len = telnet_rx(&c->telnet, s->in, len, s->low);
        data = s->low;
        (void)bytes_add(&c->out, c->telnet.reply, c->telnet.nr_reply);
        c->telnet.nr_reply = 0;
    }
    if (!c->writer)
        return;
    if (c->telnet.breaks) {
        c->telnet.breaks = 0;
        line_send_break(s);
    }
    (void)line_type(s, data, len);
}

void client_gdb_input(struct splitter *s)
{
    struct client *c = client_find(s, SPLITTER_GDB);

    if (!c || c->in.len == 0)
        return;
    bytes_drop(&c->in, rsp_from_gdb(&s->rsp, bytes_data(&c->in), c->in.len));
    if (rsp_take_break(&s->rsp))
        line_send_break(s);
}

/* A gdb that is one too many: answer its first packet with the reason. */
static void refuse(struct splitter *s, struct client *c)
{
    const struct client *holder = client_find(s, SPLITTER_GDB);
    char text[160];
    uint8_t packet[170];
    size_t len;

    if (c->in.len > 4096 || memchr(bytes_data(&c->in), '#', c->in.len)) {
        snprintf(text, sizeof(text), "E.another gdb is attached, from %s",
                 holder ? holder->peer : "elsewhere");
        len = rsp_frame_write(packet, '$', (uint8_t *)text, strlen(text));
        client_text(s, c, "+");
        client_send(s, c, packet, len);
        client_close(s, c, "refused");
    }
}

static void gdb_input(struct splitter *s, struct client *c, size_t len)
{
    s->gdb_tx += len;
    if (s->cfg.transparent && !c->refused) {
        (void)bytes_add(&s->gdb_raw, s->in, len);
        return;
    }
    (void)bytes_add(&c->in, s->in, len);
    if (c->refused)
        refuse(s, c);
    else
        client_gdb_input(s);
}

static void input(struct splitter *s, struct client *c, size_t len)
{
    c->rx += len;
    switch (c->port) {
    case SPLITTER_CONSOLE: console_input(s, c, len); break;
    case SPLITTER_GDB: gdb_input(s, c, len); break;
    case SPLITTER_RAW: line_raw(s, s->in, len); break;
    default: (void)bytes_add(&c->in, s->in, len); control_input(s, c);
    }
}

/* Console and gdb are read in small pieces: their queues are small. */
void client_handle(struct splitter *s, struct client *c, short revents)
{
    size_t max = c->port == SPLITTER_CONSOLE || c->port == SPLITTER_GDB
                     ? IN_MAX / 4
                     : sizeof(s->in);
    ssize_t nr;

    if (c->dead || c->closing)
        return;
    if (revents & POLLIN) {
        nr = read(c->fd, s->in, max);
        if (nr > 0)
            input(s, c, (size_t)nr);
        else if (nr == 0 && c->file >= 0)
            c->input_ended = true;
        else if (nr == 0)
            client_close(s, c, "end of file");
        else if (errno != EAGAIN && errno != EINTR)
            client_close(s, c, strerror(errno));
        return;
    }
    if (revents & (POLLHUP | POLLERR | POLLNVAL))
        client_close(s, c, "connection lost");
}
