/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user's terminal, restored on every way out.  The state is global to
 * this file because signal handlers have nothing else to reach it by.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "userterm.h"
#include "util.h"

/* Shared with the guardian through its pipe: what is to be undone. */
struct guard_note {
    bool raw, fullscreen;
    struct termios raw_mode;
};

static struct {
    int fd;
    volatile sig_atomic_t armed;
    struct termios saved;
    struct guard_note note;
    char reset[128];
    int guard_fd;
} term = { .fd = -1, .guard_fd = -1 };

static const int fatal_signals[] = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGBUS, SIGFPE, SIGILL,
    SIGABRT, SIGSYS, SIGALRM, SIGXCPU, SIGXFSZ,
};

static void tell_guardian(void)
{
    if (term.guard_fd >= 0)
        (void)!write(term.guard_fd, &term.note, sizeof(term.note));
}

/* Async-signal-safe: write() and tcsetattr() only. */
static void undo(const struct guard_note *note)
{
    if (note->fullscreen)
        (void)!write(term.fd, term.reset, strlen(term.reset));
    if (note->raw)
        tcsetattr(term.fd, TCSANOW, &term.saved);
}

void userterm_restore(void)
{
    if (!term.armed)
        return;
    undo(&term.note);
    term.note.raw = term.note.fullscreen = false;
    tell_guardian();
}

/*
 * Restores, then dies by the same signal, so that the parent sees the true
 * cause and a core is written where one is due.
 */
static void on_fatal(int sig)
{
    userterm_restore();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Stopped and continued: the shell has set its own modes meanwhile. */
static void on_continue(int sig)
{
    int saved_errno = errno;

    (void)sig;
    if (term.note.raw)
        tcsetattr(term.fd, TCSANOW, &term.note.raw_mode);
    errno = saved_errno;
}

/* Somebody else's SIGTSTP: the shell is to find its terminal. */
static void on_stop(int sig)
{
    int saved_errno = errno;

    (void)sig;
    undo(&term.note);
    raise(SIGSTOP);
    errno = saved_errno;
}

/*
 * Only what we set ourselves is undone: whoever changed the modes since
 * (a shell's line editor) knows better.
 */
static bool still_ours(const struct termios *ours)
{
    struct termios cur;

    return !tcgetattr(term.fd, &cur) && cur.c_lflag == ours->c_lflag &&
           cur.c_iflag == ours->c_iflag && cur.c_oflag == ours->c_oflag;
}

/*
 * Its own session, so that a kill of the process group spares it. Holds
 * nothing but the terminal and the pipe; ignores what would end it early.
 */
static _Noreturn void guardian(int pipe_fd)
{
    struct guard_note note = { .raw = false }, next;
    int keep = pipe_fd > term.fd ? pipe_fd : term.fd;
    int least = pipe_fd > term.fd ? term.fd : pipe_fd;

    setsid();
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
        signal(fatal_signals[i], SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    close_range((unsigned)keep + 1, ~0U, 0);
    for (int fd = 0; fd < keep; fd++)
        if (fd != least)
            close(fd);
    for (;;) {
        ssize_t n = read(pipe_fd, &next, sizeof(next));

        if (n == (ssize_t)sizeof(next))
            note = next;
        else if (!(n < 0 && errno == EINTR))
            break;
    }
    if (note.raw && still_ours(&note.raw_mode))
        undo(&note);
    _exit(0);
}

static void start_guardian(void)
{
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return;
    pid = fork();
    if (pid == 0) {
        close(fds[1]);
        guardian(fds[0]);
    }
    close(fds[0]);
    term.guard_fd = fds[1];
    if (pid < 0) {
        close(fds[1]);
        term.guard_fd = -1;
    }
}

/* The guardian is forked before the handlers are set: it must not run them. */
int userterm_arm(int fd, const char *reset)
{
    struct sigaction sa = { .sa_handler = on_fatal };

    if (tcgetattr(fd, &term.saved) < 0)
        return -1;
    term.fd = fd;
    if (reset)
        strncat(term.reset, reset, sizeof(term.reset) - 1);
    start_guardian();
    sigfillset(&sa.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
        sigaction(fatal_signals[i], &sa, NULL);
    sa.sa_handler = on_continue;
    sigaction(SIGCONT, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    term.armed = 1;
    atexit(userterm_restore);
    return 0;
}

/* What the driver really took is what still_ours() compares with. */
static void note_modes(bool fullscreen)
{
    tcgetattr(term.fd, &term.note.raw_mode);
    term.note.raw = true;
    term.note.fullscreen = fullscreen;
    tell_guardian();
}

int userterm_raw(void)
{
    struct termios raw = term.saved;

    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    /* Noted before it is done: the end may come in between. */
    term.note = (struct guard_note){ .raw = true, .raw_mode = raw };
    tell_guardian();
    if (tcsetattr(term.fd, TCSANOW, &raw) < 0) {
        term.note.raw = false;
        tell_guardian();
        return -1;
    }
    note_modes(false);
    /* A display library catches it by itself. */
    signal(SIGTSTP, on_stop);
    return 0;
}

int userterm_output(void)
{
    int fd = -1;

    if (isatty(STDOUT_FILENO))
        fd = open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK |
                  O_CLOEXEC);
    return fd < 0 ? STDOUT_FILENO : fd;
}

void userterm_adopt_fullscreen(void)
{
    if (term.armed)
        note_modes(true);
}
