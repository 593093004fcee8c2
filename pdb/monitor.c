/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `monitor` commands: the core's own, and those that the target's table adds.
 *
 * Output leaves as O packets of PDB_TEXT characters each, of PDB_TEXT_WHOLE
 * where nobody acknowledges them.  A command marked
 * `again` is run anew for each of them and the window moves on, so a listing
 * may have any length; others run once and are cut.
 */
#include <string.h>

#include "int.h"

static int cmd_help(struct pdb *p, void *ctx, const char *args,
                    struct pdb_out *o);

static const char *const kind_name[] = { "thread", "cr3", "phys" };

static void show_context(struct pdb *p, struct pdb_out *o)
{
    pdb_printf(o, "memory is that of: %s", kind_name[p->context.kind]);
    if (p->context.kind == PDB_SPACE_CR3)
        pdb_printf(o, " 0x%lx", (unsigned long)p->context.cr3);
    pdb_puts(o, "\n");
}

/* cr3: of a top-level table. */
static int choose_cr3(struct pdb *p, uint64_t cr3, struct pdb_out *o)
{
    struct pdb_space phys = { PDB_SPACE_PHYS, { 0, 0 }, 0 };
    uint64_t entry;

    if (cr3 & 0xfff) {
        pdb_printf(o, "context: 0x%lx is not where a page begins\n",
                   (unsigned long)cr3);
        return 0;
    }
    if (p->ops->read_mem(p->ctx, &phys, cr3, &entry, 8) < 0)
        return -PDB_EFAULT;
    p->context.kind = PDB_SPACE_CR3;
    p->context.cr3 = cr3;
    return 0;
}

/* Breakpoints set from here on belong to the context then chosen. */
static int cmd_context(struct pdb *p, void *ctx, const char *args,
                       struct pdb_out *o)
{
    uint64_t cr3;
    int err;

    (void)ctx;
    if (strcmp(args, "thread") == 0) {
        p->context.kind = PDB_SPACE_THREAD;
    } else if (strcmp(args, "phys") == 0) {
        p->context.kind = PDB_SPACE_PHYS;
    } else if (strncmp(args, "cr3 ", 4) == 0) {
        args += 4;
        if (!pdb_parse_number(&args, &cr3) || *args || !cr3)
            return -PDB_EINVAL;
        err = choose_cr3(p, cr3, o);
        if (err < 0)
            return err;
    } else if (*args) {
        return -PDB_EINVAL;
    }
    show_context(p, o);
    if (*args || p->context.kind != PDB_SPACE_THREAD)
        pdb_puts(o, "type 'maintenance flush dcache' if gdb shows old data\n");
    return 0;
}

/*
 * gdb takes its breakpoints out at each stop, so counts survive only while
 * `set breakpoint always-inserted on` keeps them in.
 */
static int cmd_breakpoints(struct pdb *p, void *ctx, const char *args,
                           struct pdb_out *o)
{
    static const char *const type[] = { "int3", "exec", "write", "read",
                                        "access" };
    const struct pdb_bp *bp;

    (void)ctx;
    (void)args;
    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++) {
        if (!bp->used)
            continue;
        pdb_printf(o, "%-6s inferior %d 0x%lx", type[bp->type], bp->pid,
                   (unsigned long)bp->addr);
        if (bp->cr3)
            pdb_printf(o, " cr3 0x%lx", (unsigned long)bp->cr3);
        pdb_printf(o, ": %lu hits, %lu passed by\n", (unsigned long)bp->hits,
                   (unsigned long)bp->passes);
    }
    return 0;
}

static int cmd_why(struct pdb *p, void *ctx, const char *args,
                   struct pdb_out *o)
{
    (void)ctx;
    (void)args;
    pdb_printf(o, "%s\n", p->why[0] ? p->why : "nothing has failed yet");
    return 0;
}

static int cmd_link(struct pdb *p, void *ctx, const char *args,
                    struct pdb_out *o)
{
    (void)ctx;
    (void)args;
    pdb_printf(o, "%s, %s acknowledgements\n",
               p->flags & PDB_SEVEN_BIT ? "shared line, 7 bits" : "8 bits",
               p->link.no_ack ? "no" : "with");
    pdb_printf(o, "%u damaged packets, %u repeats, %u console chars lost\n",
               p->link.bad, p->link.repeats, p->console_lost);
    return 0;
}

static int set_switch(bool *is_on, const char *args)
{
    bool on = strcmp(args, "on") == 0;

    if (on || strcmp(args, "off") == 0)
        *is_on = on;
    else if (*args)
        return -PDB_EINVAL;
    return 0;
}

static int cmd_console(struct pdb *p, void *ctx, const char *args,
                       struct pdb_out *o)
{
    (void)ctx;
    if (set_switch(&p->console_on, args) < 0)
        return -PDB_EINVAL;
    pdb_printf(o, "the console's text, to gdb too: %s\n",
               p->console_on ? "on" : "off");
    return 0;
}

static int cmd_short(struct pdb *p, void *ctx, const char *args,
                     struct pdb_out *o)
{
    (void)ctx;
    if (set_switch(&p->short_addresses, args) < 0)
        return -PDB_EINVAL;
    pdb_printf(o, "addresses may have 48 bits only: %s\n",
               p->short_addresses ? "yes" : "no");
    return 0;
}

/* Sets or clears one of pdb_init()'s flags. */
static int set_flag(struct pdb *p, unsigned int flag, const char *args)
{
    bool on = p->flags & flag;

    if (set_switch(&on, args) < 0)
        return -PDB_EINVAL;
    p->flags = on ? p->flags | flag : p->flags & ~flag;
    return 0;
}

static int cmd_follow(struct pdb *p, void *ctx, const char *args,
                      struct pdb_out *o)
{
    (void)ctx;
    if (set_flag(p, PDB_FOLLOW, args) < 0)
        return -PDB_EINVAL;
    pdb_printf(o, "new domains are attached: %s\n",
               p->flags & PDB_FOLLOW ? "yes" : "no");
    return 0;
}

static int cmd_sse(struct pdb *p, void *ctx, const char *args,
                   struct pdb_out *o)
{
    unsigned int old = p->flags;

    (void)ctx;
    if (set_flag(p, PDB_SSE, args) < 0)
        return -PDB_EINVAL;
    pdb_printf(o, "XMM registers are described: %s\n",
               p->flags & PDB_SSE ? "yes" : "no");
    if ((old ^ p->flags) & PDB_SSE)
        pdb_puts(o, "gdb learns of it when it connects again\n");
    return 0;
}

static int cmd_pt(struct pdb *p, void *ctx, const char *args,
                  struct pdb_out *o)
{
    struct pdb_space as = pdb_current_space(p);
    uint64_t addr;

    if (!pdb_parse_number(&args, &addr) || *args)
        return -PDB_EINVAL;
    return p->ops->walk ? p->ops->walk(ctx, &as, addr, o) : -PDB_EOPNOTSUPP;
}

static const struct pdb_command builtin[] = {
    { "help", "", "this list", cmd_help, true },
    { "breakpoints", "", "what is set, with hit counts", cmd_breakpoints,
      true },
    { "console", "[on|off]", "the console's text, to gdb too", cmd_console,
      false },
    { "context", "[thread|cr3 ADDR|phys]", "whose memory is meant",
      cmd_context, false },
    { "follow", "[on|off]", "attach new domains as they appear", cmd_follow,
      false },
    { "link", "", "state of the line, error counts", cmd_link, false },
    { "pt", "ADDR", "the page-table walk of an address", cmd_pt, true },
    { "short-addresses", "[on|off]", "48 bits are a canonical address",
      cmd_short, false },
    { "sse", "[on|off]", "describe XMM registers at the next attach", cmd_sse,
      false },
    { "why", "", "the reason of the last failure", cmd_why, false },
    { NULL, NULL, NULL, NULL, false },
};

static const struct pdb_command *nth_command(const struct pdb *p, uint32_t n)
{
    const struct pdb_command *c;

    for (c = builtin; c->name; c++)
        if (n-- == 0)
            return c;
    for (c = p->ops->commands; c && c->name; c++)
        if (n-- == 0)
            return c;
    return NULL;
}

/* The length of the name if the line begins with it as whole words. */
static uint32_t match(const char *line, const char *name)
{
    uint32_t len = (uint32_t)strlen(name);

    if (strncmp(line, name, len) || (line[len] && line[len] != ' '))
        return 0;
    return len;
}

static const struct pdb_command *find_command(const struct pdb *p,
                                              const char *line,
                                              const char **args)
{
    const struct pdb_command *c, *best = NULL;
    uint32_t i, len, longest = 0;

    for (i = 0; (c = nth_command(p, i)); i++) {
        len = match(line, c->name);
        if (len > longest) {
            longest = len;
            best = c;
        }
    }
    *args = line + longest;
    while (**args == ' ')
        (*args)++;
    return best;
}

static int cmd_help(struct pdb *p, void *ctx, const char *args,
                    struct pdb_out *o)
{
    const struct pdb_command *c;
    uint32_t i;

    (void)ctx;
    (void)args;
    for (i = 0; (c = nth_command(p, i)); i++)
        pdb_printf(o, "%s%s%s: %s\n", c->name, *c->args ? " " : "", c->args,
                   c->help);
    return 0;
}

static int cmd_unknown(struct pdb *p, void *ctx, const char *args,
                       struct pdb_out *o)
{
    (void)p;
    (void)ctx;
    (void)args;
    pdb_puts(o, "unknown command; 'monitor help' lists what there is\n");
    return 0;
}

static const struct pdb_command unknown = { "", "?", "", cmd_unknown, false };

/* The line, hex in the packet; control characters become blanks. */
static bool in_line(struct pdb *p, struct pdb_in *in)
{
    uint64_t digits = (uint64_t)(in->end - in->p), len = digits / 2, i;

    if (digits % 2 || len >= sizeof(p->line) ||
        !in_bytes(in, p->line, (uint32_t)len))
        return false;
    for (i = 0; i < len; i++)
        if ((uint8_t)p->line[i] < ' ')
            p->line[i] = ' ';
    while (len && p->line[len - 1] == ' ')
        len--;
    p->line[len] = '\0';
    return true;
}

bool query_rcmd(struct pdb *p, struct pdb_in *in)
{
    const char *line = p->line;

    if (!in_line(p, in))
        return reply_error(p, -PDB_EINVAL, "monitor: line too long");
    while (*line == ' ')
        line++;
    p->command = find_command(p, line, &p->args);
    if (!p->command)
        p->command = &unknown;
    p->told = 0;
    p->all_told = false;
    return false; /* monitor_advance() replies */
}

static void put_usage(const struct pdb_command *c, struct pdb_out *o)
{
    pdb_printf(o, "usage: monitor %s%s%s\n", c->name, *c->args ? " " : "",
               c->args);
    if (strcmp(c->args, "ADDR") == 0)
        pdb_printf(o, "a symbol's: eval \"monitor %s %%#lx\", &NAME\n",
                   c->name);
}

static void run_command(struct pdb *p, struct pdb_out *o)
{
    const struct pdb_command *c = p->command;
    bool too_much = !*c->args && *p->args;
    int err;

    p->busy = true;
    err = too_much ? -PDB_EINVAL : c->run(p, p->ctx, p->args, o);
    p->busy = false;
    p->all_told = !c->again || !o->more || err < 0;
    if (err == -PDB_EINVAL) {
        put_usage(c, o);
    } else if (err < 0) {
        note_failure(p, err, c->name);
        pdb_printf(o, "%s\n", p->why);
    }
}

/*
 * gdb may leave by ^C between two packets of an output, and takes what follows
 * for the answers to what it asks next.  With acknowledgements nothing follows;
 * without, what fits one packet is sent as the one and last.
 */
void monitor_advance(struct pdb *p)
{
    bool whole = p->link.no_ack;
    struct pdb_out o;

    pdb_out_init(&o, p->text, whole ? PDB_TEXT_WHOLE : PDB_TEXT, p->told);
    if (!p->all_told)
        run_command(p, &o);
    whole = whole && p->told == 0 && p->all_told && o.len;
    p->told += o.len;
    link_begin(p);
    if (whole) {
        p->command = NULL;
        pdb_put_hex(&p->reply, o.buf, o.len);
    } else if (o.len) {
        pdb_putc(&p->reply, 'O');
        pdb_put_hex(&p->reply, o.buf, o.len);
    } else {
        p->command = NULL;
        reply_ok(p);
    }
    link_send(p, '$');
}

void monitor_fault(struct pdb *p, const char *what)
{
    note_failure(p, -PDB_EIO, what);
    p->all_told = true;
    pdb_putc(&p->reply, 'O');
    pdb_put_hex(&p->reply, (const uint8_t *)p->why,
                (uint32_t)strlen(p->why));
    pdb_puts(&p->reply, "0a");
}
