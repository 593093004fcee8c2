/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layouts of the ACPI tables that we read, and what irq/acpi*.c share.
 * Facts: ACPI specification 6.4, 5.2 (section numbers below); HPET: IA-PC HPET
 * specification 1.0a, 3.2.4; MCFG: PCI firmware specification 3.2, 4.1.2.
 */
#ifndef HV_IRQ_ACPI_TABLES_H
#define HV_IRQ_ACPI_TABLES_H

#include <hv/compiler.h>
#include <hv/types.h>

struct acpi_rsdp { /* 5.2.5.3 */
    char signature[8];
    u8 checksum; /* over the first 20 bytes */
    char oem_id[6];
    u8 revision;
    u32 rsdt_address;
    u32 length;
    u64 xsdt_address;
    u8 ext_checksum; /* over all 36 */
    u8 reserved[3];
} __packed;

struct acpi_header { /* 5.2.6 */
    char signature[4];
    u32 length;
    u8 revision, checksum;
    char oem_id[6], oem_table_id[8];
    u32 oem_revision, creator_id, creator_revision;
} __packed;

struct acpi_gas { /* 5.2.3.2 */
    u8 space, bits, offset, access_size;
    u64 address;
} __packed;

struct acpi_fadt { /* 5.2.9 */
    struct acpi_header header;
    u32 firmware_ctrl, dsdt;
    u8 int_model, preferred_pm_profile;
    u16 sci_int;
    u32 smi_cmd;
    u8 acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
    u32 pm1a_evt_blk, pm1b_evt_blk, pm1a_cnt_blk, pm1b_cnt_blk;
    u32 pm2_cnt_blk, pm_tmr_blk, gpe0_blk, gpe1_blk;
    u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
    u8 gpe0_blk_len, gpe1_blk_len, gpe1_base, cst_cnt;
    u16 p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
    u8 duty_offset, duty_width, day_alrm, mon_alrm, century;
    u16 iapc_boot_arch;
    u8 reserved;
    u32 flags;
    struct acpi_gas reset_reg;
    u8 reset_value;
    u16 arm_boot_flags;
    u8 minor_version;
    u64 x_firmware_ctrl, x_dsdt;
    struct acpi_gas x_pm1a_evt_blk, x_pm1b_evt_blk;
    struct acpi_gas x_pm1a_cnt_blk, x_pm1b_cnt_blk;
    struct acpi_gas x_pm2_cnt_blk, x_pm_tmr_blk;
} __packed;
#define FADT_V1_SIZE 116
#define FADT_TMR_VAL_EXT (1U << 8)
#define FADT_RESET_REG_SUP (1U << 10)
static_assert(offsetof(struct acpi_fadt, reset_reg) == FADT_V1_SIZE,
              "FADT layout");
static_assert(offsetof(struct acpi_fadt, x_pm_tmr_blk) == 208, "FADT layout");

struct acpi_hpet {
    struct acpi_header header;
    u32 block_id;
    struct acpi_gas address;
    u8 number;
    u16 min_tick;
    u8 page_protection;
} __packed;

struct acpi_mcfg_entry {
    u64 base;
    u16 segment;
    u8 start_bus, end_bus;
    u32 reserved;
} __packed;

struct acpi_mcfg {
    struct acpi_header header;
    u64 reserved;
    struct acpi_mcfg_entry entries[];
} __packed;

struct acpi_madt { /* 5.2.12 */
    struct acpi_header header;
    u32 lapic_address, flags;
    u8 entries[];
} __packed;
#define MADT_PCAT_COMPAT 1U

/* --- what the files share --- */
u8 acpi_checksum(const void *p, size_t n); /* 0 if sound */
maddr_t firmware_ebda(void);               /* 0 if there is none */
bool acpi_read_madt(void);
void acpi_read_s5(const struct acpi_fadt *f);
/* Add a CPU to machine.cpus, the boot CPU at the front. (acpi-madt.c) */
void machine_add_cpu(u32 apic_id, u32 acpi_id);

#endif
