/* SPDX-License-Identifier: GPL-2.0-only */
/* Drops control strings from terminal output. */
#include <string.h>

#include "vtfilter.h"

#define ESC 0x1b

enum { TEXT, ESCAPE, CODING, STRING, STRING_ESCAPE };

/* The byte behind an ESC; returns the bytes written. */
static size_t after_escape(struct vtfilter *f, uint8_t *out, uint8_t byte)
{
    if (byte && strchr("P]X^_", byte)) {
        f->state = STRING;
        return 0;
    }
    if (byte == '%') {
        f->state = CODING;
        return 0;
    }
    if (byte == ESC)
        return 0;
    f->state = TEXT;
    out[0] = ESC;
    out[1] = byte;
    return 2;
}

/*
 * An ESC inside ends the string if a backslash follows, and starts a new
 * sequence if anything else does (ECMA-48 leaves that open; terminals do
 * this).
 */
static size_t in_string(struct vtfilter *f, uint8_t *out, uint8_t byte)
{
    if (f->state == STRING_ESCAPE && byte != '\\' && byte != ESC) {
        f->state = ESCAPE;
        return after_escape(f, out, byte);
    }
    if (byte == ESC)
        f->state = STRING_ESCAPE;
    else if (f->state == STRING_ESCAPE || byte == 0x07 || byte == 0x18 ||
             byte == 0x1a)
        f->state = TEXT;
    if (byte != '\n')
        return 0;
    f->state = TEXT;
    out[0] = byte;
    return 1;
}

size_t vtfilter(struct vtfilter *f, uint8_t *out, const uint8_t *in,
                size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        switch (f->state) {
        case TEXT:
            if (in[i] == ESC)
                f->state = ESCAPE;
            else
                out[n++] = in[i];
            break;
        case ESCAPE: n += after_escape(f, out + n, in[i]); break;
        case CODING: f->state = TEXT; break;
        default: n += in_string(f, out + n, in[i]); break;
        }
    }
    return n;
}
