/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small helpers that every part of miniterm uses: clocks, bounded byte
 * queues, and writing that finishes.  No global state.
 */
#ifndef MINITERM_UTIL_H
#define MINITERM_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Microseconds: now_us() of the monotonic clock, wall_us() since 1970. */
uint64_t now_us(void);
uint64_t wall_us(void);

/*
 * "2026-01-31T12:00:00.000000Z" of @wall (microseconds since 1970, UTC)
 * into @out, which holds TIME_TEXT_MAX bytes.
 */
#define TIME_TEXT_MAX 32
void time_text(char out[TIME_TEXT_MAX], uint64_t wall);

/* "HH:MM:SS.mmm" of @wall in local time; same bound. */
void time_short(char out[TIME_TEXT_MAX], uint64_t wall);

/* A byte queue of fixed size; what does not fit is refused, never lost. */
struct queue {
    uint8_t *data;
    size_t size, head, len;
};

/* 0, or -1 without memory. */
int queue_init(struct queue *q, size_t size);
void queue_free(struct queue *q);
/* Appends up to @len bytes; returns the count taken. */
size_t queue_put(struct queue *q, const void *data, size_t len);
/* First contiguous run of queued bytes; *@len is its length, maybe 0. */
const uint8_t *queue_peek(const struct queue *q, size_t *len);
/* Drops @len bytes from the front; @len <= q->len. */
void queue_drop(struct queue *q, size_t len);

static inline size_t queue_room(const struct queue *q)
{
    return q->size - q->len;
}

/* Writes all of @data, waiting where it must; 0 or -1 with errno. */
int write_all(int fd, const void *data, size_t len);

/* Like asprintf, but ends the program when memory is out. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);

#endif
