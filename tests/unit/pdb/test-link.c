// SPDX-License-Identifier: GPL-2.0-only
/*
 * Framing, acknowledgements, repeats, run lengths, seven bits, dead gdbs.
 */
#include "check.h"

static void good_packet_is_acked(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "vMustReplyEmpty");
    IS(fake_pull(f), "+$#00");
}

static void bad_sum_is_refused(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_push(f, "$qC#00", 6);
    IS(fake_pull(f), "-");
    fake_push(f, "$qC#zz", 6);
    IS(fake_pull(f), "-");
    IS(fake_ask(f, "qC"), "QCp1.1");
}

static void cut_frame_is_dropped(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_push(f, "$m1000", 6);
    IS(fake_ask(f, "qC"), "QCp1.1");
    fake_push(f, "$qC#", 4);
    IS(fake_ask(f, "qC"), "QCp1.1");
}

static void noise_between_is_ignored(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_push(f, "abc#12\r\n%", 9);
    IS(fake_pull(f), "");
    IS(fake_ask(f, "qC"), "QCp1.1");
}

static void stalled_frame_is_asked_for_again(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_push(f, "$qC", 3);
    pdb_tick(&f->pdb);
    IS(fake_pull(f), "");
    pdb_tick(&f->pdb);
    IS(fake_pull(f), "-");
}

static void nak_sends_again(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "qC");
    IS(fake_pull(f), "+$QCp1.1#94");
    fake_push(f, "-", 1);
    IS(fake_pull(f), "$QCp1.1#94");
    fake_push(f, "+", 1);
    fake_push(f, "-", 1);
    IS(fake_pull(f), "");
}

static void naks_end(struct fake *f)
{
    int n = 0;

    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "qC");
    fake_pull(f);
    for (int i = 0; i < 100; i++) {
        fake_push(f, "-", 1);
        n += *fake_pull(f) != '\0';
    }
    CHECK(n == 10);
}

static void repeat_is_not_carried_out(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "P0=0100000000000000");
    HAS(fake_pull(f), "+$OK");
    f->regs[1][1].v[PDB_RAX] = 7;
    fake_packet(f, "P0=0100000000000000"); /* our + and reply were lost */
    IS(fake_pull(f), "+$OK#9a");
    CHECK(f->regs[1][1].v[PDB_RAX] == 7);
    CHECK(f->pdb.link.repeats == 1);
    fake_push(f, "+", 1);
    IS(fake_ask(f, "P0=0100000000000000"), "OK"); /* acknowledged: new */
    CHECK(f->regs[1][1].v[PDB_RAX] == 1);
}

/* gdb's + arrives as something else: the next packet is a new one. */
static void packet_after_a_spoilt_ack_is_new(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "P0=0100000000000000");
    HAS(fake_pull(f), "+$OK");
    f->regs[1][1].v[PDB_RAX] = 7;
    fake_push(f, "*", 1);
    fake_packet(f, "P0=0100000000000000");
    IS(fake_pull(f), "+$OK#9a");
    CHECK(f->regs[1][1].v[PDB_RAX] == 1);
    fake_packet(f, "P0=0100000000000000"); /* no noise behind this one */
    IS(fake_pull(f), "+$OK#9a");
    CHECK(f->pdb.link.repeats == 1);
}

/* Should one be lost gdb still does not send the packet again. */
static void what_acts_is_acked_twice_on_a_bad_line(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "vCont;s:p1.1");
    IS(fake_pull(f), "+");
    fake_stop(f, PDB_WHY_STEP, 1, 1);
    HAS(fake_pull(f), "$T05");
    fake_push(f, "-", 1);
    HAS(fake_pull(f), "$T05");
    fake_push(f, "+", 1);
    fake_packet(f, "vCont;s:p1.1");
    IS(fake_pull(f), "++");
    fake_stop(f, PDB_WHY_STEP, 1, 1);
    HAS(fake_pull(f), "$T05");
    fake_push(f, "+", 1);
    fake_packet(f, "vCont?");
    HAS(fake_pull(f), "+$vCont;");
}

static void no_ack_mode(struct fake *f)
{
    fake_init(f, PDB_NO_ACK);
    fake_attach(f);
    fake_packet(f, "QStartNoAckMode");
    IS(fake_pull(f), "+$OK#9a");
    fake_push(f, "+", 1);
    fake_packet(f, "qC");
    IS(fake_pull(f), "$QCp1.1#94");
    fake_push(f, "$qC#00", 6); /* nobody could resend it */
    HAS(fake_pull(f), "$E.");
}

static void no_ack_mode_is_for_good_links(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "QStartNoAckMode"), "");
}

static void new_gdb_ends_no_ack_mode(struct fake *f)
{
    fake_init(f, PDB_NO_ACK);
    fake_attach(f);
    IS(fake_ask(f, "QStartNoAckMode"), "OK");
    fake_packet(f, "vMustReplyEmpty");
    IS(fake_pull(f), "$#00");
    fake_push(f, "+", 1); /* one too many, or half of a greeting */
    fake_packet(f, "vMustReplyEmpty");
    IS(fake_pull(f), "$#00");
    fake_packet(f, "qSupported:multiprocess+");
    HAS(fake_pull(f), "+$PacketSize");
    fake_push(f, "+", 1);
    fake_packet(f, "qC");
    IS(fake_pull(f), "+$QCp1.1#94");
}

/* It goes on in no-ack mode, with a breakpoint. */
static void run_without_acks(struct fake *f)
{
    fake_init(f, PDB_NO_ACK);
    fake_attach(f);
    fake_ask(f, "Z0,10100,1");
    fake_packet(f, "QStartNoAckMode");
    IS(fake_pull(f), "+$OK#9a");
    fake_push(f, "+", 1);
    fake_packet(f, "vCont;c");
    IS(fake_pull(f), "");
}

/* A stop counts as unacknowledged until gdb says something. */
static void next_packet_is_an_ack(struct fake *f)
{
    run_without_acks(f);
    fake_stop(f, PDB_WHY_HALTED, 1, 1);
    HAS(fake_pull(f), "$T00");
    CHECK(pdb_awaits(&f->pdb));
    for (int i = 0; i < PDB_DEAD_TICKS - 1; i++)
        pdb_tick(&f->pdb);
    IS(fake_pull(f), ""); /* nothing is sent again */
    fake_packet(f, "qC");
    IS(fake_pull(f), "$QCp1.1#94");
    CHECK(!pdb_awaits(&f->pdb));
    for (int i = 0; i < 2 * PDB_DEAD_TICKS; i++)
        pdb_tick(&f->pdb);
    CHECK(f->pdb.state == PDB_STOPPED); /* it sits at its prompt */
    fake_packet(f, "vCont;c");
    fake_packet(f, "vCont;c"); /* no repeat, whatever it is */
    CHECK(f->pdb.link.repeats == 0);
}

static void silent_gdb_is_dead(struct fake *f)
{
    run_without_acks(f);
    CHECK(f->mem[1][0x100] == 0xcc);
    fake_stop(f, PDB_WHY_HALTED, 1, 1);
    HAS(fake_pull(f), "$T00");
    for (int i = 0; i < PDB_DEAD_TICKS; i++) {
        CHECK(f->pdb.state == PDB_STOPPED);
        pdb_tick(&f->pdb);
    }
    CHECK(f->pdb.state == PDB_ALONE && f->nr_resumes == 2);
    CHECK(f->mem[1][0x100] != 0xcc);
    /* it was only late, and is still without acknowledgements */
    fake_packet(f, "qfThreadInfo");
    CHECK(f->nr_interrupts == 2);
    fake_stop(f, PDB_WHY_BREAK_IN, 1, 1);
    HAS(fake_pull(f), "$m1,2");
}

/* The end of a domain is a stop, too. */
static void silent_gdb_misses_an_end(struct fake *f)
{
    run_without_acks(f);
    fake_stop(f, PDB_WHY_HALTED, 1, 1);
    fake_pull(f);
    fake_packet(f, "vAttach;2");
    fake_pull(f);
    fake_packet(f, "vCont;c");
    fake_stop(f, PDB_WHY_GONE, 2, 1);
    HAS(fake_pull(f), "$W00;process:2");
    for (int i = 0; i < PDB_DEAD_TICKS; i++)
        pdb_tick(&f->pdb);
    CHECK(f->pdb.state == PDB_ALONE);
}

/* The old one died in the midst of a packet. */
static void new_gdb_behind_a_cut_frame(struct fake *f)
{
    run_without_acks(f);
    fake_push(f, "$Z0,1", 5);
    fake_push(f, "+", 1);
    fake_packet(f, "qSupported:multiprocess+");
    fake_stop(f, PDB_WHY_BREAK_IN, 1, 1);
    HAS(fake_pull(f), "+$PacketSize");
}

static void too_long_packet_earns_an_error(struct fake *f)
{
    static char body[2 * PDB_PACKET];

    fake_init(f, 0);
    fake_attach(f);
    memset(body, 'a', sizeof(body));
    body[0] = 'M';
    fake_packet_len(f, body, sizeof(body));
    HAS(fake_pull(f), "+$E.packet: too long");
}

static void runs_are_encoded(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    memset(f->mem[1], 0, 200);
    fake_packet(f, "m10000,40"); /* 128 zeros: 98 and 30 */
    IS(fake_pull(f), "+$0*~0*:#6c");
    fake_push(f, "+", 1);
    /* Every length: fake_body() aborts on a forbidden count. */
    for (int n = 1; n < 110; n++) {
        char ask[32], want[256] = "";

        for (int i = 0; i < n; i++)
            strcat(want, "00");
        snprintf(ask, sizeof(ask), "m10000,%x", n);
        IS(fake_ask(f, ask), want);
    }
}

static void seven_bits_only(struct fake *f)
{
    fake_init(f, PDB_SEVEN_BIT);
    fake_attach(f);
    f->why = "caf\xc3\xa9";
    fake_packet(f, "m0,4");
    for (const char *c = fake_pull(f); *c; c++)
        CHECK(!(*c & 0x80));
    fake_push(f, "+", 1);
    IS(fake_ask(f, "X10000,0:"), "");
    IS(fake_ask(f, "x10000,4"), "");
    IS(fake_ask(f, "qSearch:memory:10000;10;a"), "");
    CHECK(!strstr(fake_ask(f, "qSupported:error-message+"),
                  "binary-upload"));
}

static void marked_characters_are_read(struct fake *f)
{
    fake_init(f, PDB_SEVEN_BIT);
    fake_attach(f);
    fake_push(f, "\xa4\xf1\xc3\xa3\xb2\xb4", 6); /* $qC#.. with top bits */
    fake_packet(f, "qC");
    HAS(fake_pull(f), "$QCp1.1");
}

static void silence_resends_then_gives_up(struct fake *f)
{
    int sent = 0;

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10100,1");
    fake_packet(f, "qC");
    fake_pull(f);
    for (int i = 0; i < PDB_DEAD_TICKS; i++) {
        CHECK(f->pdb.state == PDB_STOPPED);
        pdb_tick(&f->pdb);
        sent += *fake_pull(f) != '\0';
    }
    CHECK(sent == PDB_DEAD_TICKS / PDB_RESEND_TICKS - 1);
    CHECK(f->pdb.state == PDB_ALONE && f->nr_resumes == 1);
    CHECK(f->mem[1][0x100] != 0xcc);
}

static void idle_gdb_is_not_dead(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    for (int i = 0; i < 1000; i++)
        pdb_tick(&f->pdb);
    CHECK(f->pdb.state == PDB_STOPPED && f->nr_resumes == 0);
}

static void packet_during_a_reply_waits(struct fake *f)
{
    char buf[3];

    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "m10000,40");
    CHECK(pdb_tx(&f->pdb, buf, 3) == 3);
    fake_packet(f, "qC");
    HAS(fake_pull(f), "QCp1.1");
}

static void fault_inside_is_told(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    pdb_fault(&f->pdb, "x"); /* nothing was going on */
    IS(fake_pull(f), "");
    f->pdb.busy = true; /* as it is inside an operation */
    pdb_fault(&f->pdb, "m");
    HAS(fake_pull(f), "E.m: a fault was caught");
    IS(fake_ask(f, "qC"), "QCp1.1");
}

const struct test link_tests[] = {
    { "good packet is acked", good_packet_is_acked },
    { "bad sum is refused", bad_sum_is_refused },
    { "cut frame is dropped", cut_frame_is_dropped },
    { "noise between is ignored", noise_between_is_ignored },
    { "stalled frame is asked for again", stalled_frame_is_asked_for_again },
    { "nak sends again", nak_sends_again },
    { "naks end", naks_end },
    { "repeat is not carried out", repeat_is_not_carried_out },
    { "packet after a spoilt ack is new", packet_after_a_spoilt_ack_is_new },
    { "what acts is acked twice on a bad line",
      what_acts_is_acked_twice_on_a_bad_line },
    { "no-ack mode", no_ack_mode },
    { "no-ack mode is for good links", no_ack_mode_is_for_good_links },
    { "new gdb ends no-ack mode", new_gdb_ends_no_ack_mode },
    { "next packet is an ack", next_packet_is_an_ack },
    { "silent gdb is dead", silent_gdb_is_dead },
    { "silent gdb misses an end", silent_gdb_misses_an_end },
    { "new gdb behind a cut frame", new_gdb_behind_a_cut_frame },
    { "too long packet earns an error", too_long_packet_earns_an_error },
    { "runs are encoded", runs_are_encoded },
    { "seven bits only", seven_bits_only },
    { "marked characters are read", marked_characters_are_read },
    { "silence resends, then gives up", silence_resends_then_gives_up },
    { "idle gdb is not dead", idle_gdb_is_not_dead },
    { "packet during a reply waits", packet_during_a_reply_waits },
    { "fault inside is told", fault_inside_is_told },
    { NULL, NULL },
};
