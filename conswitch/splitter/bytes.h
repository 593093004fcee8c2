/* SPDX-License-Identifier: GPL-2.0-only */
/* A queue of bytes that grows as needed; the callers keep it bounded. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t start, len, size; /* data[start..start+len) is queued */
};

/* False, with nothing appended, when there is no memory. */
bool bytes_add(struct bytes *b, const void *data, size_t len);
bool bytes_add_text(struct bytes *b, const char *text);

static inline const uint8_t *bytes_data(const struct bytes *b)
{
    return b->data + b->start;
}

/* Remove up to `nr` bytes from the front. */
void bytes_drop(struct bytes *b, size_t nr);

/* Copy up to `max` bytes out and remove them; returns how many. */
size_t bytes_take(struct bytes *b, uint8_t *out, size_t max);
void bytes_free(struct bytes *b);

#endif /* BYTES_H */
