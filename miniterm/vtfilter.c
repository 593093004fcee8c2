/* SPDX-License-Identifier: GPL-2.0-only */
/* Drops control strings and unsafe repetitions from terminal output. */
#include <string.h>

#include "vtfilter.h"

#define ESC 0x1b
#define CAN 0x18
#define SUB 0x1a
#define DEL 0x7f
#define UNUSED_FINAL 'y' /* of a CSI sequence that no terminal here knows */

enum { TEXT, ESCAPE, DESIGNATION, CODING, STRING, STRING_ESCAPE, CSI };

/*
 * The byte behind an ESC, which is held; returns the bytes written.  A control
 * character comes in between and the ESC goes on waiting.  What cannot follow
 * an ESC is text, and the ESC was nothing.
 */
static size_t after_escape(struct vtfilter *f, uint8_t *out, uint8_t byte)
{
    if (byte == CAN || byte == SUB || byte >= 0x80)
        f->state = TEXT;
    if ((byte < ' ' && byte != ESC) || byte >= DEL) {
        f->after_text = false;
        out[0] = byte;
        return 1;
    }
    if (byte != '[')
        f->after_text = false;
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
    f->state = byte == '[' ? CSI : byte < '0' ? DESIGNATION : TEXT;
    out[0] = ESC;
    out[1] = byte;
    return 2;
}

/* ESC, intermediate bytes (a '#' or '(' came) and a final one. */
static size_t in_designation(struct vtfilter *f, uint8_t *out, uint8_t byte)
{
    if (byte == ESC) {
        f->state = ESCAPE;
        return 0;
    }
    if (byte == CAN || byte == SUB || (byte >= '0' && byte != DEL))
        f->state = TEXT;
    out[0] = byte < 0x80 ? byte : CAN;
    return 1;
}

/*
 * A sequence goes on to its final byte.  What cannot be in it ends it, by CAN,
 * so that libvterm and we agree where the text goes on.  Its REP (CSI n b)
 * never ends when there was no character, or one without width: only behind
 * plain text does it pass.
 */
static size_t in_csi(struct vtfilter *f, uint8_t *out, uint8_t byte)
{
    bool plain = f->after_text;

    if (byte == DEL)
        return 0;
    if (byte >= 0x40 || byte == ESC || byte == CAN || byte == SUB) {
        f->state = byte == ESC ? ESCAPE : TEXT;
        f->after_text = false;
    }
    out[0] = byte >= 0x80 ? CAN :
             byte == 'b' && !plain ? UNUSED_FINAL : byte;
    return byte != ESC;
}

static size_t in_text(struct vtfilter *f, uint8_t *out, uint8_t byte)
{
    if (byte == ESC) {
        f->state = ESCAPE;
        return 0;
    }
    f->after_text = byte > ' ' && byte < DEL;
    out[0] = byte;
    return 1;
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
        case TEXT: n += in_text(f, out + n, in[i]); break;
        case DESIGNATION: n += in_designation(f, out + n, in[i]); break;
        case CSI: n += in_csi(f, out + n, in[i]); break;
        case ESCAPE: n += after_escape(f, out + n, in[i]); break;
        case CODING: f->state = TEXT; break;
        default: n += in_string(f, out + n, in[i]); break;
        }
    }
    return n;
}
