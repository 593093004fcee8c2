/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's own functions by address. The table is made from the first
 * link (tools/make-symbols); it is in order and covers all code, the freed init
 * part included. Small, and read from the front: it is for dumps.
 */
#include <hv/cpu.h>
#include <hv/layout.h>
#include <hv/string.h>
#include <hv/types.h>

extern const u32 symbols_count;
extern const u8 symbols_table[];

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

/* A ULEB128 number at *p, which moves behind it. */
static unsigned long read_number(const u8 **p)
{
    unsigned long v = 0;
    unsigned int shift = 0;
    u8 byte;

    do {
        byte = *(*p)++;
        v |= (unsigned long)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return v;
}

/* Step to the next entry of the table: its name; *at becomes its distance. */
static const char *next_symbol(const u8 **p, unsigned long *at)
{
    const char *name;

    *at += read_number(p);
    name = (const char *)*p;
    *p += strlen(name) + 1;
    return name;
}

const char *symbol_lookup(unsigned long addr, unsigned long *offset,
                          unsigned long *size)
{
    unsigned long distance = addr - IMAGE_VIRT_START, at = 0, start = 0;
    const char *name = NULL, *next;
    const u8 *p = symbols_table;

    if (!is_hv_text(addr))
        return NULL;
    for (u32 i = 0; i < symbols_count; i++) {
        next = next_symbol(&p, &at);
        if (at > distance)
            break;
        name = next;
        start = at;
    }
    if (at == start)
        at = (unsigned long)hv_init_text_end - IMAGE_VIRT_START;
    *offset = distance - start;
    *size = at - start;
    return name;
}

const char *symbol_by_number(unsigned int n, unsigned long *addr)
{
    const u8 *p = symbols_table;
    const char *name = NULL;
    unsigned long at = 0;

    if (n >= symbols_count)
        return NULL;
    for (unsigned int i = 0; i <= n; i++)
        name = next_symbol(&p, &at);
    *addr = IMAGE_VIRT_START + at;
    return name;
}
