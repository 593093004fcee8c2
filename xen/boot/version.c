/* SPDX-License-Identifier: GPL-2.0-only */
/* Who we are, at the top of the console. */
#include <hv/console.h>
#include <hv/printk.h>
#include <hv/version.h>

#include "version.h"

void __init print_banner(void)
{
    char id[BUILD_ID_HEX_MAX];

    log_info("Hypervisor for Xen PV guests, interface %u.%u%s (%s build, %s)\n",
             HV_VERSION_MAJOR, HV_VERSION_MINOR, HV_EXTRAVERSION, hv_build_type,
             hv_compiler);
    /* miniterm and people look for the symbols of this very build */
    build_id_hex(id);
    log_info("build-id: %s\n", id);
}
