/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code that survives a fault: EX_TABLE(insn, target) in an asm statement, or
 * FIXUP in entry.S. Floor: cpu.
 */
#ifndef HV_EXTABLE_H
#define HV_EXTABLE_H

#include <hv/types.h>

/* Each relative to its own address. */
struct extable_entry {
    s32 insn, fixup;
};

#define EX_TABLE(insn, target)                                                 \
    ".pushsection .ex_table, \"a\"; .long " #insn " - ., " #target             \
    " - .; .popsection\n"

/* Where to go on after a fault at rip; 0: nowhere. */
unsigned long extable_lookup(unsigned long rip);

#endif
