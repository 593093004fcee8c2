/* SPDX-License-Identifier: GPL-2.0-only */
/* boot/memory-map.c: fixed cases, and random maps against a page-wise model. */
#include <hv/string.h>
#include <memory-map.h>

#include "check.h"

#define MAX_IN 16
#define PAGES 64

static struct memory_region out[2 * MAX_IN];
static u64 edges[2 * MAX_IN];

static unsigned int sort(const struct memory_region *in, unsigned int n)
{
    return memory_map_sort(in, n, out, ARRAY_SIZE(out), edges);
}

static void test_fixed(void)
{
    static const struct memory_region unsorted[] = {
        {0x100000, 0x100000, E820_RAM}, {0, 0x9fc00, E820_RAM},
        {0x9fc00, 0x400, E820_RESERVED}, {0x200000, 0x1000, E820_RAM},
        {0x300000, 0, E820_RAM},
    };
    static const struct memory_region wraps[] = {
        {~0UL - 0xfff, 0x5000, E820_RESERVED}};
    static const struct memory_region bad_inside[] = {
        {0, 0x10000, E820_RAM}, {0x4000, 0x1000, E820_UNUSABLE}};

    CHECK(sort(unsorted, 5) == 3);
    CHECK(out[0].size == 0x9f000 && out[1].start == 0x9fc00);
    CHECK(out[2].start == 0x100000 && out[2].size == 0x101000);
    CHECK(sort(wraps, 1) == 1 && out[0].start == ~0UL - 0xfff);
    CHECK(sort(bad_inside, 2) == 3 && out[1].type == E820_UNUSABLE);
    CHECK(sort(NULL, 0) == 0);
}

/* RAM in the result if and only if the page is RAM and nothing else. */
static bool page_is_right(const struct memory_region *in, unsigned int n,
                          unsigned int nr_out, u64 page)
{
    bool ram = false, other = false, found = false;

    for (unsigned int i = 0; i < n; i++) {
        u64 first = in[i].start, last = in[i].start + in[i].size;

        if (in[i].size == 0)
            continue;
        if (in[i].type == E820_RAM)
            ram |= first <= page && last >= page + PAGE_SIZE;
        else
            other |= first < page + PAGE_SIZE && last > page;
    }
    for (unsigned int i = 0; i < nr_out; i++)
        found |= out[i].type == E820_RAM && out[i].start <= page &&
                 out[i].start + out[i].size >= page + PAGE_SIZE;
    return found == (ram && !other);
}

/* One RAM entry, so that the model needs no unions, and others on top. */
static void test_random(void)
{
    bool right = true, ordered = true;

    for (unsigned int round = 0; round < 5000; round++) {
        struct memory_region in[MAX_IN];
        unsigned int n = 1 + random_number() % (MAX_IN - 1), nr_out;

        for (unsigned int i = 0; i < n; i++)
            in[i] = (struct memory_region){
                random_number() % (PAGES * PAGE_SIZE),
                random_number() % (8 * PAGE_SIZE),
                i == 0 ? E820_RAM : 2 + random_number() % 12};
        in[0].size = random_number() % (PAGES * PAGE_SIZE);
        nr_out = sort(in, n);
        for (u64 p = 0; p < 2 * PAGES; p++)
            right &= page_is_right(in, n, nr_out, p * PAGE_SIZE);
        for (unsigned int i = 1; i < nr_out; i++)
            ordered &= out[i - 1].start + out[i - 1].size <= out[i].start;
    }
    CHECK(right);
    CHECK(ordered);
}

void test_memory_map(void)
{
    test_fixed();
    test_random();
}
