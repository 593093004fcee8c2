/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine behind the commands: eight frames, mapped in one place; keys
 * that only say something; hooks that are counted.  Nothing else of the
 * hypervisor is there, for no command's words need it.
 */
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/debug.h>
#include <hv/domain.h>
#include <hv/mm.h>
#include <hv/string.h>

#include "fuzz.h"
#include "pdb-hook.h"
#include "pdb-target.h"

static struct pdb_target target;
struct pdb_target *pdb_target = &target;
struct pdb *const machine_core = &target.core;

bool machine_non_stop;
int machine_hooks;
unsigned int machine_hook_users, machine_pressed, machine_reboots;
unsigned char machine_key;

/* No CPU is there to be looked at. */
cpumask_t cpu_online_map;
unsigned long per_cpu_offsets[NR_CPUS];
DEFINE_PER_CPU(struct pdb_cpu, pdb_cpu);

static struct frame frames[MACHINE_FRAMES];
static u64 m2p[MACHINE_FRAMES];
struct frame *frame_table = frames;
unsigned long max_mfn = MACHINE_FRAMES;
u64 *m2p_table = m2p;

/* --- the console ring and the keys --- */

static const char ring[] = "(XEN) something was said\n";
#define KEPT 4000 /* several packets */
static u32 said = sizeof(ring) - 1;

u32 conring_end(void)
{
    return said;
}

u32 conring_read(u32 *index, char *buf, u32 max)
{
    u32 n = 0;

    if (said - *index > KEPT)
        *index = said > KEPT ? said - KEPT : 0;
    for (; n < max && *index != said; n++, (*index)++)
        buf[n] = ring[*index % (sizeof(ring) - 1)];
    return n;
}

unsigned int machine_says(unsigned char key)
{
    return key == 'q' ? 100 : 1;
}

static void pressed(u8 key)
{
    machine_pressed++;
    machine_key = key;
    said += machine_says(key) * (u32)(sizeof(ring) - 1);
}

bool machine_has_key(unsigned char key)
{
    return (key >= 'a' && key <= 'z') || key == '!' || key == 'C';
}

const struct debug_key *debug_key_find(u8 key)
{
    static struct debug_key k = {.description = "a key", .fn = pressed};

    k.key = key;
    return machine_has_key(key) ? &k : NULL;
}

/* --- what break-on and scope ask --- */

bool pdb_hook_use(enum pdb_hook h, bool on)
{
    if (on && ((machine_hooks == HOOKS_NO_EVENT && h == PDB_HOOK_EVENT_FIFO) ||
               (machine_hooks == HOOKS_NO_SHUTDOWN && h == PDB_HOOK_SHUTDOWN)))
        return false;
    if (!on && machine_hook_users == 0)
        die("a hook is given up that nobody has");
    machine_hook_users += on ? 1 : -1;
    return true;
}

bool pdb_is_non_stop(void)
{
    return machine_non_stop;
}

bool machine_holds(uint64_t domid)
{
    return domid % 2 == 0;
}

bool pdb_is_attached(int32_t pid)
{
    return machine_holds((u64)pid - 2);
}

/* For a hook that is met. */
struct pdb_tid pdb_thread_here(const struct cpu_user_regs *regs)
{
    (void)regs;
    die("a hook is met");
}

const char *symbol_lookup(unsigned long addr, unsigned long *offset,
                          unsigned long *size)
{
    (void)addr, (void)offset, (void)size;
    return NULL;
}

bool in_idle_loop(const struct cpu_user_regs *regs)
{
    (void)regs;
    return false;
}

/* --- the operations --- */

static int refuse(void *ctx, const char *reason)
{
    struct pdb_target *t = ctx;

    t->reason = reason;
    return -PDB_EFAULT;
}

int pdb_translate(void *ctx, const struct pdb_space *as, u64 addr, u64 *maddr)
{
    (void)as;
    if (addr < MACHINE_BASE ||
        addr - MACHINE_BASE >= MACHINE_FRAMES * PAGE_SIZE)
        return refuse(ctx, "nothing is there");
    *maddr = addr - MACHINE_BASE;
    return 0;
}

int pdb_walk(void *ctx, const struct pdb_space *as, u64 addr,
             struct pdb_out *o)
{
    u64 maddr;
    int rc = pdb_translate(ctx, as, addr, &maddr);

    if (rc == 0)
        pdb_printf(o, "walk to %lx\n", maddr);
    return rc;
}

/* Machine memory: as much as a context's page table takes. */
int pdb_read_mem(void *ctx, const struct pdb_space *as, u64 addr, void *buf,
                 u32 len)
{
    (void)as;
    if (addr >= MACHINE_FRAMES * PAGE_SIZE)
        return refuse(ctx, "there is no RAM");
    memset(buf, 0, len);
    return (int)len;
}

static int write_mem(void *ctx, const struct pdb_space *as, u64 addr,
                     const void *buf, u32 len)
{
    (void)ctx, (void)as, (void)addr, (void)buf;
    return (int)len;
}

int pdb_thread_info(void *ctx, struct pdb_tid t, struct pdb_thread_info *i)
{
    (void)ctx, (void)t, (void)i;
    return -PDB_ESRCH;
}

int pdb_get_regs(void *ctx, struct pdb_tid t, struct pdb_regs *r)
{
    (void)ctx, (void)t;
    memset(r, 0, sizeof(*r));
    return 0;
}

static int32_t next_one(void *ctx, int32_t pid)
{
    (void)ctx;
    return pid < 1 ? 1 : 0;
}

static int32_t next_thread(void *ctx, int32_t pid, int32_t tid)
{
    (void)ctx, (void)pid;
    return tid < 1 ? 1 : 0;
}

static const char *reason(void *ctx)
{
    struct pdb_target *t = ctx;
    const char *why = t->reason;

    t->reason = NULL;
    return why;
}

static void resume(void *ctx, const struct pdb_plan *plan)
{
    (void)ctx, (void)plan;
}

static void interrupt(void *ctx)
{
    (void)ctx;
}

static void reboot(void *ctx)
{
    (void)ctx;
    machine_reboots++;
}

struct pdb_ops machine_ops = {
    .read_mem = pdb_read_mem,
    .write_mem = write_mem,
    .translate = pdb_translate,
    .walk = pdb_walk,
    .reason = reason,
    .get_regs = pdb_get_regs,
    .next_inferior = next_one,
    .next_thread = next_thread,
    .resume = resume,
    .interrupt = interrupt,
    .reboot = reboot,
};
