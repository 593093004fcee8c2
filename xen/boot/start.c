/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bring-up, in reading order: start() on the boot CPU's stack, called by
 * head.S, then run_machine() on the same stack emptied.  Here, and only here,
 * the floors are told of each other.
 */
#include <hv/acpi.h>
#include <hv/boot.h>
#include <hv/bug.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu-tables.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/debug.h>
#include <hv/domain-clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/evtchn.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/smap.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/timer.h>
#include <hv/version.h>

#include "hooks.h"
#include "machine-memory.h"
#include "multiboot.h"
#include "version.h"

#define VGA_TEXT 0xb8000UL
#define VGA_TEXT_SIZE 0x8000UL
#define FRAMEBUFFER_TEXT 2 /* boot_info.framebuffer.type */

extern char cpu0_stack[STACK_SIZE];
extern const char hv_init_start[], hv_init_end[];
extern const char hv_data_start[], hv_ro_after_init_end[];

static_assert(STACK_SIZE == 0x8000, "CPU0_STACK_SIZE of head.S");
static_assert(sizeof(struct cpu_info) <= 512, "STACK_TOP_RESERVE of head.S");

/* The loader's tables, before they are sorted: too big for the stack. */
static struct raw_memory_map raw_map __initdata;

void start(u32 magic, u32 information) __noreturn;

static void __init report_option(const char *word, int error)
{
    if (error == -ENOENT)
        log_warn("Unknown option '%s' ignored.\n", word);
    else if (error == -E2BIG)
        log_warn("Option '%s' is too long and was cut off.\n", word);
    else
        log_error("ERROR: option '%s': bad value, ignored.\n", word);
}

/* VGA text is there unless the loader says that it set a graphics mode. */
static bool __init screen_is_text(void)
{
    return boot_info.framebuffer.addr == 0 ||
           boot_info.framebuffer.type == FRAMEBUFFER_TEXT;
}

static void __init init_early_console(void)
{
    if (screen_is_text())
        vga_init(maddr_to_virt(VGA_TEXT));
    console_init_polled();
    print_banner();
    log_info("Command line: %s\n", boot_info.cmdline);
    log_info("Boot loader: %s\n", boot_info.loader_name);
}

/* Afterwards all RAM is mapped and the allocators work. */
static void __init init_memory(void)
{
    size_t ring = conring_wanted_size();
    void *memory;

    machine_memory_init(&raw_map);
    vga_init(NULL);
    mm_init();
    if (screen_is_text())
        vga_init(ioremap(VGA_TEXT, VGA_TEXT_SIZE));
    memory = alloc_hv_pages(order_of_size(ring), 0);
    if (memory)
        conring_move(memory, ring);
}

/* What runs on this CPU from now on, until there is a domain. */
static void __init init_idle(void)
{
    struct vcpu *idle = idle_vcpu_create(0);

    if (!idle)
        panic("Not enough memory for the idle vCPU");
    get_cpu_info()->current_vcpu = idle;
}

/* Give one module's memory to the allocator, whole pages. */
static void __init free_module(const struct boot_module *m)
{
    if (m->size != 0)
        page_alloc_add(ROUND_DOWN(m->start, PAGE_SIZE),
                       ROUND_UP(m->start + m->size, PAGE_SIZE));
}

/*
 * The init part goes: not executable any more on any CPU, its memory free.
 * What is written only during the boot becomes read-only.
 */
static void free_init_part(void)
{
    maddr_t start = virt_to_maddr_image(hv_init_start);
    maddr_t end = virt_to_maddr_image(hv_init_end);

    symbols_init_freed();
    for (const char *p = hv_init_start; p < hv_init_end; p += PAGE_SIZE)
        hv_unmap_page((void *)p);
    if (hv_map((unsigned long)hv_data_start,
               virt_to_maddr_image(hv_data_start),
               (size_t)(hv_ro_after_init_end - hv_data_start),
               PAGE_HV_RO) != 0)
        log_warn("Boot-time data stays writable: no memory.\n");
    flush_all_tlbs();
    page_alloc_add(start, end);
    log_info("Freed %lu KiB of boot code and data.\n", (end - start) >> 10);
}

/* The end of the boot, outside of the code that is freed. */
static void run_machine(void)
{
    free_init_part();
    crash_test();
    idle_loop();
}

void __init start(u32 magic, u32 information)
{
    const char *wrong;

    cpu_stacks[0] = cpu0_stack;
    memset(get_cpu_info(), 0, sizeof(struct cpu_info));
    wrong = multiboot_read(magic, information, &raw_map);
    options_parse(boot_info.cmdline, report_option);
    init_early_console();
    if (wrong)
        panic("%s", wrong);

    cpu_features_detect();
    cpu_features_enable();
    if (cpu_features.smap)
        smap_patch();
    cpu_features_show();
    init_memory();
    cpu_gdt_pages[0] = alloc_hv_page_zeroed();
    cpu_tables_init(0);
    debug_trap_test();
    hooks_register();
    version_save_cmdline(boot_info.cmdline);

    acpi_init(boot_info.acpi_rsdp);
    irq_init();
    smp_init();
    softirq_init();
    nmi_init();
    clock_init();
    timers_init();
    domains_init();
    domain_memory_init();
    domain_clock_init();
    init_idle();
    sched_init();
    pdb_open();
    local_irq_enable();
    start_console_irqs();
    start_other_cpus();

    clock_refine();
    pdb_wait();
    build_domain0();
    for (unsigned int i = 0; i < boot_info.nr_modules; i++)
        free_module(&boot_info.modules[i]);
    watchdog_init();
    leave_keyboard();
    console_dom0_started(boot_info.modules[0].cmdline);
    local_irq_disable();
    reset_stack_and_jump(run_machine);
}
