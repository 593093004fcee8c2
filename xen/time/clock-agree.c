/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Do the TSCs of all CPUs agree, and how do all CPUs get a new scale at once.
 *
 * They agree until proved otherwise: at the start of a CPU (both CPUs read in
 * turn), once a second if the CPUs do not promise a TSC that never stops, and
 * whenever a new scale is handed out.
 */
#include <hv/atomic.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/errno.h>
#include <hv/smp.h>
#include <hv/spinlock.h>
#include <hv/x86.h>

#include "clock-internal.h"

bool clock_tscs_agree = true;

/* --- a CPU that starts --- */

/*
 * The two CPUs read their TSCs in turn, under a lock: a reading smaller than
 * the one before, by the other, is a TSC that lags.
 */
#define WARP_ROUNDS 2000

static struct {
    spinlock_t lock;
    u32 arrived; /* stages, see meet(); 8: go on, 9: gone */
    u64 last;
    u64 worst; /* ticks */
    struct cpu_clock boot_clock;
} warp;

static void meet(u32 at)
{
    atomic_inc(&warp.arrived);
    while (READ_ONCE(warp.arrived) < at)
        cpu_relax();
}

static void read_in_turn(void)
{
    for (unsigned int i = 0; i < WARP_ROUNDS; i++) {
        u64 t;

        spin_lock(&warp.lock);
        t = rdtsc();
        if (t < warp.last)
            warp.worst = MAX(warp.worst, warp.last - t);
        else
            warp.last = t;
        spin_unlock(&warp.lock);
    }
}

/* Both ends of the test; true if the two TSCs are one clock. */
static bool warp_test(void)
{
    meet(2);
    read_in_turn();
    meet(4);
    return warp.worst == 0;
}

/* The boot CPU. */
void clock_assist_cpu(void)
{
    unsigned long flags = local_irq_save();

    warp.last = 0;
    warp.worst = 0;
    clock_read_scale(&warp.boot_clock);
    if (clock_tscs_agree && !warp_test())
        clock_tscs_differ();
    if (!clock_tscs_agree)
        clock_platform_advance();
    smp_wmb();
    atomic_set(&warp.arrived, 8); /* the new CPU may go on */
    while (READ_ONCE(warp.arrived) == 8)
        cpu_relax();
    atomic_set(&warp.arrived, 0);
    local_irq_restore(flags);
}

/* The new CPU. */
void clock_init_cpu(void)
{
    if (clock_tscs_agree)
        (void)warp_test();
    while (READ_ONCE(warp.arrived) != 8)
        cpu_relax();
    clock_calibrate_cpu(clock_tscs_agree ? &warp.boot_clock : NULL);
    atomic_set(&warp.arrived, 9);
}

/* --- CPUs that run --- */

static struct {
    u64 least, most; /* readings of the others */
} readings;

static void note_reading(void *unused)
{
    u64 t = rdtsc(), seen = READ_ONCE(readings.least);

    (void)unused;
    while (t < seen && !atomic_try_cmpxchg(&readings.least, &seen, t))
        continue;
    seen = READ_ONCE(readings.most);
    while (t > seen && !atomic_try_cmpxchg(&readings.most, &seen, t))
        continue;
}

/* A TSC that stopped for longer than this takes reads less than `before`. */
bool clock_tscs_check(void)
{
    cpumask_t others = cpu_online_map & ~cpumask_of(smp_processor_id());
    u64 before;

    if (!others)
        return true;
    readings.least = ~0UL;
    readings.most = 0;
    before = rdtsc();
    smp_call_function(others, note_reading, NULL, true);
    return readings.least >= before && readings.most <= rdtsc();
}

/*
 * A new scale for all. The boot CPU calls the others together; none leaves
 * before it has the new scale, so none of their guests reads a clock in
 * between, and the new scale begins with a time that none has read yet.
 *
 * It takes longer than it should if a CPU waits, with irqs off, for something
 * that one has which has come already: who has waited PATIENCE_US sends all
 * home, and comes again later.
 */
#define PATIENCE_US 20000

enum meeting_state { WAIT, GO, GO_HOME };

static struct {
    u32 phase;         /* number of the meeting * 4 + its state */
    cpumask_t present; /* atomics */
    struct cpu_clock clock;
    u64 hz;
    bool disagree;
} meeting;

static bool wait_for_presence(cpumask_t mask)
{
    u64 end = rdtsc() + (u64)tsc_khz * PATIENCE_US / 1000;

    while (READ_ONCE(meeting.present) != mask) {
        if (rdtsc() > end)
            return false;
        smp_poll_requests();
        cpu_relax();
    }
    return true;
}

/* Interrupt, or a CPU that waits for another. */
static void come_to_meeting(void *number)
{
    cpumask_t self = cpumask_of(smp_processor_id());
    u32 wait = (u32)(unsigned long)number * 4 + WAIT;

    note_reading(NULL);
    __atomic_fetch_or(&meeting.present, self, __ATOMIC_SEQ_CST);
    while (READ_ONCE(meeting.phase) == wait) {
        smp_poll_requests();
        cpu_relax();
    }
    if (READ_ONCE(meeting.phase) == wait + GO) {
        if (rdtsc() < meeting.clock.tsc_stamp)
            meeting.disagree = true;
        clock_install_copy(&meeting.clock, meeting.hz);
    }
    __atomic_fetch_and(&meeting.present, ~self, __ATOMIC_SEQ_CST);
}

/* All others wait: the time that begins here is later than all they know. */
static void hand_out(s_time_t step, u64 hz, u32 wait)
{
    u64 stamp = rdtsc();

    meeting.disagree = stamp < readings.most;
    clock_install(stamp, clock_time_at(stamp) + step, hz);
    clock_read_scale(&meeting.clock);
    meeting.hz = hz;
    smp_wmb();
    WRITE_ONCE(meeting.phase, wait + GO);
}

int clock_install_everywhere(s_time_t step, u64 hz)
{
    cpumask_t others = cpu_online_map & ~cpumask_of(smp_processor_id());
    u32 number = meeting.phase / 4 + 1, wait = number * 4 + WAIT;
    unsigned long flags = local_irq_save();
    bool all;

    readings.most = 0;
    WRITE_ONCE(meeting.phase, wait);
    if (others)
        smp_call_function(others, come_to_meeting,
                          (void *)(unsigned long)number, false);
    all = wait_for_presence(others);
    if (all)
        hand_out(step, hz, wait);
    else
        WRITE_ONCE(meeting.phase, wait + GO_HOME);
    while (READ_ONCE(meeting.present) != 0) {
        smp_poll_requests();
        cpu_relax();
    }
    local_irq_restore(flags);
    if (!all)
        return -EAGAIN;
    return meeting.disagree ? -EIO : 0;
}
