/* SPDX-License-Identifier: GPL-2.0-only */
/* Logs and records on disk; see record.h for the format. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "record.h"
#include "settings.h"
#include "util.h"

static const char kinds[REC_NR][3] = { "L<", "L>", "H<", "H>", "--" };

/* "2026-01-31T12:00:00.000000Z" is 27 characters; wall time or 0. */
static uint64_t parse_time(const char *text)
{
    struct tm tm;
    const char *end;
    char copy[28];
    uint64_t micro = 0;
    time_t seconds;

    memcpy(copy, text, 27);
    copy[27] = '\0';
    memset(&tm, 0, sizeof(tm));
    end = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!end || end != copy + 19 || *end != '.' || copy[26] != 'Z')
        return 0;
    for (int i = 20; i < 26; i++) {
        if (copy[i] < '0' || copy[i] > '9')
            return 0;
        micro = micro * 10 + (uint64_t)(copy[i] - '0');
    }
    seconds = timegm(&tm);
    return seconds <= 0 ? 0 : (uint64_t)seconds * 1000000 + micro;
}

/*
 * Checks everything before it commits to anything: a record is whole or it is
 * none.
 */
bool record_parse(struct record *r, const char *line, size_t len)
{
    ssize_t n;

    if (len < 31 || line[27] != ' ' || line[30] != ' ' ||
        len - 31 > RECORD_MAX * ESCAPE_MAX)
        return false;
    r->wall = parse_time(line);
    if (!r->wall)
        return false;
    for (r->kind = 0; r->kind < REC_NR; r->kind++)
        if (!memcmp(kinds[r->kind], line + 28, 2))
            break;
    if (r->kind == REC_NR)
        return false;
    uint8_t text[RECORD_MAX * ESCAPE_MAX];

    n = escape_decode(text, line + 31, len - 31);
    if (n < 0 || n > RECORD_MAX)
        return false;
    memcpy(r->data, text, (size_t)n);
    r->len = (size_t)n;
    return true;
}

/* A leading ~ and strftime's % in a file name; to be freed. */
static char *expand(const char *name)
{
    const char *home = getenv("HOME");
    char with_home[4096], out[4096];
    time_t now = time(NULL);
    struct tm tm;

    snprintf(with_home, sizeof(with_home), "%s%s",
             name[0] == '~' && home ? home : "",
             name[0] == '~' && home ? name + 1 : name);
    localtime_r(&now, &tm);
    if (!strftime(out, sizeof(out), with_home, &tm))
        return xstrdup(with_home);
    return xstrdup(out);
}

/* Does it begin as every line of ours, as far as it goes? */
static bool is_ours(const char *text, size_t len)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ ";

    for (size_t i = 0; i < len && form[i]; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' :
                             text[i] != form[i])
            return false;
    return true;
}

/*
 * A line of ours that a full disk or the end of the machine has cut is taken
 * away, so that every line of a log is whole.  What others left unfinished
 * stays and gets its LF.
 */
static void mend_last_line(int fd)
{
    static char tail[65536];
    off_t end, from;
    ssize_t nr;
    const char *lf;
    size_t whole;

    if (!logwriter_is_cut(fd))
        return;
    end = lseek(fd, 0, SEEK_END);
    from = end > (off_t)sizeof(tail) ? end - (off_t)sizeof(tail) : 0;
    nr = pread(fd, tail, (size_t)(end - from), from);
    lf = nr > 0 ? memrchr(tail, '\n', (size_t)nr) : NULL;
    whole = lf ? (size_t)(lf - tail) + 1 : 0;
    if (nr <= 0 || whole == (size_t)nr)
        return;
    if ((lf || !from) && is_ours(tail + whole, (size_t)nr - whole) &&
        ftruncate(fd, from + (off_t)whole) == 0)
        return;
    (void)!write(fd, "\n", 1);
}

static int open_one(const char *name, bool lines, int *fd)
{
    char *path;

    *fd = -1;
    if (!name)
        return 0;
    path = expand(name);
    *fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (*fd < 0)
        *fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (*fd < 0)
        fprintf(stderr, "miniterm: cannot write %s: %s\n", path,
                strerror(errno));
    else if (lines)
        mend_last_line(*fd);
    free(path);
    return *fd < 0 ? -1 : 0;
}

/* Files that were opened before a failure are closed by logs_close(). */
int logs_open(struct logs *l, const struct settings *set)
{
    l->record_fd = l->text_fd = l->raw_fd = l->writer.fd = -1;
    l->record.len = l->text.len = 0;
    l->error = 0;
    l->said = false;
    if (open_one(set->record, true, &l->record_fd) ||
        open_one(set->log, true, &l->text_fd) ||
        open_one(set->raw_log, false, &l->raw_fd))
        return -1;
    if (l->record_fd >= 0 || l->text_fd >= 0)
        logwriter_start(&l->writer);
    return 0;
}

/* What there is no room for is lost. */
static void put_now(struct logs *l, int fd, const char *lines, size_t len)
{
    size_t done;
    int rc = logwriter_put(&l->writer, fd, lines, len, &done);

    if (rc)
        l->error = rc;
}

static void flush(struct logs *l, int fd, struct log_out *o)
{
    if (o->len)
        put_now(l, fd, o->data, o->len);
    o->len = 0;
}

void logs_flush(struct logs *l)
{
    flush(l, l->record_fd, &l->record);
    flush(l, l->text_fd, &l->text);
}

/* One whole line. */
static void put(struct logs *l, int fd, struct log_out *o, const char *line,
                size_t len)
{
    if (len > sizeof(o->data) - o->len)
        flush(l, fd, o);
    if (len > sizeof(o->data)) {
        put_now(l, fd, line, len);
        return;
    }
    memcpy(o->data + o->len, line, len);
    o->len += len;
}

const char *logs_trouble(struct logs *l)
{
    if (!l->error || l->said)
        return NULL;
    l->said = true;
    return strerror(l->error);
}

void logs_close(struct logs *l)
{
    int *fds[] = { &l->record_fd, &l->text_fd, &l->raw_fd };
    const char *trouble;

    logs_flush(l);
    trouble = logs_trouble(l);
    if (trouble)
        fprintf(stderr, "miniterm: " LOGS_INCOMPLETE "\n", trouble);
    if (l->record_fd >= 0 || l->text_fd >= 0)
        logwriter_stop(&l->writer);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

/* The time is the moment of writing: bytes are recorded as they arrive. */
static void put_record(struct logs *l, enum record_kind kind,
                       const uint8_t *data, size_t len)
{
    char out[TIME_TEXT_MAX + 8 + RECORD_MAX * ESCAPE_MAX];
    size_t n;

    time_text(out, wall_us());
    n = strlen(out);
    n += (size_t)snprintf(out + n, 8, " %s ", kinds[kind]);
    n += escape_encode(out + n, data, len);
    out[n++] = '\n';
    put(l, l->record_fd, &l->record, out, n);
}

/* Cut at line ends, so that a record file reads well in a pager. */
void logs_record(struct logs *l, enum record_kind kind, const void *data,
                 size_t len)
{
    const uint8_t *p = data;

    if (l->record_fd < 0)
        return;
    while (len) {
        size_t run = len < RECORD_MAX ? len : RECORD_MAX;
        const uint8_t *lf = memchr(p, '\n', run);

        if (lf)
            run = (size_t)(lf - p) + 1;
        put_record(l, kind, p, run);
        p += run;
        len -= run;
    }
}

void logs_note(struct logs *l, const char *text)
{
    if (l->record_fd >= 0)
        put_record(l, REC_NOTE, (const uint8_t *)text,
                   strnlen(text, RECORD_MAX));
}

void logs_text(struct logs *l, uint64_t wall, const char *tag,
               const char *text, size_t len)
{
    char when[TIME_TEXT_MAX];
    char *out;

    if (l->text_fd < 0)
        return;
    time_text(when, wall);
    out = xasprintf("%s %s%s%.*s\n", when, tag, *tag ? " " : "", (int)len,
                    text);
    put(l, l->text_fd, &l->text, out, strlen(out));
    free(out);
}

void logs_raw(struct logs *l, const void *data, size_t len)
{
    ssize_t n;

    if (l->raw_fd < 0)
        return;
    do {
        n = write(l->raw_fd, data, len);
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)len)
        l->error = n < 0 ? errno : ENOSPC;
}
