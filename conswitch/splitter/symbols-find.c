/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the file of a build among those that are offered. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "splitter.h"
#include "symbols.h"

#define ENTRIES_MAX 4096u /* of a directory; the rest is not looked at */

/* A regular file's descriptor, or -1; not held up by a fifo. */
static int open_regular(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
        return fd;
    close(fd);
    return -1;
}

static void look_at(const char *path, symbols_fn *fn, void *ctx)
{
    int fd = open_regular(path);
    struct elf_facts facts;

    if (fd < 0)
        return;
    if (build_id_read(fd, &facts))
        fn(ctx, path, &facts);
    close(fd);
}

void symbols_each(const struct symbols *sym, symbols_fn *fn, void *ctx)
{
    char path[sizeof(sym->path) + 256];
    unsigned int nr = 0;
    struct dirent *e;
    DIR *dir;

    if (!sym->path[0])
        return;
    if (!sym->is_directory) {
        look_at(sym->path, fn, ctx);
        return;
    }
    dir = opendir(sym->path);
    while (dir && nr++ < ENTRIES_MAX && (e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", sym->path, e->d_name);
        look_at(path, fn, ctx);
    }
    if (dir)
        closedir(dir);
}

/* The best file so far for one build. */
struct search {
    const struct build_id *id;
    bool want_code;
    unsigned int score;
    char *path; /* SYMBOLS_PATH_MAX */
};

static void consider(void *ctx, const char *path, const struct elf_facts *f)
{
    struct search *s = ctx;
    bool wanted = s->want_code ? f->code : f->debug;
    unsigned int score = wanted ? 1u + f->code + f->debug : 0;

    if (!build_id_same(&f->id, s->id) || score <= s->score)
        return;
    s->score = score;
    snprintf(s->path, SYMBOLS_PATH_MAX, "%s", path);
}

/* DIR/.build-id/12/3456.debug, as distributions have it. */
static void look_in_tree(const struct symbols *sym, struct search *s)
{
    char path[SYMBOLS_PATH_MAX + 100], hex[2 * BUILD_ID_MAX + 1];

    build_id_text(s->id, hex);
    for (int debug = 0; debug < 2; debug++) {
        snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s%s", sym->path, hex,
                 hex + 2, debug ? ".debug" : "");
        look_at(path, consider, s);
    }
}

bool symbols_find(const struct symbols *sym, const struct build_id *id,
                  bool code, char path[SYMBOLS_PATH_MAX])
{
    struct search s = { .id = id, .want_code = code, .path = path };

    symbols_each(sym, consider, &s);
    if (sym->is_directory)
        look_in_tree(sym, &s);
    return s.score > 0;
}

bool splitter_find_build(const char *directory, const char *hex, char *path,
                         size_t size)
{
    char found[SYMBOLS_PATH_MAX], err[300];
    struct symbols sym;
    struct build_id id;

    if (!build_id_parse(hex, strlen(hex), &id) ||
        symbols_init(&sym, directory, err, sizeof(err)) < 0 ||
        !symbols_find(&sym, &id, false, found))
        return false;
    return (size_t)snprintf(path, size, "%s", found) < size;
}
