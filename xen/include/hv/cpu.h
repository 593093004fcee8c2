/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPU as the upper floors see it: tables, traps, the ways in and out.
 * Floor: cpu. See cpu/entry.S for the register and stack conventions.
 */
#ifndef HV_CPU_H
#define HV_CPU_H

#include <hv/compiler.h>
#include <hv/percpu.h>
#include <hv/x86.h>

/* Vectors 0x20.. belong to irq/; these are fixed, highest priority. */
#define VECTOR_SPURIOUS 0xff
#define VECTOR_WAKE 0xf0 /* alone in the highest class: lapic_nap() */
#define VECTOR_ERROR 0xee
#define VECTOR_TIMER 0xed
#define VECTOR_CALL_FUNCTION 0xec
#define VECTOR_EVENT_CHECK 0xeb /* wakes, softirqs: the handler does nothing */
#define VECTOR_TLB_FLUSH 0xea
#define VECTOR_FIRST_DYNAMIC 0x21
#define VECTOR_LAST_DYNAMIC 0xdf
#define VECTOR_GUEST_INT80 0x80 /* never allocated: guests' int $0x80 */

/* GDT, TSS with its stacks, IDT, SYSCALL MSRs of this CPU. percpu_alloc()ed. */
void cpu_tables_init(unsigned int cpu);
/* Every write of DR7: it decides which stack #DB comes on. */
void cpu_write_dr7(u64 val);
/* Boot CPU, before any hook: how the machine delivers debug traps. */
void debug_trap_test(void);
/* #DB in the hypervisor: true if it hit the entry of another one. */
bool debug_trap_nested(struct cpu_user_regs *regs);
/* cpu_info of a CPU whose stack block is `stack` (not yet running). */
struct cpu_info *cpu_info_of_stack(void *stack);
extern void *cpu_stacks[NR_CPUS]; /* lowest address of each stack block */

/* Called by entry.S with irqs off: vector in regs->entry_vector, >= 0x20. */
void do_irq(struct cpu_user_regs *regs); /* irq/irq.c */

/* True if regs were saved while a guest ran (not the hypervisor). */
static inline bool guest_mode(const struct cpu_user_regs *regs)
{
    return (regs->cs & 3) != 0;
}

/* Throw the stack below guest_regs away and go on in fn; fn never returns. */
#define reset_stack_and_jump(fn)                                               \
    do {                                                                       \
        __asm__ volatile("mov %0, %%rsp; jmp %P1" ::"r"(                       \
                             (char *)&get_cpu_info()->guest_regs - 8),         \
                         "i"(fn)                                               \
                         : "memory");                                          \
        __builtin_unreachable();                                               \
    } while (0)

/* entry.S: run softirqs and pending events, then the guest in guest_regs. */
void return_to_guest(void) __noreturn;

/*
 * Hooks of the upper floors.  guest: a trap with guest_mode(regs); always deals
 * with it.  debugger: a trap of the hypervisor before it is called fatal; true
 * if it dealt with it.  nmi: on the NMI stack.
 */
/* Set once, before the machine ends: an NMI stops the CPU that gets it. */
extern bool cpus_stopping;
extern void (*guest_trap_handler)(struct cpu_user_regs *regs);
void traps_register_guest(void (*fn)(struct cpu_user_regs *regs));
void traps_register_debugger(bool (*fn)(struct cpu_user_regs *regs));
/* A trap of the hypervisor before anybody else: true if it may try again. */
void traps_register_keys(bool (*fn)(const struct cpu_user_regs *regs));
void traps_register_nmi(void (*fn)(struct cpu_user_regs *regs));

/* --- crash.c, symbols.c --- */
void show_registers(const struct cpu_user_regs *regs);
void show_stack(const struct cpu_user_regs *regs);
void show_execution_state(const struct cpu_user_regs *regs); /* all of it */
void dump_page_walk(unsigned long va);
void fatal_trap(const struct cpu_user_regs *regs) __noreturn;
/* Reboot (or halt, with noreboot) after a crash; never returns. */
void machine_restart(unsigned int delay_ms) __noreturn;
void machine_halt(void) __noreturn;
void machine_power_off(void) __noreturn;
/* Name of the function around addr and the offset in it; NULL if none. */
const char *symbol_lookup(unsigned long addr, unsigned long *offset,
                          unsigned long *size);
/* The n-th function by address; NULL: there are no more. */
const char *symbol_by_number(unsigned int n, unsigned long *addr);
bool is_hv_text(unsigned long addr);

#endif
