/* SPDX-License-Identifier: GPL-2.0-only */
/* Takes console output apart by the tags at the starts of lines. */
#include <string.h>

#include "tagger.h"

enum match { NO_MATCH, PARTIAL, MATCH };

static const char hv_tag[] = "(XEN) ";

void tagger_init(struct tagger *t, void (*out)(void *user, int owner,
                                               const uint8_t *data,
                                               size_t len), void *user)
{
    memset(t, 0, sizeof(*t));
    t->out = out;
    t->user = user;
    t->line_start = true;
}

/* Is held + @next (a part of) "(dN) "?  On MATCH *domain is set. */
static enum match match_domain(const struct tagger *t, uint8_t next,
                               int *domain)
{
    int number = 0;
    unsigned digits = 0;

    if (t->nr_held < 2)
        return next == "(d"[t->nr_held] ? PARTIAL : NO_MATCH;
    for (unsigned i = 2; i < t->nr_held; i++) {
        if (t->held[i] == ')') {
            *domain = number;
            return next == ' ' ? MATCH : NO_MATCH;
        }
        number = number * 10 + (t->held[i] - '0');
        digits++;
    }
    if (next == ')' && digits)
        return PARTIAL;
    return next >= '0' && next <= '9' && digits < 5 ? PARTIAL : NO_MATCH;
}

/* Is held + @next (a part of) a tag?  *owner is set on MATCH. */
static enum match match_tag(const struct tagger *t, uint8_t next, int *owner)
{
    unsigned n = t->nr_held;

    if (n < sizeof(hv_tag) - 1 && !memcmp(t->held, hv_tag, n) &&
        next == (uint8_t)hv_tag[n]) {
        *owner = OWNER_HV;
        return n + 2 == sizeof(hv_tag) ? MATCH : PARTIAL;
    }
    if (!t->line_start || (n >= 2 && t->held[1] != 'd'))
        return NO_MATCH;
    return match_domain(t, next, owner);
}

/*
 * Knows from the last byte whether the next one starts a line; CR before a
 * tag does not count.
 */
static void emit(struct tagger *t, const uint8_t *data, size_t len)
{
    if (!len)
        return;
    t->line_start = data[len - 1] == '\n' ||
                    (t->line_start && data[len - 1] == '\r');
    t->out(t->user, t->owner, data, len);
    if (data[len - 1] == '\n')
        t->owner = 0;
}

/* What was held is text after all. */
void tagger_flush(struct tagger *t)
{
    unsigned n = t->nr_held;

    t->nr_held = 0;
    emit(t, t->held, n);
}

/* One byte that may belong to a tag; false: it is ordinary text. */
static bool tag_byte(struct tagger *t, uint8_t byte)
{
    int owner = 0;

    switch (match_tag(t, byte, &owner)) {
    case PARTIAL:
        t->held[t->nr_held++] = byte;
        return true;
    case MATCH:
        t->nr_held = 0;
        t->owner = owner;
        t->line_start = false;
        return true;
    case NO_MATCH:
        break;
    }
    if (!t->nr_held)
        return false;
    tagger_flush(t);
    /* What did not fit may itself start a tag. */
    return tag_byte(t, byte);
}

/*
 * Runs without a possible tag are handed on whole; only bytes from a '(' on
 * are looked at one by one.
 */
void tagger_feed(struct tagger *t, const uint8_t *data, size_t len)
{
    size_t from = 0;

    for (size_t i = 0; i < len; i++) {
        if (t->nr_held || data[i] == '(') {
            emit(t, data + from, i - from);
            from = tag_byte(t, data[i]) ? i + 1 : i;
        } else if (data[i] == '\n') {
            emit(t, data + from, i + 1 - from);
            from = i + 1;
        }
    }
    emit(t, data + from, len - from);
}
