/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process to be debugged from below: counts, and calls step() with each
 * count.  getppid() is its knock at the kernel's door.
 */
#include <stdio.h>
#include <unistd.h>

volatile unsigned long counter;

__attribute__((noinline)) void step(unsigned long n)
{
    counter = n;
}

int main(void)
{
    unsigned long n;

    puts("DEMO-READY");
    fflush(stdout);
    for (n = 0;; n++) {
        step(n);
        getppid();
        usleep(20000 + (counter & 1));
    }
}
