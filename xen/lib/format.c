/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * printf formatting: %d %i %u %x %X %o %p %s %c %% with the flags `-`, `0`,
 * `+`, space and `#`, width and precision (also `*`), lengths hh h l ll z.
 * %pS is an address as function+offset/size.
 */
#include <hv/compiler.h>
#include <hv/format.h>
#include <hv/string.h>

/* Where the text goes; `used` counts on beyond the end. */
struct out {
    char *buf;
    size_t size, used;
};

struct spec {
    bool left, zero, plus, space, alt, upper;
    unsigned int width;
    int precision; /* -1: none */
    char length;   /* 0, 'H' (hh), 'h', 'l' (l, ll, z) */
};

static const char *(*lookup_symbol)(unsigned long, unsigned long *,
                                    unsigned long *);

void format_register_symbols(const char *(*fn)(unsigned long, unsigned long *,
                                               unsigned long *))
{
    lookup_symbol = fn;
}

static void put(struct out *o, char c)
{
    if (o->used + 1 < o->size)
        o->buf[o->used] = c;
    o->used++;
}

static void pad(struct out *o, char c, unsigned int have, unsigned int want)
{
    for (; have < want; have++)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
    size_t max = s->precision < 0 ? ~0UL : (size_t)s->precision;
    unsigned int len;

    if (!text)
        text = "(null)";
    len = (unsigned int)strnlen(text, max);
    if (!s->left)
        pad(o, ' ', len, s->width);
    for (unsigned int i = 0; i < len; i++)
        put(o, text[i]);
    if (s->left)
        pad(o, ' ', len, s->width);
}

/* Digits of v into the end of buf[24]; returns the first one. */
static const char *to_digits(char *buf, u64 v, unsigned int base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char *p = buf + 23;

    *p = '\0';
    do {
        *--p = digits[v % base];
        v /= base;
    } while (v != 0);
    return p;
}

/* `sign` is text that goes before the digits: "", "-", "+", " ", "0x". */
static void put_number(struct out *o, const struct spec *s, u64 v,
                       unsigned int base, const char *sign)
{
    char buf[24];
    const char *digits = to_digits(buf, v, base, s->upper);
    unsigned int len = (unsigned int)strlen(digits);
    unsigned int sign_len = (unsigned int)strlen(sign);
    unsigned int want = s->precision > 0 ? (unsigned int)s->precision : 0;

    if (s->zero && !s->left && s->precision < 0 && s->width > sign_len)
        want = s->width - sign_len;
    want = MAX(want, len);
    if (!s->left)
        pad(o, ' ', sign_len + want, s->width);
    for (; *sign != '\0'; sign++)
        put(o, *sign);
    pad(o, '0', len, want);
    for (; *digits != '\0'; digits++)
        put(o, *digits);
    if (s->left)
        pad(o, ' ', sign_len + want, s->width);
}

static void put_symbol(struct out *o, unsigned long addr)
{
    static const struct spec plain = {.precision = -1};
    unsigned long offset, size;
    const char *name = lookup_symbol ? lookup_symbol(addr, &offset, &size)
                                     : NULL;

    if (!name) {
        put_number(o, &plain, addr, 16, "0x");
        return;
    }
    put_text(o, &plain, name);
    put_number(o, &plain, offset, 16, "+0x");
    put_number(o, &plain, size, 16, "/0x");
}

static s64 next_signed(const struct spec *s, __builtin_va_list *ap)
{
    switch (s->length) {
    case 'H': return (s8)__builtin_va_arg(*ap, int);
    case 'h': return (s16)__builtin_va_arg(*ap, int);
    case 'l': return __builtin_va_arg(*ap, long);
    default: return __builtin_va_arg(*ap, int);
    }
}

static u64 next_unsigned(const struct spec *s, __builtin_va_list *ap)
{
    switch (s->length) {
    case 'H': return (u8)__builtin_va_arg(*ap, unsigned int);
    case 'h': return (u16)__builtin_va_arg(*ap, unsigned int);
    case 'l': return __builtin_va_arg(*ap, unsigned long);
    default: return __builtin_va_arg(*ap, unsigned int);
    }
}

static void put_decimal(struct out *o, const struct spec *s,
                        __builtin_va_list *ap)
{
    s64 v = next_signed(s, ap);
    const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

    put_number(o, s, v < 0 ? -(u64)v : (u64)v, 10, sign);
}

/* Flags, width, precision and length; returns what follows them. */
static const char *parse_spec(const char *f, struct spec *s,
                              __builtin_va_list *ap)
{
    *s = (struct spec){.precision = -1};
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else if (*f == '+')
            s->plus = true;
        else if (*f == ' ')
            s->space = true;
        else if (*f == '#')
            s->alt = true;
        else
            break;
    }
    if (*f == '*') {
        int width = __builtin_va_arg(*ap, int);

        s->left |= width < 0;
        s->width = (unsigned int)(width < 0 ? -width : width);
        f++;
    } else {
        s->width = (unsigned int)strtoul(f, &f, 10);
    }
    if (*f == '.' && f[1] == '*') {
        s->precision = __builtin_va_arg(*ap, int);
        f += 2;
    } else if (*f == '.') {
        s->precision = (int)strtoul(f + 1, &f, 10);
    }
    for (; *f == 'l' || *f == 'h' || *f == 'z'; f++)
        s->length = *f == 'h' ? (s->length == 'h' ? 'H' : 'h') : 'l';
    return f;
}

/* One conversion; returns what follows it. */
static const char *convert(struct out *o, const char *f,
                           __builtin_va_list *ap)
{
    struct spec s;
    char one[2] = {0, 0};

    f = parse_spec(f, &s, ap);
    s.upper = *f == 'X';
    switch (*f) {
    case 'd': case 'i':
        put_decimal(o, &s, ap);
        break;
    case 'u':
        put_number(o, &s, next_unsigned(&s, ap), 10, "");
        break;
    case 'o':
        put_number(o, &s, next_unsigned(&s, ap), 8, s.alt ? "0" : "");
        break;
    case 'x': case 'X':
        put_number(o, &s, next_unsigned(&s, ap), 16, s.alt ? "0x" : "");
        break;
    case 'p':
        if (f[1] == 'S') {
            put_symbol(o, __builtin_va_arg(*ap, unsigned long));
            return f + 2;
        }
        s.precision = 16;
        put_number(o, &s, __builtin_va_arg(*ap, unsigned long), 16, "");
        break;
    case 's':
        put_text(o, &s, __builtin_va_arg(*ap, const char *));
        break;
    case 'c':
        one[0] = (char)__builtin_va_arg(*ap, int);
        if (one[0] == '\0')
            put(o, '\0');
        else
            put_text(o, &s, one);
        break;
    case '\0':
        return f;
    default:
        put(o, *f);
    }
    return f + 1;
}

int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list args)
{
    struct out o = {buf, size, 0};
    __builtin_va_list ap;

    __builtin_va_copy(ap, args);
    while (*fmt != '\0') {
        if (*fmt == '%')
            fmt = convert(&o, fmt + 1, &ap);
        else
            put(&o, *fmt++);
    }
    __builtin_va_end(ap);
    if (size != 0)
        buf[MIN(o.used, size - 1)] = '\0';
    return (int)o.used;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    __builtin_va_list ap;
    int n;

    __builtin_va_start(ap, fmt);
    n = vsnprintf(buf, size, fmt, ap);
    __builtin_va_end(ap);
    return n;
}
