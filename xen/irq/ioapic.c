/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IO-APICs: interrupt lines to vectors.  Facts: Intel 82093AA data sheet, 3.
 *
 * Level lines are masked while a domain serves the device, so that the local
 * APIC's EOI can be given at once: no line of one domain holds up another's.
 * An entry's vector or trigger changes only while it is masked and its
 * remote IRR is clear, or the EOI of the former vector would not reach it.
 */
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/string.h>

#define IOAPIC_VERSION 1
#define IOAPIC_RTE(pin) (0x10 + 2 * (pin))
#define RTE_ACTIVE_LOW (1U << 13)
#define RTE_REMOTE_IRR (1U << 14)
#define RTE_LEVEL (1U << 15)
#define RTE_MASKED (1U << 16)
#define MAX_PINS 240

struct ioapic {
    spinlock_t lock; /* index and data register belong together */
    volatile u32 *regs; /* [0] index, [4] data */
    maddr_t address;
    unsigned int gsi_base, nr_pins;
    u8 id;
};

static struct ioapic ioapics[MAX_IOAPICS];
static unsigned int nr_ioapics;
unsigned int nr_gsis __ro_after_init = NR_ISA_IRQS;

/* Mode of each line: RTE_ACTIVE_LOW, RTE_LEVEL; by GSI. */
static u16 line_mode[NR_IRQS];
static DECLARE_BITMAP(forced_level, NR_IRQS);
static DECLARE_BITMAP(forced_edge, NR_IRQS);

static int __init parse_gsi_list(const char *s, unsigned long *map)
{
    while (*s) {
        const char *end;
        unsigned long gsi = strtoul(s, &end, 0);

        if (end == s || gsi >= NR_IRQS || (*end && *end != ','))
            return -EINVAL;
        __set_bit((unsigned int)gsi, map);
        s = *end ? end + 1 : end;
    }
    return 0;
}

static int __init parse_leveltrigger(const char *s)
{
    return parse_gsi_list(s, forced_level);
}

static int __init parse_edgetrigger(const char *s)
{
    return parse_gsi_list(s, forced_edge);
}
OPTION_CUSTOM(leveltrigger, parse_leveltrigger);
OPTION_CUSTOM(edgetrigger, parse_edgetrigger);

static u32 read_locked(struct ioapic *io, unsigned int reg)
{
    io->regs[0] = reg;
    return io->regs[4];
}

static void write_locked(struct ioapic *io, unsigned int reg, u32 v)
{
    io->regs[0] = reg;
    io->regs[4] = v;
}

static u32 ioapic_read(struct ioapic *io, unsigned int reg)
{
    unsigned long flags;
    u32 v;

    spin_lock_irqsave(&io->lock, flags);
    v = read_locked(io, reg);
    spin_unlock_irqrestore(&io->lock, flags);
    return v;
}

/* The whole entry; the destination first, as the low half may unmask. */
static void write_rte(struct ioapic *io, unsigned int pin, u32 low, u32 high)
{
    unsigned long flags;

    spin_lock_irqsave(&io->lock, flags);
    write_locked(io, IOAPIC_RTE(pin) + 1, high);
    write_locked(io, IOAPIC_RTE(pin), low);
    spin_unlock_irqrestore(&io->lock, flags);
}

/* NULL if no IO-APIC has that line. */
static struct ioapic *find_ioapic(unsigned int gsi, unsigned int *pin)
{
    *pin = 0;
    for (unsigned int i = 0; i < nr_ioapics; i++) {
        struct ioapic *io = &ioapics[i];

        if (gsi >= io->gsi_base && gsi - io->gsi_base < io->nr_pins) {
            *pin = gsi - io->gsi_base;
            return io;
        }
    }
    return NULL;
}

static unsigned int desc_gsi(const struct irq_desc *desc)
{
    return (unsigned int)(desc - irq_descs);
}

static u32 rte_low(const struct irq_desc *desc)
{
    return desc->vector | line_mode[desc_gsi(desc)];
}

static void rte_set_mask(struct irq_desc *desc, u32 mask)
{
    unsigned int pin;
    struct ioapic *io = find_ioapic(desc_gsi(desc), &pin);

    spin_lock(&io->lock);
    write_locked(io, IOAPIC_RTE(pin), rte_low(desc) | mask);
    spin_unlock(&io->lock);
}

static void ioapic_mask(struct irq_desc *desc)
{
    rte_set_mask(desc, RTE_MASKED);
}

static void ioapic_unmask(struct irq_desc *desc)
{
    rte_set_mask(desc, 0);
}

/* Same vector, other CPU: one write of the upper half, no edge is lost. */
static int edge_retarget(struct irq_desc *desc)
{
    unsigned int pin;
    struct ioapic *io = find_ioapic(desc_gsi(desc), &pin);

    spin_lock(&io->lock);
    write_locked(io, IOAPIC_RTE(pin) + 1, cpu_apic_id(desc->cpu) << 24);
    spin_unlock(&io->lock);
    return 0;
}

/* An asserted line that is masked is still asserted afterwards. */
static int level_retarget(struct irq_desc *desc)
{
    unsigned int pin;
    struct ioapic *io = find_ioapic(desc_gsi(desc), &pin);
    int ret = -EBUSY;
    u32 old;

    spin_lock(&io->lock);
    old = read_locked(io, IOAPIC_RTE(pin));
    write_locked(io, IOAPIC_RTE(pin), old | RTE_MASKED);
    if (!(read_locked(io, IOAPIC_RTE(pin)) & RTE_REMOTE_IRR)) {
        write_locked(io, IOAPIC_RTE(pin) + 1, cpu_apic_id(desc->cpu) << 24);
        old = rte_low(desc) | (old & RTE_MASKED);
        ret = 0;
    }
    write_locked(io, IOAPIC_RTE(pin), old);
    spin_unlock(&io->lock);
    return ret;
}

static const struct irq_chip ioapic_edge_chip = {
    .name = "IO-APIC edge",
    .mask = ioapic_mask,
    .unmask = ioapic_unmask,
    .retarget = edge_retarget,
    .same_vector = true,
};

static const struct irq_chip ioapic_level_chip = {
    .name = "IO-APIC level",
    .mask = ioapic_mask,
    .unmask = ioapic_unmask,
    .retarget = level_retarget,
};

static void set_line_mode(unsigned int gsi, bool level, bool active_low)
{
    struct irq_desc *desc = &irq_descs[gsi];

    if (test_bit(gsi, forced_level))
        level = true;
    if (test_bit(gsi, forced_edge))
        level = false;
    line_mode[gsi] = (u16)((level ? RTE_LEVEL : 0) |
                           (active_low ? RTE_ACTIVE_LOW : 0));
    desc->level = level;
    desc->chip = level ? &ioapic_level_chip : &ioapic_edge_chip;
}

int ioapic_set_mode(unsigned int gsi, bool level, bool active_low)
{
    unsigned long flags;
    unsigned int pin;
    struct irq_desc *desc;
    u16 old, new;
    int ret = 0;

    if (gsi >= nr_gsis || !find_ioapic(gsi, &pin))
        return -EINVAL;
    desc = &irq_descs[gsi];
    spin_lock_irqsave(&desc->lock, flags);
    old = line_mode[gsi];
    if (desc->state == IRQ_UNUSED) {
        set_line_mode(gsi, level, active_low);
    } else {
        new = (u16)((level ? RTE_LEVEL : 0) |
                    (active_low ? RTE_ACTIVE_LOW : 0));
        ret = old == new ? 0 : -EBUSY;
    }
    spin_unlock_irqrestore(&desc->lock, flags);
    return ret;
}

unsigned int isa_irq_to_gsi(unsigned int isa_irq)
{
    for (unsigned int i = 0; i < machine.nr_overrides; i++)
        if (machine.overrides[i].isa_irq == isa_irq)
            return machine.overrides[i].gsi;
    return isa_irq;
}

/* Bus defaults: ISA lines are edge, active high; PCI lines level, low. */
static void __init default_modes(void)
{
    unsigned int i, gsi, pin;

    for (gsi = 0; gsi < nr_gsis; gsi++)
        if (find_ioapic(gsi, &pin))
            set_line_mode(gsi, gsi >= NR_ISA_IRQS, gsi >= NR_ISA_IRQS);
    for (i = 0; i < machine.nr_overrides; i++) {
        const struct irq_override *o = &machine.overrides[i];
        bool pci = o->isa_irq == 0xff;
        bool level = o->trigger == TRIGGER_LEVEL ||
                     (pci && o->trigger == TRIGGER_CONFORMING);
        bool low = o->polarity == POLARITY_LOW ||
                   (pci && o->polarity == POLARITY_CONFORMING);

        if (o->gsi < nr_gsis && find_ioapic(o->gsi, &pin))
            set_line_mode(o->gsi, level, low);
        else
            log_warn("irq override for absent line %u ignored\n", o->gsi);
    }
}

static void __init add_ioapic(const struct machine_ioapic *m, unsigned int base)
{
    struct ioapic *io = &ioapics[nr_ioapics];
    unsigned int pin;

    io->regs = ioremap(m->address, 0x20);
    if (!io->regs) {
        log_warn("IO-APIC at %#lx cannot be mapped\n", m->address);
        return;
    }
    if (ioapic_read(io, IOAPIC_VERSION) == ~0U) {
        log_warn("no IO-APIC answers at %#lx\n", m->address);
        return;
    }
    io->address = m->address;
    io->id = m->id;
    io->gsi_base = base;
    io->nr_pins = ((ioapic_read(io, IOAPIC_VERSION) >> 16) & 0xff) + 1;
    if (io->nr_pins > MAX_PINS || base + io->nr_pins > NR_IRQS) {
        log_warn("IO-APIC at %#lx: lines %u.. are beyond the limit\n",
                 m->address, base);
        return;
    }
    for (pin = 0; pin < io->nr_pins; pin++)
        write_rte(io, pin, RTE_MASKED, 0);
    nr_gsis = MAX(nr_gsis, base + io->nr_pins);
    nr_ioapics++;
    iomem_restrict(maddr_to_mfn(m->address), 1, IO_READ_ONLY);
    log_info("IO-APIC %u at %#lx: lines %u-%u\n", io->id, io->address, base,
             base + io->nr_pins - 1);
}

void __init ioapic_init(void)
{
    unsigned int i, next = 0;

    for (i = 0; i < machine.nr_ioapics; i++) {
        const struct machine_ioapic *m = &machine.ioapics[i];
        unsigned int before = nr_ioapics;

        /* MP tables give no base: one after the other. */
        add_ioapic(m, machine.acpi ? m->gsi_base : next);
        if (nr_ioapics > before)
            next = ioapics[before].gsi_base + ioapics[before].nr_pins;
    }
    default_modes();
}

/* Delivery mode NMI, physical destination "all" (82093AA, 3.2.4). */
#define RTE_DELIVER_NMI (4U << 8)
#define RTE_TO_ALL (0xffU << 24)

bool ioapic_broadcast_nmi(unsigned int gsi)
{
    unsigned int pin;
    struct ioapic *io = find_ioapic(gsi, &pin);

    if (!io || irq_descs[gsi].state != IRQ_UNUSED)
        return false;
    irq_descs[gsi].state = IRQ_HYPERVISOR;
    write_rte(io, pin, RTE_DELIVER_NMI, RTE_TO_ALL);
    return true;
}

static struct ioapic *find_by_address(unsigned long address)
{
    for (unsigned int i = 0; i < nr_ioapics; i++)
        if (ioapics[i].address == address)
            return &ioapics[i];
    return NULL;
}

int ioapic_guest_read(unsigned long base, u32 reg, u32 *value)
{
    struct ioapic *io = find_by_address(base);

    if (!io)
        return -EINVAL;
    if (reg >= IOAPIC_RTE(io->nr_pins))
        return -EINVAL;
    *value = ioapic_read(io, reg);
    return 0;
}

/*
 * Lines are set up by map_pirq and setup_gsi. An old kernel's write of an
 * entry's lower half is taken for the trigger and polarity it carries; the
 * rest of the entry, and every other register, is the hypervisor's.
 */
int ioapic_guest_write(unsigned long base, u32 reg, u32 value)
{
    struct ioapic *io = find_by_address(base);
    int ret;

    if (!io)
        return -EINVAL;
    if (reg < IOAPIC_RTE(0) || reg >= IOAPIC_RTE(io->nr_pins))
        return -EINVAL;
    if (reg & 1)
        return 0; /* the destination: irq_set_cpu() decides */
    ret = ioapic_set_mode(io->gsi_base + (reg - IOAPIC_RTE(0)) / 2,
                          (value & RTE_LEVEL) != 0,
                          (value & RTE_ACTIVE_LOW) != 0);
    return ret == -EBUSY ? 0 : ret;
}

void ioapic_dump(void)
{
    for (unsigned int i = 0; i < nr_ioapics; i++) {
        struct ioapic *io = &ioapics[i];

        for (unsigned int pin = 0; pin < io->nr_pins; pin++) {
            u32 low = ioapic_read(io, IOAPIC_RTE(pin));

            if (!(low & 0xff))
                continue;
            printk("  line %u: vector %02x dest %u%s%s%s%s\n",
                   io->gsi_base + pin, low & 0xff,
                   ioapic_read(io, IOAPIC_RTE(pin) + 1) >> 24,
                   low & RTE_LEVEL ? " level" : " edge",
                   low & RTE_ACTIVE_LOW ? " low" : " high",
                   low & RTE_REMOTE_IRR ? " in-service" : "",
                   low & RTE_MASKED ? " masked" : "");
        }
    }
}
