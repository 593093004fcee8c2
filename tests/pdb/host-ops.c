// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations that the core asks of the machine of traced processes.
 *
 * A "machine address" is the inferior's number in bits 48 and up, and the
 * process's own address below; CR3 is the inferior's number times 4096.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <unistd.h>

#include "host.h"

#define SHIFT 48
#define LOW ((1ull << SHIFT) - 1)

/* The process and its address behind (space, addr). */
static struct inferior *locate(struct machine *m, const struct pdb_space *as,
                               uint64_t *addr)
{
    int32_t pid = as->thread.pid;

    if (as->kind == PDB_SPACE_PHYS)
        pid = (int32_t)(*addr >> SHIFT);
    else if (as->kind == PDB_SPACE_CR3)
        pid = (int32_t)(as->cr3 >> 12);
    if (as->kind == PDB_SPACE_PHYS)
        *addr &= LOW;
    return pid > 0 ? machine_inferior(m, pid) : NULL;
}

static int fail(struct machine *m, const char *why)
{
    m->why = why;
    return -EFAULT;
}

static int read_mem(void *ctx, const struct pdb_space *as, uint64_t addr,
                    void *buf, uint32_t len)
{
    struct machine *m = ctx;
    struct inferior *inf = locate(m, as, &addr);
    ssize_t n;

    if (!inf)
        return fail(m, "no such address space");
    n = addr > LOW ? -1 : pread(inf->mem, buf, len, (off_t)addr);
    return n > 0 ? (int)n : fail(m, "the process has nothing mapped there");
}

static int write_mem(void *ctx, const struct pdb_space *as, uint64_t addr,
                     const void *buf, uint32_t len)
{
    struct machine *m = ctx;
    struct inferior *inf = locate(m, as, &addr);
    ssize_t n;

    if (!inf)
        return fail(m, "no such address space");
    n = addr > LOW ? -1 : pwrite(inf->mem, buf, len, (off_t)addr);
    return n > 0 ? (int)n : fail(m, "the process has nothing mapped there");
}

static int translate(void *ctx, const struct pdb_space *as, uint64_t addr,
                     uint64_t *maddr)
{
    struct machine *m = ctx;
    struct inferior *inf = locate(m, as, &addr);
    uint8_t byte;

    if (!inf || addr > LOW || pread(inf->mem, &byte, 1, (off_t)addr) != 1)
        return fail(m, "the process has nothing mapped there");
    *maddr = (uint64_t)inf->pid << SHIFT | addr;
    return 0;
}

static int walk(void *ctx, const struct pdb_space *as, uint64_t addr,
                struct pdb_out *o)
{
    uint64_t maddr;
    int err = translate(ctx, as, addr, &maddr);

    if (err < 0)
        return err;
    pdb_printf(o, "one level: 0x%lx\n", (unsigned long)maddr);
    return 0;
}

static const char *reason(void *ctx)
{
    struct machine *m = ctx;
    const char *why = m->why;

    m->why = NULL;
    return why;
}

/* Where each of our registers lives in the kernel's structure. */
#define AT(f) offsetof(struct user_regs_struct, f)
static const size_t place[] = {
    [PDB_RAX] = AT(rax), [PDB_RBX] = AT(rbx), [PDB_RCX] = AT(rcx),
    [PDB_RDX] = AT(rdx), [PDB_RSI] = AT(rsi), [PDB_RDI] = AT(rdi),
    [PDB_RBP] = AT(rbp), [PDB_RSP] = AT(rsp), [PDB_R8] = AT(r8),
    [PDB_R9] = AT(r9), [PDB_R10] = AT(r10), [PDB_R11] = AT(r11),
    [PDB_R12] = AT(r12), [PDB_R13] = AT(r13), [PDB_R14] = AT(r14),
    [PDB_R15] = AT(r15), [PDB_RIP] = AT(rip), [PDB_EFLAGS] = AT(eflags),
    [PDB_CS] = AT(cs), [PDB_SS] = AT(ss), [PDB_DS] = AT(ds),
    [PDB_ES] = AT(es), [PDB_FS] = AT(fs), [PDB_GS] = AT(gs),
    [PDB_FS_BASE] = AT(fs_base), [PDB_GS_BASE] = AT(gs_base),
    [PDB_ORIG_RAX] = AT(orig_rax),
};
#define NR_PLACES (sizeof(place) / sizeof(place[0]))

static int get_regs(void *ctx, struct pdb_tid id, struct pdb_regs *r)
{
    struct thread *t = machine_thread(ctx, id);
    struct user_regs_struct u;

    if (!t)
        return -ESRCH;
    if (t->running || ptrace(PTRACE_GETREGS, t->lwp, 0, &u) < 0)
        return -EBUSY;
    for (unsigned int i = 0; i < NR_PLACES; i++)
        memcpy(&r->v[i], (char *)&u + place[i], 8);
    r->known = PDB_REG_BIT(NR_PLACES) - 1;
    r->v[PDB_CR3] = (uint64_t)id.pid << 12;
    r->v[PDB_CR0] = 0x80050033;
    r->known |= PDB_REG_BIT(PDB_CR3) | PDB_REG_BIT(PDB_CR0);
    return 0;
}

static int set_regs(void *ctx, struct pdb_tid id, const struct pdb_regs *r)
{
    struct thread *t = machine_thread(ctx, id);
    struct user_regs_struct u;

    if (!t)
        return -ESRCH;
    if (t->running || ptrace(PTRACE_GETREGS, t->lwp, 0, &u) < 0)
        return -EBUSY;
    for (unsigned int i = 0; i < NR_PLACES; i++)
        if (r->known & PDB_REG_BIT(i))
            memcpy((char *)&u + place[i], &r->v[i], 8);
    return ptrace(PTRACE_SETREGS, t->lwp, 0, &u) < 0 ? -EINVAL : 0;
}

static int get_fpu(void *ctx, struct pdb_tid id, uint8_t *fxsave)
{
    struct thread *t = machine_thread(ctx, id);

    _Static_assert(sizeof(struct user_fpregs_struct) == PDB_FPU_SIZE, "FXSAVE");
    if (!t || t->running)
        return -EBUSY;
    return ptrace(PTRACE_GETFPREGS, t->lwp, 0, fxsave) < 0 ? -EIO : 0;
}

static int set_fpu(void *ctx, struct pdb_tid id, const uint8_t *fxsave)
{
    struct thread *t = machine_thread(ctx, id);

    if (!t || t->running)
        return -EBUSY;
    return ptrace(PTRACE_SETFPREGS, t->lwp, 0, fxsave) < 0 ? -EIO : 0;
}

static int32_t next_inferior(void *ctx, int32_t pid)
{
    struct machine *m = ctx;
    int32_t best = 0;

    for (int i = 0; i < MAX_INFERIORS; i++)
        if (m->inf[i].pid > pid && (!best || m->inf[i].pid < best))
            best = m->inf[i].pid;
    return best;
}

static int32_t next_thread(void *ctx, int32_t pid, int32_t tid)
{
    struct machine *m = ctx;
    int32_t best = 0;

    for (int i = 0; i < MAX_THREADS; i++)
        if (m->thread[i].id.pid == pid && m->thread[i].id.tid > tid &&
            (!best || m->thread[i].id.tid < best))
            best = m->thread[i].id.tid;
    return best;
}

static int thread_info(void *ctx, struct pdb_tid id, struct pdb_thread_info *i)
{
    static char name[32];
    struct thread *t = machine_thread(ctx, id);

    if (!t)
        return -ESRCH;
    if (id.pid == PDB_PID_HYPERVISOR)
        snprintf(name, sizeof(name), "CPU%d", id.tid - 1);
    else
        snprintf(name, sizeof(name), "d%dv%d", id.pid - 2, id.tid - 1);
    i->name = name;
    i->state = t->running ? "running" : "stopped";
    i->core = id.tid - 1;
    return 0;
}

static int inferior_info(void *ctx, int32_t pid, struct pdb_inferior_info *i)
{
    struct machine *m = ctx;

    if (!machine_inferior(m, pid))
        return -ESRCH;
    i->name = pid == PDB_PID_HYPERVISOR ? "hypervisor" : "domain";
    i->exec_file = m->list_exec_file ? m->guest : NULL;
    i->slide = 0;
    i->text_seg = 0;
    return 0;
}

static void resume(void *ctx, const struct pdb_plan *plan)
{
    struct machine *m = ctx;

    pdb_plan_copy(&m->plan, plan);
    m->plan_set = true;
}

static void interrupt(void *ctx)
{
    struct machine *m = ctx;

    m->want_break = true;
}

static int same(const struct pdb_hw *a, const struct pdb_hw *b)
{
    return a->type == b->type && a->addr == b->addr && a->len == b->len &&
           a->cr3 == b->cr3;
}

static int hw_insert(void *ctx, const struct pdb_hw *hw)
{
    struct inferior *inf = machine_inferior(ctx, hw->pid);

    for (int i = 0; i < 4; i++) {
        if (inf->slot_used[i])
            continue;
        inf->slot[i] = *hw;
        inf->slot_used[i] = true;
        return machine_load_debug(ctx, inf);
    }
    return -ENOSPC;
}

static int hw_remove(void *ctx, const struct pdb_hw *hw)
{
    struct inferior *inf = machine_inferior(ctx, hw->pid);

    for (int i = 0; inf && i < 4; i++) {
        if (!inf->slot_used[i] || !same(&inf->slot[i], hw))
            continue;
        inf->slot_used[i] = false;
        return machine_load_debug(ctx, inf);
    }
    return -ENOENT;
}

static int catch_syscalls(void *ctx, int32_t pid, bool on)
{
    struct inferior *inf = machine_inferior(ctx, pid);

    if (inf)
        inf->catching = on;
    return inf ? 0 : -ESRCH;
}

static void print(void *ctx, const char *text, uint32_t len)
{
    (void)ctx;
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

const struct pdb_ops machine_ops = {
    .read_mem = read_mem,
    .write_mem = write_mem,
    .translate = translate,
    .walk = walk,
    .reason = reason,
    .get_regs = get_regs,
    .set_regs = set_regs,
    .get_fpu = get_fpu,
    .set_fpu = set_fpu,
    .next_inferior = next_inferior,
    .next_thread = next_thread,
    .thread_info = thread_info,
    .inferior_info = inferior_info,
    .resume = resume,
    .interrupt = interrupt,
    .hw_insert = hw_insert,
    .hw_remove = hw_remove,
    .catch_syscalls = catch_syscalls,
    .print = print,
    .tables = machine_tables,
    .commands = machine_commands,
};
