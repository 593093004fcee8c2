/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a vCPU: made, put on a CPU, taken off, set and read as a whole.
 *
 * A vCPU that leaves a CPU has everything in memory (registers, segment bases,
 * FPU image); idle CPUs run on the hypervisor's own tables, so no guest's page
 * table is loaded where none of its vCPUs runs.
 */
#include "internal.h"

#include <hv/cpu-tables.h>
#include <hv/cpu.h>
#include <hv/domain-clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/extable.h>
#include <hv/guest-access.h>
#include <hv/layout.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/x86.h>

#define VCPUS_PER_L1 16 /* 32 entries each */
#define LDT_AREA_OFFSET 0x10000UL

/* --- segments --- */

static void save_segments(struct vcpu *v)
{
    u64 gs = rdmsr(MSR_GS_BASE), shadow = rdmsr(MSR_SHADOW_GS_BASE);

    __asm__ volatile("mov %%ds, %0" : "=m"(v->pv.ds));
    __asm__ volatile("mov %%es, %0" : "=m"(v->pv.es));
    __asm__ volatile("mov %%fs, %0" : "=m"(v->pv.fs));
    __asm__ volatile("mov %%gs, %0" : "=m"(v->pv.gs));
    v->pv.fs_base = rdmsr(MSR_FS_BASE);
    v->pv.gs_base_kernel = v->pv.in_kernel ? gs : shadow;
    v->pv.gs_base_user = v->pv.in_kernel ? shadow : gs;
}

/* A selector that the CPU refuses becomes 0. */
#define LOAD_SELECTOR(reg, value)                                              \
    __asm__ volatile("1: mov %0, %%" #reg "\n"                                 \
                     "2:\n"                                                    \
                     ".pushsection .text.fixup, \"ax\"\n"                      \
                     "3: mov %1, %%" #reg "; jmp 2b\n"                         \
                     ".popsection\n" EX_TABLE(1b, 3b)::"r"((u32)(value)),      \
                     "r"(0))

/* Zero is the rule in 64-bit mode: loading it again is a waste. */
#define SET_SELECTOR(reg, value)                                               \
    do {                                                                       \
        u32 now_;                                                              \
        __asm__ volatile("mov %%" #reg ", %0" : "=r"(now_));                   \
        if (unlikely(now_ | (value)))                                          \
            LOAD_SELECTOR(reg, value);                                         \
    } while (0)

static void load_segments(struct vcpu *v)
{
    u64 kernel = v->pv.gs_base_kernel, user = v->pv.gs_base_user;

    SET_SELECTOR(ds, v->pv.ds);
    SET_SELECTOR(es, v->pv.es);
    SET_SELECTOR(fs, v->pv.fs);
    SET_SELECTOR(gs, v->pv.gs);
    wrmsr(MSR_FS_BASE, v->pv.fs_base);
    wrmsr(MSR_GS_BASE, v->pv.in_kernel ? kernel : user);
    wrmsr(MSR_SHADOW_GS_BASE, v->pv.in_kernel ? user : kernel);
}

/* --- switching --- */

/*
 * A CPU that goes idle keeps the registers and page tables of a guest that only
 * sleeps: more often than not that one is next, and then nothing is to be done.
 * v->running stays set meanwhile. Whoever needs them raises SOFTIRQ_RELEASE
 * there; so does a TLB flush, lest idle CPUs are interrupted for each.
 *
 * The debugger's NMI takes them as well, whenever `current` is the idle vCPU:
 * so `current` changes before the last look at `held`.
 */
static DEFINE_PER_CPU(struct vcpu *, held);

/* Whose registers guest_regs are; NULL: nobody's, they are in vcpu.regs. */
static DEFINE_PER_CPU(struct vcpu *, regs_of);

/* Word by word: where it is interrupted it goes on with what is there then. */
static void copy_regs(struct cpu_user_regs *to,
                      const struct cpu_user_regs *from)
{
    unsigned long n = sizeof(*to) / sizeof(u64);

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

void pv_regs_again(void)
{
    struct vcpu *v = this_cpu(regs_of);

    if (v)
        copy_regs(&v->regs, guest_cpu_user_regs());
    else if (current && !current->is_idle)
        copy_regs(guest_cpu_user_regs(), &current->regs);
}

struct vcpu *pv_regs_of(unsigned int cpu)
{
    return per_cpu(regs_of, cpu);
}

static void leave(struct vcpu *v)
{
    copy_regs(&v->regs, guest_cpu_user_regs());
    WRITE_ONCE(this_cpu(regs_of), NULL);
    barrier();
    save_segments(v);
    pv_fpu_save(v);
    pv_debugreg_unload(v);
    /* Not v->processor: it may have been given another CPU to wait at. */
    clear_bit(smp_processor_id(), &v->domain->dirty_cpus);
}

static void enter(struct vcpu *v, unsigned int cpu)
{
    unsigned long area =
        PERDOMAIN_VIRT_START + ((unsigned long)v->id << GDT_LDT_VCPU_SHIFT);
    u64 cr4 = read_cr4(), tsd = v->pv.ctrlreg[4] & X86_CR4_TSD;

    copy_regs(guest_cpu_user_regs(), &v->regs);
    WRITE_ONCE(this_cpu(regs_of), v);
    barrier();
    v->pv.gdt_l1[GDT_RESERVED_PAGE] =
        make_pte(virt_to_mfn(cpu_gdt_pages[cpu]),
                 _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY |
                     _PAGE_NX);
    set_bit(cpu, &tlb_guest_cpus);
    set_bit(cpu, &v->domain->dirty_cpus);
    tlb_note_flush();
    pv_load_cr3(v);
    cpu_load_gdt(area);
    cpu_set_ldt_descriptor(cpu, area + LDT_AREA_OFFSET, v->pv.ldt_entries);
    if (unlikely((cr4 & X86_CR4_TSD) != tsd))
        write_cr4((cr4 & ~(u64)X86_CR4_TSD) | tsd);
    load_segments(v);
    pv_fpu_restore(v);
    pv_debugreg_load(v);
}

/* This CPU's CR4.TSD, as the vCPU that it runs wants it now. */
void pv_tsc_load(void)
{
    struct vcpu *v = current;
    u64 cr4 = read_cr4();

    if (v && !v->is_idle && ((cr4 ^ v->pv.ctrlreg[4]) & X86_CR4_TSD))
        write_cr4(cr4 ^ X86_CR4_TSD);
}

void pv_tsc_skip(struct domain *d, u64 ticks)
{
    struct vcpu *v;

    d->tsc_shift += ticks;
    for_each_vcpu (d, v)
        v->pv.ctrlreg[4] |= X86_CR4_TSD;
}

/* CR4 as the guest knows it. */
u64 pv_guest_cr4(const struct vcpu *v)
{
    return (v->pv.ctrlreg[4] & ~(u64)X86_CR4_TSD) |
           (v->pv.own_tsd ? X86_CR4_TSD : 0);
}

/* irqs off. */
static void load_no_tables(unsigned int cpu)
{
    cpu_load_own_gdt(cpu); /* its descriptors are there under any CR3 */
    cpu_set_ldt_descriptor(cpu, 0, 0);
    tlb_note_flush();
    write_cr3(virt_to_maddr(hv_l4));
    clear_bit(cpu, &tlb_guest_cpus);
}

static void release(void)
{
    unsigned long flags = local_irq_save();
    struct vcpu *v = this_cpu(held);

    if (v && current->is_idle) {
        this_cpu(held) = NULL;
        this_cpu(tlb_lazy) = false;
        leave(v);
        load_no_tables(smp_processor_id());
        v->held_by = 0;
        __atomic_store_n(&v->running, 0, __ATOMIC_RELEASE);
    }
    local_irq_restore(flags);
}

static void __attribute__((noreturn)) go_idle(struct vcpu *v, struct vcpu *idle)
{
    unsigned int cpu = smp_processor_id();

    if (READ_ONCE(v->pause_flags) & ~(u32)(VPF_BLOCKED | VPF_POLL)) {
        leave(v);
        load_no_tables(cpu);
        get_cpu_info()->current_vcpu = idle;
        __atomic_store_n(&v->running, 0, __ATOMIC_RELEASE);
    } else {
        this_cpu(tlb_lazy) = true;
        this_cpu(held) = v;
        WRITE_ONCE(v->held_by, (u8)(cpu + 1));
        barrier(); /* from here on an NMI may take it, held_by included */
        get_cpu_info()->current_vcpu = idle;
        smp_mb(); /* see move_to() in domain/sched.c */
        if (unlikely(READ_ONCE(v->processor) != cpu))
            raise_softirq(SOFTIRQ_RELEASE);
    }
    reset_stack_and_jump(idle_loop);
}

/* From idle. True: next's registers are still here. */
static bool resume(struct vcpu *idle, struct vcpu *next)
{
    if (this_cpu(held) != next)
        release();
    get_cpu_info()->current_vcpu = next;
    barrier();
    __atomic_store_n(&idle->running, 0, __ATOMIC_RELEASE);
    if (this_cpu(held) != next) {
        /* The debugger's NMI may have taken it since it was chosen. */
        WRITE_ONCE(next->running, 1);
        return false;
    }
    this_cpu(held) = NULL;
    this_cpu(tlb_lazy) = false;
    next->held_by = 0;
    pv_tsc_load();
    return true;
}

static void __attribute__((noreturn)) switch_to(struct vcpu *prev,
                                                struct vcpu *next)
{
    unsigned int cpu = smp_processor_id();

    local_irq_disable();
    if (next->is_idle)
        go_idle(prev, next);
    if (!prev->is_idle) {
        leave(prev);
        cpu_load_own_gdt(cpu);
        get_cpu_info()->current_vcpu = next;
        enter(next, cpu);
        __atomic_store_n(&prev->running, 0, __ATOMIC_RELEASE);
    } else if (!resume(prev, next)) {
        enter(next, cpu);
    }
    if (unlikely(next->nmi_pending))
        raise_softirq(SOFTIRQ_GUEST_NMI);
    if (unlikely(next->nr_drops))
        raise_softirq(SOFTIRQ_DROP);
    vcpu_update_time_info(next);
    return_to_guest();
}

/* --- life --- */

static int domain_init(struct domain *d)
{
    d->perdomain_l3 = alloc_hv_page_zeroed();
    d->perdomain_l2 = alloc_hv_page_zeroed();
    if (!d->perdomain_l3 || !d->perdomain_l2)
        return -ENOMEM;
    d->perdomain_l3[0] = virt_to_maddr(d->perdomain_l2) | _PAGE_PRESENT |
                         _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED;
    return 0;
}

static void domain_free(struct domain *d)
{
    for (unsigned int i = 0; d->perdomain_l2 && i < MAX_VCPUS / VCPUS_PER_L1;
         i++)
        if (d->perdomain_l2[i])
            free_hv_pages(maddr_to_virt(d->perdomain_l2[i] & PTE_ADDR_MASK), 0);
    free_hv_pages(d->perdomain_l2, 0);
    free_hv_pages(d->perdomain_l3, 0);
    d->perdomain_l2 = d->perdomain_l3 = NULL;
}

static void drop_vcpu_tables(struct vcpu *v)
{
    pv_destroy_gdt(v);
    pv_drop_ldt(v);
    pv_drop_l4s(v);
}

static int domain_relinquish(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu(d, v)
        drop_vcpu_tables(v);
    return pv_relinquish_tables(d);
}

static pte_t *gdt_entries(struct domain *d, unsigned int id)
{
    pte_t *l2e = &d->perdomain_l2[id / VCPUS_PER_L1];

    if (!*l2e) {
        void *l1 = alloc_hv_page_zeroed();

        if (!l1)
            return NULL;
        *l2e = virt_to_maddr(l1) | _PAGE_PRESENT | _PAGE_RW | _PAGE_USER |
               _PAGE_ACCESSED;
    }
    return (pte_t *)maddr_to_virt(*l2e & PTE_ADDR_MASK) +
           (id % VCPUS_PER_L1) * 32;
}

static int vcpu_init(struct vcpu *v)
{
    v->pv.kernel_l4 = v->pv.user_l4 = INVALID_MFN;
    v->pv.cr3_kernel = virt_to_maddr(hv_l4);
    v->pv.cr3_user = 0;
    v->pv.in_kernel = 1;
    v->pv.kernel_sp = 64;
    /* As a kernel finds it set up: Linux uses XSAVE only if it is on. */
    v->pv.ctrlreg[4] = X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT |
                       (cpu_features.xsave ? X86_CR4_OSXSAVE : 0);
    v->pv.debugreg[6] = 0xffff0ff0UL;
    v->pv.debugreg[7] = 0x400UL;
    if (v->is_idle)
        return 0;
    v->pv.ctrlreg[4] |= v->domain->tsc_shift ? X86_CR4_TSD : 0;
    v->pv.traps = new_array(struct guest_trap, NR_TRAP_VECTORS);
    v->pv.gdt_l1 = gdt_entries(v->domain, v->id);
    if (!v->pv.traps || !v->pv.gdt_l1 || pv_fpu_init(v)) {
        hv_free(v->pv.traps);
        v->pv.traps = NULL;
        return -ENOMEM;
    }
    return 0;
}

static void vcpu_free(struct vcpu *v)
{
    if (v->is_idle)
        return;
    drop_vcpu_tables(v);
    pv_fpu_free(v);
    hv_free(v->pv.traps);
    v->pv.traps = NULL;
}

/* --- the state as a whole --- */

static int check_context(const struct vcpu_guest_context *c)
{
    if (!canonical(c->user_regs.rip) || !canonical(c->event_callback_eip) ||
        !canonical(c->failsafe_callback_eip) ||
        !canonical(c->syscall_callback_eip) || !canonical(c->fs_base) ||
        !canonical(c->gs_base_kernel) || !canonical(c->gs_base_user))
        return -EINVAL;
    if (!guest_range_ok(c->event_callback_eip, 1) ||
        !guest_range_ok(c->failsafe_callback_eip, 1) ||
        !guest_range_ok(c->syscall_callback_eip, 1))
        return -EINVAL;
    if (c->gdt_ents > MAX_GDT_FRAMES * 512 || c->ldt_ents > 8192 ||
        (c->ldt_base & ~PAGE_MASK) || !canonical(c->ldt_base) ||
        !guest_range_ok(c->ldt_base, c->ldt_ents * 8))
        return -EINVAL;
    /* User mode needs its tables: frame 0 says that there are none. */
    return c->flags & VGCF_in_kernel || mfn_x(maddr_to_mfn(c->ctrlreg[1]))
               ? 0
               : -EINVAL;
}

static int set_tables(struct vcpu *v, const struct vcpu_guest_context *c)
{
    unsigned long frames[MAX_GDT_FRAMES];
    int rc;

    memcpy(frames, c->gdt_frames, sizeof(frames));
    rc = pv_set_gdt(v, frames, (unsigned int)c->gdt_ents);
    if (rc)
        return rc;
    rc = pv_set_kernel_l4(v, maddr_to_mfn(c->ctrlreg[3]));
    if (!rc && c->ctrlreg[1])
        rc = pv_set_user_l4(v, maddr_to_mfn(c->ctrlreg[1]));
    if (rc)
        return rc;
    return pv_set_ldt(v, c->ldt_base, (unsigned int)c->ldt_ents);
}

static void set_traps(struct vcpu *v, const struct vcpu_guest_context *c)
{
    for (unsigned int i = 0; i < NR_TRAP_VECTORS; i++) {
        const struct trap_info *t = &c->trap_ctxt[i];
        bool ok = t->address && canonical(t->address) &&
                  guest_range_ok(t->address, 1);

        v->pv.traps[i] = (struct guest_trap){
            .address = ok ? t->address : 0,
            .cs = (u16)(t->cs | 3),
            .dpl = t->flags & 3,
            .mask_events = !!(t->flags & 4),
        };
    }
}

static void set_entry(struct guest_callback *cb, unsigned long address,
                      bool mask)
{
    cb->address = address;
    cb->mask_events = mask;
    cb->registered = address != 0;
}

static void set_registers(struct vcpu *v, const struct vcpu_guest_context *c)
{
    v->regs = c->user_regs;
    v->regs.cs |= 3;
    v->regs.ss |= 3;
    v->pv.iopl = (unsigned int)v->regs.rflags & X86_EFLAGS_IOPL;
    v->regs.rflags = (v->regs.rflags & 0x250cd5UL) | X86_EFLAGS_IF | 2;
    v->regs.entry_vector = 0;
    v->pv.ds = c->user_regs.ds;
    v->pv.es = c->user_regs.es;
    v->pv.fs = c->user_regs.fs;
    v->pv.gs = c->user_regs.gs;
    v->pv.fs_base = c->fs_base;
    v->pv.gs_base_kernel = c->gs_base_kernel;
    v->pv.gs_base_user = c->gs_base_user;
    v->pv.kernel_ss = c->kernel_ss | 3;
    v->pv.kernel_sp = canonical(c->kernel_sp) &&
                              guest_range_ok((c->kernel_sp & ~0xfUL) - 64, 64)
                          ? c->kernel_sp
                          : 64;
    v->pv.in_kernel = !!(c->flags & VGCF_in_kernel);
    v->pv.ctrlreg[0] = c->ctrlreg[0] & X86_CR0_TS;
    v->pv.ctrlreg[4] |= c->ctrlreg[4] & (X86_CR4_FSGSBASE | X86_CR4_OSXSAVE |
                                         X86_CR4_OSFXSR | X86_CR4_TSD);
    v->pv.own_tsd |= !!(c->ctrlreg[4] & X86_CR4_TSD);
    set_entry(&v->pv.event, c->event_callback_eip, true);
    set_entry(&v->pv.failsafe, c->failsafe_callback_eip,
              c->flags & VGCF_failsafe_disables_events);
    set_entry(&v->pv.syscall, c->syscall_callback_eip,
              c->flags & VGCF_syscall_disables_events);
}

static int set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    int rc = check_context(c);

    if (rc)
        return rc;
    rc = set_tables(v, c);
    if (rc)
        return rc;
    set_traps(v, c);
    set_registers(v, c);
    for (unsigned int i = 0; i < 8; i++)
        if (i != 4 && i != 5)
            pv_set_debugreg(v, i, c->debugreg[i]);
    if (c->flags & VGCF_I387_VALID)
        pv_fpu_set_legacy(v, c->fpu_ctxt.x);
    v->initialised = 1;
    return 0;
}

static void get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
    memset(c, 0, sizeof(*c));
    memcpy(c->fpu_ctxt.x, v->pv.fpu, sizeof(c->fpu_ctxt.x));
    c->flags = VGCF_i387_valid | (v->pv.in_kernel ? VGCF_in_kernel : 0) |
               (v->pv.failsafe.mask_events ? VGCF_failsafe_disables_events
                                           : 0) |
               (v->pv.syscall.mask_events ? VGCF_syscall_disables_events : 0) |
               (v->pause_flags & VPF_DOWN ? 0 : VGCF_online);
    c->user_regs = v->regs;
    if (v->pv.in_kernel)
        c->user_regs.cs &= (u16)~3;
    c->user_regs.ds = v->pv.ds;
    c->user_regs.es = v->pv.es;
    c->user_regs.fs = v->pv.fs;
    c->user_regs.gs = v->pv.gs;
    for (unsigned int i = 0; i < NR_TRAP_VECTORS; i++) {
        c->trap_ctxt[i].vector = (u8)i;
        c->trap_ctxt[i].address = v->pv.traps[i].address;
        c->trap_ctxt[i].cs = v->pv.traps[i].cs;
        c->trap_ctxt[i].flags = (u8)(v->pv.traps[i].dpl |
                                     (v->pv.traps[i].mask_events ? 4 : 0));
    }
    c->ldt_base = v->pv.ldt_base;
    c->ldt_ents = v->pv.ldt_entries;
    c->gdt_ents = v->pv.gdt_entries;
    for (unsigned int i = 0; i < DIV_ROUND_UP(v->pv.gdt_entries, 512); i++)
        c->gdt_frames[i] = mfn_x(v->pv.gdt_frames[i]);
    c->kernel_ss = v->pv.kernel_ss;
    c->kernel_sp = v->pv.kernel_sp;
    c->ctrlreg[0] = read_cr0() | (v->pv.ctrlreg[0] & X86_CR0_TS);
    c->ctrlreg[1] = mfn_eq(v->pv.user_l4, INVALID_MFN) ? 0 : v->pv.cr3_user;
    c->ctrlreg[3] = v->pv.cr3_kernel;
    c->ctrlreg[4] = pv_guest_cr4(v);
    memcpy(c->debugreg, v->pv.debugreg, sizeof(c->debugreg));
    c->event_callback_eip = v->pv.event.address;
    c->failsafe_callback_eip = v->pv.failsafe.address;
    c->syscall_callback_eip = v->pv.syscall.address;
    c->vm_assist = v->domain->vm_assist;
    c->fs_base = v->pv.fs_base;
    c->gs_base_kernel = v->pv.gs_base_kernel;
    c->gs_base_user = v->pv.gs_base_user;
}

const struct pv_ops pv_domain_ops = {
    .domain_init = domain_init,
    .domain_free = domain_free,
    .domain_relinquish = domain_relinquish,
    .vcpu_init = vcpu_init,
    .vcpu_free = vcpu_free,
    .switch_to = switch_to,
    .release = release,
    .set_context = set_context,
    .get_context = get_context,
    .dump = pv_dump_vcpu,
};

/* Lest it is interrupted for the next flush too. */
static void release_soon(void)
{
    raise_softirq(SOFTIRQ_RELEASE);
}

void pv_init(void)
{
    frame_register_type_ops(&pv_frame_type_ops);
    traps_register_guest(pv_guest_trap);
    pv_register_ops(&pv_domain_ops);
    softirq_register(SOFTIRQ_GUEST_NMI, pv_deliver_nmi);
    softirq_register(SOFTIRQ_DROP, pv_drop_softirq);
    softirq_register(SOFTIRQ_RELEASE, release);
    tlb_register_lazy(release_soon);
}
