/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `monitor break-on EVENT [FIELD VALUE]...`: stop when the hypervisor does
 * something.  The list changes only while the machine is stopped; the CPU that
 * comes by a hook reads it without a lock.
 */
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <xen/grant_table.h>
#include <xen/sched.h>

#include "pdb-hook.h"
#include "pdb-target.h"

#define NR_EVENTS 16
#define MAX_FIELDS 7
#define MAX_MULTICALL 128

enum field {
    F_NUMBER, F_DOMAIN, F_FROM, F_VCPU, F_ADDRESS, F_ARG1, F_ARG5 = F_ARG1 + 4,
    NR_FIELDS
};

struct field_name {
    const char *name;
    enum field field;
};

struct kind {
    const char *name;
    u16 hooks; /* bits */
    struct field_name fields[MAX_FIELDS + 1]; /* a null name ends them */
};

#define H(hook) (1u << PDB_HOOK_##hook)

static const struct kind kinds[] = {
    {"hypercall", H(HYPERCALL),
     {{"number", F_NUMBER}, {"domain", F_DOMAIN}, {"arg1", F_ARG1},
      {"arg2", F_ARG1 + 1}, {"arg3", F_ARG1 + 2}, {"arg4", F_ARG1 + 3},
      {"arg5", F_ARG5}}},
    {"exception", H(EXCEPTION),
     {{"vector", F_NUMBER}, {"domain", F_DOMAIN}, {"address", F_ADDRESS}}},
    {"event", H(EVENT_2L) | H(EVENT_FIFO),
     {{"port", F_NUMBER}, {"domain", F_DOMAIN}, {"vcpu", F_VCPU},
      {"from", F_FROM}}},
    {"grant", H(GRANT),
     {{"ref", F_NUMBER}, {"domain", F_DOMAIN}, {"from", F_FROM}}},
    {"page-type", H(PAGE_TYPE),
     {{"wanted", F_NUMBER}, {"domain", F_DOMAIN}, {"frame", F_ADDRESS}}},
    {"domain-start", H(START), {{"domain", F_DOMAIN}}},
    {"domain-crash", H(CRASH) | H(SHUTDOWN), {{"domain", F_DOMAIN}}},
    {"domain-shutdown", H(SHUTDOWN),
     {{"reason", F_NUMBER}, {"domain", F_DOMAIN}}},
    {"schedule", H(SCHEDULE),
     {{"domain", F_DOMAIN}, {"vcpu", F_VCPU}, {"from", F_FROM}}},
};

static struct wanted {
    const struct kind *kind; /* NULL: free */
    u8 nr;
    u8 field[MAX_FIELDS]; /* index into kind->fields */
    u64 value[MAX_FIELDS];
    u64 hits; /* those that gdb was told of */
    u32 id;   /* no other has had it; 0: free */
} wanted[NR_EVENTS];
static u32 last_id;

/* Written before this CPU leads. */
static DEFINE_PER_CPU(char[PDB_NOTE], note);
static DEFINE_PER_CPU(struct wanted *, hit);
static DEFINE_PER_CPU(u32, hit_id);

/* --- what a hook tells of --- */

static void look_hypercall(const struct cpu_user_regs *regs, u64 f[NR_FIELDS])
{
    const u64 args[] = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8};

    f[F_NUMBER] = (u32)regs->rax;
    memcpy(&f[F_ARG1], args, sizeof(args));
}

static void look_exception(const struct cpu_user_regs *regs, u64 f[NR_FIELDS])
{
    const struct cpu_user_regs *guest = (const void *)regs->rdi;

    f[F_NUMBER] = (u32)regs->rsi;
    f[F_ADDRESS] = f[F_NUMBER] == X86_EXC_PF ? current->pv.info->arch.cr2
                                             : guest->rip;
}

static void look_event(const struct cpu_user_regs *regs, u64 f[NR_FIELDS])
{
    const struct vcpu *v = (const void *)regs->rdi;
    const struct evtchn *chn = (const void *)regs->rsi;

    f[F_NUMBER] = chn->port;
    f[F_FROM] = f[F_DOMAIN];
    f[F_DOMAIN] = v->domain->id;
    f[F_VCPU] = v->id;
}

static void look_page_type(const struct cpu_user_regs *regs, u64 f[NR_FIELDS])
{
    const struct frame *frame = (const void *)regs->rdi;

    f[F_DOMAIN] = frame->owner;
    f[F_NUMBER] = (u32)regs->rsi;
    f[F_ADDRESS] = mfn_x(frame_to_mfn(frame));
}

static void look_schedule(const struct cpu_user_regs *regs, u64 f[NR_FIELDS])
{
    const struct vcpu *prev = (const void *)regs->rdi;
    const struct vcpu *next = (const void *)regs->rsi;

    f[F_FROM] = prev->domain->id;
    f[F_DOMAIN] = next->domain->id;
    f[F_VCPU] = next->id;
}

/* The toolstack's last step: nothing of the domain has run so far. */
static bool is_start(const struct domain *d)
{
    const struct vcpu *v = d->vcpu[0];

    return d->pause_count == 1 && v &&
           v->runstate.time[RUNSTATE_running] == 0;
}

/* False: what happens here is not what the hook is for. */
static bool look(enum pdb_hook h, const struct cpu_user_regs *regs,
                 u64 f[NR_FIELDS])
{
    const struct domain *d = (const void *)regs->rdi;
    const struct gnttab_map_grant_ref *op = (const void *)regs->rdi;

    memset(f, 0, NR_FIELDS * sizeof(f[0]));
    f[F_DOMAIN] = currd->id;
    switch (h) {
    case PDB_HOOK_HYPERCALL: look_hypercall(regs, f); return true;
    case PDB_HOOK_EXCEPTION: look_exception(regs, f); return true;
    case PDB_HOOK_EVENT_2L:
    case PDB_HOOK_EVENT_FIFO: look_event(regs, f); return true;
    case PDB_HOOK_PAGE_TYPE: look_page_type(regs, f); return true;
    case PDB_HOOK_SCHEDULE: look_schedule(regs, f); return true;
    case PDB_HOOK_GRANT:
        f[F_NUMBER] = op->ref;
        f[F_FROM] = op->dom;
        return true;
    case PDB_HOOK_START:
    case PDB_HOOK_CRASH:
    case PDB_HOOK_SHUTDOWN:
        f[F_DOMAIN] = d->id;
        f[F_NUMBER] = (u8)regs->rsi;
        return h != PDB_HOOK_START || is_start(d);
    default: return false;
    }
}

/* --- is that wanted? --- */

static bool fits(const struct wanted *w, const u64 f[NR_FIELDS])
{
    for (unsigned int i = 0; i < w->nr; i++)
        if (f[w->kind->fields[w->field[i]].field] != w->value[i])
            return false;
    return true;
}

/* One of the calls in a multicall; its fields are then in f. */
static bool fits_inside(const struct wanted *w, u64 f[NR_FIELDS])
{
    struct pdb_space as = {PDB_SPACE_THREAD,
                           {PDB_PID_HYPERVISOR,
                            (int32_t)smp_processor_id() + 1}, 0};
    u64 at = f[F_ARG1], nr = MIN(f[F_ARG1 + 1], (u64)MAX_MULTICALL);
    struct multicall_entry e;
    u64 inner[NR_FIELDS];

    for (; nr != 0; nr--, at += sizeof(e)) {
        if (pdb_read_mem(pdb_target, &as, at, &e, sizeof(e)) != sizeof(e))
            return false;
        memcpy(inner, f, sizeof(inner));
        inner[F_NUMBER] = e.op;
        memcpy(&inner[F_ARG1], e.args, 5 * sizeof(u64));
        if (fits(w, inner)) {
            memcpy(f, inner, sizeof(inner));
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct wanted *w, enum pdb_hook h,
                      u64 f[NR_FIELDS])
{
    if (!w->kind || !(w->kind->hooks >> h & 1))
        return false;
    if ((w->kind->hooks & H(CRASH)) && h == PDB_HOOK_SHUTDOWN &&
        f[F_NUMBER] != SHUTDOWN_crash)
        return false;
    if (fits(w, f))
        return true;
    return h == PDB_HOOK_HYPERCALL && f[F_NUMBER] == __HYPERVISOR_multicall &&
           fits_inside(w, f);
}

static const struct {
    u8 number;
    const char *name;
} hypercalls[] = {
#define HYPERCALL(nr, name, nargs, flags) {nr, #name},
#include <hv/hypercalls.def>
#undef HYPERCALL
};

static void put_hypercall_name(struct pdb_out *o, u64 number)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(hypercalls); i++)
        if (hypercalls[i].number == number)
            pdb_printf(o, " %s", hypercalls[i].name);
}

static void describe(const struct kind *k, const u64 f[NR_FIELDS])
{
    struct pdb_out o;
    char *text = this_cpu(note);

    pdb_out_init(&o, text, PDB_NOTE - 2, 0);
    pdb_puts(&o, k->name);
    if (k->hooks == H(HYPERCALL))
        put_hypercall_name(&o, f[F_NUMBER]);
    pdb_putc(&o, ':');
    for (const struct field_name *n = k->fields; n->name; n++)
        pdb_printf(&o, f[n->field] > 9 ? " %s 0x%lx" : " %s %lx", n->name,
                   f[n->field]);
    text[o.len] = '\n';
    text[o.len + 1] = '\0';
}

bool pdb_event_hit(enum pdb_hook h, const struct cpu_user_regs *regs,
                   struct pdb_stop *s)
{
    u64 f[NR_FIELDS];

    if (pdb_holding(&pdb_target->core) || !look(h, regs, f))
        return false;
    for (struct wanted *w = wanted; w < wanted + NR_EVENTS; w++)
        if (is_wanted(w, h, f)) {
            this_cpu(hit) = w;
            this_cpu(hit_id) = w->id;
            describe(w->kind, f);
            s->why = PDB_WHY_NOTE;
            s->text = this_cpu(note);
            s->thread = pdb_thread_here(regs);
            return true;
        }
    return false;
}

bool pdb_event_told(void)
{
    struct wanted *w = this_cpu(hit);

    if (w->id != this_cpu(hit_id))
        return false;
    w->hits++; /* by the leader */
    return true;
}

/* --- the command --- */

/* False: not all of the places can be listened at. */
static bool use_hooks(const struct kind *k, bool on)
{
    for (unsigned int h = 0; h < NR_PDB_HOOKS; h++)
        if ((k->hooks >> h & 1) && !pdb_hook_use(h, on)) {
            while (h-- > 0)
                if (k->hooks >> h & 1)
                    (void)pdb_hook_use(h, !on);
            return false;
        }
    return true;
}

static void clear(struct wanted *w)
{
    if (w->kind)
        (void)use_hooks(w->kind, false);
    w->kind = NULL;
    w->id = 0;
}

void pdb_events_clear(void)
{
    for (struct wanted *w = wanted; w < wanted + NR_EVENTS; w++)
        clear(w);
}

/* The word at *s; moves behind it and the blanks after it. */
static bool take_word(const char **s, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*s, word, n) != 0 || ((*s)[n] != '\0' && (*s)[n] != ' '))
        return false;
    for (*s += n; **s == ' '; (*s)++)
        ;
    return true;
}

static int refuse(struct pdb_target *t, const char *reason)
{
    t->reason = reason;
    return -PDB_ENOENT;
}

/* By the first word of s, and what is wrong with it. */
static int refuse_word(struct pdb_target *t, const char *s, const char *why)
{
    struct pdb_out o;
    u32 n = 0;

    while (s[n] != '\0' && s[n] != ' ' && n < 32)
        n++;
    pdb_out_init(&o, t->where, sizeof(t->where) - 1, 0);
    pdb_put(&o, s, n);
    pdb_puts(&o, why);
    t->where[o.len] = '\0';
    return refuse(t, t->where);
}

static int refuse_field(struct pdb_target *t, const struct kind *k,
                        const char *s)
{
    char why[PDB_NOTE];
    struct pdb_out o;

    pdb_out_init(&o, why, sizeof(why) - 1, 0);
    pdb_printf(&o, ": no such field; %s has", k->name);
    for (const struct field_name *n = k->fields; n->name; n++)
        pdb_printf(&o, " %s", n->name);
    why[o.len] = '\0';
    return refuse_word(t, s, why);
}

/* All of the first word is digits, as many as there may be. */
static bool is_number(const char *s)
{
    bool hex = s[0] == '0' && (s[1] | 0x20) == 'x';
    const char *first = hex ? s + 2 : s;

    for (s = first; *s != '\0' && *s != ' '; s++)
        if ((*s < '0' || *s > '9') &&
            (!hex || (*s | 0x20) < 'a' || (*s | 0x20) > 'f'))
            return false;
    return s != first;
}

/* A number, or the name of a hypercall where one is meant. 0 or -errno. */
static int take_value(struct pdb_target *t, const struct wanted *w,
                      const struct field_name *field, const char **s,
                      u64 *value)
{
    bool is_call = w->kind->hooks == H(HYPERCALL) && field->field == F_NUMBER;

    if (**s == '\0')
        return refuse_word(t, field->name, ": no number follows");
    if (is_number(*s)) {
        if (!pdb_parse_number(s, value))
            return refuse_word(t, *s, ": too large a number");
        (void)take_word(s, ""); /* blanks */
        return 0;
    }
    for (unsigned int i = 0; is_call && i < ARRAY_SIZE(hypercalls); i++)
        if (take_word(s, hypercalls[i].name)) {
            *value = hypercalls[i].number;
            return 0;
        }
    return refuse_word(t, *s, is_call ? ": no number, and no hypercall"
                                      : ": no number (decimal, or 0x...)");
}

static int take_field(struct pdb_target *t, struct wanted *w, const char **s)
{
    const struct field_name *names = w->kind->fields, *n = names;
    int rc;

    while (n->name && !take_word(s, n->name))
        n++;
    if (!n->name)
        return refuse_field(t, w->kind, *s);
    for (unsigned int i = 0; i < w->nr; i++)
        if (w->field[i] == n - names)
            return refuse_word(t, n->name, " is given twice");
    rc = take_value(t, w, n, s, &w->value[w->nr]);
    if (rc == 0)
        w->field[w->nr++] = (u8)(n - names);
    return rc;
}

static int add(struct pdb_target *t, const char *args)
{
    struct wanted *w = wanted, new = {.nr = 0};
    int rc;

    for (unsigned int i = 0; i < ARRAY_SIZE(kinds) && !new.kind; i++)
        if (take_word(&args, kinds[i].name))
            new.kind = &kinds[i];
    if (!new.kind)
        return refuse(t, "no such event; 'monitor break-on' lists them");
    while (*args != '\0') {
        rc = take_field(t, &new, &args);
        if (rc < 0)
            return rc;
    }
    while (w < wanted + NR_EVENTS && w->kind)
        w++;
    if (w == wanted + NR_EVENTS)
        return -PDB_ENOMEM;
    if (!use_hooks(new.kind, true)) {
        t->reason = "this build of the hypervisor has no place to listen at";
        return -PDB_EOPNOTSUPP;
    }
    new.id = ++last_id;
    *w = new;
    return 0;
}

static void list(struct pdb_out *o)
{
    for (unsigned int n = 0; n < NR_EVENTS; n++) {
        const struct wanted *w = &wanted[n];

        if (!w->kind)
            continue;
        pdb_printf(o, "%u: %s", n + 1, w->kind->name);
        for (unsigned int i = 0; i < w->nr; i++)
            pdb_printf(o, " %s 0x%lx", w->kind->fields[w->field[i]].name,
                       w->value[i]);
        pdb_printf(o, ", %lu stops\n", w->hits);
    }
}

static void list_kinds(struct pdb_out *o)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
        pdb_printf(o, "  %s", kinds[i].name);
        for (const struct field_name *n = kinds[i].fields; n->name; n++)
            pdb_printf(o, " [%s N]", n->name);
        pdb_puts(o, "\n");
    }
}

static int drop(struct pdb_target *t, const char *args)
{
    u64 n = 0;

    if (*args == '\0')
        pdb_events_clear();
    else if (!pdb_parse_number(&args, &n) || *args != '\0' || n == 0 ||
             n > NR_EVENTS || !wanted[n - 1].kind)
        return refuse(t, "off takes a number of 'monitor break-on', or none");
    else
        clear(&wanted[n - 1]);
    return 0;
}

/* Run anew for each piece of a long list: what it changes, the first time. */
int pdb_cmd_break_on(struct pdb *p, void *ctx, const char *args,
                     struct pdb_out *o)
{
    bool first = o->skip == 0 && o->len == 0, all = *args == '\0';
    int rc = 0;

    (void)p;
    if (first && !all)
        rc = take_word(&args, "off") ? drop(ctx, args) : add(ctx, args);
    if (rc < 0)
        return rc;
    list(o);
    if (all) {
        pdb_puts(o, "what there is to stop on:\n");
        list_kinds(o);
    }
    return 0;
}
