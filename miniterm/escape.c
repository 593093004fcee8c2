/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes as printable text and back. */
#include <string.h>

#include "escape.h"

/* Pairs: the letter, the byte that it stands for. */
static const char names[] = "n\nr\rt\te\033\\\\";

static const char hex[] = "0123456789abcdef";

/* The letter for @byte after a backslash, or 0. */
static char letter_of(uint8_t byte)
{
    for (size_t i = 0; i + 1 < sizeof(names); i += 2)
        if ((uint8_t)names[i + 1] == byte)
            return names[i];
    return '\0';
}

/*
 * A letter where there is one, else \xHH: the text stays readable for people
 * and exact for programs.
 */
size_t escape_encode(char *out, const uint8_t *in, size_t len)
{
    char *p = out;

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = in[i];
        char letter = letter_of(byte);

        if (letter) {
            *p++ = '\\';
            *p++ = letter;
        } else if (byte >= 0x20 && byte < 0x7f) {
            *p++ = (char)byte;
        } else {
            *p++ = '\\';
            *p++ = 'x';
            *p++ = hex[byte >> 4];
            *p++ = hex[byte & 15];
        }
    }
    return (size_t)(p - out);
}

/*
 * Value of a hexadecimal digit of either case, -1 for anything else; strchr
 * would find the NUL as well.
 */
static int digit(char c)
{
    const char *p = c ? strchr(hex, c | 0x20) : NULL;

    return p ? (int)(p - hex) : -1;
}

/* One escape behind the backslash at in[0]; its length there, 0 if bad. */
static size_t one_escape(uint8_t *out, const char *in, size_t len)
{
    if (len >= 3 && in[0] == 'x' && digit(in[1]) >= 0 && digit(in[2]) >= 0) {
        *out = (uint8_t)(digit(in[1]) << 4 | digit(in[2]));
        return 3;
    }
    if (!len)
        return 0;
    if (in[0] == '0') {
        *out = 0;
        return 1;
    }
    for (size_t i = 0; i + 1 < sizeof(names); i += 2)
        if (names[i] == in[0]) {
            *out = (uint8_t)names[i + 1];
            return 1;
        }
    return 0;
}

/* Never writes more than it has read, which is why decoding in place works. */
ssize_t escape_decode(uint8_t *out, const char *in, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        size_t used;

        if (in[i] != '\\') {
            out[n++] = (uint8_t)in[i];
            continue;
        }
        used = one_escape(out + n, in + i + 1, len - i - 1);
        if (!used)
            return -1;
        n++;
        i += used;
    }
    return (ssize_t)n;
}
