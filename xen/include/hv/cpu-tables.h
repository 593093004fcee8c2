/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor tables of a CPU (cpu/tables.c). Floor: cpu. */
#ifndef HV_CPU_TABLES_H
#define HV_CPU_TABLES_H

#include <hv/percpu.h>

/* Interrupt stacks: TSS.ist[n-1]. See hv/percpu.h for where they lie. */
#define IST_DF 1
#define IST_NMI 2
#define IST_MC 3
#define IST_DB 4
#define DB_STACK_PAGE 3 /* of the stack block */

extern const u64 exception_entries[20]; /* entry.S, by vector; 0: none */
/* entry.S, the first address and the one behind the last: what saves the
 * registers for the handler of #DB; the way back to the guest in guest_regs. */
extern const u64 db_entry_range[2], guest_exit_range[2];

/* Each CPU's page of the hypervisor's descriptors (page 14 of any GDT): zeroed
 * hypervisor memory, allocated before cpu_tables_init(). */
extern u64 *cpu_gdt_pages[NR_CPUS];

void cpu_load_gdt(unsigned long base); /* linear address of 16 pages */
/* #DB on its own stack, or on the one in use: see cpu/debug-trap.c. */
void cpu_load_idt(bool db_on_its_stack);
void cpu_load_own_gdt(unsigned int cpu);
/* Loads LDTR; 0 entries: none. */
void cpu_set_ldt_descriptor(unsigned int cpu, unsigned long base,
                            unsigned int entries);

#endif
