/* SPDX-License-Identifier: GPL-2.0-only */
/* Regular expressions by PCRE2, over counted bytes, with bounded effort. */
#ifndef MINITERM_REGEX_H
#define MINITERM_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct regex;

/*
 * @why (size bytes) gets the message when NULL is returned.  Flags: @fold
 * ignores case.  ^ and $ match at every line, which CR, LF or both end.
 */
struct regex *regex_new(const char *pattern, bool fold, char *why,
                        size_t size);
void regex_free(struct regex *r);

/*
 * First match at or after @from; its bounds go to *start and *end.  A pattern
 * that needs too much effort counts as no match.
 */
bool regex_find(struct regex *r, const char *text, size_t len, size_t from,
                size_t *start, size_t *end);

/* Group @nr of the last match into out[size]; false when it is not set. */
bool regex_group(struct regex *r, const char *text, unsigned nr, char *out,
                 size_t size);

#endif
