/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz INPUTS [SEED]: bytes that nobody vouches for, into everything that
 * reads them.  Inputs are random words of a dictionary, random bytes and
 * mixtures.  Built with ASan and UBSan; any finding ends the program, and so
 * does an input that takes for ever.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>

#include "emul.h"
#include "escape.h"
#include "record.h"
#include "session.h"

#define INPUT_MAX 2048
#define HANG_S 120 /* for 500 inputs: far more than they need */

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

static const char *const words[] = {
    "(XEN) ", "(d1) ", "(d99999) ", "(d", "(XE", "\r\n", "\n", "\r", "\t",
    "\b\b\b", "\033[", "\033[31m", "\033[1;5;38;5;200;48;2;1;2;3m", "\033[2J",
    "\033[H", "\033[9999;9999H", "\033[?1049h", "\033[?1049l", "\033[K",
    "\033[99999@", "\033[99999P", "\033[5S", "\033[3T", "\033[20l", "\033c",
    "\033]0;", "\007", "\033P", "\033\\", "\033#8", "\033[?3h", "\033[?5h",
    "\033[9b", "\033[b", "x\033[99999b", "\033[99999I", "\033[99999Z",
    "\033[99999X", "\033[99999L", "\033[99999M", "\033[9\177b", "\033\n[9b",
    "\033[2147483647a", "x\033[2147483640b", "\033[99999999999C",
    "\033[2147483647d", "\033[4294967295G", "\033[2147483647I",
    "\033[2147483647L", "\033[2147483647@", "\033[2147483647S",
    "\033[r", "\033[2;3r", "\033[6n", "\033[c", "\016", "\017", "\033(0",
    "\\x", "\\xc3\\xbc", "\\xff", "\xc3\xbc", "\xe4\xbd\xa0",
    "\xf0\x9f\x98\x80",
    "\xcc\x81", "\xff\xfe", "*** Serial input -> Xen (type 'CTRL-a' three ",
    "*** Serial input -> DOM0 (type 'CTRL-", "*** Serial input to DOM7 (",
    " key 'q' (ascii '71') => dump", " key '\n' (ascii 'ffffffff') => ",
    "Panic on CPU 0:", "BUG at", "[<ffff82d040200010>]",
    "0000000000001139", "2026-01-31T12:00:00.000000Z L< ", "\xa4\xb1\xa3\xb0",
    "$T05thread:p1.1;core:1;#00", "$m", "$Z9,", "$vCont;", "$qRcmd,", "%Stop",
    "$O", "#", "+", "-", "\003",
};

static size_t make_input(uint8_t *out, bool high)
{
    size_t len = 0, want = rnd(rnd(20) ? 200 : INPUT_MAX - 100);
    unsigned kind = rnd(3);

    while (len < want) {
        if (kind == 0 || (kind == 2 && rnd(2))) {
            const char *w = words[rnd(ARRAY_SIZE(words))];
            size_t n = strlen(w);

            if (len + n > INPUT_MAX)
                break;
            memcpy(out + len, w, n);
            len += n;
        } else {
            out[len++] = (uint8_t)rnd(256);
        }
    }
    if (high && rnd(2))
        for (size_t i = 0; i < len; i++)
            out[i] |= 0x80;
    return len;
}

static const struct session_ops no_ops = { .say = NULL };

static struct settings set;

static struct session *new_session(void)
{
    struct session *s;

    set.eight_bit = rnd(4) == 0;
    set.echo = rnd(4) == 0;
    set.scrollback = 100;
    s = session_new(&set, &no_ops, NULL);
    if (!s)
        exit(1);
    return s;
}

/* A stream as the line delivers it, in pieces of any size. */
static void fuzz_session(struct session *s, const uint8_t *data, size_t len)
{
    uint64_t wait = UINT64_MAX;
    char out[64];

    while (len) {
        size_t n = 1 + rnd((uint32_t)len);

        session_low(s, data, n);
        hvkeys_heard(&s->keys, now_us());
        hvkeys_poll(&s->keys, now_us() + rnd(5000000), out, &wait);
        data += n;
        len -= n;
    }
    if (!rnd(10))
        session_press(s, "h");
    if (!rnd(50) && s->nr_panes)
        pane_toggle_emul(s->pane[rnd(s->nr_panes)], session_reply);
    session_watch(s, now_us() + 3000000, &wait);
}

static void fuzz_record(struct session *s, const uint8_t *data, size_t len)
{
    struct record r;
    char line[INPUT_MAX + 64];
    int n = snprintf(line, sizeof(line), "2026-01-31T12:00:00.000000Z %s ",
                     (const char *[]){ "L<", "L>", "H<", "H>", "--" }
                     [rnd(5)]);

    memcpy(line + n, data, len);
    if (record_parse(&r, line, (size_t)n + len))
        session_replay(s, &r);
    record_parse(&r, (const char *)data, len);
}

static void no_reply(const char *data, size_t len, void *user)
{
    (void)data, (void)len, (void)user;
}

static void fuzz_emul(struct emul *e, const uint8_t *data, size_t len)
{
    int rows, cols;

    emul_feed(e, data, len);
    if (!rnd(5))
        emul_resize(e, 1 + (int)rnd(60), 1 + (int)rnd(200));
    emul_size(e, &rows, &cols);
    emul_cell(e, (int)rnd((uint32_t)rows + 2), (int)rnd((uint32_t)cols + 2));
    emul_cursor(e, &rows, &cols);
    emul_key(e, rnd(2) ? (wint_t)rnd(0x110000) : KEY_UP, rnd(2));
}

static void fuzz_escape(const uint8_t *data, size_t len)
{
    static uint8_t out[INPUT_MAX];
    static char text[INPUT_MAX * ESCAPE_MAX];
    size_t n = escape_encode(text, data, len);

    escape_decode(out, (const char *)data, len);
    if (escape_decode((uint8_t *)text, text, n) != (ssize_t)len ||
        memcmp(text, data, len)) {
        puts("escapes do not come back");
        abort();
    }
}

int main(int argc, char **argv)
{
    unsigned long inputs = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;
    struct session *s = NULL;
    struct emul *e = NULL;
    uint8_t data[INPUT_MAX];

    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    seed = seed * 0x9e3779b97f4a7c15 + 1;
    settings_init(&set);
    strings_add(&set.symbols, argv[0]);
    for (unsigned long i = 0; i < inputs; i++) {
        size_t len = make_input(data, true);

        if (i % 500 == 0) {
            alarm(HANG_S);
            session_free(s);
            emul_free(e);
            s = new_session();
            e = emul_new(24, 80, no_reply, NULL);
        }
        switch (rnd(4)) {
        case 0: fuzz_record(s, data, len); break;
        case 1: fuzz_emul(e, data, len); break;
        case 2: fuzz_escape(data, len); break;
        default: fuzz_session(s, data, len); break;
        }
    }
    session_free(s);
    emul_free(e);
    settings_free(&set);
    printf("%lu inputs\n1 passed, 0 failed\n", inputs);
    return 0;
}
