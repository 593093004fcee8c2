// SPDX-License-Identifier: GPL-2.0-only
/*
 * qSupported, qXfer objects, qOffsets, monitor commands, text sinks.
 */
#include <stdlib.h>

#include "check.h"

static void supported(struct fake *f)
{
    const char *s;

    fake_init(f, 0);
    fake_attach(f);
    s = fake_ask(f, "qSupported:multiprocess+");
    HAS(s, "PacketSize=4000;multiprocess+");
    HAS(s, "ConditionalBreakpoints+");
    HAS(s, "QThreadEvents+");
    CHECK(!strstr(s, "QStartNoAckMode") && !strstr(s, "error-message"));
    CHECK(!strstr(s, "binary-upload"));
    HAS(fake_ask(f, "qSupported:error-message+"),
        "error-message+;binary-upload+");
}

static void all_stop_only(struct fake *f)
{
    fake_init(f, PDB_ALL_STOP | PDB_SEVEN_BIT);
    fake_attach(f);
    CHECK(!strstr(fake_ask(f, "qSupported"), "QNonStop"));
    HAS(fake_ask(f, "qSupported"), "PacketSize=1000;");
    CHECK(fake_ask(f, "QNonStop:1")[0] == 'E' && !f->pdb.non_stop);
    IS(fake_ask(f, "QNonStop:0"), "OK");
}

static void unknown_is_empty(struct fake *f)
{
    static const char *const unknown[] = {
        "vMustReplyEmpty", "vFile:setfs:0", "qTStatus", "QPassSignals:", "b",
        "A", "qXfer:auxv:read::0,100", "qCfoo", "j", "\x7f", "", "v", "q", "Q",
    };

    fake_init(f, 0);
    fake_attach(f);
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        IS(fake_ask(f, unknown[i]), "");
}

/* Reads a whole object in pieces of `step` and undoes the escapes. */
static char *whole(struct fake *f, const char *object, unsigned int step)
{
    static char text[65536];
    size_t len = 0;
    char ask[128], last = 'm';

    while (last == 'm' && len < sizeof(text) - PDB_PACKET) {
        const char *r;
        size_t before = len;

        snprintf(ask, sizeof(ask), "qXfer:%s:%zx,%x", object, len, step);
        r = fake_ask(f, ask);
        last = *r;
        while (last != 'E' && *++r)
            text[len++] = *r == '}' ? (char)(*++r ^ 0x20) : *r;
        if (last == 'm' && len == before)
            break; /* no progress: the caller sees a short text */
    }
    text[len] = '\0';
    return text;
}

static void objects_in_pieces(struct fake *f)
{
    char *one;

    fake_init(f, 0);
    fake_attach(f);
    one = strdup(whole(f, "osdata:read:frames", 0xfff));
    HAS(one, "<column name=\"frame\">299</column>");
    HAS(one, "</item></osdata>");
    HAS(one, "####$$$$****}}}}");
    CHECK(!strstr(one, "<item></osdata>"));
    IS(whole(f, "osdata:read:frames", 1000), one);
    IS(whole(f, "osdata:read:frames", 37), one);
    free(one);
    HAS(whole(f, "osdata:read:", 0xfff), "<column name=\"Type\">frames<");
    IS(whole(f, "exec-file:read:1", 0xfff), "/boot/*xen#syms");
    IS(whole(f, "memory-map:read:", 0xfff),
       "<memory-map><memory type=\"ram\" start=\"0\""
       " length=\"0xffffffffffffffff\"/></memory-map>");
}

static void object_errors(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    HAS(fake_ask(f, "qXfer:features:read:other.xml:0,100"), "E.");
    HAS(fake_ask(f, "qXfer:osdata:read:nothing:0,100"), "E.");
    HAS(fake_ask(f, "qXfer:features:read:target.xml:0"), "E.");
    HAS(fake_ask(f, "qXfer:features:read:target.xml"), "E.");
    IS(fake_ask(f, "qXfer:threads:read::fffffff,100"), "l");
}

static void offsets(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "qOffsets"), "Text=200000;Data=200000;Bss=200000");
    fake_ask(f, "vAttach;2");
    IS(fake_ask(f, "qOffsets"), "TextSeg=1000000");
}

/* Runs a monitor command: all its text, hex undone. */
static const char *monitor(struct fake *f, const char *line)
{
    static char text[32768];
    char ask[1024] = "qRcmd,";
    const char *r;
    size_t len = 0;

    for (const char *c = line; *c; c++)
        sprintf(ask + strlen(ask), "%02x", (uint8_t)*c);
    r = fake_ask(f, ask);
    while (*r == 'O' && strcmp(r, "OK")) {
        for (r++; *r && r[1]; r += 2) {
            char pair[3] = { r[0], r[1], 0 };

            text[len++] = (char)strtoul(pair, NULL, 16);
        }
        r = fake_body(fake_pull(f), NULL);
        fake_push(f, "+", 1);
    }
    IS(r, "OK");
    text[len] = '\0';
    return text;
}

static void commands(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    HAS(monitor(f, "help"), "context [thread|cr3 ADDR|phys]: ");
    HAS(monitor(f, "help"), "once more: longer name");
    IS(monitor(f, "once  two  "), "once <two>\n");
    CHECK(f->nr_commands == 1);
    HAS(monitor(f, "nonsense"), "monitor help");
    HAS(monitor(f, ""), "monitor help");
    HAS(monitor(f, "onc"), "monitor help");
    HAS(monitor(f, "fails"), "fails: busy");
    HAS(monitor(f, "fails 1"), "usage: monitor fails [X]");
    HAS(monitor(f, "pt 0x10010"), "maddr 0x100010");
    HAS(monitor(f, "pt 0"), "address not mapped");
    HAS(monitor(f, "why"), "address not mapped");
    HAS(monitor(f, "pt zz"), "usage: monitor pt ADDR");
    IS(monitor(f, "link now"), "usage: monitor link\n");
    HAS(monitor(f, "context cr3 0"), "usage");
    HAS(monitor(f, "context cr3 0x2008"), "0x2008 is not where a page begins");
    HAS(monitor(f, "context cr3 0x99000"), "context: address not mapped");
    CHECK(f->pdb.context.kind == PDB_SPACE_THREAD);
    HAS(monitor(f, "context cr3 0x2000"), "memory is that of: cr3 0x2000");
    HAS(monitor(f, "context thread"), "memory is that of: thread");
    f->pdb.busy = true; /* as it is inside a command */
    f->pdb.command = fake_ops.commands;
    pdb_fault(&f->pdb, "once");
    CHECK(*fake_body(fake_pull(f), NULL) == 'O');
    fake_push(f, "+", 1);
    IS(fake_body(fake_pull(f), NULL), "OK");
    fake_push(f, "+", 1);
    HAS(monitor(f, "why"), "once: a fault was caught");
    HAS(monitor(f, "sse on"), "yes");
    HAS(monitor(f, "follow on"), "yes");
    CHECK(f->pdb.flags & PDB_FOLLOW);
    fake_ask(f, "Z2,10300,8");
    HAS(monitor(f, "breakpoints"), "write  inferior 1 0x10300: 0 hits");
}

static void long_listing(struct fake *f)
{
    const char *text;

    fake_init(f, 0);
    fake_attach(f);
    text = monitor(f, "once more");
    CHECK(strlen(text) == 2000 * 10);
    HAS(text, "line 0000\nline 0001\n");
    HAS(text, "line 1998\nline 1999\n");
}

/* Without acknowledgements gdb may leave between two packets of an output. */
static void short_listing_is_one_packet(struct fake *f)
{
    const char *left, *body;
    size_t told = 0;

    fake_init(f, PDB_NO_ACK);
    fake_attach(f);
    fake_packet(f, "QStartNoAckMode");
    fake_pull(f);
    fake_push(f, "+", 1);
    fake_packet(f, "qRcmd,6f6e6365"); /* once */
    IS(fake_body(fake_pull(f), NULL), "6f6e6365203c3e0a");
    CHECK(!f->pdb.command && f->nr_commands == 1);
    fake_packet(f, "qRcmd,68656c70"); /* help */
    HAS(fake_body(fake_pull(f), NULL), "6f6e6365206d6f7265");
    CHECK(!f->pdb.command);
    fake_packet(f, "qRcmd,6f6e6365206d6f7265"); /* once more: too long */
    left = fake_pull(f);
    while (*(body = fake_body(left, &left)) == 'O' && strcmp(body, "OK"))
        told += strlen(body + 1) / 2;
    IS(body, "OK");
    CHECK(told == 2000 * 10 && !f->pdb.command);
}

static void bad_lines(struct fake *f)
{
    char ask[1200] = "qRcmd,";

    fake_init(f, 0);
    fake_attach(f);
    HAS(fake_ask(f, "qRcmd,6"), "E.");
    HAS(fake_ask(f, "qRcmd,zz"), "E.");
    memset(ask + 6, '6', 1000);
    HAS(fake_ask(f, ask), "E.");
}

static void sinks(struct fake *f)
{
    char buf[64];
    struct pdb_out o;

    (void)f;
    pdb_out_init(&o, buf, 8, 3);
    pdb_printf(&o, "%s-%05d|%-4x|%c%%", "abcdef", -42, 0xbeu, 'z');
    CHECK(o.len == 8 && o.more && !memcmp(buf, "def--004", 8));
    pdb_out_init(&o, buf, sizeof(buf), 0);
    pdb_printf(&o, "%-4x|%c%%%lu %ld %.2s", 0xbeu, 'z', ~0ul, -1l, "xyz");
    buf[o.len] = '\0';
    IS(buf, "be  |z%18446744073709551615 -1 xy");
    CHECK(!o.more);
}

const struct test query_tests[] = {
    { "supported", supported },
    { "all-stop only", all_stop_only },
    { "unknown is empty", unknown_is_empty },
    { "objects in pieces", objects_in_pieces },
    { "object errors", object_errors },
    { "offsets", offsets },
    { "monitor commands", commands },
    { "long listing", long_listing },
    { "short listing is one packet", short_listing_is_one_packet },
    { "bad monitor lines", bad_lines },
    { "sinks", sinks },
    { NULL, NULL },
};
