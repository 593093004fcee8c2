/* SPDX-License-Identifier: GPL-2.0-only */
/* The last bytes of the console, for those who come later. */
#ifndef HISTORY_H
#define HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_SIZE 65536u /* a power of two */

struct history {
    uint64_t end; /* bytes ever added */
    uint8_t data[HISTORY_SIZE];
};

void history_add(struct history *h, const uint8_t *data, size_t len);

/*
 * Copies the last `lines` lines (a line without its end counts) into
 * out[HISTORY_SIZE]; returns the length.
 */
size_t history_tail(const struct history *h, unsigned int lines, uint8_t *out);

#endif /* HISTORY_H */
