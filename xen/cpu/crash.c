/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Crash dumps and what follows them.
 *
 * A dump is made once: the first CPU that gets here breaks the console's
 * locks, stops the others and prints by polling, so that all of it is on the
 * wire before the machine restarts.
 */
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/events.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/spinlock.h>
#include <hv/string.h>

#define STARS "****************************************\n"
#define REBOOT_DELAY_MS 5000
#define MAX_MESSAGE 256

bool opt_noreboot;
OPTION_BOOL(noreboot, opt_noreboot);

static const struct crash_ops *crash_ops;
static unsigned int crashing_cpu = NR_CPUS;

void crash_register(const struct crash_ops *ops)
{
    crash_ops = ops;
    restart_register(ops);
}

/*
 * Claim the right to dump. A second CPU waits for the end of the machine. The
 * same CPU again means that the dump itself failed: without it, and without
 * help from upper floors, restart; if that fails too, halt.
 */
static void enter_crash(void)
{
    static unsigned int depth;
    unsigned int none = NR_CPUS, cpu = smp_processor_id();

    local_irq_disable();
    if (!atomic_try_cmpxchg(&crashing_cpu, &none, cpu) && none != cpu)
        for (;;)
            cpu_halt();
    depth++;
    lock_check_stop();
    if (depth == 1 && crash_ops && crash_ops->stop_other_cpus)
        crash_ops->stop_other_cpus();
    console_force_unlock();
    if (depth == 1)
        return;
    crash_register(NULL);
    printk("A fault while the crash was being reported.\n");
    if (depth == 2)
        machine_restart(REBOOT_DELAY_MS);
    for (;;)
        cpu_halt();
}

/* After the dump: the debugger may look, then restart. */
static void __noreturn end_crash(void)
{
    if (crash_ops && crash_ops->debugger && crash_ops->debugger())
        printk("The debugger let go.\n");
    machine_restart(REBOOT_DELAY_MS);
}

/* What the CPUs ran, what happened before, and why it ends. */
static void print_toast(const char *message)
{
    if (crash_ops && crash_ops->show_domains)
        crash_ops->show_domains();
    events_dump();
    printk("\n");
    printk(STARS);
    printk("Panic on CPU%u:\n", smp_processor_id());
    printk("%s\n", message);
    printk("Aieee! CPU%u is toast...\n", smp_processor_id());
    printk(STARS);
    printk("\n");
}

/* Registers at this very place, for a crash that has no trap frame. */
static noinline void here(struct cpu_user_regs *regs)
{
    memset(regs, 0, sizeof(*regs));
    regs->rip = (unsigned long)__builtin_return_address(0);
    regs->rsp = (unsigned long)__builtin_frame_address(0);
    __asm__ volatile("mov %%rbp, %0" : "=m"(regs->rbp));
    __asm__ volatile("mov %%rbx, %0" : "=m"(regs->rbx));
    __asm__ volatile("mov %%r12, %0" : "=m"(regs->r12));
    __asm__ volatile("mov %%r13, %0" : "=m"(regs->r13));
    __asm__ volatile("mov %%r14, %0" : "=m"(regs->r14));
    __asm__ volatile("mov %%r15, %0" : "=m"(regs->r15));
    __asm__ volatile("pushfq; popq %0" : "=r"(regs->rflags));
    __asm__ volatile("mov %%cs, %0" : "=r"(regs->cs));
}

void panic(const char *fmt, ...)
{
    char message[MAX_MESSAGE]; /* two CPUs may come here */
    struct cpu_user_regs regs;
    __builtin_va_list ap;

    here(&regs);
    __builtin_va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    __builtin_va_end(ap);
    if (crash_ops && crash_ops->escape)
        crash_ops->escape(message);
    enter_crash();
    show_execution_state(&regs);
    print_toast(message);
    end_crash();
}

void panic_at(const struct cpu_user_regs *regs, const char *fmt, ...)
{
    static char message[MAX_MESSAGE];
    __builtin_va_list ap;

    enter_crash();
    __builtin_va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    __builtin_va_end(ap);
    show_execution_state(regs);
    print_toast(message);
    end_crash();
}

void bug_fail(const char *what, const char *file, unsigned int line)
{
    panic("Xen BUG: %s at %s:%u", what, file, line);
}

const char *trap_name(unsigned int vector)
{
    static const char *const names[] = {
        "divide error", "debug", "nmi", "breakpoint", "overflow", "bounds",
        "invalid opcode", "device not available", "double fault",
        "coprocessor segment overrun", "invalid TSS", "segment not present",
        "stack segment", "general protection", "page fault", "spurious",
        "fpu error", "alignment check", "machine check", "simd error",
    };

    return vector < ARRAY_SIZE(names) ? names[vector] : "unknown";
}

void fatal_trap(const struct cpu_user_regs *regs)
{
    static char message[MAX_MESSAGE];
    unsigned int vector = regs->entry_vector;
    unsigned long cr2 = read_cr2();
    int n;

    enter_crash();
    show_execution_state(regs);
    n = snprintf(message, sizeof(message),
                 "CPU%u FATAL TRAP: vector = %u (%s)\n[error_code=%04x]%s",
                 smp_processor_id(), vector, trap_name(vector),
                 regs->error_code, in_irq() ? ", IN INTERRUPT CONTEXT" : "");
    if (vector == X86_EXC_PF) {
        snprintf(message + n, sizeof(message) - (size_t)n,
                 "\nFaulting linear address: %016lx", cr2);
        if (crash_ops && crash_ops->page_walk)
            crash_ops->page_walk(cr2);
    }
    print_toast(message);
    end_crash();
}
