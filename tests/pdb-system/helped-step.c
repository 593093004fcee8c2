/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two virtual CPUs, for steps of one that needs the other: an instruction of
 * the first faults, and its handler waits until the second has counted.  gdb
 * may send the second away, and have it back.  Built with the lib of
 * tests/guest.
 */
#include "second.h"

#define LOAD_LENGTH 3

volatile ulong spins, rounds; /* of the second and of the first */
volatile ulong goes, comes;   /* set by gdb: the second is to do that */

static void second_main(void)
{
    for (;;) {
        spins++;
        asm volatile(".globl counted\n"
                     "counted:");
        if (goes) {
            goes = 0;
            hc_vcpu_op(VCPUOP_down, 1, NULL);
        }
    }
}

static void wait_for_second(struct regs *regs)
{
    ulong old = spins;

    while (spins == old && !comes)
        asm volatile("pause");
    if (comes) {
        comes = 0;
        hc_vcpu_op(VCPUOP_up, 1, NULL);
    }
    regs->rip += LOAD_LENGTH;
}

TEST(helped_step)
{
    trap_handler_set(VEC_PF, wait_for_second);
    REQUIRE(second_start(second_main, &spins));
    for (;;) {
        asm volatile(".globl faulting_load\n"
                     "faulting_load: mov (%0), %0"
                     :
                     : "a"(UNMAPPED_VA)
                     : "memory");
        rounds++;
    }
}
