/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that lives on traps of its own: int3, the trap flag, and as a
 * debugger of its child by ptrace(2) an int3, steps and a debug register.  It
 * says ROUND N when a round of all of them went as it should, else WRONG.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define FLAG_TF 0x100
#define DR7_WRITE_4 0x000d0001UL /* DR0: writes to four bytes, for this task */

static volatile sig_atomic_t traps;
static volatile unsigned int watched;

static void wrong(const char *what)
{
    printf("WRONG %s\n", what);
    exit(1);
}

static void on_trap(int number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;

    (void)number, (void)info;
    traps++;
    if (traps >= 10) /* steps: enough of them */
        u->uc_mcontext.gregs[REG_EFL] &= ~FLAG_TF;
}

__attribute__((noinline)) static void own_int3(void)
{
    traps = 0;
    __asm__ volatile("int3; nop; int3");
    if (traps != 2)
        wrong("int3");
}

static void own_steps(void)
{
    traps = 0;
    __asm__ volatile("pushf; orl $0x100, (%%rsp); popf;"
                     ".rept 20; nop; .endr" ::: "cc", "memory");
    if (traps != 10)
        wrong("trap flag");
}

__attribute__((noinline)) void tick(void)
{
    watched++;
}

static void child(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    for (;;)
        tick();
}

/* The child goes on by `how` and has to stop for a SIGTRAP. */
static void until_trap(pid_t pid, enum __ptrace_request how, const char *what)
{
    int status;

    if (ptrace(how, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
        !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
        wrong(what);
}

static void debug_register(pid_t pid)
{
    size_t at = offsetof(struct user, u_debugreg);

    if (ptrace(PTRACE_POKEUSER, pid, at, &watched) ||
        ptrace(PTRACE_POKEUSER, pid, at + 7 * 8, DR7_WRITE_4))
        wrong("no debug register");
    until_trap(pid, PTRACE_CONT, "debug register");
    if (!(ptrace(PTRACE_PEEKUSER, pid, at + 6 * 8, NULL) & 1))
        wrong("DR6");
    ptrace(PTRACE_POKEUSER, pid, at + 7 * 8, 0);
}

static void breakpoint(pid_t pid)
{
    struct user_regs_struct regs;
    long old = ptrace(PTRACE_PEEKTEXT, pid, tick, NULL);

    if (ptrace(PTRACE_POKETEXT, pid, tick, (old & ~0xffL) | 0xcc))
        wrong("no breakpoint");
    until_trap(pid, PTRACE_CONT, "breakpoint");
    ptrace(PTRACE_GETREGS, pid, NULL, &regs);
    if (regs.rip != (unsigned long)tick + 1)
        wrong("place of the breakpoint");
    ptrace(PTRACE_POKETEXT, pid, tick, old);
    regs.rip--;
    ptrace(PTRACE_SETREGS, pid, NULL, &regs);
    for (int i = 0; i < 5; i++)
        until_trap(pid, PTRACE_SINGLESTEP, "step");
}

static void as_debugger(int with_register)
{
    pid_t pid = fork();

    if (pid == 0)
        child();
    if (waitpid(pid, NULL, 0) != pid)
        wrong("child");
    breakpoint(pid);
    if (with_register)
        debug_register(pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

    (void)argv;
    sigaction(SIGTRAP, &act, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int round = 0;; round++) {
        own_int3();
        own_steps();
        as_debugger(argc == 1);
        printf("ROUND %d\n", round);
        getppid(); /* where gdb waits for this process */
        usleep(200000);
    }
}
