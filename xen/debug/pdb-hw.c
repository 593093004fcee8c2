/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug registers for the debugger: the same four on every CPU.  Whom a hit
 * concerns is the core's business.  DR7 and DR6: SDM vol. 3B 18.2.
 */
#include <hv/cpu.h>
#include <hv/pv.h>

#include "pdb-target.h"

#define DR7_FIXED 0x400UL
#define DR6_CLEAR 0xffff0ff0UL

#define WRITE_DR(n, v) __asm__ volatile("mov %0, %%db" #n ::"r"(v))

static bool same(const struct pdb_hw *a, const struct pdb_hw *b)
{
    return a->len == b->len && a->type == b->type && a->addr == b->addr &&
           a->pid == b->pid && a->cr3 == b->cr3;
}

static bool any(const struct pdb_target *t)
{
    return (t->hw[0].len | t->hw[1].len | t->hw[2].len | t->hw[3].len) != 0;
}

int pdb_hw_insert(void *ctx, const struct pdb_hw *hw)
{
    struct pdb_target *t = ctx;

    for (unsigned int i = 0; i < ARRAY_SIZE(t->hw); i++)
        if (t->hw[i].len == 0) {
            t->hw[i] = *hw;
            pv_debugreg_take(true);
            return 0;
        }
    t->reason = "all four debug registers are in use";
    return -PDB_ENOSPC;
}

int pdb_hw_remove(void *ctx, const struct pdb_hw *hw)
{
    struct pdb_target *t = ctx;

    for (unsigned int i = 0; i < ARRAY_SIZE(t->hw); i++)
        if (same(&t->hw[i], hw)) {
            t->hw[i].len = 0;
            pv_debugreg_take(any(t));
            return 0;
        }
    return -PDB_ENOENT;
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

void pdb_hw_load(void)
{
    const struct pdb_target *t = pdb_target;
    struct pdb_cpu *c = &this_cpu(pdb_cpu);
    bool stepping = pdb_step_armed_here();
    struct vcpu *v = current;
    u64 dr7 = DR7_FIXED;

    if (!any(t) || t->scoped) {
        if (!c->dr_loaded)
            return;
        c->dr_loaded = false;
        cpu_write_dr7(DR7_FIXED);
        if (v && !v->is_idle)
            pv_debugreg_load(v);
        return;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(t->hw); i++)
        if (t->hw[i].len != 0 && !(stepping && t->hw[i].type != PDB_BP_EXEC))
            dr7 |= control(i, &t->hw[i]);
    cpu_write_dr7(DR7_FIXED);
    WRITE_DR(0, t->hw[0].addr);
    WRITE_DR(1, t->hw[1].addr);
    WRITE_DR(2, t->hw[2].addr);
    WRITE_DR(3, t->hw[3].addr);
    WRITE_DR(6, DR6_CLEAR);
    cpu_write_dr7(dr7);
    c->dr_loaded = true;
}

static bool is_data(const struct pdb_hw *hw)
{
    return hw->len != 0 && hw->type != PDB_BP_EXEC;
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
