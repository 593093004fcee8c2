/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control port answers debuginfod's requests as well, so that gdb finds
 * the symbols of a build by its number:
 *
 *   GET /buildid/HEX/debuginfo     the file with the debug information
 *   GET /buildid/HEX/executable    the file with the code
 *
 * (elfutils, debuginfod(8), "WEBAPI"; HTTP as of RFC 9112.)  One request a
 * connection; what follows the request line is read and forgotten.  Files
 * are read as the client takes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"

#define AHEAD (OUT_HIGH / 2) /* less than what holds the line back */

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
static bool parse_path(const char *path, struct build_id *id, bool *code)
{
    static const char start[] = "/buildid/";
    const char *rest;
    size_t len;

    if (strncmp(path, start, sizeof(start) - 1) != 0)
        return false;
    path += sizeof(start) - 1;
    len = strcspn(path, "/");
    rest = path + len;
    *code = strcmp(rest, "/executable") == 0;
    return (*code || strcmp(rest, "/debuginfo") == 0) &&
           build_id_parse(path, len, id);
}

bool http_request(struct splitter *s, struct client *c, const char *line)
{
    char path[COMMAND_MAX], file[SYMBOLS_PATH_MAX];
    struct build_id id;
    bool code;

    if (sscanf(line, "GET %255s HTTP/1.", path) != 1 || !strstr(line, " HTTP/"))
        return false;
    c->http = true;
    if (parse_path(path, &id, &code) &&
        symbols_find(&s->symbols, &id, code, file))
        begin_file(s, c, file);
    else
        refuse(s, c, "404 Not Found");
    return true;
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
