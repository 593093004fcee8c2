/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that leaves its CPU in a system call, each time: what steps that
 * ends on the other of two.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static void hop(const cpu_set_t *there)
{
    long done;

    __asm__ volatile(".globl hop_call\n"
                     "hop_call: syscall"
                     : "=a"(done)
                     : "a"(SYS_sched_setaffinity), "D"(0),
                       "S"(sizeof(*there)), "d"(there)
                     : "rcx", "r11", "memory");
}

int main(void)
{
    cpu_set_t sets[2];

    for (unsigned int cpu = 0; cpu < 2; cpu++) {
        CPU_ZERO(&sets[cpu]);
        CPU_SET(cpu, &sets[cpu]);
    }
    puts("HOP-READY");
    fflush(stdout);
    for (unsigned int turn = 0;; turn++) {
        hop(&sets[turn % 2]);
        usleep(1000);
    }
}
