/* SPDX-License-Identifier: GPL-2.0-only */
/* Two virtual CPUs that share one CPU. */
#include "guest.h"

#define ALONE 1000000000UL /* ns */
#define TOGETHER (2 * ALONE)

static volatile u32 second_runs, stop;
static volatile u64 second_gap;
static char second_stack[8192] __attribute__((aligned(16)));

/* The longest time in ns that the CPU was away, from `last` on until `end` or
 * `*over`. */
static u64 longest_gap(u64 last, u64 end, const volatile u32 *over)
{
    u64 now = last, longest = 0;

    while (now < end && !*over) {
        now = system_time();
        if (now - last > longest)
            longest = now - last;
        last = now;
    }
    return longest;
}

static void second_main(void)
{
    second_runs = 1;
    second_gap = longest_gap(system_time(), ~0UL, &stop);
    second_runs = 0;
    hc_vcpu_op(VCPUOP_down, 1, NULL);
}

static long start_second(void)
{
    static struct vcpu_guest_context c;
    long rc;

    kernel_context(&c, second_main, END_OF(second_stack));
    rc = hc_vcpu_op(VCPUOP_initialise, 1, &c);
    return rc ? rc : hc_vcpu_op(VCPUOP_up, 1, NULL);
}

/* Who had the CPU for itself owes nothing for that to who comes later. */
TEST(newcomer_shares)
{
    u64 begin = system_time(), gap;

    (void)longest_gap(begin, begin + ALONE, &stop);
    begin = system_time();
    REQUIRE(CHECK_OK(start_second())); /* which may take the CPU at once */
    gap = longest_gap(begin, begin + TOGETHER, &stop);
    CHECK(second_runs);
    CHECK(gap < ALONE / 2);
    stop = 1;
    while (second_runs)
        asm volatile("pause");
    CHECK(second_gap < ALONE / 2);
}
