/* SPDX-License-Identifier: GPL-2.0-only */
/* The one list of settings, shared by settings.c and options.c. */
#ifndef MINITERM_OPTION_TABLE_H
#define MINITERM_OPTION_TABLE_H

#include <stddef.h>

enum option_type {
    OPT_BOOL, OPT_UINT, OPT_SECONDS, OPT_STRING, /* fields of settings */
    OPT_MODE,    /* what the program is to be: an enum mode */
    OPT_STEP,    /* of batch mode: an enum step_kind */
    OPT_SPECIAL, /* more than a value in a field */
};

enum option_special {
    SPECIAL_STAMP, SPECIAL_SYMBOLS, SPECIAL_COLOR, SPECIAL_TRIGGER,
    SPECIAL_TIMEOUT, SPECIAL_REPLAY, SPECIAL_HELP, SPECIAL_VERSION,
};

struct option_entry {
    const char *name;  /* of the long option and of the file's setting */
    char letter;       /* short option or 0 */
    const char *arg;   /* NULL: none; "[X]": optional */
    enum option_type type;
    size_t what;       /* offset in struct settings, or a value of the enum */
    const char *help;
};

/* Ends with a NULL name. */
extern const struct option_entry option_table[];

#endif
