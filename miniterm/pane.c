/* SPDX-License-Identifier: GPL-2.0-only */
/* One stream of output with its history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pane.h"
#include "util.h"

/*
 * Of more than fits only the end is copied; total counts all of it, so that
 * offsets stay true.
 */
void rawring_put(struct rawring *r, const uint8_t *data, size_t len)
{
    if (len > RAW_KEEP) {
        r->total += len - RAW_KEEP;
        data += len - RAW_KEEP;
        len = RAW_KEEP;
    }
    while (len) {
        size_t at = r->total % RAW_KEEP;
        size_t run = RAW_KEEP - at < len ? RAW_KEEP - at : len;

        memcpy(r->data + at, data, run);
        r->total += run;
        data += run;
        len -= run;
    }
}

static void make_title(struct pane *p)
{
    static const char *const names[] = { "hypervisor", "", "gdb packets",
                                         "frozen", "gdb" };

    if (p->kind == PANE_DOMAIN)
        snprintf(p->title, sizeof(p->title), "domain %d", p->domain);
    else
        snprintf(p->title, sizeof(p->title), "%s", names[p->kind]);
}

struct pane *pane_new(struct session *s, enum pane_kind kind, int domain,
                      unsigned scrollback, const struct lines_ops *ops)
{
    struct pane *p = xcalloc(1, sizeof(*p));

    p->kind = kind;
    p->domain = domain;
    p->session = s;
    p->proc_fd = -1;
    p->follow = true;
    p->lines = lines_new(scrollback, ops, p);
    p->raw = xcalloc(1, sizeof(*p->raw));
    make_title(p);
    return p;
}

void pane_free(struct pane *p)
{
    if (!p)
        return;
    if (p->proc_fd >= 0)
        close(p->proc_fd);
    lines_free(p->lines);
    emul_free(p->emul);
    free(p->raw);
    free(p);
}

static void start_emul(struct pane *p, emul_reply_fn *reply)
{
    p->emul = emul_new(p->rows > 0 ? p->rows : 24,
                       p->cols > 0 ? p->cols : 80, reply, p);
}

/*
 * The program gave the screen back. A terminal that a person asked for stays.
 */
void pane_alt_screen(struct pane *p, bool on)
{
    if (on || p->emul_by_hand)
        return;
    emul_free(p->emul);
    p->emul = NULL;
}

/*
 * From lines to a terminal, the terminal starts empty: the program behind it
 * has to redraw (CTRL-l in most).
 */
void pane_toggle_emul(struct pane *p, emul_reply_fn *reply)
{
    p->emul_by_hand = !p->emul;
    if (p->emul) {
        emul_free(p->emul);
        p->emul = NULL;
    } else {
        start_emul(p, reply);
    }
}

void pane_feed(struct pane *p, const uint8_t *data, size_t len,
               uint64_t wall, emul_reply_fn *reply)
{
    rawring_put(p->raw, data, len);
    if (p->kind != PANE_PROC)
        lines_feed(p->lines, data, len, wall);
    /*
     * A program has taken the screen in these very bytes: its terminal sees
     * them all, and switching to the alternate screen clears what was before.
     */
    if (!p->emul && lines_away(p->lines))
        start_emul(p, reply);
    if (p->emul)
        emul_feed(p->emul, data, len);
    p->unread = true;
}

/* Text as it is seen, with times in UTC and the notes behind it. */
long pane_save(struct pane *p, const char *path)
{
    FILE *f = fopen(path, "we");
    const struct tline *cur = lines_current(p->lines);
    char when[TIME_TEXT_MAX];
    uint64_t i;

    if (!f)
        return -1;
    for (i = lines_first(p->lines); i < lines_next(p->lines); i++) {
        const struct tline *t = lines_get(p->lines, i);

        time_text(when, t->wall);
        fprintf(f, "%s %s%s%s\n", when, t->text, t->note ? "  ; " : "",
                t->note ? t->note : "");
    }
    if (cur)
        fprintf(f, "%s\n", cur->text);
    if (fclose(f))
        return -1;
    return (long)(i - lines_first(p->lines)) + (cur != NULL);
}
