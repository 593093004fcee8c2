/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `info os` tables.  A cursor is a domain id in the upper half and what comes
 * next of that domain in the lower.
 */
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/grant-table.h>
#include <hv/frame.h>
#include <hv/mm.h>
#include <hv/string.h>

#include "pdb-target.h"

#define CURSOR(id, n) ((u64)(id) << 32 | (n))

static struct domain *domain_at(u64 cursor)
{
    struct domain *d = cursor >> 32 < DOMID_FIRST_RESERVED
                           ? domain_next((domid_t)(cursor >> 32)) : NULL;

    return d && d->id < DOMID_FIRST_RESERVED ? d : NULL;
}

/* The part of the cursor that counts inside d. */
static u32 position(u64 cursor, const struct domain *d)
{
    return cursor >> 32 == d->id ? (u32)cursor : 0;
}

static const char *domain_state(const struct domain *d)
{
    if (d->is_dying)
        return "dying";
    if (d->is_shutting_down)
        return "shut down";
    return d->pause_count ? "paused" : "runs";
}

static int domain_row(void *ctx, u64 *cursor, struct pdb_out *o)
{
    struct domain *d = domain_at(*cursor);
    struct vcpu *v;
    unsigned int n = 0;

    (void)ctx;
    if (!d)
        return 0;
    for_each_vcpu (d, v)
        n++;
    pdb_column(o, "domain", "%u", d->id);
    pdb_column(o, "inferior", "%u", d->id + 2);
    pdb_column(o, "vcpus", "%u", n);
    pdb_column(o, "pages", "%u", d->tot_pages);
    pdb_column(o, "state", "%s", domain_state(d));
    *cursor = CURSOR(d->id + 1U, 0);
    return 1;
}

static int vcpu_row(void *ctx, u64 *cursor, struct pdb_out *o)
{
    struct domain *d;

    (void)ctx;
    for (; (d = domain_at(*cursor)) != NULL;
         *cursor = CURSOR(d->id + 1U, 0)) {
        u32 n = position(*cursor, d);
        struct cpu_user_regs *regs;
        struct vcpu *v;

        while (n < d->max_vcpus && !d->vcpu[n])
            n++;
        if (n >= d->max_vcpus)
            continue;
        v = d->vcpu[n];
        regs = pdb_vcpu_regs(v);
        pdb_column(o, "domain", "%u", d->id);
        pdb_column(o, "vcpu", "%u", v->id);
        pdb_column(o, "cpu", "%u", v->processor);
        pdb_column(o, "state", "%s", pdb_vcpu_state(v));
        pdb_column(o, "mode", "%s", v->pv.in_kernel ? "kernel" : "user");
        pdb_column(o, "rip", "%lx", regs ? regs->rip : 0);
        pdb_column(o, "cr3", "%lx", v->pv.cr3_kernel);
        *cursor = CURSOR(d->id, n + 1);
        return 1;
    }
    return 0;
}

static int evtchn_row(void *ctx, u64 *cursor, struct pdb_out *o)
{
    static const char *const kinds[] = {"free", "reserved", "unbound",
                                        "interdomain", "pirq", "virq", "ipi"};
    struct domain *d;

    (void)ctx;
    for (; (d = domain_at(*cursor)) != NULL;
         *cursor = CURSOR(d->id + 1U, 0)) {
        for (u32 port = position(*cursor, d); port < d->valid_evtchns;
             port++) {
            const struct evtchn *chn = evtchn_find(d, port);

            if (chn->state == ECS_FREE || chn->state == ECS_RESERVED)
                continue;
            pdb_column(o, "domain", "%u", d->id);
            pdb_column(o, "port", "%u", port);
            pdb_column(o, "kind", "%s", kinds[chn->state]);
            pdb_column(o, "vcpu", "%u", chn->notify_vcpu);
            pdb_column(o, "pending", "%s",
                       d->evtchn_ops->is_pending(d, chn) ? "yes" : "");
            pdb_column(o, "masked", "%s",
                       d->evtchn_ops->is_masked(d, chn) ? "yes" : "");
            pdb_column(o, "peer", "%u", chn->arg);
            *cursor = CURSOR(d->id, port + 1);
            return 1;
        }
    }
    return 0;
}

static int grant_row(void *ctx, u64 *cursor, struct pdb_out *o)
{
    struct domain *d;

    (void)ctx;
    for (; (d = domain_at(*cursor)) != NULL;
         *cursor = CURSOR(d->id + 1U, 0)) {
        const struct grant_table *gt = d->grant_table;
        u32 ref = position(*cursor, d);

        for (; gt && ref < grant_nr_entries(gt); ref++) {
            const struct grant_active *act =
                gt->active[ref / GRANT_ACTIVE_PER_PAGE];

            if (!act)
                continue;
            act += ref % GRANT_ACTIVE_PER_PAGE;
            if (!act->readers && !act->writers)
                continue;
            pdb_column(o, "domain", "%u", d->id);
            pdb_column(o, "ref", "%u", ref);
            pdb_column(o, "frame", "%lx", (unsigned long)act->mfn);
            pdb_column(o, "user", "%u", act->user);
            pdb_column(o, "readers", "%u", act->readers);
            pdb_column(o, "writers", "%u", act->writers);
            *cursor = CURSOR(d->id, ref + 1);
            return 1;
        }
    }
    return 0;
}

/* --- frames: one row for each owner and type that there are --- */

#define NR_TYPES (FT_DESC + 1)

static struct frame_counts {
    u64 all, used, pinned, shared;
} counts[NR_TYPES];

static void count_frame(const struct frame *f)
{
    struct frame_counts *c = &counts[frame_type(f) % NR_TYPES];

    c->all++;
    c->used += frame_type_count(f) != 0;
    c->pinned += (f->refs & FRAME_PINNED) != 0;
    c->shared += (f->flags & FF_SHARED) != 0;
}

/* Counts the frames of the smallest owner from `owner` on; -1: none. */
static s32 count_owner(u32 owner)
{
    u32 next = ~0U;

    memset(counts, 0, sizeof(counts));
    for (unsigned long i = 0; i < max_mfn; i++) {
        const struct frame *f = &frame_table[i];

        if (!(f->flags & FF_RAM) || f->owner < owner || f->owner > next)
            continue;
        if (f->owner != next)
            memset(counts, 0, sizeof(counts));
        next = f->owner;
        count_frame(f);
    }
    return (s32)next;
}

static void put_owner(struct pdb_out *o, u32 owner)
{
    if (owner == OWNER_NONE)
        pdb_column(o, "owner", "nobody");
    else if (owner == OWNER_HV)
        pdb_column(o, "owner", "hypervisor");
    else
        pdb_column(o, "owner", "domain %u", owner);
}

static int frame_row(void *ctx, u64 *cursor, struct pdb_out *o)
{
    static const char *const types[] = {"none", "writable", "L1", "L2", "L3",
                                        "L4", "descriptors"};
    s32 owner = count_owner((u32)(*cursor >> 32));
    u32 type = (s32)(*cursor >> 32) == owner ? (u32)*cursor : 0;

    (void)ctx;
    while (owner >= 0 && !counts[type].all)
        if (++type == NR_TYPES) {
            owner = count_owner((u32)owner + 1);
            type = 0;
        }
    if (owner < 0)
        return 0;
    put_owner(o, (u32)owner);
    pdb_column(o, "type", "%s", types[type]);
    pdb_column(o, "frames", "%lu", counts[type].all);
    pdb_column(o, "in use", "%lu", counts[type].used);
    pdb_column(o, "pinned", "%lu", counts[type].pinned);
    pdb_column(o, "shared", "%lu", counts[type].shared);
    *cursor = type + 1 < NR_TYPES ? CURSOR(owner, type + 1)
                                  : CURSOR(owner + 1, 0);
    return 1;
}

const struct pdb_table pdb_tables[] = {
    {"domains", "domains, and which inferior each is", domain_row},
    {"vcpus", "virtual CPUs and what they do", vcpu_row},
    {"evtchns", "event channels in use", evtchn_row},
    {"grants", "granted frames that somebody uses", grant_row},
    {"frames", "frames of memory by owner and type", frame_row},
    {NULL, NULL, NULL},
};
