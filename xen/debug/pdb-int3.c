/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose int3 was it?  A CPU that has run one asks by the machine address, as
 * the core knows its own by that, however they are mapped.
 */
#include <hv/cpu.h>

#include "pdb-target.h"

#define INT3 0xcc

/* True if one of the debugger's int3s is at this machine address. */
static struct pdb_site *site_at(maddr_t ma)
{
    struct pdb_site *s = pdb_target->core.brk.site;

    for (unsigned int i = 0; i < PDB_NR_SITES; i++, s++)
        if (s->users && s->maddr == ma)
            return s;
    return NULL;
}

/* Where the int3 is, or was, that this CPU has just run. */
static bool int3_place(const struct cpu_user_regs *regs, maddr_t *ma)
{
    struct pdb_space as = {PDB_SPACE_THREAD,
                           {PDB_PID_HYPERVISOR,
                            (int32_t)smp_processor_id() + 1}, 0};

    return pdb_translate(pdb_target, &as, regs->rip - 1, ma) == 0;
}

struct pdb_site *pdb_int3_site(const struct cpu_user_regs *regs)
{
    maddr_t ma;

    return int3_place(regs, &ma) ? site_at(ma) : NULL;
}

bool pdb_int3_is_gone(const struct cpu_user_regs *regs)
{
    maddr_t ma;
    u8 byte;

    return int3_place(regs, &ma) && pdb_peek(ma, &byte) && byte != INT3;
}

bool pdb_int3_is_bug(const struct cpu_user_regs *regs)
{
    maddr_t ma;
    u8 byte;

    return !guest_mode(regs) && regs->rip - 1 != (unsigned long)pdb_own_int3 &&
           int3_place(regs, &ma) && !site_at(ma) && pdb_peek(ma, &byte) &&
           byte == INT3;
}
