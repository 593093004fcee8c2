/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Batch mode: a list of steps against the same session that the screen shows.
 * Output is matched from where the last match ended; the last WINDOW bytes of
 * what did not match yet are kept.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "plain.h"
#include "regex.h"
#include "session.h"
#include "userterm.h"
#include "util.h"

#define WINDOW 262144

enum { OK_ALL = 0, TIMED_OUT = 1, USAGE = 2, TARGET_LOST = 3, FAILED = 4 };

struct batch {
    const struct settings *set;
    struct session *s;
    struct regex **re;     /* one for each STEP_EXPECT */
    struct regex *fail;
    char *window;
    size_t len;
    size_t fail_from;      /* start of the line not yet looked at for it */
    size_t step;
    bool new_output, failed;
    uint64_t deadline;     /* of this step; 0: it has not begun */
    double timeout_s;
    uint8_t *sending;
    size_t send_len, send_at;
};

/*
 * The session's console bytes: copied to stdout as they are and kept for
 * matching. Writing may block, which in turn holds the target back.
 */
static void on_output(void *user, const uint8_t *data, size_t len)
{
    struct batch *b = user;

    if (!b->set->quiet)
        (void)!write_all(STDOUT_FILENO, data, len);
    while (len) {
        size_t room = WINDOW - b->len, n = len < room ? len : room;

        if (!room) {
            /* Half is forgotten; a match spans no more than the rest. */
            memmove(b->window, b->window + WINDOW / 2, WINDOW / 2);
            b->len = WINDOW / 2;
            b->fail_from = 0;
            continue;
        }
        memcpy(b->window + b->len, data, n);
        b->len += n;
        data += n;
        len -= n;
        b->new_output = true;
    }
}

/*
 * Messages about the line go to stderr, so that stdout is the target's output
 * alone.
 */
static void on_say(void *user, const char *text)
{
    struct batch *b = user;

    if (!b->set->quiet)
        fprintf(stderr, "miniterm: %s\n", text);
}

static const struct session_ops ops = { .output = on_output, .say = on_say };

static int complain(const char *what, const char *text)
{
    fprintf(stderr, "miniterm: %s %s\n", what, text);
    return -1;
}

/*
 * Every step is checked before the line is opened: a typo must not cost a
 * boot.
 */
static int check_step(struct batch *b, const struct step *st, size_t i)
{
    char why[200], *end;
    size_t len = strlen(st->text);
    uint8_t *trial;
    ssize_t n;

    switch (st->kind) {
    case STEP_FILE:
        return access(st->text, R_OK) ? complain("--send-file: cannot read",
                                                 st->text) : 0;
    case STEP_EXPECT:
        b->re[i] = regex_new(st->text, false, why, sizeof(why));
        return b->re[i] ? 0 : complain("--expect", why);
    case STEP_SEND:
        trial = xcalloc(1, len + 1);
        n = escape_decode(trial, st->text, len);
        free(trial);
        return n < 0 ? complain("--send: a backslash stands before n r t e "
                                "\\ 0 or xHH only:", st->text) : 0;
    case STEP_WAIT:
        if (strtod(st->text, &end) < 0 || *end || end == st->text)
            return complain("--wait is no number of seconds:", st->text);
        return 0;
    default:
        return 0;
    }
}

/* All steps and --fail; compiled patterns stay in b->re, by step number. */
static int check_steps(struct batch *b)
{
    char why[200];

    b->re = xcalloc(b->set->nr_steps, sizeof(*b->re));
    for (size_t i = 0; i < b->set->nr_steps; i++)
        if (check_step(b, &b->set->steps[i], i))
            return -1;
    if (!b->set->fail)
        return 0;
    b->fail = regex_new(b->set->fail, false, why, sizeof(why));
    return b->fail ? 0 : complain("--fail", why);
}

/* --fail looks at every byte once, from the start of its line. */
static void look_for_failure(struct batch *b)
{
    size_t start, end;
    char *lf;

    if (!b->fail)
        return;
    if (regex_find(b->fail, b->window, b->len, b->fail_from, &start, &end)) {
        b->failed = true;
        fprintf(stderr, "\nminiterm: --fail matched: %.*s\n",
                (int)(end - start), b->window + start);
    }
    lf = memrchr(b->window, '\n', b->len);
    if (lf && (size_t)(lf - b->window) + 1 > b->fail_from)
        b->fail_from = (size_t)(lf - b->window) + 1;
}

/*
 * Matched text is gone for later steps: each --expect looks only at what came
 * after the match before it.
 */
static void forget(struct batch *b, size_t upto)
{
    memmove(b->window, b->window + upto, b->len - upto);
    b->len -= upto;
    b->fail_from = b->fail_from > upto ? b->fail_from - upto : 0;
}

/*
 * PCRE2 sees the whole window each time; it is bounded, and new output comes
 * in large pieces, so this stays cheap.
 */
static bool expect_done(struct batch *b)
{
    size_t start, end;

    if (!regex_find(b->re[b->step], b->window, b->len, 0, &start, &end))
        return false;
    forget(b, end);
    return true;
}

/*
 * Text goes out as the queue has room; a long one takes several rounds and
 * keeps its place in send_at.
 */
static bool send_done(struct batch *b, const struct step *st)
{
    if (!b->sending) {
        size_t len = strlen(st->text);

        b->sending = xcalloc(1, len + 1);
        b->send_len = (size_t)escape_decode(b->sending, st->text, len);
        b->send_at = 0;
    }
    b->send_at += session_type(b->s, b->sending + b->send_at,
                               b->send_len - b->send_at);
    if (b->send_at < b->send_len)
        return false;
    free(b->sending);
    b->sending = NULL;
    return true;
}

/* A program that fails ends the batch like a pattern of --fail. */
static bool exec_done(struct batch *b)
{
    if (session_exec_busy(b->s) || b->s->out.q.len)
        return false;
    b->failed = b->s->exec.status != 0;
    return true;
}

/*
 * Called once for each step, when the line is up. Sets the deadline and does
 * what has to be done once.
 */
static void begin(struct batch *b, const struct step *st)
{
    double seconds = st->kind == STEP_WAIT ? strtod(st->text, NULL) :
                     b->timeout_s;

    b->deadline = now_us() + (uint64_t)(seconds * 1e6);
    if (st->kind == STEP_FILE)
        b->failed = session_send_file(b->s, st->text) < 0;
    else if (st->kind == STEP_EXEC)
        b->failed = session_exec(b->s, st->text) < 0;
    else if (st->kind == STEP_KEYS)
        session_press(b->s, st->text);
    else if (st->kind == STEP_BREAK)
        session_break(b->s);
    else if (st->kind == STEP_TIMEOUT)
        b->timeout_s = strtod(st->text, NULL);
}

/*
 * True when the next step may begin. STEP_TIMEOUT and STEP_BREAK are done by
 * having begun.
 */
static bool step_done(struct batch *b, const struct step *st)
{
    switch (st->kind) {
    case STEP_EXPECT: return expect_done(b);
    case STEP_SEND: return send_done(b, st);
    case STEP_FILE: return !b->s->sending;
    case STEP_EXEC: return exec_done(b);
    case STEP_KEYS: return !hvkeys_busy(&b->s->keys);
    case STEP_WAIT: return now_us() >= b->deadline;
    default: return true;
    }
}

/* As many steps as can be done now; the status, or -1 to go on waiting. */
static int advance(struct batch *b)
{
    bool done;

    look_for_failure(b);
    b->new_output = false;
    if (b->failed)
        return FAILED;
    while (b->step < b->set->nr_steps) {
        const struct step *st = &b->set->steps[b->step];

        if (b->s->line.state != LINE_UP && !b->s->lost)
            return -1;
        /* A BREAK comes behind what was sent before it. */
        if (st->kind == STEP_BREAK && b->s->out.q.len)
            return -1;
        if (!b->deadline)
            begin(b, st);
        done = !b->failed && step_done(b, st);
        if (b->failed)
            return FAILED;
        if (!done) {
            if (b->s->lost)
                return TARGET_LOST;
            if (now_us() < b->deadline)
                return -1;
            fprintf(stderr, "\nminiterm: step %zu, --%s '%s': timed out "
                    "after %g s\n", b->step + 1, st->kind == STEP_EXPECT ?
                    "expect" : "send", st->text, b->timeout_s);
            return TIMED_OUT;
        }
        b->deadline = 0;
        b->step++;
    }
    /* What was sent last has to leave. */
    if (b->s->out.q.len || line_wants_out(&b->s->line))
        return b->s->lost ? TARGET_LOST : -1;
    return OK_ALL;
}

/*
 * Waits for the line, the clock and the session's own needs. The time to
 * connect is bounded by the first timeout as well.
 */
static int loop(struct batch *b)
{
    uint64_t connect_by = now_us() + (uint64_t)(b->timeout_s * 1e6);
    struct pollfd fds[SESSION_MAX_FDS];
    int status;

    while ((status = advance(b)) < 0) {
        uint64_t wait_us = 1000000, now = now_us();
        size_t nr;

        if (b->s->line.state != LINE_UP && !b->deadline && now > connect_by)
            return TARGET_LOST;
        if (b->deadline && b->deadline < now + wait_us)
            wait_us = b->deadline > now ? b->deadline - now : 0;
        nr = session_prepare(b->s, fds, &wait_us);
        if (poll(fds, nr, (int)((wait_us + 999) / 1000)) < 0)
            continue;
        session_handle(b->s, fds, nr);
    }
    return status;
}

/*
 * Nothing is opened until all patterns compile; whatever happens, the same
 * things are freed in the same order.
 */
int batch_run(const struct settings *set)
{
    struct batch b = { .set = set, .timeout_s = 30 };
    int status = USAGE;

    signal(SIGPIPE, SIG_IGN);
    b.window = xcalloc(1, WINDOW);
    if (!check_steps(&b))
        b.s = session_new(set, &ops, &b);
    if (b.s && session_open(b.s) < 0 && !set->reconnect) {
        fprintf(stderr, "miniterm: %s\n", b.s->line.error);
        status = TARGET_LOST;
    } else if (b.s) {
        b.s->reopen_at = now_us();
        status = loop(&b);
    }
    session_free(b.s);
    for (size_t i = 0; i < set->nr_steps; i++)
        regex_free(b.re[i]);
    regex_free(b.fail);
    free(b.re);
    free(b.window);
    free(b.sending);
    return status;
}
