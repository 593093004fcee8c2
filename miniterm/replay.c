/* SPDX-License-Identifier: GPL-2.0-only */
/* Replays a record; lines that are none are counted, said and skipped. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "session.h"
#include "util.h"

#define LONGEST_PAUSE_US 5000000 /* of silence, in replayed time */
#define BATCH 2000               /* records before the keys are looked at */

struct replay {
    FILE *file;
    double speed;
    char *text;
    size_t size;
    struct record next;
    bool has_next, ended;
    uint64_t last_wall, due;
    unsigned long nr, bad;
};

/* The next record; junk between records does not end the replay. */
static void read_next(struct replay *r)
{
    ssize_t n;

    r->has_next = false;
    while (!r->has_next && (n = getline(&r->text, &r->size, r->file)) > 0) {
        if (r->text[n - 1] == '\n')
            n--;
        r->has_next = record_parse(&r->next, r->text, (size_t)n);
        r->nr += r->has_next;
        r->bad += !r->has_next;
    }
}

/*
 * The first record is read at once: a file that is none is refused before the
 * screen opens.
 */
struct replay *replay_open(const char *path, double speed)
{
    struct replay *r = xcalloc(1, sizeof(*r));

    r->speed = speed;
    r->file = fopen(path, "re");
    if (!r->file) {
        fprintf(stderr, "miniterm: %s: %s\n", path, strerror(errno));
        free(r);
        return NULL;
    }
    read_next(r);
    if (r->has_next)
        return r;
    fprintf(stderr, "miniterm: %s is no file of --record (--log files are "
            "text, to be read with a pager)\n", path);
    replay_close(r);
    return NULL;
}

void replay_close(struct replay *r)
{
    fclose(r->file);
    free(r->text);
    free(r);
}

/* The pause of then, cut and sped up; clocks that went back give none. */
static uint64_t pause_before(const struct replay *r)
{
    uint64_t gap;

    if (!r->last_wall || r->next.wall <= r->last_wall || r->speed <= 0)
        return 0;
    gap = r->next.wall - r->last_wall;
    if (gap > LONGEST_PAUSE_US)
        gap = LONGEST_PAUSE_US;
    return (uint64_t)((double)gap / r->speed);
}

/*
 * `due` moves by the pauses, not by when we came to it, so that delays do not
 * add up. After a pause by hand it starts anew from now.
 */
bool replay_step(struct replay *r, struct session *s, bool paused,
                 uint64_t *wait_us)
{
    uint64_t now = now_us();

    if (paused) {
        r->due = now;
        return true;
    }
    for (unsigned i = 0; r->has_next && i < BATCH && r->due <= now; i++) {
        session_replay(s, &r->next);
        r->last_wall = r->next.wall;
        read_next(r);
        if (r->has_next)
            r->due = (r->due ? r->due : now) + pause_before(r);
        if (r->speed > 0 && r->due + 1000000 < now)
            r->due = now;
    }
    if (r->has_next) {
        uint64_t left = r->due > now ? r->due - now : 0;

        if (*wait_us > left)
            *wait_us = left;
    } else if (!r->ended) {
        r->ended = true;
        session_say(s, "end of the replay: %lu records, %lu other lines",
                    r->nr, r->bad);
    }
    return r->has_next;
}
