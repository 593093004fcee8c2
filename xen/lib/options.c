/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line: words `name` or `name=value`, separated by spaces.  The
 * table is gathered by the linker (OPTION_* in <hv/options.h>).
 */
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/string.h>

extern const struct option options_start[], options_end[];

u64 parse_size(const char *s, const char **end)
{
    u64 value = strtoul(s, &s, 0);
    unsigned int shift = 0;

    switch (*s) {
    case 'k': case 'K': shift = 10; break;
    case 'm': case 'M': shift = 20; break;
    case 'g': case 'G': shift = 30; break;
    case 't': case 'T': shift = 40; break;
    }
    if (shift != 0)
        s++;
    if (end)
        *end = s;
    return value > (~0UL >> shift) ? ~0UL : value << shift;
}

/* 0 or -EINVAL. */
static int __init set_number(const struct option *o, const char *value)
{
    const char *end;
    u64 n = o->kind == OPT_SIZE ? parse_size(value, &end)
                                : strtoul(value, &end, 0);

    if (end == value || *end != '\0')
        return -EINVAL;
    if (o->kind == OPT_SIZE)
        *(u64 *)o->var = n;
    else if (n > 0xffffffff)
        return -EINVAL;
    else
        *(unsigned int *)o->var = (unsigned int)n;
    return 0;
}

/* `name` and `name=<anything>` turn it on, but for the ways to say no. */
static int __init set_bool(const struct option *o, const char *value)
{
    static const char *const no[] __initconst = {"0", "n", "no", "off",
                                                  "false"};
    bool on = true;

    for (unsigned int i = 0; i < ARRAY_SIZE(no); i++)
        if (strcmp(value, no[i]) == 0)
            on = false;
    *(bool *)o->var = on;
    return 0;
}

/* OPTION_CUSTOM's function or one of the above. 0, -EINVAL, -E2BIG cut off. */
static int __init set_option(const struct option *o, const char *value)
{
    switch (o->kind) {
    case OPT_BOOL:
        return set_bool(o, value);
    case OPT_UINT:
    case OPT_SIZE:
        return set_number(o, value);
    case OPT_STRING:
        return strlcpy(o->var, value, o->len) >= o->len ? -E2BIG : 0;
    case OPT_CUSTOM:
        return o->parse(value);
    }
    return -EINVAL;
}

static const struct option *__init find_option(const char *name, size_t len)
{
    for (const struct option *o = options_start; o < options_end; o++)
        if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
            return o;
    return NULL;
}

static void __init parse_word(const char *word, option_report_fn report)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const char *value = equals ? equals + 1 : "";
    const struct option *o = find_option(word, len);
    int rc = o ? set_option(o, value) : -ENOENT;

    if (rc != 0)
        report(word, rc);
}

void __init options_split(const char *list, void (*fn)(const char *word))
{
    char word[32];

    for (;;) {
        const char *comma = strchr(list, ',');
        size_t len = comma ? (size_t)(comma - list) : strlen(list);

        strlcpy(word, list, MIN(len + 1, sizeof(word)));
        fn(word);
        if (!comma)
            return;
        list = comma + 1;
    }
}

void __init options_parse(const char *cmdline, option_report_fn report)
{
    char word[256];
    size_t len;

    for (;;) {
        while (*cmdline == ' ' || *cmdline == '\t')
            cmdline++;
        if (*cmdline == '\0')
            return;
        for (len = 0; cmdline[len] != '\0' && cmdline[len] != ' ' &&
                      cmdline[len] != '\t';
             len++)
            ;
        strlcpy(word, cmdline, MIN(len + 1, sizeof(word)));
        parse_word(word, report);
        cmdline += len;
    }
}
