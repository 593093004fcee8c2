/* SPDX-License-Identifier: GPL-2.0-only */
/* Prompts, and what asks through them: search and save. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "screen.h"
#include "util.h"

void prompt_open(struct screen *sc, const char *question,
                 screen_action_fn *answered)
{
    sc->overlay = OVER_PROMPT;
    sc->question = question;
    sc->answered = answered;
    sc->answer_len = 0;
    sc->answer[0] = L'\0';
}

const char *prompt_text(const struct screen *sc, char *buf, size_t size)
{
    if (wcstombs(buf, sc->answer, size) >= size)
        *buf = '\0';
    return buf;
}

static bool is_erase(wint_t key, bool is_code)
{
    return is_code ? key == KEY_BACKSPACE : key == 0x7f || key == 8;
}

/*
 * A line editor of the simplest kind: characters, backspace, CTRL-u, Enter,
 * Esc.
 */
void prompt_key(struct screen *sc, wint_t key, bool is_code)
{
    bool enter = is_code ? key == KEY_ENTER : key == L'\r' || key == L'\n';

    if (enter) {
        sc->overlay = OVER_NONE;
        sc->answered(sc);
    } else if (is_erase(key, is_code)) {
        if (sc->answer_len)
            sc->answer[--sc->answer_len] = L'\0';
    } else if (!is_code && (key == 27 || key == 3)) {
        sc->overlay = OVER_NONE;
    } else if (!is_code && key == 21) {
        sc->answer_len = 0;
        sc->answer[0] = L'\0';
    } else if (!is_code && iswprint(key) &&
               sc->answer_len + 1 < PROMPT_MAX) {
        sc->answer[sc->answer_len++] = (wchar_t)key;
        sc->answer[sc->answer_len] = L'\0';
    }
}

/* Shows the line with the match about the middle of the pane. */
static void show_match(struct screen *sc, uint64_t number)
{
    struct pane *p = sc->focus;
    uint64_t next = lines_next(p->lines);
    uint64_t bottom = number + 1 + (uint64_t)(p->rows > 4 ? p->rows / 3 : 0);

    p->match_line = number;
    p->has_match = true;
    p->follow = bottom >= next;
    p->bottom = bottom;
}

static bool matches(struct screen *sc, uint64_t number)
{
    const struct tline *t = lines_get(sc->focus->lines, number);
    size_t start, end;

    return t && regex_find(sc->search, t->text, t->len, 0, &start, &end);
}

/*
 * From the last match on, or from the newest line. Lines that left the
 * history are skipped by its numbering.
 */
void find_again(struct screen *sc, bool older)
{
    struct pane *p = sc->focus;
    uint64_t first = lines_first(p->lines), next = lines_next(p->lines);
    uint64_t at = p->has_match ? p->match_line : next;

    if (!sc->search) {
        find_open(sc);
        return;
    }
    while (older ? at > first : at + 1 < next) {
        at = older ? at - 1 : at + 1;
        if (!matches(sc, at))
            continue;
        show_match(sc, at);
        screen_say(sc, "'%s' in line %llu of %llu", sc->search_text,
                   (unsigned long long)(at - first + 1),
                   (unsigned long long)(next - first));
        return;
    }
    screen_say(sc, "no %s '%s'", older ? "older" : "newer", sc->search_text);
}

/* Small letters only: then large ones match as well. */
static bool has_upper(const wchar_t *text)
{
    for (; *text; text++)
        if (iswupper((wint_t)*text))
            return true;
    return false;
}

/* An empty answer ends the search and its marks. */
static void find_answered(struct screen *sc)
{
    char why[200];
    struct regex *re;

    if (!sc->answer_len) {
        regex_free(sc->search);
        sc->search = NULL;
        return;
    }
    prompt_text(sc, sc->search_text, sizeof(sc->search_text));
    re = regex_new(sc->search_text, !has_upper(sc->answer), why, sizeof(why));
    if (!re) {
        screen_say(sc, "%s", why);
        return;
    }
    regex_free(sc->search);
    sc->search = re;
    sc->focus->has_match = false;
    find_again(sc, true);
}

void find_open(struct screen *sc)
{
    prompt_open(sc, "search (regex):", find_answered);
}

/* The file is overwritten: it was named just now. */
static void save_answered(struct screen *sc)
{
    char path[PROMPT_MAX * 4];
    long nr;

    if (!sc->answer_len)
        return;
    prompt_text(sc, path, sizeof(path));
    nr = pane_save(sc->focus, path);
    if (nr < 0)
        screen_say(sc, "cannot write %s: %s", path, strerror(errno));
    else
        screen_say(sc, "%ld lines saved to %s", nr, path);
}

static void upload_answered(struct screen *sc)
{
    char path[PROMPT_MAX * 4];

    if (sc->answer_len)
        session_send_file(sc->s, prompt_text(sc, path, sizeof(path)));
}

void upload_open(struct screen *sc)
{
    prompt_open(sc, "send text file:", upload_answered);
}

static void exec_answered(struct screen *sc)
{
    char command[PROMPT_MAX * 4];

    if (sc->answer_len)
        session_exec(sc->s, prompt_text(sc, command, sizeof(command)));
}

/* The same key ends a program that has the line. */
void exec_open(struct screen *sc)
{
    if (session_exec_busy(sc->s))
        session_exec_end(sc->s);
    else
        prompt_open(sc, "run on the line (sz -b FILE, rz, ...):",
                    exec_answered);
}

void save_open(struct screen *sc)
{
    prompt_open(sc, "save to file:", save_answered);
}
