/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock of the serial lines. Whoever holds it may take it again: an NMI or a
 * fault that comes upon the holder prints, too.
 */
#include <hv/percpu.h>
#include <hv/spinlock.h>

#include "internal.h"

#define LINES_NOT_LOCKED (1UL << 63) /* among the flags: it was not taken */

static DEFINE_SPINLOCK(line_lock);
static unsigned int line_owner = NR_CPUS; /* its holder, NR_CPUS: none */
static bool claimed;                      /* by the debugger */

bool lines_held_here(void)
{
    return READ_ONCE(line_owner) == smp_processor_id();
}

unsigned long lines_enter(void)
{
    unsigned long flags = local_irq_save();

    this_cpu(console_depth)++;
    if (lines_held_here() || !console_lock(&line_lock))
        return flags | LINES_NOT_LOCKED;
    WRITE_ONCE(line_owner, smp_processor_id());
    return flags;
}

void lines_leave(unsigned long flags)
{
    if (!(flags & LINES_NOT_LOCKED)) {
        WRITE_ONCE(line_owner, NR_CPUS);
        spin_unlock(&line_lock);
    }
    this_cpu(console_depth)--;
    local_irq_restore(flags);
}

void lines_claim(void)
{
    if (!lines_held_here())
        claimed = console_claim_lock(&line_lock);
    if (claimed)
        WRITE_ONCE(line_owner, smp_processor_id());
}

void lines_unclaim(void)
{
    if (!claimed)
        return;
    claimed = false;
    WRITE_ONCE(line_owner, NR_CPUS);
    spin_unlock(&line_lock);
}
