/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of settings: one entry serves command line, file and help. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option-table.h"
#include "settings.h"
#include "util.h"

void strings_add(struct strings *s, const char *text)
{
    s->item = xrealloc(s->item, (s->nr + 1) * sizeof(*s->item));
    s->item[s->nr++] = xstrdup(text);
}

static void strings_free(struct strings *s)
{
    for (size_t i = 0; i < s->nr; i++)
        free(s->item[i]);
    free(s->item);
}

void settings_init(struct settings *s)
{
    memset(s, 0, sizeof(*s));
    s->baud = 115200;
    s->frame = xstrdup("8n1");
    s->flow = xstrdup("none");
    s->quit_keys = xstrdup("]b");
    s->prefix_key = xstrdup("t");
    s->scrollback = 10000;
    s->timeout_s = 30;
    s->speed = 1;
}

/*
 * Found by name, so that the file can say several things about one rule, in
 * any order; made when it is not there. The pointer is good until the next
 * call.
 */
struct trigger_rule *settings_trigger(struct settings *s, const char *name)
{
    struct trigger_rule *r;

    for (size_t i = 0; i < s->nr_triggers; i++)
        if (!strcmp(s->triggers[i].name, name))
            return &s->triggers[i];
    s->triggers = xrealloc(s->triggers,
                           (s->nr_triggers + 1) * sizeof(*s->triggers));
    r = &s->triggers[s->nr_triggers++];
    memset(r, 0, sizeof(*r));
    r->name = xstrdup(name);
    return r;
}

struct color_rule *settings_color(struct settings *s, const char *name)
{
    struct color_rule *r;

    for (size_t i = 0; i < s->nr_colors; i++)
        if (!strcmp(s->colors[i].name, name))
            return &s->colors[i];
    s->colors = xrealloc(s->colors, (s->nr_colors + 1) * sizeof(*s->colors));
    r = &s->colors[s->nr_colors++];
    memset(r, 0, sizeof(*r));
    r->name = xstrdup(name);
    return r;
}

/*
 * Strings are found by the option table: a new option cannot be forgotten
 * here.
 */
void settings_free(struct settings *s)
{
    for (const struct option_entry *o = option_table; o->name; o++)
        if (o->type == OPT_STRING)
            free(*(char **)((char *)s + o->what));
    strings_free(&s->symbols);
    for (size_t i = 0; i < s->nr_colors; i++) {
        free(s->colors[i].name);
        free(s->colors[i].match);
        free(s->colors[i].color);
    }
    for (size_t i = 0; i < s->nr_triggers; i++) {
        free(s->triggers[i].name);
        free(s->triggers[i].match);
        free(s->triggers[i].command);
        free(s->triggers[i].keys);
    }
    for (size_t i = 0; i < s->nr_steps; i++)
        free(s->steps[i].text);
    free(s->colors);
    free(s->triggers);
    free(s->steps);
    memset(s, 0, sizeof(*s));
}

static int set_uint(unsigned *out, const char *value, char *why, size_t size)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(value, &end, 0);
    if (errno || end == value || *end || *value == '-' || n > INT_MAX) {
        snprintf(why, size, "'%s' is not a number from 0 to %d", value,
                 INT_MAX);
        return -1;
    }
    *out = (unsigned)n;
    return 0;
}

static int set_seconds(double *out, const char *value, char *why, size_t size)
{
    char *end;
    double n = strtod(value, &end);

    if (end == value || *end || !(n >= 0 && n < 1e9)) {
        snprintf(why, size, "'%s' is not a number of 0 or more", value);
        return -1;
    }
    *out = n;
    return 0;
}

static int set_bool(bool *out, const char *value, char *why, size_t size)
{
    if (!value || !strcmp(value, "yes") || !strcmp(value, "on") ||
        !strcmp(value, "true") || !strcmp(value, "1")) {
        *out = true;
    } else if (!strcmp(value, "no") || !strcmp(value, "off") ||
               !strcmp(value, "false") || !strcmp(value, "0")) {
        *out = false;
    } else {
        snprintf(why, size, "'%s' is neither yes nor no", value);
        return -1;
    }
    return 0;
}

static void set_string(char **out, const char *value)
{
    char *copy = xstrdup(value);

    free(*out);
    *out = copy;
}

static int set_stamp(struct settings *s, const char *value, char *why,
                     size_t size)
{
    static const char *const names[] = { "none", "time", "delta", "start",
                                         "target" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(value ? value : "time", names[i])) {
            s->stamp = (enum stamp)i;
            return 0;
        }
    snprintf(why, size, "'%s' is none of none, time, delta, start, target",
             value);
    return -1;
}

static void add_step(struct settings *s, enum step_kind kind,
                     const char *text)
{
    s->steps = xrealloc(s->steps, (s->nr_steps + 1) * sizeof(*s->steps));
    s->steps[s->nr_steps].kind = kind;
    s->steps[s->nr_steps++].text = xstrdup(text ? text : "");
    s->mode = MODE_BATCH;
}

/* "REGEX=COLOUR": the last '=' divides, regexes have them too. */
static int add_color(struct settings *s, const char *value, char *why,
                     size_t size)
{
    const char *eq = strrchr(value, '=');
    struct color_rule *r;

    if (!eq || eq == value) {
        snprintf(why, size, "'%s' is not REGEX=COLOR", value);
        return -1;
    }
    r = settings_color(s, value);
    free(r->match);
    r->match = xasprintf("%.*s", (int)(eq - value), value);
    set_string(&r->color, eq + 1);
    return 0;
}

static int add_trigger(struct settings *s, const char *value)
{
    struct trigger_rule *r = settings_trigger(s, value);

    set_string(&r->match, value);
    r->freeze = r->bell = true;
    return 0;
}

/* Settings that are more than one value in one field. */
static int apply_special(struct settings *s, const struct option_entry *o,
                         const char *value, char *why, size_t size)
{
    switch ((enum option_special)o->what) {
    case SPECIAL_STAMP: return set_stamp(s, value, why, size);
    case SPECIAL_SYMBOLS: strings_add(&s->symbols, value); return 0;
    case SPECIAL_COLOR: return add_color(s, value, why, size);
    case SPECIAL_TRIGGER: return add_trigger(s, value);
    case SPECIAL_TIMEOUT:
        if (set_seconds(&s->timeout_s, value, why, size))
            return -1;
        add_step(s, STEP_TIMEOUT, value);
        return 0;
    case SPECIAL_REPLAY:
        set_string(&s->replay, value);
        s->mode = MODE_REPLAY;
        return 0;
    case SPECIAL_HELP:
    case SPECIAL_VERSION: break;
    }
    snprintf(why, size, "is of use on the command line only");
    return -1;
}

/*
 * The same for the command line and the file: names, checks and messages are
 * one.
 */
int settings_apply(struct settings *s, const char *name, const char *value,
                   char *why, size_t size)
{
    const struct option_entry *o = option_table;
    void *field;
    bool on;

    while (o->name && strcmp(o->name, name))
        o++;
    if (!o->name) {
        snprintf(why, size, "is not a setting; see miniterm --help");
        return -1;
    }
    if (o->arg && o->arg[0] != '[' && !value) {
        snprintf(why, size, "needs a value: %s", o->arg);
        return -1;
    }
    field = (char *)s + o->what; /* if it is one */
    switch (o->type) {
    case OPT_BOOL: return set_bool(field, value, why, size);
    case OPT_UINT: return set_uint(field, value, why, size);
    case OPT_SECONDS: return set_seconds(field, value, why, size);
    case OPT_STRING: set_string(field, value); return 0;
    case OPT_MODE:
        if (set_bool(&on, value, why, size))
            return -1;
        s->mode = on ? (enum mode)o->what : s->mode;
        return 0;
    case OPT_STEP: add_step(s, (enum step_kind)o->what, value); return 0;
    case OPT_SPECIAL: break;
    }
    return apply_special(s, o, value, why, size);
}
