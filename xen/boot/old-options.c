/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options that users of the first releases have in their boot menus and that
 * need nothing done: the trace buffers are not there yet, the heap takes what
 * it needs, and the interface's name is read by domain 0's network script out
 * of the command line.
 */
#include <hv/options.h>

static unsigned int unused __initdata;
static char ifname[10] __initdata = "eth0";

OPTION_UINT(tbuf_size, unused);
OPTION_UINT(xenheap_megabytes, unused);
OPTION_STRING(ifname, ifname);
