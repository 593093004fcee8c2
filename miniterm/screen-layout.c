/* SPDX-License-Identifier: GPL-2.0-only */
/* Which panes are visible, and where. */
#include <string.h>

#include "screen.h"

#define MIN_ROWS 3 /* of a pane with its title */

/* The pane comes into sight if it was not. */
void layout_focus(struct screen *sc, struct pane *p)
{
    sc->focus = p;
    p->unread = false;
    sc->redraw = true;
    layout_update(sc);
}

void layout_next(struct screen *sc)
{
    const struct session *s = sc->s;
    unsigned i = 0;

    while (i < s->nr_panes && s->pane[i] != sc->focus)
        i++;
    layout_focus(sc, s->pane[(i + 1) % s->nr_panes]);
}

struct place *layout_at(struct screen *sc, int y, int x)
{
    for (unsigned i = 0; i < sc->nr_places; i++) {
        struct place *at = &sc->place[i];

        if (y >= at->y && y < at->y + at->h && x >= at->x &&
            x < at->x + at->w)
            return at;
    }
    return NULL;
}

/* A pane without anything in it need not take rows. */
static bool has_lines(const struct pane *p)
{
    return lines_next(p->lines) > 0 || p->emul;
}

/*
 * The focused pane always; the hypervisor's and domain 0's; the packets once
 * there are some; a program's.  Others show in the tabs until chosen.
 */
static bool is_wanted(const struct screen *sc, const struct pane *p)
{
    if (p == sc->focus)
        return true;
    switch (p->kind) {
    case PANE_HV: return true;
    case PANE_DOMAIN: return p->domain == 0;
    case PANE_GDB: return has_lines(p);
    case PANE_PROC: return true;
    case PANE_FROZEN: break;
    }
    return false;
}

/* The focused pane gets the most rows, packets the fewest. */
static int weight(const struct screen *sc, const struct pane *p)
{
    if (p == sc->focus)
        return 4;
    return p->kind == PANE_GDB ? 2 : 3;
}

/* A terminal in the pane learns its new size here and nowhere else. */
static void put(struct screen *sc, struct pane *p, int y, int x, int h, int w)
{
    struct place *at = &sc->place[sc->nr_places++];

    at->pane = p;
    at->y = y;
    at->x = x;
    at->h = h;
    at->w = w;
    p->rows = h - 1;
    p->cols = w;
    if (p->emul)
        emul_resize(p->emul, h - 1, w);
}

/* Shares @h rows among the panes by weight; drops those that do not fit. */
static void stack(struct screen *sc, struct pane **list, unsigned nr,
                  const int area[4])
{
    int y = area[0], h = area[2], total = 0;

    while (nr > 1 && (int)nr * MIN_ROWS > h) {
        unsigned drop = nr - 1;

        while (drop > 0 && list[drop] == sc->focus)
            drop--;
        memmove(list + drop, list + drop + 1,
                (nr - drop - 1) * sizeof(list[0]));
        nr--;
    }
    for (unsigned i = 0; i < nr; i++)
        total += weight(sc, list[i]);
    for (unsigned i = 0; i < nr; i++) {
        int left = area[0] + area[2] - y;
        int rows = i + 1 == nr ? left : h * weight(sc, list[i]) / total;
        int others = (int)(nr - i - 1) * MIN_ROWS;

        if (rows < MIN_ROWS)
            rows = MIN_ROWS;
        if (rows > left - others)
            rows = left - others;
        put(sc, list[i], y, area[1], rows, area[3]);
        y += rows;
    }
}

/*
 * Those to be shown in the column (0 left, 1 right, -1 there is but one), in
 * the order of the tabs.
 */
static unsigned choose(struct screen *sc, struct pane **list, int column)
{
    const struct session *s = sc->s;
    unsigned nr = 0;

    for (unsigned i = 0; i < s->nr_panes; i++) {
        struct pane *p = s->pane[i];
        bool left = p->kind == PANE_HV || p->kind == PANE_GDB ||
                    p->kind == PANE_FROZEN;

        if (is_wanted(sc, p) && (column < 0 || left == (column == 0)))
            list[nr++] = p;
    }
    return nr;
}

static void forget_sizes(struct screen *sc)
{
    for (unsigned i = 0; i < sc->s->nr_panes; i++)
        sc->s->pane[i]->rows = sc->s->pane[i]->cols = 0;
    sc->nr_places = 0;
}

/*
 * Anew from nothing each time: sizes, focus and panes may all have changed.
 * Too few rows for two panes zoom the focused one.
 */
void layout_update(struct screen *sc)
{
    struct pane *list[SESSION_MAX_PANES];
    int h = LINES - 3, half = COLS / 2;
    bool known = false;
    unsigned nr;

    for (unsigned i = 0; i < sc->s->nr_panes; i++)
        known |= sc->s->pane[i] == sc->focus;
    if (!known)
        sc->focus = session_input_pane(sc->s);
    forget_sizes(sc);
    if (h < 2)
        return;
    if (sc->layout == LAYOUT_ZOOM || h < 2 * MIN_ROWS) {
        put(sc, sc->focus, 1, 0, h, COLS);
    } else if (sc->layout == LAYOUT_COLUMNS) {
        nr = choose(sc, list, 0);
        stack(sc, list, nr, (const int[]){ 1, 0, h, half - 1 });
        nr = choose(sc, list, 1);
        stack(sc, list, nr, (const int[]){ 1, half, h, COLS - half });
    } else {
        nr = choose(sc, list, -1);
        stack(sc, list, nr, (const int[]){ 1, 0, h, COLS });
    }
}
