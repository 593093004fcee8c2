/* SPDX-License-Identifier: GPL-2.0-only */
/* A session: its parts, its line and its loop's two halves. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "util.h"

#define REOPEN_US 1000000

void session_say(struct session *s, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    logs_note(&s->logs, text);
    if (s->ops->say)
        s->ops->say(s->user, text);
    s->dirty = true;
}

/* A line in the gdb pane for each packet, with its meaning. */
static void on_rsp(void *user, const struct rsp_event *ev)
{
    struct session *s = user;
    struct pane *p = session_pane(s, PANE_GDB, 0);
    char text[256];

    /* Acks say nothing; all else is a line. */
    if (ev->kind == RSP_ACK)
        return;
    rsp_describe(&s->rsp_context, ev, text, sizeof(text));
    lines_mark(p->lines, text, s->wall);
    p->unread = true;
    s->dirty = true;
    session_stopped(s, ev);
}

/* Queued here so that typed bytes and packets take turns. */
static size_t on_gdb_write(void *user, const uint8_t *data, size_t len)
{
    struct session *s = user;

    return s->line.state == LINE_UP ? queue_put(&s->high_out, data, len) : 0;
}

static void on_gdb_break(void *user)
{
    session_break(user);
}

static void on_gdb_event(void *user, const char *text)
{
    session_say(user, "%s", text);
}

static const struct gdbport_ops gdb_ops = {
    .write = on_gdb_write,
    .send_break = on_gdb_break,
    .event = on_gdb_event,
};

/* Everything that can be wrong in the settings, before the line. */
static int open_parts(struct session *s)
{
    const char *elf = s->set->symbols.nr ? s->set->symbols.item[0] : NULL;
    bool failed;
    char why[300];

    s->rules = rules_new(s->set);
    s->symbols = symbols_new(&s->set->symbols, &failed);
    if (!s->rules || failed || logs_open(&s->logs, s->set))
        return -1;
    if (outq_init(&s->out, 65536, s->set->char_delay_ms,
                  s->set->line_delay_ms) ||
        queue_init(&s->high_out, 65536))
        return -1;
    if (!s->set->gdb_port)
        return 0;
    s->gdb = gdbport_new(s->set->gdb_port, elf, &gdb_ops, s, why,
                         sizeof(why));
    if (s->gdb)
        return 0;
    fprintf(stderr, "miniterm: %s\n", why);
    return -1;
}

/* A run of one owner, its tag removed. */
static void on_tagged(void *user, int owner, const uint8_t *data, size_t len)
{
    struct session *s = user;
    enum pane_kind kind = owner == OWNER_HV ? PANE_HV : PANE_DOMAIN;
    struct pane *p = session_pane(s, kind, owner);
    struct cs_unescape *u = &s->unescape[owner != OWNER_HV];
    uint8_t clear[4096 + 8];
    size_t n = 0;

    if (s->set->eight_bit) {
        pane_feed(p, data, len, s->wall, session_reply);
        return;
    }
    /* \xHH of a shared line becomes the byte again, for display. */
    for (size_t i = 0; i < len; i++) {
        n += cs_unescape(u, data[i], clear + n);
        if (n >= 4096) {
            pane_feed(p, clear, n, s->wall, session_reply);
            n = 0;
        }
    }
    n += cs_unescape_end(u, clear + n);
    memset(u, 0, sizeof(*u));
    pane_feed(p, clear, n, s->wall, session_reply);
}

/* Panes that are always there come first: their numbers are fixed. */
struct session *session_new(const struct settings *set,
                            const struct session_ops *ops, void *user)
{
    struct session *s = xcalloc(1, sizeof(*s));

    s->set = set;
    charmap_init(&s->imap, set->imap);
    charmap_init(&s->omap, set->omap);
    charmap_init(&s->emap, set->emap);
    s->ops = ops;
    s->user = user;
    s->logs.record_fd = s->logs.text_fd = s->logs.raw_fd = -1;
    hvkeys_init(&s->keys);
    tagger_init(&s->tagger, on_tagged, s);
    rsp_init(&s->rsp_in, false, on_rsp, s);
    rsp_init(&s->rsp_out, true, on_rsp, s);
    s->heard = s->tick_at = now_us();
    s->wall = wall_us();
    s->line.fd = s->line.slave_fd = -1;
    session_pane(s, PANE_HV, 0);
    session_pane(s, PANE_DOMAIN, 0);
    if (!set->eight_bit)
        session_pane(s, PANE_GDB, 0);
    if (open_parts(s)) {
        session_free(s);
        return NULL;
    }
    return s;
}

void session_free(struct session *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->nr_panes; i++)
        pane_free(s->pane[i]);
    session_exec_end(s);
    gdbport_free(s->gdb);
    if (s->sending)
        fclose(s->sending);
    if (s->line.name)
        line_free(&s->line);
    logs_close(&s->logs);
    rules_free(s->rules);
    symbols_free(s->symbols);
    outq_free(&s->out);
    queue_free(&s->high_out);
    free(s);
}

static void now_connected(struct session *s)
{
    if (s->reopen_at)
        session_mark_all(s, "--- connected again ---");
    s->heard = now_us();
    session_say(s, "connected: %s", s->line.where);
}

int session_open(struct session *s)
{
    if (line_init(&s->line, s->set) < 0)
        return -1;
    if (line_open(&s->line) < 0)
        return -1;
    if (s->line.state == LINE_UP)
        now_connected(s);
    return 0;
}

/* The line is gone: for good, or until it can be opened again. */
static void line_gone(struct session *s)
{
    char text[260];

    session_exec_hang_up(s);
    line_close(&s->line);
    if (s->set->reconnect) {
        s->reopen_at = now_us() + REOPEN_US;
        snprintf(text, sizeof(text), "--- %s; trying again ---",
                 s->line.error);
        session_mark_all(s, text);
    } else {
        s->lost = true;
    }
    session_say(s, "%s", s->line.error);
}

static void try_reopen(struct session *s, uint64_t now)
{
    if (s->line.state != LINE_DOWN || !s->reopen_at || now < s->reopen_at)
        return;
    s->reopen_at = now + REOPEN_US;
    if (line_open(&s->line) == 0 && s->line.state == LINE_UP)
        now_connected(s);
}

void session_reconnect(struct session *s)
{
    line_close(&s->line);
    s->reopen_at = now_us();
    session_say(s, "reconnecting to %s", s->line.name);
}

/* What is typed shows in the pane of whoever has the input. */
static void echo(struct session *s, const uint8_t *data, size_t len)
{
    struct pane *pane = session_input_pane(s);
    uint8_t mapped[2 * CHARMAP_GROWTH];

    for (size_t i = 0; i < len; i++) {
        /* Enter ends the line on the screen as well. */
        uint8_t two[2] = { data[i], '\n' };
        size_t n = charmap(&s->emap, mapped, two, data[i] == '\r' ? 2 : 1);

        pane_feed(pane, mapped, n, wall_us(), session_reply);
    }
    s->dirty = true;
}

/* One byte in the form that the line needs; false when there is no room. */
static bool queue_typed(struct session *s, uint8_t byte)
{
    uint8_t mapped[CHARMAP_GROWTH], form[CS_ENCODED_MAX];
    size_t nr = charmap(&s->omap, mapped, &byte, 1);

    if (queue_room(&s->out.q) < CHARMAP_GROWTH * CS_ENCODED_MAX)
        return false;
    for (size_t i = 0; i < nr; i++) {
        unsigned n = 1;

        form[0] = mapped[i];
        /* The debugger's channel of a shared line is not for typing. */
        if (mapped[i] >= 0x80 && !s->set->eight_bit)
            n = cs_encode(CS_CONSOLE, CS_L, mapped[i], form);
        outq_put(&s->out, form, n);
    }
    return true;
}

size_t session_type(struct session *s, const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t taken = 0;

    while (taken < len && queue_typed(s, p[taken]))
        taken++;
    if (s->set->echo && taken)
        echo(s, p, taken);
    return taken;
}

int session_send_file(struct session *s, const char *path)
{
    if (s->sending) {
        session_say(s, "a file is being sent already");
        return -1;
    }
    s->sending = fopen(path, "re");
    s->sent_of_file = 0;
    if (s->sending)
        return 0;
    session_say(s, "%s: %s", path, strerror(errno));
    return -1;
}

/* Keeps the queue filled; what is typed meanwhile goes in between. */
static void feed_file(struct session *s)
{
    int c;

    while (s->sending && queue_room(&s->out.q) > 32768) {
        char byte;

        c = getc(s->sending);
        if (c == EOF) {
            session_say(s, ferror(s->sending) ? "reading the file failed "
                        "after %llu bytes" : "file sent: %llu bytes",
                        (unsigned long long)s->sent_of_file);
            fclose(s->sending);
            s->sending = NULL;
            break;
        }
        byte = c == '\n' ? '\r' : (char)c;
        session_type(s, &byte, 1);
        s->sent_of_file++;
    }
}

/* Sends what is due; gdb's bytes and typed ones take turns. */
static void send_out(struct session *s)
{
    uint64_t now = now_us(), never = UINT64_MAX;
    const uint8_t *run;
    ssize_t n = 0;
    size_t len;

    run = outq_ready(&s->out, now, &len, &never);
    if (len)
        n = line_write(&s->line, run, len);
    if (n > 0) {
        logs_record(&s->logs, REC_LOW_OUT, run, (size_t)n);
        outq_sent(&s->out, now, (size_t)n);
    }
    run = queue_peek(&s->high_out, &len);
    if (n >= 0 && len) {
        n = line_write(&s->line, run, len);
        if (n > 0) {
            session_high(s, true, run, (size_t)n);
            queue_drop(&s->high_out, (size_t)n);
        }
    }
    if (n < 0)
        line_gone(s);
}

/*
 * One read for each round: gdb's clients, keys and the display get their turn
 * between them.
 */
static void receive(struct session *s)
{
    uint8_t buf[65536];
    ssize_t n = line_read(&s->line, buf, sizeof(buf));

    if (n < 0) {
        line_gone(s);
        return;
    }
    if (!n)
        return;
    s->heard = now_us();
    s->wall = wall_us();
    logs_raw(&s->logs, buf, (size_t)n);
    hvkeys_heard(&s->keys, s->heard);
    if (session_exec_busy(s)) {
        logs_record(&s->logs, REC_LOW_IN, buf, (size_t)n);
        queue_put(&s->exec.to, buf, (size_t)n);
        return;
    }
    if (s->gdb)
        gdbport_feed(s->gdb, buf, (size_t)n);
    session_low(s, buf, (size_t)n);
    s->dirty = true;
}

/* Types what the debug keys ask for. */
static void drive_keys(struct session *s, uint64_t now, uint64_t *wait_us)
{
    char type[64];
    size_t n = hvkeys_poll(&s->keys, now, type, wait_us);

    if (n)
        outq_put(&s->out, type, n);
    if (s->keys.failed) {
        s->keys.failed = false;
        session_say(s, "no answer to CTRL-%c x3: is it the hypervisor's "
                    "console, and is conswitch on?",
                    s->keys.switch_char + 'a' - 1);
    }
}

/* Paced bytes that are not due yet do not ask for POLLOUT: that would spin. */
static size_t prepare_line(struct session *s, struct pollfd *fds,
                           uint64_t *wait_us)
{
    size_t typed;

    if (s->line.fd < 0)
        return 0;
    outq_ready(&s->out, now_us(), &typed, wait_us);
    fds->fd = s->line.fd;
    fds->events = s->line.state == LINE_UP ? POLLIN : 0;
    /* One read is 64 KiB at most: what is taken has its room. */
    if (session_exec_busy(s) && queue_room(&s->exec.to) < 65536)
        fds->events = 0;
    if (typed || s->high_out.len || line_wants_out(&s->line))
        fds->events |= POLLOUT;
    return 1;
}

/*
 * The line first, then programs in panes (their number is bounded), then the
 * splitter's own.
 */
size_t session_prepare(struct session *s, struct pollfd *fds,
                       uint64_t *wait_us)
{
    uint64_t now = now_us();
    int ms = -1;
    size_t nr;
    const char *trouble;

    try_reopen(s, now);
    feed_file(s);
    drive_keys(s, now, wait_us);
    session_watch(s, now, wait_us);
    logs_flush(&s->logs);
    trouble = logs_trouble(&s->logs);
    if (trouble)
        session_say(s, LOGS_INCOMPLETE, trouble);
    nr = prepare_line(s, fds, wait_us);
    s->exec_fds = nr;
    nr += session_exec_prepare(s, fds + nr);
    for (unsigned i = 0; i < s->nr_panes; i++)
        if (s->pane[i]->proc_fd >= 0 && nr < 8) {
            fds[nr].fd = s->pane[i]->proc_fd;
            fds[nr++].events = POLLIN;
        }
    s->nr_own_fds = nr;
    if (s->gdb)
        nr += gdbport_prepare(s->gdb, fds + nr, GDBPORT_MAX_FDS, &ms);
    if (ms >= 0 && *wait_us > (uint64_t)ms * 1000)
        *wait_us = (uint64_t)ms * 1000;
    return nr;
}

/* Data first, even when the same poll() reports a hang-up. */
static void handle_line(struct session *s, short revents)
{
    if (s->line.state == LINE_CONNECTING) {
        if (!revents)
            return;
        if (line_connected(&s->line) < 0)
            line_gone(s);
        else
            now_connected(s);
        return;
    }
    if (revents & (POLLIN | POLLHUP | POLLERR))
        receive(s);
    if (s->line.state == LINE_UP && line_flush(&s->line) < 0)
        line_gone(s);
}

/* A pty whose child is gone reads as EIO. */
static void handle_proc(struct session *s, int fd)
{
    uint8_t buf[16384];
    struct pane *p = NULL;
    ssize_t n;

    for (unsigned i = 0; i < s->nr_panes; i++)
        if (s->pane[i]->proc_fd == fd)
            p = s->pane[i];
    if (!p)
        return;
    n = read(fd, buf, sizeof(buf));
    s->dirty = true;
    if (n > 0) {
        pane_feed(p, buf, (size_t)n, wall_us(), session_reply);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        kill(p->proc_pid, SIGHUP);
        waitpid(p->proc_pid, NULL, WNOHANG);
        session_say(s, "%s has ended", p->title);
        session_drop_pane(s, p);
    }
}

/* What the round brought is acted on before more is sent. */
void session_handle(struct session *s, const struct pollfd *fds, size_t nr)
{
    size_t i = 0;

    if (s->nr_own_fds && s->line.fd >= 0 && fds[0].fd == s->line.fd) {
        handle_line(s, fds[0].revents);
        i = 1;
    }
    if (session_exec_busy(s)) {
        session_exec_handle(s, fds + s->exec_fds);
        i = s->exec_fds + SESSION_EXEC_FDS;
    }
    for (; i < s->nr_own_fds; i++)
        if (fds[i].revents)
            handle_proc(s, fds[i].fd);
    if (s->gdb)
        gdbport_handle(s->gdb, fds + s->nr_own_fds, nr - s->nr_own_fds);
    if (s->line.state == LINE_UP)
        send_out(s);
}
