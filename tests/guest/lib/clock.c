/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the paravirtual clock: struct vcpu_time_info in <xen/xen.h>. */
#include "guest.h"

u64 system_time(void)
{
    return system_time_of(&vcpu0()->time);
}
