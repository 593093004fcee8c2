/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of start() that tie floors together. */
#ifndef HV_BOOT_HOOKS_H
#define HV_BOOT_HOOKS_H

/* Every floor learns by name what the floors above do for it. */
void hooks_register(void);
/* Serial lines by interrupt, or by a timer where a port has none. irqs on. */
void start_console_irqs(void);
void start_other_cpus(void);
/* Domain 0 starts: nobody else reads the keyboard any more. irqs on. */
void leave_keyboard(void);
/* Global translations too, on every CPU. irqs on or one CPU only. */
void flush_all_tlbs(void);
unsigned int order_of_size(unsigned long size);

#endif
