/* SPDX-License-Identifier: GPL-2.0-only */
/* The full-screen display: setting up, the loop, leaving. */
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay.h"
#include "screen.h"
#include "userterm.h"
#include "util.h"

#define FRAME_US 20000 /* at most 50 pictures a second */

void screen_say(struct screen *sc, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sc->message, sizeof(sc->message), fmt, ap);
    va_end(ap);
    sc->message_at = now_us();
    sc->redraw = true;
}

static void on_say(void *user, const char *text)
{
    screen_say(user, "%s", text);
}

static void on_bell(void *user)
{
    (void)user;
    beep();
}

/* gdb with the settings for a slow line, when nothing else is asked for. */
static char *default_gdb(int port, const char *elf)
{
    char *out = xasprintf(*elf ? "gdb -q '%s'" : "gdb -q%s", elf), *more;

    for (unsigned i = 0; gdbport_setting(i); i++) {
        more = xasprintf("%s -ex '%s'", out, gdbport_setting(i));
        free(out);
        out = more;
    }
    more = xasprintf("%s -ex 'target remote localhost:%d'", out, port);
    free(out);
    return more;
}

/* The file for gdb's command line; of a directory it gets one by itself. */
static const char *file_for_gdb(const struct settings *set)
{
    const char *first = set->symbols.nr ? set->symbols.item[0] : "";

    return symbols_is_directory(first) ? "" : first;
}

/* %p the port, %s the first symbol file, %% a percent sign. */
static char *gdb_command(const struct screen *sc)
{
    const struct settings *set = sc->set;
    const char *from = set->gdb_command;
    const char *elf = file_for_gdb(set);
    char *out;

    if (!from)
        return default_gdb(gdbport_number(sc->s->gdb), elf);
    out = xstrdup("");
    for (; *from; from++) {
        bool special = *from == '%' && from[1] && strchr("ps%", from[1]);
        char *more;

        if (!special)
            more = xasprintf("%s%c", out, *from);
        else if (*++from == 'p')
            more = xasprintf("%s%d", out, gdbport_number(sc->s->gdb));
        else
            more = xasprintf("%s%s", out, *from == 's' ? elf : "%");
        free(out);
        out = more;
    }
    return out;
}

/* One is enough: a second call goes to the pane that has it. */
void screen_start_gdb(struct screen *sc)
{
    struct pane *p;
    char *command;

    for (unsigned i = 0; i < sc->s->nr_panes; i++)
        if (sc->s->pane[i]->kind == PANE_PROC) {
            layout_focus(sc, sc->s->pane[i]);
            return;
        }
    if (!sc->s->gdb) {
        screen_say(sc, "start miniterm with --gdb-port to run gdb here");
        return;
    }
    command = gdb_command(sc);
    p = session_run(sc->s, command);
    free(command);
    if (p)
        layout_focus(sc, p);
}

static void on_want_gdb(void *user)
{
    screen_start_gdb(user);
}

static const struct session_ops session_ops = {
    .say = on_say,
    .bell = on_bell,
    .want_gdb = on_want_gdb,
};

/* Keys of the person, as bytes for the line. */
static void on_encoded(const char *data, size_t len, void *user)
{
    struct screen *sc = user;

    if (session_type(sc->s, data, len) < len)
        screen_say(sc, "the target does not take more; some keys were lost");
}

static wchar_t control_of(char letter)
{
    return (wchar_t)(letter & 0x1f);
}

/*
 * raw() and not cbreak(): CTRL-c belongs to the target. The short escape
 * delay makes a lone Esc quick.
 */
static void start_curses(struct screen *sc)
{
    initscr();
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(25);
    draw_colors_init();
    if (!sc->set->no_mouse) {
        mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
        mouseinterval(0);
    }
    userterm_adopt_fullscreen();
}

/* Until curses has no more: pasted text comes in one go. */
static void read_keys(struct screen *sc)
{
    wint_t key;
    int rc;

    while (!sc->quit && (rc = get_wch(&key)) != ERR)
        keys_handle(sc, key, rc == KEY_CODE_YES);
}

/*
 * Where the person types: the prompt, the program's own cursor, or the end of
 * the unfinished line.
 */
static void place_cursor(struct screen *sc)
{
    struct pane *p = sc->focus;
    struct place *at = NULL;
    int row, col;

    for (unsigned i = 0; i < sc->nr_places; i++)
        if (sc->place[i].pane == p)
            at = &sc->place[i];
    if (sc->overlay == OVER_PROMPT) {
        move(LINES - 2, (int)(strlen(sc->question) + 1 + sc->answer_len));
    } else if (at && p->emul && emul_cursor(p->emul, &row, &col)) {
        move(at->y + 1 + row, at->x + col);
    } else if (at && p->follow && !p->hex && lines_current(p->lines) &&
               sc->stamp == STAMP_NONE && lines_cursor(p->lines) <
               (unsigned)at->w) {
        move(at->y + at->h - 1, at->x + (int)lines_cursor(p->lines));
    } else {
        move(LINES - 2, COLS - 1);
    }
}

/* The whole picture each time; curses sends only what changed. */
static void draw(struct screen *sc)
{
    if (sc->s->panes_changed) {
        sc->s->panes_changed = false;
        layout_update(sc);
    }
    /* A pane with the first packets becomes visible. */
    for (unsigned i = 0; i < sc->s->nr_panes; i++)
        if (sc->s->pane[i]->kind == PANE_GDB && !sc->s->pane[i]->rows &&
            sc->s->pane[i]->unread && sc->layout != LAYOUT_ZOOM)
            layout_update(sc);
    erase();
    for (unsigned i = 0; i < sc->nr_places; i++)
        draw_pane(sc, &sc->place[i]);
    bars_draw(sc);
    overlay_draw(sc);
    place_cursor(sc);
    refresh();
    sc->focus->unread = false;
    sc->s->dirty = sc->redraw = false;
    sc->drawn_at = now_us();
}

/*
 * At once after a key, else at most 50 times a second: a flood must not be
 * slowed down by its display.
 */
static void draw_if_due(struct screen *sc, uint64_t *wait_us)
{
    uint64_t now = now_us();

    if (!sc->s->dirty && !sc->redraw && !sc->s->panes_changed)
        return;
    if (sc->redraw || now >= sc->drawn_at + FRAME_US)
        draw(sc);
    else if (*wait_us > sc->drawn_at + FRAME_US - now)
        *wait_us = sc->drawn_at + FRAME_US - now;
}

/*
 * One round: what may have to wait is asked for, the picture is drawn, then
 * everything that poll() reports is served.
 */
static void wait_and_handle(struct screen *sc, uint64_t wait_us)
{
    struct pollfd fds[1 + SESSION_MAX_FDS];
    struct timespec ts;
    size_t nr;

    fds[0].fd = STDIN_FILENO;
    fds[0].events = POLLIN;
    fds[0].revents = 0;
    nr = session_prepare(sc->s, fds + 1, &wait_us);
    /* Typing can have drawn its echo due at once. */
    draw_if_due(sc, &wait_us);
    ts.tv_sec = (time_t)(wait_us / 1000000);
    ts.tv_nsec = (long)(wait_us % 1000000) * 1000;
    if (ppoll(fds, nr + 1, &ts, NULL) < 0)
        for (size_t i = 0; i <= nr; i++)
            fds[i].revents = 0;
    if (fds[0].revents & (POLLHUP | POLLERR))
        sc->quit = true;
    read_keys(sc);
    session_handle(sc->s, fds + 1, nr);
    if (sc->s->panes_changed) {
        sc->s->panes_changed = false;
        layout_update(sc);
        sc->redraw = true;
    }
}

/* The command key and the quit keys as control codes. */
static void screen_init(struct screen *sc, const struct settings *set)
{
    memset(sc, 0, sizeof(*sc));
    sc->set = set;
    sc->show_notes = true;
    sc->stamp = set->stamp;
    sc->prefix_char = control_of(set->prefix_key[0]);
    for (size_t i = 0; i < 7 && set->quit_keys[i]; i++)
        sc->quit_keys[i] = control_of(set->quit_keys[i]);
}

/* curses first, then our own guard: both may have something to undo. */
static void screen_end(struct screen *sc)
{
    endwin();
    userterm_restore();
    emul_free(sc->encoder);
    regex_free(sc->search);
    session_free(sc->s);
}

/*
 * The terminal guard is armed before; curses starts only here, when nothing
 * can fail any more with a message.
 */
static int loop(struct screen *sc, struct replay *replay)
{
    sc->encoder = emul_new(24, 80, on_encoded, sc);
    sc->focus = session_pane(sc->s, PANE_DOMAIN, 0);
    start_curses(sc);
    layout_update(sc);
    sc->redraw = true;
    while (!sc->quit && !sc->s->lost) {
        uint64_t wait_us = 1000000;

        if (replay)
            replay_step(replay, sc->s, sc->replay_paused, &wait_us);
        wait_and_handle(sc, wait_us);
    }
    return sc->s->lost ? 3 : 0;
}

/* Logs, symbols and rules complain on stderr before the screen opens. */
int screen_run(const struct settings *set)
{
    struct settings own = *set;
    static struct screen sc;
    int rc;

    setlocale(LC_ALL, "");
    own.reconnect = !set->no_reconnect;
    screen_init(&sc, &own);
    if (screen_arm_terminal())
        return 2;
    sc.s = session_new(&own, &session_ops, &sc);
    if (!sc.s)
        return 2;
    if (session_open(sc.s) < 0 && set->reconnect) {
        session_say(sc.s, "%s; waiting for it", sc.s->line.error);
        sc.s->reopen_at = now_us();
    } else if (sc.s->line.state == LINE_DOWN) {
        fprintf(stderr, "miniterm: %s (-r waits for it)\n",
                sc.s->line.error);
        session_free(sc.s);
        return 3;
    }
    rc = loop(&sc, NULL);
    if (sc.s->lost) {
        endwin();
        fprintf(stderr, "miniterm: %s\n", sc.s->line.error);
    }
    screen_end(&sc);
    return rc;
}

int replay_run(const struct settings *set)
{
    struct settings own = *set;
    static struct screen sc;
    struct replay *replay;
    int rc;

    setlocale(LC_ALL, "");
    /* A replay neither writes logs nor serves anyone. */
    own.log = own.record = own.raw_log = own.gdb_port = NULL;
    own.silence_s = 0;
    replay = replay_open(set->replay, set->speed);
    if (!replay)
        return 3;
    screen_init(&sc, &own);
    if (screen_arm_terminal()) {
        replay_close(replay);
        return 2;
    }
    sc.s = session_new(&own, &session_ops, &sc);
    if (!sc.s)
        return 2;
    sc.s->replaying = true;
    rc = loop(&sc, replay);
    screen_end(&sc);
    replay_close(replay);
    return rc;
}
