/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What leaves full screen, asked from terminfo beforehand for the ways out
 * that cannot call curses.  In a file apart because <term.h> defines common
 * words as macros.
 */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <term.h>
#include <unistd.h>

#include "userterm.h"

int screen_arm_terminal(void);

/* "" for what this terminal lacks. */
static const char *capability(const char *name)
{
    const char *text = tigetstr((NCURSES_CONST char *)name);

    return text && text != (char *)-1 ? text : "";
}

int screen_arm_terminal(void)
{
    char reset[128];
    int err;

    if (setupterm(NULL, STDOUT_FILENO, &err) != OK) {
        fprintf(stderr, "miniterm: -i cannot use a terminal of type '%s'; "
                "try without -i, or set TERM\n",
                getenv("TERM") ? getenv("TERM") : "");
        return -1;
    }
    snprintf(reset, sizeof(reset), "\033[?1000l\033[?1002l\033[?1006l%s%s%s",
             capability("sgr0"), capability("cnorm"), capability("rmcup"));
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
        userterm_arm(STDIN_FILENO, reset) < 0) {
        fputs("miniterm: -i needs a terminal; in a pipe leave it out, or use "
              "--expect\n", stderr);
        return -1;
    }
    return 0;
}
