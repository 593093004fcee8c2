/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xencons: a terminal on a console's TCP port.
 *
 * One poll loop over the terminal and the connection, each with a bounded
 * queue; what is not read by one side holds the other back.  The terminal is
 * put back on every way out, signals and crashes included.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "conserver.h"
#include "logwriter.h"
#include "telnet.h"
#include "userterm.h"

#define VERSION "1.0"
#define CHUNK 16384u
#define RETRY_MS 1000
#define CONNECT_MS 30000 /* for one address */
#define LINGER_MS 1000 /* without output, after the end of a piped input */

enum {
    EXIT_LEFT = 0,
    EXIT_NO_CONNECTION = 1,
    EXIT_USAGE = 2,
    EXIT_CLOSED = 3
};

static const char usage_text[] =
    "Usage: xencons [options] HOST PORT\n"
    "       xencons [options] unix:PATH\n"
    "\n"
    "Connects this terminal to a console. CTRL-] quits.\n"
    "\n"
    "  -r, --reconnect     connect again whenever the connection is lost\n"
    "  -l, --log FILE      append what the console prints to FILE\n"
    "  -t, --telnet        speak telnet from the start\n"
    "  -R, --raw           never telnet (default: as the other side begins)\n"
    "  -c, --call NAME     HOST PORT is conserver's: attach to its console NAME\n"
    "  -b, --break CHAR    CTRL-CHAR sends a BREAK, over telnet or conserver\n"
    "  -e, --escape CHAR   CTRL-CHAR quits, instead of CTRL-]\n"
    "  -q, --quiet         no banner\n"
    "  -4, -6              IPv4 or IPv6 only\n"
    "      --version, --help\n"
    "\n"
    "Exit status: 0 left by CTRL-] or at the end of a piped input, 1 no\n"
    "connection, 2 bad arguments, 3 closed by the other side.\n"
    "\n"
    "Examples:\n"
    "  xencons localhost 9601                the console of domain 1\n"
    "  xencons -r -l xen.log server 12010    stay through reboots, with a log\n"
    "  xencons -c rack3 server 782           conserver's console rack3\n"
    "  echo h | xencons -q localhost 12010   press a debug key from a script\n";

enum telnet_mode {
    TELNET_DETECT,
    TELNET_ALWAYS,
    TELNET_NEVER
};

struct xencons {
    const char *host, *port; /* port NULL: host is unix:PATH */
    const char *call;        /* conserver's name of a console, or NULL */
    int family;
    bool reconnect, quiet;
    enum telnet_mode mode;
    uint8_t quit_key, break_key; /* break_key 0: none */
    int log;                     /* -1: none */
    struct logwriter writer;
    size_t nr_line;              /* of a line that has no end yet */
    int fd;                      /* the connection, -1: none */
    int terminal;                /* standard output */
    bool raw;                    /* the person's terminal is, so keys count */
    bool undecided, held;        /* telnet or raw? held: an IAC so far */
    bool connecting;             /* what is typed waits for the connection */
    bool input_ended, leave;
    uint64_t quiet_since; /* after the end of input, ms */
    struct telnet telnet;
    size_t nr_in, nr_out; /* to the terminal, to the connection */
    uint8_t in[2 * CHUNK], out[4 * CHUNK];
    uint8_t line[2 * CHUNK]; /* for the log */
};

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* A message to the person, on a terminal that may be raw. */
static void say(const struct xencons *x, const char *text)
{
    if (!x->quiet)
        fprintf(stderr, "%s%s\n", text, x->raw ? "\r" : "");
}

/* ------------------------------------------------------------ connecting */

static void read_terminal(struct xencons *x);

/*
 * For a connection that is on its way; keys are read meanwhile, so that one
 * can leave.  0 or an errno, EINTR when the person left.
 */
static int wait_connected(struct xencons *x, int fd)
{
    uint64_t end = now_ms() + CONNECT_MS, now;
    socklen_t size = sizeof(int);
    int error = ETIMEDOUT;

    while ((now = now_ms()) < end) {
        bool keys = x->raw && !x->input_ended && x->nr_out < CHUNK;
        struct pollfd fds[2] = {
            { .fd = fd, .events = POLLOUT },
            { .fd = keys ? STDIN_FILENO : -1, .events = POLLIN },
        };

        if (poll(fds, 2, (int)(end - now)) < 0)
            continue;
        if (fds[0].revents)
            return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0
                       ? errno
                       : error;
        if (fds[1].revents)
            read_terminal(x);
        if (x->leave)
            return EINTR;
    }
    return ETIMEDOUT;
}

/* A connected descriptor, or -1 with errno. */
static int connect_one(struct xencons *x, int family,
                       const struct sockaddr *addr, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0)
        return -1;
    if (connect(fd, addr, len) < 0)
        error = errno == EINPROGRESS ? wait_connected(x, fd) : errno;
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

static int connect_unix(struct xencons *x, const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(un.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(un.sun_path, path);
    return connect_one(x, AF_UNIX, (struct sockaddr *)&un, sizeof(un));
}

static int connect_tcp(struct xencons *x, const char *port, const char **why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_family = x->family };
    struct addrinfo *list, *ai;
    const int one = 1;
    int fd = -1, rc = getaddrinfo(x->host, port, &hints, &list);

    if (rc != 0) {
        *why = gai_strerror(rc);
        return -1;
    }
    for (ai = list; ai && fd < 0 && !x->leave; ai = ai->ai_next) {
        fd = connect_one(x, ai->ai_family, ai->ai_addr, ai->ai_addrlen);
        if (fd < 0)
            *why = strerror(errno);
    }
    freeaddrinfo(list);
    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    }
    return fd;
}

static void start_telnet(struct xencons *x)
{
    telnet_init(&x->telnet, TELNET_BINARY | TELNET_SGA,
                TELNET_BINARY | TELNET_ECHO | TELNET_SGA);
    x->undecided = x->mode == TELNET_DETECT;
    x->held = false;
    if (x->mode == TELNET_ALWAYS)
        telnet_offer(&x->telnet);
    if (!x->call)
        return;
    /* of telnet only the doubling of ff */
    x->undecided = false;
    x->telnet.active = true;
    x->telnet.us = x->telnet.them = TELNET_BINARY;
}

/* Through conserver's master to the console: one connection after another. */
static int connect_conserver(struct xencons *x, const char **why)
{
    static char err[300];
    char port[16];
    const char *at = x->port;

    for (unsigned int turn = 0; turn < 3; turn++) {
        int next, fd = connect_tcp(x, at, why);

        if (fd < 0)
            return -1;
        next = conserver_call(fd, x->call, err, sizeof(err));
        if (next == 0)
            return fd;
        close(fd);
        *why = next < 0 ? err : "conserver sends us round in circles";
        if (next < 0)
            return -1;
        snprintf(port, sizeof(port), "%d", next);
        at = port;
    }
    return -1;
}

/* True when there is a connection; else *why says why not. */
static bool open_connection(struct xencons *x, const char **why)
{
    *why = "no address";
    x->nr_out = 0;
    start_telnet(x);
    x->connecting = true;
    if (x->call) {
        x->fd = connect_conserver(x, why);
    } else if (x->port) {
        x->fd = connect_tcp(x, x->port, why);
    } else {
        x->fd = connect_unix(x, x->host + strlen("unix:"));
        if (x->fd < 0)
            *why = strerror(errno);
    }
    x->connecting = false;
    return x->fd >= 0;
}

/* ----------------------------------------------------------- the two ways */

static void queue_out(struct xencons *x, const uint8_t *data, size_t len)
{
    if (len > sizeof(x->out) - x->nr_out)
        len = sizeof(x->out) - x->nr_out;
    memcpy(x->out + x->nr_out, data, len);
    x->nr_out += len;
}

static void flush_replies(struct xencons *x)
{
    queue_out(x, x->telnet.reply, x->telnet.nr_reply);
    x->telnet.nr_reply = 0;
}

static void send_break(struct xencons *x)
{
    static const uint8_t iac_break[] = { 0xff, 0xf3 };

    if (x->call)
        queue_out(x, (const uint8_t *)CONSERVER_BREAK,
                  strlen(CONSERVER_BREAK));
    else if (x->telnet.active)
        queue_out(x, iac_break, sizeof(iac_break));
    else
        say(x, "\r\nno BREAK: the other side does not speak telnet");
}

/* What was typed; the quit key ends it, the break key is taken out. */
static void typed(struct xencons *x, const uint8_t *data, size_t len)
{
    uint8_t coded[2];

    for (size_t i = 0; i < len && !x->leave; i++) {
        if (x->raw && data[i] == x->quit_key)
            x->leave = true;
        else if (x->raw && x->break_key && data[i] == x->break_key)
            send_break(x);
        else if (x->fd >= 0 || x->connecting)
            queue_out(x, coded, telnet_tx(&x->telnet, data + i, 1, coded));
    }
}

static void read_terminal(struct xencons *x)
{
    uint8_t buf[CHUNK];
    ssize_t nr = read(STDIN_FILENO, buf, sizeof(buf));

    if (nr > 0) {
        typed(x, buf, (size_t)nr);
    } else if (nr == 0 || (errno != EAGAIN && errno != EINTR)) {
        x->input_ended = true;
        x->quiet_since = now_ms();
    }
}

static void drop(uint8_t *buf, size_t *len, size_t nr)
{
    memmove(buf, buf + nr, *len - nr);
    *len -= nr;
}

/*
 * A telnet server's first bytes are a negotiation (RFC 854: IAC and WILL,
 * WONT, DO or DONT).  What begins otherwise is raw for good, and none of its
 * bytes is ever touched.  False while only an IAC is there.
 */
static bool decide(struct xencons *x, const uint8_t *data, size_t len)
{
    if (data[0] == 0xff && len < 2)
        return false;
    x->undecided = false;
    x->telnet.active = data[0] == 0xff && data[1] >= 0xfb && data[1] <= 0xfe;
    return true;
}

/* What came, without telnet's part of it, to the terminal's queue. */
static size_t take(struct xencons *x, const uint8_t *data, size_t len)
{
    uint8_t *to = x->in + x->nr_in;

    if (x->telnet.active || x->mode == TELNET_ALWAYS) {
        len = telnet_rx(&x->telnet, data, len, to);
        flush_replies(x);
    } else {
        memcpy(to, data, len);
    }
    x->nr_in += len;
    return len;
}

/* The first @len bytes that wait for the log. */
static void log_put(struct xencons *x, size_t len)
{
    size_t done;

    if (x->log < 0)
        return;
    if (logwriter_put(&x->writer, x->log, x->line, len, &done)) {
        say(x, "the log cannot be written; logging stops");
        close(x->log);
        x->log = -1;
    }
    drop(x->line, &x->nr_line, len);
}

/* Whole lines go to the log, and what is too long to wait for its end. */
static void log_text(struct xencons *x, const uint8_t *data, size_t len)
{
    while (x->log >= 0 && len) {
        size_t run = sizeof(x->line) - x->nr_line;
        const uint8_t *end;

        run = run < len ? run : len;
        memcpy(x->line + x->nr_line, data, run);
        x->nr_line += run;
        data += run;
        len -= run;
        end = memrchr(x->line, '\n', x->nr_line);
        if (end)
            log_put(x, (size_t)(end - x->line) + 1);
        else if (x->nr_line == sizeof(x->line))
            log_put(x, x->nr_line);
    }
}

/* False when the connection is over. */
static bool read_connection(struct xencons *x)
{
    uint8_t buf[CHUNK + 1];
    size_t held = x->held;
    ssize_t nr = read(x->fd, buf + held, CHUNK);

    if (held)
        buf[0] = 0xff;
    if (nr < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (nr > 0 && x->undecided && !decide(x, buf, (size_t)nr + held)) {
        x->held = true;
        return true;
    }
    x->held = false;
    /* at the end of a connection a byte that was held is text */
    nr = (nr > 0 ? nr : 0) + (ssize_t)held;
    if (nr == 0)
        return false;
    nr = (ssize_t)take(x, buf, (size_t)nr);
    log_text(x, x->in + x->nr_in - nr, (size_t)nr);
    x->quiet_since = now_ms();
    return true;
}

static bool write_connection(struct xencons *x)
{
    ssize_t nr = write(x->fd, x->out, x->nr_out);

    if (nr < 0)
        return errno == EAGAIN || errno == EINTR;
    drop(x->out, &x->nr_out, (size_t)nr);
    return true;
}

static void write_terminal(struct xencons *x)
{
    ssize_t nr = write(x->terminal, x->in, x->nr_in);

    if (nr > 0)
        drop(x->in, &x->nr_in, (size_t)nr);
    else if (nr < 0 && errno != EAGAIN && errno != EINTR)
        x->leave = true; /* nobody reads any more */
}

/* Waits, at most `limit` ms (-1: for ever).  fds: input, output, connection. */
static int wait_for(struct xencons *x, struct pollfd fds[3], int limit)
{
    bool room_out = x->nr_out + 2 * CHUNK + 64 <= sizeof(x->out);
    bool room_in = x->nr_in + CHUNK + 2 <= sizeof(x->in);

    fds[0] = (struct pollfd){ .fd = x->input_ended || !room_out ? -1
                                                                : STDIN_FILENO,
                              .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = x->nr_in ? x->terminal : -1,
                              .events = POLLOUT };
    fds[2] = (struct pollfd){ .fd = x->fd };
    if (room_in)
        fds[2].events |= POLLIN;
    if (x->nr_out)
        fds[2].events |= POLLOUT;
    return poll(fds, 3, limit);
}

/* The end of a piped input, and quiet since. */
static bool lingered(const struct xencons *x)
{
    return x->input_ended && x->nr_out == 0 && x->nr_in == 0 &&
           now_ms() - x->quiet_since >= LINGER_MS;
}

/* Until the connection or the person ends it.  True: the connection did. */
static bool talk(struct xencons *x)
{
    struct pollfd fds[3];

    flush_replies(x);
    while (!x->leave && !lingered(x)) {
        bool alive = true;

        if (wait_for(x, fds, x->input_ended ? 50 : -1) < 0) {
            if (errno == EINTR)
                continue;
            return true;
        }
        if (fds[1].revents)
            write_terminal(x);
        if (fds[2].revents & (POLLIN | POLLHUP | POLLERR))
            alive = read_connection(x);
        else if (fds[2].revents & POLLOUT)
            alive = write_connection(x);
        if (!alive)
            return true;
        if (fds[0].revents)
            read_terminal(x);
    }
    return false;
}

/* All that came is shown, also when the connection is gone. */
static void show_rest(struct xencons *x)
{
    struct pollfd fd = { .fd = x->terminal, .events = POLLOUT };

    while (x->nr_in && !x->leave && poll(&fd, 1, 5000) > 0)
        write_terminal(x);
}

/* Between two attempts only the quit key counts. */
static void pause_between(struct xencons *x)
{
    uint64_t end = now_ms() + RETRY_MS, now;
    struct pollfd fd = { .events = POLLIN };

    while (!x->leave && (now = now_ms()) < end) {
        fd.fd = x->input_ended ? -1 : STDIN_FILENO;
        if (poll(&fd, 1, (int)(end - now)) > 0)
            read_terminal(x);
    }
}

static int run(struct xencons *x)
{
    const char *why;
    bool said = false, closed = false;

    for (;;) {
        if (open_connection(x, &why)) {
            if (closed || said)
                say(x, "REMOTE CONSOLE CONNECTED");
            said = false;
            closed = talk(x);
            show_rest(x);
            close(x->fd);
            x->fd = -1;
            if (!closed)
                return EXIT_LEFT;
            if (!x->reconnect)
                return EXIT_CLOSED;
            say(x, "\r\nREMOTE CONSOLE LOST, connecting again");
        } else if (x->leave) {
            return EXIT_LEFT;
        } else if (!said) {
            fprintf(stderr, "xencons: %s%s%s: %s%s\n", x->host,
                    x->port ? " port " : "", x->port ? x->port : "", why,
                    x->raw ? "\r" : "");
            said = true;
        }
        if (!x->reconnect)
            return EXIT_NO_CONNECTION;
        pause_between(x);
        if (x->leave || x->input_ended)
            return EXIT_LEFT;
    }
}

/* ---------------------------------------------------------------- options */

static const struct option options[] = {
    { "reconnect", no_argument, NULL, 'r' },
    { "log", required_argument, NULL, 'l' },
    { "telnet", no_argument, NULL, 't' },
    { "raw", no_argument, NULL, 'R' },
    { "call", required_argument, NULL, 'c' },
    { "break", required_argument, NULL, 'b' },
    { "escape", required_argument, NULL, 'e' },
    { "quiet", no_argument, NULL, 'q' },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'H' },
    { 0 },
};

static void usage_error(const char *text, const char *arg)
{
    fprintf(stderr, "xencons: %s%s\nTry `xencons --help`.\n", text, arg);
    exit(EXIT_USAGE);
}

/* A letter or one of @ [ \ ] ^ _ to its control code. */
static uint8_t parse_key(const char *text)
{
    if (strlen(text) != 1 || text[0] < '?' || text[0] > 'z' || text[0] == '`')
        usage_error("not a key for CTRL: ", text);
    return (uint8_t)(text[0] & 0x1f);
}

static int open_log(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    if (fd < 0) {
        fprintf(stderr, "xencons: log %s: %s\n", path, strerror(errno));
        exit(EXIT_USAGE);
    }
    return fd;
}

static void set_option(struct xencons *x, int opt)
{
    switch (opt) {
    case 'r': x->reconnect = true; break;
    case 'l': x->log = open_log(optarg); break;
    case 't': x->mode = TELNET_ALWAYS; break;
    case 'R': x->mode = TELNET_NEVER; break;
    case 'c': x->call = optarg; break;
    case 'b': x->break_key = parse_key(optarg); break;
    case 'e': x->quit_key = parse_key(optarg); break;
    case 'q': x->quiet = true; break;
    case '4': x->family = AF_INET; break;
    case '6': x->family = AF_INET6; break;
    case 'V': puts("xencons " VERSION); exit(0);
    case 'H': fputs(usage_text, stdout); exit(0);
    default: usage_error("bad option", "");
    }
}

static void parse_arguments(struct xencons *x, int argc, char **argv)
{
    static const char letters[] = "rl:tRc:b:e:q46";
    int opt;

    while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1)
        set_option(x, opt);
    if (x->call && x->mode != TELNET_DETECT)
        usage_error("--call excludes --telnet and --raw", "");
    if (optind + 1 == argc && !x->call &&
        strncmp(argv[optind], "unix:", 5) == 0) {
        x->host = argv[optind];
        return;
    }
    if (optind + 2 != argc)
        usage_error("want HOST PORT or unix:PATH", "");
    x->host = argv[optind];
    x->port = argv[optind + 1];
}

int main(int argc, char **argv)
{
    static struct xencons x = {
        .quit_key = 0x1d, .log = -1, .writer.fd = -1, .fd = -1,
        .family = AF_UNSPEC
    };
    char banner[64] = "REMOTE CONSOLE: CTRL-] TO QUIT";
    int status;

    parse_arguments(&x, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    x.terminal = userterm_output();
    if (x.quit_key != 0x1d)
        snprintf(banner, sizeof(banner), "REMOTE CONSOLE: CTRL-%c TO QUIT",
                 x.quit_key | 0x40);
    say(&x, banner);
    if (x.log >= 0)
        logwriter_start(&x.writer);
    x.raw = userterm_arm(STDIN_FILENO, NULL) == 0 && userterm_raw() == 0;
    status = run(&x);
    log_put(&x, x.nr_line);
    userterm_restore();
    x.raw = false;
    say(&x, "\nREMOTE CONSOLE EXITED");
    return status;
}
