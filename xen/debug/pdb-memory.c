/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory as the debugger sees it: any address space, by walking its page
 * tables in the direct map.  Nothing here can fault: what the direct map does
 * not have is refused.  Writes get past read-only mappings.
 */
#include <hv/cpu.h>
#include <hv/format.h>
#include <hv/mm.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "pdb-target.h"

static const char *kind_of_level(unsigned int level)
{
    static const char *const names[] = {"", "L1", "L2", "L3", "L4"};

    return names[level];
}

/* Through one top-level table. */
static bool through(u64 cr3, u64 addr, maddr_t *ma)
{
    pte_t e;
    unsigned int level = pt_walk(cr3 & PTE_ADDR_MASK, addr, &e);

    if (level == 0)
        return false;
    *ma = pt_address(e, level, addr);
    return true;
}

/*
 * The top-level tables of a thread: what it runs on, then its kernel's. An idle
 * CPU has no guest's: there, a guest's address is meant to be domain 0's.
 */
static unsigned int thread_tables(struct pdb_tid t, u64 cr3[2])
{
    struct vcpu *v;
    unsigned int cpu = (unsigned int)t.tid - 1;

    if (t.pid != PDB_PID_HYPERVISOR) {
        v = pdb_vcpu(t);
        cr3[0] = v ? v->pv.cr3_kernel : 0;
        cr3[1] = v ? v->pv.cr3_user : 0;
        return 2;
    }
    cr3[0] = cr3[1] = 0;
    if (t.tid < 1 || cpu >= NR_CPUS || !cpumask_test(cpu_online_map, cpu)) {
        cr3[0] = virt_to_maddr(hv_l4);
        return 1;
    }
    v = pdb_vcpu_on(cpu);
    cr3[0] = cpu == smp_processor_id() ? read_cr3() : per_cpu(pdb_cpu, cpu).cr3;
    if (!cr3[0])
        cr3[0] = virt_to_maddr(hv_l4);
    if (!v && dom0)
        v = dom0->vcpu[0];
    cr3[1] = v ? v->pv.cr3_kernel : 0;
    return 2;
}

/* In which of all the contexts there is nothing. */
static const char *not_mapped(struct pdb_target *t, const struct pdb_space *as)
{
    static const char nothing[] = "no page is mapped there";
    bool idle = as->thread.pid == PDB_PID_HYPERVISOR;
    struct pdb_thread_info i;

    if (as->kind == PDB_SPACE_CR3) {
        snprintf(t->where, sizeof(t->where), "%s under CR3 %lx", nothing,
                 as->cr3);
        return t->where;
    }
    if (pdb_thread_info(t, as->thread, &i) < 0)
        return nothing;
    idle = idle && dom0 && !pdb_vcpu_on((unsigned int)as->thread.tid - 1);
    snprintf(t->where, sizeof(t->where), "%s for %s (%s)%s", nothing, i.name,
             i.state, idle ? " and domain 0's kernel" : "");
    return t->where;
}

static int not_canonical(struct pdb_target *t, u64 addr)
{
    t->reason = "the address is not canonical";
    if (addr >> 48 == 0)
        t->reason = "not canonical (short? 'monitor short-addresses on')";
    return -PDB_EFAULT;
}

int pdb_translate(void *ctx, const struct pdb_space *as, u64 addr, u64 *maddr)
{
    struct pdb_target *t = ctx;
    u64 cr3[2] = {as->cr3, 0};
    unsigned int n = 1;

    if (as->kind == PDB_SPACE_PHYS) {
        *maddr = addr;
        return 0;
    }
    if (!canonical(addr))
        return not_canonical(t, addr);
    if (as->kind == PDB_SPACE_THREAD)
        n = thread_tables(as->thread, cr3);
    for (unsigned int i = 0; i < n; i++)
        if (cr3[i] && through(cr3[i], addr, maddr))
            return 0;
    t->reason = not_mapped(t, as);
    return -PDB_EFAULT;
}

/* RAM that the direct map has: guard pages are taken out of it. *e: how. */
static void *ram_entry(maddr_t ma, pte_t *e)
{
    void *p = maddr_to_virt(ma);

    if (!mfn_valid(maddr_to_mfn(ma)) ||
        !pt_walk(virt_to_maddr(hv_l4), (unsigned long)p, e))
        return NULL;
    return p;
}

static void *ram(maddr_t ma)
{
    pte_t e;

    return ram_entry(ma, &e);
}

bool pdb_peek(maddr_t ma, u8 *byte)
{
    const u8 *p = ram(ma);

    if (p)
        *byte = *p;
    return p != NULL;
}

/*
 * Text and constants are read-only in the direct map too: CR0.WP off, which
 * costs a TLB; the rest is written as it is.
 */
static void write_past_protection(void *to, const void *from, size_t n)
{
    unsigned long flags, cr0;
    pte_t e;

    if (ram_entry(virt_to_maddr(to), &e) && (e & _PAGE_RW)) {
        memcpy(to, from, n);
        return;
    }
    flags = local_irq_save();
    cr0 = read_cr0();
    write_cr0(cr0 & ~(unsigned long)X86_CR0_WP);
    memcpy(to, from, n);
    write_cr0(cr0);
    local_irq_restore(flags);
}

bool pdb_poke(maddr_t ma, u8 byte)
{
    u8 *p = ram(ma);

    if (p && *p != byte)
        write_past_protection(p, &byte, 1);
    return p != NULL;
}

/* The part of [addr, addr + len) on addr's page: where, and how much. */
static void *piece(struct pdb_target *t, const struct pdb_space *as, u64 addr,
                   u32 *len)
{
    maddr_t ma;
    void *p;

    if (pdb_translate(t, as, addr, &ma) < 0)
        return NULL;
    p = ram(ma);
    if (!p)
        t->reason = "there is no RAM: a device, or a guard page";
    *len = (u32)MIN((u64)*len, PAGE_SIZE - (addr & ~PAGE_MASK));
    return p;
}

int pdb_read_mem(void *ctx, const struct pdb_space *as, u64 addr, void *buf,
                 u32 len)
{
    u32 done = 0;

    while (done < len) {
        u32 n = len - done;
        const void *p = piece(ctx, as, addr + done, &n);

        if (!p)
            break;
        memcpy((u8 *)buf + done, p, n);
        done += n;
    }
    return done || !len ? (int)done : -PDB_EFAULT;
}

/* What `call` leaves on the stack: where `finish` wants to stop. */
static bool follows_call(const u8 *p)
{
    return p[-5] == 0xe8 || (p[-4] == 0x41 && p[-3] == 0xff && p[-2] == 0x14);
}

/*
 * Code that the debugger's own way in runs through before it can tell its
 * breakpoints from accidents, and entry code on a guest's stack.
 */
static bool is_own_way_in(maddr_t ma)
{
    extern const char syscall_stubs[], irq_stubs[];
    extern const unsigned long exception_entries[];
    extern const char hv_text_start[], hv_text_end[];
    static const char *const names[] = {"do_hv_trap", "pdb_trap", "do_nmi",
                                        "pdb_nmi"};
    unsigned long va = ma - IMAGE_PHYS_START + IMAGE_VIRT_START, offset, size;
    const char *name;

    if (va < (unsigned long)hv_text_start || va >= (unsigned long)hv_text_end)
        return false;
    if (va >= (unsigned long)syscall_stubs &&
        va < (unsigned long)irq_stubs + 0x1000)
        return va >= exception_entries[0] || !follows_call((const u8 *)va);
    name = symbol_lookup(va, &offset, &size);
    for (unsigned int i = 0; name && i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

int pdb_write_mem(void *ctx, const struct pdb_space *as, u64 addr,
                  const void *buf, u32 len)
{
    struct pdb_target *t = ctx;
    u32 done = 0;

    while (done < len) {
        u32 n = len - done;
        void *p = piece(t, as, addr + done, &n);

        if (!p)
            break;
        if (is_own_way_in(virt_to_maddr(p))) {
            t->reason = "the debugger itself runs through this code";
            return done ? (int)done : -PDB_EPERM;
        }
        write_past_protection(p, (const u8 *)buf + done, n);
        done += n;
    }
    return done || !len ? (int)done : -PDB_EFAULT;
}

static void walk_table(u64 cr3, u64 addr, struct pdb_out *o)
{
    maddr_t table = cr3 & PTE_ADDR_MASK;

    for (unsigned int level = 4; level != 0; level--) {
        unsigned int i = pt_index(addr, level);
        const pte_t *t = ram(table);

        if (!t) {
            pdb_printf(o, "  %s table at %lx: not in RAM\n",
                       kind_of_level(level), table);
            return;
        }
        pdb_printf(o, "  %s[%3u] = %016lx%s%s%s%s%s\n", kind_of_level(level), i,
                   t[i], t[i] & _PAGE_PRESENT ? "" : " not present",
                   t[i] & _PAGE_RW ? " rw" : " ro",
                   t[i] & _PAGE_USER ? " user" : "",
                   t[i] & _PAGE_NX ? " nx" : "",
                   level > 1 && t[i] & _PAGE_PSE ? " large" : "");
        if (!(t[i] & _PAGE_PRESENT) || (level < 4 && t[i] & _PAGE_PSE))
            return;
        table = t[i] & PTE_ADDR_MASK;
    }
}

int pdb_walk(void *ctx, const struct pdb_space *as, u64 addr,
             struct pdb_out *o)
{
    u64 cr3[2] = {as->cr3, 0};
    maddr_t ma;

    if (as->kind == PDB_SPACE_PHYS)
        return -PDB_EINVAL;
    if (!canonical(addr))
        return not_canonical(ctx, addr);
    if (as->kind == PDB_SPACE_THREAD && thread_tables(as->thread, cr3) == 2 &&
        cr3[1] && !through(cr3[0], addr, &ma))
        cr3[0] = cr3[1];
    pdb_printf(o, "%016lx under CR3 %lx:\n", addr, cr3[0]);
    walk_table(cr3[0], addr, o);
    if (pdb_translate(ctx, as, addr, &ma) == 0)
        pdb_printf(o, "  machine address %lx\n", ma);
    return 0;
}
