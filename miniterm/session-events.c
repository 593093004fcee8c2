/* SPDX-License-Identifier: GPL-2.0-only */
/* What a session makes of what it hears: channels, lines, triggers, time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "util.h"

#define TICK_US 1000000
#define FREEZE_AFTER_US 1500000     /* what belongs to the crash follows it */
#define TRIGGER_HOLDOFF_US 10000000 /* a crash matches many times */
#define BREAKIN_WAIT_US 500000

/*
 * One direction of the debugger's channel, as on the wire. The record keeps
 * the top bits.
 */
void session_high(struct session *s, bool to_target, const uint8_t *data,
                  size_t len)
{
    struct rsp_stream *r = to_target ? &s->rsp_out : &s->rsp_in;
    uint8_t clear[1024];

    logs_record(&s->logs, to_target ? REC_HIGH_OUT : REC_HIGH_IN, data, len);
    while (len) {
        size_t n = len < sizeof(clear) ? len : sizeof(clear);

        for (size_t i = 0; i < n; i++)
            clear[i] = cs_unmark(data[i]);
        rsp_feed(r, clear, n);
        data += n;
        len -= n;
    }
}

/* To the driver and the panes. */
static void console_text(struct session *s, const uint8_t *data, size_t len)
{
    rawring_put(&s->low, data, len);
    if (s->ops->output)
        s->ops->output(s->user, data, len);
    tagger_feed(&s->tagger, data, len);
    s->tagger_fed = now_us();
}

/* One run of the console's channel; the record has it as it came. */
static void console(struct session *s, const uint8_t *data, size_t len)
{
    uint8_t mapped[CHARMAP_GROWTH * 4096];

    logs_record(&s->logs, REC_LOW_IN, data, len);
    if (!s->imap.active)
        console_text(s, data, len);
    while (s->imap.active && len) {
        size_t n = len < 4096 ? len : 4096;

        console_text(s, mapped, charmap(&s->imap, mapped, data, n));
        data += n;
        len -= n;
    }
}

/* Bytes from the line; runs of one channel are handed on together. */
void session_low(struct session *s, const uint8_t *data, size_t len)
{
    size_t from = 0;

    if (s->set->eight_bit) {
        console(s, data, len);
        return;
    }
    while (from < len) {
        bool high = cs_is_high(data[from]);
        size_t to = from + 1;

        while (to < len && cs_is_high(data[to]) == high)
            to++;
        if (high)
            session_high(s, false, data + from, to - from);
        else
            console(s, data + from, to - from);
        from = to;
    }
}

void session_replay(struct session *s, const struct record *r)
{
    s->wall = r->wall;
    s->heard = now_us();
    s->replaying = true;
    switch (r->kind) {
    case REC_LOW_IN: console(s, r->data, r->len); break;
    case REC_HIGH_IN: session_high(s, false, r->data, r->len); break;
    case REC_HIGH_OUT: session_high(s, true, r->data, r->len); break;
    case REC_NOTE:
        if (s->ops->say) {
            char text[RECORD_MAX + 1];

            memcpy(text, r->data, r->len);
            text[r->len] = '\0';
            s->ops->say(s->user, text);
        }
        break;
    default: break;
    }
    s->dirty = true;
}

/* ------------------------------------------------------ complete lines */

static const char *tag_of(const struct pane *p, char buf[16])
{
    if (p->kind == PANE_HV)
        return "(XEN)";
    if (p->domain == 0)
        return "";
    snprintf(buf, 16, "(d%d)", p->domain);
    return buf;
}

/* The hypervisor's banner tells its build: are our symbols of that one? */
static void banner_line(struct session *s, const char *text)
{
    char hex[65], why[160];

    if (s->symbols && sscanf(text, "build-id: %64[0-9a-f]", hex) == 1 &&
        !symbols_running(s->symbols, hex, why, sizeof(why)))
        session_say(s, "%s", why);
}

/*
 * Everything that is made of a complete line, in this order: first what later
 * steps rely on (who has the input), last what may act.
 */
void session_line_done(void *user, struct tline *t)
{
    struct pane *p = user;
    struct session *s = p->session;
    const struct trigger_rule *rule;
    char tag[16];

    if (t->mark)
        return;
    hvkeys_line(&s->keys, t->text, t->len);
    palette_line(&s->palette, t->text, t->len);
    if (p->kind == PANE_HV)
        banner_line(s, t->text);
    if (s->symbols)
        t->note = symbols_annotate(s->symbols, t->text, t->len);
    if (t->note) {
        char *both = xasprintf("%s  ; %s", t->text, t->note);

        logs_text(&s->logs, t->wall, tag_of(p, tag), both, strlen(both));
        free(both);
    } else {
        logs_text(&s->logs, t->wall, tag_of(p, tag), t->text, t->len);
    }
    rule = rules_trigger(s->rules, t->text, t->len);
    if (rule)
        session_fire(s, rule, t->text);
}

static void on_alt(void *user, bool on)
{
    pane_alt_screen(user, on);
}

static void on_bell(void *user)
{
    struct session *s = ((struct pane *)user)->session;

    if (s->ops->bell)
        s->ops->bell(s->user);
}

const struct lines_ops session_lines_ops = {
    .done = session_line_done,
    .alt_screen = on_alt,
    .bell = on_bell,
};

const struct lines_ops session_quiet_ops = { .done = NULL };

/* ------------------------------------------------------------ triggers */

/* Runs a command that nobody waits for. */
static void run_command(struct session *s, const struct trigger_rule *rule,
                        const char *text)
{
    pid_t pid = fork();
    int null;

    if (pid > 0)
        waitpid(pid, NULL, 0);
    if (pid != 0)
        return;
    if (fork() != 0)
        _exit(0);
    setsid();
    setenv("MINITERM_TRIGGER", rule->name, 1);
    setenv("MINITERM_LINE", text, 1);
    setenv("MINITERM_TARGET", s->set->target ? s->set->target : "", 1);
    signal(SIGPIPE, SIG_DFL);
    close_range(0, ~0U, 0);
    null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    if (execl("/bin/sh", "sh", "-c", rule->command, (char *)NULL))
        _exit(127);
}

/* One crash matches several of the shipped rules: the first one tells. */
static bool same_event(const struct trigger_rule *a,
                       const struct trigger_rule *b)
{
    return a == b || (a->shipped && b->shipped);
}

/*
 * Says, keeps, acts. The holdoff keeps a crash of fifty matching lines from
 * running fifty commands.
 */
void session_fire(struct session *s, const struct trigger_rule *rule,
                  const char *text)
{
    uint64_t now = now_us();

    s->nr_triggers++;
    if (now < s->trigger_quiet_until && same_event(s->fired, rule))
        return;
    session_say(s, "trigger %s: %.200s", rule->name, text);
    if (rule->bell && s->ops->bell)
        s->ops->bell(s->user);
    if (rule->freeze && !s->freeze_at)
        s->freeze_at = now + FREEZE_AFTER_US;
    s->fired = rule;
    s->trigger_quiet_until = now + TRIGGER_HOLDOFF_US;
    /* A replay looks; it does nothing to the world. */
    if (s->replaying)
        return;
    if (rule->command)
        run_command(s, rule, text);
    if (rule->keys)
        session_press(s, rule->keys);
    if (rule->gdb && s->ops->want_gdb)
        s->ops->want_gdb(s->user);
}

/* The oldest copy makes room when there are enough of them. */
static void limit_frozen(struct session *s)
{
    struct pane *oldest = NULL;
    unsigned nr = 0;

    for (unsigned i = 0; i < s->nr_panes; i++)
        if (s->pane[i]->kind == PANE_FROZEN) {
            oldest = oldest ? oldest : s->pane[i];
            nr++;
        }
    if (nr >= SESSION_FROZEN_MAX)
        session_drop_pane(s, oldest);
}

/*
 * Fed from the ring of raw bytes: the copy has the tags and the order in
 * which things came, across all panes.
 */
static void freeze(struct session *s)
{
    struct pane *p;
    char when[TIME_TEXT_MAX];
    uint8_t byte;

    s->freeze_at = 0;
    limit_frozen(s);
    p = session_pane(s, PANE_FROZEN, 0);
    if (p->kind != PANE_FROZEN)
        return;
    time_short(when, s->wall);
    snprintf(p->title, sizeof(p->title), "frozen: %.16s %.8s",
             s->fired->name, when);
    for (uint64_t i = rawring_first(&s->low); i < s->low.total; i++) {
        byte = rawring_at(&s->low, i);
        pane_feed(p, &byte, 1, s->wall, session_reply);
    }
    session_say(s, "kept a copy: pane '%s'", p->title);
}

/* ------------------------------------------------------------- the clock */

/*
 * Only a line that is up can be silent. The mark comes when the bound is
 * reached and when the silence ends.
 */
static void watch_silence(struct session *s, uint64_t now)
{
    uint64_t quiet = (now - s->heard) / 1000000;
    char text[80];

    if (!s->set->silence_s || s->line.state != LINE_UP)
        return;
    if (!s->silent && quiet >= s->set->silence_s) {
        s->silent = true;
        s->silent_since = s->heard;
        snprintf(text, sizeof(text), "--- silence for %llu s ---",
                 (unsigned long long)quiet);
        session_mark_all(s, text);
        session_say(s, "nothing heard for %llu s",
                    (unsigned long long)quiet);
        for (size_t i = 0; i < s->set->nr_triggers; i++)
            if (!strcmp(s->set->triggers[i].name, "silence"))
                session_fire(s, &s->set->triggers[i], text);
    } else if (s->silent && s->heard > s->silent_since) {
        s->silent = false;
        snprintf(text, sizeof(text), "--- %llu s of silence ended ---",
                 (unsigned long long)(s->heard - s->silent_since) / 1000000);
        session_mark_all(s, text);
    }
}

/* Lost characters are said where they were lost. */
static void watch_errors(struct session *s)
{
    struct line_errors now = { 0 };
    char text[100];

    s->has_errors = line_get_errors(&s->line, &now);
    if (!s->has_errors)
        return;
    if (now.frame != s->errors.frame || now.overrun != s->errors.overrun ||
        now.parity != s->errors.parity) {
        snprintf(text, sizeof(text), "--- lost here: %u framing, %u overrun, "
                 "%u parity errors ---", now.frame - s->errors.frame,
                 now.overrun - s->errors.overrun,
                 now.parity - s->errors.parity);
        session_mark_all(s, text);
    }
    s->errors = now;
}

/* Bytes per second over about the last second. */
static void watch_rates(struct session *s, uint64_t now)
{
    uint64_t span = now - s->rates.since;

    if (span < TICK_US)
        return;
    s->rates.rx = (unsigned)((s->line.rx - s->rates.rx_at) * 1000000 / span);
    s->rates.tx = (unsigned)((s->line.tx - s->rates.tx_at) * 1000000 / span);
    s->rates.rx_at = s->line.rx;
    s->rates.tx_at = s->line.tx;
    s->rates.since = now;
}

static void due(uint64_t now, uint64_t when, uint64_t *wait_us)
{
    uint64_t left = when > now ? when - now : 0;

    if (*wait_us > left)
        *wait_us = left;
}

static void watch_breakin(struct session *s, uint64_t now);

/*
 * Everything that time alone brings about. *wait_us is lowered to the
 * earliest of it.
 */
void session_watch(struct session *s, uint64_t now, uint64_t *wait_us)
{
    if (s->tagger.nr_held) {
        if (now >= s->tagger_fed + TAGGER_HOLD_US) {
            tagger_flush(&s->tagger);
            s->dirty = true;
        } else {
            due(now, s->tagger_fed + TAGGER_HOLD_US, wait_us);
        }
    }
    if (s->freeze_at && now >= s->freeze_at)
        freeze(s);
    if (s->freeze_at)
        due(now, s->freeze_at, wait_us);
    watch_breakin(s, now);
    if (s->breakin != BREAKIN_NONE)
        due(now, s->breakin_at, wait_us);
    if (now >= s->tick_at) {
        s->tick_at = now + TICK_US;
        watch_silence(s, now);
        watch_errors(s);
        watch_rates(s, now);
        s->dirty = true;
    }
    due(now, s->tick_at, wait_us);
}

/* ------------------------------------------------- stopping the target */

void session_break(struct session *s)
{
    if (line_break(&s->line) < 0)
        session_say(s, "%s", s->line.error);
    else
        session_say(s, "BREAK sent");
}

/* Use is remembered for the palette's order. */
bool session_press(struct session *s, const char *keys)
{
    if (!hvkeys_press(&s->keys, keys)) {
        session_say(s, "earlier keys still wait for the hypervisor");
        return false;
    }
    for (const char *k = keys; *k; k++)
        palette_use(&s->palette, *k);
    return true;
}

void session_switch_input(struct session *s)
{
    if (!hvkeys_switch(&s->keys))
        session_say(s, "busy with the hypervisor");
}

/*
 * For the debugger itself; with gdb attached its packets and ours must not
 * mix, which callers see to.
 */
static void type_high(struct session *s, const char *text)
{
    for (; *text; text++) {
        uint8_t byte = cs_mark((uint8_t)*text);

        queue_put(&s->high_out, &byte, 1);
    }
}

/*
 * An attached gdb gets the interrupt through the splitter, which knows its
 * state; otherwise we try by ourselves.
 */
void session_break_in(struct session *s)
{
    struct gdbport_status st = { false, false, 0, 0, 0 };

    if (s->set->eight_bit) {
        session_say(s, "an 8-bit line has no debugger's channel; "
                    "the palette may have the key D");
        return;
    }
    if (s->gdb)
        gdbport_get_status(s->gdb, &st);
    if (st.attached) {
        gdbport_interrupt(s->gdb);
        session_say(s, "interrupt sent for gdb");
        return;
    }
    type_high(s, "\003");
    s->breakin = BREAKIN_CHAR;
    s->breakin_asked = false;
    s->breakin_at = now_us() + BREAKIN_WAIT_US;
    session_say(s, "breaking in (0x83) ...");
}

/* The next way in, or the end of them. */
static void next_way_in(struct session *s)
{
    s->breakin_asked = false;
    if (s->breakin == BREAKIN_CHAR && line_break(&s->line) == 0) {
        s->breakin = BREAKIN_BREAK;
        session_say(s, "breaking in (BREAK) ...");
    } else if (s->breakin != BREAKIN_KEY) {
        s->breakin = BREAKIN_KEY;
        session_say(s, "breaking in (key D) ...");
        session_press(s, "D");
    } else {
        s->breakin = BREAKIN_NONE;
        session_say(s, "no stop reply: is pdb on this line (pdb=com1H)?");
    }
}

/* No stop reply in time: ask for one, then take the next way. */
static void watch_breakin(struct session *s, uint64_t now)
{
    if (s->breakin == BREAKIN_NONE || now < s->breakin_at)
        return;
    /* The key has to wait for the input to be switched. */
    if (hvkeys_busy(&s->keys)) {
        s->breakin_at = now + BREAKIN_WAIT_US / 4;
        return;
    }
    s->breakin_at = now + BREAKIN_WAIT_US;
    if (s->breakin_asked) {
        next_way_in(s);
    } else {
        s->breakin_asked = true;
        type_high(s, "$?#3f");
    }
}

/* Called for every packet seen; only stop replies of the target matter. */
void session_stopped(struct session *s, const struct rsp_event *ev)
{
    char thread[32], core[16];
    unsigned sig;

    if (!rsp_stop_reply(ev, &sig, thread, core))
        return;
    session_say(s, "target stopped: signal %u%s%s%s%s", sig,
                *core ? ", CPU " : "", core, *thread ? ", thread " : "",
                thread);
    if (s->breakin == BREAKIN_NONE)
        return;
    s->breakin = BREAKIN_NONE;
    /* Nobody's gdb is there to acknowledge it. */
    type_high(s, "+");
}

/* The plain `c` packet. The stub that waits for it has our `+` already. */
void session_continue(struct session *s)
{
    struct gdbport_status st = { false, false, 0, 0, 0 };

    if (s->gdb)
        gdbport_get_status(s->gdb, &st);
    if (st.attached) {
        session_say(s, "gdb holds the target; continue there");
        return;
    }
    type_high(s, "$c#63");
    session_say(s, "told the target to continue");
}
