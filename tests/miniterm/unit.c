/* SPDX-License-Identifier: GPL-2.0-only */
/* Unit tests of miniterm's cores: bytes in, results out. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conswitch.h"
#include "escape.h"
#include "hvkeys.h"
#include "lines.h"
#include "outq.h"
#include "palette.h"
#include "record.h"
#include "regex.h"
#include "rsp.h"
#include "rules.h"
#include "settings.h"
#include "symbols.h"
#include "tagger.h"
#include "view.h"

static unsigned passed, failed;

#define CHECK(what) check(what, #what, __LINE__)

static void check(bool good, const char *what, int line)
{
    if (good) {
        passed++;
    } else {
        failed++;
        printf("unit.c:%d: %s\n", line, what);
    }
}

/* ------------------------------------------------------------ escape */

static void test_escape(void)
{
    static const uint8_t bytes[] = "a\n\r\t\033\\\x7f\xff";
    char out[64];
    uint8_t back[64];
    size_t n = escape_encode(out, bytes, 8);

    out[n] = '\0';
    CHECK(!strcmp(out, "a\\n\\r\\t\\e\\\\\\x7f\\xff"));
    CHECK(escape_decode(back, out, n) == 8 && !memcmp(back, bytes, 8));
    CHECK(escape_decode(back, "\\0", 2) == 1 && back[0] == 0);
    CHECK(escape_decode(back, "\\", 1) == -1);
    CHECK(escape_decode(back, "\\x4", 3) == -1);
    CHECK(escape_decode(back, "\\q", 2) == -1);
    for (unsigned i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;

        n = escape_encode(out, &byte, 1);
        if (escape_decode(back, out, n) != 1 || back[0] != byte)
            CHECK(!"every byte survives");
    }
    passed++;
}

/* ------------------------------------------------------------ record */

static void test_record(void)
{
    static const char good[] = "2026-01-31T12:00:00.123456Z H> $?#3f";
    struct record r;
    char copy[64];

    CHECK(record_parse(&r, good, strlen(good)));
    CHECK(r.kind == REC_HIGH_OUT && r.len == 5 && !memcmp(r.data, "$?#3f", 5));
    CHECK(r.wall % 1000000 == 123456);
    CHECK(r.wall / 1000000 == 1769860800);
    CHECK(!record_parse(&r, good, 20));
    for (size_t i = 0; i < 31; i++) {
        strcpy(copy, good);
        copy[i] = '?';
        CHECK(!record_parse(&r, copy, strlen(copy)));
    }
}

/* ------------------------------------------------------------ tagger */

struct tags {
    char text[512];
};

static void on_tag(void *user, int owner, const uint8_t *data, size_t len)
{
    struct tags *t = user;
    size_t n = strlen(t->text);

    snprintf(t->text + n, sizeof(t->text) - n, "[%d:%.*s]", owner, (int)len,
             (const char *)data);
}

static void expect_tags(const char *in, const char *at_once)
{
    struct tags a = { "" };
    struct tagger t;

    tagger_init(&t, on_tag, &a);
    tagger_feed(&t, (const uint8_t *)in, strlen(in));
    tagger_flush(&t);
    check(!strcmp(a.text, at_once), a.text, __LINE__);
}

static void test_tagger(void)
{
    expect_tags("plain\n", "[0:plain\n]");
    expect_tags("(XEN) hi\r\nx", "[-1:hi\r\n][0:x]");
    expect_tags("(d1) one\n(d23) b\n", "[1:one\n][23:b\n]");
    expect_tags("(d) x\n", "[0:(d][0:) x\n]");
    expect_tags("(d1x) y\n", "[0:(d1][0:x) y\n]");
    expect_tags("(d123456) z", "[0:(d12345][0:6) z]");
    expect_tags("a (XEN) b\nc", "[0:a ][-1:b\n][0:c]");
    expect_tags("a (d1) b\n", "[0:a ][0:(][0:d1) b\n]");
    expect_tags("((XEN) q\n", "[0:(][-1:q\n]");
    expect_tags("(XE", "[0:(XE]");
    expect_tags("(XEN) a\n(XEN) b\n", "[-1:a\n][-1:b\n]");
    expect_tags("\r(d5) five\n", "[0:\r][5:five\n]");
}

static void test_tagger_in_pieces(void)
{
    static const char in[] = "prompt (XEN) word\n(d7) seven\nrest";
    struct tags a = { "" };
    struct tagger t;

    tagger_init(&t, on_tag, &a);
    for (size_t i = 0; i < strlen(in); i++)
        tagger_feed(&t, (const uint8_t *)in + i, 1);
    CHECK(strstr(a.text, "[-1:w][-1:o][-1:r][-1:d][-1:\n]"));
    CHECK(strstr(a.text, "[7:s][7:e][7:v]"));
    CHECK(strstr(a.text, "[0:t][0: ]") && !strstr(a.text, "("));
}

/* ------------------------------------------------------------- lines */

static unsigned nr_done, nr_alt;

static void on_done(void *user, struct tline *t)
{
    (void)user, (void)t;
    nr_done++;
}

static void on_alt(void *user, bool on)
{
    (void)user;
    nr_alt += on;
}

static const struct lines_ops ops = { .done = on_done, .alt_screen = on_alt };

static void feed(struct lines *l, const char *text)
{
    lines_feed(l, text, strlen(text), 1000000);
}

static const char *last(struct lines *l)
{
    struct tline *t = lines_get(l, lines_next(l) - 1);

    return t ? t->text : "(none)";
}

/* libvterm's REP does not end without a character: it must not get there. */
static void test_repeat(void)
{
    static const char *const bad[] = {
        "\033[5b", "\033c\033[5b", "\033[\177 5b", "\033\n[5b", "\033\177[5b",
        "\033\033[5b", "\033[\r5b", "\033[1\033[5b", "\xcc\x81\033[5b",
        "a\033]0;t\007\033[5b", "\033[31\030\033[5b", "\033[:;5b",
        "\033\xc3\xbcx\033[5b", "\033[\xc3\xbcx\033[5b", "\033#\xc3x\033[5b",
        "\033#8\033[5b", "\033(\r0\033[5b",
    };
    struct lines *l = lines_new(100, &ops, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct lines *fresh = lines_new(100, &ops, NULL);

        feed(fresh, bad[i]);
        lines_free(fresh);
    }
    feed(l, "ab\033[3bc\r\n");
    CHECK(!strcmp(last(l), "abbbbc"));
    feed(l, "=\033[9999b\r\n");
    CHECK(strlen(last(l)) == LINES_COLUMNS);
    lines_free(l);
}

static void test_lines(void)
{
    struct lines *l = lines_new(100, &ops, NULL);
    const struct tline *t;

    feed(l, "hello\r\n");
    CHECK(!strcmp(last(l), "hello") && nr_done == 1);
    feed(l, "10%\r20%\r\n");
    CHECK(!strcmp(last(l), "20%"));
    feed(l, "long text\rlo\033[K\r\n");
    CHECK(!strcmp(last(l), "lo"));
    feed(l, "abc\b\bX\r\n");
    CHECK(!strcmp(last(l), "aXc"));
    feed(l, "a\tb\r\n");
    CHECK(!strcmp(last(l), "a       b"));
    feed(l, "\033[1;31mred\033[0m plain\r\n");
    t = lines_get(l, lines_next(l) - 1);
    CHECK(!strcmp(t->text, "red plain") && t->nr_runs == 2);
    CHECK(ATTR_FG(t->runs[0].attr) == 2 && t->runs[1].start == 3);
    feed(l, "gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0\xe5\xa5\xbd\r\n");
    CHECK(!strcmp(last(l), "gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0\xe5\xa5\xbd"));
    feed(l, "\033]0;title\007x\033Pjunk\033\\y\r\n");
    CHECK(!strcmp(last(l), "xy"));
    feed(l, "half");
    CHECK(lines_current(l) && !strcmp(lines_current(l)->text, "half"));
    CHECK(lines_cursor(l) == 4);
    lines_end(l);
    CHECK(!strcmp(last(l), "half") && !lines_current(l));
    lines_free(l);
}

static void test_lines_bounds(void)
{
    struct lines *l = lines_new(100, &ops, NULL);
    char *text = malloc(20000);

    for (int i = 0; i < 1000; i++)
        feed(l, "line\n");
    CHECK(lines_next(l) == 1000 && lines_first(l) == 900);
    CHECK(!lines_get(l, 899) && lines_get(l, 900) && !lines_get(l, 1000));
    memset(text, 'x', 20000);
    lines_feed(l, text, 20000, 1);
    lines_end(l);
    CHECK(lines_next(l) == 1005);
    CHECK(lines_get(l, 1000)->len == LINES_COLUMNS);
    nr_alt = 0;
    feed(l, "\033[?1049hFULL\r\nSCREEN\033[?1049lback\r\n");
    CHECK(nr_alt == 1 && strstr(last(l), "back"));
    CHECK(!strstr(last(l), "FULL"));
    free(text);
    lines_free(l);
}

/* --------------------------------------------------------------- rsp */

static char rsp_log[4096];
static struct rsp_context rsp_ctx;

static void on_rsp(void *user, const struct rsp_event *ev)
{
    char text[256];

    (void)user;
    rsp_describe(&rsp_ctx, ev, text, sizeof(text));
    strcat(rsp_log, text);
    strcat(rsp_log, "\n");
}

static const char *decode(bool to_target, const char *bytes)
{
    struct rsp_stream r;

    rsp_log[0] = '\0';
    rsp_init(&r, to_target, on_rsp, NULL);
    rsp_feed(&r, (const uint8_t *)bytes, strlen(bytes));
    return rsp_log;
}

static void test_rsp(void)
{
    CHECK(strstr(decode(true, "$m ffff82d040200000,40#00"), "bad checksum"));
    CHECK(strstr(decode(true, "$mffff82d040200000,40#18"),
                 "read 64 bytes at ffff82d040200000"));
    CHECK(strstr(decode(false, "$9090#d2"), "2 bytes"));
    CHECK(strstr(decode(true, "$Z0,ffff,1#00"),
                 "set software breakpoint at ffff"));
    CHECK(strstr(decode(true, "$vCont;s:p1.1;c#00"), "step :p1.1; continue"));
    CHECK(strstr(decode(true, "$qRcmd,7074#00"), "monitor pt"));
    CHECK(strstr(decode(false, "$T05thread:p1.2;core:1;#00"),
                 "stopped: trap (5), thread p1.2, CPU 1"));
    CHECK(strstr(decode(false, "$E.no such page#00"), "error: no such page"));
    CHECK(strstr(decode(false, "$#00"), "not supported"));
    CHECK(strstr(decode(true, "\003"), "interrupt"));
    CHECK(strstr(decode(false, "-"), "again"));
    CHECK(strstr(decode(false, "junk$OK#9a"), "noise junk\n<- OK"));
    CHECK(strstr(decode(false, "$cut$OK#9a"), "[bad checksum] cut"));
}

static unsigned stop_sig;
static char stop_thread[32], stop_core[16];
static bool stopped;

static void on_stop(void *user, const struct rsp_event *ev)
{
    (void)user;
    stopped = rsp_stop_reply(ev, &stop_sig, stop_thread, stop_core);
}

static void test_rsp_stop(void)
{
    struct rsp_stream r;

    rsp_init(&r, false, on_stop, NULL);
    rsp_feed(&r, (const uint8_t *)"$T02core:3;thread:5;#00", 23);
    CHECK(!stopped);
    rsp_feed(&r, (const uint8_t *)"$S05#b8", 7);
    CHECK(stopped && stop_sig == 5 && !*stop_thread && !*stop_core);
}

/* ------------------------------------------------------------ hvkeys */

#define TO_XEN "*** Serial input -> Xen (type 'CTRL-a' three times to " \
               "switch input to DOM0)."
#define TO_DOM0 "*** Serial input -> DOM0 (type 'CTRL-a' three times to " \
                "switch input to Xen)."

#define TODAYS "*** Serial input to DOM0 (type 'CTRL-q' three times to " \
               "switch input)"

static size_t poll_keys(struct hvkeys *k, uint64_t now, char *out)
{
    uint64_t wait = UINT64_MAX;
    size_t n = hvkeys_poll(k, now, out, &wait);

    out[n] = '\0';
    return n;
}

static void test_hvkeys(void)
{
    struct hvkeys k;
    char out[65];

    hvkeys_init(&k);
    CHECK(k.owner == HVKEYS_UNKNOWN);
    hvkeys_line(&k, TO_DOM0, strlen(TO_DOM0));
    CHECK(k.owner == 0);
    CHECK(hvkeys_press(&k, "q"));
    CHECK(poll_keys(&k, 1000, out) == 3 && !strcmp(out, "\1\1\1"));
    CHECK(poll_keys(&k, 2000, out) == 0);
    hvkeys_line(&k, TO_XEN, strlen(TO_XEN));
    CHECK(poll_keys(&k, 3000, out) == 1 && out[0] == 'q');
    CHECK(poll_keys(&k, 4000, out) == 0);
    hvkeys_heard(&k, 5000);
    CHECK(poll_keys(&k, 5000 + HVKEYS_QUIET_US, out) == 3);
    hvkeys_line(&k, TO_DOM0, strlen(TO_DOM0));
    poll_keys(&k, 400000, out);
    CHECK(!hvkeys_busy(&k) && k.owner == 0 && !k.failed);
}

static void test_hvkeys_failures(void)
{
    struct hvkeys k;
    char out[65];

    hvkeys_init(&k);
    CHECK(hvkeys_press(&k, "q"));
    CHECK(poll_keys(&k, 1, out) == 3);
    CHECK(poll_keys(&k, 2 + HVKEYS_ANSWER_US, out) == 0);
    CHECK(k.failed && !hvkeys_busy(&k));
    CHECK(!hvkeys_press(&k, "0123456789012345678901234567890123456789"));
    hvkeys_init(&k);
    hvkeys_line(&k, TODAYS, strlen(TODAYS));
    CHECK(k.switch_char == 17 && k.owner == 0);
    CHECK(hvkeys_switch(&k) && poll_keys(&k, 1, out) == 3 && out[0] == 17);
    CHECK(!hvkeys_press(&k, "q"));
}

/* ----------------------------------------------------------- palette */

static void add_key(struct palette *p, const char *line)
{
    palette_line(p, line, strlen(line));
}

static void test_palette(void)
{
    struct palette p;
    unsigned char index[PALETTE_MAX];

    memset(&p, 0, sizeof(p));
    add_key(&p, "'h' pressed -> showing installed handlers");
    add_key(&p, " key 'd' (ascii '64') => dump registers");
    add_key(&p, " key ' ' (ascii '01') => not printable");
    add_key(&p, " key 'q' (ascii '71') => dump domain info");
    add_key(&p, " key 'R' (ascii '52') => reboot machine");
    add_key(&p, " key 'd' (ascii '64') => dump all registers");
    CHECK(p.nr == 3 && !strcmp(p.key[0].text, "dump all registers"));
    CHECK(palette_filter(&p, "", index) == 3 && index[0] == 0);
    CHECK(palette_filter(&p, "dom", index) == 1 && index[0] == 1);
    CHECK(palette_filter(&p, "dreg", index) == 1 && index[0] == 0);
    CHECK(palette_filter(&p, "zzz", index) == 0);
    palette_use(&p, 'R');
    CHECK(palette_filter(&p, "", index) == 3 && index[0] == 2);
    CHECK(palette_filter(&p, "q", index) >= 1 && index[0] == 1);
    CHECK(palette_dangerous(&p.key[2]) && !palette_dangerous(&p.key[1]));
}

/* -------------------------------------------------------- rules, regex */

static void test_rules(void)
{
    struct settings set;
    struct rules *r;
    char why[100];
    uint16_t attr;
    const struct trigger_rule *t;

    settings_init(&set);
    CHECK(!settings_apply(&set, "color", "^a=b=green", why, sizeof(why)));
    CHECK(settings_apply(&set, "color", "nocolor", why, sizeof(why)));
    r = rules_new(&set);
    CHECK(rules_color(r, "a=b", 3) == 3);
    CHECK(rules_color(r, "all fine", 8) == 0);
    t = rules_trigger(r, "Panic on CPU 0:", 15);
    CHECK(t && !strcmp(t->name, "panic") && t->freeze);
    CHECK(!rules_trigger(r, "no Panic here", 13));
    t = rules_trigger(r, "Kernel panic - not syncing: x", 29);
    CHECK(t && !strcmp(t->name, "panic"));
    t = rules_trigger(r, "watchdog: BUG: soft lockup - CPU#0 stuck", 40);
    CHECK(t && !strcmp(t->name, "watchdog"));
    rules_free(r);
    settings_free(&set);
    CHECK(rules_parse_color("bold red on yellow", &attr));
    CHECK(ATTR_FG(attr) == 2 && ATTR_BG(attr) == 4 && (attr & ATTR_BOLD));
    CHECK(!rules_parse_color("mauve", &attr));
}

/* What the hypervisor and Linux print, and what only looks like it. */
static void test_shipped_triggers(void)
{
    static const struct { const char *line, *name; } cases[] = {
        { "Panic on CPU3:", "panic" },
        { "Kernel panic - not syncing: Attempted to kill init!", "panic" },
        { "Xen BUG at mm.c:210", "bug" },
        { "kernel BUG at mm/slub.c:379!", "bug" },
        { "Assertion 'x > 0' failed at sched.c:88", "bug" },
        { "*** DOUBLE FAULT ***: double fault on CPU1", "double-fault" },
        { "CPU0 FATAL TRAP: vector = 6 (invalid opcode)", "fault" },
        { "FATAL PAGE FAULT", "fault" },
        { "BUG: unable to handle page fault for address: 0", "oops" },
        { "Oops: 0002 [#1] SMP", "oops" },
        { "general protection fault, x: 0000 [#1]", "oops" },
        { "Watchdog: CPU1 has been stuck for 5 seconds", "watchdog" },
        { "Domain 0's watchdog expired", "watchdog" },
        { "watchdog: soft lockup - CPU#2 stuck for 22s!", "watchdog" },
        { "rcu: INFO: rcu_sched detected stalls on CPUs:", "watchdog" },
        { "Machine check, 9 banks:", "machine-check" },
        { "mce: Machine check exception 4", "machine-check" },
        { "Domain 0 crashed", "domain-crash" },
        { "Domain 3 crashed: triple fault", "domain-crash" },
        { "Watchdog enabled on all CPUs", NULL },
        { "systemd[1]: Started panic button service", NULL },
        { "x86/cpu: machine check support is there", NULL },
        { "Debugging is on", NULL },
    };
    struct settings set;
    struct rules *r;

    settings_init(&set);
    r = rules_new(&set);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct trigger_rule *t =
            rules_trigger(r, cases[i].line, strlen(cases[i].line));

        CHECK(cases[i].name ? t && !strcmp(t->name, cases[i].name) : !t);
    }
    rules_free(r);
    settings_free(&set);
}

static void test_shipped_trigger_changed(void)
{
    struct settings set;
    struct rules *r;
    const struct trigger_rule *t;

    settings_init(&set);
    settings_trigger(&set, "panic")->off = true;
    settings_trigger(&set, "oops")->keys = strdup("d");
    r = rules_new(&set);
    CHECK(!rules_trigger(r, "Panic on CPU 0:", 15));
    t = rules_trigger(r, "Oops: 0000 [#1]", 15);
    CHECK(t && !strcmp(t->keys, "d"));
    rules_free(r);
    settings_free(&set);
}

static void test_regex(void)
{
    char why[200], group[20];
    size_t start, end;
    struct regex *r = regex_new("^(ab+)$", false, why, sizeof(why));

    CHECK(r && regex_find(r, "x\r\nabb\r\ny", 9, 0, &start, &end));
    CHECK(start == 3 && end == 6);
    CHECK(regex_group(r, "x\r\nabb\r\ny", 1, group, sizeof(group)));
    CHECK(!strcmp(group, "abb"));
    CHECK(!regex_find(r, "x", 1, 2, &start, &end));
    regex_free(r);
    CHECK(!regex_new("(", false, why, sizeof(why)) && strstr(why, "'('"));
    /* One that would take for ever ends. */
    r = regex_new("(a+)+$", false, why, sizeof(why));
    CHECK(!regex_find(r, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 41, 0,
                      &start, &end));
    regex_free(r);
}

/* ------------------------------------------------------ outq and view */

static void test_outq(void)
{
    struct outq o;
    uint64_t wait = UINT64_MAX;
    size_t len;

    CHECK(!outq_init(&o, 16, 10, 100));
    CHECK(outq_put(&o, "ab\rcd", 5) == 5);
    CHECK(outq_ready(&o, 0, &len, &wait)[0] == 'a' && len == 1);
    outq_sent(&o, 0, 1);
    outq_ready(&o, 5000, &len, &wait);
    CHECK(len == 0 && wait == 5000);
    outq_ready(&o, 10000, &len, &wait);
    CHECK(len == 1);
    outq_sent(&o, 10000, 1);
    outq_sent(&o, 20000, 1);
    outq_ready(&o, 30001, &len, &wait);
    CHECK(len == 0);
    outq_ready(&o, 120000, &len, &wait);
    CHECK(len == 1);
    CHECK(outq_put(&o, "0123456789abcdefgh", 18) == 14);
    outq_free(&o);
}

static void test_view(void)
{
    struct settings set;
    struct view v;
    char out[VIEW_GROWTH * 8];

    settings_init(&set);
    set.low_only = true;
    view_init(&v, &set);
    CHECK(!view_is_plain(&v));
    CHECK(view_bytes(&v, out, (const uint8_t *)"a\xe2z", 3, 1) == 2);
    CHECK(!memcmp(out, "az", 2));
    settings_free(&set);
}

/* ----------------------------------------------------------- symbols */

__attribute__((noinline)) void symbol_for_the_test(void)
{
    passed++;
}

static void test_symbols(const char *self)
{
    struct strings files = { NULL, 0 };
    struct symbols *s;
    bool bad;
    char *note;
    char text[100];

    CHECK(!symbols_new(&files, &bad) && !bad);
    strings_add(&files, self);
    s = symbols_new(&files, &bad);
    CHECK(s && !bad);
    symbol_for_the_test();
    CHECK(!symbols_annotate(s, "no addresses: 12345 zz", 22));
    CHECK(!symbols_annotate(s, "[<ffffffffffffffff>]", 20));
    /* Position independent: as linked, addresses start near zero. */
    snprintf(text, sizeof(text), "RIP [<%016llx>]", 0x1000ULL);
    note = symbols_annotate(s, text, strlen(text));
    free(note);
    passed++;
    symbols_free(s);
    free(files.item[0]);
    free(files.item);
}

int main(int argc, char **argv)
{
    (void)argc;
    test_escape();
    test_record();
    test_tagger();
    test_tagger_in_pieces();
    test_lines();
    test_repeat();
    test_lines_bounds();
    test_rsp();
    test_rsp_stop();
    test_hvkeys();
    test_hvkeys_failures();
    test_palette();
    test_rules();
    test_shipped_triggers();
    test_shipped_trigger_changed();
    test_regex();
    test_outq();
    test_view();
    test_symbols(argv[0]);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
