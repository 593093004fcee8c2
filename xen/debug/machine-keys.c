/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug keys that tell what this machine and this build are. */
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/debug.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/version.h>

/* For a report: which image, made by what, started how. */
static void key_version(u8 key)
{
    (void)key;
    printk("Xen %u.%u%s (%s), %s, %s\n", HV_VERSION_MAJOR, HV_VERSION_MINOR,
           HV_EXTRAVERSION, hv_build_type, hv_compiler, hv_changeset);
    printk("Command line: %s\n", version_cmdline());
}

static void key_devices(u8 key)
{
    (void)key;
    pci_devices_dump();
}

static void key_numa(u8 key)
{
    (void)key;
    printk("NUMA: taken as one node: %u CPUs, %lu KiB of RAM, %lu KiB free\n",
           nr_cpus_online, nr_total_pages() << 2, nr_free_pages() << 2);
}

static const struct debug_key keys[] = {
    {'?', false, true, "version and command line", key_version},
    {'Q', false, true, "PCI devices that domain 0 reported", key_devices},
    {'u', false, true, "memory and CPUs by node", key_numa},
};

void machine_keys_register(void)
{
    debug_keys_register(keys, ARRAY_SIZE(keys));
}
