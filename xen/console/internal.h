/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_CONSOLE_INTERNAL_H
#define HV_CONSOLE_INTERNAL_H

#include <hv/types.h>

/* printk.c, for console_force_unlock(): start anew with a free lock. */
void printk_break_lock(void);
/* For the debugger, irqs off: hold printk's lock. False: it was this CPU's
 * already, or it was not to be had within so many tries. */
bool printk_claim(unsigned int patience);
void printk_unclaim(void);

#endif
