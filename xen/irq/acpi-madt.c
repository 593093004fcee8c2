/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The multiple APIC description table: CPUs, IO-APICs and how the ISA lines
 * are wired.  Facts: ACPI specification 6.4, 5.2.12.
 */
#include <hv/acpi.h>
#include <hv/irq.h>
#include <hv/printk.h>
#include <hv/string.h>

#include "acpi-tables.h"

enum madt_type {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LAPIC_ADDRESS = 5,
    MADT_X2APIC = 9,
};

#define LAPIC_ENABLED 1U

struct madt_entry {
    u8 type, length;
} __packed;

struct madt_lapic { /* 5.2.12.2 */
    struct madt_entry e;
    u8 acpi_id, apic_id;
    u32 flags;
} __packed;

struct madt_ioapic { /* 5.2.12.3 */
    struct madt_entry e;
    u8 id, reserved;
    u32 address, gsi_base;
} __packed;

struct madt_override { /* 5.2.12.5 */
    struct madt_entry e;
    u8 bus, source;
    u32 gsi;
    u16 flags;
} __packed;

struct madt_lapic_address { /* 5.2.12.8 */
    struct madt_entry e;
    u16 reserved;
    u64 address;
} __packed;

struct madt_x2apic { /* 5.2.12.12 */
    struct madt_entry e;
    u16 reserved;
    u32 apic_id, flags, acpi_id;
} __packed;

void __init machine_add_cpu(u32 apic_id, u32 acpi_id)
{
    unsigned int i, n = machine.nr_cpus;

    for (i = 0; i < n; i++)
        if (machine.cpus[i].apic_id == apic_id)
            return; /* once as LAPIC, once as x2APIC */
    if (n == NR_CPUS) {
        machine.nr_cpus_ignored++;
        return;
    }
    machine.cpus[n] = (struct machine_cpu){apic_id, acpi_id};
    machine.nr_cpus++;
    if (n && apic_id == lapic_id()) {
        struct machine_cpu boot = machine.cpus[n];

        memmove(&machine.cpus[1], &machine.cpus[0],
                n * sizeof(machine.cpus[0]));
        machine.cpus[0] = boot;
    }
}

static void __init add_ioapic(const struct madt_ioapic *io)
{
    if (machine.nr_ioapics == MAX_IOAPICS) {
        log_warn("ACPI: IO-APIC %u at %#x ignored: too many\n", io->id,
                 io->address);
        return;
    }
    machine.ioapics[machine.nr_ioapics++] = (struct machine_ioapic){
        .address = io->address, .gsi_base = io->gsi_base, .id = io->id};
}

static void __init add_override(const struct madt_override *o)
{
    if (o->bus != 0 || o->source >= NR_ISA_IRQS ||
        machine.nr_overrides == MAX_IRQ_OVERRIDES) {
        log_warn("ACPI: override of bus %u irq %u ignored\n", o->bus,
                 o->source);
        return;
    }
    machine.overrides[machine.nr_overrides++] =
        (struct irq_override){.gsi = o->gsi,
                              .isa_irq = o->source,
                              .polarity = o->flags & 3,
                              .trigger = (o->flags >> 2) & 3};
}

/* One entry; its length covers the structure of its type. */
static void __init read_entry(const struct madt_entry *e)
{
    switch (e->type) {
    case MADT_LAPIC: {
        const struct madt_lapic *l = (const void *)e;

        if (e->length >= sizeof(*l) && (l->flags & LAPIC_ENABLED))
            machine_add_cpu(l->apic_id, l->acpi_id);
        break;
    }
    case MADT_X2APIC: {
        const struct madt_x2apic *l = (const void *)e;

        if (e->length >= sizeof(*l) && (l->flags & LAPIC_ENABLED))
            machine_add_cpu(l->apic_id, l->acpi_id);
        break;
    }
    case MADT_IOAPIC:
        if (e->length >= sizeof(struct madt_ioapic))
            add_ioapic((const void *)e);
        break;
    case MADT_OVERRIDE:
        if (e->length >= sizeof(struct madt_override))
            add_override((const void *)e);
        break;
    case MADT_LAPIC_ADDRESS:
        if (e->length >= sizeof(struct madt_lapic_address))
            machine.lapic_address =
                ((const struct madt_lapic_address *)(const void *)e)->address;
        break;
    default: /* NMI wiring and what later versions added: not needed */
        break;
    }
}

bool __init acpi_read_madt(void)
{
    const struct acpi_madt *m = acpi_find_table("APIC", 0);
    const u8 *p, *end;

    if (!m || m->header.length < sizeof(*m)) {
        log_warn("ACPI: no MADT: cannot tell the CPUs and IO-APICs\n");
        return false;
    }
    machine.nr_ioapics = 0;
    machine.lapic_address = m->lapic_address;
    machine.has_8259 = (m->flags & MADT_PCAT_COMPAT) != 0;
    p = m->entries;
    end = (const u8 *)m + m->header.length;
    while (p + sizeof(struct madt_entry) <= end) {
        const struct madt_entry *e = (const void *)p;

        if (e->length < sizeof(*e) || e->length > end - p) {
            log_warn("ACPI: the MADT ends in a broken entry\n");
            break;
        }
        read_entry(e);
        p += e->length;
    }
    return true;
}
