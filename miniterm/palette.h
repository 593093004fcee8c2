/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The debug keys that the hypervisor says it has: read from its own answer to
 * the key `h`, lines " key 'c' (ascii '63') => what it does".
 */
#ifndef MINITERM_PALETTE_H
#define MINITERM_PALETTE_H

#include <stdbool.h>
#include <stddef.h>

#define PALETTE_MAX 128
#define PALETTE_TEXT 100

struct palette_key {
    char key;
    char text[PALETTE_TEXT];
    unsigned used; /* sequence number of the last use, 0 never */
};

struct palette {
    struct palette_key key[PALETTE_MAX];
    unsigned nr, uses;
};

/* A line of the hypervisor's; true when it described a key. */
bool palette_line(struct palette *p, const char *text, size_t len);

/* Remembers that @key was used: it moves to the front of the listing. */
void palette_use(struct palette *p, char key);

/*
 * Indexes of the entries that fit @filter, last used first, then by order of
 * the hypervisor's list; returns how many.  A filter fits when its letters
 * appear in this order in the text, or when it is the key itself.
 */
unsigned palette_filter(const struct palette *p, const char *filter,
                        unsigned char index[PALETTE_MAX]);

/* Keys that reset or crash the machine: to be confirmed first. */
bool palette_dangerous(const struct palette_key *k);

#endif
