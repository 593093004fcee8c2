// SPDX-License-Identifier: GPL-2.0-only
/*
 * `monitor` commands and `info os` tables of the machine of processes.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"

static int cmd_spawn(struct pdb *p, void *ctx, const char *args,
                     struct pdb_out *o)
{
    struct pdb_stop new = { .why = PDB_WHY_NEW };
    struct machine *m = ctx;
    int32_t pid = 2;

    (void)args;
    while (machine_inferior(m, pid))
        pid++;
    if (machine_spawn(m, pid, 1) < 0)
        return -PDB_ENOMEM;
    pdb_printf(o, "domain %d is inferior %d\n", pid - 2, pid);
    new.thread = (struct pdb_tid){ pid, 1 };
    pdb_event(p, &new);
    return 0;
}

static int cmd_destroy(struct pdb *p, void *ctx, const char *args,
                       struct pdb_out *o)
{
    uint64_t domid;

    (void)p;
    if (!pdb_parse_number(&args, &domid) || *args)
        return -PDB_EINVAL;
    if (!machine_inferior(ctx, PDB_PID_DOMAIN(domid)))
        return -PDB_ENOENT;
    machine_destroy(ctx, PDB_PID_DOMAIN(domid));
    pdb_puts(o, "gone\n");
    return 0;
}

static int cmd_long(struct pdb *p, void *ctx, const char *args,
                    struct pdb_out *o)
{
    (void)p;
    (void)ctx;
    (void)args;
    for (int i = 0; i < 1000; i++)
        pdb_printf(o, "line %d of a long listing\n", i);
    return 0;
}

/* Stands for a fault taken inside the debugger and caught. */
static int cmd_fault(struct pdb *p, void *ctx, const char *args,
                     struct pdb_out *o)
{
    struct machine *m = ctx;

    (void)p;
    (void)args;
    (void)o;
    longjmp(m->rescue, 1);
}

const struct pdb_command machine_commands[] = {
    { "spawn", "", "a new domain", cmd_spawn, false },
    { "destroy", "DOMAIN", "end a domain", cmd_destroy, false },
    { "long listing", "", "more than a packet holds", cmd_long, true },
    { "long", "", "must not shadow the longer name", cmd_fault, false },
    { "fault", "", "fault inside the debugger", cmd_fault, false },
    { NULL, NULL, NULL, NULL, false },
};

static int row_domain(void *ctx, uint64_t *cursor, struct pdb_out *o)
{
    struct machine *m = ctx;
    int32_t pid = machine_ops.next_inferior(m, (int32_t)*cursor);

    if (pid == PDB_PID_HYPERVISOR)
        pid = machine_ops.next_inferior(m, pid);
    if (!pid)
        return 0;
    pdb_column(o, "domain", "%d", pid - 2);
    pdb_column(o, "inferior", "%d", pid);
    pdb_column(o, "name", "%s", "<a & 'b' #$*}>");
    *cursor = (uint64_t)pid;
    return 1;
}

static int row_many(void *ctx, uint64_t *cursor, struct pdb_out *o)
{
    (void)ctx;
    if (*cursor == 500)
        return 0;
    pdb_column(o, "frame", "%lu", (unsigned long)*cursor);
    pdb_column(o, "owner", "%s", "domain ####");
    ++*cursor;
    return 1;
}

const struct pdb_table machine_tables[] = {
    { "domains", "Domains of the machine", row_domain },
    { "frames", "A table longer than a packet", row_many },
    { NULL, NULL, NULL },
};
