/* SPDX-License-Identifier: GPL-2.0-only */
/* Console output as lines, by a terminal of one row. */
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#include "lines.h"
#include "util.h"
#include "vtfilter.h"

struct cell {
    uint32_t ch; /* 0: never written */
    uint16_t attr;
};

struct lines {
    VTerm *vt;
    VTermState *state;
    struct vtfilter filter;
    const struct lines_ops *ops;
    void *user;
    struct tline **kept; /* ring of max entries */
    unsigned max;
    uint64_t next;
    unsigned nr;
    struct cell row[LINES_COLUMNS];
    unsigned used;       /* cells that may hold something */
    uint16_t attr;       /* of what comes next */
    bool empty;
    bool away;           /* a full-screen program has the terminal */
    uint64_t wall, arrived; /* of the line; of the bytes fed now */
    struct tline *current;
};

/*
 * libvterm hands out code points; what is kept, searched and logged is UTF-8.
 */
static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (c >> 18 & 7));
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static void tline_free(struct tline *t)
{
    if (!t)
        return;
    free(t->note);
    free(t->runs);
    free(t);
}

/* The row as a line; trailing blanks without colour are dropped. */
static struct tline *make_line(const struct lines *l)
{
    struct attr_run runs[256];
    unsigned used = l->used, nr = 0;
    struct tline *t;

    while (used && !l->row[used - 1].ch)
        used--;
    t = xcalloc(1, sizeof(*t) + 4 * (size_t)used + 1);
    for (unsigned i = 0; i < used; i++) {
        uint16_t attr = l->row[i].attr;

        if (attr != (nr ? runs[nr - 1].attr : 0) && nr < ARRAY_SIZE(runs)) {
            runs[nr].start = (uint16_t)t->len;
            runs[nr++].attr = attr;
        }
        /* The right half of a wide character holds ~0. */
        if (l->row[i].ch != UINT32_MAX)
            t->len += (unsigned)put_utf8(t->text + t->len, l->row[i].ch ?
                                                           l->row[i].ch : ' ');
    }
    t->nr_runs = nr;
    if (nr) {
        t->runs = xcalloc(nr, sizeof(*runs));
        memcpy(t->runs, runs, nr * sizeof(*runs));
    }
    t->wall = l->wall;
    return t;
}

/*
 * The oldest line makes room. The callback comes last: it may look at the
 * line and annotate it, but not feed us.
 */
static void keep(struct lines *l, struct tline *t)
{
    size_t size = sizeof(*t) + t->len + 1;

    t = xrealloc(t, size);
    if (l->nr == l->max)
        tline_free(l->kept[l->next % l->max]);
    else
        l->nr++;
    l->kept[l->next++ % l->max] = t;
    if (l->ops->done)
        l->ops->done(l->user, t);
}

static void forget_current(struct lines *l)
{
    tline_free(l->current);
    l->current = NULL;
}

/*
 * The row becomes a line even when it is empty: blank lines are part of the
 * picture.
 */
static void finish(struct lines *l)
{
    struct tline *t;

    if (l->empty)
        l->wall = l->arrived;
    t = make_line(l);
    memset(l->row, 0, l->used * sizeof(l->row[0]));
    l->used = 0;
    l->empty = true;
    forget_current(l);
    keep(l, t);
}

/* Called for every character. The first one of a line sets its time. */
static int on_glyph(VTermGlyphInfo *info, VTermPos pos, void *user)
{
    struct lines *l = user;

    /* The width of what is no character at all is negative. */
    if (l->away || info->width < 1 || pos.col < 0 ||
        pos.col + info->width > LINES_COLUMNS)
        return 1;
    if (l->empty)
        l->wall = l->arrived;
    l->empty = false;
    for (int i = 0; i < info->width; i++) {
        l->row[pos.col + i].ch = i ? UINT32_MAX : info->chars[0];
        l->row[pos.col + i].attr = l->attr;
    }
    if ((unsigned)(pos.col + info->width) > l->used)
        l->used = (unsigned)(pos.col + info->width);
    return 1;
}

/* One row: whatever scrolls up by one or more ends the line. */
static int on_scroll(VTermRect rect, int downward, int rightward, void *user)
{
    struct lines *l = user;

    if (l->away)
        return 1;
    if (downward > 0) {
        finish(l);
    } else if (rightward) {
        /* Insert or delete characters: move what is right of the cursor. */
        int from = rect.start_col < 0 ? 0 : rect.start_col;
        int n = LINES_COLUMNS - from;
        int by = rightward > 0 ? rightward : -rightward;

        if (by < n && rightward > 0) {
            memmove(l->row + from, l->row + from + by,
                    (size_t)(n - by) * sizeof(l->row[0]));
            memset(l->row + LINES_COLUMNS - by, 0,
                   (size_t)by * sizeof(l->row[0]));
        } else if (by < n) {
            memmove(l->row + from + by, l->row + from,
                    (size_t)(n - by) * sizeof(l->row[0]));
            memset(l->row + from, 0, (size_t)by * sizeof(l->row[0]));
        }
        l->used = LINES_COLUMNS;
    }
    return 1;
}

/* `used` may shrink with it: trailing cells that were erased do not count. */
static int on_erase(VTermRect rect, int selective, void *user)
{
    struct lines *l = user;
    unsigned start = rect.start_col < 0 ? 0 : (unsigned)rect.start_col;
    unsigned end = rect.end_col < 0 ? 0 : (unsigned)rect.end_col;

    (void)selective;
    if (end > LINES_COLUMNS)
        end = LINES_COLUMNS;
    if (end > l->used)
        end = l->used;
    if (start < end)
        memset(l->row + start, 0, (end - start) * sizeof(l->row[0]));
    if (end == l->used && start < l->used)
        l->used = start;
    return 1;
}

/* Of the cube of 6 by 6 by 6 (16..231) or the greys behind it. */
static unsigned nearest_of_8(unsigned idx)
{
    unsigned n = idx - 16;

    if (idx >= 232)
        return idx >= 244 ? 8 : 1;
    return 1u + (n / 36 >= 3) + 2u * (n / 6 % 6 >= 3) + 4u * (n % 6 >= 3);
}

static unsigned color_number(const VTermColor *c)
{
    if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c))
        return 0;
    if (VTERM_COLOR_IS_INDEXED(c))
        return c->indexed.idx < 16 ? 1u + c->indexed.idx :
               nearest_of_8(c->indexed.idx);
    return 1u + (c->rgb.red >= 96) + 2u * (c->rgb.green >= 96) +
           4u * (c->rgb.blue >= 96);
}

static uint16_t with_flag(unsigned attr, unsigned flag, bool on)
{
    return (uint16_t)(on ? attr | flag : attr & ~flag);
}

uint16_t lines_pen(uint16_t attr, VTermAttr what, const VTermValue *val)
{
    switch (what) {
    case VTERM_ATTR_BOLD: return with_flag(attr, ATTR_BOLD, val->boolean);
    case VTERM_ATTR_UNDERLINE:
        return with_flag(attr, ATTR_UNDERLINE, val->number);
    case VTERM_ATTR_REVERSE:
        return with_flag(attr, ATTR_REVERSE, val->boolean);
    case VTERM_ATTR_FOREGROUND:
        return (uint16_t)((attr & ~0x1fu) | color_number(&val->color));
    case VTERM_ATTR_BACKGROUND:
        return (uint16_t)((attr & ~0x3e0u) | color_number(&val->color) << 5);
    default: return attr;
    }
}

static int on_pen(VTermAttr attr, VTermValue *val, void *user)
{
    struct lines *l = user;

    l->attr = lines_pen(l->attr, attr, val);
    return 1;
}

static int on_initpen(void *user)
{
    ((struct lines *)user)->attr = 0;
    return 1;
}

static int on_prop(VTermProp prop, VTermValue *val, void *user)
{
    struct lines *l = user;

    if (prop != VTERM_PROP_ALTSCREEN)
        return 1;
    l->away = val->boolean;
    if (l->ops->alt_screen)
        l->ops->alt_screen(l->user, val->boolean);
    return 1;
}

static int on_bell(void *user)
{
    struct lines *l = user;

    if (l->ops->bell)
        l->ops->bell(l->user);
    return 1;
}

static int on_move(VTermPos pos, VTermPos old, int visible, void *user)
{
    (void)pos, (void)old, (void)visible, (void)user;
    return 1;
}

static const VTermStateCallbacks callbacks = {
    .putglyph = on_glyph,
    .movecursor = on_move,
    .scrollrect = on_scroll,
    .erase = on_erase,
    .initpen = on_initpen,
    .setpenattr = on_pen,
    .settermprop = on_prop,
    .bell = on_bell,
};

/* Answers to queries of the target: here there is no one terminal to ask. */
static void no_answer(const char *s, size_t len, void *user)
{
    (void)s, (void)len, (void)user;
}

struct lines *lines_new(unsigned max, const struct lines_ops *ops,
                        void *user)
{
    struct lines *l = xcalloc(1, sizeof(*l));

    l->max = max < 100 ? 100 : max;
    l->kept = xcalloc(l->max, sizeof(*l->kept));
    l->ops = ops;
    l->user = user;
    l->empty = true;
    l->vt = vterm_new(1, LINES_COLUMNS);
    vterm_set_utf8(l->vt, 1);
    vterm_output_set_callback(l->vt, no_answer, NULL);
    l->state = vterm_obtain_state(l->vt);
    vterm_state_set_callbacks(l->state, &callbacks, l);
    vterm_state_reset(l->state, 1);
    /* A bare LF ends a line too and starts the next at its left edge (LNM). */
    vterm_input_write(l->vt, "\033[20h", 5);
    l->used = 0;
    return l;
}

void lines_clear(struct lines *l)
{
    for (unsigned i = 0; i < l->max; i++) {
        tline_free(l->kept[i]);
        l->kept[i] = NULL;
    }
    l->nr = 0;
}

void lines_free(struct lines *l)
{
    if (!l)
        return;
    lines_clear(l);
    forget_current(l);
    vterm_free(l->vt);
    free(l->kept);
    free(l);
}

/* In pieces of a bounded size, because the filter needs a buffer. */
void lines_feed(struct lines *l, const void *data, size_t len, uint64_t wall)
{
    const uint8_t *p = data;
    uint8_t clean[4096 + 1];

    l->arrived = wall;
    forget_current(l);
    while (len) {
        size_t run = len < 4096 ? len : 4096;
        size_t n = vtfilter(&l->filter, clean, p, run);

        vterm_input_write(l->vt, (const char *)clean, n);
        p += run;
        len -= run;
    }
}

void lines_end(struct lines *l)
{
    if (!l->empty)
        lines_feed(l, "\r\n", 2, l->arrived);
}

/*
 * A mark does not disturb a half-written line: that one is ended first, its
 * rest becomes a line of its own.
 */
void lines_mark(struct lines *l, const char *text, uint64_t wall)
{
    size_t len = strlen(text);
    struct tline *t = xcalloc(1, sizeof(*t) + len + 1);

    lines_end(l);
    memcpy(t->text, text, len);
    t->len = (unsigned)len;
    t->wall = wall;
    t->mark = true;
    keep(l, t);
}

uint64_t lines_first(const struct lines *l)
{
    return l->next - l->nr;
}

uint64_t lines_next(const struct lines *l)
{
    return l->next;
}

struct tline *lines_get(const struct lines *l, uint64_t number)
{
    if (number >= l->next || number < l->next - l->nr)
        return NULL;
    return l->kept[number % l->max];
}

/*
 * Built when asked for and kept until the next byte: drawing asks twice for
 * each picture.
 */
const struct tline *lines_current(struct lines *l)
{
    if (l->empty)
        return NULL;
    if (!l->current)
        l->current = make_line(l);
    return l->current;
}

unsigned lines_cursor(const struct lines *l)
{
    VTermPos pos;

    vterm_state_get_cursorpos(l->state, &pos);
    return (unsigned)pos.col;
}

bool lines_away(const struct lines *l)
{
    return l->away;
}
