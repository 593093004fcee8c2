/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conswitch: the port.  Receives for two roles, sends for two roles.
 *
 * Invariants: at most one role per half of the line; a plain role is alone;
 * nr_seen < 3; a ring's head is never more than its size ahead of its tail.
 */
#include "conswitch.h"

#include <string.h>

/* The hypervisor has no place to report a failed assertion to. */
#if __STDC_HOSTED__
#include <assert.h>
#else
#define assert(x) ((void)sizeof(x))
#endif

#define IS_POWER_OF_2(n) ((n) != 0 && ((n) & ((n)-1)) == 0)
_Static_assert(IS_POWER_OF_2(CS_RX_QUEUE), "ring sizes are powers of two");
_Static_assert(IS_POWER_OF_2(CS_TX_CONSOLE), "ring sizes are powers of two");
_Static_assert(IS_POWER_OF_2(CS_TX_DEBUG), "ring sizes are powers of two");

static const struct cs_action act_none = { .type = CS_ACT_NONE };
static const struct cs_action act_queued = { .type = CS_ACT_QUEUED };

static uint32_t ring_used(const struct cs_ring *r)
{
    return r->head - r->tail;
}

static void ring_put(struct cs_ring *r, uint8_t *buf, uint32_t size, uint8_t c)
{
    assert(ring_used(r) < size);
    buf[r->head++ & (size - 1)] = c;
}

static uint8_t ring_get(struct cs_ring *r, const uint8_t *buf, uint32_t size)
{
    assert(ring_used(r) > 0 && ring_used(r) <= size);
    return buf[r->tail++ & (size - 1)];
}

/* -------------------------------------------------------------- handles */

void cs_port_init(struct cs_port *p, struct cs_focus *focus)
{
    memset(p, 0, sizeof(*p));
    p->focus = focus;
}

/* A debugger asks for one half: the plain console keeps the other. */
static uint8_t other_half(uint8_t suffix)
{
    return suffix == CS_H ? CS_L : CS_H;
}

static void set_suffix(struct cs_port *p, enum cs_role role, uint8_t suffix)
{
    p->suffix[role] = suffix;
    p->tx_suffix[role] = suffix;
}

static int open_console(struct cs_port *p, uint8_t suffix)
{
    uint8_t debug = p->suffix[CS_DEBUG];

    if (debug == CS_PLAIN || (debug != CS_CLOSED && debug == suffix))
        return CS_EBUSY;
    if (debug != CS_CLOSED && suffix == CS_PLAIN)
        suffix = other_half(debug);
    set_suffix(p, CS_CONSOLE, suffix);
    return 0;
}

static int open_debug(struct cs_port *p, uint8_t suffix)
{
    uint8_t console = p->suffix[CS_CONSOLE];

    if (console != CS_CLOSED && (suffix == CS_PLAIN || console == suffix))
        return CS_EBUSY;
    if (console == CS_PLAIN)
        set_suffix(p, CS_CONSOLE, other_half(suffix));
    set_suffix(p, CS_DEBUG, suffix);
    return 0;
}

int cs_port_open(struct cs_port *p, enum cs_role role, enum cs_suffix suffix)
{
    if ((unsigned int)role >= CS_NR_ROLES || suffix <= CS_CLOSED ||
        suffix > CS_L)
        return CS_EINVAL;
    if (p->suffix[role] != CS_CLOSED)
        return CS_EEXIST;
    return role == CS_CONSOLE ? open_console(p, (uint8_t)suffix)
                              : open_debug(p, (uint8_t)suffix);
}

void cs_port_close(struct cs_port *p, enum cs_role role)
{
    if ((unsigned int)role < CS_NR_ROLES)
        p->suffix[role] = CS_CLOSED;
}

/* -------------------------------------------------------------- receive */

static bool takes(uint8_t suffix, uint8_t line_byte)
{
    switch (suffix) {
    case CS_PLAIN: return true;
    case CS_H: return cs_is_high(line_byte);
    case CS_L: return !cs_is_high(line_byte);
    default: return false;
    }
}

static uint8_t strip(uint8_t suffix, uint8_t line_byte)
{
    return suffix == CS_PLAIN ? line_byte : cs_unmark(line_byte);
}

/* The swallowed switch characters, if any, and the byte, for the owner. */
static struct cs_action deliver(struct cs_port *p, uint8_t byte)
{
    struct cs_action act = { .owner = cs_focus_owner(p->focus) };

    act.type = act.owner == CS_OWNER_HV ? CS_ACT_KEYS : CS_ACT_DOMAIN;
    while (p->nr_seen) {
        act.data[act.nr++] = p->focus->code;
        p->nr_seen--;
    }
    act.data[act.nr++] = byte;
    return act;
}

/* A console byte passes the switch: swallow, switch, or replay and deliver. */
static struct cs_action pass_switch(struct cs_port *p, uint8_t byte)
{
    struct cs_action act = { .type = CS_ACT_FOCUS };

    assert(p->nr_seen < 3);
    if (!p->focus->code || byte != p->focus->code)
        return deliver(p, byte);
    if (++p->nr_seen < 3)
        return act_none;
    p->nr_seen = 0;
    act.owner = cs_focus_next(p->focus);
    (void)cs_focus_set(p->focus, act.owner);
    return act;
}

static struct cs_action rx_console(struct cs_port *p, uint8_t byte)
{
    if (!p->held && ring_used(&p->rx_ring) == 0)
        return pass_switch(p, byte);
    if (ring_used(&p->rx_ring) == CS_RX_QUEUE) {
        p->stats.rx_dropped++;
        return act_none;
    }
    ring_put(&p->rx_ring, p->rx_queue, CS_RX_QUEUE, byte);
    return act_queued;
}

struct cs_action cs_rx(struct cs_port *p, uint8_t byte)
{
    uint8_t suffix = p->suffix[CS_DEBUG];
    struct cs_action act = { .type = CS_ACT_DEBUG, .nr = 1 };

    if (takes(suffix, byte)) {
        p->stats.rx[CS_DEBUG]++;
        act.data[0] = strip(suffix, byte);
        return act;
    }
    suffix = p->suffix[CS_CONSOLE];
    if (takes(suffix, byte)) {
        p->stats.rx[CS_CONSOLE]++;
        return rx_console(p, strip(suffix, byte));
    }
    p->stats.rx_unclaimed++;
    return act_none;
}

struct cs_action cs_rx_break(struct cs_port *p)
{
    struct cs_action act = { .type = CS_ACT_DEBUG, .nr = 1, .data = { 0x03 } };

    return p->suffix[CS_DEBUG] == CS_CLOSED ? act_none : act;
}

void cs_hold(struct cs_port *p, bool held)
{
    p->held = held;
}

bool cs_next(struct cs_port *p, struct cs_action *act)
{
    if (p->held)
        return false;
    while (ring_used(&p->rx_ring) > 0) {
        *act = pass_switch(p, ring_get(&p->rx_ring, p->rx_queue, CS_RX_QUEUE));
        if (act->type != CS_ACT_NONE)
            return true;
    }
    return false;
}

size_t cs_rx_queued(const struct cs_port *p)
{
    return ring_used(&p->rx_ring);
}

/* ------------------------------------------------------------- transmit */

static uint32_t tx_size(enum cs_role role)
{
    return role == CS_CONSOLE ? CS_TX_CONSOLE : CS_TX_DEBUG;
}

static uint8_t *tx_buf(struct cs_port *p, enum cs_role role)
{
    return role == CS_CONSOLE ? p->tx_console : p->tx_debug;
}

size_t cs_tx_room(const struct cs_port *p, enum cs_role role)
{
    if ((unsigned int)role >= CS_NR_ROLES || p->suffix[role] == CS_CLOSED)
        return 0;
    return tx_size(role) - ring_used(&p->tx_ring[role]);
}

static bool refused(enum cs_role role, uint8_t suffix, uint8_t byte)
{
    return role == CS_DEBUG && suffix != CS_PLAIN && byte >= 0x80;
}

size_t cs_write(struct cs_port *p, enum cs_role role, const uint8_t *buf,
                size_t len)
{
    size_t room = cs_tx_room(p, role);
    size_t nr;

    if (room == 0)
        return 0;
    for (nr = 0; nr < len; nr++) {
        if (refused(role, p->suffix[role], buf[nr])) {
            p->stats.tx_refused++;
            continue;
        }
        if (room == 0)
            break;
        ring_put(&p->tx_ring[role], tx_buf(p, role), tx_size(role), buf[nr]);
        room--;
    }
    return nr;
}

/* Where the debugger is: between packets, inside one, at its checksum. */
enum {
    BETWEEN,
    INSIDE,
    CHECK_1,
    CHECK_2
};

static uint8_t packet_step(uint8_t state, uint8_t byte)
{
    switch (state) {
    case INSIDE: return byte == '#' ? CHECK_1 : INSIDE;
    case CHECK_1: return CHECK_2;
    case CHECK_2: return BETWEEN;
    default: return byte == '$' ? INSIDE : BETWEEN;
    }
}

/* Is the turn over after this byte? */
static bool turn_over(struct cs_port *p, enum cs_role role, uint8_t byte)
{
    if (role == CS_DEBUG) {
        p->packet = packet_step(p->packet, byte);
        return p->packet == BETWEEN;
    }
    return byte == '\n' || ++p->turn_used >= CS_TURN;
}

/* Who sends the next byte; CS_NR_ROLES when nobody has one. */
static enum cs_role next_sender(const struct cs_port *p)
{
    enum cs_role turn = (enum cs_role)p->turn;
    enum cs_role other = turn == CS_CONSOLE ? CS_DEBUG : CS_CONSOLE;

    if (ring_used(&p->tx_ring[turn]))
        return turn;
    if (ring_used(&p->tx_ring[other]))
        return other;
    return CS_NR_ROLES;
}

/* Encode the next byte of whoever's turn it is into p->out. */
static bool encode_next(struct cs_port *p)
{
    enum cs_role role = next_sender(p);
    uint8_t suffix, byte;

    if (role == CS_NR_ROLES)
        return false;
    byte = ring_get(&p->tx_ring[role], tx_buf(p, role), tx_size(role));
    suffix = p->tx_suffix[role];
    p->nr_out = (uint8_t)cs_encode(role, (enum cs_suffix)suffix, byte, p->out);
    p->out_pos = 0;
    p->out_role = (uint8_t)role;
    if (role == CS_CONSOLE && byte >= 0x80 && suffix != CS_PLAIN)
        p->stats.tx_escaped++;
    /* queued while the port was plain, which it no longer is */
    if (refused(role, suffix, byte))
        p->stats.tx_refused++;
    p->turn = (uint8_t)role;
    if (turn_over(p, role, byte)) {
        p->turn = role == CS_CONSOLE ? CS_DEBUG : CS_CONSOLE;
        p->turn_used = 0;
    }
    return true;
}

size_t cs_tx(struct cs_port *p, uint8_t *out, size_t max)
{
    size_t nr = 0;

    while (nr < max) {
        if (p->out_pos == p->nr_out && !encode_next(p))
            break;
        while (nr < max && p->out_pos < p->nr_out) {
            out[nr++] = p->out[p->out_pos++];
            p->stats.tx[p->out_role]++;
        }
    }
    return nr;
}

bool cs_tx_pending(const struct cs_port *p)
{
    return p->out_pos < p->nr_out || next_sender(p) != CS_NR_ROLES;
}
