// SPDX-License-Identifier: GPL-2.0-only
/*
 * Z0-Z4: planting, hiding, sharing, address spaces, conditions, watching.
 */
#include "check.h"

/* const8 0; end, and const8 1; end */
#define FALSE_CODE "X3,220027"
#define TRUE_CODE "X3,220127"

static void plants_and_hides(struct fake *f)
{
    uint8_t old;

    fake_init(f, 0);
    fake_attach(f);
    old = f->mem[1][0x100];
    IS(fake_ask(f, "Z0,10100,1"), "OK");
    IS(fake_ask(f, "Z0,10100,1"), "OK"); /* again is no error */
    CHECK(f->mem[1][0x100] == 0xcc);
    CHECK(strncmp(fake_ask(f, "m10100,1"), "cc", 2));
    CHECK(!strstr(fake_ask(f, "m10080,100"), "cccc"));
    IS(fake_ask(f, "z0,10100,1"), "OK");
    CHECK(f->mem[1][0x100] == old);
    IS(fake_ask(f, "z0,10100,1"), "OK");
}

static void writes_under_an_int3(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10100,1");
    IS(fake_ask(f, "M100fe,4:a1a2a3a4"), "OK");
    CHECK(f->mem[1][0x100] == 0xcc && f->mem[1][0x101] == 0xa4);
    IS(fake_ask(f, "m100fe,4"), "a1a2a3a4");
    fake_ask(f, "z0,10100,1");
    CHECK(f->mem[1][0x100] == 0xa3);
}

/* The guest patches its code, or the page is another's by now. */
static void leaves_alone_what_has_changed(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10100,1");
    f->mem[1][0x100] = 0xe8;
    IS(fake_ask(f, "m10100,1"), "e8");
    IS(fake_ask(f, "M10100,1:e9"), "OK");
    CHECK(f->mem[1][0x100] == 0xe9);
    f->mem[1][0x100] = 0xea;
    IS(fake_ask(f, "z0,10100,1"), "OK");
    CHECK(f->mem[1][0x100] == 0xea);
    fake_ask(f, "Z0,10200,1");
    f->mem[1][0x200] = 0xeb;
    fake_ask(f, "D");
    CHECK(f->mem[1][0x200] == 0xeb);
    /* the target asks by this whether a late int3 may have been ours */
    CHECK(!f->pdb.brk.site[0].users && f->pdb.brk.site[0].maddr == 0x100200);
}

static void writes_while_it_is_stepped_over(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "QNonStop:1"), "OK");
    fake_ask(f, "Z0,10200,1;" FALSE_CODE);
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_GO);
    IS(fake_ask(f, "M10200,1:5a"), "OK"); /* the int3 is lifted */
    CHECK(f->mem[1][0x200] == 0x5a);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_GO);
    CHECK(f->mem[1][0x200] == 0xcc);
    IS(fake_ask(f, "z0,10200,1"), "OK");
    CHECK(f->mem[1][0x200] == 0x5a);
}

static void refuses_what_cannot_be(struct fake *f)
{
    static const char *const bad[] = {
        "Z", "Z5,10100,1", "Z0,10100", "Z0,0,1", "Z0,10100,1;X", "Z0,10100,1;X9,00",
        "Z0,10100,1;X1,0", "Z0,10100,1;cmds:", "Z0,10100,1;cmds:1,X1,27;X1,27",
        "Z0,10100,1junk", "Z2,10100,0", "Z2,10100,100001", "z0",
    };

    fake_init(f, 0);
    fake_attach(f);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(fake_ask(f, bad[i])[0] == 'E');
    CHECK(f->pdb.brk.code_len == 0 && f->mem[1][0x100] != 0xcc);
    f->read_only = true;
    HAS(fake_ask(f, "Z0,10100,1"), "E.");
}

static void tables_fill_up_with_an_error(struct fake *f)
{
    char z[64];
    int i;

    fake_init(f, 0);
    fake_attach(f);
    for (i = 0; i < PDB_NR_BPS; i++) {
        snprintf(z, sizeof(z), "Z0,%x,1", 0x10000 + i);
        IS(fake_ask(f, z), "OK");
    }
    HAS(fake_ask(f, "Z0,11000,1"), "E.breakpoint: no room");
    fake_ask(f, "D");
    CHECK(f->mem[1][0] == 1 && f->mem[1][5] == 36);
}

static void hits_are_reported(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1");
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 2, 0x10200) == PDB_HOLD);
    CHECK(f->regs[1][2].v[PDB_RIP] == 0x10200);
    IS(fake_body(fake_pull(f), NULL), "T05thread:2;10:0002010000000000;");
    HAS(fake_ask(f, "?"), "T05thread:p1.2;swbreak:;"); /* asked outright */
}

/* In non-stop mode it may be gone by the time gdb hears of the hit. */
static void hits_are_named_in_non_stop(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Z0,10200,1"), "OK");
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "?");
    fake_ask(f, "vStopped");
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 2, 0x10200) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "Stop:T05thread:p1.2;swbreak:;");
}

static void foreign_int3_is_passed(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1");
    fake_ask(f, "vCont;c");
    f->mem[1][0x300] = 0xcc;
    CHECK(fake_int3(f, 1, 1, 0x10300) == PDB_PASS);
    CHECK(f->regs[1][1].v[PDB_RIP] == 0x10301);
    f->mem[1][0x300] = 0xcd; /* int $3, the long form */
    f->mem[1][0x301] = 0x03;
    f->regs[1][1].v[PDB_RIP] = 0x10302;
    CHECK(fake_stop(f, PDB_WHY_SOFT, 1, 1) == PDB_PASS);
    CHECK(f->pdb.state == PDB_RUNNING);
}

static void late_int3_is_tried_again(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vCont;c");
    f->regs[1][1].v[PDB_RIP] = 0x10201; /* it was taken out meanwhile */
    CHECK(fake_stop(f, PDB_WHY_SOFT, 1, 1) == PDB_GO);
    CHECK(f->regs[1][1].v[PDB_RIP] == 0x10200);
}

static void false_condition_is_silent(struct fake *f)
{
    uint8_t old;

    fake_init(f, 0);
    fake_attach(f);
    old = f->mem[1][0x200];
    IS(fake_ask(f, "Z0,10200,1;" FALSE_CODE), "OK");
    fake_ask(f, "vCont;s:p1.2;c:p1.-1");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_GO);
    CHECK(f->plan.alone && f->plan.nr == 1 && f->plan.act[0].who.tid == 1);
    CHECK(f->plan.act[0].what == PDB_DO_STEP && f->mem[1][0x200] == old);
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 3, 1 }) ==
          PDB_DO_STAY);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_GO);
    CHECK(f->mem[1][0x200] == 0xcc && !f->plan.alone && f->plan.nr == 2);
    IS(fake_pull(f), "");
    CHECK(f->pdb.brk.bp[0].passes == 1 && f->pdb.brk.bp[0].hits == 0);
}

static void step_over_counts_as_a_step(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1;" FALSE_CODE);
    fake_ask(f, "vCont;s:p1.1;c:p1.-1");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_GO);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD);
    HAS(fake_pull(f), "T05thread:1;");
}

static void break_in_during_a_step_over(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1;" FALSE_CODE);
    fake_ask(f, "vCont;c");
    fake_int3(f, 1, 1, 0x10200);
    CHECK(f->mem[1][0x200] != 0xcc);
    CHECK(fake_stop(f, PDB_WHY_BREAK_IN, 1, 2) == PDB_HOLD);
    CHECK(f->mem[1][0x200] == 0xcc);
}

static void any_true_condition_reports(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1;" FALSE_CODE TRUE_CODE);
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_HOLD);
}

static void broken_condition_reports(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1;X1,02"); /* add, on an empty stack */
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_HOLD);
}

static void conditions_can_be_changed(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1;" FALSE_CODE);
    fake_ask(f, "Z0,10210,1;" TRUE_CODE);
    IS(fake_ask(f, "Z0,10200,1;" TRUE_CODE), "OK");
    CHECK(f->pdb.brk.code_len == 10);
    fake_ask(f, "z0,10210,1");
    CHECK(f->pdb.brk.code_len == 5);
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_HOLD);
    fake_pull(f);
    fake_push(f, "+", 1);
    IS(fake_ask(f, "Z0,10200,1"), "OK");
    CHECK(f->pdb.brk.code_len == 0 && f->pdb.brk.bp[0].cond_len == 0);
}

static void commands_print_and_go_on(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    /* const8 42, const8 0, const8 0, printf 1 "n=%d\n", end */
    IS(fake_ask(f, "Z0,10200,1;cmds:1,X11,222a220022003401" "0006"
                   "6e3d25640a0027"), "OK");
    fake_ask(f, "vCont;c");
    CHECK(fake_int3(f, 1, 1, 0x10200) == PDB_GO);
    IS(f->printed, "n=42\n");
    IS(fake_pull(f), "");
    CHECK(f->plan.alone);
}

static void belong_to_an_address_space(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    fake_monitor(f, "context cr3 0x2000");
    IS(fake_ask(f, "Z0,10200,1"), "OK");
    CHECK(f->mem[2][0x200] == 0xcc && f->mem[1][0x200] != 0xcc);
    fake_ask(f, "vCont;c");
    f->regs[2][1].v[PDB_CR3] = 0x9000; /* the same page in another process */
    CHECK(fake_int3(f, 2, 1, 0x10200) == PDB_GO && f->plan.alone);
    CHECK(fake_stop(f, PDB_WHY_STEP, 2, 1) == PDB_GO);
    f->regs[2][1].v[PDB_CR3] = 0x2018; /* flag bits do not matter */
    CHECK(fake_int3(f, 2, 1, 0x10200) == PDB_HOLD);
}

static void share_a_site(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10200,1");
    fake_ask(f, "Z0,10201,1");
    fake_monitor(f, "context cr3 0x1000");
    fake_ask(f, "Z0,10200,1");
    CHECK(f->pdb.brk.site[0].users == 2);
    IS(fake_ask(f, "z0,10200,1"), "OK");
    CHECK(f->pdb.brk.site[0].users == 0);
    CHECK(f->mem[1][0x200] != 0xcc && f->mem[1][0x201] == 0xcc);
}

/* gdb knows of no context: what it takes out is out, as it has one there. */
static void taken_out_in_another_context(struct fake *f)
{
    static const char *const other[] = { "context cr3 0x1000", "context phys" };

    for (unsigned int i = 0; i < 2; i++) {
        fake_init(f, 0);
        fake_attach(f);
        fake_ask(f, "Z0,10200,1");
        fake_monitor(f, other[i]);
        IS(fake_ask(f, "z0,10200,1"), "OK");
        CHECK(f->mem[1][0x200] != 0xcc);
    }
    fake_monitor(f, other[0]);
    fake_ask(f, "Z0,10200,1");
    CHECK(f->mem[1][0x200] == 0xcc);
    fake_monitor(f, "context thread");
    fake_ask(f, "z0,10200,1");
    CHECK(f->mem[1][0x200] != 0xcc);
}

static void none_by_machine_address(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "qSupported:error-message+");
    fake_monitor(f, "context phys");
    IS(fake_ask(f, "Z0,100200,1"),
       "E.breakpoint by machine address ('monitor context thread' leads back): "
       "not supported by this target");
    CHECK(f->mem[1][0x200] != 0xcc);
}

static void hardware_execution(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Z1,10203,1;" FALSE_CODE), "OK");
    CHECK(f->hw_used[0] && f->hw[0].type == PDB_BP_EXEC && f->hw[0].len == 1);
    fake_ask(f, "vCont;c");
    f->regs[1][1].v[PDB_RIP] = 0x10203;
    CHECK(fake_stop(f, PDB_WHY_EXEC, 1, 1) == PDB_GO);
    CHECK(f->plan.alone && !f->hw_used[0]);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_GO && f->hw_used[0]);
    fake_push(f, "\x03", 1);
    fake_stop(f, PDB_WHY_BREAK_IN, 1, 1);
    fake_pull(f);
    fake_push(f, "+", 1);
    fake_ask(f, "Z1,10203,1");
    fake_ask(f, "vCont;c");
    f->regs[1][1].v[PDB_RIP] = 0x10203;
    CHECK(fake_stop(f, PDB_WHY_EXEC, 1, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:1;10:");
    HAS(fake_ask(f, "?"), "T05thread:p1.1;hwbreak:;");
}

/* The same kernel at the same address, in a domain that is not meant. */
static void hardware_of_another_inferior(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    IS(fake_ask(f, "Z1,10203,1"), "OK");
    fake_ask(f, "vCont;c");
    f->regs[1][1].v[PDB_RIP] = 0x10203;
    CHECK(fake_stop(f, PDB_WHY_EXEC, 1, 1) == PDB_GO);
    CHECK(f->plan.alone && f->plan.act[0].who.pid == 1 && !f->hw_used[0]);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_GO && f->hw_used[0]);
    f->regs[2][1].v[PDB_RIP] = 0x10203;
    CHECK(fake_stop(f, PDB_WHY_EXEC, 2, 1) == PDB_HOLD);
}

static void hardware_twice_at_an_address(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z1,10203,1;" FALSE_CODE);
    fake_ask(f, "vAttach;2");
    fake_ask(f, "Z1,10203,1;" FALSE_CODE);
    CHECK(f->hw_used[0] && f->hw_used[1]);
    fake_ask(f, "vCont;c");
    f->regs[1][1].v[PDB_RIP] = 0x10203;
    CHECK(fake_stop(f, PDB_WHY_EXEC, 1, 1) == PDB_GO);
    CHECK(f->plan.alone && !f->hw_used[0] && !f->hw_used[1]);
    CHECK(fake_stop(f, PDB_WHY_GONE, 2, 1) == PDB_HOLD); /* amid the step */
    CHECK(fake_stop(f, PDB_WHY_BREAK_IN, 1, 1) == PDB_HOLD);
    fake_pull(f);
    fake_push(f, "+", 1);
    fake_ask(f, "vCont;c");
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_GO);
    CHECK(f->hw_used[0] && !f->hw_used[1]);
    fake_push(f, "\x03", 1);
    CHECK(fake_stop(f, PDB_WHY_BREAK_IN, 1, 1) == PDB_HOLD);
    fake_pull(f);
    fake_push(f, "+", 1);
    fake_ask(f, "D");
    CHECK(!f->hw_used[0]);
}

static enum pdb_verdict watch_hit(struct fake *f, uint64_t addr, bool stepped)
{
    struct pdb_stop s = { .why = PDB_WHY_WATCH, .thread = { 1, 1 },
                          .addr = addr, .stepped = stepped };

    return pdb_event(&f->pdb, &s);
}

static void watches_writes(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Z2,10303,6"), "OK"); /* pieces: 1, 4, 1 */
    CHECK(f->hw_used[2] && !f->hw_used[3]);
    CHECK(f->hw[1].addr == 0x10304 && f->hw[1].len == 4);
    fake_ask(f, "vCont;c");
    CHECK(watch_hit(f, 0x10304, false) == PDB_GO); /* the same value again */
    f->mem[1][0x305]++;
    CHECK(watch_hit(f, 0x10304, false) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:1;watch:10303;");
    fake_push(f, "+", 1);
    IS(fake_ask(f, "z2,10303,6"), "OK");
    CHECK(!f->hw_used[0] && !f->hw_used[1] && !f->hw_used[2]);
}

static void watches_reads(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z3,10300,8");
    fake_ask(f, "vCont;c");
    f->mem[1][0x305]++;
    CHECK(watch_hit(f, 0x10300, false) == PDB_GO); /* that was a write */
    CHECK(watch_hit(f, 0x10300, false) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "rwatch:10300;");
}

static void foreign_debug_register_is_passed(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z4,10300,8");
    fake_ask(f, "vCont;c");
    CHECK(watch_hit(f, 0x10400, false) == PDB_PASS);
    CHECK(fake_stop(f, PDB_WHY_EXEC, 1, 1) == PDB_PASS);
    CHECK(watch_hit(f, 0x10300, false) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "awatch:10300;");
}

static void silent_watch_does_not_eat_a_step(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z2,10300,8");
    fake_ask(f, "vCont;s:p1.1;c");
    CHECK(watch_hit(f, 0x10300, true) == PDB_HOLD);
    CHECK(!strstr(fake_body(fake_pull(f), NULL), "watch"));
}

static enum pdb_verdict guard_hit(struct fake *f, bool touched)
{
    struct pdb_stop s = { .why = PDB_WHY_GUARD, .thread = { 1, 1 },
                          .addr = 0x10240, .stepped = touched };

    return pdb_event(&f->pdb, &s);
}

/* An access to the page is one step of that thread alone, told of after it. */
static void large_watch(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    f->why = "an older failure";
    IS(fake_ask(f, "Z2,10300,100001"),
       "E.watchpoint on more than 1 MiB: too long, try parts of it");
    IS(f->pdb.why,
       "watchpoint on more than 1 MiB: too long, try parts of it");
    IS(fake_ask(f, "Z2,10300,100000"), "OK"); /* the most that there is */
    IS(fake_ask(f, "z2,10300,100000"), "OK");
    IS(fake_ask(f, "Z2,10303,105"), "OK");
    CHECK(f->hw_used[0] && !f->hw_used[1]);
    CHECK(f->hw[0].addr == 0x10303 && f->hw[0].len == 0x105);
    fake_ask(f, "vCont;c");
    CHECK(guard_hit(f, false) == PDB_GO);
    CHECK(f->plan.alone && f->plan.nr == 1 &&
          f->plan.act[0].what == PDB_DO_STEP);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_GO); /* beside it */
    CHECK(!f->plan.alone);
    CHECK(guard_hit(f, false) == PDB_GO);
    CHECK(watch_hit(f, 0x10303, false) == PDB_GO); /* the same value again */
    CHECK(guard_hit(f, false) == PDB_GO);
    CHECK(watch_hit(f, 0x10500, false) == PDB_GO); /* another one's */
    CHECK(guard_hit(f, false) == PDB_GO);
    f->mem[1][0x407]++;
    CHECK(watch_hit(f, 0x10303, false) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:1;watch:10303;");
    fake_push(f, "+", 1);
    IS(fake_ask(f, "z2,10303,105"), "OK");
    CHECK(!f->hw_used[0]);
}

/* Another stop came before the step's end, or it was no guest's instruction. */
static void large_watch_touched(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Z2,10303,105"), "OK");
    IS(fake_ask(f, "Z4,10200,8"), "OK");
    fake_ask(f, "vCont;c");
    CHECK(guard_hit(f, true) == PDB_GO && !f->plan.alone);
    f->mem[1][0x407]++;
    CHECK(guard_hit(f, true) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:1;watch:10303;");
}

/* gdb's step meets a watched page in another thread, which goes on. */
static void large_watch_during_a_step(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z2,10300,100");
    fake_ask(f, "vCont;s:p1.1");
    CHECK(guard_hit(f, false) == PDB_GO && f->plan.alone);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD); /* gdb's step */
    HAS(fake_body(fake_pull(f), NULL), "T05thread:1;");
}

static void debug_registers_run_out(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Z2,10300,18"), "OK");
    HAS(fake_ask(f, "Z2,10400,10"), "E.breakpoint: no debug register");
    CHECK(f->hw_used[2] && !f->hw_used[3]); /* undone */
    IS(fake_ask(f, "Z1,10400,1"), "OK");
    HAS(fake_ask(f, "Z1,10401,1"), "E.");
}

const struct test break_tests[] = {
    { "plants and hides", plants_and_hides },
    { "writes under an int3", writes_under_an_int3 },
    { "leaves alone what has changed", leaves_alone_what_has_changed },
    { "writes while it is stepped over", writes_while_it_is_stepped_over },
    { "refuses what cannot be", refuses_what_cannot_be },
    { "tables fill up with an error", tables_fill_up_with_an_error },
    { "hits are reported", hits_are_reported },
    { "foreign int3 is passed", foreign_int3_is_passed },
    { "hits are named in non-stop", hits_are_named_in_non_stop },
    { "late int3 is tried again", late_int3_is_tried_again },
    { "false condition is silent", false_condition_is_silent },
    { "step over counts as a step", step_over_counts_as_a_step },
    { "break-in during a step over", break_in_during_a_step_over },
    { "any true condition reports", any_true_condition_reports },
    { "broken condition reports", broken_condition_reports },
    { "conditions can be changed", conditions_can_be_changed },
    { "commands print and go on", commands_print_and_go_on },
    { "belong to an address space", belong_to_an_address_space },
    { "share a site", share_a_site },
    { "taken out in another context", taken_out_in_another_context },
    { "none by machine address", none_by_machine_address },
    { "hardware execution", hardware_execution },
    { "hardware of another inferior", hardware_of_another_inferior },
    { "hardware twice at an address", hardware_twice_at_an_address },
    { "watches writes", watches_writes },
    { "watches reads", watches_reads },
    { "foreign debug register is passed", foreign_debug_register_is_passed },
    { "silent watch does not eat a step", silent_watch_does_not_eat_a_step },
    { "large watch", large_watch },
    { "large watch touched", large_watch_touched },
    { "large watch during a step", large_watch_during_a_step },
    { "debug registers run out", debug_registers_run_out },
    { NULL, NULL },
};
