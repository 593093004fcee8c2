/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options that users of the first releases have in their boot menus and that
 * need nothing done: the trace buffers are not there yet, the heap takes what
 * it needs, and the interface's name is read by domain 0's network script out
 * of the command line.
 */
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/string.h>

static char ifname[10] __initdata = "eth0";
OPTION_STRING(ifname, ifname);

static int __init accept_number(const char *value, const char *why)
{
    const char *end;

    (void)strtoul(value, &end, 0);
    if (end == value || *end != '\0')
        return -EINVAL;
    log_info("%s\n", why);
    return 0;
}

static int __init parse_tbuf_size(const char *value)
{
    return accept_number(value, "tbuf_size= has no effect: there are no trace buffers yet.");
}
OPTION_CUSTOM(tbuf_size, parse_tbuf_size);

static int __init parse_xenheap(const char *value)
{
    return accept_number(value, "xenheap_megabytes= has no effect: the heap takes what it needs.");
}
OPTION_CUSTOM(xenheap_megabytes, parse_xenheap);
