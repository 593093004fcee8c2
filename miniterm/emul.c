/* SPDX-License-Identifier: GPL-2.0-only */
/* Full-screen terminal emulation by libvterm. */
#include <stdlib.h>
#include <vterm.h>

#include <curses.h>

#include "emul.h"
#include "lines.h"
#include "util.h"

struct emul {
    VTerm *vt;
    VTermScreen *screen;
    bool cursor_visible;
};

static int on_prop(VTermProp prop, VTermValue *val, void *user)
{
    struct emul *e = user;

    if (prop == VTERM_PROP_CURSORVISIBLE)
        e->cursor_visible = val->boolean;
    return 1;
}

static const VTermScreenCallbacks callbacks = { .settermprop = on_prop };

struct emul *emul_new(int rows, int cols, emul_reply_fn *reply, void *user)
{
    struct emul *e = xcalloc(1, sizeof(*e));

    e->cursor_visible = true;
    e->vt = vterm_new(rows < 1 ? 1 : rows, cols < 1 ? 1 : cols);
    vterm_set_utf8(e->vt, 1);
    vterm_output_set_callback(e->vt, reply, user);
    e->screen = vterm_obtain_screen(e->vt);
    vterm_screen_enable_altscreen(e->screen, 1);
    vterm_screen_set_callbacks(e->screen, &callbacks, e);
    vterm_screen_reset(e->screen, 1);
    return e;
}

void emul_free(struct emul *e)
{
    if (!e)
        return;
    vterm_free(e->vt);
    free(e);
}

void emul_feed(struct emul *e, const void *data, size_t len)
{
    vterm_input_write(e->vt, data, len);
    vterm_screen_flush_damage(e->screen);
}

void emul_resize(struct emul *e, int rows, int cols)
{
    int old_rows, old_cols;

    vterm_get_size(e->vt, &old_rows, &old_cols);
    if (rows > 0 && cols > 0 && (rows != old_rows || cols != old_cols))
        vterm_set_size(e->vt, rows, cols);
}

void emul_size(const struct emul *e, int *rows, int *cols)
{
    vterm_get_size(e->vt, rows, cols);
}

/* One of the 16 colours + 1, 0 for the default. */
static unsigned color_number(struct emul *e, VTermColor c)
{
    if (VTERM_COLOR_IS_DEFAULT_FG(&c) || VTERM_COLOR_IS_DEFAULT_BG(&c))
        return 0;
    if (VTERM_COLOR_IS_INDEXED(&c) && c.indexed.idx < 16)
        return 1u + c.indexed.idx;
    vterm_screen_convert_color_to_rgb(e->screen, &c);
    return 1u + (c.rgb.red >= 96) + 2u * (c.rgb.green >= 96) +
           4u * (c.rgb.blue >= 96);
}

struct emul_cell emul_cell(const struct emul *e, int row, int col)
{
    VTermPos pos = { row, col };
    struct emul_cell out = { 0, 0 };
    VTermScreenCell cell;
    unsigned attr;

    if (!vterm_screen_get_cell(e->screen, pos, &cell))
        return out;
    attr = color_number((struct emul *)e, cell.fg) |
           color_number((struct emul *)e, cell.bg) << 5;
    attr |= cell.attrs.bold ? ATTR_BOLD : 0;
    attr |= cell.attrs.underline ? ATTR_UNDERLINE : 0;
    attr |= cell.attrs.reverse ? ATTR_REVERSE : 0;
    out.ch = cell.chars[0];
    out.attr = (uint16_t)attr;
    return out;
}

bool emul_cursor(const struct emul *e, int *row, int *col)
{
    VTermPos pos;

    vterm_state_get_cursorpos(vterm_obtain_state(e->vt), &pos);
    *row = pos.row;
    *col = pos.col;
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
