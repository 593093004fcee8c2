/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual CPU.  struct pv_vcpu is the part that entry.S and pv/ work on;
 * its fields reach the assembler through cpu/asm-offsets.c.
 * Floor: domain (the structure itself is read by cpu/entry.S).
 */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <hv/list.h>
#include <hv/mm.h>
#include <hv/percpu.h>
#include <hv/spinlock.h>
#include <hv/timer.h>
#include <hv/types.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

struct domain;
struct vcpu_guest_context;

#define NR_TRAP_VECTORS 256
#define MAX_VCPUS 64 /* of one domain */
#define MAX_GDT_FRAMES 14

/* What set_trap_table registered for one vector. address 0: nothing. */
struct guest_trap {
    unsigned long address;
    u16 cs;
    u8 dpl;
    u8 mask_events; /* TI_GET_IF: events are masked on entry */
};

/* One of the entry points that CALLBACKOP_register sets. */
struct guest_callback {
    unsigned long address;
    u8 mask_events;
    u8 registered;
};

struct pv_vcpu {
    /* Read on the system-call path: one cache line. */
    u64 cr3_kernel, cr3_user; /* values for CR3, 0: none */
    unsigned long kernel_sp;  /* top of the guest kernel's stack */
    unsigned long kernel_ss;
    struct vcpu_info *info; /* registered or in shared_info; never NULL */
    struct guest_callback syscall; /* 64-bit SYSCALL */
    u8 own_tsd;   /* CR4.TSD is the guest's own wish */
    u8 in_kernel; /* guest kernel mode: cr3_kernel and the kernel's GS base */
    u8 preemptible; /* the hypercall may stop validating with -ERESTART */

    struct guest_callback syscall32, sysenter, event, failsafe, nmi;
    struct guest_trap *traps; /* NR_TRAP_VECTORS entries */
    mfn_t kernel_l4, user_l4; /* the frames behind the cr3 values, typed and
                                 referenced; INVALID_MFN if none */

    u16 ds, es, fs, gs; /* selectors while not running */
    u64 fs_base, gs_base_kernel, gs_base_user;
    unsigned int iopl; /* virtual IOPL, already shifted: 0x0000..0x3000 */
    u8 *iobmp;       /* physdev set_iobitmap: guest address */
    unsigned int iobmp_limit;

    mfn_t gdt_frames[MAX_GDT_FRAMES];
    unsigned int gdt_entries;
    unsigned long ldt_base; /* guest linear address */
    unsigned int ldt_entries;
    pte_t *gdt_l1; /* 32 entries: 16 of the GDT area, 16 of the LDT area */
    spinlock_t ldt_lock;
    unsigned int ldt_mapped; /* shadow LDT pages present */

    /* CR0 and, but for TSD, CR4 as the guest sees them; CR2 is unused. */
    u64 ctrlreg[8];
    u64 debugreg[8];
    u64 dr_mask;

    void *fpu;         /* XSAVE or FXSAVE image, 64-byte aligned */
    u8 fpu_initialised;
    u32 fpu_cpu;   /* CPU whose registers were last saved to it */
    u64 xcr0;
};

/* Runnable unless a reason is set. */
#define VPF_BLOCKED 0x01 /* SCHEDOP_block: an event wakes it */
#define VPF_DOWN 0x02    /* VCPUOP_down or not initialised */
#define VPF_PAUSED 0x04  /* pause_count > 0 */
#define VPF_POLL 0x08    /* SCHEDOP_poll */
#define VPF_DEBUG 0x10   /* the debugger keeps it (pdb-hold.c) */

#define MAX_DROPS 12

struct vcpu {
    struct pv_vcpu pv; /* first: entry.S */
    struct domain *domain;
    unsigned int id;        /* within the domain */
    unsigned int processor; /* CPU it runs or last ran on */
    u8 running;             /* its state is in a CPU's registers */
    u8 held_by;             /* CPU + 1 that idles with its state, 0: none */
    u8 initialised;         /* VCPUOP_initialise done */
    u8 is_idle;
    u8 nmi_pending; /* VCPUOP_send_nmi: pv/ delivers it at the next exit */
    volatile u32 pause_flags; /* VPF_*, atomics */
    u32 pause_count;
    cpumask_t hard_affinity, soft_affinity;

    /* Registers while not running; on the stack's cpu_info while running. */
    struct cpu_user_regs regs;

    /* Shared memory with the guest. */
    mfn_t vcpu_info_mfn; /* of a registered vcpu_info, else INVALID_MFN */
    mfn_t time_mfn_unused;
    struct vcpu_time_info *time_extra; /* unused: NULL */
    unsigned long time_info_va;   /* register_vcpu_time_memory_area, or 0 */
    unsigned long runstate_va;    /* register_runstate_memory_area, or 0 */
    struct vcpu_runstate_info runstate; /* ours; times in ns */
    struct vcpu_time_info time_last;    /* domain/clock.c */

    /* Timers of the guest: hypercall/vcpu.c, sched.c. */
    struct timer singleshot, periodic, poll_timer;
    s_time_t periodic_period; /* ns; 0: off */
    s_time_t periodic_next;

    /* Events (domain/evtchn*.c). */
    u32 virq_to_evtchn[24]; /* port each VIRQ is bound to, 0: none */
    u32 poll_evtchn;        /* the one port polled; 0: several */
    struct evtchn_fifo_vcpu *evtchn_fifo; /* NULL: 2-level ABI */

    /* Scheduler (domain/sched*.c); under the lock of v->processor's queue. */
    struct list_head runq;   /* empty: not queued */
    cpumask_t saved_affinity; /* hard_affinity under SCHEDOP_pin_override */
    u8 pinned_override;
    u8 yielding;             /* SCHEDOP_yield: others first, once */
    u8 paused_for_shutdown;  /* by domain_shutdown() */
    u16 sched_weight;
    u64 sched_vtime;         /* weighted ns used: sched-fair.c */
    s_time_t last_run_start; /* charged up to here */

    u8 multicall_nargs;      /* of multicall_args */
    u8 in_multicall; /* MULTICALL_*: hypercall_restart() */
#define MULTICALL_RUNNING 1
#define MULTICALL_RESTART 2
    unsigned long multicall_args[5];

    /* Page tables to go on dropping before its guest runs on: see
     * pv/page-types.c. */
    struct frame *drops[MAX_DROPS];
    u8 nr_drops;

    struct vcpu_info early_info; /* of vCPUs without one in shared_info */
};

/* --- vcpu.c --- */
/* Down, not initialised, paused as often as d is. NULL: no memory. */
struct vcpu *vcpu_create(struct domain *d, unsigned int id);
void vcpu_destroy(struct vcpu *v); /* of a domain that is being freed */
/* The idle vCPU of a CPU; it is `current` there from its first moment on. */
struct vcpu *idle_vcpu_create(unsigned int cpu);
/* VCPUOP_up for v, initialised: runnable from now on. */
void vcpu_bring_up(struct vcpu *v);
void vcpu_bring_down(struct vcpu *v);
/* For the debugger: fn hears of vCPUs that come up, before they run, and of
 * those that have gone down, alone or all of a domain's by its shutdown. Their
 * domain's lock may be held. */
enum vcpu_life { VCPU_COMES_UP, VCPU_IS_DOWN, VCPU_IS_SHUT_DOWN };
void vcpu_register_life(void (*fn)(const struct vcpu *v, enum vcpu_life what));
void vcpu_tell_life(const struct vcpu *v, enum vcpu_life what);
/*
 * VCPUOP_register_vcpu_info: use the structure in guest frame m at `offset`
 * from now on. v is current or down. -ENXIO bad offset, -EINVAL.
 */
int vcpu_map_info(struct vcpu *v, mfn_t m, unsigned int offset);
void vcpu_unmap_info(struct vcpu *v);
/*
 * Write n bytes at va of v's kernel address space, if they are mapped writable
 * there; v need not be current. False: nothing, or only a part, was written.
 */
bool vcpu_write_kernel_va(struct vcpu *v, unsigned long va, const void *from,
                          size_t n);
/* Write v's registered runstate area, if any. Any vCPU, irqs on or off. */
void vcpu_update_runstate_area(struct vcpu *v);
/* An NMI for the guest, in its handler soon; it need not run. Any context. */
void vcpu_send_nmi(struct vcpu *v);
void vcpu_pause(struct vcpu *v);       /* waits until it is off its CPU */
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/* --- sched.c --- */
void sched_init(void);            /* boot: softirq, policy, CPU 0 */
void sched_init_cpu(unsigned int cpu); /* its queue; idle vCPU made before */
void sched_place_vcpu(struct vcpu *v); /* a new one: first CPU */
void idle_loop(void) __attribute__((noreturn));
/* A CPU that had nothing to do: these are its registers. */
bool in_idle_loop(const struct cpu_user_regs *regs);
/* Runstate with the time of the current state added up to now. Any vCPU; takes
 * its queue's lock unless it is current: not with one held, not from an NMI. */
void vcpu_get_runstate(const struct vcpu *v, struct vcpu_runstate_info *r);
/* Set / clear VPF_* and tell the scheduler. Any CPU; clearing: irq ok. */
void vcpu_set_flags(struct vcpu *v, u32 flags);
void vcpu_clear_flags(struct vcpu *v, u32 flags);
/* After a VPF_ flag was cleared; any CPU, irq ok. */
void vcpu_wake(struct vcpu *v);
void vcpu_sleep_nosync(struct vcpu *v); /* after one was set */
/* Make v look at its pending events soon: wake it, or kick its CPU. */
void vcpu_kick(struct vcpu *v);
void vcpu_mark_events_pending(struct vcpu *v);
static inline bool vcpu_runnable(const struct vcpu *v)
{
    return READ_ONCE(v->pause_flags) == 0;
}

/*
 * What the floor above (pv/) does for vCPUs and domains, registered once by
 * boot/start.c.  switch_to leaves `prev` and enters `next` on this CPU with
 * irqs off (segments, bases, GDT page, CR3, FPU), then goes on in the guest or
 * in the idle loop on an empty stack.
 */
struct pv_ops {
    int (*domain_init)(struct domain *d);
    void (*domain_free)(struct domain *d);
    int (*domain_relinquish)(struct domain *d); /* tables, pins; -ERESTART */
    int (*vcpu_init)(struct vcpu *v);
    void (*vcpu_free)(struct vcpu *v);
    void (*switch_to)(struct vcpu *prev, struct vcpu *next)
        __attribute__((noreturn));
    /* switch_to sets prev->running = 0, by a release store, after prev's last
     * register is in memory: another CPU may take it from that moment on. To
     * the idle vCPU, it leaves all that to release() or the next switch. */
    void (*release)(void); /* this CPU, if it idles; any context, NMI too */
    /* Full register state of a vCPU (VCPUOP_initialise, DOMCTL_setvcpucontext).
     * -EINVAL bad segments, addresses, tables. */
    int (*set_context)(struct vcpu *v, const struct vcpu_guest_context *c);
    void (*get_context)(struct vcpu *v, struct vcpu_guest_context *c);
    void (*dump)(struct vcpu *v); /* registers and stack on the console */
};
extern const struct pv_ops *pv_ops; /* NULL until registered */
void pv_register_ops(const struct pv_ops *ops); /* boot, before any domain */

#endif
