/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One instruction, by the trap flag.
 *
 * In the hypervisor the instruction runs with interrupts off, so that a step
 * does not end in an interrupt handler; instructions that look at or change
 * the flags are put right afterwards.  In a guest the flag is in its flags: if
 * an event or a fault comes first, the guest's handler runs through and the
 * step ends after it.  The iret hypercall takes the flags from a frame on the
 * guest's stack, so for one instruction the trap flag is there.
 *
 * What the guest's kernel then has in a frame of its own may wait there, and go
 * on where it likes: such a step is away, and known again by the process's page
 * table.  If gdb asks for something else meanwhile it is forgotten, and its
 * trap, when it comes, is nobody's.
 */
#include <hv/atomic.h>
#include <hv/cpu.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/x86.h>
#include <xen/xen.h>

#include "pdb-hook.h"
#include "pdb-target.h"

#define OP_PUSHF 0x9c
#define OP_POPF 0x9d
#define OP_CLI 0xfa
#define OP_STI 0xfb
#define OP_HLT 0xf4
#define OP_TWO_BYTES 0x0f
#define OP_SYSCALL 0x05
#define OP_SYSRET 0x07
#define OP_REX_W 0x48
#define OP_IRET 0xcf
#define MAX_INSTRUCTION 15 /* bytes */
#define NR_FORGOTTEN 16
#define DR6_BS (1UL << 14)

/* Trap flags that are still on their way in guests; used: atomic. */
static struct forgotten {
    u32 used;
    int32_t pid; /* of the domain */
    u64 user_cr3;
    u64 behind; /* 0, or of any process, in the first instruction from here */
} forgotten[NR_FORGOTTEN];
static unsigned int next_forgotten;

/* Linux's calls from which a process does not come back as it went, if at all:
 * rt_sigreturn, execve, exit, exit_group, execveat (asm/unistd_64.h). */
static const u16 no_return[] = {15, 59, 60, 231, 322};
/* And from which two come back with the flag: clone, fork, vfork, clone3. */
static const u16 two_return[] = {56, 57, 58, 435};

static struct pdb_one_step *free_slot(void)
{
    struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (!s->armed && !s->enters)
            return s;
    return NULL;
}

static struct pdb_tid name_of(const struct vcpu *v)
{
    return (struct pdb_tid){PDB_PID_DOMAIN(v->domain->id), (int32_t)v->id + 1};
}

static void fetch(struct pdb_tid who, unsigned long rip, u8 *code,
                  unsigned int n)
{
    struct pdb_space as = {PDB_SPACE_THREAD, who, 0};

    for (unsigned int i = 0; i < n; i++)
        code[i] = 0;
    (void)pdb_read_mem(pdb_target, &as, rip, code, n);
}

/* If it was made already, and waits to be told, the next instruction is none of
 * its business. */
static void arm_hypervisor(struct pdb_one_step *s, struct cpu_user_regs *regs)
{
    const struct pdb_spent *spent = &per_cpu(pdb_cpu, s->cpu).spent[false];
    u8 code[3] = {0, 0, 0};

    if (!spent->yes || spent->told)
        fetch(s->who, regs->rip, code, sizeof(code));
    /* HLT may wake up for nothing: the step is not to wait for an interrupt. */
    if (code[0] == OP_HLT)
        fetch(s->who, ++regs->rip, code, sizeof(code));
    s->opcode = code[0];
    s->rip = regs->rip;
    /* The flags that SYSRET loads are in r11, and decide about the trap. */
    if (code[0] == OP_REX_W && code[1] == OP_TWO_BYTES &&
        code[2] == OP_SYSRET)
        regs->r11 |= X86_EFLAGS_TF;
    if (code[0] == OP_REX_W && code[1] == OP_IRET)
        s->opcode = OP_IRET;
    regs->rflags &= ~(u64)X86_EFLAGS_IF;
}

/* Sets or clears TF in the flags at addr. False: they cannot be reached. */
static bool change_tf(struct pdb_tid who, u64 addr, bool on, bool *had)
{
    struct pdb_space as = {PDB_SPACE_THREAD, who, 0};
    u64 flags;

    if (pdb_read_mem(pdb_target, &as, addr, &flags, sizeof(flags)) !=
        (int)sizeof(flags))
        return false;
    if (had)
        *had = flags & X86_EFLAGS_TF;
    flags = on ? flags | X86_EFLAGS_TF : flags & ~(u64)X86_EFLAGS_TF;
    return pdb_write_mem(pdb_target, &as, addr, &flags, sizeof(flags)) ==
           (int)sizeof(flags);
}

/* The iret hypercall: what it goes back to is to make the step. */
static void arm_iret(struct pdb_one_step *s, const struct vcpu *v, u64 frame)
{
    struct pdb_space as = {PDB_SPACE_THREAD, s->who, 0};
    u64 flags = frame + offsetof(struct iret_context, rflags), cs = 0;

    if (!change_tf(s->who, flags, true, &s->had_tf))
        return;
    s->iret_flags = flags;
    (void)pdb_read_mem(pdb_target, &as,
                       frame + offsetof(struct iret_context, cs), &cs,
                       sizeof(cs));
    if ((cs & 3) == 3)
        s->user_cr3 = v->pv.cr3_user;
}

static bool is_among(u64 number, const u16 *numbers, unsigned int n)
{
    while (n-- > 0)
        if (number == numbers[n])
            return true;
    return false;
}

static void forget(const struct forgotten *f)
{
    forgotten[next_forgotten++ % NR_FORGOTTEN] = *f;
}

/* The second one's trap is nobody's. The step may have been armed before. */
static void expect_second(int32_t pid, u64 behind)
{
    for (const struct forgotten *f = forgotten; f < forgotten + NR_FORGOTTEN;
         f++)
        if (f->used && f->pid == pid && f->behind == behind)
            return;
    forget(&(struct forgotten){1, pid, 0, behind});
}

static void arm_guest(struct pdb_one_step *s, const struct vcpu *v,
                      struct cpu_user_regs *regs)
{
    u8 code[2];

    regs->entry_vector &= 0xff; /* IRET, not SYSRET */
    fetch(s->who, regs->rip, code, sizeof(code));
    s->opcode = code[0];
    s->rip = regs->rip;
    s->user_cr3 = v->pv.in_kernel ? 0 : v->pv.cr3_user;
    if (code[0] != OP_TWO_BYTES || code[1] != OP_SYSCALL)
        return;
    if (!v->pv.in_kernel) {
        s->enters =
            is_among(regs->rax, no_return, ARRAY_SIZE(no_return)) &&
            pdb_hook_use(PDB_HOOK_SYSCALL, true);
        if (is_among(regs->rax, two_return, ARRAY_SIZE(two_return)))
            expect_second(s->vcpu.pid, regs->rip + sizeof(code));
    } else if ((u32)regs->rax == __HYPERVISOR_iret) {
        arm_iret(s, v, regs->rsp);
    }
}

/* What the thread will run next, or NULL if it cannot be known. */
static struct cpu_user_regs *frame_of(struct pdb_tid t, struct vcpu **v)
{
    struct cpu_user_regs *regs;
    unsigned int cpu = (unsigned int)t.tid - 1;

    *v = NULL;
    if (t.pid != PDB_PID_HYPERVISOR) {
        *v = pdb_vcpu(t);
        return *v ? pdb_vcpu_regs(*v) : NULL;
    }
    if (cpu >= NR_CPUS || !cpumask_test(cpu_online_map, cpu) ||
        cpumask_test(pdb_target->absent, cpu))
        return NULL;
    regs = per_cpu(pdb_cpu, cpu).regs;
    if (regs && guest_mode(regs))
        *v = pdb_vcpu_on(cpu);
    return regs;
}

/* Is v where a flag of that domain and process may take effect? */
static bool is_there(const struct vcpu *v, int32_t pid, u64 user_cr3)
{
    return v && PDB_PID_DOMAIN(v->domain->id) == pid &&
           user_cr3 == (v->pv.in_kernel ? 0 : v->pv.cr3_user);
}

static bool may_be(const struct forgotten *f, const struct vcpu *v,
                   const struct cpu_user_regs *regs)
{
    if (!f->behind)
        return is_there(v, f->pid, f->user_cr3);
    return regs->rip - f->behind <= MAX_INSTRUCTION && !v->pv.in_kernel &&
           is_there(v, f->pid, v->pv.cr3_user);
}

/* v has a trap flag: a forgotten step's, which is known no more then? */
static bool take_forgotten(const struct vcpu *v,
                           const struct cpu_user_regs *regs)
{
    for (struct forgotten *f = forgotten; f < forgotten + NR_FORGOTTEN; f++)
        if (READ_ONCE(f->used) && may_be(f, v, regs) &&
            atomic_xchg(&f->used, 0))
            return true;
    return false;
}

static bool is_away(struct pdb_tid t)
{
    const struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && s->away && pdb_tid_equal(s->who, t))
            return true;
    return false;
}

void pdb_step_arm(struct pdb_tid t)
{
    struct pdb_one_step *s = free_slot();
    struct vcpu *v;
    struct cpu_user_regs *regs = frame_of(t, &v);

    if (!s || !regs || is_away(t))
        return;
    if (v && (regs->rflags & X86_EFLAGS_TF) && take_forgotten(v, regs))
        regs->rflags &= ~(u64)X86_EFLAGS_TF; /* not the guest's own */
    *s = (struct pdb_one_step){
        .armed = true,
        .who = t,
        .vcpu = v ? name_of(v) : (struct pdb_tid){0, 0},
        .cpu = (unsigned int)t.tid - 1,
        .frame = regs,
        /* In the hypervisor only we do it. */
        .had_tf = (v || pdb_button_steps((unsigned int)t.tid - 1)) &&
                  (regs->rflags & X86_EFLAGS_TF),
        .had_if = regs->rflags & X86_EFLAGS_IF,
    };
    pdb_hw_look(t, s->watched);
    pdb_guard_look(s->vcpu);
    if (!v)
        arm_hypervisor(s, regs);
    else
        arm_guest(s, v, regs);
    regs->rflags |= X86_EFLAGS_TF;
}

static void restore_flags(const struct pdb_one_step *s,
                          struct cpu_user_regs *regs)
{
    if (!s->had_tf)
        regs->rflags &= ~(u64)X86_EFLAGS_TF;
    if (!s->vcpu.tid && s->had_if)
        regs->rflags |= X86_EFLAGS_IF;
}

/* PUSHF has pushed what the step needed, not what the code had. */
static void mend_pushed(const struct pdb_one_step *s,
                        struct cpu_user_regs *regs)
{
    u64 *pushed = (u64 *)regs->rsp;

    if (!s->had_tf)
        *pushed &= ~(u64)X86_EFLAGS_TF;
    if (s->had_if)
        *pushed |= X86_EFLAGS_IF;
}

static void finish_hypervisor(const struct pdb_one_step *s,
                              struct cpu_user_regs *regs)
{
    if (!s->had_tf)
        regs->rflags &= ~(u64)X86_EFLAGS_TF;
    switch (s->opcode) {
    case OP_POPF:
    case OP_IRET:
    case OP_CLI:
    case OP_STI:
        return; /* they set the flag themselves */
    case OP_PUSHF:
        mend_pushed(s, regs);
        break;
    }
    if (s->had_if && !guest_mode(regs))
        regs->rflags |= X86_EFLAGS_IF;
}

/* The flag is not, or not only, in what the vCPU will run next. */
static bool has_left(const struct pdb_one_step *s, const struct vcpu *v,
                     const struct cpu_user_regs *regs)
{
    return !s->had_tf &&
           (!(regs->rflags & X86_EFLAGS_TF) ||
            (s->user_cr3 && v->pv.in_kernel && regs->rip != s->rip));
}

/*
 * A CPU that was stopped on the way from the step's trap, or waits to tell of
 * it, must not tell the guest.  Nor leave it the flag: the CPU may not even
 * have come to save its registers where others see them.  If gdb has stopped
 * since, that is still the trap of the step before, and *s has not been made.
 * Returns whether it has.
 */
static bool note_spent(const struct pdb_one_step *s,
                       const struct cpu_user_regs *regs)
{
    bool made = false;
    unsigned int cpu;

    for_each_online_cpu (cpu) {
        struct pdb_cpu *c = &per_cpu(pdb_cpu, cpu);
        struct pdb_spent *spent = &c->spent[guest_mode(regs)];

        if (cpu == smp_processor_id() || !(c->dr6 & DR6_BS) ||
            (c->regs != regs &&
             &cpu_info_of_stack(cpu_stacks[cpu])->guest_regs != regs) ||
            (spent->yes && spent->told))
            continue;
        made = true;
        *spent = (struct pdb_spent){true, s->had_tf, false, s->who};
    }
    return made;
}

bool pdb_step_is_spent(const struct vcpu *v)
{
    return per_cpu(pdb_cpu, v->processor).spent[true].yes &&
           pdb_vcpu_on(v->processor) == v;
}

static void disarm_guest(struct pdb_one_step *s)
{
    struct vcpu *v = pdb_vcpu(s->vcpu);
    struct cpu_user_regs *regs = v ? pdb_vcpu_regs(v) : NULL;

    s->armed = s->away = v && !regs; /* out of reach: it stays */
    if (!regs)
        return;
    if (s->iret_flags && regs->rip == s->rip && !s->had_tf)
        (void)change_tf(s->who, s->iret_flags, false, NULL);
    s->armed = s->away = has_left(s, v, regs);
    restore_flags(s, regs);
    (void)note_spent(s, regs);
}

/* What was stopped at regs is a handler that has not returned yet, to the frame
 * that the flag is in. */
static bool is_beneath(const struct pdb_one_step *s,
                       const struct cpu_user_regs *regs)
{
    u64 stack = ROUND_DOWN((u64)s->frame, STACK_SIZE);

    return regs->rsp <= (u64)&s->frame->rip &&
           regs->rsp > stack + (STACK_GUARD_PAGE + 1) * PAGE_SIZE;
}

static void disarm_hypervisor(struct pdb_one_step *s)
{
    struct vcpu *v;
    struct cpu_user_regs *regs = frame_of(s->who, &v);

    s->armed = false;
    if (!regs)
        return;
    if (note_spent(s, regs))
        finish_hypervisor(s, regs);
    else if (!guest_mode(regs)) /* else its CPU began anew with the way there */
        restore_flags(s, is_beneath(s, regs) ? s->frame : regs);
}

void pdb_steps_disarm(void)
{
    struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++) {
        if (s->armed && !s->away && s->vcpu.tid)
            disarm_guest(s);
        else if (s->armed && !s->away)
            disarm_hypervisor(s);
        if (s->enters && !s->armed) {
            s->enters = false;
            (void)pdb_hook_use(PDB_HOOK_SYSCALL, false);
        }
    }
}

void pdb_steps_forget(const struct pdb_tid *who)
{
    struct pdb_one_step *s = pdb_target->step;
    unsigned int cpu;

    pdb_hold_step_over();
    for_each_online_cpu (cpu) {
        struct pdb_spent *spent = per_cpu(pdb_cpu, cpu).spent;

        for (unsigned int mode = 0; mode < 2; mode++)
            spent[mode].told |= !who || pdb_tid_equal(spent[mode].who, *who);
    }
    for (; s < pdb_target->step + NR_PDB_STEPS; s++) {
        if (!s->armed || !s->away || (who && !pdb_tid_equal(s->who, *who)))
            continue;
        s->armed = false;
        forget(&(struct forgotten){1, s->vcpu.pid, s->user_cr3, 0});
    }
}

void pdb_steps_forget_domain(const struct domain *d)
{
    struct pdb_one_step *s = pdb_target->step;
    int32_t pid = PDB_PID_DOMAIN(d->id);

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && s->vcpu.tid && s->vcpu.pid == pid)
            s->armed = s->away = false;
    for (struct forgotten *f = forgotten; f < forgotten + NR_FORGOTTEN; f++)
        if (f->pid == pid)
            (void)atomic_xchg(&f->used, 0);
}

static void finish_guest(const struct pdb_one_step *s, struct pdb_tid thread,
                         struct cpu_user_regs *regs)
{
    restore_flags(s, regs);
    if (s->opcode == OP_PUSHF && regs->rip == s->rip + 1 && !s->had_tf)
        (void)change_tf(thread, regs->rsp, false, NULL);
}

static bool is_of_current(const struct pdb_one_step *s)
{
    return current && pdb_tid_equal(s->vcpu, name_of(current));
}

bool pdb_step_armed_here(void)
{
    const struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && (s->vcpu.tid ? is_of_current(s)
                                     : s->cpu == smp_processor_id()))
            return true;
    return false;
}

bool pdb_step_armed_for(const struct vcpu *v)
{
    const struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && s->vcpu.tid && pdb_tid_equal(s->vcpu, name_of(v)))
            return true;
    return false;
}

bool pdb_steps_in(int32_t pid)
{
    const struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && s->vcpu.tid && (pid == 0 || s->vcpu.pid == pid))
            return true;
    return false;
}

/* The step that was armed here and that this trap ends. */
static struct pdb_one_step *find_own(const struct cpu_user_regs *regs)
{
    struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++) {
        if (!s->armed)
            continue;
        if (!s->vcpu.tid) {
            if (s->cpu == smp_processor_id())
                return s;
            continue;
        }
        if (guest_mode(regs) && is_of_current(s) &&
            (current->pv.in_kernel || !s->user_cr3 ||
             s->user_cr3 == current->pv.cr3_user))
            return s;
    }
    return NULL;
}

/* That, or one whose process has been moved here by its kernel. */
static struct pdb_one_step *find_ended(const struct cpu_user_regs *regs)
{
    struct pdb_one_step *s = pdb_target->step, *own = find_own(regs);

    if (own || !guest_mode(regs))
        return own;
    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && s->vcpu.tid &&
            is_there(current, s->vcpu.pid, s->user_cr3))
            return s;
    return NULL;
}

/* In a kernel any vCPU looks like where another one's step may have moved to:
 * that is not ended by a trap that was still due here. */
bool pdb_step_is_forgotten(struct cpu_user_regs *regs)
{
    if (!guest_mode(regs) || !(regs->rflags & X86_EFLAGS_TF) || find_own(regs))
        return false;
    if (!take_forgotten(current, regs))
        return false;
    regs->rflags &= ~(u64)X86_EFLAGS_TF;
    return true;
}

/* The thread of the same inferior that this CPU is. */
static struct pdb_tid thread_now(const struct pdb_one_step *s)
{
    if (s->who.pid == PDB_PID_HYPERVISOR)
        return (struct pdb_tid){PDB_PID_HYPERVISOR,
                                (int32_t)smp_processor_id() + 1};
    return name_of(current);
}

const struct pdb_one_step *pdb_step_finish(struct cpu_user_regs *regs,
                                           struct pdb_tid *thread)
{
    struct pdb_one_step *s = find_ended(regs);

    if (!s)
        return NULL;
    s->armed = false;
    pdb_hold_step_over();
    *thread = thread_now(s);
    if (s->vcpu.tid)
        finish_guest(s, *thread, regs);
    else
        finish_hypervisor(s, regs);
    return s;
}

static struct pdb_one_step *find_entering(void)
{
    struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && s->enters && is_of_current(s) &&
            current->pv.cr3_user == s->user_cr3)
            return s;
    return NULL;
}

bool pdb_steps_enter(void)
{
    const struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && s->enters)
            return true;
    return false;
}

bool pdb_step_enters_kernel(void)
{
    return find_entering() != NULL;
}

bool pdb_step_enter_kernel(struct cpu_user_regs *regs, struct pdb_stop *stop)
{
    struct pdb_one_step *s = find_entering();

    if (!s)
        return false;
    s->armed = false;
    stop->why = PDB_WHY_STEP;
    stop->thread = thread_now(s);
    if (!pdb_tid_equal(s->who, stop->thread))
        stop->stepper = s->who;
    restore_flags(s, regs);
    regs->r11 = regs->rflags;
    pv_enter_by_syscall(regs);
    return true;
}
