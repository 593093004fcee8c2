/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that may fault, and where to go on when they do: entries of
 * section .ex_table, each two offsets relative to themselves. A fault costs a
 * linear search; there are a few dozen entries and faults are rare.
 */
#include <hv/errno.h>
#include <hv/extable.h>
#include <hv/x86.h>

extern const struct extable_entry ex_table_start[], ex_table_end[];

unsigned long extable_lookup(unsigned long rip)
{
    for (const struct extable_entry *e = ex_table_start; e < ex_table_end; e++)
        if ((unsigned long)&e->insn + (long)e->insn == rip)
            return (unsigned long)&e->fixup + (long)e->fixup;
    return 0;
}

int rdmsr_safe(u32 msr, u64 *v)
{
    u32 lo, hi;

    __asm__ volatile goto("1: rdmsr\n" EX_TABLE(1b, %l[bad])
                 : "=a"(lo), "=d"(hi)
                 : "c"(msr)
                 :
                 : bad);
    *v = ((u64)hi << 32) | lo;
    return 0;
bad:
    *v = 0;
    return -EFAULT;
}

int wrmsr_safe(u32 msr, u64 v)
{
    __asm__ volatile goto("1: wrmsr\n" EX_TABLE(1b, %l[bad])
                 :
                 : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32))
                 : "memory"
                 : bad);
    return 0;
bad:
    return -EFAULT;
}
