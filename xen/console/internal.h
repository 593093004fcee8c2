/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_CONSOLE_INTERNAL_H
#define HV_CONSOLE_INTERNAL_H

#include <hv/percpu.h>
#include <hv/spinlock.h>
#include <hv/types.h>

DECLARE_PER_CPU(u32, console_depth); /* printk.c; console_busy_here() */
s_time_t printk_now(void); /* printk.c: since boot, 0 before the clock runs */
/*
 * Take a lock of the console's, irqs off. False: go on without it. This CPU
 * reports the end of the machine, or it is on an interrupt stack of its own
 * (NMI) and the lock did not come free: what that came upon may be this CPU's
 * own wait for the lock.
 */
bool console_lock(spinlock_t *l);
/*
 * Does a text of so many bytes find room in the ring of every line that has a
 * console?  Wait: with irqs as they are and no lock held, for more than a few
 * polls at a time only if irqs are off anyway, and not for ever. False: no, and
 * what does not fit will be dropped.
 */
bool console_has_room(size_t len);
bool console_wait_room(size_t len);
/* printk.c, for console_force_unlock(): this CPU prints without locks from now
 * on, and any other that wants to print stops for good. */
void console_end_locks(void);
/*
 * Take the lines' lock, irqs off. An NMI or a fault while this CPU holds it
 * goes through. lines_leave() wants the value returned.
 */
unsigned long lines_enter(void);
void lines_leave(unsigned long flags);
bool lines_held_here(void);
/* For the debugger; see console_claim_lock(). */
void lines_claim(void);
void lines_unclaim(void);
/* dom0-input.c: bytes that still find room; what finds none is lost. */
u32 dom0_input_room(void);
/* With the lines' lock. True: call dom0_input_tell() when it is given back. */
bool dom0_input_put(const u8 *data, unsigned int n);
void dom0_input_tell(void);
/* There may be room again: the lines go on with their input. */
void lines_let_in(void);
/*
 * For the debugger, irqs off, before the other CPUs are stopped: take a lock,
 * hold printk's. False: it is this CPU's already, or did not come free.
 */
bool console_claim_lock(spinlock_t *l);
bool printk_claim(void);
/*
 * From now on this CPU goes on without locks. What it could not claim is held
 * by a CPU that stands still by then, or is its own: it was stopped after it
 * had its ticket, before it said so.
 */
void console_pass_locks(bool on);
void printk_unclaim(void);

#endif
