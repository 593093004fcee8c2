/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of calls on the line-sharing core, checked against what must
 * hold after each: nothing of one channel in the other, no byte lost without
 * being counted, order kept, at most three bytes an action.
 *
 * The input is a program: an operation byte and its operand, repeated.  The
 * rings are made small (see the Makefile) so that they fill often.
 */
#include "conswitch.h"

#include <stdlib.h>
#include <string.h>

#define REQUIRE(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cs_focus focus;
static struct cs_port port;
static uint64_t nr_in, nr_out; /* console bytes received, delivered */

static void check_focus(void)
{
    REQUIRE(focus.nr_owners >= 1 && focus.nr_owners <= CS_MAX_OWNERS);
    REQUIRE(focus.current < focus.nr_owners);
    REQUIRE(focus.owners[0] == CS_OWNER_HV);
    REQUIRE(focus.code <= 26);
}

static void check_action(const struct cs_action *act)
{
    switch (act->type) {
    case CS_ACT_KEYS:
    case CS_ACT_DOMAIN:
        REQUIRE(act->nr >= 1 && act->nr <= 3);
        REQUIRE((act->type == CS_ACT_KEYS) == (act->owner == CS_OWNER_HV));
        for (unsigned int i = 0; i + 1 < act->nr; i++)
            REQUIRE(act->data[i] == focus.code || focus.code == 0);
        nr_out += act->nr;
        break;
    case CS_ACT_DEBUG:
        REQUIRE(act->nr == 1 && port.suffix[CS_DEBUG] != CS_CLOSED);
        REQUIRE(port.suffix[CS_DEBUG] == CS_PLAIN || act->data[0] < 0x80);
        break;
    case CS_ACT_FOCUS:
        REQUIRE(act->nr == 0 && act->owner == cs_focus_owner(&focus));
        nr_out += 3;
        break;
    default: REQUIRE(act->nr == 0);
    }
}

/* Received = delivered + swallowed + queued + dropped, at any moment. */
static void check_balance(void)
{
    uint64_t queued = cs_rx_queued(&port);

    REQUIRE(port.nr_seen < 3 && queued <= CS_RX_QUEUE);
    REQUIRE(nr_in == nr_out + port.nr_seen + queued + port.stats.rx_dropped);
}

static void receive(uint8_t byte)
{
    uint64_t before = port.stats.rx[CS_CONSOLE];
    struct cs_action act = cs_rx(&port, byte);

    nr_in += port.stats.rx[CS_CONSOLE] - before;
    check_action(&act);
    check_balance();
}

/* All of the queue, or so many actions of it: there may be no room for more. */
static void drain(unsigned int max)
{
    size_t before = cs_rx_queued(&port);
    struct cs_action act;

    for (unsigned int i = 0; i < max; i++) {
        if (!cs_next(&port, &act)) {
            REQUIRE(port.held || cs_rx_queued(&port) == 0);
            return;
        }
        REQUIRE(cs_rx_queued(&port) < before);
        before = cs_rx_queued(&port);
        check_action(&act);
        check_balance();
    }
}

static void send(enum cs_role role, uint8_t byte, unsigned int nr)
{
    uint8_t buf[256];
    size_t room = cs_tx_room(&port, role), done;

    memset(buf, byte, sizeof(buf));
    buf[nr / 2] = '\n';
    done = cs_write(&port, role, buf, nr);
    REQUIRE(done <= nr && (done == nr || done >= room));
    REQUIRE(cs_tx_room(&port, role) <= room);
}

static void pull(unsigned int max)
{
    uint8_t out[256];
    uint64_t before[CS_NR_ROLES] = { port.stats.tx[0], port.stats.tx[1] };
    uint8_t both = port.suffix[CS_CONSOLE] && port.suffix[CS_DEBUG];
    bool partial = port.out_pos < port.nr_out;
    size_t nr = cs_tx(&port, out, max), high = 0;

    REQUIRE(nr <= max && (nr == max || !cs_tx_pending(&port)));
    for (size_t i = 0; i < nr; i++)
        high += cs_is_high(out[i]);
    if (!both || partial)
        return;
    if (port.suffix[CS_CONSOLE] == CS_H)
        REQUIRE(high == port.stats.tx[CS_CONSOLE] - before[CS_CONSOLE]);
    else
        REQUIRE(high == port.stats.tx[CS_DEBUG] - before[CS_DEBUG]);
}

static void check_message(void)
{
    char buf[CS_MESSAGE_MAX];
    uint16_t owner;
    size_t len = cs_focus_message(&focus, buf, sizeof(buf));

    REQUIRE(len < sizeof(buf) && (len > 0) == (focus.code != 0));
    if (len == 0)
        return;
    REQUIRE(buf[len] == '\0' && buf[len - 1] == '\n');
    REQUIRE(cs_focus_parse(buf, len, &owner));
    REQUIRE(owner == cs_focus_owner(&focus));
}

static void unescape(const uint8_t *data, size_t size)
{
    struct cs_unescape u = { 0 };
    uint8_t out[4];
    size_t nr = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned int got = cs_unescape(&u, data[i], out);

        REQUIRE(got <= 4 && u.nr <= 3);
        nr += got;
    }
    REQUIRE(nr + cs_unescape_end(&u, out) <= size);
}

static void step(uint8_t op, uint8_t arg, const uint8_t *rest, size_t left)
{
    uint16_t owner;

    switch (op % 16) {
    case 0:
        (void)cs_port_open(&port, arg % 3, (enum cs_suffix)(arg / 3 % 5));
        break;
    case 1: cs_port_close(&port, arg % 3); break;
    case 2: cs_hold(&port, arg & 1); break;
    case 3: drain(arg % 4 ? arg : CS_RX_QUEUE + 1); break;
    case 4: send(CS_CONSOLE, arg, op); break;
    case 5: send(CS_DEBUG, arg, op); break;
    case 6: pull(arg); break;
    case 7: (void)cs_focus_add(&focus, arg); break;
    case 8: (void)cs_focus_remove(&focus, arg); break;
    case 9: (void)cs_focus_set(&focus, arg & 1 ? CS_OWNER_HV : arg); break;
    case 10:
        /* a new switch character must not meet swallowed old ones */
        if (port.nr_seen == 0)
            (void)cs_focus_option(&focus, (const char *)rest,
                                  left < 3 ? left : arg % 4);
        break;
    case 11:
        check_message();
        (void)cs_focus_parse((const char *)rest, left, &owner);
        break;
    case 12:
        for (unsigned int i = 0; i < op / 2u; i++)
            receive(arg);
        break;
    case 13: unescape(rest, left); break;
    case 14:
        (void)cs_rx_break(&port);
        (void)cs_focus_dom0_started(&focus);
        break;
    default: receive(arg);
    }
    check_focus();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_focus_init(&focus);
    cs_port_init(&port, &focus);
    nr_in = nr_out = 0;
    (void)cs_port_open(&port, CS_CONSOLE, CS_L);
    (void)cs_port_open(&port, CS_DEBUG, CS_H);
    for (; size >= 2; data += 2, size -= 2)
        step(data[0], data[1], data + 2, size - 2);
    return 0;
}
