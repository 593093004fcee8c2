/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Data watches that the four debug registers cannot hold, by protection keys.
 *
 * The pages of such a watch carry a key in their entries of the domain's page
 * tables, and PKRU of every CPU forbids that key (SDM vol. 3A 4.6.2): bits that
 * the CPU ignores otherwise, that change nothing of what an entry refers to,
 * and that a kernel without protection keys, as all are here, does not look at.
 * An access faults with PFEC_PK, which no guest can bring about otherwise; the
 * core has that one instruction run alone, with its CPU's PKRU open, and what
 * was there before and after tells whether it was a hit.  CR4.PKE is set only
 * while there is a watch.
 *
 * A new entry for a watched page gets the key from the hooks in pt_write() and
 * pt_cmpxchg().  Copies of an entry elsewhere (fork) lose it at their first
 * fault.  The hypervisor's own accesses for a guest open PKRU until the way
 * back to the guest, where a hit is told.
 *
 * While CR4.PKE is set a guest can change PKRU (WRPKRU has no privilege), which
 * is put right at the first chance, and keys in its own entries mean something:
 * no guest is to hear of either.
 */
#include <hv/atomic.h>
#include <hv/cpu.h>
#include <hv/extable.h>
#include <hv/mm.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>
#include <hv/x86.h>

#include "pdb-hook.h"
#include "pdb-target.h"

#define NR_GUARDS 16
#define KEY 15UL /* the last one: whoever uses keys begins with the first */
#define PTE_KEY (KEY << 59)
#define DENY_ACCESS (1U << (2 * KEY))
#define DENY_WRITE (2U << (2 * KEY))
#define TABLE_SPAN (1UL << (PAGE_SHIFT + 9)) /* of a level-1 table */
#define LOOK 256

static struct guard {
    struct pdb_hw hw; /* len 0: free; set and cleared by the leader */
    u64 sum;          /* of the bytes, before the step that is under way */
} guards[NR_GUARDS];
/* Accesses that the core has heard of, and whose steps have not ended. */
static struct touch {
    struct pdb_tid who; /* tid 0: free */
    u64 rip, addr;
} touches[NR_PDB_STEPS];
static unsigned int nr_guards; /* in use */
static unsigned int next_touch;
static u32 changes; /* of guards[]: entries may be in TLBs as they were */
static unsigned int hooks_left; /* by watches that have gone */
static void (*guest_traps)(struct cpu_user_regs *regs);

static DEFINE_PER_CPU(struct guard_cpu {
    u32 seen;           /* of `changes` */
    u64 touched;        /* by the hypervisor; 0: nothing */
    struct pdb_tid who; /* for this vCPU, which need not run here any more */
}, guard_cpu);

/*
 * --- PKRU: SDM vol. 2, RDPKRU and WRPKRU ---
 * Without CR4.PKE they are #UD, and an NMI may come just before one in which
 * gdb takes back the last watch: then there is nothing to do.
 */

static u32 rdpkru(void)
{
    u32 value, zero;

    __asm__ volatile("1: .byte 0x0f, 0x01, 0xee\n"
                     "2:\n" EX_TABLE(1b, 2b)
                     : "=a"(value), "=d"(zero)
                     : "0"(0), "c"(0));
    return value;
}

static void wrpkru(u32 value)
{
    __asm__ volatile("1: .byte 0x0f, 0x01, 0xef\n"
                     "2:\n" EX_TABLE(1b, 2b)::"a"(value), "c"(0), "d"(0)
                     : "memory");
}

/* What this CPU's PKRU is to be, unless a step runs, which has it open. */
static u32 closed_pkru(void)
{
    u32 deny = 0;

    if (pdb_target->scoped)
        return 0;
    for (const struct guard *g = guards; g < guards + NR_GUARDS; g++)
        if (g->hw.len != 0)
            deny |= g->hw.type == PDB_BP_WRITE ? DENY_WRITE
                                               : DENY_WRITE | DENY_ACCESS;
    return deny;
}

static u32 wanted_pkru(void)
{
    return pdb_step_armed_here() ? 0 : closed_pkru();
}

bool pdb_guards_any(void)
{
    return READ_ONCE(nr_guards) != 0;
}

void pdb_guard_load(void)
{
    struct guard_cpu *c = &this_cpu(guard_cpu);
    bool on = pdb_guards_any(), was_on = read_cr4() & X86_CR4_PKE;

    if (!on && !was_on)
        return;
    if (!was_on)
        write_cr4(read_cr4() | X86_CR4_PKE);
    wrpkru(on ? wanted_pkru() : 0);
    if (!on)
        write_cr4(read_cr4() & ~(unsigned long)X86_CR4_PKE);
    /* What this NMI has interrupted may write CR4 as it was: look again. */
    if (on != was_on)
        raise_softirq(SOFTIRQ_GUARD);
    if (c->seen != changes) {
        c->seen = changes;
        tlb_flush_local();
    }
}

/* --- page tables --- */

/* The entry for va in a level-1 table of d's under that top table; or NULL. */
static pte_t *entry_of(const struct domain *d, u64 cr3, unsigned long va)
{
    maddr_t table = cr3 & PTE_ADDR_MASK;

    for (unsigned int level = 4;; level--) {
        mfn_t m = maddr_to_mfn(table);
        const struct frame *f;
        pte_t *e;

        if (!mfn_valid(m))
            return NULL;
        f = mfn_to_frame(m);
        if (frame_table_type(f) != level_type(level) || f->owner != d->id)
            return NULL;
        e = (pte_t *)maddr_to_virt(table) + pt_index(va, level);
        if (level == 1)
            return e;
        if (!(*e & _PAGE_PRESENT))
            return NULL;
        table = *e & PTE_ADDR_MASK;
    }
}

/* The i-th top table in which a watch's addresses mean what they should; 0:
 * there is none. */
static u64 top_table(const struct domain *d, const struct pdb_hw *hw,
                     unsigned int i)
{
    const struct vcpu *v;

    if (hw->cr3)
        return hw->cr3;
    v = d->vcpu[i / 2];
    if (!v)
        return 0;
    return i % 2 == 0 ? v->pv.cr3_kernel : v->pv.cr3_user;
}

static unsigned int nr_top_tables(const struct domain *d,
                                  const struct pdb_hw *hw)
{
    return hw->cr3 ? 1 : 2 * d->max_vcpus;
}

static u64 first_page(const struct pdb_hw *hw)
{
    return hw->addr & PAGE_MASK;
}

static u64 last_page(const struct pdb_hw *hw)
{
    return (hw->addr + hw->len - 1) & PAGE_MASK;
}

/* The key of a present entry, by compare-and-swap as all who write there. True:
 * it has changed. */
static bool set_key(pte_t *e, bool on)
{
    pte_t old = READ_ONCE(*e);

    while ((old & _PAGE_PRESENT) && ((old & PTE_KEY) == PTE_KEY) != on)
        if (atomic_try_cmpxchg(e, &old, on ? old | PTE_KEY : old & ~PTE_KEY))
            return true;
    return false;
}

static void mark_under(const struct domain *d, u64 cr3,
                       const struct pdb_hw *hw, bool on)
{
    for (u64 va = first_page(hw);; va += PAGE_SIZE) {
        pte_t *e = entry_of(d, cr3, va);

        if (e && set_key(e, on))
            changes++;
        if (va == last_page(hw))
            return;
    }
}

static void mark_pages(const struct pdb_hw *hw, bool on)
{
    const struct domain *d = pdb_domain(hw->pid);

    for (unsigned int i = 0; d && i < nr_top_tables(d, hw); i++)
        if (top_table(d, hw, i))
            mark_under(d, top_table(d, hw, i), hw, on);
}

/* Is that the entry of a watched page, wherever its table is in use? */
static bool is_entry_of(const struct domain *d, const struct pdb_hw *hw,
                        const pte_t *entry, u64 va)
{
    if (va < first_page(hw) || va > last_page(hw))
        return false;
    for (unsigned int i = 0; i < nr_top_tables(d, hw); i++)
        if (entry_of(d, top_table(d, hw, i), va) == entry)
            return true;
    return false;
}

/* The same, of a table that may be that of any part of the watch. */
static bool is_some_entry_of(const struct domain *d, const struct pdb_hw *hw,
                             const pte_t *table, unsigned int index)
{
    u64 base = hw->addr & ~(TABLE_SPAN - 1);

    for (;; base += TABLE_SPAN) {
        if (is_entry_of(d, hw, table + index,
                        base + ((u64)index << PAGE_SHIFT)))
            return true;
        if (last_page(hw) - base < TABLE_SPAN)
            return false;
    }
}

/* pt_write(u, t, index, new) or pt_cmpxchg(u, t, index, old, new) begins. */
static void new_entry(enum pdb_hook h, struct cpu_user_regs *regs)
{
    const struct pt_update *u = (const struct pt_update *)regs->rdi;
    const struct frame *t = (const struct frame *)regs->rsi;
    const struct domain *d = u->table_owner;
    u64 *new = h == PDB_HOOK_PT_WRITE ? &regs->rcx : &regs->r8;

    if (!(*new & _PAGE_PRESENT) || frame_type(t) != FT_L1)
        return;
    for (const struct guard *g = guards; g < guards + NR_GUARDS; g++)
        if (g->hw.len != 0 && g->hw.pid == PDB_PID_DOMAIN(d->id) &&
            is_some_entry_of(d, &g->hw, mfn_to_virt(frame_to_mfn(t)),
                             (unsigned int)regs->rdx))
            *new |= PTE_KEY;
}

/* switch_to(prev, next) begins: a step's PKRU is its vCPU's alone. */
static void new_vcpu(const struct cpu_user_regs *regs)
{
    const struct vcpu *next = (const struct vcpu *)regs->rsi;

    if (pdb_guards_any())
        wrpkru(pdb_step_armed_for(next) ? 0 : closed_pkru());
    if (this_cpu(guard_cpu).touched)
        raise_softirq(SOFTIRQ_GUARD);
}

bool pdb_guard_hook(enum pdb_hook h, struct cpu_user_regs *regs)
{
    switch (h) {
    case PDB_HOOK_SCHEDULE:
        new_vcpu(regs);
        return false;
    case PDB_HOOK_PT_WRITE:
    case PDB_HOOK_PT_CMPXCHG:
        new_entry(h, regs);
        return true;
    default:
        return false;
    }
}

/* --- faults --- */

/* Does this page belong to a watch in what the current vCPU has mapped?  Other
 * processes may share the entry, as they do the kernel's. */
static bool is_watched(u64 addr)
{
    const struct domain *d = currd;
    const pte_t *e = entry_of(d, read_cr3(), addr);

    for (const struct guard *g = guards; e && g < guards + NR_GUARDS; g++)
        if (g->hw.len != 0 && g->hw.pid == PDB_PID_DOMAIN(d->id) &&
            is_entry_of(d, &g->hw, e, addr & PAGE_MASK))
            return true;
    return false;
}

/*
 * The softirq on the way back to the guest.  The short ways (SYSCALL, the iret
 * hypercall, an event) do not look for softirqs any more, and have interrupts
 * off: one comes when the guest has them.
 */
static void look_again(const struct cpu_user_regs *regs)
{
    raise_softirq(SOFTIRQ_GUARD);
    if (!(regs->rflags & X86_EFLAGS_IF))
        smp_send_event_check(smp_processor_id());
}

/*
 * A guest has changed PKRU: WRPKRU works in any ring while CR4.PKE is set.
 * True: it had, and what faulted may not fault again.
 */
static bool mend_pkru(void)
{
    u32 wanted = wanted_pkru();

    if (rdpkru() == wanted)
        return false;
    wrpkru(wanted);
    return true;
}

/* A key that no watch here put there, or one that is only in the TLB. */
static void pass_fault(u64 addr)
{
    pte_t *e = entry_of(currd, read_cr3(), addr);

    if (e)
        (void)set_key(e, false);
    invlpg(addr);
}

static bool is_key_fault(const struct cpu_user_regs *regs)
{
    return (regs->entry_vector & 0xff) == X86_EXC_PF &&
           (regs->error_code & PFEC_PK);
}

static void guest_key_fault(struct cpu_user_regs *regs, bool mended)
{
    u64 addr = read_cr2();

    if (!pdb_guards_any()) /* the last watch has gone meanwhile */
        wrpkru(0);
    else if (!mended && (!is_watched(addr) || !pdb_trap(regs)))
        pass_fault(addr);
}

/* Each trap of a guest, long after the last watch, too: one look then. */
static void guest_trap(struct cpu_user_regs *regs)
{
    bool mended = pdb_guards_any() && mend_pkru();

    if (is_key_fault(regs))
        guest_key_fault(regs, mended);
    else
        guest_traps(regs);
}

/* A fault of the hypervisor's own, which works for a guest. */
static bool hypervisor_trap(const struct cpu_user_regs *regs)
{
    struct guard_cpu *c = &this_cpu(guard_cpu);
    u64 addr = read_cr2();

    if (!is_key_fault(regs))
        return false;
    if (pdb_guards_any() && mend_pkru()) {
        look_again(regs); /* the vCPU may be about to change */
        return true;
    }
    if (!c->touched && !current->is_idle && is_watched(addr)) {
        c->touched = addr;
        c->who = pdb_thread_here(guest_cpu_user_regs());
    }
    wrpkru(0); /* until the way back */
    look_again(regs);
    return true;
}

/*
 * On the way back to a guest: watch again, and tell what was touched.  An idle
 * CPU has no guest's registers to stop with; it tells when it gets a vCPU.
 */
static void after_hypervisor(void)
{
    struct guard_cpu *c = &this_cpu(guard_cpu);
    unsigned long flags = local_irq_save();
    struct pdb_stop s = {.why = PDB_WHY_GUARD, .thread = c->who,
                         .addr = c->touched, .stepped = true};

    pdb_guard_load();
    if (s.addr && !current->is_idle) {
        c->touched = 0;
        while (pdb_guards_any() && pdb_vcpu(s.thread) && !pdb_stop_guest(&s))
            ;
    }
    local_irq_restore(flags);
}

/* --- for the core --- */

static bool hook(bool on)
{
    static const enum pdb_hook hooks[] = {
        PDB_HOOK_SCHEDULE, PDB_HOOK_PT_WRITE, PDB_HOOK_PT_CMPXCHG};
    unsigned int n = 0;

    while (n < ARRAY_SIZE(hooks) && pdb_hook_use(hooks[n], on))
        n++;
    if (n == ARRAY_SIZE(hooks))
        return true;
    while (n-- > 0)
        (void)pdb_hook_use(hooks[n], !on);
    return false;
}

void pdb_guards_again(void)
{
    for (; hooks_left != 0; hooks_left--)
        (void)hook(false);
    for (const struct guard *g = guards; g < guards + NR_GUARDS; g++)
        if (g->hw.len != 0)
            mark_pages(&g->hw, true);
}

/* The traps of guests come by here from the first watch on. */
static void listen(void)
{
    if (guest_traps)
        return;
    guest_traps = guest_trap_handler;
    traps_register_keys(hypervisor_trap);
    traps_register_guest(guest_trap);
}

static const char *refusal(const struct pdb_hw *hw)
{
    if (hw->pid == PDB_PID_HYPERVISOR)
        return "in the hypervisor only the four debug registers watch";
    if (!cpu_features.pku)
        return "the four debug registers cannot hold it, and this CPU has no protection keys";
    if (!canonical(hw->addr) || !canonical(hw->addr + hw->len - 1) ||
        hw->addr + hw->len - 1 < hw->addr)
        return "the addresses are not canonical";
    return NULL;
}

int pdb_guard_insert(struct pdb_target *t, const struct pdb_hw *hw)
{
    struct guard *g = guards;

    t->reason = refusal(hw);
    if (t->reason)
        return -PDB_EOPNOTSUPP;
    while (g < guards + NR_GUARDS && g->hw.len != 0)
        g++;
    if (g == guards + NR_GUARDS) {
        t->reason = "there are too many watches on memory";
        return -PDB_ENOSPC;
    }
    if (!hook(true)) {
        t->reason = "this build of the hypervisor has no place to listen at";
        return -PDB_EOPNOTSUPP;
    }
    listen();
    g->hw = *hw;
    WRITE_ONCE(nr_guards, nr_guards + 1);
    mark_pages(hw, true);
    return 0;
}

int pdb_guard_remove(const struct pdb_hw *hw)
{
    struct guard *g = guards;

    while (g < guards + NR_GUARDS && !pdb_hw_same(&g->hw, hw))
        g++;
    if (g == guards + NR_GUARDS)
        return -PDB_ENOENT;
    g->hw.len = 0;
    WRITE_ONCE(nr_guards, nr_guards - 1);
    hooks_left++;
    if (!pdb_domain(hw->pid)) /* it ends, and the machine may run */
        return 0;
    mark_pages(hw, false);
    pdb_guards_again(); /* they may share a page */
    return 0;
}

void __init pdb_guard_init(void)
{
    softirq_register(SOFTIRQ_GUARD, after_hypervisor);
}

/* --- before and after a step --- */

/* The bytes as vCPU who has them mapped. */
static u64 sum_of(const struct pdb_hw *hw, struct pdb_tid who)
{
    struct pdb_space as = {hw->cr3 ? PDB_SPACE_CR3 : PDB_SPACE_THREAD, who,
                           hw->cr3};
    u64 sum = PDB_SUM_START;
    u8 bytes[LOOK];

    for (u32 at = 0; at < hw->len; at += LOOK)
        sum = pdb_sum(sum, bytes,
                      pdb_read_mem(pdb_target, &as, hw->addr + at, bytes,
                                   MIN(hw->len - at, (u32)LOOK)));
    return sum;
}

static struct touch *find_touch(struct pdb_tid who)
{
    if (!who.tid)
        return NULL;
    for (struct touch *t = touches; t < touches + NR_PDB_STEPS; t++)
        if (pdb_tid_equal(t->who, who))
            return t;
    return NULL;
}

void pdb_guard_touch(const struct cpu_user_regs *regs, struct pdb_stop *s)
{
    struct touch *t = find_touch(s->thread);

    if (!t)
        t = &touches[next_touch++ % NR_PDB_STEPS];
    s->why = PDB_WHY_GUARD;
    s->addr = read_cr2();
    *t = (struct touch){s->thread, regs->rip, s->addr};
}

static void tell_late(struct touch *t, struct pdb_stop *s)
{
    *s = (struct pdb_stop){.why = PDB_WHY_GUARD, .thread = t->who,
                           .addr = t->addr, .stepped = true};
    t->who.tid = 0;
}

bool pdb_guard_late(struct pdb_stop *s)
{
    struct touch *t = find_touch(pdb_thread_here(guest_cpu_user_regs()));

    if (!t)
        return false;
    tell_late(t, s);
    return true;
}

void pdb_guard_in_turn(struct pdb_stop *s)
{
    if (s->why != PDB_WHY_GUARD || s->stepped)
        return;
    for (struct touch *t = touches; t < touches + NR_PDB_STEPS; t++) {
        const struct vcpu *v = t->who.tid ? pdb_vcpu(t->who) : NULL;

        if (v && pdb_step_is_spent(v)) {
            tell_late(t, s);
            return;
        }
    }
}

void pdb_guard_look(struct pdb_tid who)
{
    for (struct guard *g = guards; g < guards + NR_GUARDS; g++)
        if (g->hw.len != 0 && g->hw.pid == who.pid)
            g->sum = sum_of(&g->hw, who);
}

bool pdb_guard_changed(struct pdb_tid who, u64 rip, struct pdb_stop *s)
{
    struct touch *t = find_touch(who);
    bool touched = t && t->rip == rip;

    for (const struct guard *g = guards; g < guards + NR_GUARDS; g++) {
        if (g->hw.len == 0 || g->hw.pid != who.pid)
            continue;
        if (g->sum != sum_of(&g->hw, who))
            s->addr = g->hw.addr;
        else if (touched && g->hw.type != PDB_BP_WRITE &&
                 t->addr - g->hw.addr < g->hw.len)
            s->addr = t->addr;
        else
            continue;
        s->why = PDB_WHY_WATCH;
        break;
    }
    if (t)
        t->who.tid = 0;
    return s->why == PDB_WHY_WATCH;
}
