/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses explained by libdw's module interface (dwfl). */
#define _GNU_SOURCE
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "settings.h"
#include "splitter/splitter.h"
#include "symbols.h"
#include "util.h"

struct symbols {
    Dwfl *dwfl;
    const struct strings *given;
    char running[65]; /* the build-id last heard of */
};

static char *no_debuginfo_path = NULL;

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &no_debuginfo_path,
};

bool symbols_is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* As linked: kernels run where their headers say. */
static bool load(struct symbols *s, const char *file)
{
    return dwfl_report_elf(s->dwfl, file, file, -1, 0, true) != NULL;
}

static void complain(const char *file, const char *why)
{
    fprintf(stderr, "miniterm: symbols from %s: %s; "
            "give an ELF file with symbols, as xen-syms or vmlinux\n",
            file, why);
}

/* A dwfl_getmodules() callback. */
static int look_for_names(Dwfl_Module *mod, void **unused, const char *name,
                          Dwarf_Addr start, void *arg)
{
    bool *failed = arg;
    int nr = dwfl_module_getsymtab(mod);

    (void)unused, (void)start;
    /* The first entry of every table is the empty one. */
    if (nr > 1)
        return DWARF_CB_OK;
    complain(name, nr < 0 ? dwfl_errmsg(-1) : "no symbol table");
    *failed = true;
    return DWARF_CB_OK;
}

/*
 * dwfl reads no debug information yet: that happens at the first address of
 * each unit.
 */
struct symbols *symbols_new(const struct strings *files, bool *failed)
{
    struct symbols *s;

    *failed = false;
    if (!files->nr)
        return NULL;
    s = xcalloc(1, sizeof(*s));
    s->given = files;
    s->dwfl = dwfl_begin(&callbacks);
    if (s->dwfl)
        dwfl_report_begin(s->dwfl);
    for (size_t i = 0; s->dwfl && i < files->nr; i++) {
        const char *file = files->item[i];

        if (!symbols_is_directory(file) && !load(s, file)) {
            complain(file, dwfl_errmsg(-1));
            *failed = true;
        }
    }
    if (s->dwfl) {
        dwfl_report_end(s->dwfl, NULL, NULL);
        dwfl_getmodules(s->dwfl, look_for_names, failed, 0);
    }
    return s;
}

struct wanted {
    const char *hex;
    bool found;
};

/* A dwfl_getmodules() callback. */
static int compare(Dwfl_Module *mod, void **unused, const char *name,
                   Dwarf_Addr start, void *arg)
{
    struct wanted *w = arg;
    const unsigned char *id;
    GElf_Addr where;
    char hex[65] = "";
    int len = dwfl_module_build_id(mod, &id, &where);

    (void)unused, (void)name, (void)start;
    for (int i = 0; i < len && i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", id[i]);
    w->found = w->found || !strcmp(hex, w->hex);
    return DWARF_CB_OK;
}

static bool load_build(struct symbols *s, const char *hex)
{
    char path[4096];
    bool done = false;

    for (size_t i = 0; i < s->given->nr && !done; i++) {
        const char *dir = s->given->item[i];

        if (!symbols_is_directory(dir) ||
            !splitter_find_build(dir, hex, path, sizeof(path)))
            continue;
        dwfl_report_begin_add(s->dwfl);
        done = load(s, path);
        dwfl_report_end(s->dwfl, NULL, NULL);
    }
    return done;
}

bool symbols_running(struct symbols *s, const char *hex, char *why,
                     size_t size)
{
    struct wanted w = { .hex = hex };

    if (!strcmp(hex, s->running))
        return true;
    snprintf(s->running, sizeof(s->running), "%s", hex);
    dwfl_getmodules(s->dwfl, compare, &w, 0);
    if (w.found || load_build(s, hex))
        return true;
    snprintf(why, size, "no symbols of the build that runs (%.12s...): "
             "addresses may be explained wrongly", hex);
    return false;
}

void symbols_free(struct symbols *s)
{
    if (!s)
        return;
    if (s->dwfl)
        dwfl_end(s->dwfl);
    free(s);
}

/* The file's last component: lines are long enough. */
static bool source_of(Dwfl_Module *mod, uint64_t address, char *out,
                      size_t size)
{
    Dwfl_Line *line = dwfl_module_getsrc(mod, address);
    const char *file, *slash;
    int nr;

    if (!line)
        return false;
    file = dwfl_lineinfo(line, NULL, &nr, NULL, NULL, NULL);
    if (!file)
        return false;
    slash = strrchr(file, '/');
    snprintf(out, size, "%s:%d", slash ? slash + 1 : file, nr);
    return true;
}

struct place {
    uint64_t address, offset;
    Dwfl_Module *mod; /* NULL: not known */
    const char *name;
};

/* A dwfl_getmodules() callback. */
static int nearest(Dwfl_Module *mod, void **unused, const char *file,
                   Dwarf_Addr start, void *arg)
{
    struct place *p = arg;
    Dwarf_Addr end = 0;
    GElf_Off offset = 0;
    GElf_Sym sym;
    const char *name;

    (void)unused, (void)file;
    dwfl_module_info(mod, NULL, NULL, &end, NULL, NULL, NULL, NULL);
    if (p->address < start || p->address >= end)
        return DWARF_CB_OK;
    name = dwfl_module_addrinfo(mod, p->address, &offset, &sym, NULL, NULL,
                                NULL);
    if (name && (!p->mod || offset < p->offset)) {
        p->mod = mod;
        p->name = name;
        p->offset = offset;
    }
    return DWARF_CB_OK;
}

/*
 * The ranges of a hypervisor's and a kernel's file may overlap, with gaps
 * within: the nearest symbol before the address decides.
 */
static struct place find(struct symbols *s, uint64_t address)
{
    struct place p = { .address = address };

    dwfl_getmodules(s->dwfl, nearest, &p, 0);
    return p;
}

/*
 * Names come from the symbol table, lines from DWARF; either may be missing.
 */
bool symbols_lookup(struct symbols *s, uint64_t address, char *out,
                    size_t size)
{
    struct place p = find(s, address);
    char source[120] = "";

    if (!p.mod)
        return false;
    source_of(p.mod, address, source, sizeof(source));
    snprintf(out, size, "%s+0x%" PRIx64 "%s%s", p.name, p.offset,
             *source ? " " : "", source);
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/*
 * The next number that may be an address, from *at on; moves *at behind it.
 * 0 at the end.
 */
static uint64_t next_address(const char *text, size_t len, size_t *at)
{
    size_t i = *at;

    while (i < len) {
        size_t start = i;
        char digits[17];

        while (i < len && is_hex(text[i]))
            i++;
        if (i - start >= 8 && i - start <= 16 &&
            (start == 0 || !(text[start - 1] & 0x40) ||
             text[start - 1] == 'x' || text[start - 1] == '[')) {
            memcpy(digits, text + start, i - start);
            digits[i - start] = '\0';
            *at = i;
            return strtoull(digits, NULL, 16);
        }
        if (i == start)
            i++;
    }
    *at = len;
    return 0;
}

/* Several addresses of a line are explained in their order. */
char *symbols_annotate(struct symbols *s, const char *text, size_t len)
{
    char *all = NULL, one[300];
    unsigned found = 0;
    size_t at = 0;
    uint64_t address;

    while (found < 3 && (address = next_address(text, len, &at))) {
        char *longer;

        if (!symbols_lookup(s, address, one, sizeof(one)))
            continue;
        longer = xasprintf("%s%s%s", all ? all : "", all ? "; " : "", one);
        free(all);
        all = longer;
        found++;
    }
    return all;
}

bool symbols_source(struct symbols *s, const char *text, size_t len,
                    char *out, size_t size)
{
    size_t at = 0;
    uint64_t address;

    while ((address = next_address(text, len, &at))) {
        struct place p = find(s, address);

        if (p.mod && source_of(p.mod, address, out, size))
            return true;
    }
    return false;
}
