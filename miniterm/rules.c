/* SPDX-License-Identifier: GPL-2.0-only */
/* Colour rules and triggers: the shipped ones and the user's. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "regex.h"
#include "rules.h"
#include "util.h"

struct color_match {
    struct regex *re;
    uint16_t attr;
};

struct trigger_match {
    struct regex *re;
    struct trigger_rule *rule; /* the settings' or our own copy */
};

struct rules {
    struct color_match *colors;
    size_t nr_colors;
    struct trigger_match *triggers;
    size_t nr_triggers;
    struct trigger_rule shipped[16];
};

/*
 * What a crash looks like: messages of this hypervisor and of Linux.  In the
 * configuration file, [trigger NAME] changes one of these or switches it off.
 */
static const struct { const char *name, *match; } shipped_triggers[] = {
    { "panic", "^Panic on CPU|Kernel panic - not syncing|[Pp]anic:" },
    { "bug", "^(Xen )?BUG at|kernel BUG at|Assertion '.*' failed" },
    { "double-fault", "[Dd]ouble [Ff]ault" },
    { "fault", "^(CPU[0-9]+ )?(FATAL|Unhandled) (TRAP|PAGE FAULT|FAULT)|"
               "fault in (the )?hypervisor" },
    { "oops", "Oops: [0-9a-f]{4}|BUG: unable to handle|"
              "general protection fault.*: [0-9a-f]{4} \\[#" },
    { "watchdog", "[Ww]atchdog( timer)? (detected|bite|expired)|soft lockup|"
                  "CPU#?[0-9]+ (is |has been )?stuck|rcu.*detected stalls" },
    { "machine-check",
      "[Mm]achine [Cc]heck( exception| abort|, [0-9]+ banks)" },
    { "domain-crash", "domain_crash|Domain [0-9]+ .*crashed" },
};

static const struct { const char *match, *color; } shipped_colors[] = {
    { "[Pp]anic|BUG|Oops|FATAL|[Dd]ouble [Ff]ault", "bold white on red" },
    { "\\b(ERROR|[Ee]rror|[Ff]ailed|[Ff]ault)\\b", "red" },
    { "\\b(WARNING|[Ww]arning|WARN)\\b", "yellow" },
    { "^\\*\\*\\* ", "cyan" },
};

static int color_by_name(const char *word)
{
    static const char *const names[] = {
        "black", "red", "green", "yellow", "blue", "magenta", "cyan",
        "white",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(word, names[i]))
            return (int)i;
    return -1;
}

/* Words in any order; behind `on` a color is the background. */
bool rules_parse_color(const char *text, uint16_t *attr)
{
    char copy[80], *word, *next = copy;
    unsigned a = 0;
    bool back = false;

    snprintf(copy, sizeof(copy), "%s", text);
    while ((word = strsep(&next, " ,"))) {
        int color = color_by_name(word);

        if (!*word)
            continue;
        if (color >= 0)
            a |= (1u + (unsigned)color) << (back ? 5 : 0);
        else if (!strcmp(word, "on"))
            back = true;
        else if (!strcmp(word, "bold"))
            a |= ATTR_BOLD;
        else if (!strcmp(word, "underline"))
            a |= ATTR_UNDERLINE;
        else if (!strcmp(word, "reverse"))
            a |= ATTR_REVERSE;
        else
            return false;
    }
    *attr = (uint16_t)a;
    return true;
}

/* Messages go to stderr: rules are made before the screen is. */
static int add_color(struct rules *r, const char *match, const char *color)
{
    struct color_match m;
    char why[200];

    if (!rules_parse_color(color, &m.attr)) {
        fprintf(stderr, "miniterm: '%s' is no color; write, say, "
                "'bold red on yellow' or 'reverse'\n", color);
        return -1;
    }
    m.re = regex_new(match, false, why, sizeof(why));
    if (!m.re) {
        fprintf(stderr, "miniterm: color rule %s\n", why);
        return -1;
    }
    r->colors = xrealloc(r->colors,
                         (r->nr_colors + 1) * sizeof(*r->colors));
    r->colors[r->nr_colors++] = m;
    return 0;
}

static int add_trigger(struct rules *r, struct trigger_rule *rule)
{
    char why[200];
    struct regex *re = regex_new(rule->match, false, why, sizeof(why));

    if (!re) {
        fprintf(stderr, "miniterm: trigger %s\n", why);
        return -1;
    }
    r->triggers = xrealloc(r->triggers,
                           (r->nr_triggers + 1) * sizeof(*r->triggers));
    r->triggers[r->nr_triggers].re = re;
    r->triggers[r->nr_triggers++].rule = rule;
    return 0;
}

/* A user's rule of the same name takes the shipped pattern if it has none. */
static int add_shipped(struct rules *r, const struct settings *set, size_t i)
{
    struct trigger_rule *own = &r->shipped[i];

    own->name = (char *)shipped_triggers[i].name;
    own->match = (char *)shipped_triggers[i].match;
    own->freeze = own->bell = own->shipped = true;
    for (size_t k = 0; k < set->nr_triggers; k++) {
        const struct trigger_rule *user = &set->triggers[k];

        if (strcmp(user->name, own->name))
            continue;
        if (user->match || user->off)
            return 0;
        own->command = user->command;
        own->keys = user->keys;
        own->gdb = user->gdb;
    }
    return add_trigger(r, own);
}

/* In order of precedence: the user's before the shipped ones. */
static int add_all(struct rules *r, const struct settings *set)
{
    for (size_t i = 0; i < set->nr_colors; i++)
        if (set->colors[i].match && set->colors[i].color &&
            add_color(r, set->colors[i].match, set->colors[i].color))
            return -1;
    for (size_t i = 0; i < ARRAY_SIZE(shipped_colors); i++)
        if (add_color(r, shipped_colors[i].match, shipped_colors[i].color))
            return -1;
    for (size_t i = 0; i < set->nr_triggers; i++)
        if (set->triggers[i].match && !set->triggers[i].off &&
            add_trigger(r, &set->triggers[i]))
            return -1;
    for (size_t i = 0; i < ARRAY_SIZE(shipped_triggers); i++)
        if (add_shipped(r, set, i))
            return -1;
    return 0;
}

struct rules *rules_new(const struct settings *set)
{
    struct rules *r = xcalloc(1, sizeof(*r));

    if (!add_all(r, set))
        return r;
    rules_free(r);
    return NULL;
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->nr_colors; i++)
        regex_free(r->colors[i].re);
    for (size_t i = 0; i < r->nr_triggers; i++)
        regex_free(r->triggers[i].re);
    free(r->colors);
    free(r->triggers);
    free(r);
}

/*
 * The first match counts; with the shipped rules alone that is four searches
 * for a line that is drawn.
 */
uint16_t rules_color(const struct rules *r, const char *text, size_t len)
{
    size_t start, end;

    for (size_t i = 0; i < r->nr_colors; i++)
        if (regex_find(r->colors[i].re, text, len, 0, &start, &end))
            return r->colors[i].attr;
    return 0;
}

/* Called once for each complete line. */
const struct trigger_rule *rules_trigger(const struct rules *r,
                                         const char *text, size_t len)
{
    size_t start, end;

    for (size_t i = 0; i < r->nr_triggers; i++)
        if (regex_find(r->triggers[i].re, text, len, 0, &start, &end))
            return r->triggers[i].rule;
    return NULL;
}
