/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Full-screen terminal emulation: libvterm's state layer over cells of our
 * own.  Not its screen layer: that one (0.1.4) writes beyond its cells for
 * some sequences and sizes, and what comes here is not to be trusted.  Every
 * position from the library is checked against the cells.
 */
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#include <curses.h>

#include "emul.h"
#include "lines.h"
#include "util.h"
#include "vtfilter.h"

/* A wide character has to fit in a row. */
#define MIN_COLS 4

struct emul {
    VTerm *vt;
    VTermState *state;
    struct vtfilter filter;
    int rows, cols;
    struct emul_cell *cells[2]; /* main and alternate screen */
    int screen;                 /* index of the one that shows */
    uint16_t attr;
    bool cursor_visible;
};

/* NULL outside the screen: the one gate that every position passes. */
static struct emul_cell *cell_at(const struct emul *e, int row, int col)
{
    if (row < 0 || row >= e->rows || col < 0 || col >= e->cols)
        return NULL;
    return &e->cells[e->screen][row * e->cols + col];
}

/* [start, end) cut to what there is; false when nothing is left. */
static bool clip(const struct emul *e, VTermRect *r)
{
    r->start_row = r->start_row < 0 ? 0 : r->start_row;
    r->start_col = r->start_col < 0 ? 0 : r->start_col;
    r->end_row = r->end_row > e->rows ? e->rows : r->end_row;
    r->end_col = r->end_col > e->cols ? e->cols : r->end_col;
    return r->start_row < r->end_row && r->start_col < r->end_col;
}

/*
 * A wide character takes two cells; its right half is marked so that drawing
 * skips it. Combining characters behind the first are dropped.
 */
static int on_glyph(VTermGlyphInfo *info, VTermPos pos, void *user)
{
    struct emul *e = user;

    for (int i = 0; i < info->width; i++) {
        struct emul_cell *c = cell_at(e, pos.row, pos.col + i);

        if (c) {
            c->ch = i ? UINT32_MAX : info->chars[0];
            c->attr = e->attr;
        }
    }
    return 1;
}

static int on_cursor(VTermPos pos, VTermPos old, int visible, void *user)
{
    (void)pos, (void)old, (void)visible, (void)user;
    return 1;
}

/*
 * Rows are moved in the order that does not overwrite what is still to be
 * moved. Source and destination are clipped together, so that a rectangle
 * partly outside moves the part that is inside.
 */
static int on_moverect(VTermRect dest, VTermRect src, void *user)
{
    struct emul *e = user;
    int down = dest.start_row - src.start_row;
    int right = dest.start_col - src.start_col;
    int nr = src.end_row - src.start_row;

    for (int i = 0; i < nr; i++) {
        int row = src.start_row + (down > 0 ? nr - 1 - i : i);
        VTermRect line = { row + down, row + down + 1, dest.start_col,
                           dest.end_col };
        const struct emul_cell *from;

        if (!clip(e, &line) || row < 0 || row >= e->rows)
            continue;
        /* The source has to be inside as well. */
        if (line.start_col - right < 0)
            line.start_col = right;
        if (line.end_col - right > e->cols)
            line.end_col = e->cols + right;
        if (line.start_col >= line.end_col)
            continue;
        from = cell_at(e, row, line.start_col - right);
        memmove(cell_at(e, line.start_row, line.start_col), from,
                (size_t)(line.end_col - line.start_col) * sizeof(*from));
    }
    return 1;
}

/*
 * Selective erase (DECSED) is treated as plain erase: we keep no protection
 * attribute.
 */
static int on_erase(VTermRect rect, int selective, void *user)
{
    struct emul *e = user;

    (void)selective;
    if (!clip(e, &rect))
        return 1;
    for (int row = rect.start_row; row < rect.end_row; row++)
        memset(cell_at(e, row, rect.start_col), 0,
               (size_t)(rect.end_col - rect.start_col) *
               sizeof(struct emul_cell));
    return 1;
}

static int on_initpen(void *user)
{
    ((struct emul *)user)->attr = 0;
    return 1;
}

static int on_pen(VTermAttr attr, VTermValue *val, void *user)
{
    struct emul *e = user;

    e->attr = lines_pen(e->attr, attr, val);
    return 1;
}

/*
 * The alternate screen is ours to keep: programs find it empty and the main
 * screen untouched when they leave.
 */
static int on_prop(VTermProp prop, VTermValue *val, void *user)
{
    struct emul *e = user;

    if (prop == VTERM_PROP_CURSORVISIBLE)
        e->cursor_visible = val->boolean;
    if (prop == VTERM_PROP_ALTSCREEN) {
        e->screen = val->boolean != 0;
        if (e->screen)
            memset(e->cells[1], 0, (size_t)(e->rows * e->cols) *
                   sizeof(struct emul_cell));
    }
    return 1;
}

static const VTermStateCallbacks callbacks = {
    .putglyph = on_glyph,
    .movecursor = on_cursor,
    .moverect = on_moverect,
    .erase = on_erase,
    .initpen = on_initpen,
    .setpenattr = on_pen,
    .settermprop = on_prop,
};

static struct emul_cell *new_cells(int rows, int cols)
{
    return xcalloc((size_t)(rows * cols), sizeof(struct emul_cell));
}

struct emul *emul_new(int rows, int cols, emul_reply_fn *reply, void *user)
{
    struct emul *e = xcalloc(1, sizeof(*e));

    e->rows = rows < 1 ? 1 : rows;
    e->cols = cols < MIN_COLS ? MIN_COLS : cols;
    e->cells[0] = new_cells(e->rows, e->cols);
    e->cells[1] = new_cells(e->rows, e->cols);
    e->cursor_visible = true;
    e->vt = vterm_new(e->rows, e->cols);
    vterm_set_utf8(e->vt, 1);
    vterm_output_set_callback(e->vt, reply, user);
    e->state = vterm_obtain_state(e->vt);
    vterm_state_set_callbacks(e->state, &callbacks, e);
    vterm_state_reset(e->state, 1);
    return e;
}

void emul_free(struct emul *e)
{
    if (!e)
        return;
    vterm_free(e->vt);
    free(e->cells[0]);
    free(e->cells[1]);
    free(e);
}

/* Control strings are taken out first; see vtfilter.h for why. */
void emul_feed(struct emul *e, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint8_t clean[4096 + 1];

    while (len) {
        size_t run = len < 4096 ? len : 4096;
        size_t n = vtfilter(&e->filter, clean, p, run);

        vterm_input_write(e->vt, (const char *)clean, n);
        p += run;
        len -= run;
    }
}

/*
 * The upper left part that both sizes have is kept. Cells before libvterm is
 * told: its callbacks come during vterm_set_size().
 */
void emul_resize(struct emul *e, int rows, int cols)
{
    int old_rows = e->rows, old_cols = e->cols;
    int low = rows < old_rows ? rows : old_rows;
    int left;

    if (cols < MIN_COLS)
        cols = MIN_COLS;
    left = cols < old_cols ? cols : old_cols;
    if (rows < 1 || (rows == old_rows && cols == old_cols))
        return;
    for (int i = 0; i < 2; i++) {
        struct emul_cell *cells = new_cells(rows, cols);

        for (int row = 0; row < low; row++)
            memcpy(cells + row * cols, e->cells[i] + row * old_cols,
                   (size_t)left * sizeof(*cells));
        free(e->cells[i]);
        e->cells[i] = cells;
    }
    e->rows = rows;
    e->cols = cols;
    vterm_set_size(e->vt, rows, cols);
}

void emul_size(const struct emul *e, int *rows, int *cols)
{
    *rows = e->rows;
    *cols = e->cols;
}

struct emul_cell emul_cell(const struct emul *e, int row, int col)
{
    static const struct emul_cell none;
    const struct emul_cell *c = cell_at(e, row, col);

    return c ? *c : none;
}

/* Clamped: libvterm may leave the cursor one column behind the last. */
bool emul_cursor(const struct emul *e, int *row, int *col)
{
    VTermPos pos;

    vterm_state_get_cursorpos(e->state, &pos);
    *row = pos.row < e->rows ? pos.row : e->rows - 1;
    *col = pos.col < e->cols ? pos.col : e->cols - 1;
    return e->cursor_visible;
}

static const struct { wint_t curses; VTermKey vterm; } keys[] = {
    { KEY_UP, VTERM_KEY_UP },
    { KEY_DOWN, VTERM_KEY_DOWN },
    { KEY_LEFT, VTERM_KEY_LEFT },
    { KEY_RIGHT, VTERM_KEY_RIGHT },
    { KEY_HOME, VTERM_KEY_HOME },
    { KEY_END, VTERM_KEY_END },
    { KEY_PPAGE, VTERM_KEY_PAGEUP },
    { KEY_NPAGE, VTERM_KEY_PAGEDOWN },
    { KEY_IC, VTERM_KEY_INS },
    { KEY_DC, VTERM_KEY_DEL },
    { KEY_BACKSPACE, VTERM_KEY_BACKSPACE },
    { KEY_ENTER, VTERM_KEY_ENTER },
};

/*
 * Application cursor and keypad modes that the program has set decide the
 * bytes; libvterm knows them.
 */
bool emul_key(struct emul *e, wint_t key, bool is_code)
{
    if (!is_code) {
        vterm_keyboard_unichar(e->vt, (uint32_t)key, VTERM_MOD_NONE);
        return true;
    }
    if (key >= KEY_F(1) && key <= KEY_F(24)) {
        vterm_keyboard_key(e->vt,
                           (VTermKey)VTERM_KEY_FUNCTION(key - KEY_F(0)),
                           VTERM_MOD_NONE);
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].curses == key) {
            vterm_keyboard_key(e->vt, keys[i].vterm, VTERM_MOD_NONE);
            return true;
        }
    return false;
}
