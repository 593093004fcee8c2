/* SPDX-License-Identifier: GPL-2.0-only */
/* The dialogue with conserver's ports. */
#define _GNU_SOURCE
#include "conserver.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT "\005c;"
#define PATIENCE_MS 10000
#define LINE_MAX_LEN 200u

/*
 * One line without its end, byte by byte: what is behind it belongs to the
 * console.  False at the end of file and when it takes too long.
 */
static bool read_line(int fd, char line[LINE_MAX_LEN])
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    size_t nr = 0;

    for (;;) {
        char c;
        ssize_t got = read(fd, &c, 1);

        if (got < 0 && errno == EAGAIN) {
            if (poll(&pfd, 1, PATIENCE_MS) <= 0)
                return false;
            continue;
        }
        if (got <= 0)
            return false;
        if (c == '\n')
            break;
        if (c != '\r' && nr < LINE_MAX_LEN - 1)
            line[nr++] = c;
    }
    line[nr] = '\0';
    return true;
}

/* What the other side says goes to the user's terminal: text only. */
static int fail(char *err, size_t size, const char *why, char *said)
{
    for (char *c = said; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    snprintf(err, size, "%s%s%s", why, *said ? ": " : "", said);
    return -1;
}

/* "VERB WORD"; these lines are short, and the socket's buffer is empty. */
static bool say(int fd, const char *verb, const char *word)
{
    char line[LINE_MAX_LEN + 20];
    int len = snprintf(line, sizeof(line), "%s %s\r\n", verb, word);

    return len < (int)sizeof(line) && write(fd, line, (size_t)len) == len;
}

static const char *user_name(void)
{
    const struct passwd *pw = getpwuid(getuid());

    return pw ? pw->pw_name : "nobody";
}

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

int conserver_call(int fd, const char *console, char *err, size_t size)
{
    char line[LINE_MAX_LEN] = "";
    long port;

    if (strpbrk(console, "\r\n") || strlen(console) >= LINE_MAX_LEN)
        return fail(err, size, "no name of a console", line);
    if (!read_line(fd, line) || strcmp(line, "ok") != 0)
        return fail(err, size, "does not greet like conserver", line);
    if (!say(fd, "login", user_name()) || !read_line(fd, line) ||
        strcmp(line, "ok") != 0)
        return fail(err, size, "conserver lets nobody in without a password "
                    "or encryption; use its console(1)", line);
    if (!say(fd, "call", console) || !read_line(fd, line))
        return fail(err, size, "conserver does not answer the call", line);
    /* attached: "[attached]", "[spy]" ...; output begins when asked for */
    if (line[0] == '[' && write(fd, CONNECT, strlen(CONNECT)) > 0)
        return 0;
    port = is_number(line) ? strtol(line, NULL, 10) : 0;
    if (port > 0 && port < 65536)
        return (int)port;
    return fail(err, size, line[0] == '@' ? "it is at another conserver"
                                          : "no such console", line);
}
