/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command-line options. Words are separated by spaces: `name` or `name=value`;
 * each later one overrides. Integers: decimal, 0x hex, 0 octal; sizes take
 * K, M, G suffixes. Declared where they are used; unknown words are named on
 * the console once. Floor: lib.
 */
#ifndef HV_OPTIONS_H
#define HV_OPTIONS_H

#include <hv/compiler.h>
#include <hv/types.h>

enum option_kind { OPT_BOOL, OPT_UINT, OPT_SIZE, OPT_STRING, OPT_CUSTOM };

struct option {
    const char *name;
    enum option_kind kind;
    void *var;
    size_t len;                       /* OPT_STRING: size of the buffer */
    int (*parse)(const char *value);  /* OPT_CUSTOM: -EINVAL = bad value */
};

#define OPTION_DECLARE_(n, k, v, l, p)                                         \
    static const struct option option_##n                                      \
        __attribute__((section(".init.options"), used,                         \
                       aligned(sizeof(void *)))) = {#n, k, v, l, p}
#define OPTION_BOOL(n, var) OPTION_DECLARE_(n, OPT_BOOL, &(var), 0, NULL)
/* var: unsigned int */
#define OPTION_UINT(n, var) OPTION_DECLARE_(n, OPT_UINT, &(var), 0, NULL)
/* var: u64 bytes; a plain number is bytes */
#define OPTION_SIZE(n, var) OPTION_DECLARE_(n, OPT_SIZE, &(var), 0, NULL)
#define OPTION_STRING(n, buf)                                                  \
    OPTION_DECLARE_(n, OPT_STRING, buf, sizeof(buf), NULL)
#define OPTION_CUSTOM(n, fn) OPTION_DECLARE_(n, OPT_CUSTOM, NULL, 0, fn)

/* Told of each word that is not right: -ENOENT no such option, -EINVAL bad
 * value, -E2BIG value cut off. The option keeps its value but for the last. */
typedef void (*option_report_fn)(const char *word, int error);
void options_parse(const char *cmdline, option_report_fn report);
/* fn for each word of a list with commas; of one, 31 characters at most. */
void options_split(const char *list, void (*fn)(const char *word));
/* Number with optional suffix K/M/G (binary); *end as strtoul. */
u64 parse_size(const char *s, const char **end);

#endif
