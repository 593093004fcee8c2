/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory before the page allocator: RAM of memory_map[] minus what the boot
 * code reserved. Allocations are reserved in turn and stay for ever.
 */
#include <hv/bug.h>
#include <hv/mm.h>
#include <hv/printk.h>

#define MAX_RESERVED 64

struct memory_region memory_map[MAX_MEMORY_REGIONS];
unsigned int nr_memory_regions;

/* Sorted by start, not overlapping. */
static struct {
    maddr_t start, end;
} reserved[MAX_RESERVED] __initdata;
static unsigned int nr_reserved __initdata;

void __init boot_reserve(maddr_t start, maddr_t end)
{
    unsigned int i, j;

    start = ROUND_DOWN(start, PAGE_SIZE);
    end = ROUND_UP(end, PAGE_SIZE);
    for (i = 0; i < nr_reserved && reserved[i].end < start; i++)
        continue;
    for (j = i; j < nr_reserved && reserved[j].start <= end; j++) {
        start = MIN(start, reserved[j].start);
        end = MAX(end, reserved[j].end);
    }
    if (j == i) {
        if (nr_reserved == MAX_RESERVED)
            panic("Too many reserved memory ranges at boot");
        for (j = nr_reserved++; j > i; j--)
            reserved[j] = reserved[j - 1];
    } else {
        unsigned int gone = j - i - 1;

        for (nr_reserved -= gone, j = i + 1; j < nr_reserved; j++)
            reserved[j] = reserved[j + gone];
    }
    reserved[i].start = start;
    reserved[i].end = end;
}

/*
 * Highest aligned block of `size` bytes in [start, end) that no reservation
 * touches; 0 if there is none.
 */
static maddr_t __init fit_high(maddr_t start, maddr_t end, size_t size,
                               size_t align)
{
    unsigned int i = nr_reserved;

    while (end >= size && end - size >= start) {
        maddr_t at = ROUND_DOWN(end - size, align);

        if (at < start)
            return 0;
        while (i && reserved[i - 1].start >= at + size)
            i--;
        if (!i || reserved[i - 1].end <= at)
            return at;
        end = reserved[i - 1].start;
    }
    return 0;
}

maddr_t __init boot_alloc(size_t size, size_t align, maddr_t limit)
{
    maddr_t best = 0;

    size = ROUND_UP(size, PAGE_SIZE);
    align = MAX(align, PAGE_SIZE);
    for (unsigned int i = 0; i < nr_memory_regions; i++) {
        const struct memory_region *r = &memory_map[i];
        maddr_t at;

        if (r->type != E820_RAM)
            continue;
        at = fit_high(MAX(r->start, PAGE_SIZE), MIN(r->start + r->size, limit),
                      size, align);
        best = MAX(best, at);
    }
    if (!best)
        panic("Not enough memory: no %zu KiB free below %#lx. Give the machine more RAM or smaller modules.",
              size >> 10, limit);
    boot_reserve(best, best + size);
    return best;
}

void __init boot_for_each_free(void (*fn)(maddr_t start, maddr_t end))
{
    for (unsigned int i = 0; i < nr_memory_regions; i++) {
        maddr_t at = ROUND_UP(memory_map[i].start, PAGE_SIZE);
        maddr_t end = ROUND_DOWN(memory_map[i].start + memory_map[i].size,
                                 PAGE_SIZE);

        if (memory_map[i].type != E820_RAM)
            continue;
        for (unsigned int j = 0; j < nr_reserved && at < end; j++) {
            if (reserved[j].end <= at)
                continue;
            if (reserved[j].start >= end)
                break;
            if (reserved[j].start > at)
                fn(at, reserved[j].start);
            at = reserved[j].end;
        }
        if (at < end)
            fn(at, end);
    }
}
