// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inferiors, threads, attaching and leaving.
 */
#include "check.h"

static void lists_attached_only(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "qfThreadInfo"), "mp1.1,p1.2");
    IS(fake_ask(f, "qsThreadInfo"), "l");
    HAS(fake_ask(f, "vAttach;2"), "T00thread:p2.1;");
    IS(fake_ask(f, "qfThreadInfo"), "mp1.1,p1.2,p2.1");
    CHECK(f->nr_attaches == 1);
}

static void names_them(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "qXfer:threads:read::0,ffb"),
       "l<threads><thread id=\"p1.1\" core=\"0\">"
       "CPU busy &amp; &quot;idle&quot;</thread>"
       "<thread id=\"p1.2\" core=\"1\">"
       "CPU busy &amp; &quot;idle&quot;</thread></threads>");
    HAS(fake_ask(f, "qThreadExtraInfo,p1.2"), "435055206275737920"); /* CPU b */
    HAS(fake_ask(f, "qThreadExtraInfo,p1.9"), "E.");
}

/* Asked for by gdb itself, once after a stop and twice after `?`. */
static void lists_briefly(struct fake *f)
{
    static const char ids[] =
        "l<threads><thread id=\"p1.1\"/><thread id=\"p1.2\"/></threads>";
    static const char list[] = "qXfer:threads:read::0,ffb";

    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "?");
    IS(fake_ask(f, list), ids);
    IS(fake_ask(f, "qXfer:threads:read::0,9"), "m<threads>");
    IS(fake_ask(f, "qXfer:threads:read::9,13"), "m<thread id=\"p1.1\"/>");
    HAS(fake_ask(f, list), "busy");
    fake_ask(f, "vCont;s:p1.1");
    fake_stop(f, PDB_WHY_STEP, 1, 1);
    fake_pull(f);
    fake_push(f, "+", 1);
    IS(fake_ask(f, list), ids);
    HAS(fake_ask(f, list), "busy");
    HAS(fake_ask(f, list), "busy");
    fake_ask(f, "?");
    pdb_tick(&f->pdb);
    IS(fake_ask(f, list), ids);
    pdb_tick(&f->pdb);
    pdb_tick(&f->pdb);
    HAS(fake_ask(f, list), "busy");
    fake_ask(f, "?");
    fake_ask(f, "qSupported:multiprocess+");
    HAS(fake_ask(f, list), "busy");
}

static void selects(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Hgp1.2"), "OK");
    IS(fake_ask(f, "qC"), "QCp1.2");
    IS(fake_ask(f, "p0"), "2222222222222222");
    IS(fake_ask(f, "Hgp0.0"), "OK");
    IS(fake_ask(f, "qC"), "QCp1.2");
    HAS(fake_ask(f, "Hgp1.3"), "E.");
    HAS(fake_ask(f, "Hgp2.1"), "E."); /* not attached */
    HAS(fake_ask(f, "Hx1"), "E.");
    HAS(fake_ask(f, "Hg"), "E.");
    IS(fake_ask(f, "Hc-1"), "OK");
}

static void asks_if_alive(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "Tp1.2"), "OK");
    HAS(fake_ask(f, "Tp1.3"), "E.");
    HAS(fake_ask(f, "Tp2.1"), "E.");
    HAS(fake_ask(f, "T"), "E.");
}

static void attach_errors(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    HAS(fake_ask(f, "vAttach;9"), "E.attach: see");
    HAS(fake_ask(f, "vAttach;"), "E.");
    HAS(fake_ask(f, "vAttach;ffffffff"), "E.");
    f->refuse_attach = true;
    HAS(fake_ask(f, "vAttach;2"), "E.");
    IS(fake_ask(f, "qfThreadInfo"), "mp1.1,p1.2");
}

static void leaving_one_keeps_the_rest(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "vAttach;2");
    IS(fake_ask(f, "Z0,10100,1"), "OK");
    CHECK(f->mem[2][0x100] == 0xcc);
    IS(fake_ask(f, "D;2"), "OK");
    CHECK(f->mem[2][0x100] != 0xcc && f->nr_detaches == 1);
    CHECK(f->pdb.state == PDB_STOPPED && f->nr_resumes == 0);
    HAS(fake_ask(f, "D;2"), "E.");
    IS(fake_ask(f, "D;1"), "OK");
    CHECK(f->pdb.state == PDB_ALONE && f->nr_resumes == 1);
}

static void detach_leaves_nothing(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10100,1");
    fake_ask(f, "Z1,10200,1");
    fake_ask(f, "Z2,10300,8");
    fake_ask(f, "QCatchSyscalls:1");
    CHECK(f->mem[1][0x100] == 0xcc && f->hw_used[1] && f->catching);
    IS(fake_ask(f, "D"), "OK");
    CHECK(f->mem[1][0x100] != 0xcc && !f->hw_used[0] && !f->hw_used[1]);
    CHECK(!f->catching && f->pdb.state == PDB_ALONE);
    CHECK(f->plan.nr == 1 && f->plan.act[0].what == PDB_DO_CONT);
}

static void kill_is_a_detach(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "Z0,10100,1");
    IS(fake_ask(f, "k"), "(none)");
    CHECK(f->mem[1][0x100] != 0xcc && f->pdb.state == PDB_ALONE);
    CHECK(f->nr_reboots == 0);
    fake_init(f, 0);
    fake_attach(f);
    IS(fake_ask(f, "vKill;1"), "OK");
    CHECK(f->pdb.state == PDB_ALONE && f->nr_reboots == 0);
}

static void only_R_reboots(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    HAS(fake_ask(f, "vRun;"), "E.run: use 'monitor reboot'");
    CHECK(f->nr_reboots == 0);
    fake_ask(f, "R00");
    CHECK(f->nr_reboots == 1);
}

static void without_multiprocess(struct fake *f)
{
    fake_init(f, 0);
    fake_attach(f);
    fake_ask(f, "qSupported:swbreak+");
    IS(fake_ask(f, "qC"), "QC1");
    IS(fake_ask(f, "qfThreadInfo"), "m1,2");
    IS(fake_ask(f, "Hg2"), "OK");
    IS(fake_ask(f, "qC"), "QC2");
}

const struct test thread_tests[] = {
    { "lists attached only", lists_attached_only },
    { "names them", names_them },
    { "lists briefly", lists_briefly },
    { "selects", selects },
    { "asks if alive", asks_if_alive },
    { "attach errors", attach_errors },
    { "leaving one keeps the rest", leaving_one_keeps_the_rest },
    { "detach leaves nothing", detach_leaves_nothing },
    { "kill is a detach", kill_is_a_detach },
    { "only R reboots", only_R_reboots },
    { "without multiprocess", without_multiprocess },
    { NULL, NULL },
};
