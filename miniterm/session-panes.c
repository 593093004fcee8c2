/* SPDX-License-Identifier: GPL-2.0-only */
/* A session's panes: which there are, and programs that run in one. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session.h"
#include "util.h"

static struct pane *find(const struct session *s, enum pane_kind kind,
                         int domain)
{
    for (unsigned i = 0; i < s->nr_panes; i++) {
        struct pane *p = s->pane[i];

        if (p->kind == kind && (kind != PANE_DOMAIN || p->domain == domain))
            return p;
    }
    return NULL;
}

static struct pane *add(struct session *s, enum pane_kind kind, int domain)
{
    bool loud = kind == PANE_HV || kind == PANE_DOMAIN;
    struct pane *p;

    if (s->nr_panes == SESSION_MAX_PANES)
        return NULL;
    p = pane_new(s, kind, domain, s->set->scrollback,
                 loud ? &session_lines_ops : &session_quiet_ops);
    s->pane[s->nr_panes++] = p;
    s->panes_changed = true;
    return p;
}

/* Beyond the bound, further domains share the pane of domain 0. */
struct pane *session_pane(struct session *s, enum pane_kind kind, int domain)
{
    struct pane *p = find(s, kind, domain);

    if (p && kind != PANE_FROZEN && kind != PANE_PROC)
        return p;
    p = NULL;
    if (kind != PANE_DOMAIN || s->nr_panes < SESSION_MAX_PANES - 6)
        p = add(s, kind, domain);
    return p ? p : find(s, PANE_DOMAIN, 0);
}

/*
 * Whoever holds a pointer to it (the screen's focus) has to look again:
 * panes_changed says so.
 */
void session_drop_pane(struct session *s, struct pane *p)
{
    unsigned i = 0;

    while (i < s->nr_panes && s->pane[i] != p)
        i++;
    if (i == s->nr_panes)
        return;
    memmove(s->pane + i, s->pane + i + 1,
            (s->nr_panes - i - 1) * sizeof(s->pane[0]));
    s->nr_panes--;
    s->panes_changed = true;
    pane_free(p);
}

/*
 * Where typed characters would be echoed; domain 0's as long as nobody has
 * said who has the input.
 */
struct pane *session_input_pane(struct session *s)
{
    if (s->keys.owner == HVKEYS_HV)
        return session_pane(s, PANE_HV, 0);
    return session_pane(s, PANE_DOMAIN,
                        s->keys.owner < 0 ? 0 : s->keys.owner);
}

void session_mark_all(struct session *s, const char *text)
{
    for (unsigned i = 0; i < s->nr_panes; i++)
        if (s->pane[i]->kind == PANE_HV || s->pane[i]->kind == PANE_DOMAIN)
            lines_mark(s->pane[i]->lines, text, wall_us());
    logs_text(&s->logs, wall_us(), "", text, strlen(text));
    s->dirty = true;
}

/* Answers of a pane's terminal: to the program in it, or down the line. */
void session_reply(const char *data, size_t len, void *user)
{
    struct pane *p = user;

    if (p->kind == PANE_PROC)
        (void)!write(p->proc_fd, data, len);
    else if (p->emul)
        session_type(p->session, data, len);
}

/*
 * The program sees a terminal of 24 rows until the screen tells the pane's
 * size. Descriptors above 2 are closed in it.
 */
struct pane *session_run(struct session *s, const char *command)
{
    struct pane *p = session_pane(s, PANE_PROC, 0);
    struct winsize size = { .ws_row = 24, .ws_col = 80 };

    if (p->kind != PANE_PROC) {
        session_say(s, "too many panes; close one first");
        return NULL;
    }
    p->proc_pid = forkpty(&p->proc_fd, NULL, NULL, &size);
    if (p->proc_pid == 0) {
        for (int sig = 1; sig < NSIG; sig++)
            signal(sig, SIG_DFL);
        close_range(3, ~0U, 0);
        setenv("TERM", "xterm-256color", 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (p->proc_pid < 0) {
        p->proc_fd = -1;
        session_say(s, "cannot run '%s': %s", command, strerror(errno));
        session_drop_pane(s, p);
        return NULL;
    }
    fcntl(p->proc_fd, F_SETFL, O_NONBLOCK);
    fcntl(p->proc_fd, F_SETFD, FD_CLOEXEC);
    p->emul_by_hand = true;
    p->emul = emul_new(size.ws_row, size.ws_col, session_reply, p);
    return p;
}
