/* SPDX-License-Identifier: GPL-2.0-only */
/* Tabs, messages, the status line, and the help. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "screen.h"
#include "util.h"

#define MESSAGE_US 8000000

/*
 * All panes with the numbers that choose them; bold ones are in sight. The
 * columns are remembered for clicks.
 */
static void draw_tabs(struct screen *sc)
{
    const struct session *s = sc->s;
    int x = 0;

    attrset(A_NORMAL);
    mvhline(0, 0, ' ', COLS);
    for (unsigned i = 0; i < s->nr_panes; i++) {
        struct pane *p = s->pane[i];
        char text[64];

        snprintf(text, sizeof(text), " %u %s%s ", i + 1, p->title,
                 p->unread && p != sc->focus && !p->rows ? "*" : "");
        attrset(p == sc->focus ? A_BOLD | A_UNDERLINE :
                p->rows ? A_BOLD : A_NORMAL);
        if (x < COLS)
            mvaddnstr(0, x, text, COLS - x);
        x += (int)strlen(text);
        sc->tab_end[i] = x;
    }
    attrset(A_NORMAL);
}

/* Bytes per second in few characters. */
static const char *rate(unsigned n, char buf[16])
{
    if (n < 10000)
        snprintf(buf, 16, "%u", n);
    else
        snprintf(buf, 16, "%uk", n / 1000);
    return buf;
}

static const char *owner_text(const struct session *s, char buf[32])
{
    if (s->keys.owner == HVKEYS_UNKNOWN)
        return "?";
    if (s->keys.owner == HVKEYS_HV)
        return "hypervisor";
    snprintf(buf, 32, "domain %d", s->keys.owner);
    return buf;
}

/* Text with a bound; what does not fit is left out. */
__attribute__((format(printf, 3, 4)))
static void append(char *text, size_t size, const char *fmt, ...)
{
    size_t n = strlen(text);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text + n, size - n, fmt, ap);
    va_end(ap);
}

/* The target, whether it is there, and what flows. */
static void add_line_state(struct screen *sc, char *text, size_t size)
{
    static const char *const states[] = { "DOWN", "connecting", "" };
    const struct session *s = sc->s;
    char a[16], b[16];

    if (s->replaying || !s->line.name)
        append(text, size, " replay %s%s", sc->set->replay,
               sc->replay_paused ? " PAUSED" : "");
    else
        append(text, size, " %s %s", *s->line.where ? s->line.where :
               s->line.name, states[s->line.state]);
    append(text, size, " | in %s/s out %s/s", rate(s->rates.rx, a),
           rate(s->rates.tx, b));
    if (s->has_errors)
        append(text, size, " | fe %u oe %u", s->errors.frame,
               s->errors.overrun);
}

/*
 * `bad` are packets with wrong checksums of both directions, `noise` bytes of
 * the debugger's channel outside any packet.
 */
static void add_gdb_state(struct screen *sc, char *text, size_t size)
{
    const struct session *s = sc->s;
    struct gdbport_status st;

    if (s->set->eight_bit)
        return;
    if (s->gdb) {
        gdbport_get_status(s->gdb, &st);
        append(text, size, " | gdb :%d %s", gdbport_number(s->gdb),
               st.attached ? "attached" : "free");
    }
    append(text, size, " | H bad %llu noise %llu",
           (unsigned long long)(s->rsp_in.bad + s->rsp_out.bad),
           (unsigned long long)s->rsp_in.noise);
}

static void draw_status(struct screen *sc)
{
    const struct session *s = sc->s;
    char text[400] = "", owner[32];

    add_line_state(sc, text, sizeof(text));
    append(text, sizeof(text), " | input: %s", owner_text(s, owner));
    add_gdb_state(sc, text, sizeof(text));
    if (s->nr_triggers)
        append(text, sizeof(text), " | TRIGGERS %u", s->nr_triggers);
    if (s->silent)
        append(text, sizeof(text), " | SILENT");
    if (s->logs.error)
        append(text, sizeof(text), " | LOG FAILED");
    else if (s->logs.text_fd >= 0 || s->logs.record_fd >= 0)
        append(text, sizeof(text), " | log");
    attrset(A_REVERSE);
    mvhline(LINES - 1, 0, ' ', COLS);
    mvaddnstr(LINES - 1, 0, text, COLS);
    attrset(A_NORMAL);
}

/*
 * One row for four uses, the most urgent first: a question, the command key's
 * hint, news, the reminder of the keys.
 */
static void draw_message(struct screen *sc)
{
    char answer[PROMPT_MAX * 4];

    mvhline(LINES - 2, 0, ' ', COLS);
    if (sc->overlay == OVER_PROMPT) {
        mvprintw(LINES - 2, 0, "%s %s", sc->question,
                 prompt_text(sc, answer, sizeof(answer)));
    } else if (sc->overlay == OVER_CONFIRM) {
        mvprintw(LINES - 2, 0, "Press '%c' in the hypervisor: it may stop "
                 "the machine. Sure? (y/n)", sc->confirm_key);
    } else if (sc->prefix) {
        mvaddnstr(LINES - 2, 0, "command? (? shows them all)", COLS);
    } else if (*sc->message && now_us() - sc->message_at < MESSAGE_US) {
        attrset(A_BOLD);
        mvaddnstr(LINES - 2, 0, sc->message, COLS);
        attrset(A_NORMAL);
    } else {
        attrset(A_DIM);
        mvprintw(LINES - 2, 0, "CTRL-%lc ? or F1 help   F2 debug keys   "
                 "F3 search   F5 break in   CTRL-] leave",
                 (wint_t)(sc->prefix_char + 'a' - 1));
        attrset(A_NORMAL);
    }
}

void bars_draw(struct screen *sc)
{
    draw_tabs(sc);
    draw_message(sc);
    draw_status(sc);
}

static unsigned nr_commands(void)
{
    unsigned n = 0;

    while (command_table[n].key)
        n++;
    return n;
}

/* A key's name, up to three characters. */
static const char *help_key(char key, char buf[2])
{
    buf[0] = key;
    buf[1] = '\0';
    return key == '\t' ? "TAB" : key == ' ' ? "SPC" : buf;
}

/* In as many columns as the height asks for. */
void help_draw(struct screen *sc)
{
    unsigned nr = nr_commands(), rows;
    int left = 2;

    rows = (unsigned)(LINES > 8 ? LINES - 8 : 1);
    if (rows > nr)
        rows = nr;
    for (int y = 1; y < (int)rows + 5 && y < LINES - 2; y++)
        mvhline(y, 0, ' ', COLS);
    attrset(A_BOLD);
    mvprintw(1, 2, "Commands: CTRL-%lc and the letter, or the function key.",
             (wint_t)(sc->prefix_char + 'a' - 1));
    attrset(A_NORMAL);
    for (unsigned i = 0; i < nr; i++) {
        const struct command *c = &command_table[i];
        char fkey[8] = "", key[2];

        if (c->fkey)
            snprintf(fkey, sizeof(fkey), "F%d", c->fkey);
        if (left < COLS)
            mvprintw(3 + (int)(i % rows), left, "%-3s %-3s %.40s",
                     help_key(c->key, key), fkey, c->help);
        if ((i + 1) % rows == 0)
            left += 46;
    }
    mvaddnstr((int)rows + 3, 2, "Page keys and the mouse wheel scroll; all "
              "other keys go to the target. Any key ends this help.", COLS);
}

void overlay_draw(struct screen *sc)
{
    if (sc->overlay == OVER_HELP)
        help_draw(sc);
    else if (sc->overlay == OVER_PALETTE)
        palette_draw(sc);
}
