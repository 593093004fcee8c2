/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Letting the machine go on: vCont and its elders c, s, C, S; ^C and vCtrlC.
 *
 * p->plan is what gdb last asked for.  In all-stop mode each request replaces
 * it; in non-stop mode a request adds to it, newest first, as it names only
 * the threads that it is about.
 */
#include <string.h>

#include "int.h"

void run_interrupt(struct pdb *p)
{
    p->bringing_in = !p->non_stop; /* there, a thread is asked to stop */
    p->ops->interrupt(p->ctx);
}

/* From here the machine is the target's until the next pdb_event(). */
static void hand_over(struct pdb *p, const struct pdb_plan *plan)
{
    p->state = PDB_RUNNING;
    p->ops->resume(p->ctx, plan);
}

static const struct pdb_tid everyone = { -1, -1 };

void pdb_plan_init(struct pdb_plan *plan)
{
    plan->nr = 0;
    plan->alone = false;
}

void pdb_plan_add(struct pdb_plan *plan, struct pdb_tid who, enum pdb_do what)
{
    struct pdb_action *a = &plan->act[plan->nr++];

    memset(a, 0, sizeof(*a));
    a->who = who;
    a->what = what;
}

void pdb_plan_copy(struct pdb_plan *to, const struct pdb_plan *from)
{
    to->nr = from->nr;
    to->alone = from->alone;
    memcpy(to->act, from->act, from->nr * sizeof(from->act[0]));
}

void run_all(struct pdb *p)
{
    pdb_plan_init(&p->plan);
    pdb_plan_add(&p->plan, everyone, PDB_DO_CONT);
    hand_over(p, &p->plan);
}

void run_others(struct pdb *p, struct pdb_tid t)
{
    pdb_plan_init(&p->plan);
    pdb_plan_add(&p->plan, t, PDB_DO_STAY);
    pdb_plan_add(&p->plan, everyone, PDB_DO_CONT);
    hand_over(p, &p->plan);
}

void run_not(struct pdb *p, struct pdb_tid t)
{
    struct pdb_plan plan;

    pdb_plan_init(&plan);
    pdb_plan_add(&plan, t, PDB_DO_STAY);
    p->ops->resume(p->ctx, &plan);
}

void run_plan(struct pdb *p, struct pdb_tid t)
{
    struct pdb_plan one;
    enum pdb_do what;

    if (!p->non_stop) {
        hand_over(p, &p->plan);
        return;
    }
    what = pdb_plan_find(p, &p->plan, t);
    pdb_plan_init(&one);
    pdb_plan_add(&one, t, what == PDB_DO_STAY ? PDB_DO_CONT : what);
    hand_over(p, &one);
}

void run_over(struct pdb *p)
{
    struct pdb_plan plan;

    pdb_plan_init(&plan);
    pdb_plan_add(&plan, p->brk.over, PDB_DO_STEP);
    plan.alone = true;
    hand_over(p, &plan);
}

/*
 * Non-stop: what the new actions name is no longer what the old ones say.  Only
 * steps are worth their room: whoever is not named goes on.
 */
static void merge(struct pdb_plan *new, const struct pdb_plan *old)
{
    uint32_t i, j;

    for (i = 0; i < old->nr && new->nr < PDB_MAX_ACTIONS; i++) {
        if (old->act[i].what != PDB_DO_STEP)
            continue;
        for (j = 0; j < new->nr; j++)
            if (tid_matches(new->act[j].who, old->act[i].who))
                break;
        if (j == new->nr)
            new->act[new->nr++] = old->act[i];
    }
}

/* One thread alone steps off the place where a breakpoint was taken out. */
static bool is_step_off(struct pdb *p, const struct pdb_plan *plan)
{
    struct pdb_regs r;

    return plan->nr == 1 && plan->act[0].what == PDB_DO_STEP &&
           plan->act[0].who.tid > 0 &&
           get_regs(p, plan->act[0].who, &r) >= 0 &&
           (r.known & PDB_REG_BIT(PDB_RIP)) && r.v[PDB_RIP] == p->brk.removed;
}

/* Commits the plan; the reply, if one is due now, is the return value. */
static bool go(struct pdb *p, struct pdb_plan *plan)
{
    if (p->non_stop) {
        if (pdb_plan_action(plan, p->last.thread))
            p->last.text = NULL; /* it is no longer what that one stands for */
        hand_over(p, plan);
        merge(plan, &p->plan);
        pdb_plan_copy(&p->plan, plan);
        return reply_ok(p);
    }
    pdb_plan_copy(&p->plan, plan);
    p->stepping_off = is_step_off(p, plan);
    p->bringing_in = false;
    p->owed = true;
    threads_brief(p, 1);
    if (p->nr_stops != 0)
        return false; /* gdb first hears what is waiting */
    hand_over(p, &p->plan);
    /* gdb sends ^C as soon as its user wants it, which may be before the packet
     * (GDB manual, "Interrupts": it is kept), or while gdb makes a step or
     * passes a breakpoint by itself.  If it crossed with a stop that gdb shows,
     * a list of threads was fetched since. */
    if (p->early_break)
        run_interrupt(p);
    p->early_break = false;
    return false;
}

static bool in_range_step(struct pdb_in *in, struct pdb_action *a)
{
    return in_hex_char(in, &a->start, ',') && in_hex(in, &a->end);
}

/* A signal is handed to the target, which may turn it into an exception. */
static bool in_signal(struct pdb_in *in, struct pdb_action *a)
{
    uint32_t sig;

    if (!in_u32(in, &sig) || sig > 255)
        return false;
    a->signal = (int)sig;
    return true;
}

/* One of c s t r and, with a signal, C S. */
static bool in_action(struct pdb_in *in, struct pdb_action *a)
{
    memset(a, 0, sizeof(*a));
    a->who = everyone;
    if (in_char(in, 'c') || in_char(in, 'C'))
        a->what = PDB_DO_CONT;
    else if (in_char(in, 's') || in_char(in, 'S') || in_char(in, 'r'))
        a->what = PDB_DO_STEP;
    else if (in_char(in, 't'))
        a->what = PDB_DO_HALT;
    else
        return false;
    if (in->p[-1] == 'r')
        return in_range_step(in, a);
    if (in->p[-1] == 'C' || in->p[-1] == 'S')
        return in_signal(in, a);
    return true;
}

bool packet_vCont(struct pdb *p, struct pdb_in *in)
{
    struct pdb_plan plan;
    struct pdb_action *a;

    pdb_plan_init(&plan);
    do {
        if (plan.nr == PDB_MAX_ACTIONS)
            return reply_error(p, -PDB_E2BIG, "vCont");
        a = &plan.act[plan.nr++];
        if (!in_action(in, a) || (in_char(in, ':') && !in_tid(in, &a->who)))
            return reply_error(p, -PDB_EINVAL, "vCont");
    } while (in_char(in, ';'));
    if (!in_end(in))
        return reply_error(p, -PDB_EINVAL, "vCont");
    return go(p, &plan);
}

/* gdb uses vCont at all only if both c and C, s and S are offered. */
bool query_vCont(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    return reply_put(p, "vCont;c;C;s;S;t;r");
}

bool packet_vCtrlC(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    if (!pdb_holding(p))
        run_interrupt(p);
    return reply_ok(p);
}

/* "addr" or nothing behind c and s: where to go on. */
static bool in_resume_addr(struct pdb *p, struct pdb_in *in, struct pdb_tid t)
{
    uint64_t addr;

    if (in_end(in))
        return true;
    return in_hex(in, &addr) && in_end(in) &&
           set_reg(p, t, PDB_RIP, addr) >= 0;
}

/* The thread of Hc steps or goes on; the others go on unless it named one. */
static bool old_style(struct pdb *p, struct pdb_in *in, enum pdb_do what,
                      bool with_signal)
{
    struct pdb_plan plan;
    struct pdb_tid t;

    pdb_plan_init(&plan);
    if (!thread_pick(p, p->cont.tid > 0 ? p->cont : p->general, &t))
        return reply_error(p, -PDB_ESRCH, NULL);
    pdb_plan_add(&plan, t, what);
    if (with_signal && !in_signal(in, &plan.act[0]))
        return reply_error(p, -PDB_EINVAL, "signal");
    if (with_signal && !in_end(in) && !in_char(in, ';'))
        return reply_error(p, -PDB_EINVAL, "signal");
    if (!in_resume_addr(p, in, t))
        return reply_error(p, -PDB_EINVAL, "address");
    if (p->cont.tid <= 0)
        pdb_plan_add(&plan, everyone, PDB_DO_CONT);
    return go(p, &plan);
}

bool packet_c(struct pdb *p, struct pdb_in *in)
{
    return old_style(p, in, PDB_DO_CONT, false);
}

bool packet_s(struct pdb *p, struct pdb_in *in)
{
    return old_style(p, in, PDB_DO_STEP, false);
}

bool packet_C(struct pdb *p, struct pdb_in *in)
{
    return old_style(p, in, PDB_DO_CONT, true);
}

bool packet_S(struct pdb *p, struct pdb_in *in)
{
    return old_style(p, in, PDB_DO_STEP, true);
}
