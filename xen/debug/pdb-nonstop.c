/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Non-stop: gdb stops and resumes single threads, and the rest runs.
 *
 * A vCPU that is stopped is kept by the scheduler (pdb-hold.c).  A CPU cannot
 * be stopped alone: it may hold a lock, or have the line's interrupt.  While
 * one is, the machine stands still, but for the steps of other threads.  What
 * gdb asks is answered in short stops of the whole machine, and int3s stay in
 * memory: whoever else runs into one is stopped in turn.
 *
 * A plan names only the threads that it is about, so what each one is to do is
 * kept here.  By the leader only.
 */
#include <hv/cpu.h>

#include "pdb-target.h"

/* Threads that do not just run. */
static struct mark {
    struct pdb_tid who;
    enum pdb_do what; /* PDB_DO_HALT: gdb has not been told yet */
} marks[PDB_NR_STOPS];
static unsigned int nr_marks;

/* Which of the halts is ^C's; tid 0: none. */
static struct pdb_tid interrupted;

/*
 * The hypervisor has failed, and gdb, which does not hold it any more, was told
 * of this thread instead; tid 0: no. Nothing runs until that is to go on.
 */
static struct pdb_tid aground;

static struct mark *find(struct pdb_tid t)
{
    for (struct mark *m = marks; m < marks + nr_marks; m++)
        if (pdb_tid_equal(m->who, t))
            return m;
    return NULL;
}

/* A thread for which there is no room goes on. */
static void set(struct pdb_tid t, enum pdb_do what)
{
    struct mark *m = find(t);

    if ((what == PDB_DO_CONT || what == PDB_DO_STEP) &&
        pdb_tid_equal(t, aground))
        aground.tid = 0;
    if (what == PDB_DO_CONT) {
        if (m)
            *m = marks[--nr_marks];
        return;
    }
    if (what == PDB_DO_HALT && m && m->what == PDB_DO_STAY)
        return;
    if (!m && nr_marks < PDB_NR_STOPS)
        m = &marks[nr_marks++];
    if (m)
        *m = (struct mark){t, what};
    if (what != PDB_DO_STEP)
        pdb_steps_forget(&t);
}

bool pdb_is_non_stop(void)
{
    return pdb_non_stop(&pdb_target->core);
}

enum pdb_do pdb_non_stop_wanted(struct pdb_tid t)
{
    const struct mark *m = find(t);

    if (!m || !pdb_is_attached(t.pid))
        return PDB_DO_CONT;
    return m->what == PDB_DO_HALT ? PDB_DO_STAY : m->what;
}

static bool any(int32_t pid, enum pdb_do what)
{
    for (const struct mark *m = marks; m < marks + nr_marks; m++)
        if (m->what == what && (pid == 0 || m->who.pid == pid))
            return true;
    return false;
}

bool pdb_non_stop_frozen(void)
{
    if (!pdb_is_non_stop())
        return false;
    if (aground.tid)
        return true;
    return !pdb_target->plan.alone && any(PDB_PID_HYPERVISOR, PDB_DO_STAY) &&
           !any(0, PDB_DO_STEP);
}

bool pdb_non_stop_frees_cpus(void)
{
    return pdb_is_non_stop() && !any(PDB_PID_HYPERVISOR, PDB_DO_STEP);
}

/* --- what gdb asks for --- */

void pdb_non_stop_resume(const struct pdb_plan *plan)
{
    int32_t pid = 0, tid;

    if (plan->alone) {
        pdb_plan_copy(&pdb_target->plan, plan);
        return;
    }
    while ((pid = pdb_next_inferior(pdb_target, pid)) != 0)
        for (tid = 0; pdb_is_attached(pid) &&
                      (tid = pdb_next_thread(pdb_target, pid, tid)) != 0;) {
            struct pdb_tid t = {pid, tid};
            const struct pdb_action *a = pdb_plan_action(plan, t);

            if (a && (a->who.tid > 0 || !pdb_untold(&pdb_target->core, t)))
                set(t, a->what);
        }
}

static bool can_stop(struct pdb_tid t)
{
    const struct vcpu *v = pdb_vcpu(t);

    if (t.tid < 1 || find(t) || !pdb_is_attached(t.pid))
        return false;
    return t.pid == PDB_PID_HYPERVISOR || (v && !(v->pause_flags & VPF_DOWN));
}

/* ^C: the thread that gdb looks at, or one that stops nothing else. */
void pdb_non_stop_interrupt(void)
{
    const struct pdb *p = &pdb_target->core;
    struct pdb_tid t = p->general;
    int32_t pid = PDB_PID_HYPERVISOR;

    if (!can_stop(t))
        t = p->last.thread;
    while (!can_stop(t) &&
           (pid = pdb_next_inferior(pdb_target, pid)) != 0)
        for (t = (struct pdb_tid){pid, 0};
             (t.tid = pdb_next_thread(pdb_target, pid, t.tid)) != 0;)
            if (can_stop(t))
                break;
    if (!can_stop(t))
        t = (struct pdb_tid){PDB_PID_HYPERVISOR, 1};
    if (!can_stop(t))
        return;
    set(t, PDB_DO_HALT);
    interrupted = t;
}

/*
 * A vCPU that is in the hypervisor gets to its guest's next instruction first,
 * as its registers are still to change; unless nothing goes on at all.
 */
static bool is_told(const struct mark *m)
{
    return m->what == PDB_DO_HALT &&
           (m->who.pid == PDB_PID_HYPERVISOR || pdb_non_stop_frozen() ||
            !pdb_vcpu_is_busy(m->who));
}

bool pdb_non_stop_awaits(void)
{
    return any(0, PDB_DO_HALT);
}

bool pdb_non_stop_halt(struct pdb_stop *s)
{
    for (struct mark *m = marks; m < marks + nr_marks; m++) {
        if (!is_told(m))
            continue;
        m->what = PDB_DO_STAY;
        *s = (struct pdb_stop){.why = PDB_WHY_HALTED, .thread = m->who};
        if (pdb_tid_equal(interrupted, m->who)) {
            s->why = PDB_WHY_BREAK_IN;
            interrupted.tid = 0;
        }
        pdb_target->plan.alone = false; /* the core ends it */
        return true;
    }
    return false;
}

/* --- what happens --- */

/*
 * Of a thread that gdb believes to stand still. If it helps a step to its end,
 * it passes whatever it meets. Else it was on its way to the stop, and comes
 * back to the place once it is resumed; only what a data watchpoint or a system
 * call has to tell is lost.
 */
bool pdb_non_stop_ignores(struct pdb_stop *s)
{
    struct pdb_target *t = pdb_target;
    bool alone = t->plan.alone;

    s->unheard = false;
    if (!pdb_is_non_stop())
        return false;
    t->plan.alone = false; /* until this, its next event */
    if (pdb_non_stop_wanted(s->thread) != PDB_DO_STAY)
        return false;
    s->unheard = alone || any(0, PDB_DO_STEP);
    return !s->unheard &&
           (s->why == PDB_WHY_EXEC || s->why == PDB_WHY_WATCH ||
            s->why == PDB_WHY_GUARD || s->why == PDB_WHY_SYSCALL ||
            s->why == PDB_WHY_SYSRET);
}

void pdb_non_stop_stopped(const struct pdb_stop *s)
{
    struct pdb_tid told = pdb_target->core.last.thread;

    if (!pdb_is_non_stop())
        return;
    /* A vCPU that is down may come up again. */
    set(told, s->why == PDB_WHY_GONE_THREAD ? PDB_DO_CONT : PDB_DO_STAY);
    if (s->why == PDB_WHY_FAULT && !pdb_is_attached(s->thread.pid))
        aground = told;
}

void pdb_non_stop_forget(int32_t pid)
{
    for (unsigned int i = nr_marks; i-- > 0;)
        if (pid == 0 || marks[i].who.pid == pid)
            marks[i] = marks[--nr_marks];
    if (pid == 0 || aground.pid == pid)
        aground.tid = 0;
}
