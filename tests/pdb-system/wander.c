/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes whose steps do not end where they began: two that compute and one
 * that naps are moved between the CPUs without pause, and others come, run
 * another program, become two, or leave.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void spin(void)
{
    for (;;)
        __asm__ volatile("inc %%rax; dec %%rcx" ::: "rax", "rcx");
}

static void nap(void)
{
    static const struct timespec a_while = { 0, 300000000 };
    long done;

    for (;;)
        __asm__ volatile(".globl nap_call\n"
                         "nap_call: syscall"
                         : "=a"(done)
                         : "a"(SYS_nanosleep), "D"(&a_while), "S"(0)
                         : "rcx", "r11", "memory");
}

static void leave(void)
{
    __asm__ volatile(".globl leave_call\n"
                     "leave_call: syscall" ::"a"(SYS_exit_group), "D"(0));
}

static void become(void)
{
    static const char path[] = "/bin/true";
    static const char *const args[] = { path, NULL }, *const none[] = { NULL };

    __asm__ volatile(".globl become_call\n"
                     "become_call: syscall" ::"a"(SYS_execve), "D"(path),
                     "S"(args), "d"(none));
}

static void divide(void)
{
    pid_t pid;
    int status = 0;

    __asm__ volatile(".globl divide_call\n"
                     "divide_call: syscall"
                     : "=a"(pid)
                     : "a"(SYS_fork)
                     : "rcx", "r11", "memory");
    if (pid > 0)
        waitpid(pid, &status, 0);
    _exit(status != 0);
}

static pid_t child(void (*work)(void))
{
    pid_t pid = fork();

    if (pid == 0)
        work();
    return pid;
}

int main(void)
{
    void (*const ends[])(void) = { leave, become, divide };
    pid_t moved[] = { child(spin), child(spin), child(nap) };
    unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);

    puts("WANDER-READY");
    fflush(stdout);
    for (unsigned int turn = 0;; turn++) {
        cpu_set_t set;

        for (unsigned int i = 0; i < 3; i++) {
            CPU_ZERO(&set);
            CPU_SET((turn + i) % cpus, &set);
            sched_setaffinity(moved[i], sizeof(set), &set);
        }
        if (turn % 8 == 0) {
            int status;

            waitpid(child(ends[turn / 8 % 3]), &status, 0);
            if (status != 0)
                puts("WANDER-HURT");
            fflush(stdout);
        }
        usleep(500);
    }
}
