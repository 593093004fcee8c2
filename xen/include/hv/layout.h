/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where things are in virtual memory.  The ABI gives the hypervisor top-level
 * slots 256-271 (arch-x86/xen-x86_64.h, "Virtual addresses beyond this"):
 *
 *   slot 256  ffff8000'00000000  machine-to-phys table, read-only to guests
 *   slot 257  ffff8080'00000000  device and firmware mappings (ioremap)
 *   slot 258  ffff8100'00000000  the hypervisor's image, text read-only
 *   slot 260  ffff8200'00000000  per-domain: GDT and LDT of each vCPU
 *   slot 262  ffff8300'00000000  all RAM, one to one (slots 262-271, 5 TiB)
 *
 * Also used by assembler and the linker script. Floor: lib.
 */
#ifndef HV_LAYOUT_H
#define HV_LAYOUT_H

#ifdef __ASSEMBLY__
#define HV_UL(x) x
#else
#define HV_UL(x) x##UL
#endif

#define HV_VIRT_START HV_UL(0xffff800000000000)
#define HV_VIRT_END HV_UL(0xffff880000000000)
#define RO_M2P_VIRT_START HV_UL(0xffff800000000000)
#define RO_M2P_VIRT_END HV_UL(0xffff804000000000)
#define IOREMAP_VIRT_START HV_UL(0xffff808000000000)
#define IOREMAP_VIRT_END HV_UL(0xffff808040000000)
/* Four zero digits above the offset: a run, which shortens pdb's packets. */
#define IMAGE_VIRT_START HV_UL(0xffff810000000000)
#define PERDOMAIN_VIRT_START HV_UL(0xffff820000000000)
#define DIRECTMAP_VIRT_START HV_UL(0xffff830000000000)
#define DIRECTMAP_VIRT_END HV_UL(0xffff880000000000)
#define HV_FIRST_SLOT 256
#define HV_END_SLOT 272
#define PERDOMAIN_SLOT 260

/* Entries of hypercall_table (hypercall/table.c); holes answer -ENOSYS. */
#define NR_HYPERCALL_SLOTS 64

/* Loaded by the boot loader at this physical address. */
#define IMAGE_PHYS_START HV_UL(0x200000)

/* The hypervisor's selectors, in the reserved page of every vCPU's GDT. */
#define HV_CS 0xe008
#define HV_DS 0x0000
#define HV_TSS 0xe040
#define HV_LDT 0xe050
/* Guests' flat segments: FLAT_RING3_* of arch-x86/xen-x86_64.h. */
#define GUEST_CS32 0xe023
#define GUEST_SS 0xe02b
#define GUEST_CS64 0xe033
#define GDT_RESERVED_PAGE 14
#define GDT_LDT_VCPU_SHIFT 17 /* 64 KiB GDT + 64 KiB LDT per vCPU */

#endif
