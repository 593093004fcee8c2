/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pass-through.  One loop over four descriptors, two buffers:
 *
 *   line -> shown -> stdout     nothing is read while stdout is far behind
 *   stdin -> out -> line        nothing is read while the line is behind
 *
 * Without filters and logs the bytes received are written as they are, from
 * the buffer that they were read into, and the next are read while they wait:
 * so both terminals' queues of 8 KiB are kept moving.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "charmap.h"
#include "line.h"
#include "lines.h"
#include "outq.h"
#include "plain.h"
#include "record.h"
#include "userterm.h"
#include "util.h"
#include "view.h"

#define CHUNK 65536
#define REOPEN_US 1000000
#define MORE_LIKELY 1024 /* a read of so much is rarely the last */
#define ROOM_MIN 4096 /* what a terminal gives at most for one read */

struct plain {
    const struct settings *set;
    struct line line;
    struct logs logs;
    struct view view;
    struct charmap imap, omap, emap;
    struct outq out;
    struct lines *text;   /* for --log: lines with their times */
    char *shown;          /* what waits for stdout */
    size_t shown_len, shown_at;
    char quit[8];         /* control codes that leave */
    int out_fd;           /* stdout, or its terminal opened non-blocking */
    bool tty_in, in_open, quit_now, lost, slow;
    bool ended;           /* the line, but not all of it is shown yet */
    uint64_t reopen_at, last_io;
};

static void on_log_line(void *user, struct tline *t)
{
    struct plain *p = user;

    logs_text(&p->logs, t->wall, "", t->text, t->len);
}

static const struct lines_ops log_ops = { .done = on_log_line };

/* The terminal is raw while we run: lines need their own CR. */
static void say(const struct plain *p, const char *text)
{
    if (!p->set->quiet)
        fprintf(stderr, "miniterm: %s%s", text, p->tty_in ? "\r\n" : "\n");
}

/* Without --reconnect this ends the program with status 3. */
static void line_gone(struct plain *p)
{
    say(p, p->line.error);
    p->ended = false;
    line_close(&p->line);
    if (p->set->reconnect)
        p->reopen_at = now_us() + REOPEN_US;
    else
        p->lost = true;
}

/* At most once a second; a target that is switched off costs nothing. */
static void try_reopen(struct plain *p)
{
    uint64_t now = now_us();

    if (p->line.state != LINE_DOWN || p->lost || now < p->reopen_at)
        return;
    p->reopen_at = now + REOPEN_US;
    if (line_open(&p->line) == 0 && p->line.state == LINE_UP)
        say(p, "connected again");
}

/* The user typed: everything up to a quit key goes to the line. */
static void from_user(struct plain *p)
{
    char buf[4096];
    uint8_t mapped[CHARMAP_GROWTH * sizeof(buf)];
    size_t room = queue_room(&p->out.q) / CHARMAP_GROWTH, len;
    ssize_t n = read(STDIN_FILENO, buf, room < sizeof(buf) ? room :
                     sizeof(buf));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        p->in_open = false;
        p->last_io = now_us();
        p->quit_now = p->tty_in;
        return;
    }
    len = (size_t)n;
    if (p->tty_in) {
        for (size_t i = 0; i < (size_t)n && !p->quit_now; i++) {
            p->quit_now = buf[i] && strchr(p->quit, buf[i]);
            len = p->quit_now ? i : i + 1;
        }
    }
    n = (ssize_t)charmap(&p->omap, mapped, (uint8_t *)buf, len);
    outq_put(&p->out, mapped, (size_t)n);
    if (p->set->echo) {
        n = (ssize_t)charmap(&p->emap, mapped, (uint8_t *)buf, len);
        (void)!write_all(STDOUT_FILENO, mapped, (size_t)n);
    }
}

/*
 * What the line takes now; the rest waits in the queue, and poll() tells
 * when.
 */
static void to_line(struct plain *p)
{
    uint64_t now = now_us(), never = UINT64_MAX;
    size_t len;
    const uint8_t *run = outq_ready(&p->out, now, &len, &never);
    ssize_t n;

    if (!len || p->line.state != LINE_UP)
        return;
    n = line_write(&p->line, run, len);
    if (n < 0) {
        line_gone(p);
        return;
    }
    logs_record(&p->logs, REC_LOW_OUT, run, (size_t)n);
    outq_sent(&p->out, now, (size_t)n);
}

/* Logs see the bytes before any filter of the view. */
static void log_received(struct plain *p, const uint8_t *data, size_t len)
{
    logs_raw(&p->logs, data, len);
    logs_record(&p->logs, REC_LOW_IN, data, len);
    if (p->text)
        lines_feed(p->text, data, len, wall_us());
}

/* A terminal that went away (EIO) ends the program like a quit key. */
static void to_user(struct plain *p)
{
    ssize_t n = write(p->out_fd, p->shown + p->shown_at, p->shown_len);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        p->quit_now = true;
        return;
    }
    p->shown_len -= (size_t)n;
    p->shown_at = p->shown_len ? p->shown_at + (size_t)n : 0;
}

/*
 * All that is there, up to @room: a terminal gives 4 KiB at most for a read,
 * and one write of many of those costs a third of many writes.  -1: gone.
 */
static ssize_t gather(struct plain *p, uint8_t *into, size_t room)
{
    ssize_t n = line_read(&p->line, into, room), more = n;
    size_t len;

    if (n < MORE_LIKELY || p->line.telnet)
        return n;
    len = (size_t)n;
    while (more >= MORE_LIKELY && len < room) {
        more = line_read(&p->line, into + len, room - len);
        if (more > 0)
            len += (size_t)more;
    }
    /* A loss shows again at the next read; first this has to be shown. */
    return (ssize_t)len;
}

/*
 * How much may be read from the line now.  A filter's output is shown before
 * more goes in, and of telnet nothing may be left behind in its queue.
 */
static size_t may_read(const struct plain *p)
{
    if (p->slow || p->ended || p->line.telnet)
        return p->shown_len ? 0 : CHUNK;
    return p->shown_len > CHUNK - ROOM_MIN ? 0 : CHUNK - p->shown_len;
}

/* p->shown has twice a CHUNK, so what waits is rarely moved. */
static uint8_t *behind_shown(struct plain *p)
{
    if (p->shown_at > CHUNK) {
        memmove(p->shown, p->shown + p->shown_at, p->shown_len);
        p->shown_at = 0;
    }
    return (uint8_t *)p->shown + p->shown_at + p->shown_len;
}

/* Only called when there is room. */
static void from_line(struct plain *p)
{
    static uint8_t raw[CHUNK], mapped[CHUNK * CHARMAP_GROWTH];
    ssize_t n = gather(p, p->slow ? raw : behind_shown(p), may_read(p));

    if (n < 0) {
        p->ended = p->shown_len > 0;
        if (!p->ended)
            line_gone(p);
        return;
    }
    if (n == 0)
        return;
    if (!p->in_open)
        p->last_io = now_us();
    if (p->slow) {
        log_received(p, raw, (size_t)n);
        n = (ssize_t)charmap(&p->imap, mapped, raw, (size_t)n);
        n = (ssize_t)view_bytes(&p->view, p->shown, mapped, (size_t)n,
                                wall_us());
    }
    p->shown_len += (size_t)n;
    to_user(p);
}

/*
 * The earliest of: the paced byte, the next try to connect, the end of
 * --exit-after.
 */
static int timeout_ms(const struct plain *p)
{
    uint64_t now = now_us(), wait_us = 3600000000u;
    size_t len;

    outq_ready(&p->out, now, &len, &wait_us);
    if (p->line.state == LINE_DOWN)
        wait_us = p->reopen_at > now ? p->reopen_at - now : 0;
    if (!p->in_open && p->set->exit_after_ms) {
        uint64_t end = p->last_io + p->set->exit_after_ms * 1000ULL;

        if (end <= now)
            return 0;
        if (end - now < wait_us)
            wait_us = end - now;
    }
    return (int)((wait_us + 999) / 1000);
}

/*
 * Everything that was typed has left, everything that came is shown, and it
 * was quiet for long enough.
 */
static bool time_is_over(const struct plain *p)
{
    return !p->in_open && p->set->exit_after_ms && !p->out.q.len &&
           !p->shown_len &&
           now_us() >= p->last_io + p->set->exit_after_ms * 1000ULL;
}

/* Descriptors that must not be looked at now are -1, which poll() skips. */
static void fill(struct plain *p, struct pollfd fds[3])
{
    uint64_t never = UINT64_MAX;
    size_t typed;

    outq_ready(&p->out, now_us(), &typed, &never);
    fds[0].fd = p->in_open && queue_room(&p->out.q) >= CHARMAP_GROWTH ?
                STDIN_FILENO : -1;
    fds[0].events = POLLIN;
    fds[1].fd = p->line.fd;
    fds[1].events = p->line.state == LINE_UP && may_read(p) ? POLLIN : 0;
    if (typed || line_wants_out(&p->line))
        fds[1].events |= POLLOUT;
    /* A line that is closed and not read from would spin in POLLHUP. */
    if (!fds[1].events)
        fds[1].fd = -1;
    fds[2].fd = p->shown_len ? p->out_fd : -1;
    fds[2].events = POLLOUT;
}

static void handle_line(struct plain *p, short revents)
{
    if (p->line.state == LINE_CONNECTING) {
        if (revents && line_connected(&p->line) < 0)
            line_gone(p);
        else if (revents && p->reopen_at)
            say(p, "connected again");
        return;
    }
    if ((revents & (POLLIN | POLLHUP | POLLERR)) && may_read(p))
        from_line(p);
    if (p->line.state == LINE_UP && line_flush(&p->line) < 0)
        line_gone(p);
}

static void flush_logs(struct plain *p)
{
    const char *trouble;
    char text[128];

    logs_flush(&p->logs);
    trouble = logs_trouble(&p->logs);
    if (!trouble)
        return;
    snprintf(text, sizeof(text), LOGS_INCOMPLETE, trouble);
    say(p, text);
}

/* Each round looks at the keys: one can leave in the midst of a flood. */
static void loop(struct plain *p)
{
    struct pollfd fds[3];

    while (!p->quit_now && !p->lost && !time_is_over(p)) {
        try_reopen(p);
        fill(p, fds);
        if (p->slow)
            flush_logs(p);
        if (poll(fds, 3, timeout_ms(p)) < 0)
            continue;
        if (fds[2].revents && !(fds[1].revents & POLLIN))
            to_user(p);
        if (fds[1].revents)
            handle_line(p, fds[1].revents);
        if (fds[0].revents)
            from_user(p);
        to_line(p);
    }
    /* What came before the end is shown, unless the person wants to leave. */
    if (p->shown_len && p->lost)
        write_all(STDOUT_FILENO, p->shown + p->shown_at, p->shown_len);
}

/* 0, or the exit status after a message. */
static int set_up(struct plain *p, const struct settings *set)
{
    size_t size;

    p->set = set;
    p->in_open = true;
    p->tty_in = isatty(STDIN_FILENO);
    p->out_fd = userterm_output();
    for (size_t i = 0; i < sizeof(p->quit) - 1 && set->quit_keys[i]; i++)
        p->quit[i] = (char)(set->quit_keys[i] & 0x1f);
    view_init(&p->view, set);
    if (logs_open(&p->logs, set))
        return 2;
    if (p->logs.text_fd >= 0)
        p->text = lines_new(100, &log_ops, p);
    charmap_init(&p->imap, set->imap);
    charmap_init(&p->omap, set->omap);
    charmap_init(&p->emap, set->emap);
    p->slow = !view_is_plain(&p->view) || p->imap.active ||
              p->logs.text_fd >= 0 || p->logs.record_fd >= 0 ||
              p->logs.raw_fd >= 0;
    size = (size_t)CHUNK * (view_is_plain(&p->view) ? 1 : VIEW_GROWTH) *
           CHARMAP_GROWTH;
    if (size < 2 * CHUNK)
        size = 2 * CHUNK;
    p->shown = malloc(size);
    if (!p->shown || outq_init(&p->out, CHUNK, set->char_delay_ms,
                               set->line_delay_ms))
        return 2;
    signal(SIGPIPE, SIG_IGN);
    if (line_init(&p->line, set) == 0 && line_open(&p->line) == 0)
        return 0;
    fprintf(stderr, "miniterm: %s%s\n", p->line.error,
            set->reconnect ? "; waiting for it" : "");
    p->reopen_at = now_us() + REOPEN_US;
    return set->reconnect ? 0 : 3;
}

static void banner(const struct plain *p)
{
    if (p->set->quiet || (!p->tty_in && p->line.kind != LINE_PTY))
        return;
    fprintf(stderr, "miniterm: %s; CTRL-%c leaves\n", p->line.where,
            p->set->quit_keys[0] ? p->set->quit_keys[0] : '?');
}

/*
 * The state is static because of its size; there is one pass-through in a
 * program.
 */
int plain_run(const struct settings *set)
{
    static struct plain p;
    int rc;

    /* Before the line is open: the guardian must not hold it. */
    if (isatty(STDIN_FILENO))
        userterm_arm(STDIN_FILENO, NULL);
    rc = set_up(&p, set);
    if (rc)
        return rc;
    banner(&p);
    if (p.tty_in)
        userterm_raw();
    loop(&p);
    userterm_restore();
    if (p.text)
        lines_end(p.text);
    lines_free(p.text);
    logs_close(&p.logs);
    line_free(&p.line);
    outq_free(&p.out);
    free(p.shown);
    return p.lost ? 3 : 0;
}
