/* SPDX-License-Identifier: GPL-2.0-only */
/* The last bytes of the console in a ring. */
#include "history.h"

#include <string.h>

void history_add(struct history *h, const uint8_t *data, size_t len)
{
    if (len > HISTORY_SIZE) {
        h->end += len - HISTORY_SIZE;
        data += len - HISTORY_SIZE;
        len = HISTORY_SIZE;
    }
    while (len > 0) {
        size_t at = h->end % HISTORY_SIZE;
        size_t nr = len < HISTORY_SIZE - at ? len : HISTORY_SIZE - at;

        memcpy(h->data + at, data, nr);
        h->end += nr;
        data += nr;
        len -= nr;
    }
}

size_t history_tail(const struct history *h, unsigned int lines, uint8_t *out)
{
    uint64_t from = h->end, limit = 0;
    size_t nr = 0;

    if (h->end > HISTORY_SIZE)
        limit = h->end - HISTORY_SIZE;
    if (lines == 0)
        return 0;
    /* the end of the last line does not begin another */
    if (from > limit)
        from--;
    while (from > limit) {
        if (h->data[(from - 1) % HISTORY_SIZE] == '\n' && --lines == 0)
            break;
        from--;
    }
    for (; from < h->end; from++)
        out[nr++] = h->data[from % HISTORY_SIZE];
    return nr;
}
