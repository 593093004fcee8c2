/* SPDX-License-Identifier: GPL-2.0-only */
/* The one list of settings, shared by settings.c and options.c. */
#ifndef MINITERM_OPTION_TABLE_H
#define MINITERM_OPTION_TABLE_H

#include <stddef.h>

enum option_type { OPT_BOOL, OPT_UINT, OPT_SECONDS, OPT_STRING, OPT_SPECIAL };

enum option_special {
    SPECIAL_NONE, SPECIAL_STAMP, SPECIAL_SYMBOLS, SPECIAL_COLOR,
    SPECIAL_TRIGGER, SPECIAL_EXPECT, SPECIAL_SEND, SPECIAL_FILE,
    SPECIAL_EXEC,
    SPECIAL_KEYS,
    SPECIAL_BREAK, SPECIAL_WAIT, SPECIAL_TIMEOUT, SPECIAL_SCREEN,
    SPECIAL_LIST, SPECIAL_REPLAY, SPECIAL_HELP, SPECIAL_VERSION,
};

struct option_entry {
    const char *name;  /* of the long option and of the file's setting */
    char letter;       /* short option or 0 */
    const char *arg;   /* NULL: none; "[X]": optional */
    enum option_type type;
    size_t offset;     /* in struct settings, unless special */
    enum option_special special;
    const char *help;  /* NULL: a heading of the help text is in name */
};

/* Ends with a NULL name. */
extern const struct option_entry option_table[];

#endif
