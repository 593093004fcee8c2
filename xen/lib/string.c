/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The C string functions.
 *
 * Copies go eight bytes a step: `rep movsq` is one instruction per step under
 * an emulator that counts and the fast path of real processors.  The compiler
 * may call these for its own purposes, so they call nothing themselves.
 */
#include <hv/compiler.h>
#include <hv/string.h>

#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen

struct unaligned64 {
    u64 v;
} __packed __attribute__((may_alias));

struct unaligned32 {
    u32 v;
} __packed __attribute__((may_alias));

static inline u64 load64(const void *p)
{
    return ((const struct unaligned64 *)p)->v;
}

static inline void store64(void *p, u64 v)
{
    ((struct unaligned64 *)p)->v = v;
}

/* Up to 15 bytes; reads everything before it writes, so overlap is fine. */
static inline void copy_short(u8 *to, const u8 *from, size_t n)
{
    if (n >= 8) {
        u64 first = load64(from), last = load64(from + n - 8);

        store64(to, first);
        store64(to + n - 8, last);
    } else if (n >= 4) {
        u32 first = ((const struct unaligned32 *)from)->v;
        u32 last = ((const struct unaligned32 *)(from + n - 4))->v;

        ((struct unaligned32 *)to)->v = first;
        ((struct unaligned32 *)(to + n - 4))->v = last;
    } else if (n != 0) {
        u8 first = from[0], middle = from[n / 2], last = from[n - 1];

        to[0] = first;
        to[n / 2] = middle;
        to[n - 1] = last;
    }
}

void *memcpy(void *to, const void *from, size_t n)
{
    u8 *t = to;
    const u8 *f = from;
    size_t words = n / 8;
    u64 last;

    if (n < 16) {
        copy_short(t, f, n);
        return to;
    }
    last = load64(f + n - 8);
    store64(t + n - 8, last);
    __asm__ volatile("rep movsq"
                     : "+D"(t), "+S"(f), "+c"(words)
                     :
                     : "memory");
    return to;
}

/* Overlapping, the target lower, by any distance. */
static void move_down(u8 *t, const u8 *f, size_t n)
{
    for (; n >= 8 && f - t >= 8; n -= 8, t += 8, f += 8)
        store64(t, load64(f));
    while (n-- != 0)
        *t++ = *f++;
}

static void move_up(u8 *t, const u8 *f, size_t n)
{
    while (n >= 8 && t - f >= 8) {
        n -= 8;
        store64(t + n, load64(f + n));
    }
    while (n-- != 0)
        t[n] = f[n];
}

void *memmove(void *to, const void *from, size_t n)
{
    u8 *t = to;
    const u8 *f = from;

    if (n < 16)
        copy_short(t, f, n);
    else if (t + n <= f || f + n <= t)
        memcpy(to, from, n);
    else if (t < f)
        move_down(t, f, n);
    else
        move_up(t, f, n);
    return to;
}

void *memset(void *p, int c, size_t n)
{
    u8 *t = p;
    u64 pattern = (u8)c * 0x0101010101010101UL;
    size_t words = n / 8;

    if (n < 8) {
        while (n-- != 0)
            t[n] = (u8)c;
        return p;
    }
    store64(t + n - 8, pattern);
    __asm__ volatile("rep stosq"
                     : "+D"(t), "+c"(words)
                     : "a"(pattern)
                     : "memory");
    return p;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *x = a, *y = b;

    for (; n >= 8 && load64(x) == load64(y); n -= 8) {
        x += 8;
        y += 8;
    }
    for (; n != 0; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *p, int c, size_t n)
{
    const u8 *s = p;

    for (; n != 0; n--, s++)
        if (*s == (u8)c)
            return (void *)s;
    return NULL;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end != '\0')
        end++;
    return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0')
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n != 0; n--, a++, b++)
        if (*a != *b || *a == '\0')
            return (u8)*a - (u8)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (*s == '\0')
            return NULL;
    return (char *)s;
}

char *strstr(const char *s, const char *what)
{
    size_t n = strlen(what);

    for (; *s != '\0'; s++)
        if (strncmp(s, what, n) == 0)
            return (char *)s;
    return n == 0 ? (char *)s : NULL;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
    size_t n = strlen(from);

    if (size != 0) {
        size_t copied = MIN(n, size - 1);

        memcpy(to, from, copied);
        to[copied] = '\0';
    }
    return n;
}

/* Value of a digit in bases up to 36; 255 if it is none. */
static unsigned int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (unsigned int)(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z')
        return (unsigned int)(c - 'A') + 10;
    return 255;
}

/* Base 0: 0x and 0 prefixes decide. Too big: ULONG_MAX. No sign, no spaces. */
unsigned long strtoul(const char *s, const char **end, unsigned int base)
{
    unsigned long value = 0;
    bool overflow = false;
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
               digit_value(s[2]) < 16;

    if (base == 0)
        base = hex ? 16 : s[0] == '0' ? 8 : 10;
    if (base == 16 && hex)
        s += 2;
    for (; digit_value(*s) < base; s++)
        overflow |= __builtin_mul_overflow(value, base, &value) ||
                    __builtin_add_overflow(value, digit_value(*s), &value);
    if (end)
        *end = s;
    return overflow ? ~0UL : value;
}
