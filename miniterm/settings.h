/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that the command line and the configuration file can say.
 * Filled by options.c and config.c, read-only for everyone else.
 */
#ifndef MINITERM_SETTINGS_H
#define MINITERM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

enum mode { MODE_PLAIN, MODE_SCREEN, MODE_BATCH, MODE_REPLAY, MODE_LIST };

/* How the arrival of a line is shown. */
enum stamp {
    STAMP_NONE,
    STAMP_TIME,   /* time of day */
    STAMP_DELTA,  /* since the line before */
    STAMP_START,  /* since the first line */
    STAMP_TARGET, /* time of day, beside it the target's own stamp */
    STAMP_NR
};

/* A growing list of strings; the strings belong to it. */
struct strings {
    char **item;
    size_t nr;
};

/* Regular expression plus what to do with a line that it matches. */
struct color_rule {
    char *name, *match, *color;
};

struct trigger_rule {
    char *name, *match;
    char *command; /* shell command, MINITERM_LINE in its environment */
    char *keys;    /* debug keys to press in the hypervisor */
    bool freeze;   /* keep a copy of the last 64 KiB */
    bool bell;
    bool gdb;      /* start the debugger */
    bool off;      /* a shipped rule switched off by its name */
    bool shipped;
};

/* One step of batch mode, in the order given. */
enum step_kind { STEP_EXPECT, STEP_SEND, STEP_FILE, STEP_EXEC, STEP_KEYS,
                 STEP_BREAK, STEP_WAIT, STEP_TIMEOUT };
struct step {
    enum step_kind kind;
    char *text;
};

struct settings {
    enum mode mode;
    char *target;
    unsigned baud;
    char *frame;       /* data bits, parity, stop bits: "8n1" */
    char *flow;        /* none, hard, soft */
    bool telnet;
    char *profile, *config_file;
    char *quit_keys;   /* letters of CTRL- combinations */
    bool eight_bit;    /* the line is not shared: no channels */
    bool low_only;     /* show only the console's channel */
    bool reconnect, no_reconnect;
    char *imap, *omap, *emap; /* lists of charmap.h */
    bool echo, hex;
    enum stamp stamp;
    unsigned exit_after_ms; /* 0: stay */
    unsigned char_delay_ms, line_delay_ms;
    char *log, *record, *raw_log;
    char *gdb_port, *gdb_command;
    struct strings symbols;
    unsigned scrollback; /* lines kept by each pane */
    unsigned silence_s;  /* 0: no detector */
    char *prefix_key;
    bool no_mouse;
    struct color_rule *colors;
    size_t nr_colors;
    struct trigger_rule *triggers;
    size_t nr_triggers;
    struct step *steps;
    size_t nr_steps;
    char *fail;        /* batch: this pattern ends it with an error */
    double timeout_s;
    bool quiet;
    char *replay;
    double speed;      /* 0: as fast as it goes */
};

void strings_add(struct strings *s, const char *text);

/*
 * Gives @name (a long option's name) the text @value; NULL where an option
 * takes none.  0, or -1 with a message in @why (size bytes).
 */
int settings_apply(struct settings *s, const char *name, const char *value,
                   char *why, size_t size);

/* The defaults; all else zero. */
void settings_init(struct settings *s);
void settings_free(struct settings *s);

/*
 * Reads the command line.  Returns 0 to go on, else 1 + exit status (help and
 * version print and end with 1).  Reads the configuration file on the way.
 */
int options_parse(struct settings *s, int argc, char **argv);

/*
 * Configuration file: see miniterm(1).  @must: its absence is an error.
 * 0 or -1 after a message on stderr.
 */
int config_read(struct settings *s, const char *file, const char *profile,
                bool must);

/* Adds a rule from its parts; -1 when the action or colour is unknown. */
struct trigger_rule *settings_trigger(struct settings *s, const char *name);
struct color_rule *settings_color(struct settings *s, const char *name);

#endif
