/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks, bounded byte queues, complete writes. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

static uint64_t clock_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

uint64_t wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

void time_text(char out[TIME_TEXT_MAX], uint64_t wall)
{
    time_t seconds = (time_t)(wall / 1000000);
    struct tm tm;
    size_t n;

    gmtime_r(&seconds, &tm);
    n = strftime(out, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, TIME_TEXT_MAX - n, ".%06uZ", (unsigned)(wall % 1000000));
}

void time_short(char out[TIME_TEXT_MAX], uint64_t wall)
{
    time_t seconds = (time_t)(wall / 1000000);
    struct tm tm;
    size_t n;

    localtime_r(&seconds, &tm);
    n = strftime(out, TIME_TEXT_MAX, "%H:%M:%S", &tm);
    snprintf(out + n, TIME_TEXT_MAX - n, ".%03u",
             (unsigned)(wall / 1000 % 1000));
}

int queue_init(struct queue *q, size_t size)
{
    q->data = malloc(size);
    q->size = q->data ? size : 0;
    q->head = q->len = 0;
    return q->data ? 0 : -1;
}

void queue_free(struct queue *q)
{
    free(q->data);
    memset(q, 0, sizeof(*q));
}

/* Two copies at most: to the end of the buffer, then from its start. */
size_t queue_put(struct queue *q, const void *data, size_t len)
{
    const uint8_t *from = data;
    size_t tail, run;

    if (len > queue_room(q))
        len = queue_room(q);
    if (!len)
        return 0;
    tail = (q->head + q->len) % q->size;
    run = q->size - tail < len ? q->size - tail : len;
    memcpy(q->data + tail, from, run);
    memcpy(q->data, from + run, len - run);
    q->len += len;
    return len;
}

const uint8_t *queue_peek(const struct queue *q, size_t *len)
{
    size_t run = q->size - q->head;

    *len = q->len < run ? q->len : run;
    return q->data + q->head;
}

void queue_drop(struct queue *q, size_t len)
{
    q->len -= len;
    q->head = q->len ? (q->head + len) % q->size : 0;
}

int write_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;
    struct pollfd pfd = { .fd = fd, .events = POLLOUT };

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            poll(&pfd, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

/*
 * Out of memory there is nothing sensible left to do; the exit handlers
 * restore the terminal.
 */
static void *need_memory(void *p)
{
    if (!p) {
        fputs("miniterm: out of memory\n", stderr);
        exit(70);
    }
    return p;
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *text;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return need_memory(n < 0 ? NULL : text);
}

void *xcalloc(size_t n, size_t size)
{
    return need_memory(calloc(n, size));
}

void *xrealloc(void *old, size_t size)
{
    return need_memory(realloc(old, size));
}

char *xstrdup(const char *text)
{
    return need_memory(strdup(text));
}
