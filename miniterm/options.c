/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: the option table, help, and getopt_long around them. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "charmap.h"
#include "option-table.h"
#include "settings.h"
#include "util.h"

#define FIELD(f) offsetof(struct settings, f)

const struct option_entry option_table[] = {
    { "device", 'd', "TARGET", OPT_STRING, FIELD(target),
      "where to (default /dev/ttyS0); see Targets below" },
    { "baud", 'b', "RATE", OPT_UINT, FIELD(baud),
      "speed of a tty (default 115200); any rate the driver can do" },
    { "frame", 'f', "DPS", OPT_STRING, FIELD(frame),
      "data bits, parity (n e o), stop bits (default 8n1)" },
    { "flow", 0, "HOW", OPT_STRING, FIELD(flow),
      "flow control: none (default), hard, soft" },
    { "telnet", 0, NULL, OPT_BOOL, FIELD(telnet),
      "host:port speaks telnet (RFC 854) and maybe RFC 2217" },
    { "interactive", 'i', NULL, OPT_MODE, MODE_SCREEN,
      "full screen: panes, palette, search, triggers" },
    { "profile", 'p', "NAME", OPT_STRING, FIELD(profile),
      "take settings from this profile of the configuration file" },
    { "config", 'C', "FILE", OPT_STRING, FIELD(config_file),
      "configuration file (default ~/.config/miniterm/config)" },
    { "list", 0, NULL, OPT_MODE, MODE_LIST,
      "list the serial ports of this machine and end" },
    { "8bit", '8', NULL, OPT_BOOL, FIELD(eight_bit),
      "the line is not shared with a debugger: keep all 8 bits" },
    { "low", 'l', NULL, OPT_BOOL, FIELD(low_only),
      "pass-through shows only the console's channel" },
    { "reconnect", 'r', NULL, OPT_BOOL, FIELD(reconnect),
      "come back when the target does (default with -i)" },
    { "no-reconnect", 0, NULL, OPT_BOOL, FIELD(no_reconnect),
      "end when the target goes away" },
    { "quit-keys", 'q', "LETTERS", OPT_STRING, FIELD(quit_keys),
      "CTRL-these leave (default ]b)" },
    { "exit-after", 'x', "MS", OPT_UINT, FIELD(exit_after_ms),
      "end after the input ended and the line was quiet for MS" },
    { "echo", 'e', NULL, OPT_BOOL, FIELD(echo), "local echo" },
    { "hex", 'X', NULL, OPT_BOOL, FIELD(hex), "show bytes in hexadecimal" },
    { "timestamps", 'T', "[HOW]", OPT_SPECIAL, SPECIAL_STAMP,
      "arrival times: time (default), delta, start, target, none" },
    { "imap", 0, "MAPS", OPT_STRING, FIELD(imap),
      "map received characters: crlf crcrlf igncr lfcr lfcrlf ignlf bsdel "
      "delbs upper lower" },
    { "omap", 0, "MAPS", OPT_STRING, FIELD(omap),
      "map sent characters, by the same names" },
    { "emap", 0, "MAPS", OPT_STRING, FIELD(emap),
      "map characters of the local echo" },
    { "char-delay", 0, "MS", OPT_UINT, FIELD(char_delay_ms),
      "wait after each character sent" },
    { "line-delay", 0, "MS", OPT_UINT, FIELD(line_delay_ms),
      "wait after each line sent" },
    { "log", 'o', "FILE", OPT_STRING, FIELD(log),
      "append clean text with times; %Y%m%d... and ~ are expanded; a profile "
      "has a log by default, none: it has not" },
    { "record", 0, "FILE", OPT_STRING, FIELD(record),
      "append everything, both ways, for --replay" },
    { "raw-log", 0, "FILE", OPT_STRING, FIELD(raw_log),
      "append the bytes received, unchanged" },
    { "gdb-port", 'g', "PORT", OPT_STRING, FIELD(gdb_port),
      "serve the debugger's channel on localhost:PORT (needs -i)" },
    { "gdb-command", 0, "CMD", OPT_STRING, FIELD(gdb_command),
      "what the gdb key runs; %p is the port, %s the symbol file" },
    { "symbols", 's', "ELF", OPT_SPECIAL, SPECIAL_SYMBOLS,
      "annotate addresses from this file (xen-syms, vmlinux) or, of a "
      "directory, from the build that runs; repeat" },
    { "color", 'c', "RE=COLOR", OPT_SPECIAL, SPECIAL_COLOR,
      "color lines that match; repeat" },
    { "trigger", 't', "RE", OPT_SPECIAL, SPECIAL_TRIGGER,
      "freeze a copy and ring the bell when a line matches; repeat" },
    { "silence", 0, "S", OPT_UINT, FIELD(silence_s),
      "say so when nothing arrives for S seconds" },
    { "scrollback", 0, "LINES", OPT_UINT, FIELD(scrollback),
      "lines kept by each pane (default 10000)" },
    { "prefix-key", 0, "LETTER", OPT_STRING, FIELD(prefix_key),
      "CTRL-LETTER is the command key of -i (default t)" },
    { "no-mouse", 0, NULL, OPT_BOOL, FIELD(no_mouse),
      "leave the mouse to the terminal" },
    { "expect", 0, "RE", OPT_STEP, STEP_EXPECT,
      "batch: wait until the output matches" },
    { "send", 0, "TEXT", OPT_STEP, STEP_SEND,
      "batch: send; \\r \\n \\t \\e \\\\ \\xHH are understood" },
    { "send-file", 0, "FILE", OPT_STEP, STEP_FILE,
      "batch: send a text file, LF as CR, at the pace that is set" },
    { "exec", 0, "CMD", OPT_STEP, STEP_EXEC,
      "batch: run CMD with the line as its input and output (sz, rx)" },
    { "keys", 0, "KEYS", OPT_STEP, STEP_KEYS,
      "batch: press debug keys in the hypervisor (does CTRL-a x3)" },
    { "break", 0, NULL, OPT_STEP, STEP_BREAK,
      "batch: send a line BREAK" },
    { "wait", 0, "S", OPT_STEP, STEP_WAIT,
      "batch: let S seconds pass" },
    { "timeout", 0, "S", OPT_SPECIAL, SPECIAL_TIMEOUT,
      "batch: bound of each later --expect (default 30)" },
    { "fail", 0, "RE", OPT_STRING, FIELD(fail),
      "batch: end with status 4 as soon as the output matches" },
    { "quiet", 0, NULL, OPT_BOOL, FIELD(quiet),
      "batch: do not copy the output to stdout" },
    { "replay", 0, "LOG", OPT_SPECIAL, SPECIAL_REPLAY,
      "show a file of --record on the same screen" },
    { "speed", 0, "N", OPT_SECONDS, FIELD(speed),
      "replay N times as fast (default 1; 0: all at once)" },
    { "help", 'h', NULL, OPT_SPECIAL, SPECIAL_HELP, "this text" },
    { "version", 'V', NULL, OPT_SPECIAL, SPECIAL_VERSION,
      "name and version" },
    { .name = NULL },
};

#define NR_OPTIONS ARRAY_SIZE(option_table)

static const char help_head[] =
    "Usage: miniterm [OPTION]... [TARGET | PROFILE]\n"
    "Serial terminal.  Without options: a plain pass-through to /dev/ttyS0\n"
    "at 115200; CTRL-] or CTRL-b leaves.\n\n";

static const char help_tail[] =
    "\nTargets: /dev/ttyUSB0, host:port, [v6::addr]:port, unix:PATH, pty\n"
    "(makes a pty and names it) or pty:LINK (and links LINK to it).\n"
    "\nExamples:\n"
    "  miniterm -b 9600 -d /dev/ttyUSB0       talk to a board\n"
    "  miniterm localhost:4000                QEMU's -serial tcp::4000\n"
    "  miniterm -i -g 4001 -s xen-syms unix:/tmp/com1\n"
    "                                         panes, and gdb on port 4001\n"
    "  miniterm --expect 'login: ' --send 'root\\r' --expect '# ' "
    "--timeout 60 host:4000\n"
    "                                         batch; status 0 when all came\n"
    "  miniterm --replay crash.rec            look at it again\n"
    "\nExit status: 0 all well, 1 an --expect timed out, 2 wrong usage,\n"
    "3 the target could not be opened or went away, 4 --fail matched or\n"
    "an --exec failed.\n";

#define HELP_COLUMN 31
#define HELP_WIDTH 79

/* Words from HELP_COLUMN on, wrapped; the cursor is at column @at. */
static void print_wrapped(const char *text, int at)
{
    while (*text) {
        int len = (int)strcspn(text, " ");

        if (at > HELP_COLUMN && at + 1 + len > HELP_WIDTH) {
            putchar('\n');
            at = 0;
        }
        at += printf("%*s%.*s", at < HELP_COLUMN ? HELP_COLUMN - at : 1, "",
                     len, text);
        text += len;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_help(void)
{
    fputs(help_head, stdout);
    for (const struct option_entry *o = option_table; o->name; o++) {
        char *left;

        left = xasprintf("%s%.*s%s--%s%s%s", o->letter ? "-" : "  ",
                         o->letter ? 1 : 0, &o->letter,
                         o->letter ? ", " : "  ", o->name, o->arg ? "=" : "",
                         o->arg ? o->arg : "");
        print_wrapped(o->help, printf("  %s", left));
        free(left);
    }
    fputs(help_tail, stdout);
}

/* Builds what getopt_long wants from the table. */
static void build_getopt(struct option *longs, char *shorts)
{
    for (size_t i = 0; i + 1 < NR_OPTIONS; i++) {
        const struct option_entry *o = &option_table[i];
        bool optional = o->arg && o->arg[0] == '[';

        longs[i].name = o->name;
        longs[i].val = (int)(1000 + i);
        longs[i].has_arg = !o->arg ? no_argument :
                           optional ? optional_argument : required_argument;
        if (!o->letter)
            continue;
        *shorts++ = o->letter;
        if (o->arg)
            *shorts++ = ':';
        if (optional)
            *shorts++ = ':';
    }
    *shorts = '\0';
}

/*
 * The entry for what getopt_long returned: 1000 + index for long options, the
 * letter for short ones.
 */
static const struct option_entry *entry_of(int val)
{
    if (val >= 1000)
        return &option_table[val - 1000];
    for (const struct option_entry *o = option_table; o->name; o++)
        if (o->letter == val)
            return o;
    return NULL;
}

static int one_option(struct settings *s, int val, const char *arg)
{
    const struct option_entry *o = entry_of(val);
    char why[160];

    if (!o) {
        fputs("Try 'miniterm --help'.\n", stderr);
        return 1 + 2;
    }
    if (o->type == OPT_SPECIAL && o->what == SPECIAL_HELP) {
        print_help();
        return 1;
    }
    if (o->type == OPT_SPECIAL && o->what == SPECIAL_VERSION) {
        puts("miniterm 1.0");
        return 1;
    }
    if (!settings_apply(s, o->name, arg, why, sizeof(why)))
        return 0;
    fprintf(stderr, "miniterm: --%s: %s\n", o->name, why);
    return 1 + 2;
}

/* One walk over the command line; @first only picks -C and -p. */
static int walk(struct settings *s, int argc, char **argv, bool first)
{
    struct option longs[NR_OPTIONS];
    char shorts[3 * NR_OPTIONS + 1];
    int val;

    memset(longs, 0, sizeof(longs));
    build_getopt(longs, shorts);
    optind = 0;
    opterr = !first;
    while ((val = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_entry *o = entry_of(val);
        int rc = 0;

        if (!first)
            rc = one_option(s, val, optarg);
        else if (o && (!strcmp(o->name, "config") ||
                       !strcmp(o->name, "profile")))
            rc = one_option(s, val, optarg);
        if (rc)
            return rc;
    }
    return 0;
}

/* A word that is no path, address or keyword can only be a profile. */
static bool is_profile_name(const char *word)
{
    return !strpbrk(word, "/:") && strcmp(word, "pty");
}

/*
 * Without -C a missing file is fine, unless a profile was asked for: then it
 * must come from somewhere.
 */
static int read_config(struct settings *s)
{
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    char *file;
    int rc;

    if (s->config_file)
        return config_read(s, s->config_file, s->profile, true);
    if (xdg && *xdg)
        file = xasprintf("%s/miniterm/config", xdg);
    else
        file = xasprintf("%s/.config/miniterm/config", home ? home : "");
    rc = config_read(s, file, s->profile, s->profile != NULL);
    free(file);
    return rc;
}

/* The path as a name in a directory, and for strftime(). */
static void append_name(char *path, size_t size, const char *name)
{
    size_t n = strlen(path);

    for (; *name && n + 3 < size; name++) {
        if (*name == '%')
            path[n++] = '%';
        path[n++] = *name == '/' ? '_' : *name;
    }
    path[n] = '\0';
}

/* All of its directories, as far as they can be made. */
static void make_parents(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
}

/*
 * A profile is logged unless it says otherwise, by day, where programs keep
 * what they remember (XDG Base Directory Specification, XDG_STATE_HOME).
 */
static void default_log(struct settings *s)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char path[1024] = "";

    if (s->log && !strcmp(s->log, "none")) {
        free(s->log);
        s->log = NULL;
        return;
    }
    if (s->log || !s->profile || s->mode == MODE_LIST ||
        s->mode == MODE_REPLAY || (!state && !home))
        return;
    snprintf(path, sizeof(path) / 2, "%s%s/miniterm/",
             state && *state ? state : home,
             state && *state ? "" : "/.local/state");
    make_parents(path);
    if (access(path, W_OK) < 0) {
        fprintf(stderr, "miniterm: no log in %s: %s\n", path,
                strerror(errno));
        return;
    }
    append_name(path, sizeof(path), s->profile);
    s->log = xasprintf("%s-%%Y%%m%%d.log", path);
}

/*
 * Combinations that cannot mean anything are refused here, before anything is
 * opened.
 */
static int check(const struct settings *s)
{
    const char *wrong = NULL;
    struct charmap m;

    if (!charmap_init(&m, s->imap) || !charmap_init(&m, s->omap) ||
        !charmap_init(&m, s->emap))
        wrong = "maps are crlf crcrlf igncr lfcr lfcrlf ignlf bsdel delbs "
                "upper lower, with commas between";
    else if (s->gdb_port && s->mode != MODE_SCREEN)
        wrong = "--gdb-port needs -i; for a server without a screen run "
                "nsplitd";
    else if (s->gdb_port && s->eight_bit)
        wrong = "--gdb-port needs a shared line, so not --8bit";
    else if (s->nr_steps && s->mode != MODE_BATCH)
        wrong = "--expect and the other steps of a batch have no screen: "
                "no -i, --list or --replay beside them";
    else if (s->fail && s->mode != MODE_BATCH)
        wrong = "--fail needs an --expect or --wait to watch during";
    if (!wrong)
        return 0;
    fprintf(stderr, "miniterm: %s\n", wrong);
    return 1 + 2;
}

/*
 * The command line is walked twice: first for -C and -p alone, so that the
 * file is read before the other options override it.
 */
int options_parse(struct settings *s, int argc, char **argv)
{
    const char *word = NULL;
    char why[160];
    int rc = walk(s, argc, argv, true);

    if (rc)
        return rc;
    if (optind < argc)
        word = argv[optind];
    if (argc - optind > 1) {
        fprintf(stderr, "miniterm: one target only, but '%s' follows\n",
                argv[optind + 1]);
        return 1 + 2;
    }
    if (word && is_profile_name(word) && !s->profile)
        settings_apply(s, "profile", word, why, sizeof(why));
    else if (word)
        settings_apply(s, "device", word, why, sizeof(why));
    if (read_config(s))
        return 1 + 2;
    rc = walk(s, argc, argv, false);
    if (rc)
        return rc;
    if (word && !is_profile_name(word))
        settings_apply(s, "device", word, why, sizeof(why));
    if (!s->target)
        settings_apply(s, "device", "/dev/ttyS0", why, sizeof(why));
    default_log(s);
    return check(s);
}
