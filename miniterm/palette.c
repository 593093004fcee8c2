/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypervisor's own list of debug keys. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "palette.h"
#include "util.h"

/* The key by its code, which is exact where the quoted one is not printable. */
static bool parse(const char *line, char *key, char text[PALETTE_TEXT])
{
    char quoted;
    unsigned code;
    int end = -1;

    if (sscanf(line, " key '%c' (ascii '%x') => %n", &quoted, &code,
               &end) != 2 || end < 0 || code < 0x20 || code > 0x7e)
        return false;
    *key = (char)code;
    snprintf(text, PALETTE_TEXT, "%s", line + end);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    return true;
}

/* A key that is listed again (after a new `h`) replaces its text. */
bool palette_line(struct palette *p, const char *text, size_t len)
{
    char line[256], what[PALETTE_TEXT], key;
    struct palette_key *k = NULL;

    snprintf(line, sizeof(line), "%.*s", (int)(len < 255 ? len : 255), text);
    if (!parse(line, &key, what))
        return false;
    for (unsigned i = 0; i < p->nr && !k; i++)
        if (p->key[i].key == key)
            k = &p->key[i];
    if (!k) {
        if (p->nr == PALETTE_MAX)
            return true;
        k = &p->key[p->nr++];
        k->used = 0;
    }
    k->key = key;
    memcpy(k->text, what, sizeof(what));
    return true;
}

void palette_use(struct palette *p, char key)
{
    for (unsigned i = 0; i < p->nr; i++)
        if (p->key[i].key == key)
            p->key[i].used = ++p->uses;
}

/* The filter's letters in this order, anything between them. */
static bool fits(const struct palette_key *k, const char *filter)
{
    const char *text = k->text;

    if (filter[0] == k->key && !filter[1])
        return true;
    for (; *filter; filter++) {
        while (*text && tolower((unsigned char)*text) !=
                        tolower((unsigned char)*filter))
            text++;
        if (!*text++)
            return false;
    }
    return true;
}

/* An exact key goes first, then text that contains the filter as it is. */
static unsigned rank(const struct palette_key *k, const char *filter)
{
    if (*filter && filter[0] == k->key && !filter[1])
        return 0;
    if (*filter && strcasestr(k->text, filter))
        return 1;
    return 2;
}

/*
 * An insertion sort into the caller's index: the list has some thirty
 * entries.
 */
unsigned palette_filter(const struct palette *p, const char *filter,
                        unsigned char index[PALETTE_MAX])
{
    unsigned nr = 0;

    for (unsigned i = 0; i < p->nr; i++) {
        unsigned at = nr;

        if (!fits(&p->key[i], filter))
            continue;
        while (at > 0) {
            const struct palette_key *other = &p->key[index[at - 1]];
            unsigned mine = rank(&p->key[i], filter);
            unsigned theirs = rank(other, filter);

            if (theirs < mine ||
                (theirs == mine && other->used >= p->key[i].used))
                break;
            index[at] = index[at - 1];
            at--;
        }
        index[at] = (unsigned char)i;
        nr++;
    }
    return nr;
}

/*
 * By letter for those that every version of the hypervisor has, by words of
 * the description for the rest.
 */
bool palette_dangerous(const struct palette_key *k)
{
    static const char *const words[] = { "reboot", "crash", "panic", "reset",
                                         "kill", "trap to", "debugger",
                                         "nmi" };

    if (strchr("RCB%", k->key))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasestr(k->text, words[i]))
            return true;
    return false;
}
