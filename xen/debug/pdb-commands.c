/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `monitor` commands of the hypervisor.  They run while everything else stands
 * still, so they take no lock; only debug keys do, and these are refused while
 * a stopped CPU may hold one.
 */
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/debug.h>
#include <hv/domain.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/string.h>

#include "pdb-target.h"

/* What conring has from position `at` up to `end`, into o. */
static void copy_ring(u32 at, u32 end, struct pdb_out *o)
{
    char part[128];
    u32 n;

    while ((s32)(end - at) > 0 &&
           (n = conring_read(&at, part, MIN(end - at, (u32)sizeof(part)))))
        pdb_put(o, part, n);
}

static int cmd_dmesg(struct pdb *p, void *ctx, const char *args,
                     struct pdb_out *o)
{
    u32 oldest = 0;
    char none;

    (void)p, (void)ctx, (void)args;
    (void)conring_read(&oldest, &none, 0);
    copy_ring(oldest, conring_end(), o);
    return 0;
}

/* --- debug keys --- */

/* A CPU that was stopped inside the hypervisor, other than idle, or NR_CPUS. */
static unsigned int busy_cpu(void)
{
    unsigned int cpu;

    for_each_online_cpu (cpu) {
        const struct cpu_user_regs *regs = per_cpu(pdb_cpu, cpu).regs;

        if (regs && !guest_mode(regs) && !in_idle_loop(regs))
            return cpu;
    }
    return NR_CPUS;
}

static void list_keys(struct pdb_out *o)
{
    for (u8 k = '!'; k < 127; k++)
        if (debug_key_find(k))
            pdb_printf(o, "%c  %s\n", k, debug_key_find(k)->description);
}

/* Its text goes to the console; from the ring it is read again for gdb. */
static int press(struct pdb_target *t, u8 key, bool insist, struct pdb_out *o)
{
    const struct debug_key *k = debug_key_find(key);

    if (!k) {
        t->reason = "no such key; 'monitor key' lists them";
        return -PDB_ENOENT;
    }
    if (key == 'C') { /* nobody could look at it */
        t->reason = "it crashes the machine: let it go on, then press the key at the console; gdb sees the crash";
        return -PDB_EPERM;
    }
    if (busy_cpu() != NR_CPUS && !insist) {
        pdb_printf(o,
                   "CPU%u is inside the hypervisor and may hold a lock that is needed: 'monitor key %c!' tries all the same.\n",
                   busy_cpu(), key);
        return 0;
    }
    if (o->skip == 0 && o->len == 0) {
        t->said_from = conring_end();
        k->fn(key);
        t->said_to = conring_end();
    }
    copy_ring(t->said_from, t->said_to, o);
    return 0;
}

static int cmd_key(struct pdb *p, void *ctx, const char *args,
                   struct pdb_out *o)
{
    bool insist = args[0] != '\0' && args[1] == '!';

    (void)p;
    if (args[0] == '\0') {
        list_keys(o);
        return 0;
    }
    return args[1 + insist] == '\0' ? press(ctx, (u8)args[0], insist, o)
                                    : -PDB_EINVAL;
}

#define KEY(name, key) {name, "[!]", "key " key, cmd_named_key, true}
#define KEY_AT 4 /* in that help text */

static int cmd_named_key(struct pdb *p, void *ctx, const char *args,
                         struct pdb_out *o)
{
    if (args[0] != '\0' && strcmp(args, "!") != 0)
        return -PDB_EINVAL;
    return press(ctx, (u8)p->command->help[KEY_AT], args[0] == '!', o);
}

/* --- looking --- */

static void print_symbol(struct pdb_out *o, u64 addr)
{
    unsigned long offset, size;
    const char *name = symbol_lookup(addr, &offset, &size);

    if (name)
        pdb_printf(o, " <%s+%lu>", name, offset);
}

static int cmd_regs(struct pdb *p, void *ctx, const char *args,
                    struct pdb_out *o)
{
    unsigned int cpu;

    (void)p, (void)args;
    for_each_online_cpu (cpu) {
        struct pdb_tid t = {PDB_PID_HYPERVISOR, (int32_t)cpu + 1};
        struct pdb_thread_info i;
        struct pdb_regs r;

        if (pdb_thread_info(ctx, t, &i) < 0)
            continue;
        pdb_printf(o, "%s: %s\n", i.name, i.state);
        if (pdb_get_regs(ctx, t, &r) < 0 || !r.known)
            continue;
        pdb_printf(o, "  rip %016lx", r.v[PDB_RIP]);
        print_symbol(o, r.v[PDB_RIP]);
        pdb_printf(o, " rsp %016lx flags %lx cs %lx\n", r.v[PDB_RSP],
                   r.v[PDB_EFLAGS], r.v[PDB_CS]);
        pdb_printf(o, "  cr2 %016lx cr3 %016lx\n", r.v[PDB_CR2],
                   r.v[PDB_CR3]);
    }
    return 0;
}

static void describe_frame(struct pdb_out *o, maddr_t ma)
{
    static const char *const types[] = {"no type", "writable", "L1 table",
                                        "L2 table", "L3 table", "L4 table",
                                        "descriptors", "?"};
    const struct frame *f = mfn_to_frame(maddr_to_mfn(ma));
    u64 refs = f->refs;

    if (f->flags & FF_FREE || f->owner == OWNER_NONE)
        pdb_puts(o, "  free\n");
    else if (f->owner == OWNER_HV)
        pdb_puts(o, "  the hypervisor's\n");
    else
        pdb_printf(o, "  domain %u's, its pfn %lx%s\n", f->owner,
                   get_m2p(maddr_to_mfn(ma)),
                   f->flags & FF_SHARED ? ", shared by the hypervisor" : "");
    pdb_printf(o, "  type: %s, %lu uses, %lu references%s%s\n",
               types[frame_type(f)], frame_type_count(f), frame_ref_count(f),
               refs & FRAME_VALIDATED ? ", validated" : "",
               refs & FRAME_PINNED ? ", pinned" : "");
}

static int cmd_whatis(struct pdb *p, void *ctx, const char *args,
                      struct pdb_out *o)
{
    struct pdb_space as = pdb_current_space(p);
    u64 addr, ma;
    int rc;

    if (!pdb_parse_number(&args, &addr) || *args != '\0')
        return -PDB_EINVAL;
    rc = pdb_translate(ctx, &as, addr, &ma);
    if (rc < 0)
        return rc;
    pdb_printf(o, "%lx", addr);
    print_symbol(o, addr);
    pdb_printf(o, ": machine address %lx, frame %lx\n", ma, ma >> PAGE_SHIFT);
    if (mfn_valid(maddr_to_mfn(ma)))
        describe_frame(o, ma);
    else
        pdb_puts(o, "  no RAM\n");
    return 0;
}

static int cmd_scope(struct pdb *p, void *ctx, const char *args,
                     struct pdb_out *o)
{
    struct pdb_target *t = ctx;
    u64 id = 0;

    (void)p;
    if (pdb_is_non_stop()) {
        t->reason = "in non-stop mode only what was stopped stands still";
        return -PDB_EPERM;
    }
    if (strcmp(args, "all") == 0) {
        t->scope = 0;
    } else if (strncmp(args, "domain ", 7) == 0) {
        args += 7;
        if (!pdb_parse_number(&args, &id) || *args != '\0' ||
            id >= DOMID_FIRST_RESERVED)
            return -PDB_EINVAL;
        if (!pdb_is_attached(PDB_PID_DOMAIN(id))) {
            t->reason = "gdb does not hold that domain: 'attach N+2' first";
            return -PDB_ESRCH;
        }
        t->scope = PDB_PID_DOMAIN(id);
    } else if (*args != '\0') {
        return -PDB_EINVAL;
    }
    if (t->scope)
        pdb_printf(o, "what stands still: domain %d\n", t->scope - 2);
    else
        pdb_puts(o, "what stands still: everything\n");
    return 0;
}

static int cmd_reboot(struct pdb *p, void *ctx, const char *args,
                      struct pdb_out *o)
{
    (void)ctx, (void)args, (void)o;
    p->ops->reboot(ctx);
    return 0;
}

const struct pdb_command pdb_commands[] = {
    {"break-on", "[EVENT [FIELD N]...] | off [N]",
     "stop when the hypervisor does that", pdb_cmd_break_on, true},
    {"dmesg", "", "what the console ring keeps", cmd_dmesg, true},
    {"key", "[KEY[!]]", "press a debug key; without one: list them", cmd_key,
     true},
    {"regs", "", "where each CPU is", cmd_regs, true},
    {"whatis", "ADDR", "symbol, owner, type and counts of what is there",
     cmd_whatis, true},
    {"scope", "[all | domain N]", "who stands still when gdb stops something",
     cmd_scope, false},
    {"reboot", "", "restart the machine at once", cmd_reboot, false},
    KEY("domains", "q"),
    KEY("dom0-registers", "0"),
    KEY("vcpus", "r"),
    KEY("cpus", "d"),
    KEY("evtchn", "e"),
    KEY("grants", "g"),
    KEY("memory", "m"),
    KEY("nodes", "u"),
    KEY("frames", "o"),
    KEY("irqs", "i"),
    KEY("ioapics", "z"),
    KEY("devices", "Q"),
    KEY("nmis", "n"),
    KEY("nmi", "N"),
    KEY("timers", "a"),
    KEY("clocks", "t"),
    KEY("tsc", "s"),
    KEY("idle", "c"),
    KEY("counters", "p"),
    KEY("counters-reset", "P"),
    KEY("latency", "l"),
    KEY("latency-reset", "L"),
    KEY("locks", "k"),
    KEY("events", "E"),
    KEY("ring", "w"),
    KEY("version", "?"),
    KEY("all-keys", "*"),
    KEY("more-messages", "+"),
    KEY("fewer-messages", "-"),
    KEY("keys-at-once", "A"),
    KEY("keys", "h"),
    KEY("restart", "B"),
    KEY("crash", "C"),
    KEY("break-in", "D"),
    {NULL, NULL, NULL, NULL, false},
};
