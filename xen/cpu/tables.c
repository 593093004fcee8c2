/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GDT, TSS, IDT and the system-call MSRs of each CPU.
 *
 * The hypervisor's descriptors live in page 14 of a 16-page GDT (the ABI's
 * FIRST_RESERVED_GDT_PAGE), so that the same selectors work whether a guest's
 * GDT is loaded or not: this CPU's page is mapped into the GDT area of the
 * vCPU it runs (pv/context.c).  Before the first guest, GDTR points so far
 * below the page that the selectors meet it.
 */
#include <hv/bug.h>
#include <hv/cpu-tables.h>
#include <hv/cpu.h>
#include <hv/layout.h>
#include <hv/string.h>

struct tss {
    u32 reserved0;
    u64 rsp[3];
    u64 reserved1;
    u64 ist[7];
    u64 reserved2;
    u16 reserved3;
    u16 iomap_base;
} __packed;

struct idt_gate {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_mid;
    u32 offset_high, reserved;
} __packed;

struct table_register {
    u16 limit;
    u64 base;
} __packed;

#define GATE_INTERRUPT 0x8e
#define GATE_DPL3 0x60
#define DESC_TSS_AVAILABLE 0x89UL

/* Descriptors by offset in the reserved page: see hv/layout.h. */
#define GDT_SLOT(sel) (((sel)-GDT_RESERVED_PAGE * PAGE_SIZE) / 8)

extern const u64 int80_entry;
extern const char wake_entry[], spurious_entry[];
extern const char irq_stubs[], syscall_stubs[], syscall_stubs_compat[];
extern const char sysenter_entry[];
extern struct {
    u64 guest_rsp, stack_top;
} syscall_slots[NR_CPUS];

void *cpu_stacks[NR_CPUS];
u64 *cpu_gdt_pages[NR_CPUS];
static DEFINE_PER_CPU(struct tss, tss);
/* The second has #DB on its own stack: see debug-trap.c. */
static struct idt_gate idts[2][256] __aligned(16);
static struct idt_gate *const idt = idts[0];

struct cpu_info *cpu_info_of_stack(void *stack)
{
    return (struct cpu_info *)((char *)stack + STACK_SIZE) - 1;
}

static void set_gate(unsigned int vector, u64 entry, u8 type, u8 ist)
{
    idt[vector] = (struct idt_gate){
        .offset_low = (u16)entry,
        .selector = HV_CS,
        .ist = ist,
        .type = type,
        .offset_mid = (u16)(entry >> 16),
        .offset_high = (u32)(entry >> 32),
    };
}

static void fill_idt(void)
{
    for (unsigned int v = 0; v < ARRAY_SIZE(exception_entries); v++)
        if (exception_entries[v])
            set_gate(v, exception_entries[v], GATE_INTERRUPT, 0);
    for (unsigned int v = 0x20; v < 256; v++)
        set_gate(v, (u64)irq_stubs + (v - 0x20) * 16, GATE_INTERRUPT, 0);
    set_gate(VECTOR_WAKE, (u64)wake_entry, GATE_INTERRUPT, 0);
    set_gate(VECTOR_SPURIOUS, (u64)spurious_entry, GATE_INTERRUPT, 0);
    idt[X86_EXC_DF].ist = IST_DF;
    idt[X86_EXC_NMI].ist = IST_NMI;
    idt[X86_EXC_MC].ist = IST_MC;
    /* A guest may execute these; all others are #GP for it. */
    idt[X86_EXC_BP].type |= GATE_DPL3;
    idt[X86_EXC_OF].type |= GATE_DPL3;
    set_gate(VECTOR_GUEST_INT80, int80_entry, GATE_INTERRUPT | GATE_DPL3, 0);
    memcpy(idts[1], idts[0], sizeof(idts[0]));
    idts[1][X86_EXC_DB].ist = IST_DB;
}

void cpu_load_idt(bool db_on_its_stack)
{
    struct table_register idtr = {sizeof(idts[0]) - 1,
                                  (u64)idts[db_on_its_stack]};

    __asm__ volatile("lidt %0" ::"m"(idtr));
}

static void fill_gdt(u64 *page, const struct tss *t)
{
    u64 base = (u64)t;

    page[GDT_SLOT(HV_CS)] = 0x00af9b000000ffffUL;
    page[GDT_SLOT(HV_CS) + 1] = 0x00cf93000000ffffUL; /* data, ring 0 */
    page[GDT_SLOT(GUEST_CS32 & ~7)] = 0x00cffb000000ffffUL;
    page[GDT_SLOT(GUEST_SS & ~7)] = 0x00cff3000000ffffUL;
    page[GDT_SLOT(GUEST_CS64 & ~7)] = 0x00affb000000ffffUL;
    page[GDT_SLOT(HV_TSS)] = (sizeof(*t) - 1) | ((base & 0xffffff) << 16) |
                             (DESC_TSS_AVAILABLE << 40) |
                             ((base >> 24 & 0xff) << 56);
    page[GDT_SLOT(HV_TSS) + 1] = base >> 32;
}

void cpu_set_ldt_descriptor(unsigned int cpu, unsigned long base,
                            unsigned int entries)
{
    u64 *e = &cpu_gdt_pages[cpu][GDT_SLOT(HV_LDT)];

    if (!entries) {
        __asm__ volatile("lldt %w0" ::"r"(0));
        return;
    }
    e[0] = (entries * 8UL - 1) | ((base & 0xffffff) << 16) | (0x82UL << 40) |
           ((base >> 24 & 0xff) << 56);
    e[1] = base >> 32;
    __asm__ volatile("lldt %w0" ::"r"(HV_LDT));
}

void cpu_load_gdt(unsigned long base)
{
    struct table_register gdtr = {
        .limit = (GDT_RESERVED_PAGE + 1) * PAGE_SIZE - 1,
        .base = base,
    };

    __asm__ volatile("lgdt %0" ::"m"(gdtr));
}

void cpu_load_own_gdt(unsigned int cpu)
{
    cpu_load_gdt((unsigned long)cpu_gdt_pages[cpu] -
                 GDT_RESERVED_PAGE * PAGE_SIZE);
}

static void load_segments(void)
{
    __asm__ volatile("pushq %0\n"
                     "lea 1f(%%rip), %%rax\n"
                     "push %%rax\n"
                     "lretq\n"
                     "1: mov %1, %%ds; mov %1, %%es; mov %1, %%ss\n"
                     "mov %1, %%fs; mov %1, %%gs\n" ::"i"(HV_CS),
                     "r"(0)
                     : "rax", "memory");
}

static void set_syscall_msrs(unsigned int cpu, u64 stack_top)
{
    syscall_slots[cpu].stack_top = stack_top;
    wrmsr(MSR_LSTAR, (u64)syscall_stubs + cpu * 32);
    wrmsr(MSR_CSTAR, (u64)syscall_stubs_compat + cpu * 32);
    wrmsr(MSR_STAR, (u64)GUEST_CS32 << 48 | (u64)HV_CS << 32);
    wrmsr(MSR_SYSCALL_MASK,
          X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC |
              X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_VM |
              X86_EFLAGS_IOPL);
    /* Not there on CPUs of other makers. */
    if (!wrmsr_safe(MSR_SYSENTER_ESP, stack_top)) {
        wrmsr_safe(MSR_SYSENTER_EIP, (u64)sysenter_entry);
        wrmsr_safe(MSR_SYSENTER_CS, HV_CS);
    }
}

/* Descriptors first: the boot GDT may vanish. Runs on the CPU itself. */
void cpu_tables_init(unsigned int cpu)
{
    struct tss *t = &this_cpu(tss);
    char *stack = cpu_stacks[cpu];
    u64 top = (u64)&cpu_info_of_stack(stack)->guest_regs.es;

    BUG_ON(!cpu_gdt_pages[cpu]);
    memset(t, 0, sizeof(*t));
    t->rsp[0] = top;
    t->ist[IST_DF - 1] = (u64)stack + 1 * PAGE_SIZE;
    t->ist[IST_NMI - 1] = (u64)stack + 2 * PAGE_SIZE;
    t->ist[IST_MC - 1] = (u64)stack + 3 * PAGE_SIZE;
    t->ist[IST_DB - 1] = (u64)stack + (DB_STACK_PAGE + 1) * PAGE_SIZE;
    t->iomap_base = sizeof(*t);
    fill_gdt(cpu_gdt_pages[cpu], t);
    if (cpu == 0)
        fill_idt();
    cpu_load_own_gdt(cpu);
    load_segments();
    __asm__ volatile("ltr %w0" ::"r"(HV_TSS));
    cpu_load_idt(true);
    __asm__ volatile("lldt %w0" ::"r"(0));
    set_syscall_msrs(cpu, top);
}
