/* SPDX-License-Identifier: GPL-2.0-only */
/* Pass-through's filters on the way to the user. */
#include <stdio.h>
#include <string.h>

#include "conswitch.h"
#include "util.h"
#include "view.h"

void view_init(struct view *v, const struct settings *set)
{
    memset(v, 0, sizeof(*v));
    v->low_only = set->low_only;
    v->hex = set->hex;
    v->stamp = set->stamp;
    v->line_start = true;
}

/* Before the first byte of a line, with the time at which that came. */
static size_t stamp(struct view *v, char *out, uint64_t wall)
{
    char text[TIME_TEXT_MAX];

    if (!v->first)
        v->first = v->last = wall;
    if (v->stamp == STAMP_TIME || v->stamp == STAMP_TARGET)
        time_short(text, wall);
    else
        snprintf(text, sizeof(text), "%.3f", (double)(wall - (v->stamp ==
                 STAMP_DELTA ? v->last : v->first)) / 1e6);
    v->last = wall;
    return (size_t)snprintf(out, TIME_TEXT_MAX, "[%s] ", text);
}

/* Rows of 16 that also end at LF, so that lines can be told. */
static size_t hex(struct view *v, char *out, uint8_t byte)
{
    bool end = byte == '\n' || ++v->column == 16;

    if (end)
        v->column = 0;
    v->line_start = end;
    return (size_t)snprintf(out, 8, "%02x%s", byte, end ? "\r\n" : " ");
}

size_t view_bytes(struct view *v, char *out, const uint8_t *data, size_t len,
                  uint64_t wall)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (v->low_only && cs_is_high(data[i]))
            continue;
        if (v->line_start && v->stamp != STAMP_NONE &&
            (v->hex || data[i] != '\r')) {
            n += stamp(v, out + n, wall);
            v->line_start = false;
        }
        if (v->hex) {
            n += hex(v, out + n, data[i]);
        } else {
            out[n++] = (char)data[i];
            v->line_start = data[i] == '\n' ||
                            (v->line_start && data[i] == '\r');
        }
    }
    return n;
}
