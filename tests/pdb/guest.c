// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program that stands for a machine's software when real gdb is driven
 * against pdb's core: `guest CPUS TEXTFILE`.
 *
 * Thread n plays CPU (or vCPU) n.  Once all run and the memory that tests read
 * is in place it executes an int3, where the host program takes it over.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT_AT ((void *)0x10000000) /* 1 MiB of program text */
#define IDLE_AT ((void *)0x20000000) /* 1 MiB as idle RAM looks */
#define SIZE (1ul << 20)

struct item {
    int number;
    const char *name;
};

volatile unsigned long counter;
volatile unsigned long turns[8];
volatile unsigned int small_values[4];
volatile unsigned long watched;
volatile unsigned char pattern[4096];
static pthread_barrier_t barrier;

__attribute__((noinline)) void tick(void)
{
    counter++;
}

__attribute__((noinline)) int leaf(int x)
{
    tick();
    return x * 3;
}

__attribute__((noinline)) int middle(int x)
{
    int y = leaf(x + 1);

    return y + 2;
}

__attribute__((noinline)) void show(const struct item *it)
{
    small_values[it->number & 3]++;
}

__attribute__((noinline)) void touch(unsigned long v)
{
    watched = v;
}

/* A loop that takes many instructions to step over. */
__attribute__((noinline)) void long_loop(void)
{
    int i;

    for (i = 0; i < 1000; i++)
        pattern[i & 15]++;
}

__attribute__((noinline)) void work(unsigned long n)
{
    struct item it = { (int)n, "thing" };

    middle((int)n);
    show(&it);
    if (n % 4 == 0)
        touch(n);
    else
        touch(watched);
    long_loop();
    syscall(SYS_getppid);
}

__attribute__((noinline)) void spin(int cpu)
{
    turns[cpu]++;
}

static void *secondary(void *arg)
{
    pthread_barrier_wait(&barrier);
    for (;;)
        spin((int)(long)arg);
    return NULL;
}

static void fill(const char *file)
{
    unsigned char *idle;
    unsigned long i;
    int fd = open(file, O_RDONLY);

    if (fd < 0 || mmap(TEXT_AT, SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd,
                       0x100000) == MAP_FAILED)
        exit(1);
    idle = mmap(IDLE_AT, SIZE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
    if (idle == MAP_FAILED)
        exit(1);
    /* One page in thirty-two holds what a kernel's free lists leave behind. */
    for (i = 0; i < SIZE; i += 32 * 4096)
        memcpy(idle + i, TEXT_AT, 4096);
    for (i = 0; i < sizeof(pattern); i++)
        pattern[i] = (unsigned char)i;
}

int main(int argc, char **argv)
{
    int nr = argc > 1 ? atoi(argv[1]) : 1;
    unsigned long n;
    pthread_t t;
    long i;

    fill(argc > 2 ? argv[2] : argv[0]);
    pthread_barrier_init(&barrier, NULL, (unsigned int)nr);
    for (i = 1; i < nr; i++)
        pthread_create(&t, NULL, secondary, (void *)i);
    pthread_barrier_wait(&barrier);
    __asm__ volatile("int3");
    for (n = 0;; n++)
        work(n);
}
