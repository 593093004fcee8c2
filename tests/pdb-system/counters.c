/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that two CPUs run at once, a thread each; `counters` tells how far
 * either has come.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

volatile long counters[2];

__attribute__((noinline)) void first_turn(long n)
{
    counters[0] = n;
}

__attribute__((noinline)) void second_turn(long n)
{
    counters[1] = n;
}

static void stay_on(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static void *second(void *unused)
{
    (void)unused;
    stay_on(1);
    for (long n = 1;; n++)
        second_turn(n);
    return NULL;
}

int main(void)
{
    pthread_t thread;

    stay_on(0);
    pthread_create(&thread, NULL, second, NULL);
    puts("COUNTERS-READY");
    fflush(stdout);
    for (long n = 1;; n++) {
        first_turn(n);
        if (n % 4096 == 0)
            getppid();
    }
}
