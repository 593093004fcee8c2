/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers, code, stack and page tables on the console. Everything is checked
 * before it is read: a dump must not fault.
 */
#include <hv/cpu.h>
#include <hv/layout.h>
#include <hv/printk.h>
#include <hv/types.h>

#define STACK_WORDS 80
#define WORDS_PER_LINE 4
#define CODE_BEFORE 16
#define CODE_AFTER 24

#define MSR_MCG_CAP 0x179
#define MSR_MC0_STATUS 0x401
#define MC_STATUS_VALID (1UL << 63)
#define MC_STATUS_UNCORRECTED (1UL << 61)
#define MC_STATUS_ADDRESS (1UL << 58)

static void show_control_registers(void)
{
    printk("cr0: %016lx   cr4: %016lx\n", read_cr0(), read_cr4());
    printk("cr3: %016lx   cr2: %016lx\n", read_cr3(), read_cr2());
}

static void show_segments(const struct cpu_user_regs *r)
{
    u16 ds, es, fs, gs;

    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    printk("ds: %04x   es: %04x   fs: %04x   gs: %04x   ss: %04x   cs: %04x\n",
           ds, es, fs, gs, r->ss, r->cs);
    printk("fsb: %016lx   gsb: %016lx   gss: %016lx\n", rdmsr(MSR_FS_BASE),
           rdmsr(MSR_GS_BASE), rdmsr(MSR_SHADOW_GS_BASE));
}

void show_registers(const struct cpu_user_regs *r)
{
    printk("CPU:    %u\n", smp_processor_id());
    if (guest_mode(r))
        printk("RIP:    %04x:[<%016lx>]   (guest)\n", r->cs, r->rip);
    else
        printk("RIP:    %04x:[<%016lx>] %pS\n", r->cs, r->rip,
               (void *)r->rip);
    printk("RFLAGS: %016lx   CONTEXT: %s\n", r->rflags,
           guest_mode(r) ? "guest" : "hypervisor");
    printk("rax: %016lx   rbx: %016lx   rcx: %016lx\n", r->rax, r->rbx,
           r->rcx);
    printk("rdx: %016lx   rsi: %016lx   rdi: %016lx\n", r->rdx, r->rsi,
           r->rdi);
    printk("rbp: %016lx   rsp: %016lx   r8:  %016lx\n", r->rbp, r->rsp, r->r8);
    printk("r9:  %016lx   r10: %016lx   r11: %016lx\n", r->r9, r->r10,
           r->r11);
    printk("r12: %016lx   r13: %016lx   r14: %016lx\n", r->r12, r->r13,
           r->r14);
    printk("r15: %016lx\n", r->r15);
    show_control_registers();
    show_segments(r);
}

/* The instruction in <>, what leads to it and what follows. */
static void show_code(unsigned long rip)
{
    const u8 *code = (const u8 *)rip;

    if (!is_hv_text(rip - CODE_BEFORE) || !is_hv_text(rip + CODE_AFTER))
        return;
    printk("Code around %pS:\n ", (void *)rip);
    for (int i = -CODE_BEFORE; i < CODE_AFTER; i++)
        printk(i == 0 ? "<%02x> " : "%02x ", code[i]);
    printk("\n");
}

/*
 * The stack that sp is on: the part of its block up to the next page that is
 * a stack of its own, cpu_info for the main one. NULL: no stack of ours.
 */
static const unsigned long *stack_end(unsigned long sp)
{
    unsigned long block = sp & ~(STACK_SIZE - 1), page;

    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        if (block != (unsigned long)cpu_stacks[cpu] || block == 0)
            continue;
        page = (sp - block) / PAGE_SIZE;
        if (page == STACK_GUARD_PAGE)
            return NULL;
        if (page < STACK_GUARD_PAGE)
            return (void *)(block + (page + 1) * PAGE_SIZE);
        return (void *)cpu_info_of_stack(cpu_stacks[cpu]);
    }
    return NULL;
}

static void show_stack_words(const unsigned long *sp, const unsigned long *end)
{
    printk("Stack trace from RSP=%p:", sp);
    for (unsigned int i = 0; i < STACK_WORDS && sp + i < end; i++) {
        if (i % WORDS_PER_LINE == 0)
            printk("\n  ");
        printk(is_hv_text(sp[i]) ? " [%016lx]" : "  %016lx ", sp[i]);
    }
    printk("\n");
}

/*
 * There are no frame pointers: every word that points behind a call is listed.
 * Stale ones may be among them, real ones are never missing.
 */
static void show_call_trace(unsigned long rip, const unsigned long *sp,
                            const unsigned long *end)
{
    printk("Call trace:\n");
    if (is_hv_text(rip))
        printk("   [<%016lx>] R %pS\n", rip, (void *)rip);
    for (; sp < end; sp++)
        if (is_hv_text(*sp))
            printk("   [<%016lx>] S %pS\n", *sp, (void *)*sp);
}

void show_stack(const struct cpu_user_regs *r)
{
    const unsigned long *sp = (const unsigned long *)(r->rsp & ~7UL);
    const unsigned long *end = stack_end((unsigned long)sp);

    if (!end) {
        printk("RSP=%016lx is no stack of the hypervisor.\n", r->rsp);
        return;
    }
    show_stack_words(sp, end);
    show_call_trace(r->rip, sp, end);
}

/* What the banks say (SDM vol. 3B, 16.3): those with a valid status. */
static void show_machine_check(void)
{
    u64 cap, status, addr;

    if (rdmsr_safe(MSR_MCG_CAP, &cap) != 0)
        return;
    printk("Machine check, %lu banks:\n", cap & 0xff);
    for (u32 bank = 0; bank < (cap & 0xff); bank++) {
        u32 msr = MSR_MC0_STATUS + 4 * bank;

        if (rdmsr_safe(msr, &status) != 0 || !(status & MC_STATUS_VALID))
            continue;
        printk("  bank %u: status %016lx", bank, status);
        if ((status & MC_STATUS_ADDRESS) && rdmsr_safe(msr + 1, &addr) == 0)
            printk(" address %016lx", addr);
        printk("%s\n", status & MC_STATUS_UNCORRECTED ? ", uncorrected" : "");
    }
}

void show_execution_state(const struct cpu_user_regs *r)
{
    show_registers(r);
    if (r->entry_vector == X86_EXC_MC)
        show_machine_check();
    if (guest_mode(r))
        return;
    show_code(r->rip);
    show_stack(r);
}
