/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text sinks: see out.h.  Every character passes pdb_putc(), which alone
 * knows the window, so no producer can write outside it.
 */
#include <stddef.h>
#include <string.h>

#include "out.h"

#define CELL 120 /* characters of one table cell */

static const char digits[] = "0123456789abcdef";

void pdb_out_init(struct pdb_out *o, char *buf, uint32_t size, uint64_t skip)
{
    o->buf = buf;
    o->size = size;
    o->len = 0;
    o->skip = skip;
    o->more = false;
}

void pdb_putc(struct pdb_out *o, char c)
{
    if (o->skip)
        o->skip--;
    else if (o->len < o->size)
        o->buf[o->len++] = c;
    else
        o->more = true;
}

void pdb_put(struct pdb_out *o, const char *s, uint32_t len)
{
    while (len--)
        pdb_putc(o, *s++);
}

void pdb_puts(struct pdb_out *o, const char *s)
{
    while (*s)
        pdb_putc(o, *s++);
}

void pdb_put_line(struct pdb_out *o, const char *s)
{
    while (*s && *s != '\n')
        pdb_putc(o, *s++);
}

void pdb_put_hex(struct pdb_out *o, const void *data, uint32_t len)
{
    const uint8_t *b = data;

    for (; len; len--, b++) {
        pdb_putc(o, digits[*b >> 4]);
        pdb_putc(o, digits[*b & 15]);
    }
}

void pdb_put_hex_fixed(struct pdb_out *o, uint64_t v, unsigned int nr)
{
    while (nr--)
        pdb_putc(o, nr < 16 ? digits[(v >> (4 * nr)) & 15] : '0');
}

void pdb_put_xml(struct pdb_out *o, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '&': pdb_puts(o, "&amp;"); break;
        case '<': pdb_puts(o, "&lt;"); break;
        case '>': pdb_puts(o, "&gt;"); break;
        case '"': pdb_puts(o, "&quot;"); break;
        case '\'': pdb_puts(o, "&apos;"); break;
        default: pdb_putc(o, *s); break;
        }
    }
}

/* One conversion: what stands between % and its letter. */
struct spec {
    bool left, zero, wide;
    uint32_t width, precision;
};

static void put_padded(struct pdb_out *o, const struct spec *s,
                       const char *text, uint32_t len)
{
    uint32_t pad = s->width > len ? s->width - len : 0;

    if (s->zero && !s->left && len && *text == '-') {
        pdb_putc(o, '-');
        text++;
        len--;
    }
    if (!s->left)
        for (; pad; pad--)
            pdb_putc(o, s->zero ? '0' : ' ');
    pdb_put(o, text, len);
    for (; pad; pad--)
        pdb_putc(o, ' ');
}

static void put_number(struct pdb_out *o, const struct spec *s, uint64_t v,
                       unsigned int base, bool negative)
{
    char buf[24];
    uint32_t at = sizeof(buf);

    do {
        buf[--at] = digits[v % base];
        v /= base;
    } while (v);
    if (negative)
        buf[--at] = '-';
    put_padded(o, s, buf + at, (uint32_t)sizeof(buf) - at);
}

static void put_string(struct pdb_out *o, const struct spec *s,
                       const char *text)
{
    uint32_t len = 0;

    if (!text)
        text = "(null)";
    while (len < s->precision && text[len])
        len++;
    put_padded(o, s, text, len);
}

static const char *read_spec(struct spec *s, const char *f)
{
    *s = (struct spec){ .precision = UINT32_MAX };
    for (; *f == '-' || *f == '0'; f++) {
        s->left |= *f == '-';
        s->zero |= *f == '0';
    }
    for (; *f >= '0' && *f <= '9'; f++)
        s->width = s->width * 10 + (uint32_t)(*f - '0');
    if (*f == '.')
        for (s->precision = 0, f++; *f >= '0' && *f <= '9'; f++)
            s->precision = s->precision * 10 + (uint32_t)(*f - '0');
    for (; *f == 'l' || *f == 'z'; f++)
        s->wide = true;
    return f;
}

/* A va_list can be passed on and go on only inside a struct (C11 7.16). */
struct args {
    va_list ap;
};

static void put_conversion(struct pdb_out *o, const struct spec *s, char conv,
                           struct args *a)
{
    uint64_t u;
    int64_t d;
    char c;

    switch (conv) {
    case 'd':
        d = s->wide ? va_arg(a->ap, long) : va_arg(a->ap, int);
        u = d < 0 ? -(uint64_t)d : (uint64_t)d;
        put_number(o, s, u, 10, d < 0);
        break;
    case 'u':
    case 'x':
        u = s->wide ? va_arg(a->ap, unsigned long) :
                      va_arg(a->ap, unsigned int);
        put_number(o, s, u, conv == 'u' ? 10 : 16, false);
        break;
    case 's':
        put_string(o, s, va_arg(a->ap, const char *));
        break;
    case 'c':
        c = (char)va_arg(a->ap, int);
        put_padded(o, s, &c, 1);
        break;
    default: /* also %% */
        pdb_putc(o, conv);
        break;
    }
}

void pdb_vprintf(struct pdb_out *o, const char *fmt, va_list ap)
{
    struct spec s;
    struct args a;

    va_copy(a.ap, ap);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            pdb_putc(o, *fmt);
            continue;
        }
        fmt = read_spec(&s, fmt + 1);
        if (!*fmt)
            break;
        put_conversion(o, &s, *fmt, &a);
    }
    va_end(a.ap);
}

void pdb_printf(struct pdb_out *o, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    pdb_vprintf(o, fmt, ap);
    va_end(ap);
}

void pdb_column(struct pdb_out *o, const char *name, const char *fmt, ...)
{
    char cell[CELL + 1];
    struct pdb_out c;
    va_list ap;

    pdb_out_init(&c, cell, CELL, 0);
    va_start(ap, fmt);
    pdb_vprintf(&c, fmt, ap);
    va_end(ap);
    cell[c.len] = '\0';
    pdb_puts(o, "<column name=\"");
    pdb_put_xml(o, name);
    pdb_puts(o, "\">");
    pdb_put_xml(o, cell);
    pdb_puts(o, "</column>");
}
