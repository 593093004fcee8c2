/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The paravirtual clock and its timers: struct vcpu_time_info in <xen/xen.h>,
 * set_timer_op, the timers of vcpu_op.
 */
#include "guest.h"

#define MS 1000000UL
#define SECOND (1000 * MS)
#define AT_LAST (30 * SECOND) /* only what never comes takes so long */

static evtchn_port_t timer_port;

static void timer_bind(void)
{
    if (!timer_port)
        timer_port = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);
    /* A virtual CPU may start with a tick of 10 ms. */
    CHECK_OK(hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    port_open(timer_port);
    port_forget(timer_port);
}

/* Waits, without blocking, at most `ns`: did the timer fire? */
static bool timer_fires_within(u64 ns)
{
    u64 end = system_time() + ns;

    while (!port_pending(timer_port)) {
        if (system_time() > end)
            return false;
    }
    port_forget(timer_port);
    return true;
}

TEST(time_record)
{
    const volatile struct vcpu_time_info *t = &vcpu0()->time;

    CHECK_EQ(t->version & 1, 0);
    CHECK(t->version != 0);
    CHECK(t->tsc_timestamp <= rdtsc());
    CHECK(t->tsc_to_system_mul != 0);
    CHECK(t->tsc_shift > -16 && t->tsc_shift < 16);
}

TEST(time_never_goes_back)
{
    u64 last = system_time(), now;
    unsigned back = 0;

    for (unsigned i = 0; i < 200000; i++) {
        now = system_time();
        back += now < last;
        last = now;
        if (i % 1000 == 0)
            hc_xen_version(XENVER_version, NULL);
    }
    CHECK_EQ(back, 0);
}

/* The record's factor against the TSC's frequency of CPUID. */
TEST(time_advances_as_the_tsc_says)
{
    u32 khz = cpuid_forced(XEN_CPUID_FIRST_LEAF + 3, 2).a;
    u64 before = rdtsc(), begin = system_time(), between = rdtsc();
    u64 end, ticks;

    REQUIRE(CHECK(khz > 0));
    while (rdtsc() - between < khz * 100UL) /* a tenth of a second */
        ;
    /* The host may take the CPU away between any two of these. */
    between = rdtsc() - between;
    end = system_time();
    before = rdtsc() - before;
    ticks = (end - begin) * khz / MS;
    CHECK(ticks > between / 100 * 95);
    CHECK(ticks < before / 100 * 105);
}

TEST(wall_clock)
{
    /* Boot time, so a second after midnight of 1970 plus system time. */
    CHECK(shared_info->wc_sec > 1577836800U);
    CHECK_EQ(shared_info->wc_version & 1, 0);
}

TEST(set_timer_fires)
{
    timer_bind();
    CHECK_OK(hc_set_timer_op(system_time() + 5 * MS));
    CHECK(timer_fires_within(AT_LAST));
}

TEST(set_timer_in_the_past)
{
    timer_bind();
    CHECK_OK(hc_set_timer_op(1));
    CHECK(timer_fires_within(AT_LAST));
}

TEST(set_timer_zero_stops)
{
    u64 at;

    timer_bind();
    /* Once more if the host lets that moment pass before the second call. */
    do {
        at = system_time() + 100 * MS;
        CHECK_OK(hc_set_timer_op(at));
        CHECK_OK(hc_set_timer_op(0));
    } while (system_time() >= at);
    port_forget(timer_port);
    CHECK(!timer_fires_within(200 * MS));
}

TEST(set_timer_far_away)
{
    timer_bind();
    CHECK_OK(hc_set_timer_op(system_time() + 3600 * SECOND));
    CHECK(!timer_fires_within(200 * MS));
    /* Beyond all reason it may fire early, but it is taken. */
    CHECK_OK(hc_set_timer_op(1UL << 62));
    CHECK_OK(hc_set_timer_op(0));
}

static long singleshot(u64 at, u32 flags)
{
    struct vcpu_set_singleshot_timer t = { .timeout_abs_ns = at,
                                           .flags = flags };
    return hc_vcpu_op(VCPUOP_set_singleshot_timer, 0, &t);
}

TEST(singleshot_fires)
{
    timer_bind();
    CHECK_OK(singleshot(system_time() + 5 * MS, 0));
    CHECK(timer_fires_within(AT_LAST));
    CHECK(!timer_fires_within(20 * MS));
}

TEST(singleshot_in_the_past)
{
    long rc;

    timer_bind();
    CHECK_OK(singleshot(1, 0));
    CHECK(timer_fires_within(AT_LAST));
    /* The flag asks for a refusal, which <xen/vcpu.h> leaves open. */
    rc = singleshot(1, VCPU_SSHOTTMR_future);
    CHECK(rc == 0 || rc == -XEN_ETIME);
    CHECK_EQ(timer_fires_within(rc == 0 ? AT_LAST : 100 * MS), rc == 0);
}

/* So far in the past that the difference to now has the wrong sign. */
TEST(singleshot_ages_ago)
{
    timer_bind();
    CHECK_OK(singleshot(1UL << 63, 0));
    CHECK(timer_fires_within(AT_LAST));
}

TEST(singleshot_far_away)
{
    timer_bind();
    CHECK_OK(singleshot(~0UL >> 1, 0));
    CHECK(!timer_fires_within(200 * MS));
    CHECK_OK(singleshot(system_time() + 5 * MS, 0));
    CHECK(timer_fires_within(AT_LAST));
}

TEST(singleshot_stops)
{
    u64 at;

    timer_bind();
    do {
        at = system_time() + 100 * MS;
        CHECK_OK(singleshot(at, 0));
        CHECK_OK(hc_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL));
    } while (system_time() >= at);
    port_forget(timer_port);
    CHECK(!timer_fires_within(200 * MS));
}

TEST(singleshot_bad)
{
    CHECK_BAD_POINTERS(sizeof(struct vcpu_set_singleshot_timer), -XEN_EFAULT,
                       hc_vcpu_op(VCPUOP_set_singleshot_timer, 0, bad));
}

TEST(periodic_timer)
{
    struct vcpu_set_periodic_timer t = { .period_ns = 10 * MS };

    timer_bind();
    CHECK_OK(hc_vcpu_op(VCPUOP_set_periodic_timer, 0, &t));
    for (unsigned i = 0; i < 3; i++)
        CHECK(timer_fires_within(AT_LAST));
    CHECK_OK(hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    port_forget(timer_port);
    CHECK(!timer_fires_within(100 * MS));
}

TEST(periodic_timer_bad)
{
    struct vcpu_set_periodic_timer t = { .period_ns = MS - 1 };

    CHECK_ERR(hc_vcpu_op(VCPUOP_set_periodic_timer, 0, &t), -XEN_EINVAL);
    t.period_ns = ~0UL;
    CHECK_ERR(hc_vcpu_op(VCPUOP_set_periodic_timer, 0, &t), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(t), -XEN_EFAULT,
                       hc_vcpu_op(VCPUOP_set_periodic_timer, 0, bad));
}

/* The upcall comes by itself into a loop that never calls. */
TEST(timer_interrupts_the_kernel)
{
    ulong before = upcalls;
    u64 end = system_time() + AT_LAST;

    timer_bind();
    CHECK_OK(hc_set_timer_op(system_time() + 5 * MS));
    vcpu0()->evtchn_upcall_mask = 0;
    while (upcalls == before && system_time() < end)
        ;
    vcpu0()->evtchn_upcall_mask = 1;
    CHECK(upcalls > before);
    port_forget(timer_port);
}
