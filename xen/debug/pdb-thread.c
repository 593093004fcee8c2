/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads and registers.  Thread n + 1 of inferior 1 is CPU n and has the
 * registers that the CPU really holds, the guest's if it runs one.  A vCPU's
 * registers lie in the CPU that runs it, or in its struct vcpu.
 */
#include <hv/cpu.h>
#include <hv/debug.h>
#include <hv/domain.h>
#include <hv/format.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/version.h>
#include <hv/x86.h>

#include "pdb-stop.h"
#include "pdb-target.h"

/* A guest may not have these; a debugger must not give them. */
#define GUEST_FLAGS_FIXED                                                      \
    (X86_EFLAGS_IF | X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_VM | 2)

struct domain *pdb_domain(int32_t pid)
{
    struct domain *d;

    if (pid < 2 || pid - 2 >= (int32_t)DOMID_FIRST_RESERVED)
        return NULL;
    d = domain_find((domid_t)(pid - 2));
    return d && !d->is_dying ? d : NULL;
}

struct vcpu *pdb_vcpu(struct pdb_tid t)
{
    struct domain *d = pdb_domain(t.pid);

    if (!d || t.tid < 1 || (u32)t.tid > d->max_vcpus)
        return NULL;
    return d->vcpu[t.tid - 1];
}

static bool cpu_exists(int32_t tid)
{
    return tid >= 1 && tid <= NR_CPUS &&
           cpumask_test(READ_ONCE(cpu_online_map), (unsigned int)tid - 1);
}

int32_t pdb_next_inferior(void *ctx, int32_t pid)
{
    struct domain *d;

    (void)ctx;
    if (pid < PDB_PID_HYPERVISOR)
        return PDB_PID_HYPERVISOR;
    do {
        d = domain_next((domid_t)(pid - 1));
        pid = d ? PDB_PID_DOMAIN(d->id) : 0;
    } while (d && d->is_dying);
    return d && d->id < DOMID_FIRST_RESERVED ? pid : 0;
}

int32_t pdb_next_thread(void *ctx, int32_t pid, int32_t tid)
{
    struct domain *d = pdb_domain(pid);
    unsigned int cpu;

    (void)ctx;
    if (pid == PDB_PID_HYPERVISOR) {
        for_each_online_cpu (cpu)
            if ((int32_t)cpu >= tid)
                return (int32_t)cpu + 1;
        return 0;
    }
    for (u32 i = (u32)tid; d && i < d->max_vcpus; i++)
        if (d->vcpu[i])
            return (int32_t)i + 1;
    return 0;
}

bool pdb_is_attached(int32_t pid)
{
    return pdb_attached(&pdb_target->core, pid);
}

struct vcpu *pdb_vcpu_on(unsigned int cpu)
{
    struct vcpu *v = cpu_info_of_stack(cpu_stacks[cpu])->current_vcpu;

    return v && v->is_idle ? NULL : v;
}

struct pdb_tid pdb_thread_on(unsigned int cpu, const struct cpu_user_regs *regs)
{
    const struct vcpu *v = pdb_vcpu_on(cpu);

    if (guest_mode(regs) && v &&
        pdb_is_attached(PDB_PID_DOMAIN(v->domain->id)))
        return (struct pdb_tid){PDB_PID_DOMAIN(v->domain->id),
                                (int32_t)v->id + 1};
    return (struct pdb_tid){PDB_PID_HYPERVISOR, (int32_t)cpu + 1};
}

struct pdb_tid pdb_thread_here(const struct cpu_user_regs *regs)
{
    return pdb_thread_on(smp_processor_id(), regs);
}

static bool cpu_stopped(unsigned int cpu)
{
    return cpumask_test(READ_ONCE(cpu_online_map), cpu) &&
           !cpumask_test(pdb_target->absent, cpu) &&
           per_cpu(pdb_cpu, cpu).regs != NULL;
}

const struct cpu_user_regs *pdb_stopped_regs(unsigned int cpu)
{
    return pdb_target && pdb_leads() && cpu_stopped(cpu)
               ? per_cpu(pdb_cpu, cpu).regs : NULL;
}

/* The CPU that holds v's registers, or NR_CPUS. */
static unsigned int cpu_of(const struct vcpu *v)
{
    unsigned int cpu;

    for_each_online_cpu (cpu)
        if (pdb_vcpu_on(cpu) == v)
            return cpu;
    return NR_CPUS;
}

/* A CPU may have stopped in the midst of taking them up, or of giving them
 * away: see pv_regs_again(). */
struct cpu_user_regs *pdb_vcpu_regs(struct vcpu *v)
{
    unsigned int cpu = cpu_of(v);
    bool runs = cpu != NR_CPUS;

    if (!runs && !v->held_by)
        return &v->regs;
    if (!runs)
        cpu = v->held_by - 1U;
    if (!cpu_stopped(cpu))
        return NULL;
    if (runs && guest_mode(per_cpu(pdb_cpu, cpu).regs))
        return per_cpu(pdb_cpu, cpu).regs;
    return pv_regs_of(cpu) == v
               ? &cpu_info_of_stack(cpu_stacks[cpu])->guest_regs
               : &v->regs;
}

bool pdb_stopped_vcpu(struct vcpu *v)
{
    const struct cpu_user_regs *regs;

    if (!pdb_stopped_regs(smp_processor_id()))
        return false;
    regs = pdb_vcpu_regs(v);
    if (regs && regs != &v->regs)
        v->regs = *regs;
    return true;
}

bool pdb_vcpu_is_busy(struct pdb_tid t)
{
    const struct vcpu *v = pdb_vcpu(t);
    unsigned int cpu = v ? cpu_of(v) : NR_CPUS;

    return cpu != NR_CPUS && cpu_stopped(cpu) &&
           !guest_mode(per_cpu(pdb_cpu, cpu).regs);
}

/* --- reading --- */

static noinline void put(struct pdb_regs *r, enum pdb_reg reg, u64 v)
{
    r->v[reg] = v;
    r->known |= PDB_REG_BIT(reg);
}

/* Where the registers that are 64 bits wide lie in a frame. */
#define AT(reg, field) {PDB_##reg, offsetof(struct cpu_user_regs, field)}
static const struct {
    u8 reg, offset;
} in_frame[] = {
    AT(RIP, rip), AT(RSP, rsp), AT(RAX, rax), AT(RBX, rbx), AT(RCX, rcx),
    AT(RDX, rdx), AT(RSI, rsi), AT(RDI, rdi), AT(RBP, rbp), AT(R8, r8),
    AT(R9, r9), AT(R10, r10), AT(R11, r11), AT(R12, r12), AT(R13, r13),
    AT(R14, r14), AT(R15, r15),
};
#undef AT

static void put_frame(struct pdb_regs *r, const struct cpu_user_regs *f)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(in_frame); i++)
        put(r, in_frame[i].reg, *(const u64 *)((const u8 *)f +
                                               in_frame[i].offset));
    put(r, PDB_EFLAGS, f->rflags);
    put(r, PDB_CS, f->cs);
    put(r, PDB_SS, f->ss);
    put(r, PDB_TRAPNO, f->entry_vector & 0xff);
    put(r, PDB_ERROR, f->error_code);
}

/* What a CPU has loaded, whoever runs there. */
static void put_cpu(struct pdb_regs *r, const struct pdb_cpu *c)
{
    put(r, PDB_FS_BASE, c->fs_base);
    put(r, PDB_GS_BASE, c->gs_base);
    put(r, PDB_K_GS_BASE, c->shadow_gs_base);
    put(r, PDB_CR0, read_cr0());
    put(r, PDB_CR2, c->cr2);
    put(r, PDB_CR3, c->cr3);
    put(r, PDB_CR4, read_cr4());
    put(r, PDB_EFER, rdmsr(MSR_EFER));
}

/* The kernel's CR3 names the address space in user mode too. */
static void put_vcpu(struct pdb_regs *r, const struct vcpu *v)
{
    bool kernel = v->pv.in_kernel;

    put(r, PDB_DS, v->pv.ds);
    put(r, PDB_ES, v->pv.es);
    put(r, PDB_FS, v->pv.fs);
    put(r, PDB_GS, v->pv.gs);
    put(r, PDB_FS_BASE, v->pv.fs_base);
    put(r, PDB_GS_BASE, kernel ? v->pv.gs_base_kernel : v->pv.gs_base_user);
    put(r, PDB_K_GS_BASE, kernel ? v->pv.gs_base_user : v->pv.gs_base_kernel);
    put(r, PDB_CR0, v->pv.ctrlreg[0]);
    put(r, PDB_CR3, v->pv.cr3_kernel);
    put(r, PDB_CR4, v->pv.ctrlreg[4]);
}

/*
 * Of a CPU that did not stop nothing is known. That is no error: gdb would give
 * up its list of threads there.
 */
int pdb_get_regs(void *ctx, struct pdb_tid t, struct pdb_regs *r)
{
    struct cpu_user_regs *f;
    unsigned int cpu = (unsigned int)t.tid - 1;
    struct vcpu *v;

    (void)ctx;
    r->known = 0;
    if (t.pid == PDB_PID_HYPERVISOR) {
        if (!cpu_exists(t.tid))
            return -PDB_ESRCH;
        if (cpu_stopped(cpu)) {
            put_frame(r, per_cpu(pdb_cpu, cpu).regs);
            put_cpu(r, &per_cpu(pdb_cpu, cpu));
        }
        return 0;
    }
    v = pdb_vcpu(t);
    if (!v)
        return -PDB_ESRCH;
    f = pdb_vcpu_regs(v);
    if (!f)
        return 0;
    cpu = cpu_of(v);
    put_frame(r, f);
    if (cpu != NR_CPUS)
        put_cpu(r, &per_cpu(pdb_cpu, cpu));
    else
        put_vcpu(r, v);
    put(r, PDB_CR3, v->pv.cr3_kernel);
    return 0;
}

/* --- writing --- */

static void take_frame(const struct pdb_regs *r, struct cpu_user_regs *f)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(in_frame); i++)
        if (r->known & PDB_REG_BIT(in_frame[i].reg))
            *(u64 *)((u8 *)f + in_frame[i].offset) = r->v[in_frame[i].reg];
}

static u64 allowed_flags(const struct cpu_user_regs *f, u64 flags)
{
    u64 fixed = guest_mode(f) ? GUEST_FLAGS_FIXED : 2;

    return (f->rflags & fixed) | (flags & ~fixed & 0x3fffff);
}

/*
 * What can be set, and what gdb writes by itself, to no effect: orig_rax with
 * each new rip, to tell a Linux that no system call is to be restarted; and,
 * after a call of a function, what the last trap had left before it.
 */
static u64 writable(void)
{
    u64 regs = PDB_REG_BIT(PDB_EFLAGS) | PDB_REG_BIT(PDB_ORIG_RAX) |
               PDB_REG_BIT(PDB_CR2) | PDB_REG_BIT(PDB_TRAPNO) |
               PDB_REG_BIT(PDB_ERROR);

    for (unsigned int i = 0; i < ARRAY_SIZE(in_frame); i++)
        regs |= PDB_REG_BIT(in_frame[i].reg);
    return regs;
}

int pdb_set_regs(void *ctx, struct pdb_tid t, const struct pdb_regs *r)
{
    struct pdb_target *target = ctx;
    struct cpu_user_regs *f = NULL;
    struct vcpu *v;

    if (t.pid == PDB_PID_HYPERVISOR) {
        if (cpu_exists(t.tid) && cpu_stopped((unsigned int)t.tid - 1))
            f = per_cpu(pdb_cpu, (unsigned int)t.tid - 1).regs;
    } else {
        v = pdb_vcpu(t);
        f = v ? pdb_vcpu_regs(v) : NULL;
    }
    if (!f) {
        target->reason = "its CPU did not stop";
        return -PDB_ESRCH;
    }
    if (r->known & ~writable()) {
        target->reason = "only the general ones, rip, eflags and a guest's FPU's can be set";
        return -PDB_EPERM;
    }
    take_frame(r, f);
    /* SYSRET takes rcx and r11 for rip and rflags: not after a change. */
    if (guest_mode(f))
        f->entry_vector &= 0xff;
    if (r->known & PDB_REG_BIT(PDB_EFLAGS))
        f->rflags = allowed_flags(f, r->v[PDB_EFLAGS]);
    return 0;
}

/* --- the FPU: guests' only, the hypervisor does not use it --- */

/* The vCPU if its image holds its registers. */
static struct vcpu *vcpu_with_fpu(struct pdb_tid t)
{
    struct vcpu *v = pdb_vcpu(t);
    unsigned int cpu = v ? cpu_of(v) : 0;

    if (!v || !v->pv.fpu)
        return NULL;
    return cpu == NR_CPUS || per_cpu(pdb_cpu, cpu).fpu_shown ? v : NULL;
}

int pdb_get_fpu(void *ctx, struct pdb_tid t, u8 *fxsave)
{
    const struct vcpu *v = vcpu_with_fpu(t);

    (void)ctx;
    if (!v)
        return -PDB_EBUSY;
    memcpy(fxsave, v->pv.fpu, PDB_FPU_SIZE);
    return 0;
}

int pdb_set_fpu(void *ctx, struct pdb_tid t, const u8 *fxsave)
{
    struct vcpu *v = vcpu_with_fpu(t);

    (void)ctx;
    if (!v)
        return -PDB_EBUSY;
    pv_fpu_change(v, fxsave);
    return 0;
}

/* --- names --- */

static void cpu_state(struct pdb_target *t, unsigned int cpu)
{
    const struct vcpu *v = pdb_vcpu_on(cpu);

    if (!cpu_stopped(cpu))
        strlcpy(t->state, "does not answer", sizeof(t->state));
    else if (!v)
        strlcpy(t->state, "idle", sizeof(t->state));
    else
        snprintf(t->state, sizeof(t->state), "runs d%uv%u%s", v->domain->id,
                 v->id,
                 guest_mode(per_cpu(pdb_cpu, cpu).regs) ? "" : ", in it");
    if (pdb_is_non_stop() &&
        pdb_non_stop_wanted((struct pdb_tid){PDB_PID_HYPERVISOR,
                                             (int32_t)cpu + 1}) == PDB_DO_STAY)
        strlcpy(t->state, "stopped: the machine stands still",
                sizeof(t->state));
}

const char *pdb_vcpu_state(const struct vcpu *v)
{
    if (cpu_of(v) != NR_CPUS)
        return "running";
    if (v->pause_flags & VPF_DOWN)
        return "down";
    if (v->pause_flags & VPF_DEBUG)
        return "stopped";
    if (v->pause_flags & VPF_PAUSED)
        return "paused";
    return v->pause_flags ? "blocked" : "runnable";
}

static void vcpu_state(struct pdb_target *t, const struct vcpu *v)
{
    unsigned int cpu = cpu_of(v);

    if (cpu != NR_CPUS)
        snprintf(t->state, sizeof(t->state), "running on CPU%u, 64-bit PV %s",
                 cpu, v->pv.in_kernel ? "kernel" : "user");
    else
        snprintf(t->state, sizeof(t->state), "%s, 64-bit PV %s",
                 pdb_vcpu_state(v), v->pv.in_kernel ? "kernel" : "user");
}

int pdb_thread_info(void *ctx, struct pdb_tid t, struct pdb_thread_info *i)
{
    struct pdb_target *target = ctx;
    struct vcpu *v;

    i->name = target->name;
    i->state = target->state;
    if (t.pid == PDB_PID_HYPERVISOR) {
        if (!cpu_exists(t.tid))
            return -PDB_ESRCH;
        i->core = t.tid - 1;
        snprintf(target->name, sizeof(target->name), "CPU%d", t.tid - 1);
        cpu_state(target, (unsigned int)t.tid - 1);
        return 0;
    }
    v = pdb_vcpu(t);
    if (!v)
        return -PDB_ESRCH;
    i->core = cpu_of(v) == NR_CPUS ? -1 : (int32_t)cpu_of(v);
    snprintf(target->name, sizeof(target->name), "d%uv%u", v->domain->id,
             v->id);
    vcpu_state(target, v);
    return 0;
}

bool pdb_is_down(void *ctx, struct pdb_tid t)
{
    const struct vcpu *v = pdb_vcpu(t);

    (void)ctx;
    return v && ((READ_ONCE(v->pause_flags) & VPF_DOWN) ||
                 READ_ONCE(v->domain->is_shutting_down));
}

/*
 * Named as distributions store debug files, so that the splitter, or gdb's
 * own file system, finds the file of this very build.
 */
static const char *image_by_build_id(struct pdb_target *target)
{
    char hex[BUILD_ID_HEX_MAX];

    build_id_hex(hex);
    if (!hex[0])
        return NULL;
    snprintf(target->exec_file, sizeof(target->exec_file),
             "/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2);
    return target->exec_file;
}

int pdb_inferior_info(void *ctx, int32_t pid, struct pdb_inferior_info *i)
{
    struct pdb_target *target = ctx;

    memset(i, 0, sizeof(*i));
    i->name = target->name;
    if (pid == PDB_PID_HYPERVISOR) {
        strlcpy(target->name, "hypervisor", sizeof(target->name));
        i->exec_file = image_by_build_id(target);
        return 0;
    }
    if (!pdb_domain(pid))
        return -PDB_ESRCH;
    snprintf(target->name, sizeof(target->name), "Domain-%d", pid - 2);
    return 0;
}
