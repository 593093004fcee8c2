/* SPDX-License-Identifier: GPL-2.0-only */
/* The paced queue towards the target. */
#include "outq.h"

int outq_init(struct outq *o, size_t size, unsigned char_ms,
              unsigned line_ms)
{
    o->char_us = char_ms * 1000u;
    o->line_us = line_ms * 1000u;
    o->not_before = 0;
    return queue_init(&o->q, size);
}

void outq_free(struct outq *o)
{
    queue_free(&o->q);
}

size_t outq_put(struct outq *o, const void *data, size_t len)
{
    return queue_put(&o->q, data, len);
}

static bool ends_line(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

/*
 * With a character delay the run is one byte, with a line delay it ends
 * behind the line's end; without either it is all there is.
 */
const uint8_t *outq_ready(const struct outq *o, uint64_t now, size_t *len,
                          uint64_t *wait_us)
{
    const uint8_t *run = queue_peek(&o->q, len);

    if (!*len)
        return run;
    if (now < o->not_before) {
        if (*wait_us > o->not_before - now)
            *wait_us = o->not_before - now;
        *len = 0;
        return run;
    }
    if (o->char_us) {
        *len = 1;
    } else if (o->line_us) {
        size_t n = 0;

        while (n < *len && !ends_line(run[n]))
            n++;
        *len = n < *len ? n + 1 : n;
    }
    return run;
}

/*
 * The delay counts from when the bytes left, not from when they were queued:
 * a slow line is not slowed down further.
 */
void outq_sent(struct outq *o, uint64_t now, size_t len)
{
    size_t run;
    const uint8_t *p = queue_peek(&o->q, &run);
    bool line = len && ends_line(p[len - 1]);

    if (!len)
        return;
    queue_drop(&o->q, len);
    if (o->char_us || o->line_us)
        o->not_before = now + (line && o->line_us ? o->line_us : o->char_us);
}
