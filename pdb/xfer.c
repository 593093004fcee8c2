/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qXfer objects: documents that gdb reads piece by piece.
 *
 * Each piece is cut by a text window out of a document written anew (out.h),
 * so a document may be longer than any buffer here.
 */
#include <string.h>

#include "int.h"

struct request {
    struct pdb *p;
    char annex[32];
    struct pdb_out *o;
};

/* Writes the object's document; false: no such annex. */
typedef bool object_fn(struct request *r);

static bool features(struct request *r)
{
    if (strcmp(r->annex, "target.xml"))
        return false;
    put_target_xml(r->p, r->o);
    regs_told(r->p, r->p->general.pid);
    return true;
}

static bool threads(struct request *r)
{
    put_threads_xml(r->p, r->o);
    return true;
}

/*
 * gdb asks once and then refuses what is not in the map by itself, but the same
 * address is mapped in one context and not in the next: so all of it is RAM.
 * (But for the last byte: the length of the whole is no 64-bit number.)
 */
static bool memory_map(struct request *r)
{
    pdb_puts(r->o, "<memory-map><memory type=\"ram\" start=\"0\"");
    pdb_printf(r->o, " length=\"0x%lx\"/></memory-map>", ~0ul);
    return true;
}

/* The annex is a pid in hex, or empty for the selected inferior. */
static bool exec_file(struct request *r)
{
    struct pdb_inferior_info info = { NULL, NULL, 0, 0 };
    struct pdb_in in = { (const uint8_t *)r->annex,
                         (const uint8_t *)r->annex + strlen(r->annex) };
    uint32_t pid = (uint32_t)r->p->general.pid;

    if (!in_end(&in) && (!in_u32(&in, &pid) || pid > INT32_MAX))
        return false;
    if (!r->p->ops->inferior_info ||
        r->p->ops->inferior_info(r->p->ctx, (int32_t)pid, &info) < 0 ||
        !info.exec_file)
        return false;
    pdb_puts(r->o, info.exec_file);
    return true;
}

/* gdb wants a list of the tables when it names none. */
static void table_list(struct request *r)
{
    const struct pdb_table *t;

    pdb_puts(r->o, "<osdata type=\"types\">");
    for (t = r->p->ops->tables; t->type; t++) {
        pdb_puts(r->o, "<item>");
        pdb_column(r->o, "Type", "%s", t->type);
        pdb_column(r->o, "Description", "%s", t->title);
        pdb_column(r->o, "Title", "%s", t->title);
        pdb_puts(r->o, "</item>");
    }
    pdb_puts(r->o, "</osdata>");
}

/* A row is opened before it is known to exist, and taken back if not. */
static void table_rows(struct request *r, const struct pdb_table *t)
{
    uint64_t cursor = 0;
    struct pdb_out before;

    pdb_printf(r->o, "<osdata type=\"%s\">", t->type);
    for (;;) {
        before = *r->o;
        pdb_puts(r->o, "<item>");
        if (t->row(r->p->ctx, &cursor, r->o) <= 0)
            break;
        pdb_puts(r->o, "</item>");
    }
    *r->o = before;
    pdb_puts(r->o, "</osdata>");
}

static bool osdata(struct request *r)
{
    const struct pdb_table *t = r->p->ops->tables;

    if (!t)
        return false;
    if (!r->annex[0]) {
        table_list(r);
        return true;
    }
    for (; t->type; t++)
        if (strcmp(t->type, r->annex) == 0)
            break;
    if (!t->type)
        return false;
    table_rows(r, t);
    return true;
}

static const struct object {
    const char *name;
    object_fn *write;
} objects[] = {
    { "features:read:", features },     { "threads:read:", threads },
    { "memory-map:read:", memory_map }, { "exec-file:read:", exec_file },
    { "osdata:read:", osdata },
};

static bool in_annex(struct pdb_in *in, char *annex, uint32_t size)
{
    uint32_t len = 0;

    while (!in_end(in) && *in->p != ':') {
        if (len == size - 1)
            return false;
        annex[len++] = (char)*in->p++;
    }
    annex[len] = '\0';
    return in_char(in, ':');
}

static bool is_special(char c)
{
    return c == '#' || c == '$' || c == '}' || c == '*';
}

static uint32_t count_special(const struct pdb_out *o)
{
    uint32_t i, n = 0;

    for (i = 0; i < o->len; i++)
        n += is_special(o->buf[i]);
    return n;
}

/* Escapes in place, from the end; there is room for n characters more. */
static void escape(struct pdb_out *o, uint32_t n)
{
    uint32_t from = o->len, to = o->len + n;

    o->len = to;
    while (from < to) {
        char c = o->buf[--from];

        if (is_special(c)) {
            o->buf[--to] = (char)(c ^ 0x20);
            c = '}';
        }
        o->buf[--to] = c;
    }
}

/* One piece behind the m or l of the reply; false: no such annex. */
static bool write_piece(struct request *r, object_fn *write, uint64_t offset,
                        uint32_t len)
{
    struct pdb_out *reply = &r->p->reply, piece;
    uint32_t n;

    r->o = &piece;
    pdb_out_init(&piece, reply->buf + 1, len, offset);
    if (!write(r))
        return false;
    n = count_special(&piece);
    if (n > reply->size - 1 - piece.len) { /* half is sure to fit */
        pdb_out_init(&piece, reply->buf + 1, len / 2, offset);
        (void)write(r);
        n = count_special(&piece);
    }
    escape(&piece, n);
    reply->buf[0] = piece.more ? 'm' : 'l';
    reply->len = 1 + piece.len;
    return true;
}

static const struct object *in_object(struct pdb_in *in)
{
    uint32_t i;

    for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
        if (in_word(in, objects[i].name))
            return &objects[i];
    return NULL;
}

bool query_xfer(struct pdb *p, struct pdb_in *in)
{
    const struct object *obj = in_object(in);
    struct request r = { .p = p };
    uint64_t offset, len;

    if (!obj)
        return true;
    if (!in_annex(in, r.annex, sizeof(r.annex)) ||
        !in_hex_char(in, &offset, ',') || !in_hex(in, &len) || !in_end(in))
        return reply_error(p, -PDB_EINVAL, "qXfer");
    if (len > PDB_PACKET - 1)
        len = PDB_PACKET - 1;
    if (obj->write == threads && offset == 0)
        threads_begin(p);
    if (!write_piece(&r, obj->write, offset, (uint32_t)len))
        return reply_error(p, -PDB_ENOENT, "qXfer");
    return true;
}
