/* SPDX-License-Identifier: GPL-2.0-only */
/* What multiboot.c found; between the files of this floor. */
#ifndef HV_BOOT_MULTIBOOT_H
#define HV_BOOT_MULTIBOOT_H

#include <hv/boot.h>
#include <hv/mm.h>

/* The loader's memory map as it came. */
struct raw_memory_map {
    struct memory_region region[MAX_MEMORY_REGIONS];
    unsigned int nr;
};

/*
 * Read the loader's information at machine address `info` (below 4 GiB, in
 * head.S's mapping) into boot_info and *map.  Strings and tables are copied:
 * afterwards only the modules themselves are the loader's memory.
 * NULL, or what is wrong (a message for the user).
 */
const char *multiboot_read(u32 magic, maddr_t info,
                           struct raw_memory_map *map);

#endif
