/* SPDX-License-Identifier: GPL-2.0-only */
/* The log of a line.  Invariant: `out` holds whole records only. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OUT_MAX (256u * 1024u) /* not written yet; more than that is lost */

/* A cut last line, left by the end of the machine, goes. */
static int remove_cut_line(int fd)
{
    off_t end;
    char buf[4096];

    if (!logwriter_is_cut(fd))
        return 0;
    end = lseek(fd, 0, SEEK_END);
    while (end > 0) {
        size_t want = end < (off_t)sizeof(buf) ? (size_t)end : sizeof(buf);
        ssize_t nr = pread(fd, buf, want, end - (off_t)want);

        if (nr != (ssize_t)want)
            return -1;
        for (; nr > 0; nr--, end--)
            if (buf[nr - 1] == '\n')
                return ftruncate(fd, end);
    }
    return ftruncate(fd, 0);
}

static int open_file(struct logfile *l)
{
    struct stat st;
    int fd = open(l->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    if (fd < 0)
        return errno;
    /* only a regular file can be cut or measured */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        ((!l->raw && remove_cut_line(fd) < 0) || fstat(fd, &st) < 0)) {
        int saved = errno;

        close(fd);
        return saved;
    }
    l->size = (uint64_t)st.st_size;
    l->fd = fd;
    return 0;
}

int log_open(struct logfile *l, const char *path, char *err, size_t size)
{
    int rc;

    l->fd = -1;
    l->path = strdup(path);
    l->writer.fd = -1;
    rc = l->path ? open_file(l) : ENOMEM;
    if (rc != 0) {
        snprintf(err, size, "log %s: %s", path, strerror(rc));
        return -1;
    }
    logwriter_start(&l->writer);
    return 0;
}

/* "2026-01-31T12:00:00.123Z K " */
static size_t stamp(char *buf, size_t size, uint64_t wall, char kind)
{
    time_t s = (time_t)(wall / 1000);
    struct tm tm;
    size_t nr;

    gmtime_r(&s, &tm);
    nr = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
    nr += (size_t)snprintf(buf + nr, size - nr, ".%03uZ %c ",
                           (unsigned int)(wall % 1000), kind);
    return nr;
}

/* `to` has room for 4 * len. */
static size_t printable(char *to, const uint8_t *data, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t nr = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = data[i];

        if ((c >= ' ' && c != 0x7f && c != '\\') || c == '\t') {
            to[nr++] = (char)c;
            continue;
        }
        to[nr++] = '\\';
        to[nr++] = 'x';
        to[nr++] = hex[c >> 4];
        to[nr++] = hex[c & 15];
    }
    return nr;
}

static void add_record(struct logfile *l, char kind, const uint8_t *data,
                       size_t len, uint64_t wall)
{
    char text[64 + 4 * LOG_LINE_MAX];
    size_t nr = stamp(text, 64, wall, kind);

    if (len > LOG_LINE_MAX)
        len = LOG_LINE_MAX;
    nr += printable(text + nr, data, len);
    text[nr++] = '\n';
    if (l->out.len + nr > OUT_MAX || !bytes_add(&l->out, text, nr))
        l->lost++;
}

static void end_line(struct logfile *l, char kind)
{
    /* the CR of CR LF */
    if (kind == 'L' && l->len && l->line[l->len - 1] == '\r')
        l->len--;
    add_record(l, kind, l->line, l->len, l->line_ms);
    l->len = 0;
}

void log_console(struct logfile *l, const uint8_t *data, size_t len,
                 uint64_t wall, uint64_t now)
{
    if (l->fd < 0)
        return;
    if (l->raw) {
        if (l->out.len + len > OUT_MAX || !bytes_add(&l->out, data, len))
            l->lost += len;
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (l->len == 0)
            l->line_ms = wall;
        if (data[i] == '\n') {
            end_line(l, 'L');
            continue;
        }
        if (l->len == LOG_LINE_MAX)
            end_line(l, 'l');
        l->line[l->len++] = data[i];
    }
    l->touched_ms = now;
}

void log_event(struct logfile *l, const char *text, uint64_t wall)
{
    if (l->fd < 0 || l->raw)
        return;
    if (l->len)
        end_line(l, 'l');
    add_record(l, '!', (const uint8_t *)text, strlen(text), wall);
}

/* Whole records, as many as the writer takes at once. */
static size_t next_piece(const struct logfile *l)
{
    const uint8_t *data = bytes_data(&l->out), *end;

    if (l->out.len <= LOGWRITER_MAX)
        return l->out.len;
    /* A record is far shorter than that. */
    end = l->raw ? NULL : memrchr(data, '\n', LOGWRITER_MAX);
    return end ? (size_t)(end - data) + 1 : LOGWRITER_MAX;
}

/* How much of `out`, in whole records, goes into this file now. */
static size_t fits(const struct logfile *l)
{
    const uint8_t *data = bytes_data(&l->out), *end;
    size_t room, piece = next_piece(l);

    if (!l->max || l->size + piece <= l->max)
        return piece;
    room = l->size < l->max ? (size_t)(l->max - l->size) : 0;
    if (l->raw && room)
        return room;
    end = room ? memrchr(data, '\n', room) : NULL;
    if (!end && l->size == 0) /* one that is longer than a file may be */
        end = memchr(data, '\n', piece);
    return end ? (size_t)(end - data) + 1 : 0;
}

/* 0 or an errno.  What a full disk does not take, in whole lines, waits. */
static int write_out(struct logfile *l, size_t len)
{
    size_t done;
    int rc = logwriter_put(&l->writer, l->fd, bytes_data(&l->out), len,
                           &done);

    l->size += done;
    bytes_drop(&l->out, done);
    return rc;
}

/* Said in the log as soon as it can be written again. */
static void tell_loss(struct logfile *l)
{
    char text[64];
    struct timespec ts;

    snprintf(text, sizeof(text), "log: %llu lines lost",
             (unsigned long long)l->lost);
    clock_gettime(CLOCK_REALTIME, &ts);
    l->lost = 0;
    log_event(l, text, (uint64_t)ts.tv_sec * 1000 +
              (uint64_t)ts.tv_nsec / 1000000);
}

int log_flush(struct logfile *l, uint64_t now)
{
    int rc = 0;
    size_t len;

    if (l->fd < 0)
        return 0;
    if (l->len && now >= l->touched_ms + LOG_IDLE_MS)
        end_line(l, 'l');
    while (l->out.len && rc == 0) {
        len = fits(l);
        rc = len ? write_out(l, len) : log_rotate(l);
        if (rc != 0 && len == 0) {
            /* better too long a file than lost lines */
            (void)write_out(l, next_piece(l));
            break;
        }
    }
    if (l->lost && rc == 0 && !l->raw) {
        tell_loss(l);
        rc = write_out(l, l->out.len);
    }
    return rc;
}

uint64_t log_deadline(const struct logfile *l)
{
    return l->fd >= 0 && l->len ? l->touched_ms + LOG_IDLE_MS : UINT64_MAX;
}

/* FILE -> FILE.1 -> FILE.2 ... up to `keep`. */
int log_rotate(struct logfile *l)
{
    char from[4096], to[4096];
    int rc, old = l->fd;

    if (l->fd < 0)
        return 0;
    for (unsigned int i = l->keep; i > 1; i--) {
        snprintf(from, sizeof(from), "%s.%u", l->path, i - 1);
        snprintf(to, sizeof(to), "%s.%u", l->path, i);
        (void)rename(from, to);
    }
    snprintf(to, sizeof(to), "%s.1", l->path);
    if (l->keep ? rename(l->path, to) < 0 : unlink(l->path) < 0)
        return errno;
    rc = open_file(l);
    if (rc == 0)
        close(old);
    return rc;
}

void log_close(struct logfile *l)
{
    if (l->fd < 0)
        return;
    if (l->len)
        end_line(l, 'l');
    while (l->out.len && write_out(l, next_piece(l)) == 0)
        ;
    logwriter_stop(&l->writer);
    close(l->fd);
    bytes_free(&l->out);
    free(l->path);
    l->fd = -1;
}
