/* SPDX-License-Identifier: GPL-2.0-only */
/* The person's terminal.  The state is global: signal handlers need it. */
#include "terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios before, raw;
static volatile sig_atomic_t is_raw;

bool terminal_is_raw(void)
{
    return is_raw;
}

/* tcsetattr() may be called from a signal handler (signal-safety(7)). */
void terminal_restore(void)
{
    if (!is_raw)
        return;
    is_raw = 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

/* Put it back, then die of the same signal. */
static void on_fatal(int sig)
{
    terminal_restore();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Somebody else's SIGTSTP: the shell is to find its terminal. */
static void on_stop(int sig)
{
    bool was = is_raw;

    terminal_restore();
    raise(SIGSTOP);
    (void)sig;
    if (was && tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0)
        is_raw = 1;
}

void terminal_raw(void)
{
    static const int fatal[] = { SIGTERM, SIGHUP,  SIGINT, SIGQUIT, SIGSEGV,
                                 SIGBUS,  SIGABRT, SIGFPE, SIGILL };

    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return;
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        signal(fatal[i], on_fatal);
    signal(SIGTSTP, on_stop);
    atexit(terminal_restore);
    raw = before;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0)
        is_raw = 1;
}
