/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The printf of agent expressions, whose format comes from gdb's user.
 *
 * Directives: flags - 0 + space #, width, precision, lengths hh h l ll z j t,
 * conversions d i u x X o c s p %, and C's one-letter escapes.  A string is
 * read from the memory of the thread that hit the breakpoint, at most
 * MAX_STRING characters of it.  The line is cut at MAX_LINE characters.
 */
#include <string.h>

#include "int.h"

#define MAX_LINE 512
#define MAX_STRING 200
#define MAX_WIDTH 200

struct directive {
    bool left, zero, plus, space, alt;
    uint32_t width, precision;
    bool has_precision;
    unsigned int bytes; /* of an integer: 1, 2, 4, 8 */
    char conv;
};

/* The rest of the format; nothing is read behind end. */
struct format {
    const char *at, *end;
};

static char peek(const struct format *f)
{
    return f->at < f->end ? *f->at : '\0';
}

static uint32_t get_number(struct format *f)
{
    uint32_t v = 0;

    for (; peek(f) >= '0' && peek(f) <= '9'; f->at++)
        if (v < MAX_WIDTH)
            v = v * 10 + (uint32_t)(*f->at - '0');
    return v < MAX_WIDTH ? v : MAX_WIDTH;
}

static void get_flags(struct format *f, struct directive *d)
{
    for (;; f->at++) {
        switch (peek(f)) {
        case '-': d->left = true; break;
        case '0': d->zero = true; break;
        case '+': d->plus = true; break;
        case ' ': d->space = true; break;
        case '#': d->alt = true; break;
        default: return;
        }
    }
}

static void get_length(struct format *f, struct directive *d)
{
    for (d->bytes = 4;; f->at++) {
        switch (peek(f)) {
        case 'h': d->bytes = d->bytes == 2 ? 1 : 2; break;
        case 'l':
        case 'z':
        case 'j':
        case 't': d->bytes = 8; break;
        default: return;
        }
    }
}

static void get_directive(struct format *f, struct directive *d)
{
    *d = (struct directive){ .conv = '\0' };
    get_flags(f, d);
    d->width = get_number(f);
    if (peek(f) == '.') {
        f->at++;
        d->has_precision = true;
        d->precision = get_number(f);
    }
    get_length(f, d);
    d->conv = peek(f);
    if (d->conv)
        f->at++;
}

static void put_times(struct pdb_out *o, char c, uint32_t times)
{
    while (times--)
        pdb_putc(o, c);
}

/* sign or prefix, zeros, digits; padded to the width on the asked side. */
static void put_field(struct pdb_out *o, const struct directive *d,
                      const char *lead, const char *text, uint32_t len)
{
    uint32_t lead_len = (uint32_t)strlen(lead), zeros = 0, all;

    if (d->conv != 's' && d->conv != 'c' && d->precision > len)
        zeros = d->precision - len;
    all = lead_len + zeros + len;
    if (d->zero && !d->left && !d->has_precision && d->width > all) {
        zeros += d->width - all;
        all = d->width;
    }
    if (!d->left && d->width > all)
        put_times(o, ' ', d->width - all);
    pdb_puts(o, lead);
    put_times(o, '0', zeros);
    pdb_put(o, text, len);
    if (d->left && d->width > all)
        put_times(o, ' ', d->width - all);
}

static const char *lead_of(const struct directive *d, bool negative)
{
    switch (d->conv) {
    case 'd':
    case 'i': return negative ? "-" : d->plus ? "+" : d->space ? " " : "";
    case 'p': return "0x";
    case 'x': return d->alt ? "0x" : "";
    case 'X': return d->alt ? "0X" : "";
    case 'o': return d->alt ? "0" : "";
    default: return "";
    }
}

static void put_integer(struct pdb_out *o, const struct directive *d,
                        uint64_t v)
{
    static const char upper[] = "0123456789ABCDEF";
    unsigned int base = d->conv == 'o' ? 8 : 16;
    unsigned int spare = d->conv == 'p' ? 0 : 64 - 8 * d->bytes;
    bool is_signed = d->conv == 'd' || d->conv == 'i', negative = false;
    char text[24];
    uint32_t at = sizeof(text);

    if (is_signed || d->conv == 'u')
        base = 10;
    v = v << spare >> spare;
    if (is_signed && v >> (63 - spare)) {
        negative = true;
        v = -v << spare >> spare;
    }
    do {
        text[--at] = upper[v % base];
        if (d->conv != 'X' && text[at] > '9')
            text[at] = (char)(text[at] + 'a' - 'A');
        v /= base;
    } while (v);
    put_field(o, d, lead_of(d, negative), text + at,
              (uint32_t)sizeof(text) - at);
}

static void put_text(struct pdb *p, struct pdb_tid t, struct pdb_out *o,
                     const struct directive *d, uint64_t addr)
{
    struct pdb_space as = space_of(t);
    char text[MAX_STRING];
    uint32_t max = MAX_STRING, len = 0;
    int got;

    if (d->has_precision && d->precision < max)
        max = d->precision;
    got = mem_read(p, &as, addr, text, max);
    while (got > 0 && len < (uint32_t)got && text[len])
        len++;
    if (got < 0)
        put_field(o, d, "", "(not mapped)", 12);
    else
        put_field(o, d, "", text, len);
}

/* Behind a backslash: gdb leaves these to whoever prints. */
static char unescape(char c)
{
    static const char letters[] = "abefnrtv";
    static const char meant[] = "\a\b\033\f\n\r\t\v";
    const char *at = c ? strchr(letters, c) : NULL;

    return at ? meant[at - letters] : c;
}

static void put_directive(struct pdb *p, struct pdb_tid t, struct pdb_out *o,
                          const struct directive *d, uint64_t v)
{
    char c = (char)v;

    switch (d->conv) {
    case 's': put_text(p, t, o, d, v); break;
    case 'c': put_field(o, d, "", &c, 1); break;
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
    case 'p': put_integer(o, d, v); break;
    default: pdb_puts(o, "(?)"); break;
    }
}

void agent_printf(struct pdb *p, struct pdb_tid t, const char *fmt,
                  uint32_t len, const uint64_t *args, uint32_t nr)
{
    struct format f = { fmt, fmt + len };
    char line[MAX_LINE];
    struct directive d;
    struct pdb_out o;
    uint32_t used = 0;

    pdb_out_init(&o, line, sizeof(line), 0);
    while (f.at < f.end) {
        char c = *f.at++;

        if (c == '\\' && peek(&f)) {
            pdb_putc(&o, unescape(*f.at++));
        } else if (c != '%') {
            pdb_putc(&o, c);
        } else if (peek(&f) == '%') {
            pdb_putc(&o, *f.at++);
        } else {
            get_directive(&f, &d);
            put_directive(p, t, &o, &d, used < nr ? args[used] : 0);
            used++;
        }
    }
    if (p->ops->print)
        p->ops->print(p->ctx, line, o.len);
    pdb_console(p, line, o.len);
}
