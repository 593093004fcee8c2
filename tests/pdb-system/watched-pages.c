/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that gdb watches by the page, and the ways to write to it: plain, by a
 * string instruction, by a hypercall, after its page was mapped anew.  A second
 * virtual CPU writes all the time to a neighbour on the first page.  Built with
 * the lib of tests/guest.
 */
#include "second.h"

#define NOINLINE __attribute__((noinline))

struct {
    volatile ulong before;
    volatile uint8_t bytes[2 * PAGE_SIZE + 100];
    volatile ulong behind;
} room __attribute__((aligned(4096)));

volatile ulong single[6] __attribute__((aligned(4096)));
volatile ulong spins __attribute__((aligned(4096)));
volatile ulong seen;
volatile ulong racing; /* set by gdb: each CPU counts in its own; 2: slowly */
struct {
    volatile ulong counts[PAGE_SIZE / sizeof(ulong)];
    uint8_t nothing[PAGE_SIZE]; /* not mapped */
} race __attribute__((aligned(4096)));

static void second_main(void)
{
    for (;;) {
        for (int i = 0; i < 5000; i++)
            asm volatile("pause");
        while (racing) {
            for (ulong i = 0; i < 100 * (racing - 1); i++)
                asm volatile("pause");
            race.counts[1]++;
        }
        room.before++;
        spins++;
    }
}

NOINLINE void write_first(ulong n)
{
    room.bytes[0] = (uint8_t)n;
}

NOINLINE void write_far(ulong n)
{
    room.behind = n;
    room.bytes[2 * PAGE_SIZE + 99] = (uint8_t)n;
}

NOINLINE void write_string(ulong n)
{
    volatile uint8_t *at = &room.bytes[PAGE_SIZE + 500];
    ulong count = 3;

    asm volatile("rep stosb" : "+D"(at), "+c"(count) : "a"(n) : "memory");
}

NOINLINE void write_by_hypercall(void)
{
    CHECK_OK(hc_vcpu_op(VCPUOP_get_runstate_info, 0,
                        (void *)&room.bytes[PAGE_SIZE + 100]));
}

NOINLINE void write_mapped_anew(ulong n)
{
    volatile uint8_t *at = &room.bytes[PAGE_SIZE + 1000];

    CHECK_OK(make_ro(at));
    CHECK_OK(make_rw(at));
    CHECK_OK(mmuext1(MMUEXT_TLB_FLUSH_ALL, 0, 0));
    *at = (uint8_t)n;
}

/* The CPU idles before anything can be said of what the hypervisor has read. */
NOINLINE void wait_by_hypercall(void)
{
    struct sched_poll *p = (void *)&room.bytes[PAGE_SIZE + 208];

    *(volatile u64 *)&p->timeout = system_time() + 2000000;
    CHECK_OK(hc_sched_op(SCHEDOP_poll, p));
}

NOINLINE void look(void)
{
    seen = room.bytes[PAGE_SIZE];
}

NOINLINE void write_singles(ulong n)
{
    for (unsigned i = 0; i < ARRAY_SIZE(single); i++)
        single[i] = n;
}

/*
 * The rest of a store that reaches beyond race.counts: the debugger lets the
 * other CPU go on when a step has lasted 3 ms, and just then it is to end.
 */
static void end_slowly(struct regs *regs)
{
    static ulong turn;
    u64 end = system_time() + 2850000 + turn++ * 7919 % 250000;

    while (system_time() < end)
        ;
    regs->rdi = (ulong)&race.counts[0];
}

static void count(ulong how)
{
    ulong at = (ulong)race.nothing - 4;

    if (how == 1)
        race.counts[0]++;
    else
        asm volatile("mov %1, (%0)"
                     : "+D"(at)
                     : "a"(race.counts[0] + 1)
                     : "memory");
}

TEST(watched_pages)
{
    CHECK_OK(remap(race.nothing, 0));
    trap_handler_set(VEC_PF, end_slowly);
    REQUIRE(second_start(second_main, &spins));
    for (ulong n = 1;; n++) {
        while (racing)
            count(racing);
        write_first(n);
        write_far(n);
        write_string(n);
        write_by_hypercall();
        write_mapped_anew(n);
        wait_by_hypercall();
        look();
        write_singles(n);
    }
}
