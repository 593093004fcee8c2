/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines that are sockets: TCP by name or address, and Unix sockets. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "line.h"

/*
 * 0 when connected or on the way, else an errno; the descriptor is only kept
 * in the first two cases.
 */
static int start_connect(struct line *line, int family,
                         const struct sockaddr *addr, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, rc;

    if (fd < 0)
        return errno;
    if (family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    rc = connect(fd, addr, len) < 0 ? errno : 0;
    if (rc && rc != EINPROGRESS) {
        close(fd);
        return rc;
    }
    line->fd = fd;
    line->state = rc ? LINE_CONNECTING : LINE_UP;
    return 0;
}

/* sun_path has 108 bytes; a longer path would silently become another one. */
static int connect_unix(struct line *line)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int err;

    if (strlen(line->path) >= sizeof(sun.sun_path))
        return line_fail(line, "path too long for a socket", 0);
    strcpy(sun.sun_path, line->path);
    err = start_connect(line, AF_UNIX, (struct sockaddr *)&sun, sizeof(sun));
    return err ? line_fail(line, "cannot connect", err) : 0;
}

/*
 * A refusal by one address of a name shows only later when the connect does
 * not finish at once.  On this host it does, so localhost tries both families.
 */
static int connect_tcp(struct line *line)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
    int err = getaddrinfo(line->host, line->path, &hints, &list);

    if (err)
        return line_fail(line, gai_strerror(err), 0);
    err = ECONNREFUSED;
    for (a = list; a; a = a->ai_next) {
        err = start_connect(line, a->ai_family, a->ai_addr, a->ai_addrlen);
        if (!err)
            break;
    }
    freeaddrinfo(list);
    return err ? line_fail(line, "cannot connect", err) : 0;
}

/*
 * Name lookup blocks: for the names that one gives a terminal (hosts nearby,
 * localhost) that is bearable.
 */
int net_connect(struct line *line)
{
    snprintf(line->where, sizeof(line->where), "%.100s", line->name);
    return line->kind == LINE_UNIX ? connect_unix(line) : connect_tcp(line);
}
