/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings and printing without a C library. */
#include "guest.h"

void *memset(void *to, int byte, size_t n)
{
    void *ret = to;

    asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
    return ret;
}

void *memcpy(void *to, const void *from, size_t n)
{
    void *ret = to;

    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return ret;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;

    for (; n; n--, p++, q++) {
        if (*p != *q)
            return *p - *q;
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++) {
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    }
    return 0;
}

struct sink {
    char *buf;
    size_t size, used;
};

static void sink_char(struct sink *s, char c)
{
    if (s->used + 1 < s->size)
        s->buf[s->used] = c;
    s->used++;
}

static void sink_text(struct sink *s, const char *text, int width)
{
    for (int n = (int)strlen(text); n < width; n++)
        sink_char(s, ' ');
    while (*text)
        sink_char(s, *text++);
}

static void sink_number(struct sink *s, u64 value, unsigned base, int width,
                        char fill)
{
    char digits[24];
    int n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (width-- > n)
        sink_char(s, fill);
    while (n)
        sink_char(s, digits[--n]);
}

static void sink_signed(struct sink *s, long value, int width, char fill)
{
    if (value < 0) {
        sink_char(s, '-');
        value = -value;
    }
    sink_number(s, (u64)value, 10, width, fill);
}

/* The conversion after '%', flags and width taken; `wide`: an l was seen. */
static void sink_convert(struct sink *s, char c, bool wide, int width,
                         char fill, va_list *ap)
{
    switch (c) {
    case 'd':
    case 'i':
        sink_signed(s, wide ? va_arg(*ap, long) : va_arg(*ap, int), width,
                    fill);
        break;
    case 'u':
    case 'x':
        sink_number(s, wide ? va_arg(*ap, ulong) : va_arg(*ap, unsigned),
                    c == 'x' ? 16 : 10, width, fill);
        break;
    case 'p':
        sink_text(s, "0x", 0);
        sink_number(s, va_arg(*ap, ulong), 16, 0, '0');
        break;
    case 's': sink_text(s, va_arg(*ap, const char *), width); break;
    case 'c': sink_char(s, (char)va_arg(*ap, int)); break;
    default: sink_char(s, c);
    }
}

int text_vformat(char *buf, size_t n, const char *fmt, va_list ap)
{
    struct sink s = { buf, n, 0 };
    va_list args;

    va_copy(args, ap);
    for (; *fmt; fmt++) {
        bool wide = false;
        char fill = ' ';
        int width = 0;

        if (*fmt != '%') {
            sink_char(&s, *fmt);
            continue;
        }
        fmt++;
        if (*fmt == '0')
            fill = '0';
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (*fmt - '0');
        for (; *fmt == 'l'; fmt++)
            wide = true;
        sink_convert(&s, *fmt, wide, width, fill, &args);
    }
    va_end(args);
    if (n)
        buf[s.used < n ? s.used : n - 1] = '\0';
    return (int)s.used;
}

int text_format(char *buf, size_t n, const char *fmt, ...)
{
    va_list ap;
    int used;

    va_start(ap, fmt);
    used = text_vformat(buf, n, fmt, ap);
    va_end(ap);
    return used;
}

/* A domain without privileges has a ring that its builder empties. */
static void ring_write(const char *text, size_t n)
{
    volatile struct xencons_interface *ring =
        (void *)(VIRT_BASE + m2p(start_info->console.domU.mfn) * PAGE_SIZE);

    while (n) {
        u32 prod = ring->out_prod;

        if (prod - ring->out_cons >= sizeof(ring->out)) {
            hc_sched_op(SCHEDOP_yield, NULL);
            continue;
        }
        ring->out[MASK_XENCONS_IDX(prod, ring->out)] = *text++;
        asm volatile("" ::: "memory");
        ring->out_prod = prod + 1;
        n--;
    }
}

void print(const char *fmt, ...)
{
    char line[500];
    va_list ap;

    va_start(ap, fmt);
    text_vformat(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (is_initdomain())
        hc_console_io(CONSOLEIO_write, (long)strlen(line), line);
    else
        ring_write(line, strlen(line));
}
