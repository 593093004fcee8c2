/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_BOOT_MACHINE_MEMORY_H
#define HV_BOOT_MACHINE_MEMORY_H

#include "multiboot.h"

/*
 * Fill memory_map[] from the loader's map and reserve what the allocator must
 * not get: the image, the modules, all below 1 MiB (firmware's data, and the
 * page where other CPUs start: smp/).
 */
void machine_memory_init(const struct raw_memory_map *raw);

#endif
