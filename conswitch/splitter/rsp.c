/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two legs of a debugger connection.
 *
 * Invariants: at most one command is unacknowledged on the line (`active`);
 * a further one waits in gdb_in (`ready`) and nothing more is read from gdb.
 * cmd_pos <= cmd_len; the queue for gdb never holds part of a packet that did
 * not fit.
 */
#include "rsp.h"

#include <string.h>

#include "rsp-features.h"

#define NEVER UINT64_MAX

void rsp_init(struct rsp *r, const struct rsp_config *cfg)
{
    memset(r, 0, sizeof(*r));
    r->cfg = *cfg;
    r->ack_due = r->rx_due = r->settle_due = NEVER;
}

/* ---------------------------------------------------------- gdb's queue */

static size_t gdb_used(const struct rsp *r)
{
    return r->out_head - r->out_tail;
}

static void gdb_put(struct rsp *r, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        r->to_gdb[r->out_head++ % RSP_TO_GDB] = data[i];
}

/* All of it or, when gdb does not read, none. */
static void gdb_send(struct rsp *r, const uint8_t *data, size_t len)
{
    if (!r->attached)
        return;
    if (len > RSP_TO_GDB - gdb_used(r)) {
        r->stats.dropped += len;
        return;
    }
    gdb_put(r, data, len);
}

static void gdb_send_packet(struct rsp *r, uint8_t kind, const uint8_t *data,
                            size_t len)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t sum = 0, tail[3] = { '#' };

    if (!r->attached)
        return;
    if (len + 4 > RSP_TO_GDB - gdb_used(r)) {
        r->stats.dropped += len + 4;
        return;
    }
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + data[i]);
    tail[1] = (uint8_t)hex[sum >> 4];
    tail[2] = (uint8_t)hex[sum & 15];
    r->last_at = r->out_head;
    r->last_len = (uint32_t)len + 4;
    gdb_put(r, &kind, 1);
    gdb_put(r, data, len);
    gdb_put(r, tail, sizeof(tail));
    r->stats.to_gdb++;
}

/* gdb did not like the last packet: it is still in the ring, as a rule. */
static void gdb_send_again(struct rsp *r)
{
    uint32_t at = r->last_at, end = at + r->last_len;

    if (r->no_ack || r->last_len > RSP_TO_GDB - gdb_used(r) ||
        r->out_head - at + r->last_len > RSP_TO_GDB)
        return;
    r->last_at = r->out_head;
    for (; at != end; at++)
        r->to_gdb[r->out_head++ % RSP_TO_GDB] = r->to_gdb[at % RSP_TO_GDB];
}

size_t rsp_gdb_peek(const struct rsp *r, const uint8_t **data)
{
    uint32_t at = r->out_tail % RSP_TO_GDB;
    size_t used = gdb_used(r);

    *data = r->to_gdb + at;
    return used < RSP_TO_GDB - at ? used : RSP_TO_GDB - at;
}

void rsp_gdb_done(struct rsp *r, size_t nr)
{
    r->out_tail += (uint32_t)nr;
}

/* ----------------------------------------------------------- to the line */

/*
 * Acknowledgements and ^C, which do not wait for a packet's turn.  The queue
 * cannot stay full: it is emptied before every packet.
 */
static void urgent(struct rsp *r, uint8_t c)
{
    if (r->nr_urgent < RSP_URGENT)
        r->urgent[r->nr_urgent++] = c;
}

void rsp_interrupt(struct rsp *r)
{
    urgent(r, 0x03);
    r->awaiting = true;
}

/* The stop that follows is a reply, though no command asked for it. */
/* Who wants a stop takes the one that comes, as one without a session may. */
static void gdb_wants_stop(struct rsp *r)
{
    r->awaiting = true;
    r->orphan = false;
}

static void gdb_interrupt(struct rsp *r)
{
    gdb_wants_stop(r);
    if (r->cfg.interrupt_is_break)
        r->want_break = true;
    else
        urgent(r, 0x03);
}

bool rsp_take_break(struct rsp *r)
{
    bool want = r->want_break;

    r->want_break = false;
    return want;
}

static bool sending(const struct rsp *r)
{
    return r->active && r->cmd_pos < r->cmd_len;
}

bool rsp_line_pending(const struct rsp *r)
{
    return r->nr_urgent > 0 || sending(r);
}

/*
 * Time for the command and as much again, and some for the target: one that
 * was only slow carries out what is sent again once more.
 */
static uint64_t ack_timeout(const struct rsp *r)
{
    uint32_t speed = r->cfg.chars_per_s ? r->cfg.chars_per_s : 11520;

    return RSP_ACK_MS + 2000ull * r->cmd_len / speed;
}

static size_t take_urgent(struct rsp *r, uint8_t *out, size_t max)
{
    size_t nr = r->nr_urgent < max ? r->nr_urgent : max;

    memcpy(out, r->urgent, nr);
    memmove(r->urgent, r->urgent + nr, r->nr_urgent - nr);
    r->nr_urgent -= (uint32_t)nr;
    return nr;
}

size_t rsp_to_line(struct rsp *r, uint8_t *out, size_t max, uint64_t now)
{
    size_t nr = 0, left;

    /* never inside a packet */
    if (!sending(r) || r->cmd_pos == 0)
        nr = take_urgent(r, out, max);
    if (!sending(r) || nr == max)
        return nr;
    left = r->cmd_len - r->cmd_pos;
    if (left > max - nr)
        left = max - nr;
    memcpy(out + nr, r->cmd + r->cmd_pos, left);
    r->cmd_pos += (uint32_t)left;
    if (r->cmd_pos == r->cmd_len)
        r->ack_due = now + ack_timeout(r);
    return nr + left;
}

/* ------------------------------------------------------ commands of gdb's */

static bool starts(const uint8_t *data, size_t len, const char *word)
{
    size_t n = strlen(word);

    return len >= n && memcmp(data, word, n) == 0;
}

/* Does the target run after this command? */
static bool resumes(const uint8_t *data, size_t len)
{
    return (len && strchr("cCsSDk", data[0]) && data[0]) ||
           starts(data, len, "vCont;") || starts(data, len, "vRun");
}

static void answer(struct rsp *r, const void *data, size_t len)
{
    r->stats.near_side++;
    gdb_send_packet(r, '$', data, len);
}

/*
 * What the line cannot carry: raw memory (X, x), raw patterns (qSearch), and
 * whatever else has a byte that is not 7-bit.  An empty reply says "unknown",
 * and gdb goes on with the hexadecimal packets.
 */
static bool not_for_line(const uint8_t *data, size_t len)
{
    if (len && (data[0] == 'X' || data[0] == 'x'))
        return true;
    if (starts(data, len, "qSearch:"))
        return true;
    for (size_t i = 0; i < len; i++)
        if (data[i] >= 0x80)
            return true;
    return false;
}

static bool answer_here(struct rsp *r, const uint8_t *data, size_t len)
{
    size_t reply_len = 0;

    if (len == 15 && starts(data, len, "QStartNoAckMode")) {
        answer(r, "OK", 2);
        r->no_ack_next = true;
        return true;
    }
    if (r->cfg.near && r->cfg.near(r->cfg.ctx, data, len, r->scratch,
                                   sizeof(r->scratch), &reply_len)) {
        answer(r, r->scratch, reply_len);
        return true;
    }
    if (not_for_line(data, len)) {
        answer(r, "", 0);
        return true;
    }
    return false;
}

/* The command in gdb_in: answered here, or copied for sending. */
static void command(struct rsp *r)
{
    const uint8_t *data = r->gdb_in.data;
    size_t len = r->gdb_in.len;

    r->ready = false;
    if (r->cfg.packet)
        r->cfg.packet(r->cfg.ctx, true, data, len);
    if (answer_here(r, data, len))
        return;
    r->cmd_len = (uint32_t)rsp_frame_write(r->cmd, '$', data, len);
    r->cmd_pos = 0;
    r->tries = 1;
    r->unheard = r->acks = r->replies = 0;
    r->active = r->awaiting = true;
    r->ack_due = NEVER;
    r->naks = RSP_NAKS;
    r->doubtful = false;
    r->asked_features = starts(data, len, "qSupported");
    r->resumed = resumes(data, len);
    if (r->resumed)
        r->stopped = false;
    r->stats.to_target++;
}

static void next_command(struct rsp *r)
{
    if (r->ready && !r->active && !r->settling)
        command(r);
}

static void gdb_event(struct rsp *r, enum rsp_event ev)
{
    switch (ev) {
    case RSP_PACKET:
        if (!r->no_ack)
            gdb_send(r, (const uint8_t *)"+", 1);
        r->ready = r->gdb_in.kind == '$';
        break;
    case RSP_BAD:
        r->stats.bad_gdb++;
        if (!r->no_ack)
            gdb_send(r, (const uint8_t *)"-", 1);
        break;
    case RSP_ACK:
        if (r->no_ack_next)
            r->no_ack = true;
        r->no_ack_next = false;
        break;
    case RSP_NAK: gdb_send_again(r); break;
    case RSP_INTERRUPT: gdb_interrupt(r); break;
    default: break;
    }
}

/*
 * gdb's BREAK over TCP is telnet's IAC BREAK, ff f3; other IAC sequences are
 * skipped.  Returns whether the byte was part of one.  Inside a packet ff is
 * data, as gdb does not double it.
 */
static bool telnet_byte(struct rsp *r, uint8_t c)
{
    if (r->telnet == 0) {
        r->telnet = c == 0xff;
        return c == 0xff;
    }
    if (r->telnet == 1 && c == 0xf3) {
        r->want_break = true;
        gdb_wants_stop(r);
    }
    /* WILL, WONT, DO, DONT have an option behind them */
    r->telnet = r->telnet == 1 && c >= 0xfb && c <= 0xfe ? 2 : 0;
    return true;
}

/*
 * Only now a stop is acknowledged: a gdb that hangs, or whose host is gone,
 * must not hold the machine.  Behind a stop gdb always has something to ask.
 */
static void gdb_spoke(struct rsp *r)
{
    if (r->ack_owed)
        urgent(r, '+');
    r->ack_owed = false;
}

size_t rsp_from_gdb(struct rsp *r, const uint8_t *buf, size_t len)
{
    size_t nr = 0;

    if (len > 0)
        gdb_spoke(r);
    for (;;) {
        next_command(r);
        if (r->ready || nr == len)
            return nr;
        if (!rsp_frame_open(&r->gdb_in) && telnet_byte(r, buf[nr]))
            nr++;
        else
            gdb_event(r, rsp_frame_push(&r->gdb_in, buf[nr++]));
    }
}

/* ----------------------------------------------------------- from the line */

/* The target has the command, or never will: the next one may go. */
static void acknowledged(struct rsp *r)
{
    r->active = false;
    r->fresh = r->orphan = false;
    r->ack_due = NEVER;
    next_command(r);
}

/* The command was refused or not heard of; give up after RSP_TRIES. */
static void send_again(struct rsp *r)
{
    uint32_t limit = r->ready ? RSP_TRIES_HURRY : RSP_TRIES;

    if (!r->active)
        return;
    if (r->tries >= limit) {
        r->stats.given_up++;
        acknowledged(r);
        return;
    }
    r->tries++;
    r->stats.retries++;
    r->cmd_pos = 0;
    r->ack_due = NEVER;
}

/* A packet of text for gdb's user, which is not the reply. */
static bool is_text(const uint8_t *data, size_t len)
{
    return len && data[0] == 'O' && !(len == 2 && data[1] == 'K');
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_stop(const uint8_t *data, size_t len)
{
    return len >= 3 && strchr("STWX", data[0]) && data[0] && is_hex(data[1]) &&
           is_hex(data[2]);
}

/*
 * Nobody is there to take a reply: it stays unacknowledged, as on a line
 * without a splitter, and the target learns from that that its gdb is dead.
 * A gdb that has only connected has asked for nothing yet.
 */
static bool is_unclaimed(const struct rsp *r)
{
    return !r->attached || (r->orphan && r->fresh && !r->active);
}

/*
 * Has this reply been passed on already?  Yes when it repeats the last one
 * and either nothing was asked since, or what was asked is not acknowledged.
 * Text may repeat.
 */
static bool is_duplicate(const struct rsp *r, const uint8_t *data, size_t len)
{
    return !is_text(data, len) && (!r->awaiting || r->active) &&
           len == r->reply_len && len > 0 && memcmp(data, r->reply, len) == 0;
}

/* The answer to a repeat, whatever it says: gdb has had the first one. */
static bool is_of_repeat(const struct rsp *r, const uint8_t *data, size_t len)
{
    return r->settling && r->unheard > 0 && !is_text(data, len);
}

/*
 * Meant for the gdb before this one: it comes before the target has heard of
 * this one, or where it cannot be the list that this one begins with.
 */
static bool is_of_former(const struct rsp *r, const uint8_t *data, size_t len)
{
    return (r->active && r->fresh) ||
           (r->asked_features && (is_stop(data, len) || is_text(data, len)));
}

/* The next command need not wait for doubles any more. */
static void settle(struct rsp *r)
{
    r->settle_due = NEVER;
    r->settling = false;
    next_command(r);
}

/*
 * Every copy of a command that was repeated has been acknowledged and answered:
 * what comes from here on belongs to the next one.
 */
static void settle_if_all_heard(struct rsp *r)
{
    if (r->settling && r->unheard > 0 && r->acks > r->unheard &&
        r->replies > r->unheard)
        settle(r);
}

/* A reply that gdb has not seen.  It also settles what is open here. */
static void pass_reply(struct rsp *r)
{
    const uint8_t *data = r->line_in.data;
    size_t len = r->line_in.len;
    /* the + was lost, the reply says as much; text says nothing */
    bool implied = r->active && !is_text(data, len);

    if (len && (data[0] == 'S' || data[0] == 'T'))
        r->stopped = true;
    r->ack_owed = r->resumed && is_stop(data, len);
    memcpy(r->reply, data, len);
    r->reply_len = (uint32_t)len;
    if (!is_text(data, len))
        r->awaiting = false;
    if (r->asked_features) {
        len = rsp_features(data, len, r->cfg.serves_exec_file, r->scratch,
                           sizeof(r->scratch));
        data = r->scratch;
        r->asked_features = false;
    }
    gdb_send_packet(r, '$', data, len);
    if (r->doubtful) {
        r->settling = true;
        r->settle_due = r->now + (r->unheard ? RSP_LATE_MS : RSP_SETTLE_MS);
    }
    if (implied)
        acknowledged(r);
}

/* "Name:..."; else it is a packet whose first bit was flipped, $ to %. */
static bool is_notification(const struct rsp_frame *f)
{
    uint32_t i = 0;

    while (i < f->len && (f->data[i] | 0x20) >= 'a' &&
           (f->data[i] | 0x20) <= 'z')
        i++;
    return i > 0 && i < f->len && f->data[i] == ':';
}

static void take_reply(struct rsp *r, const uint8_t *data, size_t len)
{
    if (!is_text(data, len))
        r->replies++;
    if (is_duplicate(r, data, len) || is_of_repeat(r, data, len) ||
        is_of_former(r, data, len))
        r->stats.duplicates++;
    else
        pass_reply(r);
    if (!r->ack_owed)
        urgent(r, '+');
    settle_if_all_heard(r);
}

static void line_packet(struct rsp *r)
{
    const struct rsp_frame *f = &r->line_in;

    if (f->kind == '%' && !is_notification(f)) {
        r->stats.bad_line++;
        return;
    }
    if (r->cfg.packet)
        r->cfg.packet(r->cfg.ctx, false, f->data, f->len);
    if (f->kind == '%') {
        gdb_send_packet(r, '%', f->data, f->len);
        return;
    }
    if (is_unclaimed(r) && !is_duplicate(r, f->data, f->len)) {
        r->stats.unclaimed++;
        r->orphan = true;
        return;
    }
    take_reply(r, f->data, f->len);
}

static void line_event(struct rsp *r, enum rsp_event ev)
{
    switch (ev) {
    case RSP_PACKET: line_packet(r); break;
    case RSP_BAD:
        r->stats.bad_line++;
        if (r->line_in.kind == '$' && !is_unclaimed(r))
            urgent(r, '-');
        break;
    case RSP_RESTART: r->stats.bad_line++; break;
    case RSP_ACK:
        r->acks++;
        if (r->active && r->cmd_pos == r->cmd_len)
            acknowledged(r);
        settle_if_all_heard(r);
        break;
    case RSP_NAK:
        if (r->cmd_pos == r->cmd_len)
            send_again(r);
        break;
    case RSP_INTERRUPT:
    case RSP_NOISE: r->stats.noise++; break;
    default: return;
    }
}

/* Something other than a reply came where one is due: it may have been one. */
static bool reply_in_doubt(const struct rsp *r)
{
    return r->awaiting && !r->active && !r->resumed && r->naks > 0;
}

void rsp_from_line(struct rsp *r, const uint8_t *buf, size_t len, uint64_t now)
{
    uint64_t bad = r->stats.noise + r->stats.bad_line;

    if (len == 0)
        return;
    r->now = now;
    for (size_t i = 0; i < len; i++)
        line_event(r, rsp_frame_push(&r->line_in, buf[i]));
    if (rsp_frame_open(&r->line_in))
        r->rx_due = now + RSP_RX_TIMEOUT;
    else if (bad != r->stats.noise + r->stats.bad_line && reply_in_doubt(r))
        r->rx_due = now + RSP_NAK_MS;
    else if (!reply_in_doubt(r))
        r->rx_due = NEVER;
}

/* ---------------------------------------------------------- coming, going */

static void forget_command(struct rsp *r)
{
    /* half a packet on the line has to be finished with a bad checksum */
    if (sending(r) && r->cmd_pos > 0) {
        urgent(r, '#');
        urgent(r, 'z');
        urgent(r, 'z');
    }
    r->active = r->ready = r->asked_features = r->settling = false;
    r->ack_due = r->settle_due = NEVER;
}

void rsp_attach(struct rsp *r)
{
    forget_command(r);
    rsp_frame_reset(&r->gdb_in);
    r->attached = r->fresh = true;
    r->no_ack = r->no_ack_next = r->want_break = false;
    r->telnet = 0;
    r->out_tail = r->out_head;
}

void rsp_detach(struct rsp *r)
{
    r->orphan = r->orphan || r->awaiting || r->ack_owed;
    if (r->ack_owed)
        r->reply_len = 0; /* if it comes again, then to nobody */
    r->ack_owed = false;
    rsp_attach(r);
    r->attached = false;
}

void rsp_line_reset(struct rsp *r)
{
    rsp_frame_reset(&r->line_in);
    r->rx_due = NEVER;
    r->nr_urgent = 0;
    if (r->active)
        r->cmd_pos = 0;
}

uint64_t rsp_deadline(const struct rsp *r)
{
    uint64_t due = r->ack_due < r->rx_due ? r->ack_due : r->rx_due;

    return due < r->settle_due ? due : r->settle_due;
}

/* The rest of a packet, or a reply, is not coming: have it sent again. */
static void ask_again(struct rsp *r, uint64_t now)
{
    if (rsp_frame_open(&r->line_in))
        r->stats.bad_line++;
    rsp_frame_reset(&r->line_in);
    r->rx_due = NEVER;
    if (is_unclaimed(r))
        return;
    urgent(r, '-');
    if (!reply_in_doubt(r))
        return;
    r->doubtful = true;
    r->naks--;
    r->rx_due = now + RSP_NAK_MS;
}

void rsp_tick(struct rsp *r, uint64_t now)
{
    r->now = now;
    if (now >= r->ack_due) {
        r->doubtful = true;
        r->unheard++;
        send_again(r);
    }
    if (now >= r->rx_due)
        ask_again(r, now);
    if (now >= r->settle_due)
        settle(r);
}
