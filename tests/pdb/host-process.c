// SPDX-License-Identifier: GPL-2.0-only
/*
 * The traced processes: starting, stopping, stepping, and what their stops
 * mean in the core's terms.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define OPTIONS (PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL | \
                 PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC)
#define DR(n) (offsetof(struct user, u_debugreg) + 8 * (n))

struct inferior *machine_inferior(struct machine *m, int32_t pid)
{
    for (int i = 0; i < MAX_INFERIORS; i++)
        if (m->inf[i].pid == pid)
            return &m->inf[i];
    return NULL;
}

struct thread *machine_thread(struct machine *m, struct pdb_tid id)
{
    for (int i = 0; i < MAX_THREADS; i++)
        if (m->thread[i].id.pid == id.pid && m->thread[i].id.tid == id.tid)
            return &m->thread[i];
    return NULL;
}

static struct thread *by_lwp(struct machine *m, pid_t lwp)
{
    for (int i = 0; i < MAX_THREADS; i++)
        if (m->thread[i].id.pid && m->thread[i].lwp == lwp)
            return &m->thread[i];
    return NULL;
}

static struct thread *add_thread(struct machine *m, int32_t pid, pid_t lwp)
{
    struct pdb_tid id = { pid, 1 };

    while (machine_thread(m, id))
        id.tid++;
    for (int i = 0; i < MAX_THREADS; i++) {
        if (m->thread[i].id.pid)
            continue;
        m->thread[i] = (struct thread){ .id = id, .lwp = lwp };
        return &m->thread[i];
    }
    abort();
}

/* Runs the new process up to the int3 that says it is ready. */
static void run_to_ready(struct machine *m, struct inferior *inf)
{
    int status;
    pid_t lwp;

    ptrace(PTRACE_CONT, inf->lwp, 0, 0);
    for (;;) {
        lwp = waitpid(-1, &status, __WALL);
        if (lwp < 0)
            abort();
        if (WIFSTOPPED(status) && !by_lwp(m, lwp) && lwp != inf->lwp)
            add_thread(m, inf->pid, lwp);
        if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP &&
            status >> 16 == 0)
            break;
        ptrace(PTRACE_CONT, lwp, 0, 0);
        if (by_lwp(m, lwp))
            by_lwp(m, lwp)->running = true;
    }
    by_lwp(m, inf->lwp)->running = false;
}

static pid_t start_child(struct machine *m, int cpus)
{
    char count[8];
    sigset_t none;
    pid_t lwp = fork();

    if (lwp)
        return lwp;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    snprintf(count, sizeof(count), "%d", cpus);
    personality(ADDR_NO_RANDOMIZE); /* else its heap may be at TEXT_AT */
    raise(SIGSTOP);
    execl(m->guest, m->guest, count, m->text_file, (char *)NULL);
    _exit(127);
}

int machine_spawn(struct machine *m, int32_t pid, int cpus)
{
    struct inferior *inf = machine_inferior(m, 0);
    char path[64];
    int status;

    if (!inf)
        return -1;
    *inf = (struct inferior){ .pid = pid, .cpus = cpus };
    inf->lwp = start_child(m, cpus);
    waitpid(inf->lwp, &status, WUNTRACED);
    if (ptrace(PTRACE_SEIZE, inf->lwp, 0, OPTIONS) < 0)
        return -1;
    kill(inf->lwp, SIGCONT);
    waitpid(inf->lwp, &status, 0);
    add_thread(m, pid, inf->lwp);
    while (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
        ptrace(PTRACE_CONT, inf->lwp, 0, 0);
        waitpid(inf->lwp, &status, 0);
    }
    run_to_ready(m, inf);
    snprintf(path, sizeof(path), "/proc/%d/mem", inf->lwp);
    inf->mem = open(path, O_RDWR | O_CLOEXEC);
    machine_freeze(m);
    return 0;
}

static void forget(struct machine *m, struct inferior *inf)
{
    for (int i = 0; i < MAX_THREADS; i++)
        if (m->thread[i].id.pid == inf->pid)
            m->thread[i].id.pid = 0;
    close(inf->mem);
    inf->pid = 0;
}

void machine_destroy(struct machine *m, int32_t pid)
{
    struct inferior *inf = machine_inferior(m, pid);
    struct pdb_stop gone = { .why = PDB_WHY_GONE, .thread = { pid, 0 } };

    if (!inf || !pid)
        return;
    kill(inf->lwp, SIGKILL);
    forget(m, inf);
    pdb_event(&m->pdb, &gone);
}

/* Debug registers of all its threads, which must be stopped. */
int machine_load_debug(struct machine *m, struct inferior *inf)
{
    static const unsigned long rw[] = { 0, 0, 1, 3, 3 };
    unsigned long dr7 = 0, len;

    for (int i = 0; i < 4; i++) {
        if (!inf->slot_used[i])
            continue;
        len = inf->slot[i].len == 8 ? 2 : inf->slot[i].len - 1;
        dr7 |= 1ul << (2 * i);
        dr7 |= (rw[inf->slot[i].type] | len << 2) << (16 + 4 * i);
    }
    for (int t = 0; t < MAX_THREADS; t++) {
        if (m->thread[t].id.pid != inf->pid)
            continue;
        ptrace(PTRACE_POKEUSER, m->thread[t].lwp, DR(7), 0);
        for (unsigned long i = 0; i < 4; i++)
            if (inf->slot_used[i])
                ptrace(PTRACE_POKEUSER, m->thread[t].lwp, DR(i),
                       inf->slot[i].addr);
        if (ptrace(PTRACE_POKEUSER, m->thread[t].lwp, DR(7), dr7) < 0)
            return -errno;
    }
    return 0;
}

static void start(struct machine *m, struct thread *t, enum pdb_do what)
{
    struct inferior *inf = machine_inferior(m, t->id.pid);

    t->doing = what;
    if (t->running)
        return;
    if (what == PDB_DO_STEP)
        ptrace(PTRACE_SINGLESTEP, t->lwp, 0, 0);
    else
        ptrace(inf->catching ? PTRACE_SYSCALL : PTRACE_CONT, t->lwp, 0, 0);
    t->running = true;
}

/* Until it is told, nothing is to be seen of an int3 that was run into. */
static void hide_int3(struct thread *t)
{
    struct user_regs_struct r;
    siginfo_t si;

    t->at = 0;
    if (t->status >> 8 != SIGTRAP ||
        ptrace(PTRACE_GETSIGINFO, t->lwp, 0, &si) < 0 ||
        si.si_code != SI_KERNEL)
        return;
    ptrace(PTRACE_GETREGS, t->lwp, 0, &r);
    t->at = --r.rip;
    ptrace(PTRACE_SETREGS, t->lwp, 0, &r);
}

/* Puts rip behind the int3 again; false if it was moved meanwhile. */
static bool show_int3(struct thread *t)
{
    struct user_regs_struct r;

    if (!t->at)
        return true;
    ptrace(PTRACE_GETREGS, t->lwp, 0, &r);
    if (r.rip++ != t->at)
        return false;
    ptrace(PTRACE_SETREGS, t->lwp, 0, &r);
    return true;
}

static void freeze_one(struct thread *t)
{
    int status;

    ptrace(PTRACE_INTERRUPT, t->lwp, 0, 0);
    if (waitpid(t->lwp, &status, __WALL) != t->lwp || !WIFSTOPPED(status)) {
        t->id.pid = 0;
        return;
    }
    t->running = false;
    t->pending = status >> 16 == 0;
    t->status = status;
    hide_int3(t);
}

void machine_freeze(struct machine *m)
{
    for (int i = 0; i < MAX_THREADS; i++)
        if (m->thread[i].id.pid && m->thread[i].running)
            freeze_one(&m->thread[i]);
}

static void go_alone(struct machine *m, const struct pdb_plan *plan)
{
    for (int i = 0; i < MAX_THREADS; i++) {
        struct thread *t = &m->thread[i];

        if (t->id.pid && t->running) {
            freeze_one(t);
            t->held = true;
        }
    }
    start(m, machine_thread(m, plan->act[0].who), PDB_DO_STEP);
}

static void halt(struct machine *m, struct thread *t)
{
    struct pdb_stop s = { .why = PDB_WHY_HALTED, .thread = t->id };

    if (!t->running)
        return;
    freeze_one(t);
    pdb_event(&m->pdb, &s);
}

static void tell(struct machine *m, struct thread *t, int status);

/* Something that a thread to be run has yet to tell goes before running. */
static bool tell_pending(struct machine *m, const struct pdb_plan *plan)
{
    enum pdb_do what;

    for (int i = 0; i < MAX_THREADS; i++) {
        struct thread *t = &m->thread[i];

        if (!t->id.pid || !t->pending)
            continue;
        what = pdb_plan_find(&m->pdb, plan, t->id);
        if (what != PDB_DO_CONT && what != PDB_DO_STEP)
            continue;
        t->pending = false;
        t->doing = what;
        if (!show_int3(t))
            continue;
        tell(m, t, t->status);
        return true;
    }
    return false;
}

void machine_go(struct machine *m)
{
    struct pdb_plan plan = m->plan;

    m->plan_set = false;
    if (plan.alone) {
        go_alone(m, &plan);
        return;
    }
    if (tell_pending(m, &plan))
        return;
    for (int i = 0; i < MAX_THREADS; i++) {
        struct thread *t = &m->thread[i];
        enum pdb_do what;

        if (!t->id.pid)
            continue;
        what = pdb_plan_find(&m->pdb, &plan, t->id);
        if (what == PDB_DO_STAY && t->held)
            what = t->doing;
        t->held = false;
        if (what == PDB_DO_HALT)
            halt(m, t);
        else if (what != PDB_DO_STAY)
            start(m, t, what);
    }
}

static unsigned long get_debug(const struct thread *t, unsigned long n)
{
    return (unsigned long)ptrace(PTRACE_PEEKUSER, t->lwp, DR(n), 0);
}

/* What a SIGTRAP was: DR6 tells of debug registers, siginfo of the rest. */
static void judge_trap(struct thread *t, struct pdb_stop *s)
{
    unsigned long dr6 = get_debug(t, 6), dr7 = get_debug(t, 7);
    siginfo_t si;

    ptrace(PTRACE_POKEUSER, t->lwp, DR(6), 0);
    ptrace(PTRACE_GETSIGINFO, t->lwp, 0, &si);
    s->why = si.si_code == SI_KERNEL ? PDB_WHY_SOFT : PDB_WHY_STEP;
    for (unsigned int i = 0; i < 4; i++) {
        if (!(dr6 >> i & 1) || !(dr7 >> (2 * i) & 3))
            continue;
        s->addr = get_debug(t, i);
        s->why = dr7 >> (16 + 4 * i) & 3 ? PDB_WHY_WATCH : PDB_WHY_EXEC;
        s->stepped = dr6 >> 14 & 1;
    }
}

/* Sorts one stop; false if it is of no interest and the thread went on. */
static bool judge(struct machine *m, struct thread *t, int status,
                  struct pdb_stop *s)
{
    struct user_regs_struct r;
    int sig = WSTOPSIG(status);

    s->thread = t->id;
    if (status >> 16) { /* clone and interrupt stops */
        start(m, t, t->doing);
        return false;
    }
    if (sig == (SIGTRAP | 0x80)) {
        t->in_syscall = !t->in_syscall;
        s->why = t->in_syscall ? PDB_WHY_SYSCALL : PDB_WHY_SYSRET;
        ptrace(PTRACE_GETREGS, t->lwp, 0, &r);
        s->number = r.orig_rax;
        return true;
    }
    if (sig == SIGTRAP) {
        judge_trap(t, s);
        if (s->why != PDB_WHY_STEP || t->doing == PDB_DO_STEP)
            return true;
        start(m, t, t->doing); /* the trap of a step that was cut short */
        return false;
    }
    s->why = PDB_WHY_FAULT;
    s->signal = sig;
    return true;
}

/* The guest's own traps go back to it: here, they kill it. */
static void pass_on(struct thread *t, const struct pdb_stop *s)
{
    struct user_regs_struct r;

    ptrace(PTRACE_GETREGS, t->lwp, 0, &r);
    fprintf(stderr, "pdb-host: p%x.%x has a trap of its own (%d) at 0x%llx\n",
            t->id.pid, t->id.tid, s->why, r.rip);
    ptrace(PTRACE_CONT, t->lwp, 0, 0);
    t->running = true;
}

static void gone(struct machine *m, pid_t lwp, int status)
{
    struct thread *t = by_lwp(m, lwp);
    struct inferior *inf = t ? machine_inferior(m, t->id.pid) : NULL;
    struct pdb_stop s = { .why = PDB_WHY_GONE };

    if (!inf)
        return;
    if (lwp != inf->lwp) {
        t->id.pid = 0;
        return;
    }
    s.thread.pid = inf->pid;
    s.number = WIFEXITED(status) ? (uint64_t)WEXITSTATUS(status) : 0;
    s.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    forget(m, inf);
    if (pdb_event(&m->pdb, &s) == PDB_HOLD && !pdb_non_stop(&m->pdb))
        machine_freeze(m);
}

static void tell(struct machine *m, struct thread *t, int status)
{
    struct pdb_stop s;

    memset(&s, 0, sizeof(s));
    if (!judge(m, t, status, &s))
        return;
    if (!pdb_non_stop(&m->pdb))
        machine_freeze(m);
    if (pdb_event(&m->pdb, &s) == PDB_PASS)
        pass_on(t, &s);
    if (m->plan_set)
        machine_go(m);
}

void machine_wait(struct machine *m)
{
    struct thread *t;
    int status;
    pid_t lwp;

    while ((lwp = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        if (!WIFSTOPPED(status)) {
            gone(m, lwp, status);
            continue;
        }
        t = by_lwp(m, lwp);
        if (!t)
            continue;
        t->running = false;
        tell(m, t, status);
    }
}
