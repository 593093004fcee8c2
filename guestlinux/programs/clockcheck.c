/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clockcheck SECONDS: one thread on each CPU; they read the monotonic clock in
 * turn. A reading less than the one before, by whichever CPU, is a clock that
 * ran backwards. Prints "CLOCK N readings, M back, W ns at most"; status 1 if
 * there was one.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS 64

static int busy;
static uint64_t latest, end, readings, back, worst;

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void take_turn(void)
{
    unsigned int spins = 0;

    while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
        if (++spins % 256 == 0)
            sched_yield();
}

static void *read_clock(void *arg)
{
    int cpu = (int)(intptr_t)arg;
    cpu_set_t set;
    uint64_t t;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set)) {
        perror("clockcheck: sched_setaffinity");
        exit(2);
    }
    do {
        take_turn();
        t = now();
        readings++;
        if (t < latest) {
            back++;
            if (latest - t > worst)
                worst = latest - t;
        } else {
            latest = t;
        }
        __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
    } while (t < end);
    return NULL;
}

int main(int argc, char **argv)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[MAX_CPUS];
    int seconds = argc == 2 ? atoi(argv[1]) : 0;

    if (seconds <= 0) {
        fprintf(stderr, "usage: clockcheck SECONDS\n");
        return 2;
    }
    if (cpus > MAX_CPUS)
        cpus = MAX_CPUS;
    end = now() + (uint64_t)seconds * 1000000000;
    for (long i = 0; i < cpus; i++)
        if (pthread_create(&threads[i], NULL, read_clock, (void *)i)) {
            perror("clockcheck: pthread_create");
            return 2;
        }
    for (long i = 0; i < cpus; i++)
        pthread_join(threads[i], NULL);
    printf("CLOCK %lu readings, %lu back, %lu ns at most\n", readings, back,
           worst);
    return back != 0;
}
