/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Character maps: what becomes of single characters on their way in, out, or
 * to the local echo.  A list of names, as picocom has them:
 *
 *   crlf   CR to LF       lfcr    LF to CR        bsdel   BS to DEL
 *   crcrlf CR to CR LF    lfcrlf  LF to CR LF     delbs   DEL to BS
 *   igncr  CR dropped     ignlf   LF dropped      upper, lower
 */
#ifndef MINITERM_CHARMAP_H
#define MINITERM_CHARMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHARMAP_GROWTH 2

struct charmap {
    bool active;
    uint8_t nr[256];     /* bytes that it becomes, 0 to 2 */
    uint8_t to[256][CHARMAP_GROWTH];
};

/* @names: comma-separated or NULL; false for an unknown one. */
bool charmap_init(struct charmap *m, const char *names);

/* @out holds CHARMAP_GROWTH * len bytes; returns how many were written. */
size_t charmap(const struct charmap *m, uint8_t *out, const uint8_t *in,
               size_t len);

#endif
