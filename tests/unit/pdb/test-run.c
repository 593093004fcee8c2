// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCont and its elders, range steps, ^C, how a session begins.
 */
#include "check.h"

static void first_packet_stops_the_machine(struct fake *f)
{
    fake_init(f, 0);
    fake_packet(f, "qSupported:multiprocess+");
    IS(fake_pull(f), "+");
    CHECK(f->nr_interrupts == 1 && f->pdb.state == PDB_ALONE);
    CHECK(fake_stop(f, PDB_WHY_BREAK_IN, 1, 2) == PDB_HOLD);
    HAS(fake_pull(f), "$PacketSize=4000;");
    fake_push(f, "+", 1);
    HAS(fake_ask(f, "?"), "T02thread:p1.2;core:1;7:");
}

static void damaged_packet_stops_nothing(struct fake *f)
{
    fake_init(f, 0);
    fake_push(f, "$qSupported#00", 14);
    CHECK(f->nr_interrupts == 0);
}

static void waiting_needs_no_stop(struct fake *f)
{
    fake_init(f, 0);
    CHECK(fake_stop(f, PDB_WHY_BREAK_IN, 1, 1) == PDB_HOLD);
    CHECK(pdb_holding(&f->pdb));
    IS(fake_pull(f), ""); /* nothing is said before gdb speaks */
    HAS(fake_ask(f, "qSupported:multiprocess+"), "PacketSize");
    CHECK(f->nr_interrupts == 0);
}

static void alone_passes_what_is_not_ours(struct fake *f)
{
    fake_init(f, 0);
    f->mem[1][0xff] = 0xcc;
    CHECK(fake_stop(f, PDB_WHY_SOFT, 1, 1) == PDB_PASS);
    f->mem[1][0xff] = 0x90; /* hit while gdb was leaving */
    CHECK(fake_stop(f, PDB_WHY_SOFT, 1, 1) == PDB_GO);
    CHECK(f->regs[1][1].v[PDB_RIP] == FAKE_BASE + 0xff);
    CHECK(f->pdb.state == PDB_ALONE && f->nr_resumes == 1);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_PASS);
    CHECK(fake_stop(f, PDB_WHY_EXEC, 1, 1) == PDB_PASS);
    CHECK(fake_stop(f, PDB_WHY_FAULT, 1, 1) == PDB_HOLD);
}

static void continues_and_breaks_in(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "vCont;c:p1.-1"), "(none)");
    CHECK(f->nr_resumes == 1 && f->pdb.state == PDB_RUNNING);
    CHECK(!pdb_holding(&f->pdb));
    fake_push(f, "\x03", 1);
    CHECK(f->nr_interrupts == 2); /* one was for the attach */
    CHECK(fake_stop(f, PDB_WHY_BREAK_IN, 1, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T02thread:p1.1;core:0;7:");
}

static void plan_is_searched_from_the_front(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    fake_ask(f, "vCont;s:p1.2;t:p2.-1;C0b:p1.-1");
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 1, 2 }) ==
          PDB_DO_STEP);
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 1, 1 }) ==
          PDB_DO_CONT);
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 2, 1 }) ==
          PDB_DO_HALT);
    CHECK(f->plan.act[2].signal == 11);
    /* not attached: it runs when anything does */
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 3, 1 }) ==
          PDB_DO_CONT);
}

static void others_stay(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vCont;s:p1.2");
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 1, 1 }) ==
          PDB_DO_STAY);
}

static void bad_plans_change_nothing(struct fake *f)
{
    static const char *const bad[] = {
        "vCont;", "vCont;x", "vCont;c:", "vCont;c:p", "vCont;cc", "vCont;C",
        "vCont;Czz", "vCont;r", "vCont;r1", "vCont;r1,", "vCont;c;;",
        "vCont;s;s;s;s;s;s;s;s;s;s;s;s;s;s;s;s;s;s", "czz", "C", "C05:1",
    };

    fake_init(f, 0);
    fake_attach(f);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(fake_ask(f, bad[i])[0] == 'E');
    CHECK(f->nr_resumes == 0 && f->pdb.state == PDB_STOPPED);
}

static void steps(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vCont;s:p1.1;c:p1.-1");
    f->regs[1][1].v[PDB_RIP] = 0x10105;
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD);
    IS(fake_body(fake_pull(f), NULL),
       "T05thread:1;7:1811111111111111;10:0501010000000000;");
    f->regs[1][1].v[PDB_RBP] = f->regs[1][1].v[PDB_RSP] + 0x20;
    fake_push(f, "+", 1);
    fake_ask(f, "vCont;s:p1.1;c:p1.-1");
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:1;6:3811111111111111;7:");
    fake_push(f, "+", 1);
    IS(fake_ask(f, "!"), "OK");
    fake_ask(f, "vCont;s:p1.1;c:p1.-1");
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:p1.1;6:");
}

static void stray_step_is_not_ours(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vCont;s:p1.1;c:p1.-1");
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 2) == PDB_PASS);
    CHECK(f->pdb.state == PDB_RUNNING);
}

/* A process has been moved while it was stepped. */
static enum pdb_verdict step_moved(struct fake *f, int from, int to)
{
    struct pdb_stop s = { .why = PDB_WHY_STEP, .thread = { 1, to },
                          .stepper = { 1, from } };

    return pdb_event(&f->pdb, &s);
}

/* The same in non-stop mode, where it ends in one that is to stand still. */
static enum pdb_verdict step_unheard(struct fake *f)
{
    struct pdb_stop s = { .why = PDB_WHY_STEP, .thread = { 1, 2 },
                          .stepper = { 1, 1 }, .unheard = true };

    return pdb_event(&f->pdb, &s);
}

static void a_step_may_end_in_another_thread(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vCont;s:p1.1;c:p1.-1");
    CHECK(step_moved(f, 1, 2) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:2;");
    fake_push(f, "+", 1);
    fake_ask(f, "vCont;r10100,10110:p1.1;c:p1.-1");
    f->regs[1][2].v[PDB_RIP] = 0x10108;
    CHECK(step_moved(f, 1, 2) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:2;");
}

/* gdb, which has told one alone to step, hears of no other one. */
static void a_step_alone_ends_in_its_thread(struct fake *f)
{
    static const char *const steps[] = { "vCont;s:p1.1",
                                         "vCont;r10100,10110:p1.1" };

    fake_init(f, 0);
    fake_attach(f);
    f->regs[1][1].v[PDB_RIP] = 0x10108;
    for (unsigned int i = 0; i < 2; i++) {
        fake_ask(f, steps[i]);
        CHECK(step_moved(f, 1, 2) == PDB_HOLD);
        HAS(fake_body(fake_pull(f), NULL), "T05thread:1;7:1811111111111111;"
                                           "10:0801010000000000;");
        fake_push(f, "+", 1);
        IS(fake_ask(f, "qC"), "QCp1.1");
    }
    IS(fake_ask(f, "QNonStop:1"), "OK");
    fake_ask(f, "?");
    fake_ask(f, "vStopped");
    fake_ask(f, "vCont;s:p1.1");
    CHECK(step_unheard(f) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "Stop:T05thread:p1.1;");
}

/* What it met on the way is told, if it cannot be met again. */
static void a_hit_of_a_step_alone(struct fake *f)
{
    struct pdb_stop s = { .why = PDB_WHY_WATCH, .thread = { 1, 2 },
                          .stepper = { 1, 1 }, .stepped = true,
                          .addr = 0x10300 };

    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Z2,10300,8"), "OK");
    IS(fake_ask(f, "Z1,10200,1"), "OK");
    fake_ask(f, "vCont;s:p1.1");
    f->mem[1][0x300]++;
    CHECK(pdb_event(&f->pdb, &s) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:1;watch:10300;");
    fake_push(f, "+", 1);
    fake_ask(f, "vCont;s:p1.1");
    s.why = PDB_WHY_EXEC;
    f->regs[1][2].v[PDB_RIP] = 0x10200;
    CHECK(pdb_event(&f->pdb, &s) == PDB_HOLD && f->hw_used[1]);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:1;7:");
    fake_push(f, "+", 1);
    fake_ask(f, "vCont;c");
    CHECK(fake_stop(f, PDB_WHY_EXEC, 1, 2) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:2;");
}

static void a_step_over_may_end_in_another_thread(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Z0,10200,1;X3,220027"), "OK"); /* false */
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_GO);
    CHECK(f->plan.alone && f->mem[1][0x200] != 0xcc);
    CHECK(step_moved(f, 1, 2) == PDB_GO);
    CHECK(!f->plan.alone && f->mem[1][0x200] == 0xcc);
    IS(fake_pull(f), "");
}

static void range_steps_are_silent_inside(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vCont;r10100,10110:p1.1;c:p1.-1");
    for (unsigned int i = 0; i < 16; i++) {
        f->regs[1][1].v[PDB_RIP] = 0x10100 + i;
        CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_GO);
        CHECK(f->nr_resumes == i + 2);
    }
    IS(fake_pull(f), "");
    f->regs[1][1].v[PDB_RIP] = 0x10110;
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD);
    HAS(fake_pull(f), "T05");
}

static void old_packets(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "s");
    CHECK(f->plan.nr == 2 && f->plan.act[0].what == PDB_DO_STEP);
    fake_stop(f, PDB_WHY_STEP, 1, 1);
    fake_pull(f);
    fake_push(f, "+", 1);
    fake_ask(f, "Hcp1.2");
    fake_ask(f, "C05;10200");
    CHECK(f->plan.nr == 1 && f->plan.act[0].who.tid == 2);
    CHECK(f->regs[1][2].v[PDB_RIP] == 0x10200 && f->plan.act[0].signal == 5);
}

static void new_gdb_takes_over(struct fake *f)
{
    fake_init(f, PDB_NO_ACK);
    fake_attach(f);
    fake_ask(f, "Z0,10100,1");
    fake_ask(f, "QStartNoAckMode");
    fake_packet(f, "vCont;c");
    fake_pull(f);
    fake_push(f, "+", 1);
    fake_packet(f, "qSupported:multiprocess+"); /* the old one vanished */
    CHECK(f->nr_interrupts == 2);
    IS(fake_pull(f), "+");
    fake_stop(f, PDB_WHY_BREAK_IN, 1, 1);
    HAS(fake_body(fake_pull(f), NULL), "PacketSize"); /* and no T before it */
    fake_push(f, "+", 1);
    CHECK(f->mem[1][0x100] != 0xcc);
    HAS(fake_ask(f, "?"), "T02");
}

/* It crossed with a stop: gdb shows that, and fetches a list of threads. */
static void late_break_is_ignored(struct fake *f)
{
    static const char *const lists[] = {
        "qfThreadInfo", "qXfer:threads:read::0,ffb",
    };

    for (unsigned int i = 0; i < 2; i++) {
        fake_init(f, 0);
        fake_attach(f);
        fake_push(f, "\x03", 1); /* it has stopped already */
        CHECK(f->nr_interrupts == 1);
        fake_ask(f, lists[i]);
        fake_packet(f, "vCont;c");
        CHECK(f->nr_interrupts == 1 && f->pdb.state == PDB_RUNNING);
    }
}

/* gdb steps off a breakpoint by itself when its user types ^C. */
static void break_between_two_resumes(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "vCont;s:p1.1");
    fake_stop(f, PDB_WHY_STEP, 1, 1);
    HAS(fake_pull(f), "T05");
    fake_push(f, "+\x03", 2);
    IS(fake_ask(f, "Z0,10100,1"), "OK");
    CHECK(f->nr_interrupts == 1);
    fake_packet(f, "vCont;c");
    CHECK(f->nr_interrupts == 2);
    /* another stop comes before that which ^C has asked for */
    fake_stop(f, PDB_WHY_NOTE, 1, 1);
    HAS(fake_pull(f), "T05");
    fake_push(f, "+", 1);
    fake_packet(f, "vCont;c");
    CHECK(f->nr_interrupts == 3);
}

/* gdb steps off a breakpoint with thread 2, and hears of no other one. */
static void break_in_stops_who_runs(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_packet(f, "vCont;s:p1.2");
    fake_push(f, "\x03", 1);
    fake_stop(f, PDB_WHY_BREAK_IN, 1, 1);
    HAS(fake_body(fake_pull(f), NULL), "T02thread:p1.2;");
    fake_push(f, "+", 1);
    IS(fake_ask(f, "qC"), "QCp1.2");
    fake_packet(f, "vCont;s:p1.2;c");
    fake_stop(f, PDB_WHY_BREAK_IN, 1, 1);
    HAS(fake_body(fake_pull(f), NULL), "T02thread:p1.1;");
}

static void break_before_the_packet_that_resumes(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_push(f, "\x03", 1);
    fake_packet(f, "vCont;c");
    CHECK(f->nr_interrupts == 2);
    fake_stop(f, PDB_WHY_BREAK_IN, 1, 1);
    HAS(fake_pull(f), "T02");
    fake_push(f, "+", 1);
    fake_packet(f, "vCont;c");
    CHECK(f->nr_interrupts == 2);
}

static void hang_up_lets_go(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10100,1");
    pdb_drop(&f->pdb);
    CHECK(f->pdb.state == PDB_ALONE && f->mem[1][0x100] != 0xcc);
    CHECK(f->nr_resumes == 1);
    pdb_drop(&f->pdb);
    CHECK(f->nr_resumes == 1);
}

/* A stop that is asked for while all stands still would have nobody to see. */
static void no_stop_of_the_stopped(struct fake *f)
{
    unsigned int asked;

    fake_init(f, 0);
    fake_attach(f);
    asked = f->nr_interrupts;
    IS(fake_ask(f, "vCtrlC"), "OK");
    fake_push(f, "\x03", 1);
    CHECK(f->nr_interrupts == asked && !f->pdb.bringing_in);
    fake_packet(f, "k");
    CHECK(f->pdb.state == PDB_ALONE && !f->pdb.bringing_in);
}

/* gdb waits for the step of one thread alone, and is told of no other one. */
static void a_bystander_waits(struct fake *f)
{
    struct pdb_stop s = { .why = PDB_WHY_SOFT, .thread = { 2, 1 },
                          .waited = true };

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    IS(fake_ask(f, "Z0,10200,1"), "OK");
    fake_packet(f, "vCont;s:p1.1");
    CHECK(fake_int3(f, 2, 1, 0x10200) == PDB_LATER);
    CHECK(f->regs[2][1].v[PDB_RIP] == 0x10200);
    CHECK(!f->plan.alone && f->plan.act[0].who.pid == 1);
    IS(fake_pull(f), "+");
    /* the step cannot end without it */
    f->regs[2][1].v[PDB_RIP] = 0x10201;
    CHECK(pdb_event(&f->pdb, &s) == PDB_GO && f->plan.alone);
    CHECK(f->plan.act[0].who.pid == 2 && f->mem[2][0x200] != 0xcc);
    CHECK(fake_stop(f, PDB_WHY_STEP, 2, 1) == PDB_GO && !f->plan.alone);
    CHECK(f->plan.act[0].who.pid == 1 && f->mem[2][0x200] == 0xcc);
    IS(fake_pull(f), "");
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:p1.1;");
    fake_push(f, "+", 1);
    fake_packet(f, "vCont;c:p2.1");
    CHECK(fake_int3(f, 2, 1, 0x10200) == PDB_HOLD);
    HAS(fake_body(fake_pull(f) + 1, NULL), "T05thread:p2.1;");
}

/* Nor does what is the guest's own end the step that others make. */
static void a_stranger_ends_no_step(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    fake_packet(f, "vCont;s:p1.1;c");
    memset(&f->plan, 0, sizeof(f->plan));
    f->mem[2][0x200] = 0xcc;
    CHECK(fake_int3(f, 2, 1, 0x10200) == PDB_PASS && f->nr_resumes == 2);
    CHECK(f->regs[2][1].v[PDB_RIP] == 0x10201);
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 1, 1 }) ==
          PDB_DO_STEP);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD);
}

/* A CPU does not: what it meets it passes, but for a failure. */
static void a_bystander_passes(struct fake *f)
{
    struct pdb_stop touch = { .why = PDB_WHY_GUARD, .thread = { 1, 2 },
                              .addr = 0x10440, .stepped = true };
    unsigned int resumes;

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1");
    fake_ask(f, "Z2,10300,8");
    IS(fake_ask(f, "Z2,10400,100"), "OK");
    fake_packet(f, "vCont;s:p1.1");
    f->mem[1][0x440]++;
    CHECK(pdb_event(&f->pdb, &touch) == PDB_GO);
    CHECK(fake_int3(f, 1, 2, 0x10200) == PDB_GO && f->plan.alone);
    CHECK(f->plan.act[0].who.tid == 2);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 2) == PDB_GO && !f->plan.alone);
    resumes = f->nr_resumes;
    CHECK(fake_stop(f, PDB_WHY_NOTE, 1, 2) == PDB_GO);
    CHECK(f->nr_resumes == resumes + 1 && f->plan.act[0].who.tid == 1);
    CHECK(f->plan.act[0].what == PDB_DO_STEP);
    IS(fake_pull(f), "+");
    CHECK(fake_stop(f, PDB_WHY_FAULT, 1, 2) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T0bthread:p1.2;");
}

const struct test run_tests[] = {
    { "first packet stops the machine", first_packet_stops_the_machine },
    { "damaged packet stops nothing", damaged_packet_stops_nothing },
    { "waiting needs no stop", waiting_needs_no_stop },
    { "alone passes what is not ours", alone_passes_what_is_not_ours },
    { "continues and breaks in", continues_and_breaks_in },
    { "plan is searched from the front", plan_is_searched_from_the_front },
    { "others stay", others_stay },
    { "bad plans change nothing", bad_plans_change_nothing },
    { "steps", steps },
    { "stray step is not ours", stray_step_is_not_ours },
    { "step ends in another thread", a_step_may_end_in_another_thread },
    { "step alone ends in its thread", a_step_alone_ends_in_its_thread },
    { "a hit of a step alone", a_hit_of_a_step_alone },
    { "step over ends in another", a_step_over_may_end_in_another_thread },
    { "range steps are silent inside", range_steps_are_silent_inside },
    { "old packets", old_packets },
    { "new gdb takes over", new_gdb_takes_over },
    { "late break is ignored", late_break_is_ignored },
    { "break between two resumes", break_between_two_resumes },
    { "break-in stops who runs", break_in_stops_who_runs },
    { "a break just before the packet that resumes",
      break_before_the_packet_that_resumes },
    { "a bystander waits", a_bystander_waits },
    { "a bystander passes", a_bystander_passes },
    { "a stranger ends no step", a_stranger_ends_no_step },
    { "hang-up lets go", hang_up_lets_go },
    { "no stop of the stopped", no_stop_of_the_stopped },
    { NULL, NULL },
};
