/* SPDX-License-Identifier: GPL-2.0-only */
/* Turns the places of .smap_patch into STAC/CLAC through the direct map. */
#include <hv/compiler.h>
#include <hv/layout.h>
#include <hv/smap.h>

extern const struct {
    s32 where; /* relative to itself */
    u32 last;  /* third byte of 0f 01 xx */
} smap_patch_start[], smap_patch_end[];

void __init smap_patch(void)
{
    unsigned long n = (unsigned long)(smap_patch_end - smap_patch_start);

    for (unsigned long i = 0; i < n; i++) {
        unsigned long at = (unsigned long)&smap_patch_start[i].where +
                           (long)smap_patch_start[i].where;
        u8 *p = (u8 *)(at - IMAGE_VIRT_START + IMAGE_PHYS_START +
                       DIRECTMAP_VIRT_START);

        p[1] = 0x01;
        p[2] = (u8)smap_patch_start[i].last;
    }
}
