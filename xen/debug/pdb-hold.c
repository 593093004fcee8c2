/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domains that gdb has stopped while the rest of the machine runs: those it is
 * attached to and did not resume, or the one of `monitor scope`.  Their vCPUs
 * get VPF_DEBUG, which keeps the scheduler from choosing them.  Setting it
 * takes no lock, so the leader does it; waking does, so a tasklet does that.
 * The time for which all of a domain was kept is taken off its clock.
 *
 * A vCPU that is kept while another one of its domain steps may be what that
 * one's kernel waits for. After HELP_PATIENCE it goes on, until the next stop.
 * If it meets a breakpoint by that, it is held back for as long once more.
 */
#include <hv/atomic.h>
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/pv.h>
#include <hv/softirq.h>
#include <hv/timer.h>

#include "pdb-stop.h"
#include "pdb-target.h"

#define TICK SECONDS(1)
#define HALT_TICK MILLISECS(1) /* a vCPU leaves the hypervisor before */
#define HELP_PATIENCE MILLISECS(500)

static void wake_released(void *unused);
static void tick(void *unused);
static void help(void *unused);
static void give_up(void *unused);

static struct tasklet waker = {.fn = wake_released};
static struct timer ticker;
static s_time_t second_due; /* 0: no seconds are counted */
static bool holding; /* some vCPU may have the flag */

/* A step of a guest's: until when those that are kept stay so; 0: no step. */
static s_time_t patient_until;
static struct timer helper;
static bool helping; /* that time is over */

/* vCPUs that have met something of which gdb is not to hear before the step has
 * ended. It may need just these. */
static struct pdb_tid held_back[PDB_NR_STOPS];
static unsigned int nr_held_back;
static s_time_t held_until; /* 0: nobody is */
static struct timer giver;
static bool gave_up; /* that time is over */

/* Domains that are kept, and since when. */
static struct kept {
    bool used;
    domid_t id;
    s_time_t since;
} kept[PDB_NR_ATTACHED];

enum pdb_do pdb_wanted(struct pdb_tid t)
{
    const struct pdb_target *target = pdb_target;
    enum pdb_do what;

    if (pdb_is_non_stop() && !target->plan.alone)
        return pdb_non_stop_wanted(t);
    what = pdb_plan_find(&target->core, &target->plan, t);
    if (target->scope && t.pid != target->scope && !target->plan.alone &&
        what == PDB_DO_STAY)
        return PDB_DO_CONT;
    return what;
}

static bool is_held_back(struct pdb_tid t)
{
    for (unsigned int i = 0; !READ_ONCE(gave_up) && i < nr_held_back; i++)
        if (pdb_tid_equal(held_back[i], t))
            return true;
    return false;
}

static bool is_to_stay(const struct vcpu *v)
{
    struct pdb_tid t = {PDB_PID_DOMAIN(v->domain->id), (int32_t)v->id + 1};

    return is_held_back(t) ||
           (pdb_wanted(t) == PDB_DO_STAY &&
            !(READ_ONCE(helping) && pdb_steps_in(t.pid)));
}

void pdb_hold_back(struct pdb_tid t)
{
    if (is_held_back(t) || nr_held_back == PDB_NR_STOPS)
        return;
    held_back[nr_held_back++] = t;
    if (!held_until)
        held_until = now() + HELP_PATIENCE;
}

bool pdb_hold_gave_up(void)
{
    return gave_up;
}

static void hold_back_nobody(void)
{
    nr_held_back = 0;
    held_until = 0;
    gave_up = false;
}

/* --- keeping --- */

static struct kept *find_kept(const struct domain *d)
{
    for (struct kept *k = kept; k < kept + PDB_NR_ATTACHED; k++)
        if (k->used && k->id == d->id)
            return k;
    return NULL;
}

static void note_kept(const struct domain *d)
{
    struct kept *k = kept;

    if (find_kept(d))
        return;
    while (k < kept + PDB_NR_ATTACHED && k->used)
        k++;
    if (k < kept + PDB_NR_ATTACHED)
        *k = (struct kept){true, d->id, now()};
}

/* Its number may come back, with another domain that nobody kept so long. */
void pdb_hold_forget(const struct domain *d)
{
    struct kept *k = find_kept(d);

    if (k)
        k->used = false;
    for (unsigned int i = nr_held_back; i-- > 0;)
        if (held_back[i].pid == PDB_PID_DOMAIN(d->id))
            held_back[i] = held_back[--nr_held_back];
}

static void keep(struct vcpu *v)
{
    u32 old = __atomic_fetch_or(&v->pause_flags, VPF_DEBUG, __ATOMIC_SEQ_CST);

    holding = true;
    if (READ_ONCE(v->running) || !(old & VPF_DEBUG))
        cpu_raise_softirq(v->processor, SOFTIRQ_SCHEDULE);
}

/* Calls fn for each domain. Nothing may change the list. */
static void for_each(void (*fn)(struct domain *d))
{
    struct domain *d;

    for (d = domain_next(0); d && d->id < DOMID_FIRST_RESERVED;
         d = domain_next((domid_t)(d->id + 1)))
        fn(d);
}

/* Its clock stands still only when nothing of it runs. */
static void keep_or_not(struct domain *d)
{
    bool stays = false, runs = false;
    struct vcpu *v;

    for_each_vcpu (d, v) {
        if (is_to_stay(v)) {
            keep(v);
            stays = true;
        } else if (!(v->pause_flags & VPF_DOWN)) {
            runs = true;
        }
    }
    if (stays && !runs)
        note_kept(d);
}

/* Before any of its vCPUs runs again, the domain's clock is set back. */
static void release(struct vcpu *v)
{
    struct kept *k = find_kept(v->domain);

    if (!(v->pause_flags & VPF_DEBUG))
        return;
    if (is_to_stay(v)) {
        holding = true;
        return;
    }
    if (k) {
        s_time_t ns = now() - k->since;

        v->domain->time_shift += ns;
        pv_tsc_skip(v->domain,
                    (u64)((unsigned __int128)ns * tsc_khz / 1000000));
        k->used = false;
    }
    vcpu_clear_flags(v, VPF_DEBUG);
    if (is_to_stay(v)) /* a leader came in between */
        keep(v);
}

static void release_some(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        release(v);
}

static void set_timer(struct timer *t, void (*fn)(void *), s_time_t expires)
{
    if (t->status == 0)
        timer_init(t, fn, NULL, smp_processor_id());
    timer_set(t, expires);
}

/* Stops may come faster than seconds pass, which are counted all the same. */
static void set_ticker(void)
{
    if (!pdb_target->scoped && !pdb_is_non_stop())
        return;
    if (!second_due)
        second_due = now() + TICK;
    set_timer(&ticker, tick,
              pdb_non_stop_awaits() ? now() + HALT_TICK : second_due);
}

/* irqs on. Readers of the list without a reference have them off. */
static void wake_released(void *unused)
{
    unsigned long flags = local_irq_save();

    (void)unused;
    /* Whoever is kept after this, by a leader or still, says so again. */
    holding = false;
    barrier();
    for_each(release_some);
    local_irq_restore(flags);
    set_ticker();
    if (patient_until && !helping)
        set_timer(&helper, help, patient_until);
    if (held_until && !gave_up)
        set_timer(&giver, give_up, held_until);
}

/* --- whoever is kept and may be waited for --- */

static void help(void *unused)
{
    (void)unused;
    if (!patient_until || now() < patient_until)
        return;
    WRITE_ONCE(helping, true);
    tasklet_schedule(&waker);
}

static void give_up(void *unused)
{
    (void)unused;
    if (!held_until || now() < held_until)
        return;
    WRITE_ONCE(gave_up, true);
    tasklet_schedule(&waker);
}

void pdb_hold_step_over(void)
{
    patient_until = 0;
    hold_back_nobody();
}

static void expect_steps(void)
{
    helping = false;
    if (!pdb_steps_in(0))
        patient_until = 0;
    else if (!patient_until)
        patient_until = now() + HELP_PATIENCE;
}

void pdb_hold_domains(void)
{
    expect_steps();
    if (!pdb_target->plan.alone) /* one instruction: nobody is sent to sleep */
        for_each(keep_or_not);
    if (holding || pdb_is_non_stop())
        tasklet_schedule(&waker);
}

/* --- one domain stands still, the rest runs --- */

/* A second in which there is nothing to say does not stop the machine. */
static bool is_only_counted(void)
{
    unsigned long flags = local_irq_save();
    bool counted = false;

    if (pdb_lead()) {
        counted = pdb_tick_in_passing(&pdb_target->core);
        pdb_unlead();
    }
    local_irq_restore(flags);
    return counted;
}

/* What gdb has not acknowledged or answered is sent again, at a standstill. */
static void second(void)
{
    second_due = now() + TICK;
    if (!pdb_awaits(&pdb_target->core) || is_only_counted())
        return;
    pdb_target->tick_due = true;
    pdb_listen();
}

static void tick(void *unused)
{
    (void)unused;
    if (!READ_ONCE(pdb_target->scoped) && !pdb_is_non_stop()) {
        second_due = 0;
        return;
    }
    if (pdb_non_stop_awaits())
        pdb_listen();
    if (now() >= second_due)
        second();
    timer_set(&ticker, second_due);
}

bool pdb_scope_covers(const struct pdb_stop *s)
{
    int32_t scope = pdb_target->scope;

    return scope && pdb_is_attached(scope) && s->why != PDB_WHY_FAULT &&
           (pdb_target->scoped || s->thread.pid == scope ||
            s->why == PDB_WHY_BREAK_IN);
}

void pdb_scope_choose(struct pdb_stop *s)
{
    int32_t scope = pdb_target->scope;

    if (s->why == PDB_WHY_BREAK_IN && pdb_scope_covers(s))
        s->thread = (struct pdb_tid){scope,
                                     pdb_next_thread(pdb_target, scope, 0)};
}

void pdb_scope_hold(void)
{
    struct pdb_target *t = pdb_target;

    pdb_plan_init(&t->plan);
    pdb_plan_add(&t->plan, (struct pdb_tid){t->scope, -1}, PDB_DO_STAY);
    pdb_plan_add(&t->plan, (struct pdb_tid){-1, -1}, PDB_DO_CONT);
    t->planned = true;
}
