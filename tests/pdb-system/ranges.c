/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process whose memory is watched by the page: `table` is written all over,
 * between neighbours on its first and last page.  SIGUSR1 writes to `late`,
 * which has no memory before; SIGUSR2 makes a child, which goes on writing to
 * its own copies.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define PAGE 4096

struct {
    volatile long before;
    volatile char table[3 * PAGE];
    volatile long behind;
} room __attribute__((aligned(PAGE)));
volatile char late[PAGE] __attribute__((aligned(PAGE)));
static volatile sig_atomic_t wanted;

static void on_signal(int number)
{
    wanted = number;
}

__attribute__((noinline)) void store(unsigned long n)
{
    room.table[n * 1237 % sizeof(room.table)] = (char)n;
}

__attribute__((noinline)) void touch(void)
{
    late[7] = 'x';
}

int main(void)
{
    unsigned long n;

    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);
    for (n = 0; n < sizeof(room.table); n++)
        room.table[n] = 1;
    puts("RANGES-READY");
    fflush(stdout);
    for (n = 0;; n++) {
        room.before = (long)n;
        room.behind = (long)n;
        store(n);
        getppid();
        usleep(20000);
        if (wanted == SIGUSR1)
            touch();
        else if (wanted == SIGUSR2)
            fork();
        wanted = 0;
    }
}
