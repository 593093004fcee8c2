/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug registers for the debugger: the same on every CPU, from DR3 downwards,
 * as guests begin with DR0 and go on using those that are left.  Whom a hit
 * concerns is the core's business.  DR7 and DR6: SDM vol. 3B 18.2.
 */
#include <hv/cpu.h>
#include <hv/pv.h>

#include "pdb-target.h"

#define DR7_FIXED 0x400UL

#define WRITE_DR(n, v) __asm__ volatile("mov %0, %%db" #n ::"r"(v))

bool pdb_hw_same(const struct pdb_hw *a, const struct pdb_hw *b)
{
    return a->len == b->len && a->type == b->type && a->addr == b->addr &&
           a->pid == b->pid && a->cr3 == b->cr3;
}

static bool is_data(const struct pdb_hw *hw)
{
    return hw->len != 0 && hw->type != PDB_BP_EXEC;
}

int pdb_hw_insert(void *ctx, const struct pdb_hw *hw)
{
    struct pdb_target *t = ctx;

    if (hw->len > 8)
        return pdb_guard_insert(t, hw);
    for (unsigned int i = ARRAY_SIZE(t->hw); i-- > 0;)
        if (t->hw[i].len == 0) {
            t->hw[i] = *hw;
            return 0;
        }
    if (is_data(hw) && hw->pid != PDB_PID_HYPERVISOR && cpu_features.pku)
        return pdb_guard_insert(t, hw);
    t->reason = "all four debug registers are in use";
    return -PDB_ENOSPC;
}

int pdb_hw_remove(void *ctx, const struct pdb_hw *hw)
{
    struct pdb_target *t = ctx;

    for (unsigned int i = 0; i < ARRAY_SIZE(t->hw); i++)
        if (pdb_hw_same(&t->hw[i], hw)) {
            t->hw[i].len = 0;
            return 0;
        }
    return pdb_guard_remove(hw);
}

/* Bits of DR7 for one register: global enable, kind, length. */
static u64 control(unsigned int i, const struct pdb_hw *hw)
{
    u64 kind = hw->type == PDB_BP_EXEC ? 0 : hw->type == PDB_BP_WRITE ? 1 : 3;
    u64 len = hw->type == PDB_BP_EXEC ? 0 : hw->len == 8 ? 2 : hw->len - 1;

    return 2UL << (2 * i) | (kind | len << 2) << (16 + 4 * i);
}

void pdb_hw_silence(void)
{
    if (this_cpu(pdb_cpu).dr_loaded)
        cpu_write_dr7(DR7_FIXED);
}

static unsigned int in_use(const struct pdb_target *t)
{
    unsigned int mask = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(t->hw); i++)
        mask |= (t->hw[i].len != 0) << i;
    return mask;
}

/* DR7 for all of ours, or for those that may act during a step. */
static u64 dr7_of(const struct pdb_target *t, bool stepping)
{
    u64 dr7 = DR7_FIXED;

    for (unsigned int i = 0; i < ARRAY_SIZE(t->hw); i++)
        if (t->hw[i].len != 0 && !(stepping && is_data(&t->hw[i])))
            dr7 |= control(i, &t->hw[i]);
    return dr7;
}

void pdb_hw_load(void)
{
    const struct pdb_target *t = pdb_target;
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    unsigned int mask = t->scoped ? 0 : in_use(t);
    struct vcpu *v = pv_regs_of(smp_processor_id()); /* its own are loaded */
    u64 guests;

    pdb_guard_load();
    /* All CPUs say the same. */
    pv_debugreg_take(mask, mask ? dr7_of(t, false) : 0);
    if (!mask && !c->dr_loaded)
        return;
    c->dr_loaded = mask != 0;
    cpu_write_dr7(DR7_FIXED);
    guests = v ? pv_debugreg_share(v) : 0;
    if (mask & 1)
        WRITE_DR(0, t->hw[0].addr);
    if (mask & 2)
        WRITE_DR(1, t->hw[1].addr);
    if (mask & 4)
        WRITE_DR(2, t->hw[2].addr);
    if (mask & 8)
        WRITE_DR(3, t->hw[3].addr);
    WRITE_DR(6, DR6_CLEAR);
    cpu_write_dr7(guests | (mask ? dr7_of(t, pdb_step_armed_here())
                               : DR7_FIXED));
}

void pdb_hw_look(struct pdb_tid who, u64 value[4])
{
    struct pdb_space as = {PDB_SPACE_THREAD, who, 0};

    for (unsigned int i = 0; i < 4; i++) {
        const struct pdb_hw *hw = &pdb_target->hw[i];

        value[i] = 0;
        if (is_data(hw))
            (void)pdb_read_mem(pdb_target, &as, hw->addr, &value[i], hw->len);
    }
}

bool pdb_hw_changed(struct pdb_tid who, const u64 value[4],
                    struct pdb_stop *s)
{
    u64 now[4];

    pdb_hw_look(who, now);
    for (unsigned int i = 0; i < 4; i++) {
        if (!is_data(&pdb_target->hw[i]) || now[i] == value[i])
            continue;
        s->why = PDB_WHY_WATCH;
        s->addr = pdb_target->hw[i].addr;
        return true;
    }
    return false;
}

bool pdb_hw_hit(u64 dr6, struct pdb_stop *s)
{
    const struct pdb_target *t = pdb_target;

    for (unsigned int i = 0; i < ARRAY_SIZE(t->hw); i++) {
        if (!(dr6 >> i & 1) || t->hw[i].len == 0)
            continue;
        s->why = t->hw[i].type == PDB_BP_EXEC ? PDB_WHY_EXEC : PDB_WHY_WATCH;
        s->addr = t->hw[i].addr;
        return true;
    }
    return false;
}

u64 pdb_hw_guests(u64 dr6)
{
    return dr6 & ~(u64)in_use(pdb_target);
}
