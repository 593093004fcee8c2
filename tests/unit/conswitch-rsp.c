/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The debugger's protocol between its two legs: a model of gdb on one side, a
 * model of a stub behind a line that loses and damages bytes on the other.
 */
#include "rsp.h"

#include <stdlib.h>
#include <string.h>

#include "conswitch-check.h"
#include "history.h"
#include "rsp-features.h"
#include "telnet.h"

static struct rsp r;
static uint64_t now;

static void fresh(void)
{
    struct rsp_config cfg = { .chars_per_s = 11520 };

    rsp_init(&r, &cfg);
    rsp_attach(&r);
    now = 0;
}

/* One packet of gdb's, framed here. */
static void command_from_gdb(const char *s)
{
    uint8_t packet[200];
    size_t nr = rsp_frame_write(packet, '$', (const uint8_t *)s, strlen(s));

    CHECK(rsp_from_gdb(&r, packet, nr) == nr);
}

static void from_gdb(const char *s)
{
    CHECK(rsp_from_gdb(&r, (const uint8_t *)s, strlen(s)) == strlen(s));
}

static void from_line(const char *s)
{
    rsp_from_line(&r, (const uint8_t *)s, strlen(s), now);
}

/* What gdb reads now, all of it. */
static bool gdb_sees(const char *s)
{
    uint8_t text[4096];
    const uint8_t *data;
    size_t nr, len = 0;

    while ((nr = rsp_gdb_peek(&r, &data)) > 0) {
        memcpy(text + len, data, nr);
        len += nr;
        rsp_gdb_done(&r, nr);
    }
    if (len == strlen(s) && memcmp(text, s, len) == 0)
        return true;
    printf("gdb saw '%.*s'\n", (int)len, (char *)text);
    return false;
}

static void packet_from_line(uint8_t kind, const char *s)
{
    uint8_t packet[200];
    size_t nr = rsp_frame_write(packet, kind, (const uint8_t *)s, strlen(s));

    rsp_from_line(&r, packet, nr, now);
}

static bool line_sees(const char *s)
{
    uint8_t text[4096];
    size_t len = rsp_to_line(&r, text, sizeof(text), now);

    if (len == strlen(s) && memcmp(text, s, len) == 0)
        return true;
    printf("line saw '%.*s'\n", (int)len, (char *)text);
    return false;
}

static void test_plain_exchange(void)
{
    fresh();
    from_gdb("+$g#67");
    CHECK(gdb_sees("+"));
    CHECK(line_sees("$g#67"));
    from_line("+$1234#ca");
    CHECK(line_sees("+"));
    CHECK(gdb_sees("$1234#ca"));
    CHECK(rsp_deadline(&r) == UINT64_MAX);
}

static void test_no_ack(void)
{
    fresh();
    from_gdb("$QStartNoAckMode#b0");
    CHECK(gdb_sees("+$OK#9a"));
    CHECK(line_sees(""));
    from_gdb("+$g#67");
    CHECK(gdb_sees(""));
    CHECK(line_sees("$g#67"));
    from_line("+$00#60");
    CHECK(gdb_sees("$00#60"));
    CHECK(line_sees("+"));
    CHECK(r.stats.near_side == 1);
}

static void test_near_side(void)
{
    fresh();
    command_from_gdb("X1000,0:");
    CHECK(gdb_sees("+$#00"));
    from_gdb("$qSearch:memory:0;ff;\xff#cc");
    CHECK(gdb_sees("-"));
    command_from_gdb("qSearch:memory:0;ff;ab");
    CHECK(gdb_sees("+$#00"));
    command_from_gdb("p\xe9");
    CHECK(gdb_sees("+$#00"));
    CHECK(line_sees(""));
}

static void test_features(void)
{
    fresh();
    command_from_gdb("qSupported:a+");
    CHECK(gdb_sees("+"));
    CHECK(line_sees("$qSupported:a+#fd"));
    from_line("+");
    packet_from_line('$', "PacketSize=fffff;v+;binary-upload+");
    CHECK(gdb_sees("$QStartNoAckMode+;PacketSize=7ff0;v+#55"));
    CHECK(line_sees("+"));
}

static bool features_are(const char *in, bool exec, const char *expected)
{
    static uint8_t out[RSP_PACKET_MAX];
    size_t nr = rsp_features((const uint8_t *)in, strlen(in), exec, out,
                             sizeof(out));

    return nr == strlen(expected) && memcmp(out, expected, nr) == 0;
}

static void test_features_list(void)
{
    CHECK(features_are("", false, "QStartNoAckMode+"));
    CHECK(features_are("a+;QStartNoAckMode-;b-", false,
                       "QStartNoAckMode+;a+;b-"));
    CHECK(features_are("E01", false, "E01"));
    CHECK(features_are("qXfer:exec-file:read+;x+", true,
                       "QStartNoAckMode+;qXfer:exec-file:read+;x+"));
    /* run-length: 0* means four zeros (space is 29 + 3) */
    CHECK(features_are("PacketSize=10* ", false,
                       "QStartNoAckMode+;PacketSize=7ff0"));
    CHECK(features_are("PacketSize=400", false,
                       "QStartNoAckMode+;PacketSize=400"));
}

static void test_interrupt(void)
{
    fresh();
    from_gdb("\x03");
    CHECK(line_sees("\x03"));
    CHECK(!rsp_take_break(&r));
    from_gdb("\xff\xf3");
    CHECK(rsp_take_break(&r) && !rsp_take_break(&r));
    CHECK(line_sees(""));
    /* negotiation is skipped, a doubled ff is nothing */
    from_gdb("\xff\xfd\x03\xff\xff+");
    CHECK(!rsp_take_break(&r) && line_sees(""));
    r.cfg.interrupt_is_break = true;
    from_gdb("\x03");
    CHECK(rsp_take_break(&r) && line_sees(""));
}

/* ^C never lands inside a packet, although it overtakes what waits. */
static void test_interrupt_inside(void)
{
    uint8_t out[3];

    fresh();
    from_gdb("$m1000,4#8e");
    CHECK(rsp_to_line(&r, out, 3, now) == 3);
    from_gdb("\x03");
    CHECK(line_sees("000,4#8e"));
    CHECK(line_sees("\x03"));
}

static void test_line_retry(void)
{
    fresh();
    from_gdb("$g#67");
    CHECK(line_sees("$g#67"));
    from_line("-");
    CHECK(line_sees("$g#67"));
    now = rsp_deadline(&r);
    CHECK(now >= RSP_ACK_MS && now < RSP_ACK_MS + 1000);
    rsp_tick(&r, now);
    CHECK(line_sees("$g#67"));
    from_line("+$zz#00");
    CHECK(line_sees("-"));
    from_line("$zz#f4");
    CHECK(line_sees("+"));
    CHECK(gdb_sees("+$zz#f4"));
    CHECK(r.stats.retries == 2 && r.stats.bad_line == 1);
}

static void test_gives_up(void)
{
    fresh();
    from_gdb("$g#67");
    for (unsigned int i = 0; i < RSP_TRIES; i++) {
        CHECK(line_sees("$g#67"));
        now = rsp_deadline(&r);
        rsp_tick(&r, now);
    }
    CHECK(line_sees("") && rsp_deadline(&r) == UINT64_MAX);
    CHECK(r.stats.given_up == 1);
    from_gdb("$?#3f");
    CHECK(line_sees("$?#3f"));
}

/* A second command waits for the first one's ack. */
static void test_one_at_a_time(void)
{
    fresh();
    CHECK(rsp_from_gdb(&r, (const uint8_t *)"$g#67$?#3f$c#63", 15) == 10);
    CHECK(line_sees("$g#67"));
    from_line("+");
    CHECK(line_sees("$?#3f"));
    from_line("+");
    CHECK(rsp_from_gdb(&r, (const uint8_t *)"$c#63", 5) == 5);
    CHECK(line_sees("$c#63"));
}

static void test_duplicates(void)
{
    fresh();
    from_gdb("$g#67");
    CHECK(line_sees("$g#67"));
    from_line("+$11#62");
    CHECK(gdb_sees("+$11#62"));
    /* our ack was lost: it comes again */
    from_line("$11#62");
    CHECK(line_sees("++") && gdb_sees(""));
    /* the next command meets the repeated reply before its own ack */
    from_gdb("$g#67");
    from_line("$11#62");
    CHECK(gdb_sees("+"));
    from_line("-");
    CHECK(line_sees("+$g#67"));
    from_line("+$11#62");
    CHECK(gdb_sees("$11#62"));
    CHECK(r.stats.duplicates == 2);
    /* text may repeat */
    from_gdb("$c#63");
    CHECK(line_sees("+$c#63"));
    from_line("+$O41#b4$O41#b4");
    CHECK(gdb_sees("+$O41#b4$O41#b4"));
}

/* A reply that was meant for the gdb before does not reach this one. */
static void test_sessions(void)
{
    fresh();
    from_gdb("$g#67");
    CHECK(line_sees("$g#67"));
    rsp_detach(&r);
    from_line("+");
    rsp_attach(&r);
    from_gdb("+$?#3f");
    CHECK(line_sees("$?#3f"));
    from_line("$5555#d4");
    CHECK(gdb_sees("+"));
    from_line("+$S05#b8");
    CHECK(gdb_sees("$S05#b8"));
    /* half a command is ended on the line so that the next is whole */
    from_gdb("$m1000,4#8e");
    uint8_t out[4];
    CHECK(rsp_to_line(&r, out, 4, now) == 4);
    rsp_attach(&r);
    CHECK(line_sees("#zz"));
}

/* A command that lets the target run, and the target has it. */
static void resume(void)
{
    command_from_gdb("c");
    CHECK(gdb_sees("+"));
    CHECK(line_sees("$c#63"));
    from_line("+");
}

/* What stops the target without a session, behind a dead gdb, sees it stop. */
static void test_interrupt_behind_dead_gdb(void)
{
    fresh();
    resume();
    rsp_detach(&r);
    packet_from_line('$', "T05");
    CHECK(line_sees(""));
    rsp_attach(&r);
    packet_from_line('$', "T05");
    CHECK(gdb_sees("") && line_sees(""));
    from_gdb("\x03");
    CHECK(line_sees("\x03"));
    packet_from_line('$', "T05");
    CHECK(gdb_sees("$T05#b9"));
    CHECK(r.stats.unclaimed == 2);
}

/* gdb dies while the target runs: whoever takes the stop is not there. */
static void test_dead_gdb(void)
{
    fresh();
    resume();
    rsp_detach(&r);
    for (int i = 0; i < 3; i++)
        packet_from_line('$', "T05");
    from_line("$T05#00$T0");
    CHECK(line_sees(""));
    now = rsp_deadline(&r);
    rsp_tick(&r, now);
    CHECK(line_sees("") && rsp_deadline(&r) == UINT64_MAX);
    CHECK(r.stats.unclaimed == 3 && r.stats.duplicates == 0);
    CHECK(r.stats.noise == 0 && r.stats.bad_line == 2);
    /* somebody who connects is no gdb yet, and this one leaves again */
    rsp_attach(&r);
    packet_from_line('$', "T05");
    CHECK(gdb_sees("") && line_sees(""));
    rsp_detach(&r);
    /* a gdb gets none of them: before it asks, then, behind the + */
    rsp_attach(&r);
    packet_from_line('$', "T05");
    CHECK(gdb_sees("") && line_sees(""));
    from_gdb("+$qSupported#37");
    packet_from_line('$', "T05");
    CHECK(gdb_sees("+") && line_sees("+$qSupported#37"));
    from_line("+");
    packet_from_line('$', "T05");
    packet_from_line('$', "O41");
    CHECK(gdb_sees("") && line_sees("++"));
    packet_from_line('$', "PacketSize=100");
    CHECK(gdb_sees("$QStartNoAckMode+;PacketSize=100#d7"));
    CHECK(line_sees("+"));
    /* what it asks for it gets, though it is the same */
    command_from_gdb("?");
    CHECK(line_sees("$?#3f"));
    from_line("+");
    packet_from_line('$', "T05");
    CHECK(gdb_sees("+$T05#b9") && line_sees("+"));
}

/* The stop went to a gdb of which nothing was heard afterwards. */
static void test_silent_gdb(void)
{
    fresh();
    resume();
    packet_from_line('$', "T05");
    packet_from_line('$', "T05");
    CHECK(gdb_sees("$T05#b9") && line_sees(""));
    CHECK(r.stats.duplicates == 1);
    rsp_detach(&r);
    packet_from_line('$', "T05");
    CHECK(line_sees("") && r.stats.unclaimed == 1);
    /* any character of gdb's will do */
    fresh();
    resume();
    packet_from_line('$', "T05");
    from_gdb("+");
    CHECK(line_sees("+"));
    packet_from_line('$', "T05");
    CHECK(gdb_sees("$T05#b9") && line_sees("+"));
}

/* gdb leaves a stopped target, and the + it owed was lost: it stays stopped. */
static void test_disconnect(void)
{
    fresh();
    resume();
    packet_from_line('$', "T05");
    command_from_gdb("g");
    CHECK(line_sees("+$g#67"));
    from_line("+$11#62");
    CHECK(line_sees("+"));
    rsp_detach(&r);
    from_line("$11#62");
    CHECK(line_sees("+"));
    rsp_attach(&r);
    CHECK(gdb_sees(""));
    from_line("$11#62");
    CHECK(line_sees("+") && gdb_sees(""));
    CHECK(r.stats.unclaimed == 0 && r.stats.duplicates == 2);
}

static void test_reset_of_target(void)
{
    fresh();
    /* cut off by a reset, then a banner, then a whole packet */
    from_line("$T05thread");
    from_line("$S05#b8");
    CHECK(gdb_sees("$S05#b8") && line_sees("+"));
    CHECK(r.stats.bad_line == 1 && r.stopped);
    from_line("$T05th");
    CHECK(rsp_deadline(&r) == RSP_RX_TIMEOUT);
    now = rsp_deadline(&r);
    rsp_tick(&r, now);
    CHECK(line_sees("-") && rsp_deadline(&r) == UINT64_MAX);
    from_line("noise");
    CHECK(r.stats.noise == 5 && gdb_sees(""));
}

/* The reply lost its first character: it is asked for again, as often as
 * that is needed, and the next command waits for a late double. */
static void test_reply_lost(void)
{
    fresh();
    from_gdb("$g#67");
    CHECK(line_sees("$g#67"));
    from_line("+1122#c6");
    for (int i = 0; i < 2; i++) {
        now = rsp_deadline(&r);
        rsp_tick(&r, now);
        CHECK(line_sees("-"));
    }
    packet_from_line('$', "1122");
    CHECK(gdb_sees("+$1122#c6"));
    command_from_gdb("?");
    CHECK(line_sees("+"));
    packet_from_line('$', "1122");
    CHECK(gdb_sees("+") && line_sees("+"));
    now = rsp_deadline(&r);
    rsp_tick(&r, now);
    CHECK(line_sees("$?#3f") && r.stats.duplicates == 1);
    /* but a running target is left in peace */
    from_line("+$S05#b8");
    command_from_gdb("c");
    CHECK(line_sees("+$c#63"));
    from_line("+noise");
    CHECK(rsp_deadline(&r) == UINT64_MAX);
}

/* Nothing is heard until the deadline: the packet goes out once more. */
static bool sent_again(const char *packet)
{
    now = rsp_deadline(&r);
    rsp_tick(&r, now);
    return line_sees(packet);
}

/*
 * A target that was only slow answers the command and its repeat. The second
 * acknowledgement is not taken for that of gdb's next command, nor the second
 * answer for the next one's.
 */
static void test_slow_target(void)
{
    fresh();
    command_from_gdb("Z0,1,1");
    CHECK(line_sees("$Z0,1,1#44") && sent_again("$Z0,1,1#44"));
    from_line("+");
    packet_from_line('$', "OK");
    CHECK(gdb_sees("+$OK#9a"));
    command_from_gdb("c");
    CHECK(gdb_sees("+") && line_sees("+"));
    now += RSP_SETTLE_MS + 1;
    rsp_tick(&r, now);
    from_line("+");
    CHECK(line_sees(""));
    packet_from_line('$', "OK");
    CHECK(line_sees("+$c#63") && gdb_sees(""));
    from_line("+$S05#b8");
    CHECK(gdb_sees("$S05#b8") && line_sees(""));
    CHECK(r.stats.duplicates == 1);
    /* the repeat's answer may differ, and it may not come at all */
    command_from_gdb("g");
    CHECK(line_sees("+$g#67") && sent_again("$g#67"));
    from_line("++");
    packet_from_line('$', "11");
    packet_from_line('$', "22");
    CHECK(gdb_sees("+$11#62") && r.stats.duplicates == 2);
    command_from_gdb("g");
    CHECK(line_sees("++$g#67") && sent_again("$g#67"));
    from_line("+");
    packet_from_line('$', "11");
    command_from_gdb("?");
    CHECK(line_sees("+"));
    CHECK(rsp_deadline(&r) == now + RSP_LATE_MS);
    now = rsp_deadline(&r);
    rsp_tick(&r, now);
    CHECK(line_sees("$?#3f"));
}

static void test_notifications(void)
{
    fresh();
    packet_from_line('%', "Stop:S05");
    CHECK(gdb_sees("%Stop:S05#98") && line_sees(""));
}

static void test_too_long(void)
{
    static uint8_t big[RSP_PACKET_MAX + 1];

    fresh();
    memset(big, 'a', sizeof(big));
    from_line("$");
    rsp_from_line(&r, big, sizeof(big), now);
    from_line("#61");
    CHECK(line_sees("-") && gdb_sees(""));
    from_line("$S05#b8");
    CHECK(gdb_sees("$S05#b8"));
}

static void test_gdb_does_not_read(void)
{
    static uint8_t big[8192 + 4];
    size_t before;

    fresh();
    memset(big, 'a', sizeof(big));
    for (int i = 0; i < 40; i++) {
        big[0] = (uint8_t)('a' + i % 20);
        from_line("$");
        rsp_from_line(&r, big, 8192, now);
        from_line("#");
        uint8_t sum = (uint8_t)(big[0] + 8191u * 'a');
        char hex[3];
        snprintf(hex, sizeof(hex), "%02x", sum);
        from_line(hex);
    }
    CHECK(r.stats.dropped > 0);
    before = r.out_head - r.out_tail;
    CHECK(before <= RSP_TO_GDB && before % (8192 + 4) == 0);
}

/* ------------------------------------------------ a line that makes errors */

static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* At most one error a chunk: a bit flipped or a byte lost. */
static size_t damage(uint8_t *buf, size_t len, uint32_t one_in)
{
    size_t at;

    if (len == 0 || rnd(one_in) != 0)
        return len;
    at = rnd((uint32_t)len);
    if (rnd(2)) {
        buf[at] ^= (uint8_t)(1u << rnd(7));
        return len;
    }
    memmove(buf + at, buf + at + 1, len - at - 1);
    return len - 1;
}

/* A stub that answers each command with what it was, doubled. */
struct stub {
    struct rsp_frame in;
    uint8_t out[8192], last[4096];
    size_t nr_out, nr_last;
};

static struct stub stub;

static void stub_put(const uint8_t *data, size_t len)
{
    memcpy(stub.out + stub.nr_out, data, len);
    stub.nr_out += len;
}

static void stub_answer(void)
{
    uint8_t text[1024];

    stub_put((const uint8_t *)"+", 1);
    memcpy(text, stub.in.data, stub.in.len);
    memcpy(text + stub.in.len, stub.in.data, stub.in.len);
    stub.nr_last = rsp_frame_write(stub.last, '$', text, 2u * stub.in.len);
    stub_put(stub.last, stub.nr_last);
}

static void stub_rx(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        /* a stub is not sent notifications: it does not know the % */
        switch (rsp_frame_push(&stub.in, data[i] == '%' ? 'z' : data[i])) {
        case RSP_PACKET: stub_answer(); break;
        case RSP_BAD: stub_put((const uint8_t *)"-", 1); break;
        case RSP_NAK: stub_put(stub.last, stub.nr_last); break;
        default: break;
        }
    }
}

/* One round over the damaged line, both ways. */
static void exchange(uint32_t one_in)
{
    uint8_t buf[4096];
    size_t nr = rsp_to_line(&r, buf, sizeof(buf), now);

    stub_rx(buf, damage(buf, nr, one_in));
    nr = damage(stub.out, stub.nr_out, one_in);
    stub.nr_out = 0;
    memcpy(buf, stub.out, nr);
    rsp_from_line(&r, buf, nr, now);
    now += 100;
    if (now >= rsp_deadline(&r))
        rsp_tick(&r, now);
}

static void test_damaged_line(void)
{
    uint8_t packet[256], got[1024];
    const uint8_t *data;
    char text[64], expected[160];

    fresh();
    memset(&stub, 0, sizeof(stub));
    seed = 7;
    from_gdb("$QStartNoAckMode#b0");
    CHECK(gdb_sees("+$OK#9a"));
    from_gdb("+");
    for (unsigned int i = 0; i < 5000; i++) {
        int n = snprintf(text, sizeof(text), "m%x,%x;", i, rnd(1000));
        size_t len = rsp_frame_write(packet, '$', (uint8_t *)text, (size_t)n);
        size_t nr = 0;

        CHECK(rsp_from_gdb(&r, packet, len) == len);
        for (int k = 0; k < 200 && nr == 0; k++) {
            exchange(8);
            nr = rsp_gdb_peek(&r, &data);
        }
        snprintf(expected, sizeof(expected), "%s%s", text, text);
        len = rsp_frame_write(got, '$', (uint8_t *)expected, 2u * (size_t)n);
        CHECK(nr == len && memcmp(data, got, len < nr ? len : nr) == 0);
        rsp_gdb_done(&r, nr);
    }
    CHECK(r.stats.retries > 100 && r.stats.bad_line > 100);
    printf("damaged line: %llu retries, %llu bad packets, %llu duplicates\n",
           (unsigned long long)r.stats.retries,
           (unsigned long long)r.stats.bad_line,
           (unsigned long long)r.stats.duplicates);
}

/* ------------------------------------------------------------- the others */

static void test_telnet(void)
{
    struct telnet t;
    uint8_t out[64];

    telnet_init(&t, TELNET_BINARY | TELNET_SGA, TELNET_ECHO);
    /* raw: anything passes, ff included, also at the end of a read */
    CHECK(telnet_rx(&t, (const uint8_t *)"a\xff", 2, out) == 1);
    CHECK(telnet_rx(&t,
                    (const uint8_t *)"\x01"
                                     "b\r\n",
                    4, out) == 5);
    CHECK(memcmp(out,
                 "\xff\x01"
                 "b\r\n",
                 5) == 0 &&
          !t.active);
    /* DO SGA yes, DO 31 (window size) no, WILL ECHO yes, BREAK */
    CHECK(telnet_rx(&t,
                    (const uint8_t *)"\xff\xfd\x03\xff\xfd\x1f"
                                     "\xff\xfb\x01\xff\xf3z",
                    12, out) == 1);
    CHECK(t.active && t.breaks == 1 && out[0] == 'z');
    CHECK(t.nr_reply == 9);
    CHECK(memcmp(t.reply, "\xff\xfb\x03\xff\xfc\x1f\xff\xfd\x01", 9) == 0);
    t.nr_reply = 0;
    /* said before: no answer, hence no loop */
    CHECK(telnet_rx(&t, (const uint8_t *)"\xff\xfd\x03", 3, out) == 0);
    CHECK(t.nr_reply == 0);
    /* a subnegotiation is skipped; CR NUL and CR LF are one key */
    CHECK(telnet_rx(&t, (const uint8_t *)"\xff\xfa\x18\x00xy\xff\xf0q\r\0w\r\n",
                    14, out) == 4);
    CHECK(memcmp(out, "q\rw\r", 4) == 0);
    CHECK(telnet_tx(&t, (const uint8_t *)"a\xff", 2, out) == 3);
}

static void test_history(void)
{
    static struct history h;
    static uint8_t out[HISTORY_SIZE];
    size_t nr;

    history_add(&h, (const uint8_t *)"one\r\ntwo\r\nthr", 13);
    nr = history_tail(&h, 2, out);
    CHECK(nr == 8 && memcmp(out, "two\r\nthr", 8) == 0);
    CHECK(history_tail(&h, 0, out) == 0);
    CHECK(history_tail(&h, 99, out) == 13);
    for (int i = 0; i < 10000; i++)
        history_add(&h, (const uint8_t *)"0123456789\n", 11);
    CHECK(history_tail(&h, 1, out) == 11);
    CHECK(history_tail(&h, 1000000, out) == HISTORY_SIZE);
    CHECK(memcmp(out + HISTORY_SIZE - 11, "0123456789\n", 11) == 0);
}

int main(void)
{
    RUN(test_plain_exchange);
    RUN(test_no_ack);
    RUN(test_near_side);
    RUN(test_features);
    RUN(test_features_list);
    RUN(test_interrupt);
    RUN(test_interrupt_inside);
    RUN(test_line_retry);
    RUN(test_gives_up);
    RUN(test_one_at_a_time);
    RUN(test_duplicates);
    RUN(test_sessions);
    RUN(test_dead_gdb);
    RUN(test_interrupt_behind_dead_gdb);
    RUN(test_silent_gdb);
    RUN(test_disconnect);
    RUN(test_reset_of_target);
    RUN(test_reply_lost);
    RUN(test_slow_target);
    RUN(test_notifications);
    RUN(test_too_long);
    RUN(test_gdb_does_not_read);
    RUN(test_damaged_line);
    RUN(test_telnet);
    RUN(test_history);
    return test_summary();
}
