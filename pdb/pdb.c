/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core's entry points and the life of a session.
 *
 *     ALONE --gdb's first packet--> (interrupt) --event--> STOPPED
 *     ALONE --key D, panic, wait--> WAITING --first packet--> STOPPED
 *     STOPPED --c, s, vCont--> RUNNING --event--> STOPPED
 *     any --D, k, dead gdb--> ALONE
 *
 * Invariant: in ALONE there is no breakpoint anywhere.
 */
#include <string.h>

#include "int.h"

void pdb_init(struct pdb *p, const struct pdb_ops *ops, void *ctx,
              unsigned int flags)
{
    memset(p, 0, sizeof(*p));
    p->ops = ops;
    p->ctx = ctx;
    p->flags = flags;
    p->state = PDB_ALONE;
    breaks_init(p);
    session_reset(p);
}

static void catch_nothing(struct pdb *p)
{
    if (p->catching.on && p->ops->catch_syscalls)
        p->ops->catch_syscalls(p->ctx, p->catching.pid, false);
    memset(&p->catching, 0, sizeof(p->catching));
}

void session_reset(struct pdb *p)
{
    breaks_remove(p, -1);
    catch_nothing(p);
    if (p->ops->reset)
        p->ops->reset(p->ctx);
    while (p->nr_attached)
        pid_forget(p, p->attached[0]);
    p->multiprocess = p->error_text = p->swbreak = p->hwbreak = false;
    p->non_stop = p->thread_events = false;
    p->console_on = p->short_addresses = false;
    p->owed = p->notified = p->announced = p->extended = false;
    p->sse = p->flags & PDB_SSE;
    p->command = NULL;
    p->nr_stops = p->nr_console = p->brief_lists = 0;
    p->early_break = false;
    p->context.kind = PDB_SPACE_THREAD;
    pid_attach(p, PDB_PID_HYPERVISOR);
    p->general = (struct pdb_tid){ PDB_PID_HYPERVISOR, 0 };
    p->cont = (struct pdb_tid){ -1, -1 };
}

void session_end(struct pdb *p)
{
    session_reset(p);
    run_all(p);
    p->bringing_in = false;
    p->state = PDB_ALONE;
}

void pdb_drop(struct pdb *p)
{
    link_reset(p);
    if (p->state == PDB_ALONE)
        return;
    session_end(p);
}

void pdb_rx(struct pdb *p, uint8_t byte)
{
    link_rx(p, byte);
}

void pdb_tick(struct pdb *p)
{
    link_tick(p);
    stop_tick(p);
    threads_tick(p);
}

bool pdb_tick_in_passing(struct pdb *p)
{
    if (!link_tick_counts(p) || !stop_tick_counts(p))
        return false;
    pdb_tick(p);
    return true;
}

bool pdb_awaits(const struct pdb *p)
{
    return p->link.unacked || p->announced;
}

bool pdb_holding(const struct pdb *p)
{
    return p->state == PDB_STOPPED || p->state == PDB_WAITING;
}

bool pdb_non_stop(const struct pdb *p)
{
    return p->non_stop && p->state != PDB_ALONE;
}

struct pdb_tid pdb_current(struct pdb *p)
{
    struct pdb_tid t;

    return thread_pick(p, p->general, &t) ? t : p->general;
}

struct pdb_space pdb_current_space(struct pdb *p)
{
    struct pdb_space as = p->context;

    as.thread = pdb_current(p);
    return as;
}

void pdb_console(struct pdb *p, const char *text, uint32_t len)
{
    uint32_t room = PDB_CONSOLE - p->nr_console;

    if (!p->console_on || !p->owed)
        return;
    if (len > room) {
        p->console_lost += len - room;
        len = room;
    }
    memcpy(p->console + p->nr_console, text, len);
    p->nr_console += len;
}

/*
 * gdb 13 ends with an internal error if it steps off a breakpoint with one
 * thread and ^C stops another: it is to be one that gdb has let run.
 */
static void choose_runner(struct pdb *p, struct pdb_stop *s)
{
    struct pdb_tid t = { 0, 0 };

    if (s->why != PDB_WHY_BREAK_IN || !p->owed ||
        pdb_plan_find(p, &p->plan, s->thread) != PDB_DO_STAY)
        return;
    while (thread_next(p, &t))
        if (pdb_plan_find(p, &p->plan, t) != PDB_DO_STAY) {
            s->thread = t;
            return;
        }
}

/* The note outlives the caller's string. */
static void keep_stop(struct pdb *p, const struct pdb_stop *s)
{
    struct pdb_out o;

    p->last = *s;
    /* gdb must not hear of a thread that it does not hold. */
    if (s->why != PDB_WHY_GONE && !pdb_attached(p, s->thread.pid))
        (void)thread_pick(p, (struct pdb_tid){ 0, 0 }, &p->last.thread);
    choose_runner(p, &p->last);
    if (!s->text)
        return;
    pdb_out_init(&o, p->note, PDB_NOTE - 1, 0);
    pdb_puts(&o, s->text);
    p->note[o.len] = '\0';
    p->last.text = p->note;
}

/* Non-stop: there is no packet for the text. `monitor why` has it, and, as long
 * as the thread stays, the list of threads (thread.c). */
static void keep_why(struct pdb *p, const char *text)
{
    struct pdb_out o;

    pdb_out_init(&o, p->why, PDB_NOTE - 1, 0);
    pdb_put_line(&o, text);
    p->why[o.len] = '\0';
}

/* A stop to which nobody listens yet: is it one to wait for gdb in? */
static enum pdb_verdict event_alone(struct pdb *p, struct pdb_stop *s)
{
    switch (s->why) {
    case PDB_WHY_BREAK_IN:
    case PDB_WHY_FAULT:
    case PDB_WHY_NOTE: break;
    default:
        if (!hit_is_late(p, s))
            return PDB_PASS;
        session_end(p);
        return PDB_GO;
    }
    p->bringing_in = false;
    keep_stop(p, s);
    p->general = s->thread;
    p->state = PDB_WAITING;
    return PDB_HOLD;
}

/* Births and deaths: no thread stands still for them by itself. */
static bool is_life(enum pdb_why why)
{
    return why == PDB_WHY_NEW || why == PDB_WHY_GONE ||
           why == PDB_WHY_NEW_THREAD || why == PDB_WHY_GONE_THREAD;
}

bool pdb_nothing_runs(struct pdb *p)
{
    struct pdb_tid t = { 0, 0 };

    if (!p->owed || p->non_stop || p->state != PDB_RUNNING)
        return false;
    while (thread_next(p, &t))
        if (pdb_plan_find(p, &p->plan, t) != PDB_DO_STAY &&
            !(p->ops->is_down && p->ops->is_down(p->ctx, t)))
            return false;
    return true;
}

/* True if gdb wants to hear of it. */
static bool life_matters(struct pdb *p, const struct pdb_stop *s)
{
    bool known = pdb_attached(p, s->thread.pid);

    switch (s->why) {
    case PDB_WHY_NEW:
        if (!(p->flags & PDB_FOLLOW) || p->non_stop || known ||
            !pid_attach(p, s->thread.pid))
            return false;
        regs_untold(p, s->thread.pid);
        return true;
    case PDB_WHY_GONE:
        breaks_gone(p, s->thread.pid);
        stop_forget(p, s->thread.pid);
        pid_forget(p, s->thread.pid);
        return known;
    default: return known && p->thread_events;
    }
}

/*
 * gdb 13 steps one thread off a breakpoint, and ends with an internal error if
 * it hears of another one. That may run all the same, for the step's sake.
 */
static bool awaits_another(const struct pdb *p, struct pdb_tid t)
{
    const struct pdb_action *a = p->plan.act;

    return p->owed && p->plan.nr == 1 && a->what == PDB_DO_STEP &&
           a->who.tid > 0 && !tid_matches(a->who, t);
}

static bool is_bystander(const struct pdb *p, const struct pdb_stop *s)
{
    switch (s->why) {
    case PDB_WHY_SOFT:
    case PDB_WHY_EXEC:
    case PDB_WHY_WATCH:
    case PDB_WHY_GUARD:
    case PDB_WHY_NOTE:
    case PDB_WHY_SYSCALL:
    case PDB_WHY_SYSRET: break;
    default: return false;
    }
    return awaits_another(p, s->thread);
}

/*
 * The step that gdb waits for has ended in another thread, one that gdb takes
 * to stand still. It hears of the one that was to step, which does something
 * else by now, and the other one goes on.
 */
static bool ends_elsewhere(const struct pdb *p, const struct pdb_stop *s)
{
    return s->stepper.tid && !awaits_another(p, s->stepper) &&
           (s->unheard || awaits_another(p, s->thread));
}

/* It is before the breakpoint, and a vCPU: nothing else waits with it. */
static bool can_wait(const struct pdb_stop *s)
{
    return s->thread.pid != PDB_PID_HYPERVISOR && !s->waited &&
           (s->why == PDB_WHY_SOFT || s->why == PDB_WHY_EXEC);
}

static enum pdb_verdict go_on(struct pdb *p, enum hit h,
                              const struct pdb_stop *s)
{
    if (h == HIT_OVER)
        run_over(p);
    else if (!p->non_stop || (h == HIT_QUIET && !s->unheard))
        run_plan(p, s->thread);
    return h == HIT_ALIEN ? PDB_PASS : PDB_GO;
}

/* A stop that gdb is to see: it becomes the selected thread's. */
static enum pdb_verdict report(struct pdb *p, const struct pdb_stop *s)
{
    keep_stop(p, s);
    if (p->bringing_in && s->why != PDB_WHY_BREAK_IN)
        p->early_break = true; /* something else was faster */
    p->bringing_in = false;
    if (p->non_stop) {
        if (s->text)
            keep_why(p, s->text);
        stop_queue(p, &p->last);
        return PDB_HOLD;
    }
    if (s->why != PDB_WHY_GONE)
        p->general = p->last.thread;
    if (p->owed)
        stop_queue(p, &p->last);
    p->state = PDB_STOPPED;
    return PDB_HOLD;
}

/*
 * Nothing is left that gdb could hear of. The packet for that, N, gdb 13 takes
 * for old news, and waits on, as long as its list of threads has one that it
 * has let run; and a vCPU that is down stays in the list.
 */
static enum pdb_verdict report_idle(struct pdb *p, struct pdb_tid t)
{
    struct pdb_stop s = {
        .why = PDB_WHY_HALTED,
        .thread = t,
        .text = "The vCPU has gone down, and no other thread was let run.\n",
    };

    hit_settle(p);
    return report(p, &s);
}

static enum pdb_verdict event_life(struct pdb *p, const struct pdb_stop *s)
{
    if (s->why == PDB_WHY_GONE_THREAD && !p->thread_events &&
        pdb_plan_find(p, &p->plan, s->thread) != PDB_DO_STAY &&
        pdb_attached(p, s->thread.pid) && pdb_nothing_runs(p))
        return report_idle(p, s->thread);
    if (!life_matters(p, s))
        return pdb_holding(p) ? PDB_HOLD : PDB_GO;
    if (!pdb_holding(p))
        return report(p, s);
    stop_queue(p, s);
    return PDB_HOLD;
}

enum pdb_verdict pdb_event(struct pdb *p, const struct pdb_stop *event)
{
    struct pdb_stop s = *event;
    bool bystander, elsewhere;
    enum hit h;

    if (is_life(s.why))
        return p->state == PDB_ALONE ? PDB_GO : event_life(p, &s);
    if (p->state == PDB_ALONE)
        return event_alone(p, &s);
    if (pdb_holding(p))
        return PDB_HOLD;
    elsewhere = ends_elsewhere(p, &s);
    bystander = !elsewhere && is_bystander(p, &s);
    s.unheard |= elsewhere ? s.why == PDB_WHY_EXEC
                           : bystander && !can_wait(&s);
    h = hit_judge(p, &s);
    if (h == HIT_REPORT && elsewhere)
        s.thread = s.stepper;
    if (h == HIT_REPORT && !bystander)
        return report(p, &s);
    if (h != HIT_REPORT)
        return go_on(p, h, &s);
    run_plan(p, s.thread);
    return PDB_LATER;
}
