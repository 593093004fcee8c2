/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine's memory map put in order.  Firmware hands out entries unsorted,
 * overlapping, empty or wrapping; afterwards they are sorted, disjoint,
 * merged, and RAM starts and ends on page boundaries.  Pure functions: also
 * built for host tests.
 */
#include <hv/boot.h>
#include <hv/mm.h>

#include "memory-map.h"

/* Where two entries disagree the one with the higher rank is believed. */
static unsigned int rank(u32 type)
{
    switch (type) {
    case E820_RAM: return 1;
    case E820_ACPI: return 3;
    case E820_NVS: return 4;
    case E820_UNUSABLE: return 5;
    default: return 2; /* reserved, and what we do not know */
    }
}

static void sort_edges(u64 *edge, unsigned int n)
{
    for (unsigned int i = 1; i < n; i++) {
        u64 e = edge[i];
        unsigned int j = i;

        for (; j > 0 && edge[j - 1] > e; j--)
            edge[j] = edge[j - 1];
        edge[j] = e;
    }
}

/* Type of the bytes at `at`; 0: nothing covers them. */
static u32 type_at(const struct memory_region *in, unsigned int n, u64 at)
{
    u32 best = 0;

    for (unsigned int i = 0; i < n; i++)
        if (in[i].size != 0 && at >= in[i].start &&
            at - in[i].start < in[i].size &&
            (best == 0 || rank(in[i].type) > rank(best)))
            best = in[i].type;
    return best;
}

/* Append [start, end), merged with the last one if it continues it. */
static unsigned int append(struct memory_region *out, unsigned int n,
                           unsigned int max, struct memory_region r)
{
    struct memory_region *last = n ? &out[n - 1] : NULL;

    if (r.type == 0)
        return n;
    if (last && last->type == r.type && last->start + last->size == r.start)
        last->size += r.size;
    else if (n < max)
        out[n++] = r;
    return n;
}

/* RAM keeps its whole pages only. Returns the new count. */
static unsigned int clip_ram(struct memory_region *map, unsigned int n)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < n; i++) {
        struct memory_region r = map[i];

        if (r.type == E820_RAM) {
            u64 start = ROUND_UP(r.start, PAGE_SIZE);
            u64 end = ROUND_DOWN(r.start + r.size, PAGE_SIZE);

            if (start >= end)
                continue;
            r.start = start;
            r.size = end - start;
        }
        map[kept++] = r;
    }
    return kept;
}

unsigned int memory_map_sort(const struct memory_region *in, unsigned int n,
                             struct memory_region *out, unsigned int max,
                             u64 *edges)
{
    unsigned int nr_edges = 0, nr_out = 0;

    for (unsigned int i = 0; i < n; i++) {
        u64 end = in[i].start + in[i].size;

        if (end < in[i].start)
            end = ~0UL;
        if (in[i].size == 0)
            continue;
        edges[nr_edges++] = in[i].start;
        edges[nr_edges++] = end;
    }
    sort_edges(edges, nr_edges);
    for (unsigned int i = 0; i + 1 < nr_edges; i++) {
        u64 size = edges[i + 1] - edges[i];

        if (size != 0)
            nr_out = append(out, nr_out, max,
                            (struct memory_region){
                                edges[i], size, type_at(in, n, edges[i])});
    }
    return clip_ram(out, nr_out);
}
