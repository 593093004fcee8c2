/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What pass-through shows of the bytes it received when that is not just the
 * bytes: only the console's channel, hexadecimal, times before lines.
 */
#ifndef MINITERM_VIEW_H
#define MINITERM_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

#define VIEW_GROWTH 32 /* a byte becomes at most so many */

struct view {
    bool low_only, hex;
    enum stamp stamp;
    bool line_start;
    unsigned column;      /* hex bytes in this row */
    uint64_t first, last; /* wall times of the first and the last line */
};

void view_init(struct view *v, const struct settings *set);
static inline bool view_is_plain(const struct view *v)
{
    return !v->low_only && !v->hex && v->stamp == STAMP_NONE;
}

/* @out holds VIEW_GROWTH * len bytes; returns how many were written. */
size_t view_bytes(struct view *v, char *out, const uint8_t *data, size_t len,
                  uint64_t wall);

#endif
