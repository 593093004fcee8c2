/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine's RAM: what there is, what is broken, what is taken already. */
#include <hv/bug.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/string.h>

#include "machine-memory.h"
#include "memory-map.h"

#define MAX_BAD_PAGES 32

extern const char hv_image_start[], hv_image_end[];

/* badpage=<hex mfn>[-<hex mfn>],... */
static char badpage[200] __initdata;
OPTION_STRING(badpage, badpage);

/* ignorebiostables: trust nothing but the memory sizes; see irq/, smp/. */
static struct raw_memory_map input __initdata;
static u64 edges[2 * MAX_MEMORY_REGIONS] __initdata;

static const char *__init type_name(u32 type)
{
    static const char *const names[] __initconst = {
        "?", "usable", "reserved", "ACPI data", "ACPI NVS", "unusable"};

    return type < ARRAY_SIZE(names) ? names[type] : names[0];
}

/* One element of badpage=; returns what follows it, NULL if malformed. */
static const char *__init add_bad_range(const char *s)
{
    const char *end;
    unsigned long first = strtoul(s, &end, 16), last = first;

    if (end == s)
        return NULL;
    if (*end == '-') {
        s = end + 1;
        last = strtoul(s, &end, 16);
        if (end == s || last < first)
            return NULL;
    }
    if (input.nr < MAX_MEMORY_REGIONS && last < (1UL << 40))
        input.region[input.nr++] = (struct memory_region){
            first << PAGE_SHIFT, (last - first + 1) << PAGE_SHIFT,
            E820_UNUSABLE};
    log_info("Pages %#lx-%#lx are not used (badpage=).\n", first, last);
    return *end == ',' ? end + 1 : *end == '\0' ? end : NULL;
}

static void __init add_bad_pages(void)
{
    const char *s = badpage;

    while (*s != '\0') {
        const char *next = add_bad_range(s);

        if (!next) {
            log_error("ERROR: badpage=: '%s': hexadecimal page numbers, separated by commas, are wanted; the rest is ignored.\n",
                      s);
            return;
        }
        s = next;
    }
}

static void __init show_map(void)
{
    u64 usable = 0;

    log_info("Memory map:\n");
    for (unsigned int i = 0; i < nr_memory_regions; i++) {
        const struct memory_region *r = &memory_map[i];

        log_info(" %016lx - %016lx (%s)\n", r->start, r->start + r->size,
                 type_name(r->type));
        if (r->type == E820_RAM)
            usable += r->size;
    }
    log_info("System RAM: %lu MiB (%lu KiB)\n", usable >> 20, usable >> 10);
}

static void __init reserve_boot_memory(void)
{
    boot_reserve(0, 1UL << 20);
    boot_reserve(virt_to_maddr_image(hv_image_start),
                 virt_to_maddr_image(hv_image_end));
    for (unsigned int i = 0; i < boot_info.nr_modules; i++) {
        const struct boot_module *m = &boot_info.modules[i];

        log_info("Module %u: %016lx - %016lx (%lu KiB): %s\n", i, m->start,
                 m->start + m->size, m->size >> 10, m->cmdline);
        boot_reserve(m->start, m->start + m->size);
    }
}

void __init machine_memory_init(const struct raw_memory_map *raw)
{
    input = *raw;
    add_bad_pages();
    nr_memory_regions = memory_map_sort(input.region, input.nr, memory_map,
                                        MAX_MEMORY_REGIONS, edges);
    show_map();
    reserve_boot_memory();
}
