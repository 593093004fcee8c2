/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that has the line for a while: its standard input and output are
 * the line, as sz, rz, sx, rx or kermit want it.  What it says on stderr is
 * shown.  Meanwhile nothing else reads the line or types.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "util.h"

/* In the child: only the line and the pipe for messages stay open. */
static _Noreturn void run_child(int line_fd, int err_fd, const char *command)
{
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    setsid();
    dup2(line_fd, 0);
    dup2(line_fd, 1);
    dup2(err_fd, 2);
    close_range(3, ~0U, 0);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static int start(struct session *s, const char *command)
{
    struct session_exec *x = &s->exec;
    int line[2], err[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) < 0)
        return -1;
    if (pipe2(err, O_CLOEXEC) < 0 || queue_init(&x->to, 262144)) {
        close(line[0]);
        close(line[1]);
        return -1;
    }
    x->pid = fork();
    if (x->pid == 0)
        run_child(line[1], err[1], command);
    close(err[1]);
    x->fd = line[0];
    x->far_fd = line[1];
    x->err_fd = err[0];
    x->pid_fd = x->pid < 0 ? -1 : pidfd_open(x->pid, 0);
    fcntl(x->fd, F_SETFL, O_NONBLOCK);
    fcntl(x->err_fd, F_SETFL, O_NONBLOCK);
    return x->pid < 0 ? -1 : 0;
}

int session_exec(struct session *s, const char *command)
{
    if (!s->set->eight_bit) {
        session_say(s, "a program on the line needs all 8 bits of it: "
                    "use --8bit");
        return -1;
    }
    if (s->exec.pid || s->line.state != LINE_UP) {
        session_say(s, s->exec.pid ? "a program has the line already" :
                    "the line is down");
        return -1;
    }
    if (start(s, command) < 0) {
        session_say(s, "cannot run '%s': %s", command, strerror(errno));
        s->exec.pid = 0;
        return -1;
    }
    session_say(s, "running '%s' on the line", command);
    return 0;
}

/* The last line of what it says: such programs overwrite it as they go on. */
static void read_messages(struct session *s)
{
    char buf[512], *text;
    ssize_t n = read(s->exec.err_fd, buf, sizeof(buf) - 1);
    const char *last = "";

    if (n == 0) {
        /* It has closed its stderr; an end of file is always readable. */
        close(s->exec.err_fd);
        s->exec.err_fd = -1;
    }
    if (n <= 0)
        return;
    buf[n] = '\0';
    for (char *next = buf; (text = strsep(&next, "\r\n"));)
        if (*text)
            last = text;
    for (char *p = (char *)last; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    if (*last)
        session_say(s, "%s", last);
}

/*
 * Its status: of its own accord, after a SIGHUP, or after a SIGKILL, with half
 * a second for each of the first two.
 */
static int reap(pid_t pid, bool hang_up)
{
    static const int signals[] = { 0, SIGHUP, SIGKILL };
    int status = 0;

    for (size_t i = hang_up; i < ARRAY_SIZE(signals); i++) {
        if (signals[i])
            kill(-pid, signals[i]);
        for (int n = 0; n < 50; n++) {
            if (waitpid(pid, &status, WNOHANG) != 0)
                return status;
            usleep(10000);
        }
    }
    return status;
}

/* From the program to the line: as they are, no maps and no escapes. */
static bool from_program(struct session *s)
{
    uint8_t buf[8192];
    size_t room = queue_room(&s->out.q);
    ssize_t n = read(s->exec.fd, buf, room < sizeof(buf) ? room :
                     sizeof(buf));

    if (n > 0)
        outq_put(&s->out, buf, (size_t)n);
    return n > 0;
}

/* What it did not read came for whoever looks at the console. */
static void show_unread(struct session *s)
{
    struct session_exec *x = &s->exec;
    uint8_t buf[4096];
    ssize_t n;

    while ((n = recv(x->far_fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
        session_low(s, buf, (size_t)n);
    while (x->to.len) {
        size_t len;
        const uint8_t *run = queue_peek(&x->to, &len);

        session_low(s, run, len);
        queue_drop(&x->to, len);
    }
}

static void end(struct session *s, bool hang_up)
{
    struct session_exec *x = &s->exec;
    int status;

    if (!x->pid)
        return;
    status = reap(x->pid, hang_up);
    x->pid = 0;
    read_messages(s);
    while (from_program(s))
        continue;
    show_unread(s);
    close(x->fd);
    close(x->far_fd);
    if (x->err_fd >= 0)
        close(x->err_fd);
    close(x->pid_fd);
    queue_free(&x->to);
    x->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    session_say(s, "the program on the line ended with status %d",
                x->status);
}

/*
 * The line is gone: the program gets what had arrived and the end of file,
 * for it may be about to finish.
 */
void session_exec_hang_up(struct session *s)
{
    struct session_exec *x = &s->exec;
    struct pollfd pfd = { .fd = x->fd, .events = POLLOUT };

    if (!x->pid)
        return;
    while (x->to.len && poll(&pfd, 1, 500) > 0) {
        size_t len;
        const uint8_t *run = queue_peek(&x->to, &len);
        ssize_t n = send(x->fd, run, len, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        queue_drop(&x->to, (size_t)n);
    }
    shutdown(x->fd, SHUT_WR);
    end(s, false);
}

void session_exec_end(struct session *s)
{
    end(s, true);
}

size_t session_exec_prepare(struct session *s, struct pollfd *fds)
{
    struct session_exec *x = &s->exec;

    if (!x->pid)
        return 0;
    fds[0].fd = x->fd;
    fds[0].events = x->to.len ? POLLOUT : 0;
    if (queue_room(&s->out.q) > 8192)
        fds[0].events |= POLLIN;
    fds[1].fd = x->err_fd;
    fds[1].events = POLLIN;
    fds[2].fd = x->pid_fd;
    fds[2].events = POLLIN;
    return SESSION_EXEC_FDS;
}

void session_exec_handle(struct session *s, const struct pollfd *fds)
{
    struct session_exec *x = &s->exec;
    size_t len;
    const uint8_t *run;
    ssize_t n;

    if (fds[1].revents)
        read_messages(s);
    if ((fds[0].revents & POLLOUT) && x->to.len) {
        run = queue_peek(&x->to, &len);
        n = send(x->fd, run, len, MSG_NOSIGNAL);
        if (n > 0)
            queue_drop(&x->to, (size_t)n);
    }
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
        from_program(s);
    /* Its last words first: they may fill the queue more than once. */
    else if (fds[2].revents && queue_room(&s->out.q) > 8192)
        end(s, false);
}
