/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose output is it?  The hypervisor starts its lines with "(XEN) " and
 * those of domain N with "(dN) "; all else comes from domain 0.  The tag is
 * taken off and the rest of the line goes to its owner.  "(XEN) " is also
 * seen inside a line: domain 0's half-written prompt goes on afterwards.
 *
 * Sans I/O: bytes in, runs out.  A possible start of a tag is held back; call
 * tagger_flush() when nothing followed for TAGGER_HOLD_US.
 */
#ifndef MINITERM_TAGGER_H
#define MINITERM_TAGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAGGER_HOLD_US 50000
#define OWNER_HV (-1)     /* else a domain's number */
#define TAGGER_DOM_MAX 99999

struct tagger {
    void (*out)(void *user, int owner, const uint8_t *data, size_t len);
    void *user;
    int owner;         /* of the line that is running */
    bool line_start;
    unsigned nr_held;
    uint8_t held[8];   /* "(d12345)" at most */
};

void tagger_init(struct tagger *t, void (*out)(void *user, int owner,
                                               const uint8_t *data,
                                               size_t len), void *user);
void tagger_feed(struct tagger *t, const uint8_t *data, size_t len);
void tagger_flush(struct tagger *t);

#endif
