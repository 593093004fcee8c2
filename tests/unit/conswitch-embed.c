/* SPDX-License-Identifier: GPL-2.0-only */
/* The splitter inside a program that keeps the line itself. */
#include "splitter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conswitch-check.h"

/* What the hooks saw. */
struct seen {
    char line[4096], console[4096], packets[4096];
    size_t nr_line, nr_console, nr_packets;
    size_t room; /* bytes the line takes before it is full */
    unsigned int nr_breaks, nr_events;
};

static struct seen seen;

static size_t line_write(void *ctx, const uint8_t *data, size_t len)
{
    struct seen *s = ctx;

    if (len > s->room)
        len = s->room;
    memcpy(s->line + s->nr_line, data, len);
    s->nr_line += len;
    s->room -= len;
    return len;
}

static void console(void *ctx, const uint8_t *data, size_t len)
{
    struct seen *s = ctx;

    memcpy(s->console + s->nr_console, data, len);
    s->nr_console += len;
}

static void packet(void *ctx, bool to_target, const uint8_t *data, size_t len)
{
    struct seen *s = ctx;

    s->packets[s->nr_packets++] = to_target ? '>' : '<';
    memcpy(s->packets + s->nr_packets, data, len);
    s->nr_packets += len;
}

static void event(void *ctx, const char *text)
{
    struct seen *s = ctx;

    (void)text;
    s->nr_events++;
}

static void line_break(void *ctx)
{
    struct seen *s = ctx;

    s->nr_breaks++;
}

static const struct splitter_hooks hooks = {
    .console = console,
    .packet = packet,
    .event = event,
    .line_write = line_write,
    .line_break = line_break,
};

static struct splitter *start(void)
{
    struct splitter_config config;
    struct splitter *s;
    char err[200] = "";

    memset(&seen, 0, sizeof(seen));
    seen.room = sizeof(seen.line);
    splitter_defaults(&config);
    config.port[SPLITTER_GDB] = 0;
    config.hooks = &hooks;
    config.hook_ctx = &seen;
    s = splitter_create(&config, err, sizeof(err));
    if (!s)
        printf("splitter_create: %s\n", err);
    return s;
}

/* The program's loop, for as long as something happens. */
static void loop(struct splitter *s)
{
    struct pollfd fds[SPLITTER_MAX_FDS];
    int idle = 0;

    while (idle < 2) {
        int timeout = 100;
        size_t nr = splitter_prepare(s, fds, SPLITTER_MAX_FDS, &timeout);

        if (timeout > 100)
            timeout = 100;
        idle = poll(fds, nr, timeout) == 0 ? idle + 1 : 0;
        CHECK(splitter_handle(s, fds, nr));
    }
}

static int connect_gdb(struct splitter *s)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)splitter_port_number(s, SPLITTER_GDB)),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
    loop(s);
    return fd;
}

static bool gdb_sees(int fd, const char *text)
{
    char buf[256];
    ssize_t nr = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

    return nr == (ssize_t)strlen(text) && memcmp(buf, text, (size_t)nr) == 0;
}

static bool line_saw(const char *text)
{
    bool same = seen.nr_line == strlen(text) &&
                memcmp(seen.line, text, seen.nr_line) == 0;

    seen.nr_line = 0;
    return same;
}

static void test_feed(void)
{
    struct splitter *s = start();
    struct splitter_status st;
    int gdb;

    CHECK(s != NULL);
    if (!s)
        return;
    CHECK(splitter_port_number(s, SPLITTER_CONSOLE) == -1);
    CHECK(splitter_pty_name(s) == NULL);
    gdb = connect_gdb(s);
    splitter_feed(s, (const uint8_t *)"hi\r\n\xa4\xd3\xb0\xb5\xa3\xe2\xb8", 11);
    CHECK(seen.nr_console == 4 && memcmp(seen.console, "hi\r\n", 4) == 0);
    CHECK(line_saw("\xab"));
    CHECK(gdb_sees(gdb, "$S05#b8"));
    CHECK(write(gdb, "$g#67", 5) == 5);
    loop(s);
    CHECK(line_saw("\xa4\xe7\xa3\xb6\xb7"));
    CHECK(seen.nr_packets == 6 && memcmp(seen.packets, "<S05>g", 6) == 0);
    splitter_get_status(s, &st);
    CHECK(st.line_up && st.gdb_attached && st.target_stopped);
    CHECK(st.console_rx == 4 && st.nr_console == 0);
    close(gdb);
    loop(s);
    splitter_get_status(s, &st);
    CHECK(!st.gdb_attached && seen.nr_events == 2);
    splitter_destroy(s);
}

static void test_type_and_break(void)
{
    struct splitter *s = start();

    if (!s)
        return;
    CHECK(splitter_type(s, (const uint8_t *)"a\xe9", 2) == 2);
    splitter_interrupt(s);
    splitter_send_break(s);
    loop(s);
    CHECK(seen.nr_breaks == 1);
    CHECK(line_saw("\x83"
                   "a\\xe9") ||
          line_saw("a\\xe9\x83"));
    splitter_destroy(s);
}

/* A line that takes little: nothing is lost, nothing spins. */
static void test_full_line(void)
{
    struct splitter *s = start();

    if (!s)
        return;
    seen.room = 3;
    CHECK(splitter_type(s, (const uint8_t *)"abcdef", 6) == 6);
    loop(s);
    CHECK(line_saw("abc"));
    seen.room = 100;
    loop(s);
    CHECK(line_saw("def"));
    splitter_destroy(s);
}

int main(void)
{
    RUN(test_feed);
    RUN(test_type_and_break);
    RUN(test_full_line);
    return test_summary();
}
