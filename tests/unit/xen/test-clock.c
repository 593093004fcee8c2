/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * time/clock-steer.h on machines that nobody has at hand: CPUs whose TSCs have
 * different rates and offsets, stop or jump, steered by each platform timer.
 */
#include "check.h"

#include "../../../xen/time/clock-steer.h"

#define NR_FAKES 4
#define SPAN 1000000000L
#define READ_NS 800 /* a sample's two halves are at most so far apart */

struct fake_cpu {
    u64 hz, offset;
    s_time_t lost; /* ns in which its TSC stood still, or ran ahead: < 0 */
    u64 last_tsc;  /* of the latest sample */
    s_time_t last_time;
    struct clock_rate rate;
    struct cpu_clock clock;
};

static struct fake_cpu fakes[NR_FAKES];
static u64 timer_hz;

static u64 scaled(u64 a, u64 b, u64 c)
{
    return (u64)((unsigned __int128)a * b / c);
}

static u64 tsc_at(const struct fake_cpu *f, s_time_t t)
{
    return f->offset + scaled((u64)(t - f->lost), f->hz, 1000000000);
}

/* What the timer says: whole ticks only. */
static s_time_t timer_at(s_time_t t)
{
    return (s_time_t)scaled(scaled((u64)t, timer_hz, 1000000000), 1000000000,
                            timer_hz);
}

static s_time_t clock_at(const struct fake_cpu *f, s_time_t t)
{
    return clock_scale(&f->clock, tsc_at(f, t));
}

static void start(struct fake_cpu *f, u64 hz, u64 offset)
{
    *f = (struct fake_cpu){.hz = hz, .offset = offset};
    f->rate.hz = hz + hz / 10000; /* measured in a hurry: off by 100 ppm */
    f->clock.tsc_stamp = f->last_tsc = tsc_at(f, 0);
    clock_set_frequency(&f->clock, f->rate.hz);
}

static void steer(struct fake_cpu *f, s_time_t t)
{
    s_time_t late = (s_time_t)(random_number() % READ_NS);
    u64 tsc = tsc_at(f, t);
    s_time_t target = timer_at(t + late - READ_NS / 2);
    s_time_t before = clock_scale(&f->clock, tsc), mine = before;
    u64 hz;

    if (tsc > f->last_tsc)
        clock_rate_measured(&f->rate,
                            scaled(tsc - f->last_tsc, 1000000000,
                                   (u64)(target - f->last_time)));
    f->last_tsc = tsc;
    f->last_time = target;
    hz = clock_steer(&mine, target, f->rate.hz, SPAN);
    f->clock.tsc_stamp = tsc;
    f->clock.system_base = mine;
    clock_set_frequency(&f->clock, hz);
    CHECK(mine >= before);
    CHECK(clock_scale(&f->clock, tsc) == mine);
}

/* Largest difference between two CPUs at t. */
static s_time_t spread(s_time_t t)
{
    s_time_t least = clock_at(&fakes[0], t), most = least;

    for (unsigned int i = 1; i < NR_FAKES; i++) {
        s_time_t c = clock_at(&fakes[i], t);

        least = MIN(least, c);
        most = MAX(most, c);
    }
    return most - least;
}

/* A second; the CPUs sample one after the other. Returns the worst spread. */
static s_time_t one_second(unsigned int number)
{
    s_time_t t = (s_time_t)number * SPAN, worst = 0;

    for (unsigned int i = 0; i < NR_FAKES; i++)
        steer(&fakes[i], t + (s_time_t)i * 5000);
    for (unsigned int i = 0; i < 20; i++) {
        s_time_t at = t + 100000 +
                      (s_time_t)(random_number() % (SPAN - 100000));

        worst = MAX(worst, spread(at));
    }
    return worst;
}

static void start_all(u64 hz)
{
    timer_hz = hz;
    start(&fakes[0], 2300000000, 0);
    start(&fakes[1], 2300000000, 987654321);
    start(&fakes[2], 2350000000, 1UL << 62);
    start(&fakes[3], 999999999, 5);
}

/* Half an hour: never further apart than samples are wrong. */
static void test_rates_and_offsets(u64 hz)
{
    s_time_t tick = 1000000000 / (s_time_t)hz + 1, worst = 0;

    start_all(hz);
    for (unsigned int i = 1; i < 1800; i++) {
        s_time_t now = one_second(i);

        if (i > 3) /* the first rates are wrong by 100 us a second */
            worst = MAX(worst, now);
    }
    CHECK(worst <= 4 * (tick + READ_NS));
    CHECK(worst > 0);
}

static void test_stops_and_jumps(u64 hz)
{
    s_time_t tick = 1000000000 / (s_time_t)hz + 1;
    unsigned int i;

    start_all(hz);
    for (i = 1; i < 10; i++)
        (void)one_second(i);
    fakes[1].lost += SPAN * 3 / 10; /* it stood in a deep sleep */
    CHECK(spread((s_time_t)i * SPAN - 1) > SPAN / 5);
    for (; i < 14; i++)
        (void)one_second(i);
    CHECK(one_second(i++) <= 4 * (tick + READ_NS));
    fakes[2].lost -= SPAN / 50; /* the firmware wrote it */
    for (unsigned int end = i + 4; i < end; i++)
        (void)one_second(i);
    CHECK(one_second(i) <= 4 * (tick + READ_NS));
}

/* A CPU of old, whose TSC slows down with it for good. */
static void test_rate_changes(u64 hz)
{
    s_time_t tick = 1000000000 / (s_time_t)hz + 1;
    unsigned int i;

    start_all(hz);
    for (i = 1; i < 10; i++)
        (void)one_second(i);
    fakes[1].offset = tsc_at(&fakes[1], (s_time_t)i * SPAN) -
                      scaled((u64)i * SPAN, 1600000000, 1000000000);
    fakes[1].hz = 1600000000;
    for (; i < 20; i++)
        (void)one_second(i);
    CHECK(one_second(i) <= 4 * (tick + READ_NS));
}

static void test_frequencies(void)
{
    static const u64 hz[] = {1000000,    32768000,   1000000000,
                             1000000001, 2000000000, 2000000001,
                             2300000000, 5000000000, 9999999999};

    for (unsigned int i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
        struct cpu_clock c = {.tsc_stamp = 77, .system_base = 5};
        s_time_t t;

        clock_set_frequency(&c, hz[i]);
        CHECK(c.tsc_to_system_mul >= 1U << 31);
        CHECK(clock_scale(&c, 77) == 5);
        t = clock_scale(&c, 77 + hz[i] * 1000) - 5;
        CHECK(t > 999999990000 && t < 1000000010000);
    }
}

/* Never from the future into the past, at any rate and for any timer. */
static void test_far_timers(void)
{
    for (u64 rate = 1UL << 22; rate < 16UL << 32; rate = rate * 3 / 2) {
        u64 last = 0;

        for (unsigned int bit = 0; bit < 64; bit++) {
            u64 ticks = clock_ticks((1UL << bit) - 1 + (1UL << bit), rate);

            CHECK(ticks >= last);
            last = ticks;
        }
        CHECK(last < 1UL << 63);
    }
}

void test_clock(void)
{
    static const u64 timers[] = {100000000, 14318180, 3579545, 1193182};

    test_frequencies();
    test_far_timers();
    for (unsigned int i = 0; i < 4; i++) {
        test_rates_and_offsets(timers[i]);
        test_stops_and_jumps(timers[i]);
        test_rate_changes(timers[i]);
    }
}
