/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stops the machine: #BP, #DB and faults, of guests and of the hypervisor,
 * and which of them are not the debugger's.
 */
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/format.h>
#include <hv/x86.h>

#include "pdb-hook.h"
#include "pdb-stop.h"
#include "pdb-target.h"

#define DR6_BS (1UL << 14)
#define DR6_HITS 0xfUL
#define DR6_CAUSES 0xe00fUL /* BT, BS, BD, B3 to B0: SDM vol. 3B 18.2.3 */

static int signal_of(unsigned int vector)
{
    switch (vector) {
    case X86_EXC_DE:
        return 8;
    case X86_EXC_UD:
        return 4;
    case X86_EXC_BP:
    case X86_EXC_DB:
        return 5;
    default:
        return 11;
    }
}

/*
 * In the hypervisor (true) it is a guest's doing, which misses it: see
 * cpu/traps.c.  At once, as a step may be armed there when this has been told.
 */
static bool nobodys_db(struct cpu_user_regs *regs)
{
    if (guest_mode(regs))
        return false;
    write_dr6(DR6_CLEAR);
    regs->rflags &= ~(u64)X86_EFLAGS_TF;
    return true;
}

static void stop_for_db(struct cpu_user_regs *regs, struct pdb_stop *s, u64 dr6)
{
    const struct pdb_one_step *step =
        dr6 & DR6_BS ? pdb_step_finish(regs, &s->thread) : NULL;

    pdb_hook_mend(regs);
    if (!step)
        nobodys_db(regs);
    if (step && !pdb_tid_equal(step->who, s->thread))
        s->stepper = step->who;
    if (pdb_hw_hit(dr6, s) ||
        (step && (pdb_hw_changed(step->who, step->watched, s) ||
                  pdb_guard_changed(step->vcpu, step->rip, s))))
        s->stepped = step != NULL;
    else
        s->why = PDB_WHY_STEP;
}

/* A trap of the leader in the midst of its work. */
static bool trap_in_debugger(struct cpu_user_regs *regs)
{
    struct pdb_site *s;

    if (regs->entry_vector == X86_EXC_BP) {
        if (pdb_hook_pass(regs))
            return true;
        if (regs->rip - 1 == (unsigned long)pdb_own_int3)
            return true; /* `monitor key D`: it is stopped already */
        s = pdb_int3_site(regs);
        if (!s)
            return false;
        regs->rip--;
        return pdb_int3_take_out(s);
    }
    if (regs->entry_vector == X86_EXC_DB)
        return false;
    return pdb_escape(trap_name(regs->entry_vector & 0xff));
}

/*
 * Another CPU leads. Whatever happened here happens again afterwards, except a
 * debug trap, which does not: true: try to lead.
 */
static bool wait_behind_leader(struct cpu_user_regs *regs, unsigned int vector)
{
    if (vector == X86_EXC_BP && pdb_int3_site(regs)) {
        regs->rip--;
        pdb_park(regs);
        return false;
    }
    pdb_wait_behind_leader(regs);
    return true;
}

/* Is it worth stopping the machine for? gdb may be absent. */
static bool concerns_us(const struct cpu_user_regs *regs,
                        unsigned int vector)
{
    if (READ_ONCE(pdb_target->core.state) != PDB_ALONE ||
        (vector == X86_EXC_DB &&
         this_cpu(pdb_cpu).spent[guest_mode(regs)].yes))
        return true;
    if (vector != X86_EXC_BP)
        return false;
    return regs->rip - 1 == (unsigned long)pdb_own_int3 ||
           pdb_int3_is_gone(regs);
}

static void set_event(struct cpu_user_regs *regs, struct pdb_stop *s,
                      unsigned int vector, u64 dr6)
{
    struct pdb_target *t = pdb_target;

    s->thread = pdb_thread_here(regs);
    if (vector == X86_EXC_DB) {
        stop_for_db(regs, s, dr6);
        return;
    }
    if (vector == X86_EXC_NMI) {
        s->why = PDB_WHY_BREAK_IN;
        s->signal = 2;
        return;
    }
    if (vector == X86_EXC_PF && guest_mode(regs)) {
        pdb_guard_touch(regs, s);
        return;
    }
    s->why = PDB_WHY_SOFT;
    if (vector != X86_EXC_BP || pdb_int3_is_bug(regs)) {
        s->why = PDB_WHY_FAULT;
        s->signal = signal_of(vector);
        snprintf(t->text, sizeof(t->text), "%s in the hypervisor\n",
                 trap_name(vector));
        s->text = t->text;
        return;
    }
    if (regs->rip - 1 != (unsigned long)pdb_own_int3)
        return;
    if (regs->rdi == PDB_OWN_STOP) {
        *s = this_cpu(pdb_own_stop);
        return;
    }
    s->why = t->crashed ? PDB_WHY_FAULT : PDB_WHY_BREAK_IN;
    s->signal = t->crashed ? 6 : 2;
    s->number = regs->rdi;
}

/*
 * What was seen without being the leader. False: another CPU was, and gdb may
 * not want it any more: look again.
 */
static bool stop_for(struct cpu_user_regs *regs, struct pdb_stop *s)
{
    const struct pdb *p = &pdb_target->core;

    if (!pdb_lead()) {
        (void)wait_behind_leader(regs, X86_EXC_DB);
        return false;
    }
    if (s->why == PDB_WHY_NOTE && !pdb_event_told()) {
        pdb_unlead();
        return false;
    }
    if (p->state != PDB_ALONE && !pdb_holding(p))
        (void)pdb_stop(regs, s);
    else /* nobody wants to know any more */
        pdb_unlead();
    return true;
}

bool pdb_stop_guest(struct pdb_stop *s)
{
    struct cpu_user_regs *regs = guest_cpu_user_regs();
    bool told;

    if (!s->thread.tid)
        s->thread = pdb_thread_here(regs);
    pdb_serves(regs);
    told = stop_for(regs, s);
    pdb_serves_no_more();
    return told;
}

/*
 * A step that gdb no longer waits for has ended in a guest, and that is all.
 * This CPU's own trap, which waits to be told, is not that one: then the flag
 * of the forgotten step is still on its way.
 */
static bool is_old_step(struct cpu_user_regs *regs)
{
    u64 dr6 = read_dr6();

    if (!(dr6 & DR6_BS) || this_cpu(pdb_cpu).spent[true].yes ||
        !pdb_step_is_forgotten(regs))
        return false;
    dr6 &= ~DR6_BS;
    write_dr6(dr6);
    return !(dr6 & DR6_HITS);
}

/*
 * The same of one that was given up while this CPU waited to tell of it, unless
 * *s is to be looked at for it: spent, or forgotten, if the leader could not
 * see this CPU's registers.  If it was armed again it has ended, but not if gdb
 * has asked for that one after a stop: then the instruction is still to come.
 */
static bool is_spent_step(struct cpu_user_regs *regs, u64 dr6,
                          struct pdb_stop *s)
{
    struct pdb_spent *spent = &this_cpu(pdb_cpu).spent[guest_mode(regs)];
    bool was = spent->yes, again = pdb_step_armed_here();
    bool gone = !was && (dr6 & DR6_BS) && pdb_step_is_forgotten(regs);

    spent->yes = false;
    if (!(was || gone) || (dr6 & DR6_HITS) || (again && !spent->told))
        return false;
    if (!gone && !again && !spent->had_tf)
        regs->rflags &= ~(u64)X86_EFLAGS_TF;
    if (pdb_guard_late(s))
        return false;
    write_dr6(DR6_CLEAR);
    pdb_hw_load();
    pdb_unlead();
    return true;
}

/*
 * A data watchpoint of the debugger's was hit by somebody for whom it is not
 * meant: a guest must not hear of a #DB that is none of its own.
 */
static bool is_no_guests(u64 dr6)
{
    return (dr6 & DR6_HITS) && !(pdb_hw_guests(dr6) & DR6_CAUSES);
}

/*
 * #BP, #DB and faults, from the hypervisor or a guest; a guest's #PF is one on
 * a watched page. True: dealt with.
 */
static bool trapped(struct cpu_user_regs *regs)
{
    unsigned int vector = regs->entry_vector & 0xff;
    struct pdb_stop s = {.why = PDB_WHY_SOFT};
    enum pdb_hook_hit hook =
        vector == X86_EXC_BP ? pdb_hook_trap(regs, &s) : PDB_HOOK_NONE;
    bool button = vector == X86_EXC_DB && pdb_button_trap(regs);
    bool passed, late;
    u64 dr6 = 0;

    if (hook == PDB_HOOK_STOP && !stop_for(regs, &s))
        pdb_hook_again();
    if (button && !pdb_button_news()) {
        write_dr6(DR6_CLEAR); /* nobody takes its BS for a step's */
        return true;
    }
    if (hook != PDB_HOOK_NONE)
        return true;
    if (vector == X86_EXC_DB && is_old_step(regs))
        return true;
    if (!button && !concerns_us(regs, vector))
        return vector == X86_EXC_DB && nobodys_db(regs);
    if (vector == X86_EXC_DB) {
        dr6 = read_dr6();
        pdb_hw_silence();
    }
    while (!pdb_lead())
        if (!wait_behind_leader(regs, vector))
            return true;
        else if (vector == X86_EXC_PF && guest_mode(regs))
            return true; /* it happens again, if it still is one */
    if (vector == X86_EXC_DB && !button && is_spent_step(regs, dr6, &s))
        return true;
    if (button)
        this_cpu(pdb_cpu).spent[guest_mode(regs)].yes = false;
    if (vector == X86_EXC_DB) /* whoever stops us behind this finds no step */
        write_dr6(DR6_CLEAR);
    late = s.why == PDB_WHY_GUARD;
    if (!late)
        set_event(regs, &s, button ? X86_EXC_NMI : vector, dr6);
    passed = pdb_stop(regs, &s) == PDB_PASS && !is_no_guests(dr6) && !late &&
             (vector != X86_EXC_DB || guest_mode(regs));
    if (!passed)
        dr6 = DR6_CLEAR;
    if (vector == X86_EXC_DB) /* the guest is to see its own part of it */
        write_dr6(pdb_hw_guests(dr6));
    return !passed;
}

bool pdb_trap(struct cpu_user_regs *regs)
{
    bool ours;

    if (pdb_leads())
        return trap_in_debugger(regs);
    if (this_cpu(pdb_cpu).serves) /* a hook in what it does for another */
        return pdb_on_main_stack(trapped, regs);
    pdb_serves(regs);
    ours = pdb_on_main_stack(trapped, regs);
    pdb_serves_no_more();
    return ours;
}
