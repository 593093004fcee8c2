/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Performance counters: always there, one increment of this CPU's own memory
 * each. perf.def lists them; debug keys p and P show and reset them.
 * Floor: lib.
 */
#ifndef HV_PERF_H
#define HV_PERF_H

#include <hv/percpu.h>

enum perf_counter {
#define PERF(name, text) PERF_##name,
#include <hv/perf.def>
#undef PERF
    NR_PERF_COUNTERS
};

/* Times between waking and running, by powers of two of a microsecond. */
#define NR_LATENCY_BUCKETS 24

struct perf_counts {
    u64 n[NR_PERF_COUNTERS];
    u32 latency[NR_LATENCY_BUCKETS];
};
DECLARE_PER_CPU(struct perf_counts, perf_counts);

#define perf_inc(name) ((void)this_cpu(perf_counts).n[PERF_##name]++)
#define perf_add(name, by)                                                     \
    ((void)(this_cpu(perf_counts).n[PERF_##name] += (by)))

static inline void perf_latency(s_time_t ns)
{
    unsigned int bucket = 63 - (unsigned int)__builtin_clzl((u64)ns / 1024 | 1);

    this_cpu(perf_counts).latency[MIN(bucket, NR_LATENCY_BUCKETS - 1U)]++;
}

#endif
