/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters' memory. */
#include <hv/perf.h>

DEFINE_PER_CPU(struct perf_counts, perf_counts);
