/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What waits to be sent to the target, at the pace that was asked for
 * (--char-delay, --line-delay).  No clock inside: the caller says the time.
 */
#ifndef MINITERM_OUTQ_H
#define MINITERM_OUTQ_H

#include "util.h"

struct outq {
    struct queue q;
    unsigned char_us, line_us; /* delays in microseconds; both 0: none */
    uint64_t not_before;       /* now_us() at which the next byte may go */
};

int outq_init(struct outq *o, size_t size, unsigned char_ms,
              unsigned line_ms);
void outq_free(struct outq *o);

/* Appends; returns the count taken. */
size_t outq_put(struct outq *o, const void *data, size_t len);

/*
 * What may go now: a run of bytes and its length in *len (0: nothing yet).
 * *wait_us is lowered to the time until more may go.
 */
const uint8_t *outq_ready(const struct outq *o, uint64_t now, size_t *len,
                          uint64_t *wait_us);

/* @len of those bytes have gone. */
void outq_sent(struct outq *o, uint64_t now, size_t len);

#endif
