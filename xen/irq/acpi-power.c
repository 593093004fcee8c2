/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Power off (S5) and restart by ACPI.
 *
 * The value that S5 needs is a package in byte code, \_S5. It is always a
 * literal package in practice, so a search for its name does; no interpreter
 * is needed. Domain 0, which has one, hands over its own values.
 * Facts: ACPI specification 6.4, 4.8.3.2 (PM1 control), 7.4.2 (\_Sx), 20.2.
 */
#include <hv/acpi.h>
#include <hv/errno.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/string.h>

#include "acpi-tables.h"

#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP_MASK (7U << PM1_SLP_TYP_SHIFT)
#define PM1_SLP_EN (1U << 13)

#define AML_ZERO 0x00
#define AML_ONE 0x01
#define AML_BYTE 0x0a
#define AML_NAME 0x08
#define AML_PACKAGE 0x12

/* One small integer of byte code at *p; -1 if it is something else. */
static int __init aml_integer(const u8 **p, const u8 *end)
{
    if (*p >= end)
        return -1;
    if (**p == AML_ZERO || **p == AML_ONE)
        return *(*p)++;
    if (**p != AML_BYTE || *p + 1 >= end)
        return -1;
    *p += 2;
    return (*p)[-1];
}

/* p: behind the name, at PackageOp. True if two integers start the package. */
static bool __init parse_s5(const u8 *p, const u8 *end)
{
    int a, b;

    if (p + 3 >= end || *p++ != AML_PACKAGE)
        return false;
    p += 1 + (*p >> 6); /* package length: its top bits count more bytes */
    p++;                /* number of elements */
    a = aml_integer(&p, end);
    b = aml_integer(&p, end);
    if (a < 0 || b < 0 || a > 7 || b > 7)
        return false;
    machine.s5_type_a = (u8)a;
    machine.s5_type_b = (u8)b;
    return true;
}

static bool __init search_s5(const u8 *p, const u8 *end)
{
    for (; p + 8 < end; p++) {
        bool named = p[0] == '_' && p[1] == 'S' && p[2] == '5' && p[3] == '_';

        if (named &&
            (p[-1] == AML_NAME || (p[-1] == '\\' && p[-2] == AML_NAME)))
            if (parse_s5(p + 4, end))
                return true;
    }
    return false;
}

void __init acpi_read_s5(const struct acpi_fadt *f)
{
    const struct acpi_header *h = map_firmware(f->dsdt, sizeof(*h));
    const u8 *body;
    u32 length;

    if (!f->dsdt || !h || memcmp(h->signature, "DSDT", 4))
        return;
    length = h->length;
    if (length < sizeof(*h) + 2 || length > 4U << 20)
        return;
    body = map_firmware(f->dsdt, length);
    if (body)
        machine.s5_known =
            search_s5(body + sizeof(*h) + 2, body + length);
}

static void write_register(const struct acpi_register *r, u32 v,
                           unsigned int bits)
{
    if (r->space == ACPI_SPACE_IO) {
        if (bits == 8)
            outb((u8)v, (u16)r->address);
        else
            outw((u16)v, (u16)r->address);
    } else if (r->space == ACPI_SPACE_MEMORY) {
        volatile u8 *p = ioremap(r->address, bits / 8);

        if (!p)
            return;
        if (bits == 8)
            *p = (u8)v;
        else
            *(volatile u16 *)p = (u16)v;
    }
}

/* Only sleep type and enable may change; SCI_EN and the rest stay. */
static void write_pm1(const struct acpi_register *r, u16 value)
{
    u32 old = r->space == ACPI_SPACE_IO ? inw((u16)r->address) : 0;

    old &= ~(PM1_SLP_TYP_MASK | PM1_SLP_EN);
    write_register(r, old | (value & (PM1_SLP_TYP_MASK | PM1_SLP_EN)), 16);
}

int acpi_enter_sleep(unsigned int state, u16 value_a, u16 value_b)
{
    if (state == 0 || state > 5)
        return -EINVAL;
    if (!machine.pm1a_control.address)
        return -ENODEV;
    if (state != 5)
        return -EOPNOTSUPP; /* sleeping needs the wake-up path: not there */
    log_info("powering off\n");
    local_irq_disable();
    write_pm1(&machine.pm1a_control, value_a | PM1_SLP_EN);
    if (machine.pm1b_control.address)
        write_pm1(&machine.pm1b_control, value_b | PM1_SLP_EN);
    return 0;
}

void acpi_power_off(void)
{
    if (machine.s5_known)
        (void)acpi_enter_sleep(
            5, (u16)(machine.s5_type_a << PM1_SLP_TYP_SHIFT),
            (u16)(machine.s5_type_b << PM1_SLP_TYP_SHIFT));
}

/* 4.8.3.6: a configuration-space reset register is on bus 0, segment 0. */
void acpi_reset(void)
{
    const struct acpi_register *r = &machine.reset;

    if (!r->address)
        return;
    if (r->space == ACPI_SPACE_PCI) {
        u32 device = (u32)(r->address >> 32) & 0x1f;
        u32 function = (u32)(r->address >> 16) & 7;
        u32 offset = (u32)r->address & 0xff;

        outl(0x80000000U | device << 11 | function << 8 | (offset & 0xfc),
             0xcf8);
        outb(machine.reset_value, (u16)(0xcfc + (offset & 3)));
        return;
    }
    write_register(r, machine.reset_value, 8);
}
