/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that computes until the debugger changes one of its registers. */
#include <stdio.h>

int main(void)
{
    puts("SPINS-READY");
    fflush(stdout);
    __asm__ volatile("xor %%r15d, %%r15d\n"
                     ".globl spin_from, spin_to\n"
                     "spin_from: test %%r15, %%r15\n"
                     "jz spin_from\n"
                     "spin_to:" ::: "r15", "cc");
    puts("SPUN");
    return 0;
}
