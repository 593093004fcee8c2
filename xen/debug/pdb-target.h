/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The debugger's machine: what the files of pdb-*.c share.
 *
 * One CPU, the leader, has the machine while it is stopped; only it calls the
 * core (pdb.h).  Every other CPU sits in an NMI (pdb-stop.c) with its registers
 * in struct pdb_cpu.  Who is no leader touches nothing here but its own CPU's
 * part.  Floor: debug.
 */
#ifndef HV_PDB_TARGET_H
#define HV_PDB_TARGET_H

#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/percpu.h>
#include <hv/types.h>
#include <pdb.h>

/* What a CPU was doing when it stopped. */
struct pdb_cpu {
    struct cpu_user_regs *regs; /* of what was interrupted */
    struct cpu_user_regs *serves; /* the trap's that it works for; or NULL */
    u64 cr2, cr3;
    u64 fs_base, gs_base, shadow_gs_base;
    u64 dr6; /* as it was then: BS, if a step has ended and is not told yet */
    s_time_t skipped; /* of target.skipped: taken off this CPU's clock */
    bool dr_loaded;   /* its debug registers are ours */
    bool parking;     /* it is in park(), or sees others off */
    bool again;       /* it was stopped once more meanwhile */
    bool naps;        /* in pdb_nap(); parked, it wants VECTOR_WAKE */
    bool fpu_shown;   /* its vCPU's FPU image is up to date */
    bool expected;    /* an NMI of ours is on its way; atomics */
    bool put_off;     /* one came too early: it parks when it can */
    /* Its #DB, in the hypervisor or a guest, was that of a step which gdb then
     * gave up. */
    struct pdb_spent {
        bool yes;
        bool had_tf; /* the guest had the trap flag set itself */
        bool told;   /* gdb has stopped since: it ends none that is armed now */
        struct pdb_tid who; /* was to make it */
    } spent[2]; /* by guest_mode() */
    bool button, had_tf; /* pdb_button() made it step; it stepped already */
};
DECLARE_PER_CPU(struct pdb_cpu, pdb_cpu);

#define NR_PDB_STEPS 8

/* A thread that is to make one instruction. */
struct pdb_one_step {
    bool armed;
    bool away;   /* the trap flag is in a frame that the guest has saved */
    bool enters; /* it ends where the guest's kernel is entered */
    struct pdb_tid who;
    struct pdb_tid vcpu; /* in guest mode: whose; else tid is 0 */
    u64 user_cr3;        /* of the process; 0: the guest's kernel */
    unsigned int cpu;    /* in the hypervisor: where, and what is to run */
    struct cpu_user_regs *frame;
    bool had_tf, had_if;
    u8 opcode; /* of the instruction */
    u64 rip;
    u64 iret_flags; /* where the guest's iret gets its flags; 0: no iret */
    u64 watched[4]; /* what data watchpoints saw before: pdb_hw_look() */
};

struct pdb_target {
    struct pdb core;
    struct pdb_plan plan;
    bool planned; /* resume() was called since the stop */
    bool stop_wanted; /* interrupt() was called */
    int32_t scope; /* the only inferior that stops; 0: everything does */
    bool scoped;   /* it stands still, gdb is served, and the rest runs */
    bool tick_due; /* then: a second has passed */
    bool out[PDB_NR_SITES]; /* int3s of the core's that we took out */
    bool any_out;
    const char *reason;
    struct pdb_one_step step[NR_PDB_STEPS];
    struct pdb_hw hw[4]; /* len 0: free */
    s_time_t skipped; /* all the time that the machine was stopped */
    cpumask_t absent; /* online, but did not stop */
    unsigned int crashed; /* panic() waits for us */
    u32 said_from, said_to; /* console ring: what a debug key has said */
    char text[PDB_NOTE];
    char name[64], state[64], where[PDB_NOTE], exec_file[104];
};

/* NULL: no pdb= on the command line. */
extern struct pdb_target *pdb_target;

/* --- pdb-memory.c --- */
int pdb_read_mem(void *ctx, const struct pdb_space *as, u64 addr, void *buf,
                 u32 len);
int pdb_write_mem(void *ctx, const struct pdb_space *as, u64 addr,
                  const void *buf, u32 len);
int pdb_translate(void *ctx, const struct pdb_space *as, u64 addr, u64 *maddr);
int pdb_walk(void *ctx, const struct pdb_space *as, u64 addr,
             struct pdb_out *o);
/* One byte of RAM by machine address, however it is mapped. False: no RAM. */
bool pdb_peek(maddr_t ma, u8 *byte);
bool pdb_poke(maddr_t ma, u8 byte);

/* --- pdb-int3.c --- */
extern const char pdb_own_int3[]; /* in pdb_break_in() */
/* What the core has planted where this CPU has just run an int3; or NULL. */
struct pdb_site *pdb_int3_site(const struct cpu_user_regs *regs);
/* No int3 is there any more: it was the debugger's. */
bool pdb_int3_is_gone(const struct cpu_user_regs *regs);
/* One in the hypervisor that no debugger has put there. */
bool pdb_int3_is_bug(const struct cpu_user_regs *regs);
/* The leader ran into one. False: there is no RAM. */
bool pdb_int3_take_out(const struct pdb_site *s);
/* The machine goes on: what is to be in memory then. */
void pdb_int3s_again(void);

/* --- pdb-thread.c --- */
int pdb_get_regs(void *ctx, struct pdb_tid t, struct pdb_regs *r);
int pdb_set_regs(void *ctx, struct pdb_tid t, const struct pdb_regs *r);
int pdb_get_fpu(void *ctx, struct pdb_tid t, u8 *fxsave);
int pdb_set_fpu(void *ctx, struct pdb_tid t, const u8 *fxsave);
int32_t pdb_next_inferior(void *ctx, int32_t pid);
int32_t pdb_next_thread(void *ctx, int32_t pid, int32_t tid);
int pdb_thread_info(void *ctx, struct pdb_tid t, struct pdb_thread_info *i);
bool pdb_is_down(void *ctx, struct pdb_tid t);
int pdb_inferior_info(void *ctx, int32_t pid, struct pdb_inferior_info *i);
/* gdb holds this inferior. */
bool pdb_is_attached(int32_t pid);
/* NULL: there is no such domain or vCPU. */
struct domain *pdb_domain(int32_t pid);
struct vcpu *pdb_vcpu(struct pdb_tid t);
/* A vCPU's registers, wherever they are now; NULL: not to be had. */
struct cpu_user_regs *pdb_vcpu_regs(struct vcpu *v);
/* The hypervisor does something for it: its registers may change by that. */
bool pdb_vcpu_is_busy(struct pdb_tid t);
const char *pdb_vcpu_state(const struct vcpu *v);
/* The guest's vCPU that runs there, which stays so on this CPU, and on one that
 * has stopped; NULL: none. */
struct vcpu *pdb_vcpu_on(unsigned int cpu);
/* The thread that gdb knows for what this CPU, or that, was doing. */
struct pdb_tid pdb_thread_here(const struct cpu_user_regs *regs);
struct pdb_tid pdb_thread_on(unsigned int cpu,
                             const struct cpu_user_regs *regs);

/* --- pdb-step.c --- */
void pdb_step_arm(struct pdb_tid t);
/* Take back what was armed and did not happen. What is on its way in the guest
 * goes on: it is not armed again, and gdb may forget it. */
void pdb_steps_disarm(void);
/* Disarmed when it had been made; the vCPU's CPU waits to tell of it. */
bool pdb_step_is_spent(const struct vcpu *v);
/* gdb has stopped; who NULL: everybody. */
void pdb_steps_forget(const struct pdb_tid *who);
/* d ends: what was armed in its vCPUs does not happen any more. */
void pdb_steps_forget_domain(const struct domain *d);
/* #DB with DR6.BS: the step armed here, which is now undone, and the thread of
 * gdb's that has made it; NULL: none. */
const struct pdb_one_step *pdb_step_finish(struct cpu_user_regs *regs,
                                           struct pdb_tid *thread);
/* #DB: a forgotten step has ended, and nobody is to hear of it. */
bool pdb_step_is_forgotten(struct cpu_user_regs *regs);
bool pdb_step_armed_here(void);
bool pdb_step_armed_for(const struct vcpu *v);
/* One is armed, or on its way, in this inferior; 0: in any domain. */
bool pdb_steps_in(int32_t pid);
/* Some step, that of this vCPU's system call, is to end at the kernel's entry.
 * Then that is where it is now, and *stop tells of that. */
bool pdb_steps_enter(void);
bool pdb_step_enters_kernel(void);
bool pdb_step_enter_kernel(struct cpu_user_regs *regs, struct pdb_stop *stop);

/* --- pdb-hold.c --- */
void pdb_hold_domains(void); /* as the plan says */
void pdb_hold_forget(const struct domain *d); /* it ends */
/* t stays where it is until the step has ended, though it helps. */
void pdb_hold_back(struct pdb_tid t);
bool pdb_hold_gave_up(void); /* not any longer, the step needs more help */
void pdb_hold_step_over(void); /* the next one's patience begins anew */
/* What the plan says that t is to do, under the scope. */
enum pdb_do pdb_wanted(struct pdb_tid t);
/* Only the scope's domain is to stand still for *s. */
bool pdb_scope_covers(const struct pdb_stop *s);
/* A stop that has no place of its own is that domain's. */
void pdb_scope_choose(struct pdb_stop *s);
void pdb_scope_hold(void); /* makes that the plan */

/* --- pdb-nonstop.c --- */
bool pdb_is_non_stop(void);
void pdb_non_stop_resume(const struct pdb_plan *plan);
void pdb_non_stop_interrupt(void); /* ^C */
/* The next thread that gdb is to be told of: it asked for that halt. */
bool pdb_non_stop_halt(struct pdb_stop *s);
bool pdb_non_stop_awaits(void); /* there are some that cannot be told yet */
enum pdb_do pdb_non_stop_wanted(struct pdb_tid t);
/* A CPU is stopped, and nothing steps, or the hypervisor has failed: the
 * machine stands still. */
bool pdb_non_stop_frozen(void);
/* No CPU is to stay while others go on. */
bool pdb_non_stop_frees_cpus(void);
/* *s is of a thread that stands still already, or helps and is not heard. */
bool pdb_non_stop_ignores(struct pdb_stop *s);
/* gdb hears of *s, which is the core's last stop. */
void pdb_non_stop_stopped(const struct pdb_stop *s);
void pdb_non_stop_forget(int32_t pid); /* gdb leaves it; 0: all */

/* --- pdb-hw.c --- */
int pdb_hw_insert(void *ctx, const struct pdb_hw *hw);
int pdb_hw_remove(void *ctx, const struct pdb_hw *hw);
void pdb_hw_load(void);   /* this CPU's debug registers, as they should be */
void pdb_hw_silence(void); /* none, while the debugger works */
/*
 * A step runs without data watchpoints, since some machines (QEMU) make two
 * debug traps of one such instruction, the second on top of the first: what
 * they watch is read before and after. Tells of a change as of a hit.
 */
void pdb_hw_look(struct pdb_tid who, u64 value[4]);
bool pdb_hw_changed(struct pdb_tid who, const u64 value[4],
                    struct pdb_stop *s);
/* DR6 tells of one of ours: false if not. */
bool pdb_hw_hit(u64 dr6, struct pdb_stop *s);
u64 pdb_hw_guests(u64 dr6); /* what is left of DR6 for a guest */

bool pdb_hw_same(const struct pdb_hw *a, const struct pdb_hw *b);

/* --- pdb-guard.c: watches on pages, by protection keys --- */
int pdb_guard_insert(struct pdb_target *t, const struct pdb_hw *hw);
int pdb_guard_remove(const struct pdb_hw *hw);
void pdb_guard_init(void); /* boot */
bool pdb_guards_any(void);
void pdb_guard_load(void); /* this CPU's PKRU, as it should be */
/* The machine goes on: each page that is there carries the key. */
void pdb_guards_again(void);
/* #PF of a guest on a watched page: makes *s PDB_WHY_GUARD. By the leader. */
void pdb_guard_touch(const struct cpu_user_regs *regs, struct pdb_stop *s);
/* The step after that was made, but another stop came first. True: *s is to
 * have the core look whether it was a hit. */
bool pdb_guard_late(struct pdb_stop *s);
/* *s is a touch: if another CPU has such a step to tell of, that comes first,
 * and what this one has met happens again. All are stopped. */
void pdb_guard_in_turn(struct pdb_stop *s);
/* As pdb_hw_look() and pdb_hw_changed(), for a step of a vCPU's at rip. */
void pdb_guard_look(struct pdb_tid vcpu);
bool pdb_guard_changed(struct pdb_tid vcpu, u64 rip, struct pdb_stop *s);

/* --- pdb-button.c --- */
bool pdb_button(struct cpu_user_regs *regs); /* an NMI nobody explains */
bool pdb_button_steps(unsigned int cpu); /* it is to make a step for that */
/* #DB: is it that of pdb_button()? Then: is there still something to tell? */
bool pdb_button_trap(struct cpu_user_regs *regs);
bool pdb_button_news(void);

/* --- pdb-commands.c, pdb-tables.c --- */
extern const struct pdb_command pdb_commands[];
extern const struct pdb_table pdb_tables[];

/* --- pdb-event.c --- */
int pdb_cmd_break_on(struct pdb *p, void *ctx, const char *args,
                     struct pdb_out *o);

/* --- pdb-console.c: what the console says, for gdb --- */
void pdb_console_init(void); /* boot */
void pdb_console_hand_on(void); /* as much as goes in now; by the leader */

/* --- pdb-stack.c --- */
bool pdb_on_main_stack(bool (*fn)(struct cpu_user_regs *),
                       struct cpu_user_regs *regs);
/* An NMI has found a CPU on its way into the handler of a #DB. */
bool pdb_enters_db(const struct cpu_user_regs *regs);
/* An NMI has found a CPU at regs: where its next step is to begin. If it is in
 * the handler of a #DB on the page of these, where no instruction may be
 * stepped, where that came from. */
struct cpu_user_regs *pdb_beneath_db(struct cpu_user_regs *regs);
/* Where gdb is to find it: there, or in the guest that it is on its way to. If
 * gdb changes that one's registers, they are popped as they are then. */
struct cpu_user_regs *pdb_interrupted(struct cpu_user_regs *regs);

/* --- pdb-stop.c --- */
bool pdb_trap(struct cpu_user_regs *regs);  /* #BP, #DB, faults */
bool pdb_nmi(struct cpu_user_regs *regs);
/* From C, on the way back to the guest whose guest_regs are complete. False:
 * another CPU had stopped the machine, nothing was told: look again. */
bool pdb_stop_guest(struct pdb_stop *s);
void pdb_settled(void); /* bytes have come */
void pdb_tell_gdb(void); /* there is text for it: SOFTIRQ_TELL */
void pdb_receive(u8 byte);
void pdb_break_in(void);
/* A stop in which gdb is heard, and told nothing: its .number is this. */
#define PDB_ONLY_LISTEN 1
void pdb_listen(void);
void pdb_life(const struct domain *d, bool born); /* the domains' hook */
void pdb_thread_life(const struct vcpu *v, enum vcpu_life what); /* vCPUs' */
/* A stop for something of which no register tells: .number is this, and what it
 * is lies here. */
#define PDB_OWN_STOP 2
DECLARE_PER_CPU(struct pdb_stop, pdb_own_stop);

#endif
