/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the paravirtual clock: struct vcpu_time_info in <xen/xen.h>. */
#include "guest.h"

static u64 scale(u64 ticks, u32 mul, int shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (u64)(((unsigned __int128)ticks * mul) >> 32);
}

u64 system_time_of(const volatile struct vcpu_time_info *t)
{
    u32 version;
    u64 now;

    do {
        version = t->version;
        barrier();
        now = t->system_time + scale(rdtsc() - t->tsc_timestamp,
                                     t->tsc_to_system_mul, t->tsc_shift);
        barrier();
    } while ((version & 1) || version != t->version);
    return now;
}

u64 system_time(void)
{
    return system_time_of(&vcpu0()->time);
}
