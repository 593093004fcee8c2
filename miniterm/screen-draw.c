/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contents of a pane: lines with times, colours and notes, wrapped at its
 * width and drawn from the bottom up; or a terminal's cells; or bytes.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "screen.h"
#include "util.h"

/* A line of LINES_COLUMNS with its time and its note. */
#define CELLS_MAX (LINES_COLUMNS + 1100)

struct vcell {
    wchar_t ch;
    attr_t attr;
    int width;
};

struct vline {
    struct vcell cell[CELLS_MAX];
    int nr;
};

/* Pairs: foreground and background 0 (default) to 8. */
void draw_colors_init(void)
{
    if (!has_colors())
        return;
    start_color();
    use_default_colors();
    for (short fg = 0; fg <= 8; fg++)
        for (short bg = 0; bg <= 8; bg++)
            if (fg || bg)
                init_pair((short)(fg * 9 + bg), (short)(fg - 1),
                          (short)(bg - 1));
}

/* Our attributes (lines.h) as curses has them. */
attr_t draw_attr(unsigned attr)
{
    unsigned fg = ATTR_FG(attr), bg = ATTR_BG(attr);
    attr_t out = 0;

    /* Bright colours: the plain ones, bold. */
    if (fg > 8) {
        fg -= 8;
        out |= A_BOLD;
    }
    if (bg > 8)
        bg -= 8;
    if (has_colors() && (fg || bg))
        out |= (attr_t)COLOR_PAIR((int)(fg * 9 + bg));
    if (attr & ATTR_BOLD)
        out |= A_BOLD;
    if (attr & ATTR_UNDERLINE)
        out |= A_UNDERLINE;
    if (attr & ATTR_REVERSE)
        out |= A_REVERSE;
    return out;
}

static void add_cell(struct vline *v, wchar_t ch, attr_t attr)
{
    int width = wcwidth(ch);

    if (v->nr == CELLS_MAX)
        return;
    /* Nothing but glyphs may reach the person's terminal. */
    if (width < 0 || !iswprint((wint_t)ch)) {
        ch = L'?';
        width = 1;
    }
    if (width == 0)
        return;
    v->cell[v->nr].ch = ch;
    v->cell[v->nr].attr = attr;
    v->cell[v->nr++].width = width;
}

static void add_text(struct vline *v, const char *text, attr_t attr)
{
    mbstate_t state;
    wchar_t ch;

    memset(&state, 0, sizeof(state));
    while (*text) {
        size_t n = mbrtowc(&ch, text, MB_CUR_MAX, &state);

        if (n == (size_t)-1 || n == (size_t)-2) {
            memset(&state, 0, sizeof(state));
            ch = L'?';
            n = 1;
        }
        add_cell(v, ch, attr);
        text += n;
    }
}

/*
 * The stamp that the hypervisor or Linux puts before a line, "[   12.345678]"
 * or "[2026-01-31 12:00:00.123]": its bounds without the brackets, and where
 * the text behind it begins.
 */
static bool target_stamp(const struct tline *t, unsigned *start,
                         unsigned *end, unsigned *text)
{
    unsigned i = 1;

    if (t->text[0] != '[')
        return false;
    while (t->text[i] == ' ')
        i++;
    *start = i;
    while (t->text[i] && strchr("0123456789.:- ", t->text[i]))
        i++;
    *end = i;
    if (t->text[i] != ']' || i == *start || i - *start > 32)
        return false;
    *text = i + 1 + (t->text[i + 1] == ' ');
    return true;
}

/* A column for it, so that both clocks stand side by side. */
static unsigned add_target_stamp(struct vline *v, const struct tline *t)
{
    unsigned start = 0, end = 0, text = 0;
    char column[40];

    target_stamp(t, &start, &end, &text);
    snprintf(column, sizeof(column), "%14.*s ", (int)(end - start),
             t->text + start);
    add_text(v, column, draw_attr(7));
    return text;
}

/* A column of fixed width, so that texts line up. */
static void add_stamp(struct screen *sc, struct vline *v,
                      const struct tline *t, const struct tline *before)
{
    char text[TIME_TEXT_MAX + 8];
    uint64_t first;
    const struct tline *start;

    switch (sc->stamp) {
    case STAMP_TIME:
    case STAMP_TARGET:
        time_short(text, t->wall);
        break;
    case STAMP_DELTA:
        snprintf(text, sizeof(text), "%+10.3f",
                 before ? ((double)t->wall - (double)before->wall) / 1e6 : 0);
        break;
    case STAMP_START:
        start = lines_get(sc->s->pane[0]->lines,
                          lines_first(sc->s->pane[0]->lines));
        first = start ? start->wall : t->wall;
        snprintf(text, sizeof(text), "%10.3f",
                 ((double)t->wall - (double)first) / 1e6);
        break;
    default:
        return;
    }
    add_text(v, text, A_DIM);
    add_cell(v, L' ', A_NORMAL);
}

/* Marks where the search matches, by bytes of the line's text. */
static void find_matches(struct screen *sc, const struct tline *t,
                         unsigned char *hit)
{
    size_t from = 0, start, end;

    while (sc->search && from <= t->len &&
           regex_find(sc->search, t->text, t->len, from, &start, &end)) {
        memset(hit + start, 1, end - start);
        from = end > start ? end : end + 1;
    }
}

/*
 * Everything about a line's look in one place: time, rule or own colors,
 * search matches, note. The cells are then wrapped and drawn, or only
 * counted.
 */
static void build(struct screen *sc, struct vline *v, const struct tline *t,
                  const struct tline *before)
{
    static unsigned char hit[4 * LINES_COLUMNS + 1];
    /* Remarks and replies cyan, packets towards the target yellow. */
    attr_t whole = t->mark ? draw_attr(t->text[0] == '-' &&
                                       t->text[1] == '>' ? 4 : 7) :
                   draw_attr(rules_color(sc->s->rules, t->text, t->len));
    mbstate_t state;
    unsigned run = 0, at = 0;
    attr_t attr = whole;

    v->nr = 0;
    add_stamp(sc, v, t, before);
    if (sc->stamp == STAMP_TARGET)
        at = add_target_stamp(v, t);
    memset(hit, 0, t->len);
    find_matches(sc, t, hit);
    memset(&state, 0, sizeof(state));
    while (at < t->len) {
        wchar_t ch;
        size_t n = mbrtowc(&ch, t->text + at, t->len - at, &state);

        if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
            memset(&state, 0, sizeof(state));
            ch = L'?';
            n = 1;
        }
        while (run < t->nr_runs && t->runs[run].start <= at) {
            attr = t->runs[run].attr ? draw_attr(t->runs[run].attr) : whole;
            run++;
        }
        add_cell(v, ch, hit[at] ? attr | A_REVERSE | A_BOLD : attr);
        at += (unsigned)n;
    }
    if (t->note && sc->show_notes) {
        add_text(v, "  ; ", draw_attr(3));
        add_text(v, t->note, draw_attr(3));
    }
}

/* First cell of each row; returns the number of rows, at most @max. */
static int wrap(const struct vline *v, int width, int *start, int max)
{
    int rows = 1, column = 0;

    start[0] = 0;
    for (int i = 0; i < v->nr && rows <= max; i++) {
        if (column + v->cell[i].width > width) {
            if (rows == max)
                break;
            start[rows++] = i;
            column = 0;
        }
        column += v->cell[i].width;
    }
    return rows;
}

/* Rows that draw_line() would take. */
int draw_line_rows(struct screen *sc, const struct tline *t,
                   const struct tline *before, int width)
{
    static struct vline v;
    int start[512];

    build(sc, &v, t, before);
    return wrap(&v, width, start, 512);
}

/* Rows of one line, the last of them at @y; returns the row above it. */
static int draw_line(struct screen *sc, const struct place *at,
                     const struct tline *t, const struct tline *before, int y)
{
    static struct vline v;
    int start[512], rows;

    build(sc, &v, t, before);
    rows = wrap(&v, at->w, start, 512);
    for (int r = rows - 1; r >= 0 && y > at->y; r--, y--) {
        int end = r + 1 < rows ? start[r + 1] : v.nr;

        move(y, at->x);
        for (int i = start[r]; i < end; i++) {
            cchar_t cc;
            wchar_t text[2] = { v.cell[i].ch, 0 };

            setcchar(&cc, text, v.cell[i].attr & ~A_COLOR,
                     (short)PAIR_NUMBER(v.cell[i].attr), NULL);
            add_wch(&cc);
        }
    }
    return y;
}

static void blank(const struct place *at)
{
    attrset(A_NORMAL);
    for (int y = at->y + 1; y < at->y + at->h; y++)
        mvhline(y, at->x, ' ', at->w);
}

/*
 * From the newest line upwards until the pane is full: the cost is the pane's
 * height, whatever the history holds.
 */
static void draw_lines(struct screen *sc, const struct place *at)
{
    struct pane *p = at->pane;
    uint64_t next = p->follow ? lines_next(p->lines) : p->bottom;
    const struct tline *cur = p->follow ? lines_current(p->lines) : NULL;
    int y = at->y + at->h - 1;

    if (cur)
        y = draw_line(sc, at, cur, lines_get(p->lines, next - 1), y);
    while (y > at->y && next > lines_first(p->lines)) {
        const struct tline *t = lines_get(p->lines, --next);

        if (!t)
            break;
        y = draw_line(sc, at, t, next ? lines_get(p->lines, next - 1) : NULL,
                      y);
    }
    if (!p->follow && p->bottom < lines_first(p->lines))
        mvaddstr(at->y + at->h - 1, at->x, "(older lines are gone)");
}

/*
 * Cell by cell; blank ones are drawn as well because the terminal's
 * background may be colored.
 */
static void draw_emul(const struct place *at)
{
    struct emul *e = at->pane->emul;
    int rows, cols;

    emul_size(e, &rows, &cols);
    for (int y = 0; y < rows && y < at->h - 1; y++)
        for (int x = 0; x < cols && x < at->w; x++) {
            struct emul_cell c = emul_cell(e, y, x);
            wchar_t text[2] = { c.ch ? (wchar_t)c.ch : L' ', 0 };
            attr_t attr = draw_attr(c.attr);
            cchar_t cc;

            if (c.ch == UINT32_MAX)
                continue;
            if (!iswprint((wint_t)text[0]))
                text[0] = L'?';
            setcchar(&cc, text, attr & ~A_COLOR, (short)PAIR_NUMBER(attr),
                     NULL);
            mvadd_wch(at->y + 1 + y, at->x + x, &cc);
        }
}

/* "00001234  48 65 6c ...  Hel..." rows of 16, or 8 where it is narrow. */
static void draw_hex(const struct place *at)
{
    struct pane *p = at->pane;
    uint64_t per = at->w >= 76 ? 16 : 8;
    uint64_t end = p->follow ? p->raw->total : p->hex_bottom;
    uint64_t row = end ? (end - 1) / per : 0;

    for (int y = at->y + at->h - 1; y > at->y && end; y--, row--) {
        char hex[3 * 16 + 1] = "", ascii[17] = "";

        for (uint64_t i = 0; i < per; i++) {
            uint64_t o = row * per + i;
            uint8_t b = rawring_at(p->raw, o);

            if (o < rawring_first(p->raw) || o >= end)
                snprintf(hex + 3 * i, 4, "   ");
            else
                snprintf(hex + 3 * i, 4, "%02x ", b);
            ascii[i] = o >= rawring_first(p->raw) && o < end ?
                       (b >= 0x20 && b < 0x7f ? (char)b : '.') : ' ';
            ascii[i + 1] = '\0';
        }
        mvprintw(y, at->x, "%08llx  %s %s", (unsigned long long)(row * per),
                 hex, ascii);
        if (!row || row * per <= rawring_first(p->raw))
            break;
    }
}

/*
 * Name, kind of view, who has the input, and how far below the newest line
 * is.
 */
static void draw_title(struct screen *sc, const struct place *at)
{
    const struct pane *p = at->pane;
    char text[160];
    uint64_t below = lines_next(p->lines) - p->bottom;

    attrset(p == sc->focus ? A_REVERSE | A_BOLD : A_REVERSE);
    mvhline(at->y, at->x, ' ', at->w);
    snprintf(text, sizeof(text), " %s%s%s%s", p->title, p->hex ? " [hex]" : "",
             p->emul && p->kind != PANE_PROC ? " [full screen]" : "",
             p == session_input_pane(sc->s) &&
             sc->s->keys.owner != HVKEYS_UNKNOWN ? " <- input" : "");
    mvaddnstr(at->y, at->x, text, at->w);
    if (!p->follow && at->w > 50) {
        snprintf(text, sizeof(text), "PAUSED, %llu lines below ",
                 (unsigned long long)below);
        mvaddstr(at->y, at->x + at->w - (int)strlen(text), text);
    }
    attrset(A_NORMAL);
}

/* The view that the person chose, bytes before terminal before lines. */
void draw_pane(struct screen *sc, const struct place *at)
{
    draw_title(sc, at);
    blank(at);
    if (at->pane->hex)
        draw_hex(at);
    else if (at->pane->emul)
        draw_emul(at);
    else
        draw_lines(sc, at);
    if (at->x > 0)
        mvvline(at->y, at->x - 1, ACS_VLINE, at->h);
}
