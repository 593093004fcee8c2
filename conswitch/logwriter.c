/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that writes a program's log lines; see logwriter.h.
 *
 * A SOCK_SEQPACKET message is queued whole or not at all (unix(7)), also when
 * its sender is killed within sendmsg().
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "logwriter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_MS 200
#define STEP_MS 10

/* Room for one descriptor beside a message. */
union passed {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
};

/* What became of a piece. */
struct answer {
    int rc;
    size_t done; /* bytes that are in the file */
};

static bool is_regular(int fd, struct stat *st)
{
    return fstat(fd, st) == 0 && S_ISREG(st->st_mode);
}

/* A disk that fills up keeps the whole lines; half a line is taken back. */
static struct answer write_lines(int fd, const void *data, size_t len)
{
    struct answer a = { .rc = 0, .done = 0 };
    struct stat st;
    const char *end;
    size_t half;
    ssize_t nr;

    do {
        nr = write(fd, data, len);
    } while (nr < 0 && errno == EINTR);
    if (nr < 0) {
        a.rc = errno;
        return a;
    }
    a.done = (size_t)nr;
    if (a.done == len)
        return a;
    a.rc = ENOSPC;
    end = memrchr(data, '\n', a.done);
    half = a.done - (end ? (size_t)(end - (const char *)data) + 1 : 0);
    /* In a pipe there is nothing to take back. */
    if (half && is_regular(fd, &st) &&
        ftruncate(fd, st.st_size - (off_t)half) == 0)
        a.done -= half;
    return a;
}

/* -1: the program has gone.  *file is to be closed. */
static ssize_t receive(int fd, void *data, int *file)
{
    union passed p;
    struct iovec iov = { .iov_base = data, .iov_len = LOGWRITER_MAX };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = &p, .msg_controllen = sizeof(p)
    };
    struct cmsghdr *c;
    ssize_t nr;

    do {
        nr = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    } while (nr < 0 && errno == EINTR);
    c = nr > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(file, CMSG_DATA(c), sizeof(*file));
    return nr;
}

/* What ends a session is for the program, which closes the socket. */
static void ignore_signals(void)
{
    static const int signals[] = {
        SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2,
        SIGALRM, SIGXFSZ, SIGTSTP, SIGTTIN, SIGTTOU
    };

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_IGN);
}

/* Nothing of the program's may stay open here: terminals, lines, ports. */
static void keep_only(int fd)
{
    int null = open("/dev/null", O_RDWR);

    for (int i = 0; i < 3; i++)
        (void)dup2(null, i);
    (void)dup2(fd, 3);
    (void)close_range(4, ~0u, 0);
    (void)!chdir("/");
}

static _Noreturn void serve(int fd)
{
    static char data[LOGWRITER_MAX];
    ssize_t nr;
    int file;

    (void)setsid();
    ignore_signals();
    keep_only(fd);
    (void)prctl(PR_SET_NAME, "logwriter");
    while ((nr = receive(3, data, &file)) > 0) {
        struct answer a = write_lines(file, data, (size_t)nr);

        (void)close(file);
        (void)send(3, &a, sizeof(a), MSG_NOSIGNAL);
    }
    _exit(0);
}

void logwriter_start(struct logwriter *w)
{
    int sv[2];
    pid_t child;

    w->fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
        return;
    /* twice, so that the program has no child that it does not know */
    child = fork();
    if (child == 0) {
        pid_t writer = fork();

        if (writer == 0)
            serve(sv[1]);
        _exit(writer < 0);
    }
    (void)close(sv[1]);
    if (child > 0) {
        int status = 0;
        pid_t done;

        do {
            done = waitpid(child, &status, 0);
        } while (done < 0 && errno == EINTR);
        if (done == child && status == 0) {
            w->fd = sv[0];
            return;
        }
    }
    (void)close(sv[0]);
}

/* False when the process is not there any more. */
static bool ask(int fd, int file, const void *data, size_t len,
                struct answer *a)
{
    union passed p = { .room = { 0 } };
    struct iovec iov = { .iov_base = (void *)(size_t)data, .iov_len = len };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = &p, .msg_controllen = sizeof(p)
    };
    ssize_t nr;

    p.head.cmsg_level = SOL_SOCKET;
    p.head.cmsg_type = SCM_RIGHTS;
    p.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&p.head), &file, sizeof(file));
    do {
        nr = sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (nr < 0 && errno == EINTR);
    if (nr != (ssize_t)len)
        return false;
    do {
        nr = recv(fd, a, sizeof(*a), 0);
    } while (nr < 0 && errno == EINTR);
    return nr == (ssize_t)sizeof(*a);
}

static struct answer put_piece(struct logwriter *w, int fd, const void *data,
                               size_t len)
{
    struct stat before;
    struct answer a;
    bool regular;

    if (w->fd < 0 || len == 0 || len > LOGWRITER_MAX)
        return write_lines(fd, data, len);
    regular = is_regular(fd, &before);
    if (ask(w->fd, fd, data, len, &a))
        return a;
    /* killed, perhaps with the piece half written */
    if (regular && ftruncate(fd, before.st_size) < 0)
        return (struct answer){ .rc = errno, .done = 0 };
    (void)close(w->fd);
    logwriter_start(w);
    return write_lines(fd, data, len);
}

int logwriter_put(struct logwriter *w, int fd, const void *data, size_t len,
                  size_t *done)
{
    struct answer a = put_piece(w, fd, data, len);

    *done = a.done;
    return a.rc;
}

bool logwriter_is_cut(int fd)
{
    const struct timespec pause = { .tv_nsec = STEP_MS * 1000000 };
    struct stat st;

    for (int ms = 0; ; ms += STEP_MS) {
        char last = '\n';

        if (!is_regular(fd, &st) ||
            (st.st_size && pread(fd, &last, 1, st.st_size - 1) != 1) ||
            last == '\n')
            return false;
        if (ms >= SETTLE_MS)
            return true;
        (void)nanosleep(&pause, NULL);
    }
}

void logwriter_stop(struct logwriter *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
}
