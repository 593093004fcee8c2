/* SPDX-License-Identifier: GPL-2.0-only */
/* Character maps. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "charmap.h"
#include "util.h"

static const struct {
    const char *name;
    uint8_t from, nr;
    char to[CHARMAP_GROWTH + 1];
} maps[] = {
    { "crlf", '\r', 1, "\n" },   { "crcrlf", '\r', 2, "\r\n" },
    { "igncr", '\r', 0, "" },    { "lfcr", '\n', 1, "\r" },
    { "lfcrlf", '\n', 2, "\r\n" }, { "ignlf", '\n', 0, "" },
    { "bsdel", '\b', 1, "\177" }, { "delbs", 0x7f, 1, "\b" },
};

/* Both cases of the ASCII letters to one of them. */
static void fold(struct charmap *m, bool upper)
{
    for (unsigned c = 'a'; c <= 'z'; c++) {
        unsigned large = c - 'a' + 'A';

        m->to[upper ? c : large][0] = (uint8_t)(upper ? large : c);
    }
}

static bool add(struct charmap *m, const char *name)
{
    m->active = true;
    if (!strcmp(name, "upper") || !strcmp(name, "lower")) {
        fold(m, name[0] == 'u');
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
        if (!strcmp(maps[i].name, name)) {
            m->nr[maps[i].from] = maps[i].nr;
            memcpy(m->to[maps[i].from], maps[i].to, CHARMAP_GROWTH);
            return true;
        }
    return false;
}

bool charmap_init(struct charmap *m, const char *names)
{
    char copy[200], *next = copy, *name;

    memset(m, 0, sizeof(*m));
    for (unsigned i = 0; i < 256; i++) {
        m->nr[i] = 1;
        m->to[i][0] = (uint8_t)i;
    }
    snprintf(copy, sizeof(copy), "%s", names ? names : "");
    while ((name = strtok_r(next, ", ", &next)))
        if (!add(m, name))
            return false;
    return true;
}

size_t charmap(const struct charmap *m, uint8_t *out, const uint8_t *in,
               size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        /* The room for two is there; the second counts only if meant. */
        memcpy(out + n, m->to[in[i]], CHARMAP_GROWTH);
        n += m->nr[in[i]];
    }
    return n;
}
