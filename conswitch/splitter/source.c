/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening the line, whatever it is. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

/* ------------------------------------------------------------ the syntax */

static int fail(char *err, size_t size, const char *what, const char *why)
{
    snprintf(err, size, "%s: %s", what, why);
    return -1;
}

static bool copy(char *to, size_t size, const char *from, size_t len)
{
    if (len == 0 || len >= size)
        return false;
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

/* DPS: data bits 5-8, parity n e o m s, stop bits 1-2. */
static bool parse_format(struct source_spec *spec, const char *s)
{
    if (strlen(s) != 3 || s[0] < '5' || s[0] > '8' || !strchr("neoms", s[1]) ||
        (s[2] != '1' && s[2] != '2'))
        return false;
    spec->data_bits = (unsigned int)(s[0] - '0');
    spec->parity = s[1];
    spec->stop_bits = (unsigned int)(s[2] - '0');
    return true;
}

static int parse_tty(struct source_spec *spec, const char *text, char *err,
                     size_t size)
{
    size_t len = strcspn(text, ",");
    const char *rest = text + len;
    unsigned long baud;
    char *end;

    spec->kind = SOURCE_TTY;
    if (!copy(spec->path, sizeof(spec->path), text, len))
        return fail(err, size, text, "device name is too long");
    if (*rest == '\0')
        return 0;
    baud = strtoul(++rest, &end, 10);
    if (end == rest || baud < 50 || baud > 4000000)
        return fail(err, size, text, "speed must be 50 to 4000000");
    spec->baud = (unsigned int)baud;
    if (*end == ',' && parse_format(spec, end + 1))
        return 0;
    if (*end == '\0')
        return 0;
    return fail(err, size, text,
                "after the speed comes ,DPS such as ,8n1 (5-8, neoms, 1-2)");
}

static int parse_tcp(struct source_spec *spec, const char *text, char *err,
                     size_t size)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t len;

    spec->kind = SOURCE_TCP;
    if (!colon)
        return fail(err, size, text,
                    "not a device; want /dev/..., host:port, unix:PATH or pty");
    len = (size_t)(colon - text);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (memchr(host, ':', len)) {
        return fail(err, size, text, "write an IPv6 address as [addr]:port");
    }
    if (!copy(spec->host, sizeof(spec->host), host, len) ||
        !copy(spec->service, sizeof(spec->service), colon + 1,
              strlen(colon + 1)))
        return fail(err, size, text, "want host:port");
    return 0;
}

static int parse_path(struct source_spec *spec, enum source_kind kind,
                      const char *path, char *err, size_t size)
{
    struct sockaddr_un un;

    spec->kind = kind;
    if (!copy(spec->path, sizeof(un.sun_path), path, strlen(path)))
        return fail(err, size, path, "path is empty or too long");
    return 0;
}

int source_parse(struct source_spec *spec, const char *text, char *err,
                 size_t size)
{
    memset(spec, 0, sizeof(*spec));
    spec->data_bits = 8;
    spec->stop_bits = 1;
    spec->parity = 'n';
    if (text[0] == '/' || text[0] == '.')
        return parse_tty(spec, text, err, size);
    if (strncmp(text, "unix:", 5) == 0)
        return parse_path(spec, SOURCE_UNIX, text + 5, err, size);
    if (strncmp(text, "pty:", 4) == 0)
        return parse_path(spec, SOURCE_PTY, text + 4, err, size);
    if (strcmp(text, "pty") == 0) {
        spec->kind = SOURCE_PTY;
        return 0;
    }
    if (strncmp(text, "telnet:", 7) == 0) {
        spec->telnet = true;
        text += 7;
    }
    return parse_tcp(spec, text, err, size);
}

/* --------------------------------------------------------------- opening */

static int fail_errno(char *err, size_t size, const char *what)
{
    return fail(err, size, what, strerror(errno));
}

/* A UART has an output queue worth watching and a BREAK; a pty has not. */
static bool is_uart(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    /* Documentation/admin-guide/devices.txt: 136-143 Unix98 pty slaves */
    return S_ISCHR(st.st_mode) &&
           (major(st.st_rdev) < 136 || major(st.st_rdev) > 143);
}

static int open_tty(struct source *src, const struct source_spec *spec,
                    char *err, size_t size)
{
    int fd = open(spec->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(err, size, spec->path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return fail(err, size, spec->path, "in use by another program");
    }
    if (tty_setup(fd, spec) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return fail_errno(err, size, spec->path);
    }
    src->fd = fd;
    src->is_uart = is_uart(fd);
    return 0;
}

static int open_unix(struct source *src, const struct source_spec *spec,
                     char *err, size_t size)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return fail_errno(err, size, "socket");
    strcpy(un.sun_path, spec->path);
    if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return fail_errno(err, size, spec->path);
    }
    src->fd = fd;
    return 0;
}

/* Starts to connect to one address; a refusal may come at once or later. */
static bool connect_one(struct source *src, const struct addrinfo *ai)
{
    const int one = 1;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    0);

    if (fd < 0)
        return false;
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS) {
        int saved = errno;

        close(fd);
        errno = saved;
        return false;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    src->fd = fd;
    src->connecting = true;
    return true;
}

/*
 * Each attempt takes the next address, so that a host with several is reached
 * by the one that answers.
 */
static int open_tcp(struct source *src, const struct source_spec *spec,
                    char *err, size_t size)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
    unsigned int nr = 0, pick;
    int rc = getaddrinfo(spec->host, spec->service, &hints, &list);

    if (rc != 0)
        return fail(err, size, spec->host, gai_strerror(rc));
    for (ai = list; ai; ai = ai->ai_next)
        nr++;
    pick = src->attempt++ % nr;
    for (ai = list; pick--; ai = ai->ai_next)
        ;
    rc = connect_one(src, ai) ? 0 : fail_errno(err, size, spec->host);
    freeaddrinfo(list);
    return rc;
}

/* The link appears under its name at once and whole, replacing an old one. */
static int make_link(const char *target, const char *path)
{
    char temp[300];
    struct stat st;

    if (lstat(path, &st) == 0 && !S_ISLNK(st.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    snprintf(temp, sizeof(temp), "%s.%d", path, (int)getpid());
    (void)unlink(temp);
    if (symlink(target, temp) < 0)
        return -1;
    return rename(temp, path);
}

static int open_pty(struct source *src, const struct source_spec *spec,
                    char *err, size_t size)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(err, size, "pty");
    if (grantpt(fd) < 0 || unlockpt(fd) < 0 ||
        ptsname_r(fd, src->pty_name, sizeof(src->pty_name)) != 0 ||
        (src->slave = open(src->pty_name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
        tty_setup(src->slave, spec) < 0 ||
        (spec->path[0] && make_link(src->pty_name, spec->path) < 0)) {
        fail_errno(err, size, spec->path[0] ? spec->path : "pty");
        close(fd);
        return -1;
    }
    src->fd = fd;
    return 0;
}

int source_open(struct source *src, const struct source_spec *spec, char *err,
                size_t size)
{
    src->fd = src->slave = -1;
    src->connecting = src->is_uart = false;
    switch (spec->kind) {
    case SOURCE_TTY: return open_tty(src, spec, err, size);
    case SOURCE_TCP: return open_tcp(src, spec, err, size);
    case SOURCE_UNIX: return open_unix(src, spec, err, size);
    default: return open_pty(src, spec, err, size);
    }
}

int source_connected(struct source *src, char *err, size_t size)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(src->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error != 0)
        return fail(err, size, "connect", strerror(error));
    src->connecting = false;
    return 0;
}

void source_close(struct source *src, const struct source_spec *spec)
{
    char target[64];
    ssize_t nr;

    if (spec->kind == SOURCE_PTY && spec->path[0] && src->fd >= 0) {
        nr = readlink(spec->path, target, sizeof(target));
        if (nr > 0 && (size_t)nr == strlen(src->pty_name) &&
            memcmp(target, src->pty_name, (size_t)nr) == 0)
            (void)unlink(spec->path);
    }
    if (src->fd >= 0)
        close(src->fd);
    if (src->slave >= 0)
        close(src->slave);
    src->fd = src->slave = -1;
    src->connecting = false;
}

size_t source_queued(const struct source *src)
{
    int nr = 0;

    if (!src->is_uart || ioctl(src->fd, TIOCOUTQ, &nr) < 0 || nr < 0)
        return 0;
    return (size_t)nr;
}

bool source_break(const struct source *src, bool on)
{
    return src->is_uart && ioctl(src->fd, on ? TIOCSBRK : TIOCCBRK) == 0;
}
