/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_CONSOLE_INTERNAL_H
#define HV_CONSOLE_INTERNAL_H

/* printk.c, for console_force_unlock(): start anew with a free lock. */
void printk_break_lock(void);

#endif
