// SPDX-License-Identifier: GPL-2.0-only
/*
 * g G p P, the x's of what is not known, and the description.
 */
#include "check.h"

static const unsigned int in_g = 2 * (17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 11 * 8);

static void reads_all(struct fake *f)
{
    const char *g;

    fake_init(f, 0);
    fake_attach(f);
    g = fake_ask(f, "g");
    CHECK(strlen(g) == in_g);
    CHECK(!memcmp(g, "1111111111111111" "1211111111111111", 32));
    /* the last one is not known */
    IS(g + strlen(g) - 32, "3211111111111111" "xxxxxxxxxxxxxxxx");
}

static void reads_one(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "p10"), "0001010000000000");
    IS(fake_ask(f, "p11"), "22111111");
    HAS(fake_ask(f, "p99"), "E.no such register");
    HAS(fake_ask(f, "p"), "E.");
}

static void knows_what_gdb_was_not_told(struct fake *f)
{
    fake_init(f, PDB_FOLLOW);
    fake_attach(f);
    fake_ask(f, "vCont;c");
    f->exists[3] = true;
    CHECK(fake_stop(f, PDB_WHY_NEW, 3, 1) == PDB_HOLD);
    fake_pull(f);
    fake_push(f, "+", 1);
    /* what every x86-64 has, and nothing behind it */
    IS(fake_ask(f, "Hgp3.1"), "OK");
    CHECK(strlen(fake_ask(f, "g")) == 2 * (17 * 8 + 7 * 4 + 8 * 10 + 8 * 4));
    IS(fake_ask(f, "p28"), "xx");
    HAS(fake_ask(f, "P28=0000000000000000"), "E.");
    IS(fake_ask(f, "Hgp1.1"), "OK");
    CHECK(strlen(fake_ask(f, "g")) == in_g);
    /* until it asks */
    IS(fake_ask(f, "Hgp3.1"), "OK");
    HAS(fake_ask(f, "qXfer:features:read:target.xml:0,100"), "m");
    CHECK(strlen(fake_ask(f, "g")) == in_g);
}

static void writes_one(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "P10=efbeadde00000000"), "OK");
    CHECK(f->regs[1][1].v[PDB_RIP] == 0xdeadbeef);
    CHECK(f->regs[1][1].v[PDB_RAX] == 0x1111111111111111);
    HAS(fake_ask(f, "P10=efbeadde"), "E.");
    HAS(fake_ask(f, "P10=efbeadde0000000000"), "E.");
    HAS(fake_ask(f, "P99=00"), "E.");
    HAS(fake_ask(f, "P10"), "E.");
}

static void writes_all_that_is_given(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "G0500000000000000xxxxxxxxxxxxxxxx0700000000000000"), "OK");
    CHECK(f->regs[1][1].v[PDB_RAX] == 5 && f->regs[1][1].v[PDB_RCX] == 7);
    CHECK(f->regs[1][1].v[PDB_RBX] == 0x1111111111111112);
    HAS(fake_ask(f, "G05000000"), "E.");
}

static void refuses_what_cannot_be_set(struct fake *f)
{
    static char g[4096];
    uint64_t cr3 = FAKE_CR3(1);
    struct pdb_regs before;

    fake_init(f, 0);
    fake_attach(f);
    f->fixed = PDB_REG_BIT(PDB_CR3) | PDB_REG_BIT(PDB_CS);
    f->why = "only these";
    before = f->regs[1][1];
    IS(fake_ask(f, "p2d"), "0010000000000000");
    IS(fake_ask(f, "P2d=0030000000000000"), "E.registers: only these");
    IS(fake_ask(f, "P12=03000000"), "E.registers: only these");
    f->pdb.error_text = false;
    IS(fake_ask(f, "P12=03000000"), "E01");
    /* all of them: unchanged, then with one that cannot be */
    f->no_fpu = true;
    snprintf(g, sizeof(g), "G%s", fake_ask(f, "g"));
    IS(fake_ask(f, g), "OK");
    CHECK(!memcmp(&before, &f->regs[1][1], sizeof(before)));
    memcpy(g + 1, "07", 2); /* rax */
    IS(fake_ask(f, g), "OK");
    CHECK((uint8_t)f->regs[1][1].v[PDB_RAX] == 7);
    memcpy(g + 1, "08", 2);
    memcpy(g + 1 + 2 * (17 * 8 + 4), "77", 2); /* cs */
    IS(fake_ask(f, g), "E01");
    CHECK((uint8_t)f->regs[1][1].v[PDB_RAX] == 7);
    CHECK(f->regs[1][1].v[PDB_CR3] == cr3);
    HAS(fake_ask(f, "P18=00000000000000000000"), "E01");
    f->no_fpu = false;
    IS(fake_ask(f, "P18=00000000000000000000"), "OK");
}

static void round_trip(struct fake *f)
{
    static char g[4096];
    struct pdb_regs before;

    fake_init(f, 0);
    fake_attach(f);
    before = f->regs[1][1];
    snprintf(g, sizeof(g), "G%s", fake_ask(f, "g"));
    IS(fake_ask(f, g), "OK");
    CHECK(!memcmp(&before, &f->regs[1][1], sizeof(before)));
}

static void shows_the_fpu(struct fake *f)
{
    fake_init(f, PDB_SSE);
    fake_attach(f);
    f->fpu[0] = 0x7f; /* FCW 0x037f */
    f->fpu[1] = 3;
    f->fpu[3] = 7 << 3; /* top 7: st0 is physical register 7 */
    f->fpu[4] = 0x80;
    memcpy(f->fpu + 32, "\0\0\0\0\0\0\0\x80\xff\x3f", 10); /* 1.0 */
    IS(fake_ask(f, "p18"), "0000000000000080ff3f");
    IS(fake_ask(f, "p20"), "7f030000");
    IS(fake_ask(f, "p22"), "ff3f0000"); /* 7 valid, the others empty */
    IS(fake_ask(f, "P22=ffff0000"), "OK");
    CHECK(f->fpu[4] == 0);
    f->fpu[160] = 0xaa;
    IS(fake_ask(f, "p33"), "aa000000000000000000000000000000");
}

static void describes_itself(struct fake *f)
{
    const char *x;

    fake_init(f, 0);
    fake_attach(f);
    x = fake_ask(f, "qXfer:features:read:target.xml:0,fff");
    CHECK(x[0] == 'l' && strlen(x) < 2000);
    HAS(x, "\"rip\"");
    HAS(x, "org.gnu.gdb.i386.linux");
    HAS(x, "\"cr3\"");
    CHECK(!strstr(x, "xmm"));
    f->pdb.flags |= PDB_SSE; /* for the next gdb */
    CHECK(!strstr(fake_ask(f, "qXfer:features:read:target.xml:0,fff"), "xmm"));
    fake_ask(f, "qSupported:multiprocess+");
    HAS(fake_ask(f, "qXfer:features:read:target.xml:0,fff"), "xmm15");
}

const struct test register_tests[] = {
    { "reads all", reads_all },
    { "reads one", reads_one },
    { "knows what gdb was not told", knows_what_gdb_was_not_told },
    { "writes one", writes_one },
    { "writes all that is given", writes_all_that_is_given },
    { "refuses what cannot be set", refuses_what_cannot_be_set },
    { "round trip", round_trip },
    { "shows the FPU", shows_the_fpu },
    { "describes itself", describes_itself },
    { NULL, NULL },
};
