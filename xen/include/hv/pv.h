/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paravirtualised guests: traps handed to the guest kernel, privileged
 * instructions, descriptors, the state of a vCPU.
 *
 * Modes: guest user and guest kernel both run in ring 3; v->pv.in_kernel says
 * which. Selectors that a guest kernel sees have RPL 0 for its own mode.
 * Floor: pv.
 */
#ifndef HV_PV_H
#define HV_PV_H

#include <hv/domain.h>
#include <hv/vcpu.h>

/* --- bounce.c: frames on the guest kernel's stack --- */
#define TRAP_NO_ERROR_CODE (~0U)
/* Make the guest go on in its handler for `vector`. Crashes the domain if it
 * registered none or its stack is not there. */
void pv_inject_trap(struct cpu_user_regs *regs, unsigned int vector,
                    u32 error_code);
void pv_inject_page_fault(struct cpu_user_regs *regs, u32 error_code,
                          unsigned long cr2);
void pv_deliver_event(void); /* entry.S: an event is pending and not masked */
void pv_deliver_nmi(void);
void pv_toggle_mode(struct vcpu *v); /* guest user <-> kernel: CR3, GS */

/*
 * The domain, none of whose vCPUs runs, is not to see the last `ticks` of the
 * TSC.  From the first time on, its RDTSC is emulated (CR4.TSD): no machine can
 * be trusted to let its TSC be set back.  CPUs that run one of its vCPUs call
 * pv_tsc_load() before they go on.
 */
void pv_tsc_skip(struct domain *d, u64 ticks);
void pv_tsc_load(void);
u64 pv_guest_cr4(const struct vcpu *v); /* CR4 as the guest knows it */

/* --- faults.c: a guest's trap --- */
void pv_guest_trap(struct cpu_user_regs *regs);
/* Guests' #BP and #DB go to fn first; true if they were meant for it. */
void pv_register_debugger(bool (*fn)(struct cpu_user_regs *regs));
bool pv_has_debugger(void);
/* An instruction of the guest's was emulated under TF: its trap. */
void pv_single_stepped(struct cpu_user_regs *regs);
/* What SYSCALL in user mode does, where entry.S has not done it: the kernel has
 * registered an entry, rcx and r11 are as SYSCALL sets them. */
void pv_enter_by_syscall(struct cpu_user_regs *regs);

/* --- page-fault.c, writable-tables.c --- */
void pv_page_fault(struct cpu_user_regs *regs);
/* The faulting write hit a page-table page: carry it out. False: not ours. */
bool pv_write_page_table(struct cpu_user_regs *regs, unsigned long addr);

/* --- privileged.c: #GP and #UD of the guest kernel. False: inject it. --- */
bool pv_emulate_privileged(struct cpu_user_regs *regs);
/* The same for RDTSC alone, which is frequent where it traps; irqs off. */
bool pv_emulate_tsc(struct cpu_user_regs *regs);
bool pv_emulate_forced(struct cpu_user_regs *regs); /* ud2 'xen' cpuid */
/* The TSC without the debugger's stops, of which one may come meanwhile. */
u64 pv_guest_tsc(const struct domain *d);
int pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long val);
void pv_debugreg_load(struct vcpu *v); /* current: into the CPU, if enabled */
/*
 * The debugger uses these registers (a bit each) on all CPUs, with dr7. share:
 * write the others of a vCPU with breakpoints; what they have in DR7, 0: none.
 */
void pv_debugreg_take(unsigned int mask, u64 dr7);
u64 pv_debugreg_share(const struct vcpu *v);
/* The debugger and v->pv.fpu, whose first 512 bytes are FXSAVE64's: fpu.c. */
/*
 * The debugger lets this CPU go on, which it may have stopped in the midst of
 * moving a vCPU's registers, and has changed them in the place where they then
 * were: the other place is made alike, and the move goes on. irqs off.
 */
void pv_regs_again(void);
/* Whose registers that CPU has on its stack, if any; else they are in
 * vcpu.regs.  It stands still. */
struct vcpu *pv_regs_of(unsigned int cpu);
void pv_fpu_show(struct vcpu *v);
void pv_fpu_change(struct vcpu *v, const void *image);
void pv_fpu_reload(struct vcpu *v);

/* --- hypercall-page.c --- */
void pv_fill_hypercall_page(void *page); /* 4 KiB, direct map */

/* --- context.c, fpu.c --- */
extern const struct pv_ops pv_domain_ops;
/* Registers, code and stack of a vCPU that does not run elsewhere. (dump.c) */
void pv_dump_vcpu(struct vcpu *v);
void pv_init(void); /* boot: hooks of this floor */
/* #NM: the guest set TS or the FPU is not loaded. True: restart it. */
bool pv_device_not_available(struct vcpu *v);

/* --- cpuid.c: what CPUID tells v's guest --- */
struct cpuid_regs;
void pv_cpuid(struct vcpu *v, u32 leaf, u32 sub, struct cpuid_regs *r);

/* --- hypercall-page.c: make the 4096 bytes at page such a page --- */
void pv_fill_hypercall_page(void *page);

static inline bool guest_kernel_mode(const struct vcpu *v)
{
    return v->pv.in_kernel;
}

static inline bool canonical(unsigned long va)
{
    return (unsigned long)((long)(va << 16) >> 16) == va;
}

#endif
