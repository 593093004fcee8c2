/* SPDX-License-Identifier: GPL-2.0-only */
/* A growing queue of bytes.  Invariant: start + len <= size. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct bytes *b, size_t len)
{
    size_t size = b->size ? b->size : 1024;
    uint8_t *data;

    if (b->start + b->len + len <= b->size)
        return true;
    if (b->start > 0) {
        memmove(b->data, b->data + b->start, b->len);
        b->start = 0;
        if (b->len + len <= b->size)
            return true;
    }
    while (size < b->len + len)
        size *= 2;
    data = realloc(b->data, size);
    if (!data)
        return false;
    b->data = data;
    b->size = size;
    return true;
}

bool bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (len == 0)
        return true;
    if (!make_room(b, len))
        return false;
    memcpy(b->data + b->start + b->len, data, len);
    b->len += len;
    return true;
}

bool bytes_add_text(struct bytes *b, const char *text)
{
    return bytes_add(b, text, strlen(text));
}

void bytes_drop(struct bytes *b, size_t nr)
{
    if (nr >= b->len) {
        b->start = b->len = 0;
        return;
    }
    b->start += nr;
    b->len -= nr;
}

size_t bytes_take(struct bytes *b, uint8_t *out, size_t max)
{
    size_t nr = b->len < max ? b->len : max;

    if (nr)
        memcpy(out, bytes_data(b), nr);
    bytes_drop(b, nr);
    return nr;
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){ 0 };
}
