/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stop means: is it ours, and is gdb to hear of it?
 *
 * A breakpoint whose condition is false, or that only prints, costs gdb
 * nothing: the int3 or debug register is lifted, the one thread makes one
 * step with everything else kept still, it is put back, and what gdb had
 * asked goes on.
 */
#include "int.h"

/* "Length, bytecode" at *at: evaluates it and moves on. */
static int eval_next(struct pdb *p, struct pdb_tid t, uint32_t *at,
                     uint64_t *value)
{
    const uint8_t *code = p->brk.code + *at;
    uint32_t len = code[0] | (uint32_t)code[1] << 8;
    int err = agent_eval(p, t, *at + 2, len, value);

    *at += 2 + len;
    return err;
}

/* No condition, a true one, or one that cannot be evaluated. */
static bool condition_holds(struct pdb *p, const struct pdb_bp *bp,
                            struct pdb_tid t)
{
    uint32_t at = bp->cond, end = at + bp->cond_len;
    uint64_t value;

    if (!bp->cond_len)
        return true;
    while (at < end)
        if (eval_next(p, t, &at, &value) < 0 || value)
            return true;
    return false;
}

/* True if gdb is to see this hit. */
static bool hit_counts(struct pdb *p, struct pdb_bp *bp, struct pdb_tid t)
{
    uint32_t at = bp->cmds, end = at + bp->cmds_len;
    uint64_t value;

    if (!condition_holds(p, bp, t)) {
        bp->passes++;
        return false;
    }
    bp->hits++;
    while (at < end)
        (void)eval_next(p, t, &at, &value);
    return !bp->cmds_len;
}

static bool applies(struct pdb *p, const struct pdb_bp *bp, struct pdb_tid t)
{
    struct pdb_regs r;

    if (!bp->used || bp->pid != t.pid)
        return false;
    if (!bp->cr3)
        return true;
    return get_regs(p, t, &r) >= 0 && (r.known & PDB_REG_BIT(PDB_CR3)) &&
           ((r.v[PDB_CR3] ^ bp->cr3) & 0x000ffffffffff000ull) == 0;
}

static bool get_rip(struct pdb *p, struct pdb_tid t, uint64_t *rip)
{
    struct pdb_regs r;

    if (get_regs(p, t, &r) < 0 || !(r.known & PDB_REG_BIT(PDB_RIP)))
        return false;
    *rip = r.v[PDB_RIP];
    return true;
}

/* All at one address: of each inferior and context that has one there. */
static void bps_lift(struct pdb *p, uint64_t addr)
{
    struct pdb_bp *bp;

    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++)
        if (bp->used && bp->type == PDB_BP_EXEC && bp->addr == addr &&
            !bp->lifted) {
            bp->lifted = true;
            (void)bp_set_hw(p, bp, false);
        }
}

/* Non-stop: the register may have been given away meanwhile. */
static void bps_plant(struct pdb *p)
{
    struct pdb_bp *bp;

    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++)
        if (bp->used && bp->lifted)
            bp->lifted = bp_set_hw(p, bp, true) < 0;
}

/* Lifts what t stands on, for run_over(). */
static enum hit over(struct pdb *p, struct pdb_tid t, int site, int bp)
{
    p->brk.over = t;
    p->brk.over_site = (int16_t)site;
    p->brk.over_bp = (int16_t)bp;
    if (site >= 0)
        site_lift(p, site);
    if (bp >= 0)
        bps_lift(p, p->brk.bp[bp].addr);
    return HIT_OVER;
}

void hit_settle(struct pdb *p)
{
    int site = p->brk.over_site, bp = p->brk.over_bp;

    p->brk.over_site = p->brk.over_bp = -1;
    p->brk.over_guard = false;
    if (site >= 0)
        site_plant(p, site);
    if (bp >= 0)
        bps_plant(p);
}

/*
 * An int3 at addr that is not planted.  If memory holds none either, it was
 * ours and was taken out after this thread ran into it: it must try again.
 */
static enum hit judge_stray(struct pdb *p, struct pdb_tid t, uint64_t addr)
{
    struct pdb_space as = space_of(t);
    uint8_t code[2] = { 0, 0 };

    if (p->ops->read_mem(p->ctx, &as, addr, code + 1, 1) != 1)
        return HIT_ALIEN;
    (void)p->ops->read_mem(p->ctx, &as, addr - 1, code, 1);
    if (code[1] == 0xcc || (code[0] == 0xcd && code[1] == 3))
        return HIT_ALIEN; /* int3 and its two-byte form */
    return set_reg(p, t, PDB_RIP, addr) < 0 ? HIT_ALIEN : HIT_QUIET;
}

bool hit_is_late(struct pdb *p, const struct pdb_stop *s)
{
    uint64_t rip;

    return s->why == PDB_WHY_SOFT && get_rip(p, s->thread, &rip) &&
           judge_stray(p, s->thread, rip - 1) == HIT_QUIET;
}

static enum hit judge_soft(struct pdb *p, struct pdb_stop *s)
{
    struct pdb_space as = space_of(s->thread);
    uint64_t rip, maddr;
    bool report = false;
    int site = -1, i;

    if (!get_rip(p, s->thread, &rip))
        return HIT_ALIEN;
    rip--;
    if (p->ops->translate(p->ctx, &as, rip, &maddr) >= 0)
        site = site_find(p, maddr);
    if (site < 0)
        return judge_stray(p, s->thread, rip);
    if (set_reg(p, s->thread, PDB_RIP, rip) < 0)
        return HIT_ALIEN;
    for (i = 0; i < PDB_NR_BPS && !s->unheard; i++)
        if (p->brk.bp[i].site == site && p->brk.bp[i].addr == rip &&
            p->brk.bp[i].type == PDB_BP_SOFT &&
            applies(p, &p->brk.bp[i], s->thread))
            report |= hit_counts(p, &p->brk.bp[i], s->thread);
    return report ? HIT_REPORT : over(p, s->thread, site, -1);
}

/*
 * The registers act on every CPU and in every address space.  Whoever else
 * comes by would be held there for ever: it is a fault, before the instruction.
 */
static enum hit judge_exec(struct pdb *p, struct pdb_stop *s)
{
    bool report = false;
    uint64_t rip;
    int i, here = -1;

    if (!get_rip(p, s->thread, &rip))
        return HIT_ALIEN;
    for (i = 0; i < PDB_NR_BPS; i++) {
        struct pdb_bp *bp = &p->brk.bp[i];

        if (!bp->used || bp->type != PDB_BP_EXEC || bp->addr != rip)
            continue;
        here = i;
        if (!s->unheard && applies(p, bp, s->thread))
            report |= hit_counts(p, bp, s->thread);
    }
    if (here < 0)
        return HIT_ALIEN;
    return report ? HIT_REPORT : over(p, s->thread, -1, here);
}

/* x86 has no register for reads alone: a changed value was a write. */
static bool watch_counts(struct pdb *p, struct pdb_bp *bp, struct pdb_tid t)
{
    uint64_t now = bp_look(p, bp, t);
    bool changed = now != bp->value;

    bp->value = now;
    if ((bp->type == PDB_BP_WRITE && !changed) ||
        (bp->type == PDB_BP_READ && changed)) {
        bp->passes++;
        return false;
    }
    bp->hits++;
    return true;
}

/*
 * Is it one that the access at s->addr is to be held against?  Of one on a
 * watched page no more is known than where it began.
 */
static bool concerns(struct pdb *p, const struct pdb_bp *bp,
                     const struct pdb_stop *s)
{
    if (bp->type <= PDB_BP_EXEC || !applies(p, bp, s->thread))
        return false;
    return s->addr - bp->addr < bp->len ||
           (s->why == PDB_WHY_GUARD && bp->type == PDB_BP_WRITE);
}

static enum hit judge_watch(struct pdb *p, struct pdb_stop *s)
{
    const struct pdb_stop met = *s;
    bool mine = false, report = false;
    struct pdb_bp *bp;

    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++) {
        if (!concerns(p, bp, &met))
            continue;
        mine = true;
        if (watch_counts(p, bp, s->thread) && !report) {
            report = true;
            s->why = PDB_WHY_WATCH;
            s->addr = bp->addr;
            s->number = bp->type;
        }
    }
    if (report && !s->unheard)
        return HIT_REPORT;
    return mine ? HIT_QUIET : HIT_ALIEN;
}

const struct pdb_action *pdb_plan_action(const struct pdb_plan *plan,
                                         struct pdb_tid t)
{
    uint32_t i;

    for (i = 0; i < plan->nr; i++)
        if (tid_matches(plan->act[i].who, t))
            return &plan->act[i];
    return NULL;
}

enum pdb_do pdb_plan_find(const struct pdb *p, const struct pdb_plan *plan,
                          struct pdb_tid t)
{
    const struct pdb_action *a = pdb_plan_action(plan, t);

    if (!plan->alone && !pdb_attached(p, t.pid))
        return PDB_DO_CONT;
    return a ? a->what : PDB_DO_STAY;
}

/* Who was told to make the step that has ended. */
static struct pdb_tid stepper(const struct pdb_stop *s)
{
    return s->stepper.tid ? s->stepper : s->thread;
}

/*
 * The thread has made a step: was it the one that gdb asked for?  A range is
 * not gone on with in another thread, which gdb has not told to step.
 */
static enum hit judge_step(struct pdb *p, const struct pdb_stop *s, bool ours)
{
    const struct pdb_action *a = pdb_plan_action(&p->plan, stepper(s));
    uint64_t rip;

    if (!a || a->what != PDB_DO_STEP)
        return ours ? HIT_QUIET : HIT_ALIEN;
    if (a->start != a->end && !s->stepper.tid &&
        get_rip(p, s->thread, &rip) &&
        rip - a->start < a->end - a->start)
        return HIT_QUIET;
    return HIT_REPORT;
}

/* A debug exception can tell of a hit and of a finished step at once. */
static enum hit judge_debug(struct pdb *p, struct pdb_stop *s)
{
    enum hit h = s->why == PDB_WHY_EXEC ? judge_exec(p, s) : judge_watch(p, s);

    if (h == HIT_REPORT || !s->stepped ||
        judge_step(p, s, false) != HIT_REPORT)
        return h;
    hit_settle(p);
    s->why = PDB_WHY_STEP;
    return HIT_REPORT;
}

/* The step itself is let through; what it has done is seen after it. */
static enum hit judge_guard(struct pdb *p, struct pdb_stop *s)
{
    if (s->stepped)
        return judge_watch(p, s) == HIT_REPORT ? HIT_REPORT : HIT_QUIET;
    p->brk.over_guard = true;
    return over(p, s->thread, -1, -1);
}

static enum hit judge_syscall(const struct pdb *p, const struct pdb_stop *s)
{
    uint64_t nr = s->number;

    if (!p->catching.on || p->catching.pid != s->thread.pid)
        return HIT_QUIET;
    if (p->catching.all)
        return HIT_REPORT;
    if (nr >= PDB_NR_SYSCALLS || !(p->catching.set[nr / 32] >> nr % 32 & 1))
        return HIT_QUIET;
    return HIT_REPORT;
}

enum hit hit_judge(struct pdb *p, struct pdb_stop *s)
{
    bool lifted = p->brk.over_site >= 0 || p->brk.over_bp >= 0 ||
                  p->brk.over_guard;
    bool stepped_over = lifted && pdb_tid_equal(p->brk.over, stepper(s));
    enum hit h;

    hit_settle(p);
    switch (s->why) {
    case PDB_WHY_STEP: return judge_step(p, s, stepped_over);
    case PDB_WHY_SOFT: return judge_soft(p, s);
    case PDB_WHY_EXEC:
    case PDB_WHY_WATCH:
        s->stepped |= stepped_over;
        h = judge_debug(p, s);
        return h == HIT_ALIEN && stepped_over ? HIT_QUIET : h;
    case PDB_WHY_GUARD: return judge_guard(p, s);
    case PDB_WHY_SYSCALL:
    case PDB_WHY_SYSRET: return s->unheard ? HIT_QUIET : judge_syscall(p, s);
    case PDB_WHY_FAULT: return HIT_REPORT;
    default: return s->unheard ? HIT_QUIET : HIT_REPORT;
    }
}
