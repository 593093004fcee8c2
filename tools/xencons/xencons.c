/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xencons: a terminal on a console's TCP port.
 *
 * One poll loop over the terminal and the connection, each with a bounded
 * queue; what is not read by one side holds the other back.  The terminal is
 * put back on every way out, signals and crashes included.
 */
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

#include "telnet.h"
#include "terminal.h"

#define VERSION "1.0"
#define CHUNK 16384u
#define RETRY_MS 1000
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
    "  -R, --raw           never telnet (default: find out)\n"
    "  -b, --break CHAR    CTRL-CHAR sends a telnet BREAK\n"
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
    "  echo h | xencons -q localhost 12010   press a debug key from a script\n";

enum telnet_mode {
    TELNET_DETECT,
    TELNET_ALWAYS,
    TELNET_NEVER
};

struct xencons {
    const char *host, *port; /* port NULL: host is unix:PATH */
    int family;
    bool reconnect, quiet;
    enum telnet_mode mode;
    uint8_t quit_key, break_key; /* break_key 0: none */
    int log;                     /* -1: none */
    int fd;                      /* the connection, -1: none */
    bool input_ended, leave;
    uint64_t quiet_since; /* after the end of input, ms */
    struct telnet telnet;
    size_t nr_in, nr_out; /* to the terminal, to the connection */
    uint8_t in[2 * CHUNK], out[4 * CHUNK];
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
        fprintf(stderr, "%s%s\n", text, terminal_is_raw() ? "\r" : "");
}

/* ------------------------------------------------------------ connecting */

static int connect_unix(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(un.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(un.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int connect_tcp(const struct xencons *x, const char **why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_family = x->family };
    struct addrinfo *list, *ai;
    const int one = 1;
    int fd = -1, rc = getaddrinfo(x->host, x->port, &hints, &list);

    if (rc != 0) {
        *why = gai_strerror(rc);
        return -1;
    }
    for (ai = list; ai && fd < 0; ai = ai->ai_next) {
        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
            continue;
        *why = strerror(errno);
        close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    }
    return fd;
}

static bool nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static void start_telnet(struct xencons *x)
{
    telnet_init(&x->telnet, TELNET_BINARY | TELNET_SGA,
                TELNET_BINARY | TELNET_ECHO | TELNET_SGA);
    if (x->mode == TELNET_ALWAYS)
        telnet_offer(&x->telnet);
}

/* True when there is a connection; else *why says why not. */
static bool open_connection(struct xencons *x, const char **why)
{
    *why = "no address";
    if (x->port) {
        x->fd = connect_tcp(x, why);
    } else {
        x->fd = connect_unix(x->host + strlen("unix:"));
        if (x->fd < 0)
            *why = strerror(errno);
    }
    if (x->fd < 0)
        return false;
    nonblocking(x->fd);
    x->nr_out = 0;
    start_telnet(x);
    return true;
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

    if (x->telnet.active)
        queue_out(x, iac_break, sizeof(iac_break));
    else
        say(x, "\r\nno BREAK: the other side does not speak telnet");
}

/* What was typed; the quit key ends it, the break key is taken out. */
static void typed(struct xencons *x, const uint8_t *data, size_t len)
{
    uint8_t coded[2];

    for (size_t i = 0; i < len && !x->leave; i++) {
        if (terminal_is_raw() && data[i] == x->quit_key)
            x->leave = true;
        else if (terminal_is_raw() && x->break_key && data[i] == x->break_key)
            send_break(x);
        else if (x->fd >= 0)
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

/* False when the connection is over. */
static bool read_connection(struct xencons *x)
{
    uint8_t buf[CHUNK];
    ssize_t nr = read(x->fd, buf, sizeof(buf));
    uint8_t *to = x->in + x->nr_in;
    size_t len;

    if (nr < 0)
        return errno == EAGAIN || errno == EINTR;
    if (nr == 0)
        return false;
    if (x->mode == TELNET_NEVER) {
        memcpy(to, buf, (size_t)nr);
        len = (size_t)nr;
    } else {
        len = telnet_rx(&x->telnet, buf, (size_t)nr, to);
        flush_replies(x);
    }
    if (x->log >= 0 && write(x->log, to, len) != (ssize_t)len) {
        say(x, "the log cannot be written; logging stops");
        close(x->log);
        x->log = -1;
    }
    x->nr_in += len;
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
    /* little at a time: this may block, and the quit key must not */
    size_t len = x->nr_in < 4096 ? x->nr_in : 4096;
    ssize_t nr = write(STDOUT_FILENO, x->in, len);

    if (nr > 0)
        drop(x->in, &x->nr_in, (size_t)nr);
    else if (nr < 0 && errno != EAGAIN && errno != EINTR)
        x->leave = true; /* nobody reads any more */
}

/* Waits, at most `limit` ms (-1: for ever).  fds: input, output, connection. */
static int wait_for(struct xencons *x, struct pollfd fds[3], int limit)
{
    bool room_out = x->nr_out + 2 * CHUNK + 64 <= sizeof(x->out);
    bool room_in = x->nr_in + CHUNK + 1 <= sizeof(x->in);

    fds[0] = (struct pollfd){ .fd = x->input_ended || !room_out ? -1
                                                                : STDIN_FILENO,
                              .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = x->nr_in ? STDOUT_FILENO : -1,
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
    struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

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
        } else if (!said) {
            fprintf(stderr, "xencons: %s%s%s: %s%s\n", x->host,
                    x->port ? " port " : "", x->port ? x->port : "", why,
                    terminal_is_raw() ? "\r" : "");
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
    int opt;

    while ((opt = getopt_long(argc, argv, "rl:tRb:e:q46", options, NULL)) != -1)
        set_option(x, opt);
    if (optind + 1 == argc && strncmp(argv[optind], "unix:", 5) == 0) {
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
        .quit_key = 0x1d, .log = -1, .fd = -1, .family = AF_UNSPEC
    };
    char banner[64] = "REMOTE CONSOLE: CTRL-] TO QUIT";
    int status;

    parse_arguments(&x, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    if (x.quit_key != 0x1d)
        snprintf(banner, sizeof(banner), "REMOTE CONSOLE: CTRL-%c TO QUIT",
                 x.quit_key | 0x40);
    say(&x, banner);
    terminal_raw();
    status = run(&x);
    terminal_restore();
    say(&x, "\nREMOTE CONSOLE EXITED");
    return status;
}
