/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest kernel that writes to one of its page tables with an ordinary
 * instruction: the table is mapped read-only, the write faults, and is carried
 * out here as a checked update.  Linux does this for its read-modify-write
 * cases: exchange an entry for 0, clear its writable or accessed bit.
 *
 * The entry is changed by compare-and-swap against the value the result was
 * computed from, so the instruction is atomic whether it had a LOCK prefix or
 * not. Flags come out as the instruction sets them.
 */
#include "decode.h"

#include <hv/guest-access.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>
#include <hv/x86.h>

#define ARITH_FLAGS 0x8d5UL /* OF SF ZF AF PF CF */

/* What an instruction makes of the old operand. */
struct rmw {
    u64 new;
    bool write;       /* cmpxchg that fails does not */
    u64 flags;        /* arithmetic flags afterwards */
    int out_register; /* register that gets the old value, -1: none */
};

static u64 size_mask(unsigned int size)
{
    return size == 8 ? ~0UL : (1UL << (8 * size)) - 1;
}

/* The CPU computes flags: op on values shifted to the top of a register. */
static u64 alu(unsigned int op, u64 a, u64 b, unsigned int size, u64 *flags)
{
    unsigned int shift = 64 - 8 * size;
    u64 r = a << shift, f;

    b <<= shift;
    switch (op) {
    case 0:
        __asm__("add %2, %0; pushfq; pop %1" : "+r"(r), "=r"(f) : "r"(b));
        break;
    case 1:
        __asm__("or %2, %0; pushfq; pop %1" : "+r"(r), "=r"(f) : "r"(b));
        break;
    case 4:
        __asm__("and %2, %0; pushfq; pop %1" : "+r"(r), "=r"(f) : "r"(b));
        break;
    case 6:
        __asm__("xor %2, %0; pushfq; pop %1" : "+r"(r), "=r"(f) : "r"(b));
        break;
    default: /* 5: sub, 7: cmp */
        __asm__("sub %2, %0; pushfq; pop %1" : "+r"(r), "=r"(f) : "r"(b));
        break;
    }
    *flags = f & ARITH_FLAGS;
    return r >> shift;
}

static bool bit_op(unsigned int which, u64 old, unsigned int bit,
                   struct rmw *out)
{
    u64 m = 1UL << bit;

    out->flags = (out->flags & ~1UL) | ((old & m) != 0);
    out->new = which == 1 ? old | m : which == 2 ? old & ~m : old ^ m;
    return which != 0;
}

/* Opcode groups; `size` of the operand in memory. */
struct form {
    unsigned int size, immediate;
    enum { MOV_REG, MOV_IMM, XCHG, CMPXCHG, ALU_REG, ALU_IMM, BIT_REG, BIT_IMM }
    kind;
};

static bool classify(const struct insn *i, struct form *f)
{
    unsigned int size = insn_operand_size(i);
    unsigned int imm = size == 8 ? 4 : size;

    switch (i->opcode) {
    case 0x88:
        *f = (struct form){1, 0, MOV_REG};
        return true;
    case 0x89:
        *f = (struct form){size, 0, MOV_REG};
        return true;
    case 0xc6:
        *f = (struct form){1, 1, MOV_IMM};
        return true;
    case 0xc7:
        *f = (struct form){size, imm, MOV_IMM};
        return true;
    case 0x86:
        *f = (struct form){1, 0, XCHG};
        return true;
    case 0x87:
        *f = (struct form){size, 0, XCHG};
        return true;
    case 0x0fb0:
        *f = (struct form){1, 0, CMPXCHG};
        return true;
    case 0x0fb1:
        *f = (struct form){size, 0, CMPXCHG};
        return true;
    case 0x80:
        *f = (struct form){1, 1, ALU_IMM};
        return true;
    case 0x81:
        *f = (struct form){size, imm, ALU_IMM};
        return true;
    case 0x83:
        *f = (struct form){size, 1, ALU_IMM};
        return true;
    case 0x0fab:
    case 0x0fb3:
    case 0x0fbb:
        *f = (struct form){size, 0, BIT_REG};
        return true;
    case 0x0fba:
        *f = (struct form){size, 1, BIT_IMM};
        return true;
    default:
        break;
    }
    /* add or and sub xor with a register: 00/01 08/09 20/21 28/29 30/31 */
    if (i->opcode < 0x40 && !(i->opcode & 6) && i->opcode >> 3 != 2 &&
        i->opcode >> 3 != 3 && i->opcode >> 3 != 7) {
        *f = (struct form){i->opcode & 1 ? size : 1, 0, ALU_REG};
        return true;
    }
    return false;
}

static bool compute(const struct insn *i, const struct form *f,
                    struct cpu_user_regs *regs, s64 imm, u64 old,
                    struct rmw *out)
{
    u64 reg = insn_read_register(i, regs, i->reg, f->size), acc;
    unsigned int op = (i->modrm >> 3) & 7;

    *out = (struct rmw){0, true, regs->rflags & ARITH_FLAGS, -1};
    switch (f->kind) {
    case MOV_REG:
        out->new = reg;
        return true;
    case MOV_IMM:
        out->new = (u64)imm;
        return op == 0;
    case XCHG:
        out->new = reg;
        out->out_register = (int)i->reg;
        return true;
    case CMPXCHG:
        acc = insn_read_register(i, regs, 0, f->size);
        alu(7, acc, old, f->size, &out->flags);
        out->new = reg;
        out->write = acc == old;
        out->out_register = out->write ? -1 : 0;
        return true;
    case ALU_REG:
        out->new = alu(i->opcode >> 3, old, reg, f->size, &out->flags);
        return true;
    case ALU_IMM:
        if (op == 2 || op == 3 || op == 7)
            return false;
        out->new = alu(op, old, (u64)imm, f->size, &out->flags);
        return true;
    case BIT_REG:
        return bit_op(i->opcode == 0x0fab ? 1 : i->opcode == 0x0fb3 ? 2 : 3,
                      old, (unsigned int)reg & (f->size * 8 - 1), out);
    case BIT_IMM:
        return op >= 5 &&
               bit_op(op - 4, old, (unsigned int)imm & (f->size * 8 - 1), out);
    }
    return false;
}

/* Where in the table the operand lies. */
struct target {
    struct frame *table;
    unsigned int index;
    unsigned int shift; /* bits, of an operand smaller than an entry */
};

static int apply(struct cpu_user_regs *regs, const struct insn *i,
                 const struct form *f, s64 imm, const struct target *t)
{
    struct pt_update u = {currd, currd, false};
    pte_t *p = (pte_t *)mfn_to_virt(frame_to_mfn(t->table)) + t->index;
    u64 mask = size_mask(f->size);
    struct rmw out;
    int rc;

    do {
        pte_t entry = READ_ONCE(*p);
        u64 old = (entry >> t->shift) & mask;

        if (!compute(i, f, regs, imm, old, &out))
            return -EOPNOTSUPP;
        rc = out.write
                 ? pt_cmpxchg(&u, t->table, t->index, entry,
                              (entry & ~(mask << t->shift)) |
                                  (out.new & mask) << t->shift)
                 : 0;
        if (!rc && out.out_register >= 0)
            insn_write_register(i, regs, (unsigned int)out.out_register,
                                f->size, old);
    } while (rc == -EAGAIN);
    if (!rc)
        regs->rflags = (regs->rflags & ~ARITH_FLAGS) | out.flags;
    return rc;
}

/*
 * The level-1 table that `addr` is a read-only window onto: the entry that maps
 * addr names a frame of type FT_L1. Its type is held on success.
 */
static bool find_table(unsigned long addr, struct target *t)
{
    pte_t e;
    mfn_t m;

    if (pt_walk(current->pv.cr3_kernel, addr, &e) != 1 || (e & _PAGE_RW))
        return false;
    m = pte_mfn(e);
    if (!mfn_valid(m) || !frame_is_table(mfn_to_frame(m)) ||
        frame_type(mfn_to_frame(m)) != FT_L1)
        return false;
    t->table = mfn_to_frame(m);
    t->index = (unsigned int)(addr & (PAGE_SIZE - 1)) / 8;
    t->shift = (unsigned int)(addr & 7) * 8;
    return !frame_get_and_type(t->table, currd->id, FT_L1);
}

bool pv_write_page_table(struct cpu_user_regs *regs, unsigned long addr)
{
    struct target t;
    struct form f;
    struct insn i;
    s64 imm = 0;
    int rc = -EOPNOTSUPP;

    if (!find_table(addr, &t))
        return false;
    if (insn_fetch(&i, regs) && insn_opcode(&i) && classify(&i, &f) &&
        insn_modrm(&i, regs, f.immediate) && i.memory &&
        (!f.immediate || insn_immediate(&i, f.immediate, &imm)) &&
        i.address == addr && (addr & 7) + f.size <= 8)
        rc = apply(regs, &i, &f, imm, &t);
    frame_put_and_type(t.table);
    if (rc) {
        guest_debug("write to a page table at %#lx by rip %#lx refused: %d\n",
                    addr, (unsigned long)regs->rip, rc);
        return false;
    }
    regs->rip += i.at;
    regs->rflags &= ~(u64)X86_EFLAGS_RF;
    return true;
}
