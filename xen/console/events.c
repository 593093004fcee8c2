/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last events: one ring for all CPUs, without a lock, as it is written from
 * NMIs as well.  The same event again is counted, so that one that repeats
 * does not push out the others.
 */
#include <hv/atomic.h>
#include <hv/events.h>
#include <hv/percpu.h>
#include <hv/printk.h>

#include "internal.h"

#define NR_EVENTS 32U /* power of two */

static struct event {
    s_time_t at;
    const char *what;
    unsigned int a, b, cpu, times;
} events[NR_EVENTS];
static u32 nr_events; /* ever; the next one goes to nr_events % NR_EVENTS */

void note_event(const char *what, unsigned int a, unsigned int b)
{
    unsigned int cpu = smp_processor_id();
    struct event *e = &events[(nr_events - 1) % NR_EVENTS];

    if (e->what == what && e->a == a && e->b == b && e->cpu == cpu) {
        e->at = printk_now();
        e->times++;
        return;
    }
    e = &events[__atomic_fetch_add(&nr_events, 1, __ATOMIC_RELAXED) %
                NR_EVENTS];
    e->what = NULL;
    e->at = printk_now();
    e->a = a;
    e->b = b;
    e->cpu = cpu;
    e->times = 1;
    WRITE_ONCE(e->what, what);
}

void events_dump(void)
{
    s_time_t t = printk_now();
    u32 end = READ_ONCE(nr_events);

    printk("Last events (ms ago, CPU, what):\n");
    for (u32 i = end > NR_EVENTS ? end - NR_EVENTS : 0; i != end; i++) {
        const struct event *e = &events[i % NR_EVENTS];

        if (!READ_ONCE(e->what))
            continue;
        printk("  %10ld CPU%u %s %u %u", (t - e->at) / 1000000, e->cpu,
               e->what, e->a, e->b);
        if (e->times > 1)
            printk(" (%u times)", e->times);
        printk("\n");
    }
}
