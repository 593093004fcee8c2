/* SPDX-License-Identifier: GPL-2.0-only */
/* The line: opening it, losing it, taking it apart, putting it together. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conswitch.h"
#include "engine.h"

bool line_eight_bit(const struct splitter *s)
{
    return s->cfg.eight_bit || client_find(s, SPLITTER_RAW) != NULL;
}

/* ------------------------------------------------- opening and losing it */

static void now_up(struct splitter *s)
{
    s->up = true;
    s->said_down = false;
    s->break_ms = s->drain_ms = 0;
    telnet_init(&s->line_telnet, TELNET_BINARY | TELNET_SGA,
                TELNET_BINARY | TELNET_ECHO | TELNET_SGA);
    s->line_telnet.active = s->spec.telnet;
    if (s->have_source)
        splitter_event(s, "line %s is open", s->cfg.source);
}

/* Said once, however often the attempt is repeated. */
static void now_down(struct splitter *s, const char *why)
{
    bool was_up = s->up;

    source_close(&s->src, &s->spec);
    s->up = false;
    s->retry_ms = s->now + RETRY_MS;
    bytes_drop(&s->line_out, s->line_out.len);
    rsp_line_reset(&s->rsp);
    if (was_up)
        s->reconnects++;
    if (!s->said_down)
        splitter_event(s, "line lost: %s; trying again", why);
    s->said_down = true;
    if (s->cfg.once)
        s->end = true;
}

static void try_open(struct splitter *s)
{
    char err[400];

    if (source_open(&s->src, &s->spec, err, sizeof(err)) < 0)
        now_down(s, err);
    else if (!s->src.connecting)
        now_up(s);
}

int line_create(struct splitter *s, char *err, size_t size)
{
    if (!s->cfg.source) {
        s->up = true;
        return 0;
    }
    if (source_parse(&s->spec, s->cfg.source, err, size) < 0)
        return -1;
    s->have_source = true;
    try_open(s);
    return 0;
}

void line_destroy(struct splitter *s)
{
    source_close(&s->src, &s->spec);
    bytes_free(&s->line_out);
    bytes_free(&s->typed);
    bytes_free(&s->gdb_raw);
}

void line_reopen(struct splitter *s)
{
    if (!s->have_source)
        return;
    now_down(s, "asked to");
    s->retry_ms = s->now;
}

void line_release(struct splitter *s, bool release)
{
    if (!s->have_source)
        return;
    if (release && !s->released)
        now_down(s, "released");
    s->released = release;
    s->retry_ms = s->now;
}

uint64_t line_deadline(const struct splitter *s)
{
    uint64_t due = UINT64_MAX;

    if (s->have_source && s->src.fd < 0 && !s->released)
        due = s->retry_ms;
    if (s->break_ms && s->break_ms < due)
        due = s->break_ms;
    if (s->drain_ms && s->drain_ms < due)
        due = s->drain_ms;
    return due;
}

void line_tick(struct splitter *s)
{
    if (s->break_ms && s->now >= s->break_ms) {
        (void)source_break(&s->src, false);
        s->break_ms = 0;
    }
    if (s->drain_ms && s->now >= s->drain_ms)
        s->drain_ms = 0;
    if (s->have_source && s->src.fd < 0 && !s->released &&
        s->now >= s->retry_ms)
        try_open(s);
}

/* ----------------------------------------------------- from the line */

static void receive_gdb(struct splitter *s, size_t len)
{
    struct client *gdb;

    if (!s->cfg.transparent) {
        rsp_from_line(&s->rsp, s->high, len, s->now);
        return;
    }
    gdb = client_find(s, SPLITTER_GDB);
    s->gdb_rx += len;
    if (gdb)
        client_send(s, gdb, s->high, len);
}

/* Everybody who is to see what the console printed. */
static void receive_console(struct splitter *s, const uint8_t *data, size_t len)
{
    s->console_rx += len;
    history_add(&s->history, data, len);
    log_console(&s->log, data, len, s->wall, s->now);
    clients_console(s, data, len);
    if (s->cfg.hooks && s->cfg.hooks->console)
        s->cfg.hooks->console(s->cfg.hook_ctx, data, len);
}

/* How many bytes from the start belong to the same channel. */
static size_t run_length(const uint8_t *data, size_t len)
{
    const uint64_t tops = 0x8080808080808080u;
    uint64_t want = cs_is_high(data[0]) ? tops : 0, word;
    size_t nr = 0;

    for (; nr + sizeof(word) <= len; nr += sizeof(word)) {
        memcpy(&word, data + nr, sizeof(word));
        if ((word & tops) != want)
            break;
    }
    while (nr < len && cs_is_high(data[nr]) == (want != 0))
        nr++;
    return nr;
}

static void split(struct splitter *s, const uint8_t *data, size_t len)
{
    size_t nr_low = 0, nr_high = 0, run;

    for (; len > 0; data += run, len -= run) {
        run = run_length(data, len);
        if (cs_is_high(*data)) {
            for (size_t i = 0; i < run; i++)
                s->high[nr_high + i] = cs_unmark(data[i]);
            nr_high += run;
        } else {
            memcpy(s->low + nr_low, data, run);
            nr_low += run;
        }
    }
    if (nr_low)
        receive_console(s, s->low, nr_low);
    if (nr_high)
        receive_gdb(s, nr_high);
}

void line_receive(struct splitter *s, const uint8_t *data, size_t len)
{
    struct client *raw = client_find(s, SPLITTER_RAW);

    s->line_rx += len;
    if (raw)
        client_send(s, raw, data, len);
    else if (s->cfg.eight_bit)
        receive_console(s, data, len);
    else
        split(s, data, len);
}

static void read_line(struct splitter *s)
{
    ssize_t nr = read(s->src.fd, s->in, sizeof(s->in));
    size_t len;

    if (nr == 0) {
        now_down(s, "closed by the other side");
        return;
    }
    if (nr < 0) {
        if (errno != EAGAIN && errno != EINTR)
            now_down(s, strerror(errno));
        return;
    }
    if (!s->spec.telnet) {
        line_receive(s, s->in, (size_t)nr);
        return;
    }
    len = telnet_rx(&s->line_telnet, s->in, (size_t)nr, s->plain);
    (void)bytes_add(&s->line_out, s->line_telnet.reply,
                    s->line_telnet.nr_reply);
    s->line_telnet.nr_reply = 0;
    line_receive(s, s->plain, len);
}

short line_events(const struct splitter *s)
{
    short events = 0;

    if (s->src.connecting)
        return POLLOUT;
    if (!clients_hold(s))
        events |= POLLIN;
    if (s->line_out.len && !s->break_ms && !s->drain_ms)
        events |= POLLOUT;
    return events;
}

void line_handle(struct splitter *s, short revents)
{
    char err[200];

    if (s->src.connecting && (revents & (POLLOUT | POLLERR | POLLHUP))) {
        if (source_connected(&s->src, err, sizeof(err)) < 0)
            now_down(s, err);
        else
            now_up(s);
        return;
    }
    /* what was sent before the hang-up is read first */
    if (revents & POLLIN)
        read_line(s);
    else if (revents & (POLLERR | POLLHUP | POLLNVAL))
        now_down(s, "hung up");
}

/* ------------------------------------------------------------ to the line */

size_t line_type(struct splitter *s, const uint8_t *data, size_t len)
{
    uint8_t out[CS_ENCODED_MAX];
    size_t nr;

    for (nr = 0; nr < len && s->typed.len < 2 * IN_MAX; nr++) {
        /* what is typed keeps its line ends: LF is not made CR LF */
        unsigned int n = 1;

        out[0] = data[nr];
        if (data[nr] >= 0x80 && !line_eight_bit(s))
            n = cs_encode(CS_CONSOLE, CS_L, data[nr], out);
        if (!bytes_add(&s->typed, out, n))
            break;
    }
    s->console_tx += nr;
    return nr;
}

void line_send_break(struct splitter *s)
{
    static const uint8_t iac_break[] = { 0xff, 0xf3 };

    if (s->cfg.interrupt == SPLITTER_INT_CHAR) {
        rsp_interrupt(&s->rsp);
    } else if (!s->have_source && s->cfg.hooks && s->cfg.hooks->line_break) {
        s->cfg.hooks->line_break(s->cfg.hook_ctx);
    } else if (s->spec.telnet && s->up) {
        (void)bytes_add(&s->line_out, iac_break, sizeof(iac_break));
    } else if (s->up && source_break(&s->src, true)) {
        s->break_ms = s->now + BREAK_MS;
    } else {
        /* this line has no BREAK */
        rsp_interrupt(&s->rsp);
    }
}

/*
 * How much may wait in front of a packet: little on a real serial line (20 ms,
 * at least one FIFO), a buffer's worth elsewhere.
 */
static size_t out_limit(const struct splitter *s)
{
    size_t limit = s->spec.baud / 500;

    if (!s->src.is_uart)
        return LINE_OUT_MAX;
    return limit < 16 ? 16 : limit > LINE_OUT_MAX ? LINE_OUT_MAX : limit;
}

/* Queue up to TURN bytes in the form that goes over the wire. */
static void add_to_line(struct splitter *s, const uint8_t *data, size_t len)
{
    uint8_t doubled[2 * TURN];

    if (s->spec.telnet) {
        len = telnet_tx(&s->line_telnet, data, len, doubled);
        data = doubled;
    }
    (void)bytes_add(&s->line_out, data, len);
}

void line_raw(struct splitter *s, const uint8_t *data, size_t len)
{
    for (; len > TURN; data += TURN, len -= TURN)
        add_to_line(s, data, TURN);
    add_to_line(s, data, len);
}

/* One channel's turn; returns how many bytes it used, 0 for nothing. */
static size_t gdb_turn(struct splitter *s, size_t max)
{
    uint8_t buf[TURN];
    size_t nr = 0, len;

    if (!s->cfg.transparent) {
        nr = rsp_to_line(&s->rsp, buf, max, s->now);
        len = nr;
    } else {
        len = bytes_take(&s->gdb_raw, buf, max);
        /* a byte that is not 7-bit would become another one */
        for (size_t i = 0; i < len; i++)
            if (buf[i] < 0x80)
                buf[nr++] = buf[i];
        s->noise += len - nr;
    }
    for (size_t i = 0; i < nr; i++)
        buf[i] = cs_mark(buf[i]);
    add_to_line(s, buf, nr);
    return len;
}

static size_t console_turn(struct splitter *s, size_t max)
{
    uint8_t buf[TURN];
    size_t nr = bytes_take(&s->typed, buf, max);

    add_to_line(s, buf, nr);
    return nr;
}

/* The channels take turns, so neither waits for more than TURN bytes. */
static void fill(struct splitter *s)
{
    size_t limit = out_limit(s), idle = 0;

    if (client_find(s, SPLITTER_RAW))
        return;
    client_gdb_input(s);
    while (s->line_out.len < limit && idle < 2) {
        size_t room = limit - s->line_out.len;
        size_t max = room < TURN ? room : TURN;
        size_t nr = s->console_turn ? console_turn(s, max) : gdb_turn(s, max);

        s->console_turn = !s->console_turn;
        idle = nr ? 0 : idle + 1;
    }
}

/* A UART's driver would take 4 KiB at once: wait until it has sent some. */
static bool uart_is_full(struct splitter *s)
{
    size_t queued = source_queued(&s->src), limit = out_limit(s);

    if (queued < limit)
        return false;
    s->drain_ms = s->now + 5;
    return true;
}

/* Returns how many bytes of line_out were taken. */
static size_t write_line(struct splitter *s)
{
    size_t len = s->line_out.len, limit = out_limit(s);
    ssize_t nr;

    if (!s->have_source) {
        if (!s->cfg.hooks || !s->cfg.hooks->line_write)
            return len;
        return s->cfg.hooks->line_write(s->cfg.hook_ctx,
                                        bytes_data(&s->line_out), len);
    }
    if (s->src.is_uart && len > limit)
        len = limit;
    nr = write(s->src.fd, bytes_data(&s->line_out), len);
    if (nr < 0) {
        if (errno != EAGAIN && errno != EINTR)
            now_down(s, strerror(errno));
        return 0;
    }
    return (size_t)nr;
}

void line_pump(struct splitter *s)
{
    size_t nr;

    if (!s->up)
        return;
    do {
        fill(s);
        if (s->line_out.len == 0 || s->break_ms || s->drain_ms ||
            uart_is_full(s))
            return;
        nr = write_line(s);
        s->line_tx += nr;
        bytes_drop(&s->line_out, nr);
    } while (s->up && nr > 0 && s->line_out.len == 0);
}
