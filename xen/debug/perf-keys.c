/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug keys for what is counted: p and P, l and L, k. */
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/debug.h>
#include <hv/perf.h>
#include <hv/printk.h>
#include <hv/spinlock.h>
#include <hv/string.h>

static const char *const texts[NR_PERF_COUNTERS] = {
#define PERF(name, text) [PERF_##name] = text,
#include <hv/perf.def>
#undef PERF
};

static void show_counter(unsigned int i)
{
    unsigned int cpu;
    u64 total = 0;

    for_each_online_cpu (cpu)
        total += per_cpu(perf_counts, cpu).n[i];
    printk("%-34s TOTAL[%10lu]", texts[i], total);
    for_each_online_cpu (cpu)
        printk(" CPU%u[%10lu]", cpu, per_cpu(perf_counts, cpu).n[i]);
    printk("\n");
}

static void key_counters(u8 key)
{
    (void)key;
    printk("Counters at %ld ms since boot:\n", now() / 1000000);
    for (unsigned int i = 0; i < NR_PERF_COUNTERS; i++)
        show_counter(i);
}

static void key_reset_counters(u8 key)
{
    unsigned int cpu;

    (void)key;
    for_each_online_cpu (cpu)
        memset(per_cpu(perf_counts, cpu).n, 0,
               sizeof(per_cpu(perf_counts, cpu).n));
    printk("All counters start from 0 again.\n");
}

/* Buckets up to the last one that is not empty. */
static void key_latency(u8 key)
{
    unsigned int cpu, last = 0;
    u64 sum[NR_LATENCY_BUCKETS] = {0};

    (void)key;
    for_each_online_cpu (cpu)
        for (unsigned int i = 0; i < NR_LATENCY_BUCKETS; i++)
            sum[i] += per_cpu(perf_counts, cpu).latency[i];
    for (unsigned int i = 0; i < NR_LATENCY_BUCKETS; i++)
        last = sum[i] != 0 ? i : last;
    printk("vCPUs that waited for a CPU so long:\n");
    for (unsigned int i = 0; i <= last; i++)
        printk("  < %8lu us: %lu\n", 2UL << i, sum[i]);
}

static void key_reset_latency(u8 key)
{
    unsigned int cpu;

    (void)key;
    for_each_online_cpu (cpu)
        memset(per_cpu(perf_counts, cpu).latency, 0,
               sizeof(per_cpu(perf_counts, cpu).latency));
    printk("All waits start from 0 again.\n");
}

static void key_locks(u8 key)
{
    (void)key;
    locks_dump(tsc_khz);
}

static const struct debug_key keys[] = {
    {'p', false, true, "performance counters", key_counters},
    {'P', false, false, "reset the performance counters",
     key_reset_counters},
    {'k', false, true, "locks held long, and now", key_locks},
    {'l', false, true, "how long vCPUs wait for a CPU", key_latency},
    {'L', false, false, "reset what l shows", key_reset_latency},
};

void perf_keys_register(void)
{
    debug_keys_register(keys, ARRAY_SIZE(keys));
}
