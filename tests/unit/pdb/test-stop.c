// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stop replies, births and deaths, non-stop, system calls, console text.
 */
#include "check.h"

static void names_the_signal(struct fake *f)
{
    struct pdb_stop s = { .why = PDB_WHY_FAULT, .thread = { 1, 2 },
                          .text = "PANIC: *#$" };
    const char *rest;

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vCont;c");
    CHECK(pdb_event(&f->pdb, &s) == PDB_HOLD);
    /* first the text, acknowledged, then the stop */
    IS(fake_body(fake_pull(f), &rest), "O50414e49433a202a2324");
    fake_push(f, "+", 1);
    HAS(fake_body(fake_pull(f), NULL), "T0bthread:p1.2;core:1;");
}

static void follows_new_domains(struct fake *f)
{
    fake_init(f, PDB_FOLLOW);
    fake_attach(f);
    fake_ask(f, "vCont;c");
    f->exists[3] = true;
    CHECK(fake_stop(f, PDB_WHY_NEW, 3, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T00thread:p3.1;core:0;");
    fake_push(f, "+", 1);
    IS(fake_ask(f, "qfThreadInfo"), "mp1.1,p1.2,p3.1");
}

static void ignores_them_by_default(struct fake *f)
{
    fake_init(f, 0);
    CHECK(fake_stop(f, PDB_WHY_NEW, 2, 1) == PDB_GO);
    fake_attach(f);
    fake_ask(f, "vCont;c");
    f->exists[3] = true;
    CHECK(fake_stop(f, PDB_WHY_NEW, 3, 1) == PDB_GO);
    CHECK(fake_stop(f, PDB_WHY_GONE, 3, 1) == PDB_GO);
    IS(fake_pull(f), "");
}

static void death_takes_breakpoints_along(struct fake *f)
{
    struct pdb_stop s = { .why = PDB_WHY_GONE, .thread = { 2, 0 },
                          .number = 3 };

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    fake_ask(f, "Z0,10200,1;X3,220027");
    fake_ask(f, "Z2,10300,8");
    fake_ask(f, "vCont;c");
    f->exists[2] = false;
    CHECK(pdb_event(&f->pdb, &s) == PDB_HOLD);
    IS(fake_body(fake_pull(f), NULL), "W03;process:2");
    fake_push(f, "+", 1);
    CHECK(f->mem[2][0x200] == 0xcc); /* nobody writes to freed memory */
    CHECK(!f->hw_used[0] && f->pdb.brk.code_len == 0);
    CHECK(!f->pdb.brk.bp[0].used && !f->pdb.brk.site[0].users);
    IS(fake_ask(f, "qfThreadInfo"), "mp1.1,p1.2");
}

static void death_while_stopped_is_told_later(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    f->exists[2] = false;
    CHECK(fake_stop(f, PDB_WHY_GONE, 2, 0) == PDB_HOLD);
    IS(fake_pull(f), "");
    fake_packet(f, "vCont;c");
    IS(fake_body(fake_pull(f), NULL), "W00;process:2");
    CHECK(f->nr_resumes == 0 && f->pdb.state == PDB_STOPPED);
}

static void thread_events(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "QThreadEvents:1"), "OK");
    HAS(fake_ask(f, "QThreadEvents:2"), "E.");
    fake_ask(f, "vCont;c");
    CHECK(fake_stop(f, PDB_WHY_NEW_THREAD, 1, 2) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "T05thread:p1.2;create:;");
    fake_push(f, "+", 1);
    fake_ask(f, "vCont;c");
    CHECK(fake_stop(f, PDB_WHY_GONE_THREAD, 1, 2) == PDB_HOLD);
    IS(fake_body(fake_pull(f), NULL), "w00;p1.2");
    fake_push(f, "+", 1);
    HAS(fake_ask(f, "?"), "T00thread:p1.2;");
}

static enum pdb_verdict goes_down(struct fake *f, int pid, int tid)
{
    f->down[pid][tid] = true;
    return fake_stop(f, PDB_WHY_GONE_THREAD, pid, tid);
}

static void says_when_nothing_runs(struct fake *f)
{
    const char *rest;

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    fake_ask(f, "vCont;c:p1.2;c:p2.1");
    CHECK(goes_down(f, 1, 2) == PDB_GO && goes_down(f, 1, 1) == PDB_GO);
    CHECK(goes_down(f, 2, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), &rest), "O5468652076435055"); /* The vCPU */
    fake_push(f, "+", 1);
    HAS(fake_body(fake_pull(f), NULL), "T00thread:p2.1;");
    fake_push(f, "+", 1);
    HAS(fake_ask(f, "?"), "T00thread:p2.1;");
    /* others go on, or nobody waits */
    fake_ask(f, "vCont;c:p1.-1");
    f->down[1][1] = false;
    CHECK(goes_down(f, 1, 2) == PDB_GO && goes_down(f, 2, 1) == PDB_GO);
    IS(fake_pull(f), "");
}

/* The core steps over a breakpoint meanwhile, of which gdb knows nothing. */
static void says_so_amid_a_step_over(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    IS(fake_ask(f, "Z0,10200,1;X3,220027"), "OK"); /* false */
    fake_ask(f, "vCont;c:p2.1");
    CHECK(fake_int3(f, 2, 1, 0x10200) == PDB_GO);
    CHECK(f->plan.alone && f->mem[2][0x200] != 0xcc);
    CHECK(goes_down(f, 2, 1) == PDB_HOLD && f->mem[2][0x200] == 0xcc);
}

static void strange_threads_are_not_shown(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vCont;c");
    fake_stop(f, PDB_WHY_BREAK_IN, 2, 1); /* domain not attached */
    HAS(fake_body(fake_pull(f), NULL), "T02thread:p1.1;");
}

static enum pdb_verdict syscall_stop(struct fake *f, enum pdb_why why,
                                     uint64_t nr)
{
    struct pdb_stop s = { .why = why, .thread = { 1, 1 }, .number = nr };

    return pdb_event(&f->pdb, &s);
}

static void catches_system_calls(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    HAS(fake_ask(f, "QCatchSyscalls:"), "E.");
    HAS(fake_ask(f, "QCatchSyscalls:1;zz"), "E.");
    HAS(fake_ask(f, "QCatchSyscalls:1;fffff"), "E.");
    CHECK(!f->catching);
    IS(fake_ask(f, "QCatchSyscalls:1;27;101"), "OK");
    CHECK(f->catching);
    fake_ask(f, "vCont;c");
    CHECK(syscall_stop(f, PDB_WHY_SYSCALL, 0x28) == PDB_GO);
    CHECK(syscall_stop(f, PDB_WHY_SYSCALL, 0xffffffff) == PDB_GO);
    CHECK(syscall_stop(f, PDB_WHY_SYSCALL, 0x101) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "syscall_entry:101;");
    fake_push(f, "+", 1);
    IS(fake_ask(f, "QCatchSyscalls:1"), "OK");
    fake_ask(f, "vCont;c");
    CHECK(syscall_stop(f, PDB_WHY_SYSRET, 5) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "syscall_return:5;");
    fake_push(f, "+", 1);
    IS(fake_ask(f, "QCatchSyscalls:0"), "OK");
    CHECK(!f->catching);
}

static void non_stop(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "QNonStop:1"), "OK");
    HAS(fake_ask(f, "?"), "T00thread:p1.1;");
    IS(fake_ask(f, "vStopped"), "OK");
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 1, 1 }) ==
          PDB_DO_STAY);
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 1, 2 }) ==
          PDB_DO_CONT);
    IS(fake_ask(f, "vCont;t:p1.2"), "OK");
    CHECK(fake_stop(f, PDB_WHY_HALTED, 1, 2) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "Stop:T00thread:p1.2;");
    IS(fake_ask(f, "vStopped"), "OK");
    IS(fake_ask(f, "vCont;c:p1.1"), "OK");
    IS(fake_ask(f, "vCont;s:p1.2"), "OK");
    CHECK(!pdb_holding(&f->pdb) && pdb_non_stop(&f->pdb));
    IS(fake_ask(f, "m10000,1"), "01"); /* looked at while it runs */
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 2) == PDB_HOLD);
    CHECK(fake_stop(f, PDB_WHY_FAULT, 1, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "Stop:T05thread:p1.2;");
    HAS(fake_ask(f, "vStopped"), "T0bthread:p1.1;");
    IS(fake_ask(f, "vStopped"), "OK");
    IS(fake_pull(f), "");
    IS(fake_ask(f, "vCont;t:p1.1"), "OK");
    CHECK(f->plan.act[0].what == PDB_DO_HALT);
    IS(fake_ask(f, "vCtrlC"), "OK");
    CHECK(f->nr_interrupts == 2);
}

static unsigned int notifications(struct fake *f, unsigned int ticks)
{
    unsigned int n = 0;

    while (ticks-- != 0) {
        pdb_tick(&f->pdb);
        n += strstr(fake_pull(f), "%Stop:") != NULL;
    }
    return n;
}

/* What gdb does not answer goes again, less and less often. */
static void lost_notification(struct fake *f)
{
    fake_init(f, PDB_NO_ACK);
    fake_attach(f);
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "?");
    fake_ask(f, "vStopped");
    CHECK(!pdb_awaits(&f->pdb));
    fake_stop(f, PDB_WHY_HALTED, 1, 2);
    fake_stop(f, PDB_WHY_HALTED, 1, 1);
    HAS(fake_pull(f), "%Stop:T00thread:p1.2;");
    CHECK(pdb_awaits(&f->pdb));
    CHECK(notifications(f, PDB_NOTICE_TICKS - 1) == 0);
    pdb_tick(&f->pdb);
    HAS(fake_pull(f), "%Stop:T00thread:p1.2;");
    CHECK(notifications(f, 2 * PDB_NOTICE_TICKS - 1) == 0);
    CHECK(notifications(f, 1) == 1 && notifications(f, 100) == 3);
    HAS(fake_ask(f, "vStopped"), "T00thread:p1.1;");
    CHECK(!pdb_awaits(&f->pdb) && notifications(f, 100) == 0);
    IS(fake_ask(f, "vStopped"), "OK");
    /* a line that loses nothing may have lost its gdb */
    IS(fake_ask(f, "QStartNoAckMode"), "OK");
    fake_stop(f, PDB_WHY_HALTED, 1, 2);
    HAS(fake_pull(f), "%Stop:");
    CHECK(notifications(f, 100) == 5);
}

/* Seconds for which a machine that runs need not stop. */
static void seconds_in_passing(struct fake *f)
{
    unsigned int n;

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "?");
    fake_ask(f, "vStopped");
    CHECK(pdb_tick_in_passing(&f->pdb));
    fake_stop(f, PDB_WHY_HALTED, 1, 2);
    HAS(fake_pull(f), "%Stop:");
    for (n = 1; pdb_tick_in_passing(&f->pdb); n++)
        IS(fake_pull(f), "");
    CHECK(n == PDB_NOTICE_TICKS && !pdb_tick_in_passing(&f->pdb));
    CHECK(notifications(f, 1) == 1);
    for (n = 1; pdb_tick_in_passing(&f->pdb); n++)
        ;
    CHECK(n == 2 * PDB_NOTICE_TICKS && notifications(f, 1) == 1);
    /* a reply that is not acknowledged is due sooner */
    fake_packet(f, "qC");
    fake_pull(f);
    for (n = 1; pdb_tick_in_passing(&f->pdb); n++)
        ;
    CHECK(n == PDB_RESEND_TICKS);
    pdb_tick(&f->pdb);
    HAS(fake_pull(f), "$QCp1.1#");
}

/* What gdb has left is not told again: it would make an inferior of it. */
static void left_behind(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "vCont;c");
    fake_stop(f, PDB_WHY_HALTED, 2, 1);
    HAS(fake_pull(f), "%Stop:T00thread:p2.1;");
    CHECK(notifications(f, PDB_NOTICE_TICKS) == 1);
    IS(fake_ask(f, "D;2"), "OK");
    CHECK(notifications(f, 100) == 0);
    CHECK(pdb_tick_in_passing(&f->pdb));
    IS(fake_ask(f, "vStopped"), "OK");
    /* but that it is no more, is */
    f->exists[3] = true;
    fake_ask(f, "vAttach;3");
    fake_pull(f);
    IS(fake_ask(f, "vStopped"), "OK");
    f->exists[3] = false;
    CHECK(fake_stop(f, PDB_WHY_GONE, 3, 1) == PDB_HOLD);
    HAS(fake_pull(f), "%Stop:W00;process:3#");
    CHECK(notifications(f, PDB_NOTICE_TICKS) == 1);
}

/* A failure that nobody answers. */
static void nobody_there(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "?");
    fake_ask(f, "vStopped");
    fake_stop(f, PDB_WHY_FAULT, 1, 2);
    CHECK(pdb_untold(&f->pdb, (struct pdb_tid){ 1, 2 }));
    CHECK(!pdb_untold(&f->pdb, (struct pdb_tid){ 1, 1 }));
    HAS(fake_pull(f), "%Stop:T0bthread:p1.2;");
    CHECK(notifications(f, PDB_NOTICE_DEAD_TICKS) == 5);
    CHECK(f->pdb.state != PDB_ALONE);
    CHECK(notifications(f, PDB_NOTICE_DEAD_TICKS) == 0);
    CHECK(f->pdb.state == PDB_ALONE);
}

/* There is no packet for a stop's text. */
static void non_stop_text(struct fake *f)
{
    static const char list[] = "qXfer:threads:read::0,ffb";
    struct pdb_stop s = { .why = PDB_WHY_NOTE, .thread = { 1, 2 },
                          .text = "hypercall: number 9\n" };

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "vCont;c:p1.-1");
    CHECK(pdb_event(&f->pdb, &s) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "Stop:T05thread:p1.2;");
    IS(f->pdb.why, "hypercall: number 9");
    HAS(fake_ask(f, list), "<thread id=\"p1.2\" core=\"1\">CPU busy &amp; "
        "&quot;idle&quot;; hypercall: number 9</thread>");
    IS(fake_ask(f, "vCont;c:p1.1"), "OK");
    HAS(fake_ask(f, list), "; hypercall: number 9</thread></threads>");
    IS(fake_ask(f, "vCont;c:p1.2"), "OK");
    CHECK(!strstr(fake_ask(f, list), "hypercall"));
}

/* gdb hears of a stop before it knows the inferior's registers. */
static void non_stop_attach(struct fake *f)
{
    const char *said;

    fake_init(f, PDB_FOLLOW);
    fake_attach(f);
    fake_ask(f, "QNonStop:1");
    HAS(fake_ask(f, "?"), "T00thread:p1.1;");
    IS(fake_ask(f, "vStopped"), "OK");
    IS(fake_ask(f, "vCont;c"), "OK");
    fake_packet(f, "vAttach;2");
    said = fake_pull(f);
    IS(fake_body(said + 1, &said), "OK");
    CHECK(pdb_plan_find(&f->pdb, &f->plan, (struct pdb_tid){ 2, 1 }) ==
          PDB_DO_STAY && f->plan.nr == 1);
    CHECK(f->pdb.state == PDB_RUNNING);
    fake_push(f, "+", 1);
    said = fake_body(fake_pull(f), NULL);
    HAS(said, "Stop:T00thread:p2.1;");
    CHECK(!strstr(said, "10:"));
    IS(fake_ask(f, "vStopped"), "OK");
    /* one that appears is not taken up there */
    f->exists[3] = true;
    CHECK(fake_stop(f, PDB_WHY_NEW, 3, 0) == PDB_GO);
    IS(fake_pull(f), "");
    /* ^C asks for one thread, not for the machine */
    fake_push(f, "\3", 1);
    CHECK(f->nr_interrupts == 2 && !f->pdb.bringing_in);
}

/* Its stop is out, gdb is about to ask for the next one. */
static void death_between_a_stop_and_the_next(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "vCont;c");
    CHECK(fake_stop(f, PDB_WHY_HALTED, 2, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "Stop:T00thread:p2.1;");
    CHECK(fake_stop(f, PDB_WHY_HALTED, 1, 2) == PDB_HOLD);
    f->exists[2] = false;
    CHECK(fake_stop(f, PDB_WHY_GONE, 2, 1) == PDB_HOLD);
    IS(fake_pull(f), "");
    HAS(fake_ask(f, "vStopped"), "T00thread:p1.2;");
    IS(fake_ask(f, "vStopped"), "W00;process:2");
    IS(fake_ask(f, "vStopped"), "OK");
}

static void non_stop_condition(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "Z0,10200,1;X3,220027");
    fake_ask(f, "vCont;c:p1.2");
    fake_ask(f, "vCont;s:p1.1");
    CHECK(fake_int3(f, 1, 2, 0x10200) == PDB_GO && f->plan.alone);
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 2) == PDB_GO);
    CHECK(f->plan.nr == 1 && f->plan.act[0].who.tid == 2);
    CHECK(f->plan.act[0].what == PDB_DO_CONT);
    IS(fake_pull(f), "");
}

/* A thread that gdb believes to stand still passes what is in its way. */
static void non_stop_unheard(struct fake *f)
{
    struct pdb_stop s = { .thread = { 1, 2 }, .unheard = true };
    unsigned int resumes;

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "QNonStop:1");
    fake_ask(f, "Z0,10200,1");
    fake_ask(f, "vCont;c:p1.2");
    fake_ask(f, "vCont;s:p1.1");
    f->regs[1][2].v[PDB_RIP] = 0x10201; /* behind the int3 */
    s.why = PDB_WHY_SOFT;
    CHECK(pdb_event(&f->pdb, &s) == PDB_GO && f->plan.alone);
    CHECK(f->plan.act[0].who.tid == 2 && f->regs[1][2].v[PDB_RIP] == 0x10200);
    CHECK(f->pdb.brk.bp[0].hits == 0);
    resumes = f->nr_resumes;
    s.why = PDB_WHY_STEP;
    CHECK(pdb_event(&f->pdb, &s) == PDB_GO && f->nr_resumes == resumes);
    s.why = PDB_WHY_NOTE;
    CHECK(pdb_event(&f->pdb, &s) == PDB_GO && f->nr_resumes == resumes);
    IS(fake_pull(f), "");
    CHECK(fake_stop(f, PDB_WHY_STEP, 1, 1) == PDB_HOLD);
    HAS(fake_body(fake_pull(f), NULL), "Stop:T05thread:p1.1;");
}

static void console_text(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    pdb_console(&f->pdb, "lost", 4);
    fake_monitor(f, "console on");
    fake_ask(f, "vCont;c");
    pdb_console(&f->pdb, "hi\n", 3);
    IS(fake_body(fake_pull(f), NULL), "O68690a");
    pdb_console(&f->pdb, "more", 4);
    IS(fake_pull(f), ""); /* one at a time */
    fake_push(f, "+", 1);
    IS(fake_body(fake_pull(f), NULL), "O6d6f7265");
}

const struct test stop_tests[] = {
    { "names the signal", names_the_signal },
    { "follows new domains", follows_new_domains },
    { "ignores them by default", ignores_them_by_default },
    { "death takes breakpoints along", death_takes_breakpoints_along },
    { "death while stopped is told later", death_while_stopped_is_told_later },
    { "thread events", thread_events },
    { "says when nothing runs", says_when_nothing_runs },
    { "says so amid a step over", says_so_amid_a_step_over },
    { "strange threads are not shown", strange_threads_are_not_shown },
    { "catches system calls", catches_system_calls },
    { "non-stop", non_stop },
    { "lost notification", lost_notification },
    { "seconds in passing", seconds_in_passing },
    { "left behind", left_behind },
    { "nobody there", nobody_there },
    { "non-stop text", non_stop_text },
    { "non-stop attach", non_stop_attach },
    { "death between a stop and the next", death_between_a_stop_and_the_next },
    { "non-stop condition", non_stop_condition },
    { "non-stop unheard", non_stop_unheard },
    { "console text", console_text },
    { NULL, NULL },
};
