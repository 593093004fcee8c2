/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The link: framing, checksums, acknowledgements, run-length encoding.
 *
 * One packet is received at a time and one frame is in flight at a time.  The
 * frame stays in wire[] until gdb acknowledges it (or, in no-ack mode, until
 * it has been pulled), so it can be sent again.  A packet that completes
 * while a frame is still being pulled, or while the machine must first be
 * stopped for it, is held; the next '$' overwrites it, since only a gdb that
 * gave up waiting sends one.
 *
 * (GDB manual, "Remote Protocol: Overview", "Packet Acknowledgment".)
 */
#include <string.h>

#include "int.h"

enum { RX_IDLE, RX_BODY, RX_SUM1, RX_SUM2 };

#define MAX_RESENDS 10
#define BREAK_CHAR 0x03

/* A run is char, '*', count + 29: the printable characters up to '~'. */
#define RLE_BASE 29
#define RLE_MIN 3
#define RLE_MAX 97

static const char digits[] = "0123456789abcdef";

void link_reset(struct pdb *p)
{
    struct pdb_link *l = &p->link;
    uint32_t bad = l->bad, repeats = l->repeats;
    bool lossy = l->lossy, no_ack = l->no_ack;

    memset(l, 0, sizeof(*l));
    l->lossy = lossy;
    l->no_ack = no_ack; /* a gdb that wakes up late is still in the mode */
    l->bad = bad;
    l->repeats = repeats;
}

static bool drained(const struct pdb_link *l)
{
    return l->tx_pos == l->tx_len;
}

bool link_idle(const struct pdb *p)
{
    return drained(&p->link) && !p->link.unacked;
}

void link_begin(struct pdb *p)
{
    p->link.tx_len = p->link.tx_pos = 0;
    p->link.unacked = false;
    pdb_out_init(&p->reply, p->link.wire + 1, PDB_PACKET, 0);
}

/* How many of `run` further copies one count character may tell. */
static uint32_t rle_count(uint32_t run)
{
    if (run > RLE_MAX)
        run = RLE_MAX;
    while (run >= RLE_MIN && strchr("#$+-", (char)(run + RLE_BASE)))
        run--;
    return run >= RLE_MIN ? run : 0;
}

/* Encodes in place, which works as no run grows; returns the new length. */
static uint32_t rle_encode(char *body, uint32_t len)
{
    uint32_t from = 0, to = 0, run;
    char c;

    while (from < len) {
        c = body[from++];
        for (run = 0; from + run < len && body[from + run] == c; run++)
            ;
        run = rle_count(run);
        body[to++] = c;
        if (run) {
            body[to++] = '*';
            body[to++] = (char)(run + RLE_BASE);
            from += run;
        }
    }
    return to;
}

static void seven_bit(char *body, uint32_t len)
{
    for (; len--; body++)
        if ((uint8_t)*body & 0x80)
            *body = '?';
}

/*
 * Without acknowledgements gdb's next packet says that it is there.  It comes
 * behind every stop: gdb goes on, or fetches the list of threads before it
 * shows one.  Behind other replies gdb may have no more to ask.
 */
static bool awaits_word(const struct pdb_link *l)
{
    return !l->no_ack || strchr("TWX", l->wire[1]);
}

void link_send(struct pdb *p, char lead)
{
    struct pdb_link *l = &p->link;
    char *body = l->wire + 1;
    uint32_t len = p->reply.len, i;
    uint8_t sum = 0;

    if (p->flags & PDB_SEVEN_BIT)
        seven_bit(body, len);
    len = rle_encode(body, len);
    for (i = 0; i < len; i++)
        sum = (uint8_t)(sum + (uint8_t)body[i]);
    l->wire[0] = lead;
    body[len] = '#';
    body[len + 1] = digits[sum >> 4];
    body[len + 2] = digits[sum & 15];
    l->tx_len = len + 4;
    l->tx_pos = 0;
    l->unacked = lead == '$' && awaits_word(l);
    l->noise = false;
    l->resends = l->ticks = 0;
}

static void put_ack(struct pdb_link *l, char c)
{
    if (!l->no_ack && l->nr_acks < sizeof(l->acks))
        l->acks[l->nr_acks++] = c;
}

/* What came is damaged: gdb is to send it again. */
static void refuse(struct pdb_link *l)
{
    l->bad++;
    l->lossy = true;
    put_ack(l, '-');
}

static void resend(struct pdb_link *l)
{
    if (l->no_ack || !l->unacked || !drained(l))
        return;
    l->lossy = true;
    if (++l->resends > MAX_RESENDS)
        l->unacked = false;
    else
        l->tx_pos = 0;
}

/* FNV-1a over the body: enough to know a packet again. */
static uint32_t body_sum(const struct pdb_link *l)
{
    uint32_t h = 2166136261u, i;

    for (i = 0; i < l->rx_len; i++)
        h = (h ^ l->rx[i]) * 16777619u;
    return h;
}

/*
 * The same packet again while its reply was never acknowledged: our + was
 * lost, and the packet must not be carried out twice.  But after noise it was
 * gdb's + that was lost: had it been a -, gdb would still wait for the reply.
 */
static bool is_repeat(struct pdb_link *l)
{
    uint32_t sum = body_sum(l);
    bool same = l->unacked && !l->noise && sum == l->last_sum &&
                l->rx_len == l->last_len;

    l->last_sum = sum;
    l->last_len = l->rx_len;
    return same;
}

static bool begins(const struct pdb_link *l, const char *word)
{
    size_t len = strlen(word);

    return l->rx_len >= len && memcmp(l->rx, word, len) == 0;
}

/* What a gdb that has just connected says first. */
static bool is_greeting(const struct pdb_link *l)
{
    return begins(l, "qSupported");
}

/*
 * Packets that do more the second time.  A gdb that finds a reply where it
 * waits for the + acknowledges and forgets that, and sends the packet again:
 * nothing tells the repeat from a new one.  On a line that has damaged
 * something before two + make that unlikely; gdb passes over the second.
 */
static bool needs_two_acks(const struct pdb_link *l)
{
    static const char *const words[] = {
        "vCont;", "vAttach;", "qRcmd,", "c", "C", "s", "S", "D", "k",
    };
    uint32_t i;

    for (i = 0; l->lossy && i < sizeof(words) / sizeof(words[0]); i++)
        if (begins(l, words[i]))
            return true;
    return false;
}

/* True if the packet in rx can be served now; asks for a stop if need be. */
static bool may_serve(struct pdb *p)
{
    if (!drained(&p->link))
        return false;
    if (p->state == PDB_STOPPED || p->state == PDB_WAITING)
        return true;
    if (p->state == PDB_RUNNING && p->non_stop && !is_greeting(&p->link))
        return true;
    /* No gdb so far, or another one: whoever waited for a stop is gone. */
    p->owed = p->non_stop = false;
    if (!p->bringing_in)
        run_interrupt(p);
    return false;
}

static void try_serve(struct pdb *p)
{
    if (!p->link.held || !may_serve(p))
        return;
    p->link.held = false;
    packet_serve(p);
}

static void packet_arrived(struct pdb *p)
{
    struct pdb_link *l = &p->link;

    l->rx_state = RX_IDLE;
    if (is_greeting(l)) /* a new gdb's: its + may have been taken for data */
        l->no_ack = l->no_ack_next = false;
    if (l->no_ack)
        l->unacked = false;
    if (l->rx_sum != l->rx_want) {
        refuse(l);
        if (!l->no_ack)
            return;
        l->rx_spoilt = true; /* nobody can resend it: it earns an error */
    }
    put_ack(l, '+');
    if (needs_two_acks(l))
        put_ack(l, '+');
    if (is_repeat(l)) {
        l->repeats++;
        l->tx_pos = 0;
        return;
    }
    l->held = true;
    try_serve(p);
}

static void rx_idle(struct pdb *p, uint8_t c)
{
    struct pdb_link *l = &p->link;

    switch (c) {
    case '$':
        if (l->no_ack_next)
            l->no_ack = true;
        l->no_ack_next = false;
        l->held = l->rx_spoilt = false;
        l->rx_len = l->rx_sum = 0;
        l->rx_state = RX_BODY;
        break;
    case '+':
        if (drained(l) && !l->no_ack)
            l->unacked = false;
        if (l->no_ack_next)
            l->no_ack = true;
        l->no_ack_next = false;
        break;
    case '-': resend(l); break;
    case BREAK_CHAR:
        if (pdb_holding(p))
            p->early_break = true;
        else
            run_interrupt(p);
        break;
    default: l->noise = l->lossy = true; break;
    }
}

static void rx_body(struct pdb *p, uint8_t c)
{
    struct pdb_link *l = &p->link;

    if (c == '$') { /* data escapes it: a frame was cut, another begins */
        l->rx_state = RX_IDLE;
        rx_idle(p, c);
    } else if (c == '#') {
        l->rx_state = RX_SUM1;
    } else {
        l->rx_sum = (uint8_t)(l->rx_sum + c);
        if (l->rx_len < PDB_PACKET)
            l->rx[l->rx_len++] = c;
        else
            l->rx_spoilt = true;
    }
}

static void rx_sum(struct pdb *p, uint8_t c)
{
    struct pdb_link *l = &p->link;
    int d = pdb_nibble(c);

    if (d < 0) {
        l->rx_state = RX_IDLE;
        refuse(l);
        rx_idle(p, c);
    } else if (l->rx_state == RX_SUM1) {
        l->rx_want = (uint8_t)(d << 4);
        l->rx_state = RX_SUM2;
    } else {
        l->rx_want = (uint8_t)(l->rx_want | d);
        packet_arrived(p);
    }
}

void link_rx(struct pdb *p, uint8_t byte)
{
    if (p->flags & PDB_SEVEN_BIT)
        byte &= 0x7f;
    p->link.rx_quiet = false;
    switch (p->link.rx_state) {
    case RX_IDLE: rx_idle(p, byte); break;
    case RX_BODY: rx_body(p, byte); break;
    default: rx_sum(p, byte); break;
    }
}

static bool is_resent_at(const struct pdb_link *l, uint32_t tick)
{
    return !l->no_ack && !l->no_ack_next && tick % PDB_RESEND_TICKS == 0;
}

bool link_tick_counts(const struct pdb *p)
{
    const struct pdb_link *l = &p->link;

    if (l->rx_quiet && l->rx_state != RX_IDLE)
        return false;
    return !l->unacked || !drained(l) ||
           (l->ticks + 1 < PDB_DEAD_TICKS && !is_resent_at(l, l->ticks + 1));
}

void link_tick(struct pdb *p)
{
    struct pdb_link *l = &p->link;

    /* A frame that stopped in its middle is gdb's to send again. */
    if (l->rx_quiet && l->rx_state != RX_IDLE) {
        l->rx_state = RX_IDLE;
        refuse(l);
    }
    l->rx_quiet = true;
    if (!l->unacked || !drained(l))
        return;
    if (++l->ticks >= PDB_DEAD_TICKS) {
        pdb_drop(p);
        return;
    }
    if (is_resent_at(l, l->ticks)) {
        l->lossy = true;
        l->tx_pos = 0;
    }
}

static bool has_chars(const struct pdb_link *l)
{
    return !drained(l) || l->nr_acks;
}

/* True if there is something to pull, made now if it was only due. */
static bool refill(struct pdb *p)
{
    if (has_chars(&p->link))
        return true;
    try_serve(p);
    if (link_idle(p))
        stop_advance(p);
    return has_chars(&p->link);
}

static char next_char(struct pdb_link *l)
{
    char c;

    if (l->nr_acks && (l->tx_pos == 0 || drained(l))) {
        c = l->acks[0];
        memmove(l->acks, l->acks + 1, --l->nr_acks);
        return c;
    }
    return l->wire[l->tx_pos++];
}

/*
 * Work is done before the first character alone: a fault in it is unwound, and
 * the characters that had been taken before would be lost.
 */
uint32_t pdb_tx(struct pdb *p, void *buf, uint32_t max)
{
    uint8_t *to = buf;
    uint32_t n = 0;

    while (n < max && (n ? has_chars(&p->link) : refill(p)))
        to[n++] = (uint8_t)next_char(&p->link);
    return n;
}
