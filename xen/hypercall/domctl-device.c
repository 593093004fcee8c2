/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * domctl: what a domain may do with devices. There is no IOMMU support, so
 * devices that write memory by themselves stay domain 0's; a domain may be
 * given I/O ports. Device memory and interrupts can be refused, not given.
 */
#include <hv/errno.h>
#include <hv/string.h>

#include "control.h"

#define NR_PORTS 65536
#define PORT_MAP_BYTES (NR_PORTS / 8)

/* Domain 0 has none of those that the hypervisor uses itself. */
static bool has_ports(const struct domain *d, u32 first, u32 end)
{
    for (u32 port = first; port < end; port++)
        if (!d->ioport_allowed || !test_bit(port, d->ioport_allowed))
            return false;
    return true;
}

static int ioport_permission(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_ioport_permission *a = &op->u.ioport_permission;
    u32 end = a->first_port + a->nr_ports;

    if (end > NR_PORTS || end < a->first_port)
        return -EINVAL;
    if (!a->nr_ports)
        return 0;
    if (a->allow_access && !has_ports(currd, a->first_port, end))
        return -EPERM;
    if (!d->ioport_allowed) {
        u8 *map;

        if (!a->allow_access)
            return 0;
        map = hv_zalloc(PORT_MAP_BYTES);
        if (!map)
            return -ENOMEM;
        smp_wmb(); /* all clear before it is seen */
        WRITE_ONCE(d->ioport_allowed, map);
    }
    for (u32 port = a->first_port; port < end; port++) {
        if (a->allow_access)
            set_bit(port, d->ioport_allowed);
        else
            clear_bit(port, d->ioport_allowed);
    }
    return 0;
}

/* What domain 0 has cannot be taken from it this way, others have none. */
static int refuse_or_nothing(const struct domain *d, bool allow)
{
    if (allow)
        return d->io_all_allowed ? 0 : -EOPNOTSUPP;
    return d->io_all_allowed ? -EOPNOTSUPP : 0;
}

static int iomem_permission(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_iomem_permission *a = &op->u.iomem_permission;

    if (a->first_mfn + a->nr_mfns < a->first_mfn)
        return -EINVAL;
    return refuse_or_nothing(d, a->allow_access);
}

static int irq_permission(struct domain *d, struct xen_domctl *op)
{
    return refuse_or_nothing(d, op->u.irq_permission.allow_access);
}

/* PV guests map device memory by themselves, with their page tables. */
static int memory_mapping(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_memory_mapping *a = &op->u.memory_mapping;

    if (a->first_mfn + a->nr_mfns < a->first_mfn)
        return -EINVAL;
    return refuse_or_nothing(d, a->add_mapping);
}

static int no_iommu(struct domain *d, struct xen_domctl *op)
{
    (void)d, (void)op;
    return -EOPNOTSUPP;
}

domctl_fn domctl_device_fn(u32 cmd)
{
    switch (cmd) {
    case XEN_DOMCTL_ioport_permission:
        return ioport_permission;
    case XEN_DOMCTL_iomem_permission:
        return iomem_permission;
    case XEN_DOMCTL_irq_permission:
        return irq_permission;
    case XEN_DOMCTL_memory_mapping:
        return memory_mapping;
    case XEN_DOMCTL_assign_device:
    case XEN_DOMCTL_test_assign_device:
    case XEN_DOMCTL_deassign_device:
    case XEN_DOMCTL_get_device_group:
        return no_iommu;
    default:
        return NULL;
    }
}
