/* SPDX-License-Identifier: GPL-2.0-only */
/* nsplitd: options and messages around the splitter. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "splitter.h"

#define VERSION "1.0"

static const char usage_text[] =
    "Usage: nsplitd --port PORT [options] SOURCE      stand-alone\n"
    "       nsplitd [options] SOURCE                  from inetd, port = the\n"
    "                                                 socket it passes\n"
    "\n"
    "Splits a serial line that a console and a debugger share.\n"
    "  PORT    console: the first client types, the others look on\n"
    "  PORT+1  gdb: `target remote localhost:PORT+1`\n"
    "  PORT+2  raw: the whole line, 8-bit, exclusive while connected\n"
    "  PORT+3  control: commands and status; type `help`\n"
    "\n"
    "SOURCE is /dev/ttyS0[,BAUD[,8n1]], host:port, [v6]:port,\n"
    "telnet:host:port, unix:PATH, pty or pty:LINK.\n"
    "\n"
    "  -p, --port PORT          console port\n"
    "  -h, --high-port PORT     gdb port (default PORT+1, none: no such port)\n"
    "  -g, --raw-port PORT      raw port (default PORT+2)\n"
    "  -c, --control-port PORT  control port (default PORT+3)\n"
    "  -8, --eight-bit          no gdb port, the console is 8-bit clean\n"
    "  -d, --debug              show gdb and control traffic on stdout\n"
    "      --listen ADDR        instead of 127.0.0.1 and ::1\n"
    "      --transparent        the gdb port passes bytes, not packets\n"
    "      --interrupt HOW      ^C and telnet BREAK become char (0x83),\n"
    "                           break (a line BREAK) or auto (default)\n"
    "      --telnet             offer telnet negotiation to console clients\n"
    "      --replay LINES       shown to a console that attaches (25)\n"
    "      --log FILE           console log with times, also without clients\n"
    "      --log-raw            log the bytes alone\n"
    "      --log-size SIZE      rotate at that size, K and M allowed (10M)\n"
    "      --log-keep N         old log files kept (5)\n"
    "      --symbols PATH       ELF file that gdb gets from here by itself, or a\n"
    "                           directory: then the target's build-id chooses\n"
    "  -q, --quiet              no messages\n"
    "      --version, --help\n"
    "\n"
    "Examples:\n"
    "  nsplitd -p 12010 /dev/ttyS0,115200\n"
    "  nsplitd -p 12010 --log xen.log --symbols xen-syms unix:/tmp/com1\n"
    "  xencons localhost 12010\n"
    "  gdb xen-syms -ex 'target remote localhost:12011'\n";

enum {
    OPT_LISTEN = 256,
    OPT_TRANSPARENT,
    OPT_INTERRUPT,
    OPT_TELNET,
    OPT_REPLAY,
    OPT_LOG,
    OPT_LOG_RAW,
    OPT_LOG_SIZE,
    OPT_LOG_KEEP,
    OPT_SYMBOLS,
    OPT_VERSION,
    OPT_HELP,
};

static const struct option options[] = {
    { "port", required_argument, NULL, 'p' },
    { "high-port", required_argument, NULL, 'h' },
    { "raw-port", required_argument, NULL, 'g' },
    { "control-port", required_argument, NULL, 'c' },
    { "eight-bit", no_argument, NULL, '8' },
    { "debug", no_argument, NULL, 'd' },
    { "quiet", no_argument, NULL, 'q' },
    { "listen", required_argument, NULL, OPT_LISTEN },
    { "transparent", no_argument, NULL, OPT_TRANSPARENT },
    { "interrupt", required_argument, NULL, OPT_INTERRUPT },
    { "telnet", no_argument, NULL, OPT_TELNET },
    { "replay", required_argument, NULL, OPT_REPLAY },
    { "log", required_argument, NULL, OPT_LOG },
    { "log-raw", no_argument, NULL, OPT_LOG_RAW },
    { "log-size", required_argument, NULL, OPT_LOG_SIZE },
    { "log-keep", required_argument, NULL, OPT_LOG_KEEP },
    { "symbols", required_argument, NULL, OPT_SYMBOLS },
    { "version", no_argument, NULL, OPT_VERSION },
    { "help", no_argument, NULL, OPT_HELP },
    { 0 },
};

/* What the options said beside the splitter's own configuration. */
struct settings {
    struct splitter_config config;
    bool given[SPLITTER_NR_PORTS];
    bool quiet;
    bool inetd;
};

static volatile int stop;

static void on_signal(int sig)
{
    (void)sig;
    stop = 1;
}

static int usage_error(const char *fmt, const char *arg)
{
    fprintf(stderr, "nsplitd: ");
    fprintf(stderr, fmt, arg);
    fprintf(stderr, "\nTry `nsplitd --help`.\n");
    return 2;
}

static bool parse_number(const char *text, unsigned long max,
                         unsigned long *value)
{
    char *end;

    errno = 0;
    *value = strtoul(text, &end, 10);
    return end != text && *end == '\0' && !errno && *value <= max &&
           *text != '-';
}

/* A number, a service's name, or "none". */
static bool parse_port(struct settings *set, enum splitter_port port,
                       const char *text)
{
    unsigned long value;
    const struct servent *service;

    set->given[port] = true;
    if (strcmp(text, "none") == 0) {
        set->config.port[port] = -1;
        return true;
    }
    if (parse_number(text, 65535, &value)) {
        set->config.port[port] = (int)value;
        return true;
    }
    service = getservbyname(text, "tcp");
    if (!service)
        return false;
    set->config.port[port] = ntohs((uint16_t)service->s_port);
    return true;
}

static bool parse_size(const char *text, uint64_t *size)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (end == text || errno || *text == '-' || value > 1ull << 40)
        return false;
    if (*end == 'K' || *end == 'k')
        value <<= 10, end++;
    else if (*end == 'M' || *end == 'm')
        value <<= 20, end++;
    *size = value;
    return *end == '\0';
}

static bool parse_interrupt(struct splitter_config *c, const char *text)
{
    static const char *const names[] = { "auto", "char", "break" };

    for (unsigned int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            c->interrupt = (enum splitter_interrupt)i;
            return true;
        }
    return false;
}

static bool set_count(unsigned int *to, const char *text)
{
    unsigned long value;

    if (!parse_number(text, 1000000, &value))
        return false;
    *to = (unsigned int)value;
    return true;
}

/* Options without an argument.  False for one that is not among them. */
static bool set_flag(struct settings *set, int opt)
{
    struct splitter_config *c = &set->config;

    switch (opt) {
    case '8': c->eight_bit = true; return true;
    case 'd': c->debug = true; return true;
    case 'q': set->quiet = true; return true;
    case OPT_TRANSPARENT: c->transparent = true; return true;
    case OPT_TELNET: c->telnet = true; return true;
    case OPT_LOG_RAW: c->log_raw = true; return true;
    default: return false;
    }
}

/* Options with one.  False when the argument is bad. */
static bool set_value(struct settings *set, int opt, const char *arg)
{
    struct splitter_config *c = &set->config;

    switch (opt) {
    case 'p': return parse_port(set, SPLITTER_CONSOLE, arg);
    case 'h': return parse_port(set, SPLITTER_GDB, arg);
    case 'g': return parse_port(set, SPLITTER_RAW, arg);
    case 'c': return parse_port(set, SPLITTER_CONTROL, arg);
    case OPT_LISTEN: c->listen = arg; return true;
    case OPT_INTERRUPT: return parse_interrupt(c, arg);
    case OPT_REPLAY: return set_count(&c->replay_lines, arg);
    case OPT_LOG: c->log_path = arg; return true;
    case OPT_LOG_SIZE: return parse_size(arg, &c->log_max);
    case OPT_LOG_KEEP: return set_count(&c->log_keep, arg);
    default: c->symbols = arg; return true;
    }
}

/* The port of the socket that inetd passed, or -1. */
static int inetd_port(void)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);

    if (getsockname(0, (struct sockaddr *)&addr, &len) < 0)
        return -1;
    if (addr.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&addr)->sin_port);
    if (addr.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    return -1;
}

/* The ports that were not given follow the console's. */
static int settle_ports(struct settings *set)
{
    struct splitter_config *c = &set->config;
    int base = c->port[SPLITTER_CONSOLE];

    if (!set->given[SPLITTER_CONSOLE]) {
        base = inetd_port();
        if (base < 0)
            return usage_error("%s: give --port PORT, or run it from inetd",
                               "standard input is not a TCP socket");
        set->inetd = true;
        c->console_fd = 0;
        c->once = true;
    }
    for (int i = SPLITTER_GDB; i < SPLITTER_NR_PORTS; i++) {
        if (!set->given[i] && base >= 0)
            c->port[i] = base == 0 ? 0 : base + i;
        if (c->port[i] > 65535)
            return usage_error("%s: give the other ports with -h, -g and -c",
                               "the port is too high for three more");
    }
    if (c->eight_bit)
        c->port[SPLITTER_GDB] = -1;
    return 0;
}

/* 0: go on; otherwise exit status + 1. */
static int parse_options(struct settings *set, int argc, char **argv)
{
    int opt;

    for (;;) {
        opt = getopt_long(argc, argv, "p:h:g:c:8dq", options, NULL);
        if (opt == -1)
            break;
        if (opt == OPT_HELP) {
            fputs(usage_text, stdout);
            return 1;
        }
        if (opt == OPT_VERSION) {
            puts("nsplitd " VERSION);
            return 1;
        }
        if (opt == '?')
            return 1 + usage_error("%s", "bad option");
        if (!set_flag(set, opt) && !set_value(set, opt, optarg))
            return 1 + usage_error("'%s' is not a good value here", optarg);
    }
    if (optind + 1 != argc)
        return 1 + usage_error("%s", "give one SOURCE");
    set->config.source = argv[optind];
    opt = settle_ports(set);
    return opt ? 1 + opt : 0;
}

static void event(void *ctx, const char *text)
{
    const struct settings *set = ctx;

    if (set->quiet)
        return;
    if (set->inetd)
        syslog(LOG_INFO, "%s", text);
    else
        fprintf(stderr, "nsplitd: %s\n", text);
}

static void debug(void *ctx, const char *text)
{
    const struct settings *set = ctx;

    if (set->inetd) {
        syslog(LOG_DEBUG, "%s", text);
        return;
    }
    puts(text);
    fflush(stdout);
}

static void catch_signals(void)
{
    static const int ending[] = { SIGTERM, SIGINT, SIGHUP };
    struct sigaction act = { .sa_handler = on_signal };
    sigset_t block;

    sigemptyset(&block);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        sigaction(ending[i], &act, NULL);
        sigaddset(&block, ending[i]);
    }
    /* delivered while splitter_run() waits */
    sigprocmask(SIG_BLOCK, &block, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void announce(const struct settings *set, const struct splitter *s)
{
    static const char *const names[] = { "console", "gdb", "raw", "control" };
    char text[200] = "ports:";
    size_t nr = strlen(text);

    for (int i = 0; i < SPLITTER_NR_PORTS; i++) {
        int port = splitter_port_number(s, (enum splitter_port)i);

        if (port >= 0)
            nr += (size_t)snprintf(text + nr, sizeof(text) - nr, " %s %d",
                                   names[i], port);
    }
    event((void *)set, text);
    if (splitter_pty_name(s)) {
        snprintf(text, sizeof(text), "pty: %s", splitter_pty_name(s));
        event((void *)set, text);
    }
}

int main(int argc, char **argv)
{
    static struct settings set;
    struct splitter_hooks hooks = { .event = event, .debug = debug };
    struct splitter *s;
    char err[600];
    int rc;

    splitter_defaults(&set.config);
    rc = parse_options(&set, argc, argv);
    if (rc)
        return rc - 1;
    set.config.hooks = &hooks;
    set.config.hook_ctx = &set;
    openlog("nsplitd", LOG_PID, LOG_DAEMON);
    catch_signals();
    s = splitter_create(&set.config, err, sizeof(err));
    if (!s) {
        set.quiet = false;
        event(&set, err);
        return 1;
    }
    announce(&set, s);
    rc = splitter_run(s, &stop);
    splitter_destroy(s);
    return rc ? 1 : 0;
}
