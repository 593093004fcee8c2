/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose int3 was it?  A CPU that has run one asks by the machine address, as
 * the core knows its own by that, however they are mapped.  And the core's
 * int3s that have to be out of memory for a while.
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

/* True if one has been there: what the core gives up keeps its address. */
static bool was_site_at(maddr_t ma)
{
    const struct pdb_site *s = pdb_target->core.brk.site;

    for (unsigned int i = 0; i < PDB_NR_SITES; i++, s++)
        if (s->maddr == ma)
            return true;
    return false;
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

    return int3_place(regs, &ma) && was_site_at(ma) && pdb_peek(ma, &byte) &&
           byte != INT3;
}

bool pdb_int3_is_bug(const struct cpu_user_regs *regs)
{
    maddr_t ma;
    u8 byte;

    return !guest_mode(regs) && regs->rip - 1 != (unsigned long)pdb_own_int3 &&
           int3_place(regs, &ma) && !site_at(ma) && pdb_peek(ma, &byte) &&
           byte == INT3;
}

/* Out of the way until the machine goes on. */
bool pdb_int3_take_out(const struct pdb_site *s)
{
    pdb_target->out[s - pdb_target->core.brk.site] = true;
    pdb_target->any_out = true;
    return pdb_poke(s->maddr, s->old);
}

/*
 * int3s that were taken out because the debugger itself ran into them.  While
 * gdb looks at one domain that stands still, there are none: nobody else's hit
 * could be told of.  One that has gone without us stays away: the guest has
 * other code, or something else, at that place by now.
 */
void pdb_int3s_again(void)
{
    struct pdb_target *t = pdb_target;
    struct pdb_site *s = t->core.brk.site;
    u8 now;

    if (!t->any_out && !t->scoped)
        return;
    t->any_out = t->scoped;
    for (unsigned int i = 0; i < PDB_NR_SITES; i++, s++) {
        if (!s->users || s->lifted || !pdb_peek(s->maddr, &now)) {
            t->out[i] = false;
        } else if (t->scoped && now == INT3) {
            t->out[i] = pdb_poke(s->maddr, s->old);
        } else if (!t->scoped && t->out[i]) {
            t->out[i] = false;
            if (now == s->old)
                (void)pdb_poke(s->maddr, INT3);
        }
    }
}
