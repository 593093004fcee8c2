/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI tables: root pointer, RSDT or XSDT, FADT, HPET, MCFG. The MADT is
 * read in acpi-madt.c.  Facts: ACPI specification 6.4, chapter 5.2.
 *
 * The tables are the firmware's, and firmware has bugs: every length is
 * checked against what was mapped, every table against its checksum, and a
 * table that fails is named and left out.
 */
#include <hv/acpi.h>
#include <hv/mm.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/string.h>

#include "acpi-tables.h"

struct machine_info machine;

static bool __initdata opt_noacpi;
static bool __initdata opt_ignorebiostables;
OPTION_BOOL(noacpi, opt_noacpi);
OPTION_BOOL(ignorebiostables, opt_ignorebiostables);

/* Nothing that we read is larger, whatever its length field claims. */
#define MAX_TABLE_SIZE (4UL << 20)
#define MAX_ROOT_ENTRIES 256

/* The root table: 4-byte entries (RSDT) or 8-byte ones (XSDT). */
static const struct acpi_header *root_table;
static unsigned int root_entry_size;

u8 acpi_checksum(const void *p, size_t n)
{
    const u8 *b = p;
    u8 sum = 0;

    while (n--)
        sum = (u8)(sum + *b++);
    return sum;
}

/* The whole table at ma, or NULL if it makes no sense. */
static const struct acpi_header *map_table(maddr_t ma)
{
    const struct acpi_header *h = map_firmware(ma, sizeof(*h));
    u32 length;

    if (!h)
        return NULL;
    length = h->length;
    if (length < sizeof(*h) || length > MAX_TABLE_SIZE) {
        log_warn("ACPI: table %.4s at %#lx has bad length %u, ignored\n",
                 h->signature, ma, length);
        return NULL;
    }
    h = map_firmware(ma, length);
    if (h && acpi_checksum(h, length)) {
        log_warn("ACPI: table %.4s at %#lx has a bad checksum, ignored\n",
                 h->signature, ma);
        return NULL;
    }
    return h;
}

static maddr_t root_entry(unsigned int i)
{
    const u8 *e = (const u8 *)(root_table + 1) + i * root_entry_size;
    u64 ma = 0;

    memcpy(&ma, e, root_entry_size); /* XSDT entries lie unaligned */
    return ma;
}

const void *acpi_find_table(const char *signature, unsigned int n)
{
    unsigned int i, nr;

    if (!root_table)
        return NULL;
    nr = (root_table->length - sizeof(*root_table)) / root_entry_size;
    for (i = 0; i < MIN(nr, MAX_ROOT_ENTRIES); i++) {
        maddr_t ma = root_entry(i);
        const struct acpi_header *h;

        if (!ma)
            continue;
        h = map_firmware(ma, sizeof(*h));
        if (!h || memcmp(h->signature, signature, 4) || n--)
            continue;
        return map_table(ma);
    }
    return NULL;
}

static const struct acpi_rsdp *rsdp_at(const void *p)
{
    const struct acpi_rsdp *r = p;

    if (memcmp(r->signature, "RSD PTR ", 8) || acpi_checksum(r, 20))
        return NULL;
    return r;
}

/* The root pointer lies on a 16-byte boundary (5.2.5.1). */
static maddr_t __init search_rsdp(maddr_t start, size_t size)
{
    const u8 *p = map_firmware(start, size);
    size_t i;

    for (i = 0; p && i + sizeof(struct acpi_rsdp) <= size; i += 16)
        if (rsdp_at(p + i))
            return start + i;
    return 0;
}

maddr_t __init firmware_ebda(void)
{
    const u16 *segment = map_firmware(0x40e, 2); /* BIOS data area 40:0e */
    maddr_t ma = segment ? (maddr_t)*segment << 4 : 0;

    return ma >= 0x400 && ma < 0xa0000 ? ma : 0;
}

static maddr_t __init find_rsdp(void)
{
    maddr_t ebda = firmware_ebda();
    maddr_t ma = ebda ? search_rsdp(ebda, 1024) : 0;

    return ma ? ma : search_rsdp(0xe0000, 0x20000);
}

static bool __init open_root(maddr_t ma)
{
    const struct acpi_rsdp *r = map_firmware(ma, sizeof(*r));

    if (!r || !rsdp_at(r)) {
        log_warn("ACPI: no valid root pointer at %#lx\n", ma);
        return false;
    }
    machine.rsdp = ma;
    if (r->revision >= 2 && r->xsdt_address &&
        !acpi_checksum(r, sizeof(*r))) {
        root_table = map_table(r->xsdt_address);
        root_entry_size = 8;
        if (root_table && !memcmp(root_table->signature, "XSDT", 4))
            return true;
    }
    root_table = map_table(r->rsdt_address);
    root_entry_size = 4;
    if (root_table && !memcmp(root_table->signature, "RSDT", 4))
        return true;
    root_table = NULL;
    log_warn("ACPI: neither XSDT nor RSDT is usable\n");
    return false;
}

static struct acpi_register __init gas_register(const struct acpi_gas *g)
{
    return (struct acpi_register){.address = g->address,
                                  .space = g->space,
                                  .bits = g->bits};
}

/* The 64-bit field of later tables where it is there, else the old port. */
static struct acpi_register __init fadt_register(const struct acpi_fadt *f,
                                                 size_t x_offset, u32 port,
                                                 unsigned int bits)
{
    const u8 *base = (const u8 *)f;
    struct acpi_gas g;

    if (f->header.length >= x_offset + sizeof(g)) {
        memcpy(&g, base + x_offset, sizeof(g));
        if (g.address &&
            (g.space == ACPI_SPACE_IO || g.space == ACPI_SPACE_MEMORY))
            return gas_register(&g);
    }
    return (struct acpi_register){
        .address = port, .space = ACPI_SPACE_IO, .bits = (u8)bits};
}

static void __init read_fadt(void)
{
    const struct acpi_fadt *f = acpi_find_table("FACP", 0);

    if (!f || f->header.length < FADT_V1_SIZE)
        return;
    machine.sci_irq = f->sci_int;
    machine.pm1a_control = fadt_register(
        f, offsetof(struct acpi_fadt, x_pm1a_cnt_blk), f->pm1a_cnt_blk, 16);
    machine.pm1b_control = fadt_register(
        f, offsetof(struct acpi_fadt, x_pm1b_cnt_blk), f->pm1b_cnt_blk, 16);
    if (f->pm_tmr_len >= 4)
        machine.pm_timer = fadt_register(
            f, offsetof(struct acpi_fadt, x_pm_tmr_blk), f->pm_tmr_blk, 32);
    machine.pm_timer_32bit = (f->flags & FADT_TMR_VAL_EXT) != 0;
    if ((f->flags & FADT_RESET_REG_SUP) &&
        f->header.length >= offsetof(struct acpi_fadt, arm_boot_flags)) {
        machine.reset = gas_register(&f->reset_reg);
        machine.reset_value = f->reset_value;
    }
    acpi_read_s5(f);
}

static void __init read_hpet(void)
{
    const struct acpi_hpet *h = acpi_find_table("HPET", 0);

    if (h && h->header.length >= sizeof(*h) &&
        h->address.space == ACPI_SPACE_MEMORY)
        machine.hpet_address = h->address.address;
}

static void __init read_mcfg(void)
{
    const struct acpi_mcfg *m = acpi_find_table("MCFG", 0);
    unsigned int i, nr;

    if (!m || m->header.length < sizeof(*m))
        return;
    nr = (m->header.length - sizeof(*m)) / sizeof(m->entries[0]);
    for (i = 0; i < nr && machine.nr_mcfg < MAX_MCFG_REGIONS; i++) {
        struct acpi_mcfg_entry e;

        memcpy(&e, &m->entries[i], sizeof(e));
        if (!e.base || e.end_bus < e.start_bus)
            continue;
        machine.mcfg[machine.nr_mcfg++] = (struct mcfg_region){
            .base = e.base,
            .segment = e.segment,
            .start_bus = e.start_bus,
            .end_bus = e.end_bus};
    }
}

/* What every PC has where no table says otherwise. */
static void __init assume_pc(void)
{
    machine.has_8259 = true;
    machine.lapic_address = 0xfee00000;
    if (!machine.nr_ioapics)
        machine.ioapics[machine.nr_ioapics++] =
            (struct machine_ioapic){.address = 0xfec00000};
}

static bool __init read_acpi(maddr_t rsdp)
{
    if (opt_noacpi || opt_ignorebiostables)
        return false;
    if (!rsdp)
        rsdp = find_rsdp();
    if (!rsdp) {
        log_info("ACPI: no tables found\n");
        return false;
    }
    if (!open_root(rsdp))
        return false;
    machine.acpi = acpi_read_madt();
    read_fadt();
    read_hpet();
    read_mcfg();
    return machine.acpi;
}

void __init acpi_init(maddr_t rsdp)
{
    assume_pc();
    if (!read_acpi(rsdp) && !opt_ignorebiostables && !mps_init())
        log_info("no ACPI or MP tables: one CPU, standard IO-APIC\n");
    log_info("machine: %u CPU%s, %u IO-APIC%s, by %s\n",
             MAX(machine.nr_cpus, 1U), machine.nr_cpus > 1 ? "s" : "",
             machine.nr_ioapics, machine.nr_ioapics == 1 ? "" : "s",
             machine.acpi     ? "ACPI"
             : machine.nr_cpus ? "MP tables"
                               : "assumption");
    if (machine.nr_cpus_ignored)
        log_warn("%u CPUs more than the %u supported are not used\n",
                 machine.nr_cpus_ignored, NR_CPUS);
}
