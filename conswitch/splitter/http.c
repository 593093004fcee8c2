/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control port answers debuginfod's requests as well, so that gdb finds
 * the symbols of a build by its number:
 *
 *   GET /buildid/HEX/debuginfo     the file with the debug information
 *   GET /buildid/HEX/executable    the file with the code
 *
 * (elfutils, debuginfod(8), "WEBAPI"; HTTP as of RFC 9112.)  One request a
 * connection; its header fields are read and forgotten.  Files are read as
 * the client takes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"

#define AHEAD (OUT_HIGH / 2) /* less than what holds the line back */
#define HEAD_LINE_MAX 8192u

static void refuse(struct splitter *s, struct client *c, const char *status)
{
    char text[160];

    snprintf(text, sizeof(text),
             "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
             status);
    client_text(s, c, text);
    client_close(s, c, status);
}

static void begin_file(struct splitter *s, struct client *c, const char *path)
{
    struct stat st;
    char text[200];

    c->file = open(path, O_RDONLY | O_CLOEXEC);
    if (c->file < 0 || fstat(c->file, &st) < 0) {
        refuse(s, c, "404 Not Found");
        return;
    }
    c->file_left = (uint64_t)st.st_size;
    splitter_event(s, "%u (%s) fetches %s", c->id, c->peer, path);
    snprintf(text, sizeof(text),
             "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
             "Content-Length: %llu\r\nConnection: close\r\n\r\n",
             (unsigned long long)c->file_left);
    client_text(s, c, text);
}

/* "/buildid/HEX/debuginfo": which build, and which half of it. */
static bool parse_path(struct client *c, const char *path)
{
    static const char start[] = "/buildid/";
    const char *rest;
    size_t len;

    if (strncmp(path, start, sizeof(start) - 1) != 0)
        return false;
    path += sizeof(start) - 1;
    len = strcspn(path, "/");
    rest = path + len;
    c->http_code = strcmp(rest, "/executable") == 0;
    return (c->http_code || strcmp(rest, "/debuginfo") == 0) &&
           build_id_parse(path, len, &c->http_id);
}

bool http_request(struct client *c, const char *line)
{
    char path[COMMAND_MAX];

    if (sscanf(line, "GET %255s HTTP/1.", path) != 1 || !strstr(line, " HTTP/"))
        return false;
    c->http = true;
    if (!parse_path(c, path))
        c->http_id.len = 0;
    return true;
}

/*
 * The head is read to its empty line before the answer: a connection that is
 * closed with unread bytes would be reset, and the answer lost.
 */
void http_input(struct splitter *s, struct client *c)
{
    char file[SYMBOLS_PATH_MAX];
    const uint8_t *data, *end;
    bool last = c->http_done;

    while (!last && c->in.len) {
        data = bytes_data(&c->in);
        end = memchr(data, '\n', c->in.len);
        if (!end && c->in.len < HEAD_LINE_MAX)
            return;
        last = !end || end == data || (end == data + 1 && *data == '\r');
        bytes_drop(&c->in, end ? (size_t)(end - data) + 1 : c->in.len);
    }
    if (!last)
        return;
    bytes_drop(&c->in, c->in.len);
    if (c->http_done)
        return;
    c->http_done = true;
    if (c->http_id.len &&
        symbols_find(&s->symbols, &c->http_id, c->http_code, file))
        begin_file(s, c, file);
    else
        refuse(s, c, "404 Not Found");
}

void http_continue(struct splitter *s, struct client *c)
{
    uint8_t data[16384];
    ssize_t nr = 0;

    while (c->file >= 0 && c->file_left && c->out.len < AHEAD) {
        size_t want = c->file_left < sizeof(data) ? c->file_left
                                                  : sizeof(data);

        nr = read(c->file, data, want);
        if (nr <= 0 || !bytes_add(&c->out, data, (size_t)nr))
            break;
        c->file_left -= (uint64_t)nr;
    }
    if (c->file < 0 || (c->file_left && c->out.len >= AHEAD))
        return;
    close(c->file);
    c->file = -1;
    /* a file that became shorter: the length that was said tells the client */
    client_close(s, c, c->file_left ? "the file ended early" : "file sent");
}
