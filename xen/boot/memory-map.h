/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_BOOT_MEMORY_MAP_H
#define HV_BOOT_MEMORY_MAP_H

#include <hv/mm.h>

/*
 * Put in[n] in order into out[max]; edges: room for 2 * n numbers. The higher
 * type wins where entries overlap. Returns the number of entries in out.
 */
unsigned int memory_map_sort(const struct memory_region *in, unsigned int n,
                             struct memory_region *out, unsigned int max,
                             u64 *edges);

#endif
