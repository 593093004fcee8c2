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

/* Each CPU's page of the hypervisor's descriptors (page 14 of any GDT): zeroed
 * hypervisor memory, allocated before cpu_tables_init(). */
extern u64 *cpu_gdt_pages[NR_CPUS];

void cpu_load_gdt(unsigned long base); /* linear address of 16 pages */
void cpu_load_own_gdt(unsigned int cpu);
/* Loads LDTR; 0 entries: none. */
void cpu_set_ldt_descriptor(unsigned int cpu, unsigned long base,
                            unsigned int entries);

#endif
