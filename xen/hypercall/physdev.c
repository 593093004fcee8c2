/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * physdev_op: interrupts, I/O privilege and PCI devices.  Facts: physdev.h.
 *
 * Operations are a table; do_physdev_op copies the argument in, checks that
 * the reply can be written before anything is done, and copies it out.
 */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/irq.h>
#include <hv/nospec.h>
#include <hv/pirq.h>
#include <hv/printk.h>
#include <hv/string.h>
#include <xen/physdev.h>

union physdev_arg {
    struct physdev_eoi eoi;
    struct physdev_pirq_eoi_gmfn eoi_gmfn;
    struct physdev_irq_status_query irq_status_query;
    struct physdev_set_iopl set_iopl;
    struct physdev_set_iobitmap set_iobitmap;
    struct physdev_apic apic;
    struct physdev_irq irq;
    struct physdev_map_pirq map_pirq;
    struct physdev_unmap_pirq unmap_pirq;
    struct physdev_manage_pci manage_pci;
    struct physdev_manage_pci_ext manage_pci_ext;
    struct physdev_restore_msi restore_msi;
    struct physdev_setup_gsi setup_gsi;
    struct physdev_get_free_pirq get_free_pirq;
    struct physdev_pci_mmcfg_reserved mmcfg;
    struct physdev_pci_device_add device_add;
    struct physdev_pci_device device;
    struct physdev_dbgp_op dbgp;
};

/* --- interrupts --- */

static int op_eoi(union physdev_arg *a)
{
    struct pirq *p = pirq_find(currd, (int)MIN(a->eoi.irq, 0x7fffffffU));

    if (!p)
        return -EINVAL;
    pirq_guest_eoi(currd, p);
    return 0;
}

static int op_eoi_page_v1(union physdev_arg *a)
{
    return pirq_set_eoi_page(currd, a->eoi_gmfn.gmfn, true);
}

static int op_eoi_page_v2(union physdev_arg *a)
{
    return pirq_set_eoi_page(currd, a->eoi_gmfn.gmfn, false);
}

/* Long obsolete: one call for all pirqs of the domain. */
static int op_unmask_notify(union physdev_arg *a)
{
    struct domain *d = currd;

    (void)a;
    for (unsigned int i = 0; d->pirqs && i < d->nr_pirqs; i++) {
        struct pirq *p = pirq_find(d, (int)i);

        if (p)
            pirq_guest_eoi(d, p);
    }
    return 0;
}

static int op_irq_status_query(union physdev_arg *a)
{
    u32 irq = a->irq_status_query.irq;
    struct pirq *p = pirq_find(currd, (int)MIN(irq, 0x7fffffffU));

    if (irq >= NR_IRQS || !currd->is_privileged)
        return -EINVAL;
    a->irq_status_query.flags = 0;
    if (p && p->irq >= 0 && irq_is_level((unsigned int)p->irq))
        a->irq_status_query.flags |= XENIRQSTAT_needs_eoi;
    if (p && pirq_is_shared(p))
        a->irq_status_query.flags |= XENIRQSTAT_shared;
    return 0;
}

static int op_alloc_irq_vector(union physdev_arg *a)
{
    struct domain *d = currd;
    int rc;

    if (a->irq.irq >= nr_gsis)
        return -EINVAL;
    spin_lock(&d->event_lock);
    rc = pirq_map_gsi(d, a->irq.irq, (int)a->irq.irq);
    spin_unlock(&d->event_lock);
    if (rc < 0)
        return rc;
    a->irq.vector = a->irq.irq; /* any number: the vector is ours to choose */
    return 0;
}

static int op_apic_read(union physdev_arg *a)
{
    return ioapic_guest_read(a->apic.apic_physbase, a->apic.reg,
                             &a->apic.value);
}

static int op_apic_write(union physdev_arg *a)
{
    return ioapic_guest_write(a->apic.apic_physbase, a->apic.reg,
                              a->apic.value);
}

static int op_setup_gsi(union physdev_arg *a)
{
    int rc;

    if (a->setup_gsi.gsi < 0 || (unsigned int)a->setup_gsi.gsi >= nr_gsis)
        return -EINVAL;
    rc = ioapic_set_mode((unsigned int)a->setup_gsi.gsi,
                         a->setup_gsi.triggering != 0,
                         a->setup_gsi.polarity != 0);
    return rc == -EBUSY ? -EEXIST : rc;
}

/* --- pirqs --- */

/* A reference to the domain an operation names: domain 0 maps for others. */
static struct domain *get_target(domid_t id)
{
    return get_domain_by_id(id);
}

static int map_msi(struct domain *d, struct physdev_map_pirq *m)
{
    bool has_segment = m->type != MAP_PIRQ_TYPE_MSI;
    struct pci_address pci = {
        .segment = has_segment ? (u16)((u32)m->bus >> 16) : 0,
        .bus = (u8)m->bus,
        .devfn = (u8)m->devfn,
    };

    if (m->type == MAP_PIRQ_TYPE_MULTI_MSI) {
        if (m->entry_nr <= 0 || m->entry_nr > 32 || m->table_base)
            return -EINVAL;
        return pirq_map_msi(d, pci, (unsigned int)m->entry_nr, m->pirq);
    }
    if (m->entry_nr < 0)
        return -EINVAL;
    if (m->table_base)
        return pirq_map_msix(d, pci, (unsigned int)m->entry_nr, m->table_base,
                             m->pirq);
    return pirq_map_msi(d, pci, 1, m->pirq);
}

static int map_by_type(struct domain *d, struct physdev_map_pirq *m)
{
    switch (m->type) {
    case MAP_PIRQ_TYPE_GSI:
        if (m->index < 0)
            return -EINVAL;
        return pirq_map_gsi(d, (unsigned int)m->index, m->pirq);
    case MAP_PIRQ_TYPE_MSI:
    case MAP_PIRQ_TYPE_MSI_SEG:
    case MAP_PIRQ_TYPE_MULTI_MSI:
        return map_msi(d, m);
    default:
        return -EINVAL;
    }
}

static int op_map_pirq(union physdev_arg *a)
{
    struct physdev_map_pirq *m = &a->map_pirq;
    struct domain *d = get_target(m->domid);
    int rc;

    if (!d)
        return -ESRCH;
    spin_lock(&d->event_lock);
    rc = map_by_type(d, m);
    spin_unlock(&d->event_lock);
    put_domain(d);
    if (rc < 0)
        return rc;
    m->pirq = rc;
    return 0;
}

static int op_unmap_pirq(union physdev_arg *a)
{
    struct domain *d = get_target(a->unmap_pirq.domid);
    int rc;

    if (!d)
        return -ESRCH;
    spin_lock(&d->event_lock);
    rc = pirq_unmap(d, a->unmap_pirq.pirq);
    spin_unlock(&d->event_lock);
    put_domain(d);
    return rc;
}

static int op_get_free_pirq(union physdev_arg *a)
{
    struct domain *d = currd;
    int rc;

    if (a->get_free_pirq.type != MAP_PIRQ_TYPE_MSI &&
        a->get_free_pirq.type != MAP_PIRQ_TYPE_GSI)
        return -EINVAL;
    spin_lock(&d->event_lock);
    rc = pirq_find_free(d, a->get_free_pirq.type == MAP_PIRQ_TYPE_MSI);
    spin_unlock(&d->event_lock);
    if (rc < 0)
        return rc;
    a->get_free_pirq.pirq = (u32)rc;
    return 0;
}

/* --- I/O privilege of the calling vCPU --- */

static int op_set_iopl(union physdev_arg *a)
{
    if (a->set_iopl.iopl > 3)
        return -EINVAL;
    current->pv.iopl = a->set_iopl.iopl << 12;
    return 0;
}

static int op_set_iobitmap(union physdev_arg *a)
{
    u32 nr = a->set_iobitmap.nr_ports;
    unsigned long va = (unsigned long)a->set_iobitmap.bitmap.p;

    if (nr > 65536 || (nr && !guest_range_ok(va, DIV_ROUND_UP(nr, 8))))
        return -EINVAL;
    current->pv.iobmp = a->set_iobitmap.bitmap.p;
    current->pv.iobmp_limit = a->set_iobitmap.nr_ports;
    return 0;
}

/* --- PCI devices --- */

static int op_manage_pci_add(union physdev_arg *a)
{
    return pci_device_add(
        (struct pci_address){0, a->manage_pci.bus, a->manage_pci.devfn});
}

static int op_manage_pci_add_ext(union physdev_arg *a)
{
    return pci_device_add((struct pci_address){0, a->manage_pci_ext.bus,
                                               a->manage_pci_ext.devfn});
}

static int op_manage_pci_remove(union physdev_arg *a)
{
    return pci_device_remove(
        (struct pci_address){0, a->manage_pci.bus, a->manage_pci.devfn});
}

static int op_device_add(union physdev_arg *a)
{
    const u32 known =
        XEN_PCI_DEV_EXTFN | XEN_PCI_DEV_VIRTFN | XEN_PCI_DEV_PXM;

    if (a->device_add.flags & ~known)
        return -EINVAL;
    return pci_device_add((struct pci_address){
        a->device_add.seg, a->device_add.bus, a->device_add.devfn});
}

/* Domain 0 has unmapped its messages before. */
static int op_device_remove(union physdev_arg *a)
{
    return pci_device_remove((struct pci_address){a->device.seg, a->device.bus,
                                                  a->device.devfn});
}

static int op_restore_msi(union physdev_arg *a)
{
    return msi_restore(
        (struct pci_address){0, a->restore_msi.bus, a->restore_msi.devfn});
}

static int op_restore_msi_ext(union physdev_arg *a)
{
    return msi_restore((struct pci_address){a->device.seg, a->device.bus,
                                            a->device.devfn});
}

#define PCI_CAP_MSIX 0x11

static int op_msix_device(union physdev_arg *a)
{
    struct pci_address pci = {a->device.seg, a->device.bus, a->device.devfn};

    if (!pci_present(pci) || !pci_find_capability(pci, PCI_CAP_MSIX))
        return -ENODEV;
    return 0;
}

static int op_mmcfg_reserved(union physdev_arg *a)
{
    const struct physdev_pci_mmcfg_reserved *m = &a->mmcfg;

    return pci_mmcfg_reserved(m->address, m->segment, m->start_bus, m->end_bus,
                              (m->flags & XEN_PCI_MMCFG_RESERVED) != 0);
}

/* The hypervisor uses no EHCI debug port: nothing to save or restore. */
static int op_dbgp(union physdev_arg *a)
{
    if (a->dbgp.op != PHYSDEVOP_DBGP_RESET_PREPARE &&
        a->dbgp.op != PHYSDEVOP_DBGP_RESET_DONE)
        return -EINVAL;
    if (a->dbgp.bus != PHYSDEVOP_DBGP_BUS_UNKNOWN &&
        a->dbgp.bus != PHYSDEVOP_DBGP_BUS_PCI)
        return -EINVAL;
    return 0;
}

/* --- dispatch --- */

#define PRIV 1
#define REPLY 2

static const struct physdev_op_entry {
    u8 size, flags;
    int (*fn)(union physdev_arg *a);
} ops[] = {
#define OP(nr, member, flags, fn)                                              \
    [nr] = {sizeof(((union physdev_arg *)0)->member), flags, fn}
    [PHYSDEVOP_IRQ_UNMASK_NOTIFY] = {0, 0, op_unmask_notify},
    OP(PHYSDEVOP_irq_status_query, irq_status_query, REPLY,
       op_irq_status_query),
    OP(PHYSDEVOP_set_iopl, set_iopl, 0, op_set_iopl),
    OP(PHYSDEVOP_set_iobitmap, set_iobitmap, 0, op_set_iobitmap),
    OP(PHYSDEVOP_apic_read, apic, PRIV | REPLY, op_apic_read),
    OP(PHYSDEVOP_apic_write, apic, PRIV, op_apic_write),
    OP(PHYSDEVOP_alloc_irq_vector, irq, PRIV | REPLY, op_alloc_irq_vector),
    OP(PHYSDEVOP_eoi, eoi, 0, op_eoi),
    OP(PHYSDEVOP_map_pirq, map_pirq, PRIV | REPLY, op_map_pirq),
    OP(PHYSDEVOP_unmap_pirq, unmap_pirq, PRIV, op_unmap_pirq),
    OP(PHYSDEVOP_manage_pci_add, manage_pci, PRIV, op_manage_pci_add),
    OP(PHYSDEVOP_manage_pci_remove, manage_pci, PRIV,
       op_manage_pci_remove),
    OP(PHYSDEVOP_pirq_eoi_gmfn_v1, eoi_gmfn, 0, op_eoi_page_v1),
    OP(PHYSDEVOP_pirq_eoi_gmfn_v2, eoi_gmfn, 0, op_eoi_page_v2),
    OP(PHYSDEVOP_restore_msi, restore_msi, PRIV, op_restore_msi),
    OP(PHYSDEVOP_manage_pci_add_ext, manage_pci_ext, PRIV,
       op_manage_pci_add_ext),
    OP(PHYSDEVOP_setup_gsi, setup_gsi, PRIV, op_setup_gsi),
    OP(PHYSDEVOP_get_free_pirq, get_free_pirq, PRIV | REPLY,
       op_get_free_pirq),
    OP(PHYSDEVOP_pci_mmcfg_reserved, mmcfg, PRIV, op_mmcfg_reserved),
    OP(PHYSDEVOP_pci_device_add, device_add, PRIV, op_device_add),
    OP(PHYSDEVOP_pci_device_remove, device, PRIV, op_device_remove),
    OP(PHYSDEVOP_restore_msi_ext, device, PRIV, op_restore_msi_ext),
    OP(PHYSDEVOP_dbgp_op, dbgp, PRIV, op_dbgp),
    OP(PHYSDEVOP_prepare_msix, device, PRIV, op_msix_device),
    OP(PHYSDEVOP_release_msix, device, PRIV, op_msix_device),
#undef OP
};

long do_physdev_op(unsigned long cmd, unsigned long arg, unsigned long a3,
                   unsigned long a4, unsigned long a5)
{
    const struct physdev_op_entry *op;
    union physdev_arg a;
    void *user = (void *)arg;
    long rc;

    (void)a3, (void)a4, (void)a5;
    if ((u32)cmd >= ARRAY_SIZE(ops))
        return -ENOSYS;
    op = &ops[index_nospec((u32)cmd, ARRAY_SIZE(ops))];
    if (!op->fn)
        return -ENOSYS;
    if ((op->flags & PRIV) && !currd->is_privileged)
        return -EPERM;
    if (raw_copy_from_guest(&a, user, op->size))
        return -EFAULT;
    if ((op->flags & REPLY) && raw_copy_to_guest(user, &a, op->size))
        return -EFAULT;
    rc = op->fn(&a);
    if (!rc && (op->flags & REPLY) && raw_copy_to_guest(user, &a, op->size))
        return -EFAULT;
    return rc;
}
