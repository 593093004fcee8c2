/* SPDX-License-Identifier: GPL-2.0-only */
/* The line: names, states, reading and writing over any carrier. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "line.h"
#include "util.h"

int line_fail(struct line *line, const char *what, int err)
{
    snprintf(line->error, sizeof(line->error), "%s: %s%s%s", line->name, what,
             err ? ": " : "", err ? strerror(err) : "");
    return -1;
}

/* "host:port", "[v6]:port"; a bare v6 address without brackets is refused. */
static int split_host(struct line *line)
{
    const char *name = line->name, *colon = strrchr(name, ':');
    size_t len = (size_t)(colon - name);

    if (name[0] == '[') {
        const char *end = strchr(name, ']');

        if (!end || end + 1 != colon)
            return line_fail(line, "write it [address]:port", 0);
        name++;
        len = (size_t)(end - name);
    } else if (memchr(name, ':', len)) {
        return line_fail(line, "put a v6 address in brackets, [addr]:port",
                         0);
    }
    if (!colon[1])
        return line_fail(line, "the port is missing after the colon", 0);
    line->host = xasprintf("%.*s", (int)len, len ? name : "localhost");
    if (!len) {
        free(line->host);
        line->host = xstrdup("localhost");
    }
    line->path = xstrdup(colon + 1);
    return 0;
}

/*
 * The form decides: a path by its first character, a keyword by its prefix;
 * what is left and has a colon is host and port.
 */
int line_init(struct line *line, const struct settings *set)
{
    const char *name = set->target;

    memset(line, 0, sizeof(*line));
    line->fd = line->slave_fd = -1;
    line->set = set;
    line->name = xstrdup(name);
    if (!strncmp(name, "unix:", 5) || !strncmp(name, "unix#", 5)) {
        line->kind = LINE_UNIX;
        line->path = xstrdup(name + 5);
    } else if (!strcmp(name, "pty") || !strncmp(name, "pty:", 4)) {
        line->kind = LINE_PTY;
        line->path = name[3] ? xstrdup(name + 4) : NULL;
    } else if (name[0] == '/' || name[0] == '.' || !strchr(name, ':')) {
        line->kind = LINE_TTY;
        line->path = xstrdup(name);
    } else {
        line->kind = LINE_TCP;
        if (!strncmp(name, "tcp:", 4) && strchr(name + 4, ':')) {
            free(line->name);
            line->name = xstrdup(name + 4);
        }
        return split_host(line);
    }
    return 0;
}

void line_free(struct line *line)
{
    line_close(line);
    free(line->name);
    free(line->host);
    free(line->path);
}

/* What is to be done once bytes can flow. */
static void line_up(struct line *line)
{
    line->state = LINE_UP;
    if (line->kind == LINE_TCP && line->set->telnet)
        line->telnet = telnet_start(line);
    memset(&line->base, 0, sizeof(line->base));
    if (line->kind == LINE_TTY)
        tty_counts(line->fd, &line->base);
}

/*
 * May be called again after line_close(): nothing of the former connection is
 * left, telnet's state included.
 */
int line_open(struct line *line)
{
    int rc;

    line->error[0] = '\0';
    switch (line->kind) {
    case LINE_TTY: rc = tty_open(line); break;
    case LINE_PTY: rc = pty_open(line); break;
    default: rc = net_connect(line); break;
    }
    if (!rc && line->state != LINE_CONNECTING)
        line_up(line);
    return rc;
}

/* The link to our pty, unless somebody has put another one there. */
static void remove_link(struct line *line)
{
    char to[sizeof(line->where)];
    ssize_t n = readlink(line->path, to, sizeof(to));

    if (n > 0 && (size_t)n == strlen(line->where) &&
        !memcmp(to, line->where, (size_t)n))
        unlink(line->path);
}

/* Harmless when repeated. Unread and unsent bytes are gone. */
void line_close(struct line *line)
{
    if (line->telnet)
        telnet_stop(line->telnet);
    line->telnet = NULL;
    if (line->fd >= 0) {
        if (line->kind == LINE_TTY)
            tty_restore(line);
        close(line->fd);
    }
    if (line->slave_fd >= 0)
        close(line->slave_fd);
    if (line->kind == LINE_PTY && line->path)
        remove_link(line);
    line->fd = line->slave_fd = -1;
    line->state = LINE_DOWN;
}

/*
 * The outcome of a connect that did not finish at once (connect(2),
 * EINPROGRESS).
 */
int line_connected(struct line *line)
{
    socklen_t size = sizeof(int);
    int err = 0;

    if (line->state != LINE_CONNECTING)
        return 0;
    getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &err, &size);
    if (err) {
        line_fail(line, "cannot connect", err);
        line_close(line);
        return -1;
    }
    line_up(line);
    return 0;
}

/*
 * The message for a read or write that found the other side gone; err 0 is an
 * orderly end. Always -1.
 */
static ssize_t gone(struct line *line, int err)
{
    return line_fail(line, err ? "lost" : "closed by the other side", err);
}

/* Ordinary ends and errors look the same to callers: -1 and a message. */
ssize_t line_read(struct line *line, void *buf, size_t size)
{
    ssize_t n;

    if (line->telnet) {
        n = telnet_read(line->telnet, buf, size);
    } else {
        n = read(line->fd, buf, size);
        if (n == 0)
            return gone(line, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0)
            return gone(line, errno);
    }
    if (n > 0)
        line->rx += (uint64_t)n;
    return n;
}

/*
 * A line that is not up takes nothing, so callers keep their bytes until it
 * is.
 */
ssize_t line_write(struct line *line, const void *buf, size_t len)
{
    ssize_t n;

    if (line->state != LINE_UP)
        return 0;
    if (line->telnet) {
        n = telnet_write(line->telnet, buf, len);
    } else {
        n = write(line->fd, buf, len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0)
            return gone(line, errno);
    }
    if (n > 0)
        line->tx += (uint64_t)n;
    return n;
}

bool line_wants_out(const struct line *line)
{
    return line->state == LINE_CONNECTING ||
           (line->telnet && telnet_pending(line->telnet));
}

int line_flush(struct line *line)
{
    return line->telnet ? telnet_flush(line->telnet) : 0;
}

/* Ptys accept the ioctl and do nothing: there is no wire to hold. */
int line_break(struct line *line)
{
    if (line->state != LINE_UP)
        return line_fail(line, "not connected", 0);
    if (line->telnet)
        return telnet_break(line->telnet);
    if (line->kind == LINE_TTY || line->kind == LINE_PTY) {
        if (ioctl(line->fd, TCSBRKP, 0) < 0)
            return line_fail(line, "BREAK", errno);
        return 0;
    }
    return line_fail(line, "a raw socket carries no BREAK; use --telnet", 0);
}

bool line_get_errors(struct line *line, struct line_errors *out)
{
    if (line->kind != LINE_TTY || line->fd < 0 ||
        !tty_counts(line->fd, out))
        return false;
    out->frame -= line->base.frame;
    out->overrun -= line->base.overrun;
    out->parity -= line->base.parity;
    out->brk -= line->base.brk;
    return true;
}
