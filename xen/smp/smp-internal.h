/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_SMP_INTERNAL_H
#define HV_SMP_INTERNAL_H

#include <hv/percpu.h>
#include <hv/smp.h>
#include <hv/spinlock.h>

/* Take a lock whose holder may be waiting for this CPU. */
void smp_lock_polling(spinlock_t *lock);
void tlb_run_pending_flush(void); /* irqs off */

/* smp/trampoline.S: real-mode start code, copied below 1 MiB. */
extern const char trampoline_start[], trampoline_end[];
extern const char trampoline_far32[], trampoline_gdtr[], trampoline_data[];
extern const char trampoline_32[], trampoline_gdt[];

/* At trampoline_data. */
struct trampoline_data {
    u64 stack;
    u64 entry;
    u32 cr3; /* tables that map the trampoline one to one, below 4 GiB */
    u32 cr4;
    u32 efer;
};

#endif
