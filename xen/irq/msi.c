/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI and MSI-X: messages that devices write to the local APICs.
 * Facts: PCI Local Bus Specification 3.0, 6.8; message format: Intel SDM
 * vol. 3A, 11.11.
 *
 * The hypervisor owns address and data; domain 0 owns the device's enable bit
 * (its driver core sets it through configuration space).  One struct msi_desc
 * per message hangs off its irq_desc; all of them are in msi_list under
 * msi_lock, which comes before any irq_desc.lock.
 */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/list.h>
#include <hv/mm.h>
#include <hv/printk.h>

#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x02
#define PCI_BAR(n) (0x10 + 4 * (n))

#define MSI_CONTROL 2
#define MSI_CONTROL_ENABLE 0x0001
#define MSI_CONTROL_64BIT 0x0080
#define MSI_CONTROL_MASKABLE 0x0100
#define MSI_CONTROL_NR_LOG(c) (((c) >> 1) & 7) /* messages offered, log2 */

#define MSIX_CONTROL 2
#define MSIX_CONTROL_ENABLE 0x8000
#define MSIX_TABLE_OFFSET 4
#define MSIX_ENTRY_SIZE 16
#define MSIX_ENTRY_MASKED 1U

#define MSI_ADDRESS_BASE 0xfee00000U
#define MAX_MSI 32

struct msi_desc {
    struct list_head link;
    struct pci_address dev;
    unsigned int irq;
    unsigned int pos;   /* of the capability */
    unsigned int index; /* table entry, or number within the MSI block */
    unsigned int nr;    /* MSI: messages in the block */
    volatile u32 *entry; /* MSI-X: address low, high, data, control */
    bool is_64bit, maskable;
};

/* A device's table stays mapped: mappings are for ever (mm.h). */
struct msix_table {
    struct list_head link;
    maddr_t base;
    size_t size;
    u8 *va;
};

static LIST_HEAD(msi_list);
static LIST_HEAD(msix_tables);
static DEFINE_SPINLOCK(msi_lock);

static bool same_device(struct pci_address a, struct pci_address b)
{
    return a.segment == b.segment && a.bus == b.bus && a.devfn == b.devfn;
}

/* Physical destination, fixed delivery, edge. */
static u32 message_address(const struct irq_desc *desc)
{
    return MSI_ADDRESS_BASE | (cpu_apic_id(desc->cpu) & 0xff) << 12;
}

/* --- plain MSI --- */

static unsigned int msi_data_reg(const struct msi_desc *m)
{
    return m->pos + (m->is_64bit ? 12 : 8);
}

static unsigned int msi_mask_reg(const struct msi_desc *m)
{
    return m->pos + (m->is_64bit ? 16 : 12);
}

/* Data of a block: the vector of its first message. */
static void msi_program(struct irq_desc *desc)
{
    const struct msi_desc *m = desc->msi;

    pci_write32(m->dev, m->pos + 4, message_address(desc));
    if (m->is_64bit)
        pci_write32(m->dev, m->pos + 8, 0);
    pci_write16(m->dev, msi_data_reg(m), desc->vector);
}

static void msi_set_mask(struct irq_desc *desc, bool mask)
{
    const struct msi_desc *m = desc->msi;
    u32 bits = pci_read32(m->dev, msi_mask_reg(m));

    if (mask)
        bits |= 1U << m->index;
    else
        bits &= ~(1U << m->index);
    pci_write32(m->dev, msi_mask_reg(m), bits);
}

static void msi_mask(struct irq_desc *desc)
{
    msi_set_mask(desc, true);
}

static void msi_unmask(struct irq_desc *desc)
{
    msi_set_mask(desc, false);
}

/* Only the CPU changes: one write, no torn message. */
static int msi_retarget(struct irq_desc *desc)
{
    pci_write32(desc->msi->dev, desc->msi->pos + 4, message_address(desc));
    return 0;
}

static const struct irq_chip msi_chip = {
    .name = "MSI",
    .retarget = msi_retarget,
    .same_vector = true,
};

static const struct irq_chip msi_maskable_chip = {
    .name = "MSI",
    .mask = msi_mask,
    .unmask = msi_unmask,
    .retarget = msi_retarget,
    .same_vector = true,
};

/* --- MSI-X --- */

static void msix_set_mask(struct irq_desc *desc, u32 mask)
{
    volatile u32 *e = desc->msi->entry;

    e[3] = (e[3] & ~MSIX_ENTRY_MASKED) | mask;
    (void)e[3]; /* the write has reached the device */
}

static void msix_mask(struct irq_desc *desc)
{
    msix_set_mask(desc, MSIX_ENTRY_MASKED);
}

static void msix_unmask(struct irq_desc *desc)
{
    msix_set_mask(desc, 0);
}

/* Masked meanwhile: the device keeps what happens as pending. */
static int msix_retarget(struct irq_desc *desc)
{
    volatile u32 *e = desc->msi->entry;
    u32 control = e[3];

    e[3] = control | MSIX_ENTRY_MASKED;
    e[0] = message_address(desc);
    e[1] = 0;
    e[2] = desc->vector;
    e[3] = control;
    (void)e[3];
    return 0;
}

static const struct irq_chip msix_chip = {
    .name = "MSI-X",
    .mask = msix_mask,
    .unmask = msix_unmask,
    .retarget = msix_retarget,
};

/* --- mapping --- */

static struct msi_desc *find_locked(struct pci_address a, unsigned int pos,
                                    unsigned int index)
{
    struct msi_desc *m;

    list_for_each_entry(m, &msi_list, link)
        if (same_device(m->dev, a) && m->pos == pos && m->index == index)
            return m;
    return NULL;
}

/* The irq that message `index` of a device has already, or -1. */
static int existing_irq(struct pci_address a, unsigned int pos,
                        unsigned int index)
{
    unsigned long flags;
    struct msi_desc *m;
    int irq = -1;

    spin_lock_irqsave(&msi_lock, flags);
    m = find_locked(a, pos, index);
    if (m)
        irq = (int)m->irq;
    spin_unlock_irqrestore(&msi_lock, flags);
    return irq;
}

static struct msi_desc *new_message(const struct msi_desc *model,
                                    const struct irq_chip *chip, int *err)
{
    struct msi_desc *m = new(struct msi_desc);
    int irq = m ? irq_alloc(chip) : -ENOMEM;

    if (irq < 0) {
        hv_free(m);
        *err = irq;
        return NULL;
    }
    *m = *model;
    m->irq = (unsigned int)irq;
    irq_descs[irq].msi = m;
    irq_descs[irq].level = 0;
    irq_descs[irq].wanted_cpu = -1;
    irq_descs[irq].fixed = model->nr > 1;
    return m;
}

static void free_message(struct msi_desc *m)
{
    struct irq_desc *desc = &irq_descs[m->irq];

    irq_release_vector(desc);
    irq_release(m->irq);
    hv_free(m);
}

static void publish(struct msi_desc *const *m, unsigned int n)
{
    unsigned long flags;

    spin_lock_irqsave(&msi_lock, flags);
    for (unsigned int i = 0; i < n; i++)
        list_add_tail(&m[i]->link, &msi_list);
    spin_unlock_irqrestore(&msi_lock, flags);
}

/* Vectors for all of them, and the message into the device. */
static int start_messages(struct msi_desc *const *m, unsigned int n,
                          unsigned int cpu)
{
    struct irq_desc *descs[MAX_MSI];
    unsigned int i;
    int ret;

    for (i = 0; i < n; i++)
        descs[i] = &irq_descs[m[i]->irq];
    ret = irq_alloc_vectors(descs, n, cpu);
    if (ret)
        return ret;
    if (m[0]->entry) {
        msix_mask(descs[0]);
        return msix_retarget(descs[0]);
    }
    for (i = 0; i < n && m[0]->maskable; i++)
        msi_mask(descs[i]);
    msi_program(descs[0]);
    return 0;
}

static int make_messages(const struct msi_desc *model, unsigned int n,
                         const struct irq_chip *chip, int *irqs,
                         unsigned int cpu)
{
    struct msi_desc *m[MAX_MSI];
    unsigned int made;
    int ret = 0;

    for (made = 0; made < n; made++) {
        m[made] = new_message(model, chip, &ret);
        if (!m[made])
            break;
        m[made]->index = model->index + made;
        irqs[made] = (int)m[made]->irq;
    }
    if (!ret)
        ret = start_messages(m, n, cpu);
    if (ret) {
        while (made--)
            free_message(m[made]);
        return ret;
    }
    publish(m, n);
    return 0;
}

int msi_map(struct pci_address a, unsigned int nr, int *irqs, unsigned int cpu)
{
    struct msi_desc model = {.dev = a, .nr = nr};
    u16 control;

    if (!pci_present(a))
        return -ENODEV;
    model.pos = pci_find_capability(a, PCI_CAP_MSI);
    if (!model.pos)
        return -ENOENT;
    control = pci_read16(a, model.pos + MSI_CONTROL);
    if (!nr || nr > MAX_MSI || (nr & (nr - 1)) ||
        nr > 1U << MSI_CONTROL_NR_LOG(control))
        return -EINVAL;
    if (existing_irq(a, model.pos, 0) >= 0)
        return -EBUSY;
    model.is_64bit = (control & MSI_CONTROL_64BIT) != 0;
    model.maskable = (control & MSI_CONTROL_MASKABLE) != 0;
    return make_messages(&model, nr,
                         model.maskable ? &msi_maskable_chip : &msi_chip, irqs,
                         cpu);
}

/* Where the MSI-X table lies: by the BAR that the capability names. 0: no. */
static maddr_t table_address(struct pci_address a, unsigned int pos)
{
    u32 where = pci_read32(a, pos + MSIX_TABLE_OFFSET);
    unsigned int bar = where & 7;
    maddr_t base;
    u32 low;

    if (bar > 5)
        return 0;
    low = pci_read32(a, PCI_BAR(bar));
    if (low & 1) /* an I/O BAR */
        return 0;
    base = low & ~0xfU;
    if ((low & 6) == 4) {
        if (bar == 5)
            return 0;
        base |= (maddr_t)pci_read32(a, PCI_BAR(bar + 1)) << 32;
    }
    return base ? base + (where & ~7U) : 0;
}

/* Domain 0 says where the table is (a virtual function's BARs read zero); it
 * may be anywhere but in RAM. */
static bool table_plausible(maddr_t base, size_t size)
{
    for (maddr_t ma = base & PAGE_MASK; ma < base + size; ma += PAGE_SIZE)
        if (mfn_valid(maddr_to_mfn(ma)))
            return false;
    return base != 0;
}

static u8 *find_table_locked(maddr_t base, size_t size)
{
    struct msix_table *t;

    list_for_each_entry(t, &msix_tables, link)
        if (t->base == base && t->size >= size)
            return t->va;
    return NULL;
}

/* From now on domains may only read it: what an entry says is ours. */
static u8 *map_table(maddr_t base, size_t size)
{
    maddr_t first = base & PAGE_MASK;
    struct msix_table *t;
    unsigned long flags;
    u8 *va;

    spin_lock_irqsave(&msi_lock, flags);
    va = find_table_locked(base, size);
    spin_unlock_irqrestore(&msi_lock, flags);
    if (va)
        return va;
    t = new(struct msix_table);
    va = t ? ioremap(base, size) : NULL;
    if (!va) {
        hv_free(t);
        return NULL;
    }
    *t = (struct msix_table){.base = base, .size = size, .va = va};
    spin_lock_irqsave(&msi_lock, flags);
    list_add(&t->link, &msix_tables);
    iomem_restrict(maddr_to_mfn(first),
                   (ROUND_UP(base + size, PAGE_SIZE) - first) >> PAGE_SHIFT,
                   IO_READ_ONLY);
    spin_unlock_irqrestore(&msi_lock, flags);
    return va;
}

int msix_map(struct pci_address a, unsigned int entry, maddr_t table_base,
             int *irq, unsigned int cpu)
{
    struct msi_desc model = {.dev = a, .nr = 1, .index = entry};
    unsigned int nr_entries;
    maddr_t table;
    u8 *table_va;

    if (!pci_present(a))
        return -ENODEV;
    model.pos = pci_find_capability(a, PCI_CAP_MSIX);
    if (!model.pos)
        return -ENOENT;
    nr_entries = (pci_read16(a, model.pos + MSIX_CONTROL) & 0x7ff) + 1;
    if (entry >= nr_entries)
        return -EINVAL;
    if (existing_irq(a, model.pos, entry) >= 0)
        return -EBUSY;
    table = table_address(a, model.pos);
    if (!table)
        table = table_base;
    if (!table_plausible(table, nr_entries * MSIX_ENTRY_SIZE) ||
        !(pci_read16(a, PCI_COMMAND) & PCI_COMMAND_MEMORY))
        return -ENXIO;
    table_va = map_table(table, nr_entries * MSIX_ENTRY_SIZE);
    if (!table_va)
        return -ENOMEM;
    model.entry = (volatile u32 *)(table_va + entry * MSIX_ENTRY_SIZE);
    return make_messages(&model, 1, &msix_chip, irq, cpu);
}

void msi_unmap(unsigned int irq)
{
    struct irq_desc *desc = &irq_descs[irq];
    struct msi_desc *m = desc->msi;
    unsigned long flags;

    ASSERT(m);
    spin_lock_irqsave(&msi_lock, flags);
    list_del(&m->link);
    spin_unlock_irqrestore(&msi_lock, flags);
    irq_free(irq);
    free_message(m);
}

/* desc->lock held. */
static void program_again(struct irq_desc *desc)
{
    const struct msi_desc *m = desc->msi;

    if (m->entry) {
        if (desc->chip->retarget(desc))
            return;
    } else if (m->index == 0) {
        msi_program(desc);
    }
    if (desc->state == IRQ_GUEST && desc->chip->unmask)
        desc->chip->unmask(desc);
}

/*
 * Domain 0's kernel does it when a device comes back from a reset, with the
 * device's enable bit as it wants it afterwards; that is set again too.
 */
int msi_restore(struct pci_address a)
{
    unsigned long flags;
    struct msi_desc *m;
    unsigned int found = 0;

    if (!pci_present(a))
        return -ENODEV;
    spin_lock_irqsave(&msi_lock, flags);
    list_for_each_entry(m, &msi_list, link)
    {
        struct irq_desc *desc = &irq_descs[m->irq];
        u16 enable = m->entry ? MSIX_CONTROL_ENABLE : MSI_CONTROL_ENABLE;

        if (!same_device(m->dev, a))
            continue;
        spin_lock(&desc->lock);
        program_again(desc);
        spin_unlock(&desc->lock);
        pci_write16(a, m->pos + MSI_CONTROL,
                    pci_read16(a, m->pos + MSI_CONTROL) | enable);
        found++;
    }
    spin_unlock_irqrestore(&msi_lock, flags);
    return found ? 0 : -ESRCH;
}
