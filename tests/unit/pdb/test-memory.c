// SPDX-License-Identifier: GPL-2.0-only
/*
 * m M X x qCRC qSearch, contexts, and what faults say.
 */
#include "check.h"

static void reads(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "m10000,4"), "01080f16");
    IS(fake_ask(f, "m10001,1"), "08");
    IS(fake_ask(f, "m10000,0"), "");
}

static void reads_short_at_the_end(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    CHECK(strlen(fake_ask(f, "m13ffe,10")) == 4);
    CHECK(strlen(fake_ask(f, "m10000,ffffffffffffffff")) == PDB_PACKET);
}

static void says_why_a_read_failed(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "m0,4"), "E.0x0: address not mapped");
    f->why = "L2 entry not present, domain 3 #$}*";
    IS(fake_ask(f, "m20,4"),
       "E.0x20: L2 entry not present, domain 3 ????");
    f->pdb.error_text = false;
    IS(fake_ask(f, "m20,4"), "E0e");
}

static void refuses_nonsense(struct fake *f)
{
    static const char *const bad[] = {
        "m", "mxyz", "m10000", "m10000,", "m10000,4x", "m11112222333344445,1",
        "M10000,2:00", "M10000,1:0000", "M10000,1:zz", "M10000,1", "M10000,:",
        "X10000,2:a", "qCRC:", "qCRC:1", "qCRC:10000,zz",
        "qSearch:memory:", "qSearch:memory:10000;10;",
    };

    fake_init(f, 0);
    fake_attach(f);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(fake_ask(f, bad[i])[0] == 'E');
    CHECK(f->mem[1][0] == 1);
}

static void writes(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "M10000,2:beef"), "OK");
    CHECK(f->mem[1][0] == 0xbe && f->mem[1][1] == 0xef);
    IS(fake_ask(f, "M10000,0:"), "OK");
    HAS(fake_ask(f, "M13fff,2:0000"), "E.0x14000");
}

static void writes_binary(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "X10000,0:"), "OK");
    IS(fake_ask(f, "X10000,4:a}\x03}]b"), "OK");
    CHECK(!memcmp(f->mem[1], "a#}b", 4));
}

static void reads_binary(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    memcpy(f->mem[1], "a#$}*b", 6);
    IS(fake_ask(f, "x10000,6"), "ba}\x03}\x04}]}\nb");
    memset(f->mem[1], '#', FAKE_SIZE);
    CHECK(strlen(fake_ask(f, "x10000,ffff")) == PDB_PACKET - 1);
}

static void sums(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    memcpy(f->mem[1], "123456789", 9);
    /* CRC-32/MPEG-2 of the usual check string */
    IS(fake_ask(f, "qCRC:10000,9"), "C376e6e7");
    HAS(fake_ask(f, "qCRC:10000,5000"), "E.");
    HAS(fake_ask(f, "qCRC:10000,fffffffff"), "E.");
}

static void searches(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    memcpy(f->mem[1] + 0x1ff, "needle", 6); /* across two windows */
    IS(fake_ask(f, "qSearch:memory:10000;4000;needle"), "1,101ff");
    IS(fake_ask(f, "qSearch:memory:10000;204;needle"), "0");
    IS(fake_ask(f, "qSearch:memory:10000;205;needle"), "1,101ff");
    IS(fake_ask(f, "qSearch:memory:10000;2;needle"), "0");
    HAS(fake_ask(f, "qSearch:memory:0;10;n"), "E.");
}

static void has_contexts(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_monitor(f, "context phys");
    IS(fake_ask(f, "m200000,2"), "0209");
    fake_monitor(f, "context cr3 0x2000");
    IS(fake_ask(f, "m10000,2"), "0209");
    fake_monitor(f, "context thread");
    IS(fake_ask(f, "m10000,2"), "0108");
}

static void takes_short_addresses(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    HAS(fake_ask(f, "m800000010000,1"), "E.0x800000010000: ");
    fake_monitor(f, "short-addresses on");
    HAS(fake_ask(f, "m800000010000,1"), "E.0xffff800000010000: ");
    HAS(fake_ask(f, "M800000010000,1:00"), "E.0xffff800000010000: ");
    HAS(fake_ask(f, "x800000010000,1"), "E.0xffff800000010000: ");
    HAS(fake_ask(f, "X800000010000,1:a"), "E.0xffff800000010000: ");
    HAS(fake_ask(f, "qCRC:800000010000,1"), "E.0xffff800000010000: ");
    HAS(fake_ask(f, "qSearch:memory:800000010000;1;a"),
        "E.0xffff800000010000: ");
    HAS(fake_ask(f, "m7fff00010000,1"), "E.0x7fff00010000: ");
    HAS(fake_ask(f, "m1800000010000,1"), "E.0x1800000010000: ");
    IS(fake_ask(f, "Z1,800000010000,1"), "OK");
    CHECK(f->hw_used[0] && f->hw[0].addr == 0xffff800000010000);
    IS(fake_ask(f, "z1,ffff800000010000,1"), "OK");
    CHECK(!f->hw_used[0]);
    /* "context phys": those are short anyway */
    fake_monitor(f, "context phys");
    HAS(fake_ask(f, "m800000010000,1"), "E.0x800000010000: ");
    /* the next gdb's are long */
    fake_ask(f, "D");
    fake_attach(f);
    HAS(fake_ask(f, "m800000010000,1"), "E.0x800000010000: ");
}

const struct test memory_tests[] = {
    { "reads", reads },
    { "reads short at the end", reads_short_at_the_end },
    { "says why a read failed", says_why_a_read_failed },
    { "refuses nonsense", refuses_nonsense },
    { "writes", writes },
    { "writes binary", writes_binary },
    { "reads binary", reads_binary },
    { "sums", sums },
    { "searches", searches },
    { "has contexts", has_contexts },
    { "takes short addresses", takes_short_addresses },
    { NULL, NULL },
};
