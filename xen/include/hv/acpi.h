/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the firmware's tables say about the machine: ACPI (irq/acpi.c), or the
 * MultiProcessor tables (irq/mps.c) with `noacpi` and where ACPI is missing.
 * Filled once by the boot CPU, read-only afterwards.  Floor: irq.
 */
#ifndef HV_ACPI_H
#define HV_ACPI_H

#include <hv/compiler.h>
#include <hv/percpu.h>
#include <hv/types.h>

#define MAX_IOAPICS 16
#define MAX_IRQ_OVERRIDES 32
#define MAX_MCFG_REGIONS 16

/* Generic address structure (ACPI 6.4, 5.2.3.2), the parts we honour. */
enum acpi_space {
    ACPI_SPACE_MEMORY = 0,
    ACPI_SPACE_IO = 1,
    ACPI_SPACE_PCI = 2
};
struct acpi_register {
    u64 address; /* 0: register absent */
    u8 space;    /* enum acpi_space */
    u8 bits;
};

/* Trigger and polarity as the MADT and the MP tables code them. */
enum irq_polarity {
    POLARITY_CONFORMING = 0,
    POLARITY_HIGH = 1,
    POLARITY_LOW = 3
};
enum irq_trigger {
    TRIGGER_CONFORMING = 0,
    TRIGGER_EDGE = 1,
    TRIGGER_LEVEL = 3
};

struct machine_cpu {
    u32 apic_id;
    u32 acpi_id; /* processor UID of the MADT; the APIC id with MP tables */
};

struct machine_ioapic {
    maddr_t address;
    u32 gsi_base;
    u8 id;
};

/* An interrupt line that is not wired as its bus says. */
struct irq_override {
    u32 gsi;
    u8 isa_irq;  /* 0xff: the line is no ISA line (PCI lines of MP tables) */
    u8 polarity; /* enum irq_polarity */
    u8 trigger;  /* enum irq_trigger */
};

struct mcfg_region {
    maddr_t base;
    u16 segment;
    u8 start_bus, end_bus;
};

struct machine_info {
    bool acpi; /* ACPI tables were found and used */
    bool has_8259;
    maddr_t rsdp; /* 0: none */
    maddr_t lapic_address;

    unsigned int nr_cpus; /* usable, the boot CPU first */
    struct machine_cpu cpus[NR_CPUS];
    unsigned int nr_cpus_ignored; /* present, but more than NR_CPUS */

    unsigned int nr_ioapics;
    struct machine_ioapic ioapics[MAX_IOAPICS];
    unsigned int nr_overrides;
    struct irq_override overrides[MAX_IRQ_OVERRIDES];

    maddr_t hpet_address; /* 0: none */
    struct acpi_register pm_timer;
    bool pm_timer_32bit;
    struct acpi_register pm1a_control, pm1b_control; /* SLP_TYP, SLP_EN */
    u16 sci_irq;
    struct acpi_register reset;
    u8 reset_value;
    /* Sleep types of S5 from the DSDT's \_S5 package; valid if found. */
    bool s5_known;
    u8 s5_type_a, s5_type_b;

    unsigned int nr_mcfg;
    struct mcfg_region mcfg[MAX_MCFG_REGIONS];
};
extern struct machine_info machine;

/*
 * Boot CPU, after mm_init(): read the tables. rsdp: where the boot loader
 * says the root pointer is, 0 to search low memory. Never fails: without any
 * table the machine has one CPU and the standard IO-APIC.
 */
void acpi_init(maddr_t rsdp);
/* The MP tables alone: true if found. (irq/mps.c) */
bool mps_init(void);
/*
 * Map the table with this four-letter signature; NULL if absent or broken.
 * The n-th one with that name (n = 0: the first).
 */
const void *acpi_find_table(const char *signature, unsigned int n);

/* Power off by S5, restart by the reset register. They return if they cannot
 * or the machine does not obey. Any context. (irq/acpi-power.c) */
void acpi_power_off(void);
void acpi_reset(void);
/* Write SLP_TYP|SLP_EN values that domain 0 worked out. -ENODEV, -EINVAL. */
int acpi_enter_sleep(unsigned int state, u16 value_a, u16 value_b);

#endif
