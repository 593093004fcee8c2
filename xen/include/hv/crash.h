/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of the road, and how the machine is restarted. Floor: cpu.
 */
#ifndef HV_CRASH_H
#define HV_CRASH_H

#include <hv/compiler.h>
#include <hv/types.h>
#include <xen/xen.h>

/* What only upper floors can do; registered by boot/start.c. Any may be NULL
 * and all may be called from any context, NMI included. */
struct crash_ops {
    void (*stop_other_cpus)(void);
    void (*delay_us)(unsigned long us);
    void (*acpi_reset)(void);
    void (*acpi_power_off)(void);
    /* Before anything is done: it does not return if it was the debugger that
     * ran into this and it has a way out. Any CPU. */
    void (*escape)(const char *message);
    /* The debugger's last chance: true if it wants to look. */
    bool (*debugger)(void);
    void (*page_walk)(unsigned long va); /* print it */
    void (*show_domains)(void); /* what ran where */
};
void crash_register(const struct crash_ops *ops);
void restart_register(const struct crash_ops *ops); /* restart.c's copy */

/* As panic(), with the registers of a trap or NMI. */
void panic_at(const struct cpu_user_regs *regs, const char *fmt, ...)
    __printf(2, 3) __noreturn __cold;

extern bool opt_noreboot;

/* Text of a trap vector: "general protection fault". */
const char *trap_name(unsigned int vector);

/* What the next NMI is to find in port 0x61 besides what stands there: a
 * test's failing memory. Taken by the NMI handler. */
extern u8 crash_test_nmi_reason;
/* `crashtest=`: provoke what it names, at the end of the boot. */
void crash_test(void);

void symbols_init_freed(void); /* init code is no longer code */

#endif
