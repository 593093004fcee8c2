/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * int3s of the debugger's own, at known places of the hypervisor.
 *
 * The instruction under one is copied to a slot of executable memory, with a
 * jump back behind it, so that a CPU that goes on needs no single step and no
 * other CPU has to stand still.  The copy stays when the hook goes: a CPU may
 * be in it.  While the machine is stopped no int3 of these is in memory, so
 * neither gdb nor a step over a breakpoint ever meets one.
 */
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/mm.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>
#include <hv/string.h>

#include "../hypercall/grant-ops.h"
#include "pdb-hook.h"
#include "pdb-target.h"

#define INT3 0xcc
#define JMP 0xe9
#define SLOT 32 /* bytes: an instruction of 15 and a jump */

struct hook {
    unsigned long at; /* 0: not looked at yet */
    u8 length;        /* of the instruction there */
    u8 first;         /* its first byte */
    u8 users;
    bool planted;
};

static struct hook hooks[NR_PDB_HOOKS];
/* A stop was reported at this place and stack: the next hit goes on. */
struct passing {
    unsigned long at, rsp;
};
static DEFINE_PER_CPU(struct passing, passing);

__asm__(".pushsection .text.pdb_hook_slots, \"ax\"\n"
        ".globl pdb_hook_slots\n"
        "pdb_hook_slots: .fill 15 * 32, 1, 0xcc\n"
        ".popsection");
extern const u8 pdb_hook_slots[];
_Static_assert(NR_PDB_HOOKS == 15 && SLOT == 32, "pdb_hook_slots");

static const void *place(enum pdb_hook h)
{
    switch (h) {
    case PDB_HOOK_HYPERCALL:
    case PDB_HOOK_HYPERCALL_RETURN:
    case PDB_HOOK_SYSCALL:
    case PDB_HOOK_SYSRET: return (const void *)pdb_entry_places[h];
    case PDB_HOOK_EXCEPTION: return pv_inject_trap;
    case PDB_HOOK_EVENT_2L: return evtchn_2l_ops.set_pending;
    case PDB_HOOK_EVENT_FIFO: return evtchn_fifo_ops.set_pending;
    case PDB_HOOK_GRANT: return grant_map;
    case PDB_HOOK_PAGE_TYPE: return frame_type_conflict;
    case PDB_HOOK_START: return domain_unpause;
    case PDB_HOOK_CRASH: return domain_crash;
    case PDB_HOOK_SHUTDOWN: return domain_shutdown;
    case PDB_HOOK_PT_WRITE: return pt_write;
    case PDB_HOOK_PT_CMPXCHG: return pt_cmpxchg;
    default: return pv_ops->switch_to;
    }
}

/* --- moving an instruction (SDM vol. 2, chapter 2) --- */

/* ModRM, SIB and displacement; 0: relative to rip, which cannot be moved. */
static unsigned int operand_length(const u8 *modrm)
{
    unsigned int mod = modrm[0] >> 6, rm = modrm[0] & 7, n = 1;

    if (mod == 3)
        return 1;
    if (rm == 4)
        n += mod == 0 && (modrm[1] & 7) == 5 ? 5 : 1;
    else if (rm == 5 && mod == 0)
        return 0;
    return n + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* What functions begin with, and a little more; 0: none of these. */
static unsigned int instruction_length(const u8 *code)
{
    const u8 *p = code;
    unsigned int n, immediate = 0;

    while (*p == 0x66 || *p == 0xf0)
        p++;
    if ((*p & 0xf8) == 0x40 || (*p & 0xf8) == 0x48)
        p++;
    if (p == code && (*p & 0xf8) == 0xb8) /* mov of a constant of 4 bytes */
        return 5;
    if ((*p & 0xf8) == 0xb8 && p == code + 1 && (*code & 0xf8) == 0x48)
        return 10; /* or of 8 */
    if ((*p & 0xf0) == 0x50) /* push, pop */
        return (unsigned int)(p + 1 - code);
    if (*p == 0x80 || *p == 0x83 || *p == 0xc6)
        immediate = 1;
    else if ((*p == 0x81 || *p == 0xc7) && code[0] != 0x66)
        immediate = 4;
    else if (!(*p < 0x40 && (*p & 7) < 4) && !(*p >= 0x84 && *p <= 0x8b) &&
             *p != 0x8d && *p != 0x63)
        return 0;
    n = operand_length(p + 1);
    return n ? (unsigned int)(p + 1 - code) + n + immediate : 0;
}

static unsigned long slot_of(enum pdb_hook h)
{
    return (unsigned long)pdb_hook_slots + h * SLOT;
}

static void poke(unsigned long va, const void *bytes, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        (void)pdb_poke(virt_to_maddr_image((void *)(va + i)),
                       ((const u8 *)bytes)[i]);
}

static bool prepare(enum pdb_hook h)
{
    unsigned long at = (unsigned long)place(h), slot = slot_of(h);
    unsigned int n = instruction_length((const u8 *)at);
    s32 back = (s32)(at - (slot + 5));
    u8 jump = JMP;

    if (n == 0)
        return false;
    poke(slot, (const void *)at, n);
    poke(slot + n, &jump, 1);
    poke(slot + n + 1, &back, sizeof(back));
    hooks[h] = (struct hook){.at = at, .length = (u8)n,
                             .first = *(const u8 *)at};
    return true;
}

bool pdb_hook_use(enum pdb_hook h, bool on)
{
    if (!hooks[h].at && !prepare(h))
        return false;
    hooks[h].users = (u8)(hooks[h].users + (on ? 1 : -1));
    return true;
}

static struct hook *hook_at(unsigned long at)
{
    for (struct hook *h = hooks; h < hooks + NR_PDB_HOOKS; h++)
        if (h->at == at)
            return h;
    return NULL;
}

/* What a CPU is to pass, it passes now: from where it stands, or not at all. */
static void forget_passed(void)
{
    unsigned int cpu;

    for_each_online_cpu (cpu) {
        struct passing *p = &per_cpu(passing, cpu);
        const struct cpu_user_regs *regs = per_cpu(pdb_cpu, cpu).regs;
        const struct hook *h = hook_at(p->at);

        if (!h || !h->users || !regs || regs->rip != p->at ||
            regs->rsp != p->rsp)
            p->at = 0;
    }
}

/* Where gdb has a breakpoint of its own, its int3 serves. */
void pdb_hooks_plant(void)
{
    u8 byte = INT3;

    forget_passed();
    for (struct hook *h = hooks; h < hooks + NR_PDB_HOOKS; h++)
        if (h->users && *(const volatile u8 *)h->at != INT3) {
            h->planted = true;
            poke(h->at, &byte, 1);
        }
}

void pdb_hooks_lift(void)
{
    for (struct hook *h = hooks; h < hooks + NR_PDB_HOOKS; h++)
        if (h->planted) {
            h->planted = false;
            poke(h->at, &h->first, 1);
        }
}

static enum pdb_hook_hit go_on(const struct hook *h, struct cpu_user_regs *regs)
{
    regs->rip = slot_of((enum pdb_hook)(h - hooks));
    return PDB_HOOK_PASS;
}

/*
 * Not a hook's int3, or no longer: one that was lifted meanwhile, as late as in
 * an NMI just before this, has its own instruction back.
 */
static enum pdb_hook_hit no_hook(const struct hook *h,
                                 struct cpu_user_regs *regs)
{
    if (*(const volatile u8 *)h->at == INT3)
        return PDB_HOOK_NONE;
    regs->rip--;
    return PDB_HOOK_PASS;
}

enum pdb_hook_hit pdb_hook_trap(struct cpu_user_regs *regs, struct pdb_stop *s)
{
    const struct hook *h = guest_mode(regs) ? NULL : hook_at(regs->rip - 1);
    enum pdb_hook which;
    bool redirected = false;

    if (!h)
        return PDB_HOOK_NONE;
    if (*(const volatile u8 *)h->at != INT3 || !READ_ONCE(h->users))
        return no_hook(h, regs);
    which = (enum pdb_hook)(h - hooks);
    if (pdb_guard_hook(which, regs))
        return READ_ONCE(h->planted) ? go_on(h, regs) : no_hook(h, regs);
    if (this_cpu(passing).at == h->at && this_cpu(passing).rsp == regs->rsp) {
        this_cpu(passing).at = 0;
        return go_on(h, regs);
    }
    if (pdb_event_hit(which, regs, s) ||
        pdb_syscall_hit(which, regs, s, &redirected)) {
        this_cpu(passing).at = h->at;
        this_cpu(passing).rsp = regs->rsp;
        regs->rip--;
        return PDB_HOOK_STOP;
    }
    if (redirected)
        return PDB_HOOK_PASS;
    return READ_ONCE(h->planted) ? go_on(h, regs) : no_hook(h, regs);
}

void pdb_hook_again(void)
{
    this_cpu(passing).at = 0;
}

bool pdb_hook_pass(struct cpu_user_regs *regs)
{
    const struct hook *h = guest_mode(regs) ? NULL : hook_at(regs->rip - 1);

    return h && h->users && h->planted && go_on(h, regs);
}

void pdb_hook_mend(struct cpu_user_regs *regs)
{
    unsigned long offset = regs->rip - (unsigned long)pdb_hook_slots;
    const struct hook *h;

    if (guest_mode(regs) || offset >= NR_PDB_HOOKS * SLOT)
        return;
    h = &hooks[offset / SLOT];
    regs->rip = h->at + offset % SLOT;
}
