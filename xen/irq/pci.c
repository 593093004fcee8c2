/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI configuration space, as far as MSI needs it: through ports CF8/CFC, on
 * segments above 0 through the memory window (MCFG) that domain 0 confirmed.
 * Facts: PCI Local Bus Specification 3.0, 3.2.2.3.2 and 6.
 *
 * Domain 0 uses the same two ports.  Its accesses are trapped and go through
 * pci_port_lock too (see hv/irq.h), or index and data would be torn apart.
 */
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/list.h>
#include <hv/mm.h>
#include <hv/printk.h>

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_ADDRESS_ENABLE 0x80000000U

#define PCI_VENDOR 0x00
#define PCI_DEVICE 0x02
#define PCI_STATUS 0x06
#define PCI_STATUS_CAP_LIST 0x10
#define PCI_CLASS 0x0a
#define PCI_HEADER_TYPE 0x0e
#define PCI_CAPABILITIES 0x34
#define PCI_CAPABILITIES_CARDBUS 0x14
#define PCI_LINE 0x3c
#define MAX_CAPABILITIES 48

DEFINE_SPINLOCK(pci_port_lock);

/* Windows in use; one per entry of machine.mcfg, NULL until confirmed. */
static volatile u8 *mmcfg[MAX_MCFG_REGIONS];

static volatile u8 *mmcfg_address(struct pci_address a, unsigned int reg)
{
    for (unsigned int i = 0; i < machine.nr_mcfg; i++) {
        const struct mcfg_region *m = &machine.mcfg[i];

        if (mmcfg[i] && m->segment == a.segment && a.bus >= m->start_bus &&
            a.bus <= m->end_bus)
            return mmcfg[i] + (((size_t)(a.bus - m->start_bus) << 20) |
                               ((size_t)a.devfn << 12) | reg);
    }
    return NULL;
}

static bool port_reachable(struct pci_address a, unsigned int reg)
{
    return a.segment == 0 && reg < 256;
}

static u32 port_index(struct pci_address a, unsigned int reg)
{
    return PCI_ADDRESS_ENABLE | (u32)a.bus << 16 | (u32)a.devfn << 8 |
           (reg & 0xfc);
}

u32 pci_read32(struct pci_address a, unsigned int reg)
{
    volatile u8 *m = mmcfg_address(a, reg);
    unsigned long flags;
    u32 v = ~0U, index;

    if (m)
        return *(volatile u32 *)m;
    if (!port_reachable(a, reg))
        return v;
    spin_lock_irqsave(&pci_port_lock, flags);
    index = inl(PCI_ADDRESS);
    outl(port_index(a, reg), PCI_ADDRESS);
    v = inl(PCI_DATA);
    outl(index, PCI_ADDRESS);
    spin_unlock_irqrestore(&pci_port_lock, flags);
    return v;
}

u16 pci_read16(struct pci_address a, unsigned int reg)
{
    return (u16)(pci_read32(a, reg & ~3U) >> ((reg & 2) * 8));
}

u8 pci_read8(struct pci_address a, unsigned int reg)
{
    return (u8)(pci_read32(a, reg & ~3U) >> ((reg & 3) * 8));
}

/* Nothing, where the ports do not reach. */
static void port_write(struct pci_address a, unsigned int reg, u32 v,
                       unsigned int size)
{
    unsigned long flags;
    u32 index;

    if (!port_reachable(a, reg))
        return;
    spin_lock_irqsave(&pci_port_lock, flags);
    index = inl(PCI_ADDRESS);
    outl(port_index(a, reg), PCI_ADDRESS);
    if (size == 4)
        outl(v, PCI_DATA);
    else
        outw((u16)v, (u16)(PCI_DATA + (reg & 2)));
    outl(index, PCI_ADDRESS);
    spin_unlock_irqrestore(&pci_port_lock, flags);
}

void pci_write32(struct pci_address a, unsigned int reg, u32 v)
{
    volatile u8 *m = mmcfg_address(a, reg);

    if (m)
        *(volatile u32 *)m = v;
    else
        port_write(a, reg, v, 4);
}

void pci_write16(struct pci_address a, unsigned int reg, u16 v)
{
    volatile u8 *m = mmcfg_address(a, reg);

    if (m)
        *(volatile u16 *)m = v;
    else
        port_write(a, reg, v, 2);
}

bool pci_present(struct pci_address a)
{
    return pci_read16(a, 0) != 0xffff;
}

/* --- devices that domain 0 reported --- */

struct pci_device {
    struct list_head link;
    struct pci_address address;
};

static LIST_HEAD(devices);
static DEFINE_SPINLOCK(devices_lock);

static struct pci_device *find_device_locked(struct pci_address a)
{
    struct pci_device *p;

    list_for_each_entry(p, &devices, link)
        if (p->address.segment == a.segment && p->address.bus == a.bus &&
            p->address.devfn == a.devfn)
            return p;
    return NULL;
}

int pci_device_add(struct pci_address a)
{
    struct pci_device *p;

    if (!pci_present(a))
        return -ENODEV;
    p = new(struct pci_device);
    if (!p)
        return -ENOMEM;
    p->address = a;
    spin_lock(&devices_lock);
    if (!find_device_locked(a)) {
        list_add_tail(&p->link, &devices);
        p = NULL;
    }
    spin_unlock(&devices_lock);
    hv_free(p); /* known already: fine */
    return 0;
}

int pci_device_remove(struct pci_address a)
{
    struct pci_device *p;

    spin_lock(&devices_lock);
    p = find_device_locked(a);
    if (p)
        list_del(&p->link);
    spin_unlock(&devices_lock);
    hv_free(p);
    return p ? 0 : -ENODEV;
}

void pci_devices_dump(void)
{
    const struct pci_device *p;

    spin_lock(&devices_lock);
    list_for_each_entry(p, &devices, link) {
        struct pci_address a = p->address;

        printk("  %04x:%02x:%02x.%u: %04x:%04x, class %04x, line %u%s%s\n",
               a.segment, a.bus, a.devfn >> 3, a.devfn & 7,
               pci_read16(a, PCI_VENDOR), pci_read16(a, PCI_DEVICE),
               pci_read16(a, PCI_CLASS), pci_read8(a, PCI_LINE),
               pci_find_capability(a, PCI_CAP_MSI) ? ", MSI" : "",
               pci_find_capability(a, PCI_CAP_MSIX) ? ", MSI-X" : "");
    }
    spin_unlock(&devices_lock);
}

/* --- capabilities --- */

unsigned int pci_find_capability(struct pci_address a, u8 id)
{
    bool cardbus = (pci_read8(a, PCI_HEADER_TYPE) & 0x7f) == 2;
    unsigned int pos, left = MAX_CAPABILITIES;

    if (!(pci_read16(a, PCI_STATUS) & PCI_STATUS_CAP_LIST))
        return 0;
    pos = pci_read8(a, cardbus ? PCI_CAPABILITIES_CARDBUS : PCI_CAPABILITIES);
    while (left-- && pos >= 0x40) { /* a broken list may be a ring */
        u16 head;

        pos &= 0xfc;
        head = pci_read16(a, pos);
        if ((head & 0xff) == id)
            return pos;
        pos = head >> 8;
    }
    return 0;
}

int pci_mmcfg_reserved(maddr_t base, u16 segment, u8 start, u8 end, bool use)
{
    for (unsigned int i = 0; i < machine.nr_mcfg; i++) {
        const struct mcfg_region *m = &machine.mcfg[i];
        size_t size = (size_t)(m->end_bus - m->start_bus + 1) << 20;

        if (m->base != base || m->segment != segment ||
            m->start_bus != start || m->end_bus != end)
            continue;
        if (segment == 0)
            return 0; /* the ports reach all of it that we touch */
        if (!use)
            mmcfg[i] = NULL;
        else if (!mmcfg[i])
            mmcfg[i] = ioremap(base + ((maddr_t)start << 20), size);
        return use && !mmcfg[i] ? -ENOMEM : 0;
    }
    return -ENODEV;
}
