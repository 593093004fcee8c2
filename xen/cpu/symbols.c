/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's own functions by address. The table is made from the first
 * link (tools/make-symbols); it is sorted and covers all code, the freed init
 * part included.
 */
#include <hv/cpu.h>
#include <hv/layout.h>
#include <hv/types.h>

extern const u32 symbols_count;
extern const u32 symbols_offsets[], symbols_names[];
extern const char symbols_strings[];

extern const char hv_text_start[], hv_text_end[];
extern const char hv_init_text_start[], hv_init_text_end[];

/* Init code is gone once the boot is over. */
static bool init_freed;

void symbols_init_freed(void)
{
    init_freed = true;
}

bool is_hv_text(unsigned long addr)
{
    if (addr >= (unsigned long)hv_text_start &&
        addr < (unsigned long)hv_text_end)
        return true;
    return !init_freed && addr >= (unsigned long)hv_init_text_start &&
           addr < (unsigned long)hv_init_text_end;
}

const char *symbol_lookup(unsigned long addr, unsigned long *offset,
                          unsigned long *size)
{
    unsigned int low = 0, high = symbols_count;
    unsigned long distance = addr - IMAGE_VIRT_START;
    unsigned long end;

    if (!is_hv_text(addr) || high == 0 || distance < symbols_offsets[0])
        return NULL;
    /* offsets[low] <= distance < offsets[high] */
    while (high - low > 1) {
        unsigned int mid = (low + high) / 2;

        if (symbols_offsets[mid] <= distance)
            low = mid;
        else
            high = mid;
    }
    end = low + 1 < symbols_count
              ? symbols_offsets[low + 1]
              : (unsigned long)hv_init_text_end - IMAGE_VIRT_START;
    *offset = distance - symbols_offsets[low];
    *size = end - symbols_offsets[low];
    return symbols_strings + symbols_names[low];
}

const char *symbol_by_number(unsigned int n, unsigned long *addr)
{
    if (n >= symbols_count)
        return NULL;
    *addr = IMAGE_VIRT_START + symbols_offsets[n];
    return symbols_strings + symbols_names[n];
}
