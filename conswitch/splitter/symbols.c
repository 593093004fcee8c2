/* SPDX-License-Identifier: GPL-2.0-only */
/* The executable's file for gdb, served here. */
#include "symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a request and its reply are made of. */
struct request {
    const char *args; /* NUL-terminated */
    uint8_t *reply;
    size_t max, len;
};

void symbols_clear(struct symbols *sym)
{
    sym->path[0] = '\0';
    sym->is_directory = false;
    for (unsigned int i = 0; i < SYMBOLS_OPEN_MAX; i++)
        sym->fd[i] = -1;
}

int symbols_init(struct symbols *sym, const char *path, char *err, size_t size)
{
    char *real = realpath(path, NULL);
    struct stat st;

    symbols_clear(sym);
    if (!real || strlen(real) >= sizeof(sym->path)) {
        snprintf(err, size, "symbols %s: %s", path, strerror(errno));
        free(real);
        return -1;
    }
    strcpy(sym->path, real);
    free(real);
    if (stat(sym->path, &st) == 0 && access(sym->path, R_OK) == 0) {
        sym->is_directory = S_ISDIR(st.st_mode);
        if (sym->is_directory || S_ISREG(st.st_mode))
            return 0;
    }
    snprintf(err, size, "symbols %s: want a readable ELF file or a directory",
             path);
    sym->path[0] = '\0';
    return -1;
}

void symbols_close(struct symbols *sym)
{
    for (unsigned int i = 0; i < SYMBOLS_OPEN_MAX; i++) {
        if (sym->fd[i] >= 0)
            close(sym->fd[i]);
        sym->fd[i] = -1;
    }
}

static void put(struct request *q, const char *text)
{
    size_t len = strlen(text);

    if (q->len + len > q->max)
        return;
    memcpy(q->reply + q->len, text, len);
    q->len += len;
}

/* "F result" or "F-1,errno", numbers in hexadecimal. */
static void result(struct request *q, long value, unsigned int error)
{
    char text[40];

    if (error)
        snprintf(text, sizeof(text), "F-1,%x", error);
    else
        snprintf(text, sizeof(text), "F%lx", value);
    put(q, text);
}

/*
 * Appends as much of the data as fits, escaped (GDB's manual, "Binary Data");
 * returns how many bytes of it.
 */
static size_t put_binary(struct request *q, const uint8_t *data, size_t len)
{
    size_t i;

    for (i = 0; i < len && q->len + 2 <= q->max; i++) {
        uint8_t c = data[i];

        if (c == '#' || c == '$' || c == '}' || c == '*') {
            q->reply[q->len++] = '}';
            c ^= 0x20;
        }
        q->reply[q->len++] = c;
    }
    return i;
}

static void exec_file(const struct symbols *sym, struct request *q)
{
    const char *at = strchr(q->args, ':'); /* behind the annex */
    unsigned long from, nr, len = strlen(sym->path);

    if (!at || sscanf(at, ":%lx,%lx", &from, &nr) != 2) {
        put(q, "E00");
        return;
    }
    if (from > len)
        from = len;
    put(q, nr < len - from ? "m" : "l");
    if (nr > len - from)
        nr = len - from;
    put_binary(q, (const uint8_t *)sym->path + from, nr);
}

/* Value of a hexadecimal digit as gdb writes it, or 16. */
static unsigned int digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

/* The name, in hexadecimal up to a comma; false when it is malformed. */
static bool read_name(const char *hex, char *name, size_t size)
{
    size_t len = 0;

    for (; *hex != ','; hex += 2) {
        if (digit(hex[0]) == 16 || digit(hex[1]) == 16 || len + 1 >= size)
            return false;
        name[len++] = (char)(digit(hex[0]) << 4 | digit(hex[1]));
    }
    name[len] = '\0';
    return strlen(name) == len;
}

/*
 * The file that a request may open: the one offered or, of a directory, the
 * one of that build or with the last part of that name.
 */
static bool choose_file(const struct symbols *sym, const char *name,
                        char path[SYMBOLS_PATH_MAX])
{
    const char *base = strrchr(name, '/');
    struct build_id id;

    base = base ? base + 1 : name;
    if (!sym->is_directory) {
        snprintf(path, SYMBOLS_PATH_MAX, "%s", sym->path);
        return strcmp(name, sym->path) == 0;
    }
    if (build_id_of_path(name, &id))
        return symbols_find(sym, &id, true, path) ||
               symbols_find(sym, &id, false, path);
    if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
        return false;
    return (size_t)snprintf(path, SYMBOLS_PATH_MAX, "%s/%s", sym->path,
                            base) < SYMBOLS_PATH_MAX;
}

/* The descriptor of an open file by gdb's number for it; NULL: not open. */
static int *open_file(struct symbols *sym, unsigned long number)
{
    if (number < 1 || number > SYMBOLS_OPEN_MAX || sym->fd[number - 1] < 0)
        return NULL;
    return &sym->fd[number - 1];
}

/* gdb opens a file again while it has it open, and closes each by itself. */
static void file_open(struct symbols *sym, struct request *q)
{
    char name[sizeof(sym->path)], path[sizeof(sym->path)];
    unsigned int slot = 0;
    struct stat st;

    while (slot < SYMBOLS_OPEN_MAX && sym->fd[slot] >= 0)
        slot++;
    if (slot == SYMBOLS_OPEN_MAX) {
        result(q, 0, EMFILE);
        return;
    }
    if (!read_name(q->args, name, sizeof(name)) ||
        !choose_file(sym, name, path) || stat(path, &st) < 0 ||
        !S_ISREG(st.st_mode)) {
        result(q, 0, ENOENT);
        return;
    }
    sym->fd[slot] = open(path, O_RDONLY | O_CLOEXEC);
    result(q, slot + 1, sym->fd[slot] < 0 ? (unsigned int)errno : 0);
}

static void file_pread(struct symbols *sym, struct request *q)
{
    unsigned long number, nr, from;
    uint8_t data[8192]; /* escaped it is at most half a packet */
    const int *fd = NULL;
    ssize_t got;

    if (sscanf(q->args, "%lx,%lx,%lx", &number, &nr, &from) == 3)
        fd = open_file(sym, number);
    if (!fd) {
        result(q, 0, EBADF);
        return;
    }
    got = pread(*fd, data, nr < sizeof(data) ? nr : sizeof(data),
                (off_t)from);
    if (got < 0) {
        result(q, 0, (unsigned int)errno);
        return;
    }
    result(q, got, 0);
    put(q, ";");
    (void)put_binary(q, data, (size_t)got);
}

static void put_be(uint8_t *to, uint64_t value, unsigned int bytes)
{
    while (bytes--) {
        to[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

/* GDB's manual, "struct stat": big-endian, 64 bytes. */
static void file_fstat(struct symbols *sym, struct request *q)
{
    const int *fd = open_file(sym, strtoul(q->args, NULL, 16));
    uint8_t out[64] = { 0 };
    struct stat st;

    if (!fd || fstat(*fd, &st) < 0) {
        result(q, 0, EBADF);
        return;
    }
    put_be(out + 8, 0100444, 4); /* st_mode: a regular file, read-only */
    put_be(out + 12, 1, 4);      /* st_nlink */
    put_be(out + 28, (uint64_t)st.st_size, 8);
    put_be(out + 36, 4096, 8); /* st_blksize */
    put_be(out + 44, (uint64_t)st.st_blocks, 8);
    put_be(out + 56, (uint64_t)st.st_mtime, 4);
    result(q, sizeof(out), 0);
    put(q, ";");
    put_binary(q, out, sizeof(out));
}

static void file_close(struct symbols *sym, struct request *q)
{
    int *fd = open_file(sym, strtoul(q->args, NULL, 16));

    result(q, 0, fd ? 0 : EBADF);
    if (fd) {
        close(*fd);
        *fd = -1;
    }
}

/* Which process' view of the files: there is one. */
static void file_setfs(struct symbols *sym, struct request *q)
{
    (void)sym;
    result(q, 0, 0);
}

static void file_request(struct symbols *sym, struct request *q)
{
    static const struct {
        const char *name;
        void (*fn)(struct symbols *, struct request *);
    } calls[] = {
        { "open:", file_open },
        { "pread:", file_pread },
        { "fstat:", file_fstat },
        { "close:", file_close },
        { "setfs:", file_setfs },
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        size_t len = strlen(calls[i].name);

        if (strncmp(q->args, calls[i].name, len) == 0) {
            q->args += len;
            calls[i].fn(sym, q);
            return;
        }
    }
    /* anything else: the empty reply, "unknown" */
}

bool symbols_near(void *ctx, const uint8_t *cmd, size_t len, uint8_t *reply,
                  size_t max, size_t *reply_len)
{
    static const char exec[] = "qXfer:exec-file:read:";
    struct symbols *sym = ctx;
    struct request q = { .reply = reply, .max = max };
    char text[2 * sizeof(sym->path) + 64];

    if (!sym->path[0] || len >= sizeof(text))
        return false;
    memcpy(text, cmd, len);
    text[len] = '\0';
    if (!sym->is_directory && strncmp(text, exec, sizeof(exec) - 1) == 0) {
        q.args = text + sizeof(exec) - 1;
        exec_file(sym, &q);
    } else if (strncmp(text, "vFile:", 6) == 0) {
        q.args = text + 6;
        file_request(sym, &q);
    } else {
        return false;
    }
    *reply_len = q.len;
    return true;
}
