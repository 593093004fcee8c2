/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MultiProcessor tables, for `noacpi` and machines without ACPI.
 * Facts: Intel MultiProcessor Specification 1.4, chapter 4.
 */
#include <hv/acpi.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/string.h>

#include "acpi-tables.h"

struct mp_pointer { /* 4.1 */
    char signature[4];
    u32 table;
    u8 length; /* in 16-byte units */
    u8 revision, checksum;
    u8 feature[5]; /* [0]: default configuration, 0: the table tells */
} __packed;

struct mp_table { /* 4.2 */
    char signature[4];
    u16 length;
    u8 revision, checksum;
    char oem_id[8], product_id[12];
    u32 oem_table;
    u16 oem_size, nr_entries;
    u32 lapic_address;
    u16 extended_length;
    u8 extended_checksum, reserved;
    u8 entries[];
} __packed;

enum mp_entry_type { MP_CPU, MP_BUS, MP_IOAPIC, MP_IO_INTERRUPT, MP_LOCAL };

struct mp_cpu {
    u8 type, apic_id, version, flags;
    u32 signature, features, reserved[2];
} __packed;
#define MP_CPU_ENABLED 1

struct mp_bus {
    u8 type, id;
    char name[6];
} __packed;

struct mp_ioapic {
    u8 type, id, version, flags;
    u32 address;
} __packed;
#define MP_IOAPIC_ENABLED 1

struct mp_interrupt {
    u8 type, kind;
    u16 flags;
    u8 bus, bus_irq, ioapic, pin;
} __packed;
#define MP_KIND_INT 0

static DECLARE_BITMAP(isa_buses, 256) __initdata;

static const struct mp_pointer *__init search(maddr_t start, size_t size)
{
    const u8 *p = map_firmware(start, size);
    size_t i;

    for (i = 0; p && i + sizeof(struct mp_pointer) <= size; i += 16) {
        const struct mp_pointer *m = (const void *)(p + i);

        if (!memcmp(m->signature, "_MP_", 4) && m->length == 1 &&
            !acpi_checksum(m, 16))
            return m;
    }
    return NULL;
}

static const struct mp_pointer *__init find_pointer(void)
{
    maddr_t ebda = firmware_ebda();
    const struct mp_pointer *m = ebda ? search(ebda, 1024) : NULL;

    if (!m)
        m = search(639 * 1024, 1024);
    return m ? m : search(0xf0000, 0x10000);
}

static const struct mp_table *__init open_table(maddr_t ma)
{
    const struct mp_table *t = ma ? map_firmware(ma, sizeof(*t)) : NULL;
    u16 length;

    if (!t || memcmp(t->signature, "PCMP", 4))
        return NULL;
    length = t->length;
    if (length < sizeof(*t))
        return NULL;
    t = map_firmware(ma, length);
    if (t && acpi_checksum(t, length)) {
        log_warn("MP tables: bad checksum, ignored\n");
        return NULL;
    }
    return t;
}

static void __init add_ioapic(const struct mp_ioapic *io)
{
    if ((io->flags & MP_IOAPIC_ENABLED) && machine.nr_ioapics < MAX_IOAPICS)
        machine.ioapics[machine.nr_ioapics++] = (struct machine_ioapic){
            .address = io->address, .id = io->id};
}

/*
 * MP tables number lines by IO-APIC and pin. With one IO-APIC, the rule on
 * machines of that time, the pin is the GSI; further ones are laid out behind
 * in ioapic_init(), which knows their sizes, and their lines keep bus defaults.
 */
static void __init add_interrupt(const struct mp_interrupt *m)
{
    bool isa = test_bit(m->bus, isa_buses);

    if (m->kind != MP_KIND_INT || machine.nr_overrides == MAX_IRQ_OVERRIDES ||
        !machine.nr_ioapics || m->ioapic != machine.ioapics[0].id ||
        (isa && m->bus_irq >= NR_ISA_IRQS))
        return;
    machine.overrides[machine.nr_overrides++] = (struct irq_override){
        .gsi = m->pin,
        .isa_irq = isa ? m->bus_irq : 0xff,
        .polarity = m->flags & 3,
        .trigger = (m->flags >> 2) & 3};
}

/* Size of an entry of this type, 0 if unknown. */
static unsigned int __init entry_size(u8 type)
{
    return type == MP_CPU ? 20 : type <= MP_LOCAL ? 8 : 0;
}

static void __init read_entry(const u8 *p)
{
    switch (*p) {
    case MP_CPU: {
        const struct mp_cpu *c = (const void *)p;

        if (c->flags & MP_CPU_ENABLED)
            machine_add_cpu(c->apic_id, c->apic_id);
        break;
    }
    case MP_BUS: {
        const struct mp_bus *b = (const void *)p;

        if (!memcmp(b->name, "ISA", 3) || !memcmp(b->name, "EISA", 4))
            __set_bit(b->id, isa_buses);
        break;
    }
    case MP_IOAPIC: add_ioapic((const void *)p); break;
    case MP_IO_INTERRUPT: add_interrupt((const void *)p); break;
    default: break;
    }
}

static void __init read_table(const struct mp_table *t)
{
    const u8 *p = t->entries, *end = (const u8 *)t + t->length;
    unsigned int i, size;

    machine.nr_ioapics = 0;
    machine.lapic_address = t->lapic_address;
    for (i = 0; i < t->nr_entries && p < end; i++, p += size) {
        size = entry_size(*p);
        if (!size || size > (size_t)(end - p)) {
            log_warn("MP tables: entry %u is broken, the rest ignored\n", i);
            return;
        }
        read_entry(p);
    }
}

bool __init mps_init(void)
{
    const struct mp_pointer *m = find_pointer();
    const struct mp_table *t;

    if (!m)
        return false;
    if (m->feature[0]) {
        log_info("MP tables: default configuration %u: two CPUs\n",
                 m->feature[0]);
        machine_add_cpu(0, 0);
        machine_add_cpu(1, 1);
        return true;
    }
    t = open_table(m->table);
    if (!t)
        return false;
    read_table(t);
    return machine.nr_cpus != 0;
}
