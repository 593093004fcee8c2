/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device memory that domains may not have, or only read: the hypervisor's own
 * devices (local and I/O APICs, interrupt tables). A short sorted-by-arrival
 * list, written during the boot and when domain 0 sets up MSI-X.
 */
#include <hv/mm.h>
#include <hv/printk.h>

#define MAX_RANGES 64

static struct {
    unsigned long first, last;
    enum io_access access;
} ranges[MAX_RANGES];
static unsigned int nr_ranges;

void iomem_restrict(mfn_t first, unsigned long nr, enum io_access access)
{
    unsigned int i = nr_ranges;

    for (unsigned int j = 0; j < nr_ranges; j++)
        if (ranges[j].first == mfn_x(first))
            return;
    if (i == MAX_RANGES) {
        log_warn("iomem: no room to protect frame %#lx\n", mfn_x(first));
        return;
    }
    ranges[i].first = mfn_x(first);
    ranges[i].last = mfn_x(first) + nr - 1;
    ranges[i].access = access;
    smp_wmb(); /* an entry is complete before it counts */
    WRITE_ONCE(nr_ranges, i + 1);
}

enum io_access iomem_access(mfn_t m)
{
    unsigned int n = READ_ONCE(nr_ranges);

    for (unsigned int i = 0; i < n; i++)
        if (mfn_x(m) >= ranges[i].first && mfn_x(m) <= ranges[i].last)
            return ranges[i].access;
    return IO_ALLOWED;
}
