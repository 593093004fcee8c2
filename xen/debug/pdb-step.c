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
 */
#include <hv/cpu.h>
#include <hv/mm.h>
#include <hv/x86.h>
#include <xen/xen.h>

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

static struct pdb_one_step *free_slot(void)
{
    struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (!s->armed)
            return s;
    return NULL;
}

static void fetch(struct pdb_tid who, unsigned long rip, u8 *code,
                  unsigned int n)
{
    struct pdb_space as = {PDB_SPACE_THREAD, who, 0};

    for (unsigned int i = 0; i < n; i++)
        code[i] = 0;
    (void)pdb_read_mem(pdb_target, &as, rip, code, n);
}

static void arm_hypervisor(struct pdb_one_step *s, struct cpu_user_regs *regs)
{
    u8 code[3];

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

static void arm_guest(struct pdb_one_step *s, struct cpu_user_regs *regs)
{
    u64 flags = regs->rsp + offsetof(struct iret_context, rflags);
    u8 code[2];

    regs->entry_vector &= 0xff; /* IRET, not SYSRET */
    fetch(s->who, regs->rip, code, sizeof(code));
    s->opcode = code[0];
    s->rip = regs->rip;
    if (code[0] == OP_TWO_BYTES && code[1] == OP_SYSCALL &&
        s->v->pv.in_kernel && (u32)regs->rax == __HYPERVISOR_iret &&
        change_tf(s->who, flags, true, &s->had_tf))
        s->iret_flags = flags;
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
        *v = cpu_info_of_stack(cpu_stacks[cpu])->current_vcpu;
    return regs;
}

void pdb_step_arm(struct pdb_tid t)
{
    struct pdb_one_step *s = free_slot();
    struct vcpu *v;
    struct cpu_user_regs *regs = frame_of(t, &v);

    if (!s || !regs)
        return;
    *s = (struct pdb_one_step){
        .armed = true,
        .who = t,
        .v = v,
        .cpu = (unsigned int)t.tid - 1,
        .had_tf = regs->rflags & X86_EFLAGS_TF,
        .had_if = regs->rflags & X86_EFLAGS_IF,
    };
    pdb_hw_look(t, s->watched);
    if (!v)
        arm_hypervisor(s, regs);
    else
        arm_guest(s, regs);
    regs->rflags |= X86_EFLAGS_TF;
}

static void restore_flags(const struct pdb_one_step *s,
                          struct cpu_user_regs *regs)
{
    if (!s->had_tf)
        regs->rflags &= ~(u64)X86_EFLAGS_TF;
    if (!s->v && s->had_if)
        regs->rflags |= X86_EFLAGS_IF;
}

void pdb_steps_disarm(void)
{
    struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++) {
        struct vcpu *v;
        struct cpu_user_regs *regs;

        if (!s->armed)
            continue;
        s->armed = false;
        regs = frame_of(s->who, &v);
        /* It may run another vCPU by now; then the flag is in s->v's. */
        if (s->v && v != s->v)
            regs = pdb_vcpu_regs(s->v);
        if (!regs)
            continue;
        if (s->iret_flags && regs->rip == s->rip && !s->had_tf)
            (void)change_tf(s->who, s->iret_flags, false, NULL);
        restore_flags(s, regs);
    }
}

void pdb_steps_forget(const struct domain *d)
{
    struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && s->v && s->v->domain == d)
            s->armed = false;
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

static void finish_guest(const struct pdb_one_step *s,
                         struct cpu_user_regs *regs)
{
    restore_flags(s, regs);
    if (s->opcode == OP_PUSHF && regs->rip == s->rip + 1 && !s->had_tf)
        (void)change_tf(s->who, regs->rsp, false, NULL);
}

bool pdb_step_armed_here(void)
{
    const struct pdb_one_step *s = pdb_target->step;

    for (; s < pdb_target->step + NR_PDB_STEPS; s++)
        if (s->armed && (s->v ? s->v == current
                              : s->cpu == smp_processor_id()))
            return true;
    return false;
}

const struct pdb_one_step *pdb_step_finish(struct cpu_user_regs *regs)
{
    struct pdb_one_step *s = pdb_target->step;
    unsigned int cpu = smp_processor_id();
    bool guest = guest_mode(regs);

    for (; s < pdb_target->step + NR_PDB_STEPS; s++) {
        if (!s->armed || (s->v ? !guest || s->v != current : s->cpu != cpu))
            continue;
        s->armed = false;
        if (s->v)
            finish_guest(s, regs);
        else
            finish_hypervisor(s, regs);
        return s;
    }
    return NULL;
}
