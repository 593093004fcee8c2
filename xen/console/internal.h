/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_CONSOLE_INTERNAL_H
#define HV_CONSOLE_INTERNAL_H

#include <hv/spinlock.h>
#include <hv/types.h>

bool printk_busy_here(void); /* printk.c: see console_busy_here() */
s_time_t printk_now(void); /* printk.c: since boot, 0 before the clock runs */
/*
 * Take a lock of the console's, irqs off. False, on an interrupt stack of its
 * own only (NMI): it did not come free. What the NMI came upon may be this
 * CPU's printk between taking the lock and saying so; go on without it.
 */
bool console_lock(spinlock_t *l);
/* printk.c, for console_force_unlock(): start anew with a free lock. */
void printk_break_lock(void);
/* For the debugger, irqs off: hold printk's lock. False: it was this CPU's
 * already, or it was not to be had within so many tries. */
bool printk_claim(unsigned int patience);
void printk_unclaim(void);

#endif
