/* SPDX-License-Identifier: GPL-2.0-only */
/* The palette of debug keys: asked for once, then filtered as one types. */
#include <stdio.h>
#include <string.h>
#include <wctype.h>

#include "screen.h"

/* The list is asked for once; later `h` typed by hand renews it as well. */
void palette_open(struct screen *sc)
{
    sc->overlay = OVER_PALETTE;
    sc->filter_len = sc->chosen = 0;
    sc->filter[0] = '\0';
    if (!sc->s->palette.nr && !sc->s->replaying && !sc->asked_keys)
        sc->asked_keys = session_press(sc->s, "h");
}

static void press(struct screen *sc, char key)
{
    char keys[2] = { key, '\0' };

    if (sc->s->replaying) {
        screen_say(sc, "a replay has no hypervisor behind it");
        return;
    }
    if (session_press(sc->s, keys))
        screen_say(sc, "key '%c' for the hypervisor", key);
}

/*
 * Enter. A letter that is in no list is still offered, after a question: the
 * list may never have come.
 */
static void choose(struct screen *sc)
{
    unsigned char index[PALETTE_MAX];
    unsigned nr = palette_filter(&sc->s->palette, sc->filter, index);
    const struct palette_key *k;

    if (!nr && sc->filter_len == 1) {
        /* Not in a list that may not have come: still a key. */
        sc->confirm_key = sc->filter[0];
        sc->overlay = OVER_CONFIRM;
        return;
    }
    sc->overlay = OVER_NONE;
    if (sc->chosen >= nr)
        return;
    k = &sc->s->palette.key[index[sc->chosen]];
    if (palette_dangerous(k)) {
        sc->confirm_key = k->key;
        sc->overlay = OVER_CONFIRM;
    } else {
        press(sc, k->key);
    }
}

void confirm_key(struct screen *sc, wint_t key)
{
    sc->overlay = OVER_NONE;
    if (key == L'y' || key == L'Y')
        press(sc, sc->confirm_key);
    else
        screen_say(sc, "not pressed");
}

void palette_key(struct screen *sc, wint_t key, bool is_code)
{
    unsigned char index[PALETTE_MAX];
    unsigned nr;

    if (is_code && key == KEY_UP) {
        sc->chosen -= sc->chosen > 0;
    } else if (is_code && key == KEY_DOWN) {
        sc->chosen++;
    } else if (is_code ? key == KEY_ENTER : key == L'\r' || key == L'\n') {
        choose(sc);
    } else if (is_code ? key == KEY_BACKSPACE : key == 0x7f || key == 8) {
        if (sc->filter_len)
            sc->filter[--sc->filter_len] = '\0';
        sc->chosen = 0;
    } else if (!is_code && (key == 27 || key == 3)) {
        sc->overlay = OVER_NONE;
    } else if (!is_code && key >= 0x20 && key < 0x7f &&
               sc->filter_len + 1 < sizeof(sc->filter)) {
        sc->filter[sc->filter_len++] = (char)key;
        sc->filter[sc->filter_len] = '\0';
        sc->chosen = 0;
    }
    nr = palette_filter(&sc->s->palette, sc->filter, index);
    if (sc->chosen >= nr)
        sc->chosen = nr ? nr - 1 : 0;
}

/*
 * Over the panes, as high as the list needs; the chosen entry stays in sight.
 */
void palette_draw(struct screen *sc)
{
    unsigned char index[PALETTE_MAX];
    unsigned nr = palette_filter(&sc->s->palette, sc->filter, index);
    int width = COLS > 76 ? 72 : COLS - 4, y = 3, rows = LINES - 8;
    unsigned from = 0;

    if (rows < 1 || width < 20)
        return;
    if (sc->chosen >= (unsigned)rows)
        from = sc->chosen - (unsigned)rows + 1;
    for (int i = 1; i < rows + 5 && i < LINES - 2 && i < (int)nr + 7; i++)
        mvhline(i, 0, ' ', COLS);
    attrset(A_REVERSE);
    mvhline(2, 2, ' ', width);
    mvprintw(2, 3, "debug keys > %s", sc->filter);
    attrset(A_NORMAL);
    for (unsigned i = from; i < nr && (int)(i - from) < rows; i++, y++) {
        const struct palette_key *k = &sc->s->palette.key[index[i]];

        attrset(i == sc->chosen ? A_BOLD | A_REVERSE : A_NORMAL);
        mvhline(y, 2, ' ', width);
        mvprintw(y, 3, "%c  %-.*s%s", k->key, width - 8, k->text,
                 palette_dangerous(k) ? " !" : "");
    }
    attrset(A_NORMAL);
    mvhline(y, 2, ' ', width);
    if (!nr)
        mvprintw(y++, 3, "%s", sc->s->palette.nr ? "nothing fits" :
                 "waiting for the hypervisor's list ('h') ...");
    mvhline(y, 2, ' ', width);
    attrset(A_DIM);
    mvprintw(y, 3, "type to filter, Enter presses it, Esc leaves, ! asks");
    attrset(A_NORMAL);
}
