/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes as one line of printable text and back: \n \r \t \e \\ \0 and \xHH;
 * everything from space to tilde but the backslash stands for itself.
 */
#ifndef MINITERM_ESCAPE_H
#define MINITERM_ESCAPE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ESCAPE_MAX 4 /* longest form of one byte */

/* Writes at most ESCAPE_MAX * len bytes, no NUL; returns how many. */
size_t escape_encode(char *out, const uint8_t *in, size_t len);

/*
 * @out may be @in and needs no more than @len bytes.  Returns the number of
 * bytes, or -1 for a malformed escape.  Other bytes pass unchanged.
 */
ssize_t escape_decode(uint8_t *out, const char *in, size_t len);

#endif
