/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of commands, and where every other key goes. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <wctype.h>

#include "screen.h"
#include "util.h"

static void do_help(struct screen *sc)
{
    sc->overlay = OVER_HELP;
}

/* What is in sight stays in sight; output goes on below. */
static void do_pause(struct screen *sc)
{
    struct pane *p = sc->focus;

    p->follow = !p->follow;
    p->bottom = lines_next(p->lines);
    p->hex_bottom = p->raw->total;
}

static void do_break_in(struct screen *sc)
{
    session_break_in(sc->s);
}

static void do_break(struct screen *sc)
{
    session_break(sc->s);
}

static void do_hex(struct screen *sc)
{
    sc->focus->hex = !sc->focus->hex;
}

static void do_stamps(struct screen *sc)
{
    static const char *const names[] = { "none", "time of day",
                                         "since the line before",
                                         "since the first line",
                                         "time of day, and the target's" };

    sc->stamp = (sc->stamp + 1) % STAMP_NR;
    screen_say(sc, "timestamps: %s", names[sc->stamp]);
}

static void do_zoom(struct screen *sc)
{
    sc->layout = sc->layout == LAYOUT_ZOOM ? LAYOUT_STACK : LAYOUT_ZOOM;
    layout_update(sc);
}

static void do_columns(struct screen *sc)
{
    sc->layout = sc->layout == LAYOUT_COLUMNS ? LAYOUT_STACK :
                 LAYOUT_COLUMNS;
    layout_update(sc);
}

static void do_switch(struct screen *sc)
{
    session_switch_input(sc->s);
}

static void do_older(struct screen *sc)
{
    find_again(sc, true);
}

static void do_newer(struct screen *sc)
{
    find_again(sc, false);
}

static void do_end(struct screen *sc)
{
    sc->focus->follow = true;
}

/*
 * The one setting that a key changes, which is why the settings are a copy of
 * the screen's own.
 */
static void do_echo(struct screen *sc)
{
    struct settings *set = (struct settings *)sc->set;

    set->echo = !set->echo;
    screen_say(sc, "local echo %s", set->echo ? "on" : "off");
}

static void do_clear(struct screen *sc)
{
    lines_clear(sc->focus->lines);
    sc->focus->follow = true;
}

static void do_emulate(struct screen *sc)
{
    pane_toggle_emul(sc->focus, session_reply);
    layout_update(sc);
}

static void do_notes(struct screen *sc)
{
    sc->show_notes = !sc->show_notes;
    screen_say(sc, "annotations %s", sc->show_notes ? "on" : "off");
}

static void do_reconnect(struct screen *sc)
{
    session_reconnect(sc->s);
}

static void do_continue(struct screen *sc)
{
    session_continue(sc->s);
}

/*
 * Panes of domains, frozen copies and programs can go; a domain's comes back
 * with its next line.
 */
static void do_close(struct screen *sc)
{
    struct pane *p = sc->focus;

    if (p->kind == PANE_HV || p->kind == PANE_GDB ||
        (p->kind == PANE_DOMAIN && p->domain == 0)) {
        screen_say(sc, "this pane stays");
        return;
    }
    sc->focus = NULL;
    session_drop_pane(sc->s, p);
    layout_update(sc);
}

/* The place in the source of the newest explained address of a pane. */
static bool newest_source(struct screen *sc, struct pane *p, char *out,
                          size_t size)
{
    uint64_t i = p->follow ? lines_next(p->lines) : p->bottom;

    while (i-- > lines_first(p->lines)) {
        const struct tline *t = lines_get(p->lines, i);

        if (t && t->note &&
            symbols_source(sc->s->symbols, t->text, t->len, out, size))
            return true;
    }
    return false;
}

/* Lists it in gdb's pane: the focused pane's, else any pane's. */
static void do_source(struct screen *sc)
{
    const struct session *s = sc->s;
    char source[200], command[220];
    struct pane *gdb = NULL;
    bool found;

    found = s->symbols && newest_source(sc, sc->focus, source,
                                        sizeof(source));
    for (unsigned i = 0; s->symbols && i < s->nr_panes; i++) {
        if (s->pane[i]->kind == PANE_PROC)
            gdb = s->pane[i];
        found = found || newest_source(sc, s->pane[i], source,
                                       sizeof(source));
    }
    if (!found) {
        screen_say(sc, "no explained address here (give --symbols)");
    } else if (!gdb) {
        screen_say(sc, "%s (start gdb with g to see it)", source);
    } else {
        snprintf(command, sizeof(command), "list %s\r", source);
        session_reply(command, strlen(command), gdb);
        layout_focus(sc, gdb);
    }
}

static void do_replay_pause(struct screen *sc)
{
    sc->replay_paused = !sc->replay_paused;
}

static void do_quit(struct screen *sc)
{
    sc->quit = true;
}

const struct command command_table[] = {
    { '?', 1, "this help", do_help },
    { 'k', 2, "debug keys of the hypervisor", palette_open },
    { '/', 3, "search this pane (regex)", find_open },
    { 'n', 0, "next match, older", do_older },
    { 'N', 0, "next match, newer", do_newer },
    { 'p', 4, "pause or go on", do_pause },
    { 'D', 5, "break in to the debugger", do_break_in },
    { 'b', 6, "send a line BREAK", do_break },
    { 'x', 7, "hex view", do_hex },
    { 't', 8, "timestamps: kinds in turn", do_stamps },
    { '\t', 9, "next pane (or its number)", layout_next },
    { 'z', 0, "zoom this pane", do_zoom },
    { 'c', 0, "columns or stack", do_columns },
    { 'a', 0, "input to the next (CTRL-a x3)", do_switch },
    { 'g', 0, "gdb in a pane", screen_start_gdb },
    { 'r', 0, "let the stopped target run", do_continue },
    { 'o', 0, "source of an address, in gdb", do_source },
    { 's', 0, "save this pane to a file", save_open },
    { 'u', 0, "send a text file", upload_open },
    { '!', 0, "run a program on the line (sz, rx)", exec_open },
    { 'e', 0, "local echo", do_echo },
    { 'l', 0, "clear this pane", do_clear },
    { 'f', 0, "full-screen terminal or lines", do_emulate },
    { 'i', 0, "annotations on or off", do_notes },
    { '.', 0, "newest lines again", do_end },
    { 'w', 0, "close this pane", do_close },
    { 'R', 0, "reconnect", do_reconnect },
    { ' ', 0, "pause or go on with a replay", do_replay_pause },
    { 'q', 10, "leave (also CTRL-])", do_quit },
    { 0, 0, NULL, NULL },
};

/* Reaching the newest line ends the pause. */
void keys_scroll(struct screen *sc, struct pane *p, int lines)
{
    uint64_t first = lines_first(p->lines), next = lines_next(p->lines);
    int64_t to;

    if (p->hex) {
        to = (int64_t)(p->follow ? p->raw->total : p->hex_bottom) +
             lines * 16;
        p->follow = to >= (int64_t)p->raw->total;
        p->hex_bottom = to < 16 ? 16 : (uint64_t)to;
        return;
    }
    to = (int64_t)(p->follow ? next : p->bottom) + lines;
    if (to < (int64_t)first + 1)
        to = (int64_t)first + 1;
    p->follow = to >= (int64_t)next;
    p->bottom = (uint64_t)to;
    sc->redraw = true;
}

/* Digits choose a pane; everything else is in the table. */
static bool run_command(struct screen *sc, wint_t key)
{
    if (key >= '1' && key <= '9') {
        if (key - '1' < sc->s->nr_panes)
            layout_focus(sc, sc->s->pane[key - '1']);
        return true;
    }
    for (const struct command *c = command_table; c->key; c++)
        if ((wint_t)c->key == key) {
            c->action(sc);
            return true;
        }
    return false;
}

/* True when the key was ours. */
static bool function_key(struct screen *sc, wint_t key)
{
    struct pane *p = sc->focus;
    bool own = p->emul != NULL;

    for (const struct command *c = command_table; c->key; c++)
        if (c->fkey && key == (wint_t)KEY_F(c->fkey)) {
            c->action(sc);
            return true;
        }
    /* A program that has the pane gets the page keys too. */
    if (key == KEY_PPAGE && !own)
        keys_scroll(sc, p, -(p->rows > 2 ? p->rows - 2 : 1));
    else if (key == KEY_NPAGE && !own)
        keys_scroll(sc, p, p->rows > 2 ? p->rows - 2 : 1);
    else
        return false;
    return true;
}

/* To the target, or to the program in the focused pane. */
static void to_target(struct screen *sc, wint_t key, bool is_code)
{
    struct pane *p = sc->focus;

    if (sc->s->replaying)
        return;
    if (session_exec_busy(sc->s)) {
        screen_say(sc, "a program has the line; the command ! ends it");
        return;
    }
    /* Backspace is DEL on every Linux console. */
    if (is_code && key == KEY_BACKSPACE) {
        key = 0x7f;
        is_code = false;
    }
    emul_key(p->emul ? p->emul : sc->encoder, key, is_code);
}

/*
 * Button 1 chooses, the wheel (buttons 4 and 5) scrolls the pane under the
 * pointer, whichever has the focus.
 */
static void on_mouse(struct screen *sc)
{
    MEVENT ev;
    struct place *at;

    if (getmouse(&ev) != OK)
        return;
    at = layout_at(sc, ev.y, ev.x);
    if (ev.bstate & BUTTON4_PRESSED) {
        if (at)
            keys_scroll(sc, at->pane, -3);
    } else if (ev.bstate & BUTTON5_PRESSED) {
        if (at)
            keys_scroll(sc, at->pane, 3);
    } else if (ev.y == 0) {
        for (unsigned i = 0; i < sc->s->nr_panes; i++)
            if (ev.x < sc->tab_end[i]) {
                layout_focus(sc, sc->s->pane[i]);
                break;
            }
    } else if (at) {
        layout_focus(sc, at->pane);
    }
}

static void normal_key(struct screen *sc, wint_t key, bool is_code)
{
    if (is_code && function_key(sc, key))
        return;
    if (!is_code && key == (wint_t)sc->prefix_char)
        sc->prefix = true;
    else if (!is_code && key && wcschr(sc->quit_keys, (wchar_t)key))
        sc->quit = true;
    else
        to_target(sc, key, is_code);
}

/*
 * Resizing and the mouse come in any state; then the command key; then
 * whoever has the keyboard.
 */
void keys_handle(struct screen *sc, wint_t key, bool is_code)
{
    sc->redraw = true;
    if (is_code && key == KEY_RESIZE) {
        layout_update(sc);
        clear();
        return;
    }
    if (is_code && key == KEY_MOUSE) {
        on_mouse(sc);
        return;
    }
    if (sc->prefix) {
        sc->prefix = false;
        if (!is_code && key == (wint_t)sc->prefix_char)
            to_target(sc, key, false);
        else if (is_code || !run_command(sc, key))
            screen_say(sc, "no such command; ? shows them all");
        return;
    }
    switch (sc->overlay) {
    case OVER_HELP: sc->overlay = OVER_NONE; break;
    case OVER_PROMPT: prompt_key(sc, key, is_code); break;
    case OVER_PALETTE: palette_key(sc, key, is_code); break;
    case OVER_CONFIRM: confirm_key(sc, key); break;
    case OVER_NONE: normal_key(sc, key, is_code); break;
    }
}
