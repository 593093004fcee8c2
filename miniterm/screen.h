/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The full-screen display.  Rows from above: the tabs, the panes (each with a
 * title row), a row for messages and prompts, the status line.
 *
 * screen.c         the loop, setting up, replay's clock
 * screen-layout.c  which panes are visible, and where
 * screen-draw.c    the contents of a pane
 * screen-bars.c    tabs, status, messages, help, palette
 * screen-keys.c    commands, and what other keys do
 * screen-find.c    search and prompts
 */
#ifndef MINITERM_SCREEN_H
#define MINITERM_SCREEN_H

/* Wide-character curses; before <curses.h> wherever that is included. */
#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#include <curses.h>
#include <stdbool.h>
#include <stdint.h>

#include "regex.h"
#include "session.h"

enum layout { LAYOUT_STACK, LAYOUT_COLUMNS, LAYOUT_ZOOM, LAYOUT_NR };
enum overlay { OVER_NONE, OVER_HELP, OVER_PALETTE, OVER_CONFIRM,
               OVER_PROMPT };

#define PROMPT_MAX 200

struct place {
    struct pane *pane;
    int y, x, h, w; /* title row included */
};

struct screen;
typedef void screen_action_fn(struct screen *sc);

struct screen {
    const struct settings *set;
    struct session *s;
    struct pane *focus;
    struct place place[SESSION_MAX_PANES];
    unsigned nr_places;
    enum layout layout;
    enum overlay overlay;
    bool prefix;            /* the command key was typed */
    bool quit, redraw, replay_paused;
    bool show_notes;
    enum stamp stamp;
    char message[400];
    uint64_t message_at, drawn_at;
    /* Prompt: question, answer so far, what then. */
    const char *question;
    wchar_t answer[PROMPT_MAX];
    unsigned answer_len;
    screen_action_fn *answered;
    /* Palette. */
    char filter[40];
    unsigned filter_len, chosen;
    bool asked_keys;        /* `h` was pressed for the list */
    char confirm_key;
    /* Search in the focused pane. */
    struct regex *search;
    char search_text[PROMPT_MAX * 4];
    struct emul *encoder;   /* turns curses keys into bytes for the line */
    wchar_t quit_keys[8];
    wchar_t prefix_char;
    int tab_end[SESSION_MAX_PANES]; /* column behind each tab, for clicks */
};

/* Runs until the person leaves; the exit status. */
int screen_run(const struct settings *set);
int replay_run(const struct settings *set);

/* screen-layout.c */
void layout_update(struct screen *sc);
void layout_focus(struct screen *sc, struct pane *p);
void layout_next(struct screen *sc);
struct place *layout_at(struct screen *sc, int y, int x);

/* screen-draw.c */
void draw_pane(struct screen *sc, const struct place *at);
/* Rows that a line takes at that width, at least 1. */
int draw_line_rows(struct screen *sc, const struct tline *t,
                   const struct tline *before, int width);
void draw_colors_init(void);
attr_t draw_attr(unsigned attr);

/* screen-bars.c */
void bars_draw(struct screen *sc);
void overlay_draw(struct screen *sc);
void help_draw(struct screen *sc);

/* screen-keys.c */
void keys_handle(struct screen *sc, wint_t key, bool is_code);
void keys_scroll(struct screen *sc, struct pane *p, int lines);

struct command {
    char key;          /* behind the command key */
    int fkey;          /* function key number or 0 */
    const char *help;
    screen_action_fn *action;
};
extern const struct command command_table[]; /* ends with key 0 */

/* screen-find.c */
void prompt_open(struct screen *sc, const char *question,
                 screen_action_fn *answered);
void prompt_key(struct screen *sc, wint_t key, bool is_code);
/* The answer in UTF-8, valid until the next call. */
const char *prompt_text(const struct screen *sc, char *buf, size_t size);
void find_open(struct screen *sc);
void find_again(struct screen *sc, bool older);
void save_open(struct screen *sc);
void upload_open(struct screen *sc);
void exec_open(struct screen *sc);

/* screen-palette.c */
void palette_open(struct screen *sc);
void palette_key(struct screen *sc, wint_t key, bool is_code);
void palette_draw(struct screen *sc);
void confirm_key(struct screen *sc, wint_t key);

/* screen-term.c: before curses starts; 0, or -1 after a message. */
int screen_arm_terminal(void);

/* screen.c */
__attribute__((format(printf, 2, 3)))
void screen_say(struct screen *sc, const char *fmt, ...);
void screen_start_gdb(struct screen *sc);

#endif
