/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This CPU's TLB, and the clock that says when it was last empty (see
 * frame.c).  The flush on other CPUs is smp/tlb.c.
 */
#include <hv/mm.h>
#include <hv/percpu.h>
#include <hv/x86.h>

DECLARE_PER_CPU(u64, tlb_flush_time);

/*
 * Called with the flush already done or about to be done with irqs off: uses
 * that end from now on get a later stamp than this CPU's time.
 */
void tlb_note_flush(void)
{
    WRITE_ONCE(this_cpu(tlb_flush_time), atomic_add_return(&tlb_clock, 1));
}

void tlb_flush_local(void)
{
    tlb_note_flush();
    write_cr3(read_cr3());
}

void tlb_flush_all_local(void)
{
    unsigned long cr4 = read_cr4();

    tlb_note_flush();
    if (cr4 & X86_CR4_PGE) {
        write_cr4(cr4 & ~X86_CR4_PGE);
        write_cr4(cr4);
    } else {
        write_cr3(read_cr3());
    }
}
