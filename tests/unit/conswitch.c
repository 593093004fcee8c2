/* SPDX-License-Identifier: GPL-2.0-only */
/* Every rule of the line-sharing core, each on a fresh port. */
#include "conswitch.h"

#include "conswitch-check.h"

#include <string.h>

static struct cs_focus focus;
static struct cs_port port;

static void fresh(enum cs_suffix console, enum cs_suffix debug)
{
    cs_focus_init(&focus);
    cs_port_init(&port, &focus);
    if (console != CS_CLOSED)
        CHECK(cs_port_open(&port, CS_CONSOLE, console) == 0);
    if (debug != CS_CLOSED)
        CHECK(cs_port_open(&port, CS_DEBUG, debug) == 0);
}

static bool rx_is(uint8_t byte, enum cs_action_type type, const char *data)
{
    struct cs_action act = cs_rx(&port, byte);

    return act.type == type && act.nr == strlen(data) &&
           memcmp(act.data, data, act.nr) == 0;
}

static void write_text(enum cs_role role, const char *s)
{
    size_t len = strlen(s);

    CHECK(cs_write(&port, role, (const uint8_t *)s, len) == len);
}

static bool tx_is(const char *expected)
{
    uint8_t out[512];
    size_t nr = cs_tx(&port, out, sizeof(out));

    return nr == strlen(expected) && memcmp(out, expected, nr) == 0;
}

static void test_open(void)
{
    fresh(CS_L, CS_H);
    CHECK(cs_port_open(&port, CS_DEBUG, CS_H) == CS_EEXIST);
    CHECK(cs_port_open(&port, CS_NR_ROLES, CS_H) == CS_EINVAL);
    fresh(CS_H, CS_CLOSED);
    CHECK(cs_port_open(&port, CS_DEBUG, CS_H) == CS_EBUSY);
    CHECK(cs_port_open(&port, CS_DEBUG, CS_PLAIN) == CS_EBUSY);
    CHECK(cs_port_open(&port, CS_DEBUG, CS_CLOSED) == CS_EINVAL);
    CHECK(cs_port_open(&port, CS_DEBUG, CS_L) == 0);
    fresh(CS_CLOSED, CS_PLAIN);
    CHECK(cs_port_open(&port, CS_CONSOLE, CS_L) == CS_EBUSY);
    CHECK(cs_port_open(&port, CS_CONSOLE, CS_PLAIN) == CS_EBUSY);
    cs_port_close(&port, CS_DEBUG);
    CHECK(cs_port_open(&port, CS_CONSOLE, CS_PLAIN) == 0);
}

/* A plain console gives way, whichever of the two comes first. */
static void test_give_way(void)
{
    fresh(CS_PLAIN, CS_H);
    CHECK(port.suffix[CS_CONSOLE] == CS_L);
    fresh(CS_PLAIN, CS_L);
    CHECK(port.suffix[CS_CONSOLE] == CS_H);
    fresh(CS_CLOSED, CS_H);
    CHECK(cs_port_open(&port, CS_CONSOLE, CS_PLAIN) == 0);
    CHECK(port.suffix[CS_CONSOLE] == CS_L);
}

static void test_suffix_names(void)
{
    CHECK(cs_suffix_parse("", 0) == CS_PLAIN);
    CHECK(cs_suffix_parse("H", 1) == CS_H);
    CHECK(cs_suffix_parse("L", 1) == CS_L);
    CHECK(cs_suffix_parse("l", 1) == CS_CLOSED);
    CHECK(cs_suffix_parse("HL", 2) == CS_CLOSED);
}

static void test_receive(void)
{
    fresh(CS_L, CS_H);
    CHECK(rx_is('h', CS_ACT_KEYS, "h"));
    CHECK(rx_is('$' | 0x80, CS_ACT_DEBUG, "$"));
    CHECK(rx_is(0x83, CS_ACT_DEBUG, "\x03"));
    fresh(CS_H, CS_L);
    CHECK(rx_is('h' | 0x80, CS_ACT_KEYS, "h"));
    CHECK(rx_is('$', CS_ACT_DEBUG, "$"));
    fresh(CS_PLAIN, CS_CLOSED);
    CHECK(rx_is(0xe9, CS_ACT_KEYS, "\xe9"));
    fresh(CS_CLOSED, CS_PLAIN);
    CHECK(rx_is(0xe9, CS_ACT_DEBUG, "\xe9"));
    fresh(CS_L, CS_CLOSED);
    CHECK(rx_is(0xe9, CS_ACT_NONE, ""));
    CHECK(port.stats.rx_unclaimed == 1);
    CHECK(port.stats.rx[CS_CONSOLE] == 0);
}

static void test_break(void)
{
    fresh(CS_L, CS_CLOSED);
    CHECK(cs_rx_break(&port).type == CS_ACT_NONE);
    fresh(CS_L, CS_H);
    CHECK(cs_rx_break(&port).type == CS_ACT_DEBUG);
    CHECK(cs_rx_break(&port).data[0] == 0x03);
}

static void test_hold(void)
{
    struct cs_action act;

    fresh(CS_L, CS_H);
    cs_hold(&port, true);
    CHECK(rx_is('a', CS_ACT_QUEUED, ""));
    CHECK(rx_is('+' | 0x80, CS_ACT_DEBUG, "+"));
    CHECK(rx_is('b', CS_ACT_QUEUED, ""));
    CHECK(!cs_next(&port, &act));
    cs_hold(&port, false);
    /* order is kept even when a byte comes before the queue is read */
    CHECK(rx_is('c', CS_ACT_QUEUED, ""));
    for (const char *s = "abc"; *s; s++) {
        CHECK(cs_next(&port, &act));
        CHECK(act.type == CS_ACT_KEYS && act.nr == 1);
        CHECK(act.data[0] == (uint8_t)*s);
    }
    CHECK(!cs_next(&port, &act));
    CHECK(rx_is('d', CS_ACT_KEYS, "d"));
}

static void test_hold_bounded(void)
{
    struct cs_action act;
    unsigned int nr = 0;

    fresh(CS_L, CS_H);
    cs_hold(&port, true);
    for (unsigned int i = 0; i < CS_RX_QUEUE; i++)
        (void)cs_rx(&port, (uint8_t)('A' + i % 16));
    CHECK(port.stats.rx_dropped == 0);
    CHECK(rx_is('x', CS_ACT_NONE, ""));
    CHECK(port.stats.rx_dropped == 1);
    cs_hold(&port, false);
    while (cs_next(&port, &act))
        CHECK(act.data[0] == 'A' + nr++ % 16);
    CHECK(nr == CS_RX_QUEUE);
}

/* A switch sequence typed while the debugger holds on works afterwards. */
/* Some of it is fetched, more comes, the debugger stops once more: in order. */
static void test_hold_again(void)
{
    struct cs_action act;

    fresh(CS_L, CS_H);
    cs_hold(&port, true);
    CHECK(rx_is('a', CS_ACT_QUEUED, "") && rx_is('b', CS_ACT_QUEUED, ""));
    CHECK(cs_rx_queued(&port) == 2);
    cs_hold(&port, false);
    CHECK(cs_next(&port, &act) && act.data[0] == 'a');
    CHECK(rx_is('c', CS_ACT_QUEUED, ""));
    cs_hold(&port, true);
    CHECK(rx_is('d', CS_ACT_QUEUED, "") && !cs_next(&port, &act));
    CHECK(cs_rx_queued(&port) == 3);
    cs_hold(&port, false);
    for (const char *s = "bcd"; *s; s++)
        CHECK(cs_next(&port, &act) && act.data[0] == (uint8_t)*s);
    CHECK(cs_rx_queued(&port) == 0 && rx_is('e', CS_ACT_KEYS, "e"));
}

/* While the machine goes on the queue may be full: its reader makes room. */
static void test_full_after_hold(void)
{
    struct cs_action act;

    fresh(CS_L, CS_H);
    cs_hold(&port, true);
    for (unsigned int i = 0; i < CS_RX_QUEUE; i++)
        (void)cs_rx(&port, 'a');
    cs_hold(&port, false);
    CHECK(cs_rx_queued(&port) == CS_RX_QUEUE);
    CHECK(rx_is('+' | 0x80, CS_ACT_DEBUG, "+"));
    CHECK(rx_is('b', CS_ACT_NONE, "") && port.stats.rx_dropped == 1);
    CHECK(cs_next(&port, &act) && rx_is('c', CS_ACT_QUEUED, ""));
    CHECK(cs_rx_queued(&port) == CS_RX_QUEUE && port.stats.rx_dropped == 1);
    while (cs_next(&port, &act))
        ;
    CHECK(act.data[0] == 'c');
}

static void test_hold_switch(void)
{
    struct cs_action act;

    fresh(CS_L, CS_H);
    CHECK(cs_focus_add(&focus, 0) == 0);
    cs_hold(&port, true);
    for (const char *s = "\1\1\1k"; *s; s++)
        CHECK(rx_is((uint8_t)*s, CS_ACT_QUEUED, ""));
    cs_hold(&port, false);
    CHECK(cs_next(&port, &act) && act.type == CS_ACT_FOCUS && act.owner == 0);
    CHECK(cs_next(&port, &act) && act.type == CS_ACT_DOMAIN);
    CHECK(act.owner == 0 && act.data[0] == 'k');
    CHECK(!cs_next(&port, &act));
}

static void test_switch(void)
{
    struct cs_action act;

    fresh(CS_L, CS_H);
    CHECK(cs_focus_add(&focus, 0) == 0);
    CHECK(rx_is(1, CS_ACT_NONE, "") && rx_is(1, CS_ACT_NONE, ""));
    act = cs_rx(&port, 1);
    CHECK(act.type == CS_ACT_FOCUS && act.owner == 0 && act.nr == 0);
    CHECK(rx_is('x', CS_ACT_DOMAIN, "x"));
    /* fewer than three are replayed before the character that broke them */
    CHECK(rx_is(1, CS_ACT_NONE, ""));
    CHECK(rx_is('y', CS_ACT_DOMAIN, "\1y"));
    CHECK(rx_is(1, CS_ACT_NONE, "") && rx_is(1, CS_ACT_NONE, ""));
    CHECK(rx_is('z', CS_ACT_DOMAIN, "\1\1z"));
    (void)cs_rx(&port, 1);
    (void)cs_rx(&port, 1);
    act = cs_rx(&port, 1);
    CHECK(act.type == CS_ACT_FOCUS && act.owner == CS_OWNER_HV);
    /* debugger bytes in between do not break a sequence */
    (void)cs_rx(&port, 1);
    CHECK(rx_is('+' | 0x80, CS_ACT_DEBUG, "+"));
    (void)cs_rx(&port, 1);
    CHECK(cs_rx(&port, 1).type == CS_ACT_FOCUS);
    /* the same code with its top bit set belongs to the debugger */
    CHECK(rx_is(0x81, CS_ACT_DEBUG, "\1"));
}

static void test_switch_option(void)
{
    cs_focus_init(&focus);
    CHECK(focus.code == 1 && focus.auto_switch);
    CHECK(cs_focus_option(&focus, "bx", 2) == 0);
    CHECK(focus.code == 2 && !focus.auto_switch);
    CHECK(cs_focus_option(&focus, "Z", 1) == 0 && focus.code == 26);
    CHECK(cs_focus_option(&focus, "", 0) == CS_EINVAL);
    CHECK(cs_focus_option(&focus, "1", 1) == CS_EINVAL);
    CHECK(cs_focus_option(&focus, "ay", 2) == CS_EINVAL);
    CHECK(cs_focus_option(&focus, "axx", 3) == CS_EINVAL);
    CHECK(focus.code == 26 && focus.auto_switch);
    fresh(CS_L, CS_H);
    CHECK(cs_focus_option(&focus, "`", 1) == 0);
    for (int i = 0; i < 4; i++) {
        CHECK(rx_is(1, CS_ACT_KEYS, "\1"));
        CHECK(cs_rx(&port, 0).type == CS_ACT_KEYS);
    }
}

static void test_owners(void)
{
    cs_focus_init(&focus);
    CHECK(cs_focus_owner(&focus) == CS_OWNER_HV);
    CHECK(cs_focus_next(&focus) == CS_OWNER_HV);
    CHECK(cs_focus_dom0_started(&focus) && cs_focus_owner(&focus) == 0);
    CHECK(cs_focus_add(&focus, 0) == CS_EEXIST);
    CHECK(cs_focus_add(&focus, CS_OWNER_HV) == CS_EINVAL);
    CHECK(cs_focus_add(&focus, 7) == 0 && cs_focus_next(&focus) == 7);
    CHECK(cs_focus_set(&focus, 7) == 0);
    CHECK(cs_focus_next(&focus) == CS_OWNER_HV);
    CHECK(cs_focus_remove(&focus, 0) == 0 && cs_focus_owner(&focus) == 7);
    CHECK(cs_focus_remove(&focus, 7) == 0);
    CHECK(cs_focus_owner(&focus) == CS_OWNER_HV && focus.nr_owners == 1);
    CHECK(cs_focus_remove(&focus, 7) == CS_ENOENT);
    CHECK(cs_focus_remove(&focus, CS_OWNER_HV) == CS_EINVAL);
    CHECK(cs_focus_set(&focus, 7) == CS_ENOENT);
    for (uint16_t i = 1; i < CS_MAX_OWNERS; i++)
        CHECK(cs_focus_add(&focus, i) == 0);
    CHECK(cs_focus_add(&focus, 99) == CS_ENOSPC);
    CHECK(cs_focus_option(&focus, "ax", 2) == 0);
    cs_focus_init(&focus);
    CHECK(cs_focus_option(&focus, "ax", 2) == 0);
    CHECK(!cs_focus_dom0_started(&focus) && focus.nr_owners == 2);
}

static void test_message(void)
{
    char buf[CS_MESSAGE_MAX];
    uint16_t owner = 1;
    size_t len;

    cs_focus_init(&focus);
    CHECK(cs_focus_add(&focus, 0) == 0);
    len = cs_focus_message(&focus, buf, sizeof(buf));
    CHECK(strcmp(buf, "*** Serial input -> Xen (type 'CTRL-a' three times to"
                      " switch input to DOM0).\n") == 0);
    CHECK(cs_focus_parse(buf, len, &owner) && owner == CS_OWNER_HV);
    CHECK(cs_focus_set(&focus, 0) == 0 && cs_focus_add(&focus, 65534) == 0);
    len = cs_focus_message(&focus, buf, sizeof(buf));
    CHECK(len == strlen(buf) && strstr(buf, "-> DOM0 (") != NULL);
    CHECK(strstr(buf, "to DOM65534).\n") != NULL);
    CHECK(cs_focus_parse(buf, len, &owner) && owner == 0);
    CHECK(cs_focus_message(&focus, buf, 20) == 0);
    CHECK(cs_focus_option(&focus, "`", 1) == 0);
    CHECK(cs_focus_message(&focus, buf, sizeof(buf)) == 0);
    CHECK(cs_focus_parse("(XEN) *** Serial input -> DOM12 (x", 34, &owner));
    CHECK(owner == 12);
    CHECK(!cs_focus_parse("*** Serial input -> DOM65535 (", 30, &owner));
    CHECK(!cs_focus_parse("*** Serial input -> DOM (", 25, &owner));
    CHECK(!cs_focus_parse("*** Serial input -> ", 20, &owner));
    CHECK(!cs_focus_parse("login:", 6, &owner));
}

static void test_transmit(void)
{
    fresh(CS_PLAIN, CS_CLOSED);
    write_text(CS_CONSOLE, "a\n\xc3\xa9");
    CHECK(tx_is("a\r\n\xc3\xa9"));
    fresh(CS_L, CS_CLOSED);
    write_text(CS_CONSOLE, "a\n\xc3\x80");
    CHECK(tx_is("a\r\n\\xc3\\x80"));
    CHECK(port.stats.tx_escaped == 2);
    fresh(CS_H, CS_CLOSED);
    write_text(CS_CONSOLE, "a\n\xff");
    CHECK(tx_is("\xe1\x8d\x8a\xdc\xf8\xe6\xe6"));
    fresh(CS_CLOSED, CS_H);
    write_text(CS_DEBUG, "$OK\n\xe9#9a");
    CHECK(tx_is("\xa4\xcf\xcb\x8a\xa3\xb9\xe1"));
    CHECK(port.stats.tx_refused == 1);
    fresh(CS_CLOSED, CS_PLAIN);
    write_text(CS_DEBUG, "\n\xe9");
    CHECK(tx_is("\n\xe9"));
    CHECK(cs_write(&port, CS_CONSOLE, (const uint8_t *)"x", 1) == 0);
}

/* Whatever a console prints, the debugger's half stays silent, and back. */
static void test_no_leak(void)
{
    uint8_t in[256], out[2048];
    size_t nr;

    for (unsigned int i = 0; i < 256; i++)
        in[i] = (uint8_t)i;
    for (int swap = 0; swap < 2; swap++) {
        fresh(swap ? CS_H : CS_L, swap ? CS_L : CS_H);
        CHECK(cs_write(&port, CS_CONSOLE, in, 256) == 256);
        nr = cs_tx(&port, out, sizeof(out));
        CHECK(nr == 128 + 1 + 4 * 128);
        for (size_t i = 0; i < nr; i++)
            CHECK(cs_is_high(out[i]) == (swap == 1));
        CHECK(cs_write(&port, CS_DEBUG, in, 256) == 256);
        nr = cs_tx(&port, out, sizeof(out));
        CHECK(nr == 128 && port.stats.tx_refused == 128);
        for (size_t i = 0; i < nr; i++)
            CHECK(cs_is_high(out[i]) == (swap == 0));
    }
}

static void test_turns(void)
{
    uint8_t out[64];
    size_t nr = 0;

    fresh(CS_L, CS_H);
    write_text(CS_CONSOLE, "one\ntwo\n");
    write_text(CS_DEBUG, "+$S05#b8$OK#9a");
    /* one byte at a time gives the same order as all at once */
    while (nr < sizeof(out) && cs_tx(&port, out + nr, 1) == 1)
        nr++;
    for (size_t i = 0; i < nr; i++)
        out[i] = cs_unmark(out[i]);
    CHECK(nr == 24);
    CHECK(memcmp(out, "one\r\n+two\r\n$S05#b8$OK#9a", 24) == 0);
    CHECK(!cs_tx_pending(&port));
}

static void test_turn_of_long_line(void)
{
    uint8_t line[2 * CS_TURN], out[4 * CS_TURN];
    size_t nr;

    memset(line, 'x', sizeof(line));
    fresh(CS_L, CS_H);
    CHECK(cs_write(&port, CS_CONSOLE, line, sizeof(line)) == sizeof(line));
    write_text(CS_DEBUG, "$#00");
    nr = cs_tx(&port, out, sizeof(out));
    CHECK(nr == 2 * CS_TURN + 4);
    CHECK(out[CS_TURN] == ('$' | 0x80) && out[CS_TURN + 4] == 'x');
}

static void test_tx_bounded(void)
{
    static uint8_t big[CS_TX_CONSOLE + 1];
    uint8_t out[16];

    fresh(CS_L, CS_H);
    CHECK(cs_tx_room(&port, CS_CONSOLE) == CS_TX_CONSOLE);
    CHECK(cs_write(&port, CS_CONSOLE, big, sizeof(big)) == CS_TX_CONSOLE);
    CHECK(cs_write(&port, CS_CONSOLE, big, 1) == 0);
    CHECK(cs_write(&port, CS_DEBUG, big, sizeof(big)) == CS_TX_DEBUG);
    CHECK(cs_tx(&port, out, 16) == 16 && cs_tx_pending(&port));
    CHECK(cs_tx_room(&port, CS_CONSOLE) == 16);
    cs_port_close(&port, CS_CONSOLE);
    CHECK(cs_tx_room(&port, CS_CONSOLE) == 0);
    CHECK(cs_tx_pending(&port));
}

static size_t unescape(const char *in, uint8_t *out)
{
    struct cs_unescape u = { 0 };
    size_t nr = 0;

    for (; *in; in++)
        nr += cs_unescape(&u, (uint8_t)*in, out + nr);
    return nr + cs_unescape_end(&u, out + nr);
}

static void test_unescape(void)
{
    static const char *const cases[][2] = {
        { "plain", "plain" },     { "\\xc3\\xa9", "\xc3\xa9" },
        { "\\\\xc3", "\\\xc3" },  { "\\x41", "\\x41" },
        { "\\xC3", "\\xC3" },     { "\\xc\\xc3", "\\xc\xc3" },
        { "\\xcg\\", "\\xcg\\" }, { "\\xc", "\\xc" },
    };
    uint8_t out[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t nr = unescape(cases[i][0], out);

        CHECK(nr == strlen(cases[i][1]));
        CHECK(memcmp(out, cases[i][1], nr) == 0);
    }
}

int main(void)
{
    RUN(test_open);
    RUN(test_give_way);
    RUN(test_suffix_names);
    RUN(test_receive);
    RUN(test_break);
    RUN(test_hold);
    RUN(test_hold_bounded);
    RUN(test_hold_again);
    RUN(test_full_after_hold);
    RUN(test_hold_switch);
    RUN(test_switch);
    RUN(test_switch_option);
    RUN(test_owners);
    RUN(test_message);
    RUN(test_transmit);
    RUN(test_no_leak);
    RUN(test_turns);
    RUN(test_turn_of_long_line);
    RUN(test_tx_bounded);
    RUN(test_unescape);
    return test_summary();
}
