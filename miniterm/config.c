/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration file, read by libinih.  Sections:
 *   [default]         settings for everyone
 *   [profile NAME]    settings of a profile
 *   [color NAME]      match=REGEX, color=WORDS
 *   [trigger NAME]    match=REGEX, freeze, bell, command, keys, gdb, off
 * Settings are the long options by name.  Every error names file and place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "util.h"

struct reading {
    struct settings *s;
    const char *file, *profile;
    bool found, failed;
};

/*
 * Says where the mistake is and goes on reading: one run shows all mistakes.
 * Returning 1 tells libinih that the line was understood.
 */
static int complain(struct reading *r, const char *section, const char *name,
                    const char *why)
{
    fprintf(stderr, "miniterm: %s: [%s] %s: %s\n", r->file, section, name,
            why);
    r->failed = true;
    return 1;
}

/* section + 6 is the name behind "color ". */
static int on_color(struct reading *r, const char *section, const char *name,
                    const char *value)
{
    struct color_rule *rule = settings_color(r->s, section + 6);

    if (!strcmp(name, "match")) {
        free(rule->match);
        rule->match = xstrdup(value);
    } else if (!strcmp(name, "color")) {
        free(rule->color);
        rule->color = xstrdup(value);
    } else {
        return complain(r, section, name, "is neither match nor color");
    }
    return 1;
}

/*
 * Lenient here: anything but a clear yes is a no, as the flags of a trigger
 * only ever add something.
 */
static bool truth(const char *value)
{
    return !strcmp(value, "yes") || !strcmp(value, "on") ||
           !strcmp(value, "true") || !strcmp(value, "1");
}

/*
 * section + 8 is the name behind "trigger ". Fields that are texts and fields
 * that are flags are told apart by which of the two pointers is set.
 */
static int on_trigger(struct reading *r, const char *section,
                      const char *name, const char *value)
{
    struct trigger_rule *rule = settings_trigger(r->s, section + 8);
    char **text = !strcmp(name, "match") ? &rule->match :
                  !strcmp(name, "command") ? &rule->command :
                  !strcmp(name, "keys") ? &rule->keys : NULL;
    bool *flag = !strcmp(name, "freeze") ? &rule->freeze :
                 !strcmp(name, "bell") ? &rule->bell :
                 !strcmp(name, "gdb") ? &rule->gdb :
                 !strcmp(name, "off") ? &rule->off : NULL;

    if (text) {
        free(*text);
        *text = xstrdup(value);
    } else if (flag) {
        *flag = truth(value);
    } else {
        return complain(r, section, name, "is not part of a trigger");
    }
    return 1;
}

/*
 * libinih's callback: once for each name=value. Settings of other profiles
 * are passed over unread.
 */
static int on_value(void *user, const char *section, const char *name,
                    const char *value)
{
    struct reading *r = user;
    char why[160];

    if (!strncmp(section, "color ", 6))
        return on_color(r, section, name, value);
    if (!strncmp(section, "trigger ", 8))
        return on_trigger(r, section, name, value);
    if (!strncmp(section, "profile ", 8)) {
        if (!r->profile || strcmp(section + 8, r->profile))
            return 1;
        r->found = true;
    } else if (strcmp(section, "default")) {
        return complain(r, section, name,
                        "sections are default, profile, color, trigger");
    }
    if (!strcmp(name, "target"))
        name = "device";
    if (settings_apply(r->s, name, value, why, sizeof(why)))
        return complain(r, section, name, why);
    return 1;
}

/*
 * A line that libinih cannot take apart is an error too; it reports only the
 * first of those by number.
 */
int config_read(struct settings *s, const char *file, const char *profile,
                bool must)
{
    struct reading r = { .s = s, .file = file, .profile = profile };
    FILE *f = fopen(file, "re");
    int line;

    if (!f) {
        if (errno == ENOENT && !must)
            return 0;
        fprintf(stderr, "miniterm: %s: %s%s%s\n", file, strerror(errno),
                profile ? "; a bare word names a profile in that file, a "
                          "target has a / or : in it, here: " : "",
                profile ? profile : "");
        return -1;
    }
    line = ini_parse_file(f, on_value, &r);
    fclose(f);
    if (line > 0) {
        fprintf(stderr, "miniterm: %s:%d: neither [section] nor name=value\n",
                file, line);
        r.failed = true;
    }
    if (profile && !r.found && !r.failed) {
        fprintf(stderr, "miniterm: %s has no [profile %s]\n", file, profile);
        r.failed = true;
    }
    return r.failed ? -1 : 0;
}
