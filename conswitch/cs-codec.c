/* SPDX-License-Identifier: GPL-2.0-only */
/* conswitch: the form of a byte on a line, and back. */
#include "conswitch.h"

static const char hex_digits[] = "0123456789abcdef";

static unsigned int encode_console(uint8_t byte, bool shared, uint8_t *out)
{
    if (byte == '\n') {
        out[0] = '\r';
        out[1] = '\n';
        return 2;
    }
    if (byte < 0x80 || !shared) {
        out[0] = byte;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = (uint8_t)hex_digits[byte >> 4];
    out[3] = (uint8_t)hex_digits[byte & 15];
    return 4;
}

unsigned int cs_encode(enum cs_role role, enum cs_suffix suffix, uint8_t byte,
                       uint8_t out[CS_ENCODED_MAX])
{
    bool shared = suffix == CS_H || suffix == CS_L;
    unsigned int nr = 1;

    if (role == CS_CONSOLE)
        nr = encode_console(byte, shared, out);
    else if (shared && byte >= 0x80)
        return 0;
    else
        out[0] = byte;

    if (suffix == CS_H)
        for (unsigned int i = 0; i < nr; i++)
            out[i] = cs_mark(out[i]);
    return nr;
}

/* The value of a lower-case hexadecimal digit, 16 for anything else. */
static unsigned int digit_value(uint8_t c)
{
    for (unsigned int i = 0; i < 16; i++)
        if (hex_digits[i] == (char)c)
            return i;
    return 16;
}

/* Could `c` be character number `at` of \xHH with HH >= 80? */
static bool fits(unsigned int at, uint8_t c)
{
    switch (at) {
    case 0: return c == '\\';
    case 1: return c == 'x';
    case 2: return digit_value(c) >= 8 && digit_value(c) < 16;
    default: return digit_value(c) < 16;
    }
}

unsigned int cs_unescape_end(struct cs_unescape *u, uint8_t out[3])
{
    unsigned int nr = u->nr;

    for (unsigned int i = 0; i < nr; i++)
        out[i] = u->held[i];
    u->nr = 0;
    return nr;
}

unsigned int cs_unescape(struct cs_unescape *u, uint8_t byte, uint8_t out[4])
{
    unsigned int nr;

    if (!fits(u->nr, byte)) {
        nr = cs_unescape_end(u, out);
        /* what broke one escape may begin the next */
        if (fits(0, byte))
            u->held[u->nr++] = byte;
        else
            out[nr++] = byte;
        return nr;
    }
    if (u->nr == 3) {
        out[0] = (uint8_t)(digit_value(u->held[2]) << 4 | digit_value(byte));
        u->nr = 0;
        return 1;
    }
    u->held[u->nr++] = byte;
    return 0;
}

enum cs_suffix cs_suffix_parse(const char *text, size_t len)
{
    if (len == 0)
        return CS_PLAIN;
    if (len == 1 && text[0] == 'H')
        return CS_H;
    if (len == 1 && text[0] == 'L')
        return CS_L;
    return CS_CLOSED;
}
