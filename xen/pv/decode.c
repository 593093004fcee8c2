/* SPDX-License-Identifier: GPL-2.0-only */
/* One instruction of the guest, read from its memory: see decode.h. */
#include "decode.h"

#include <hv/compiler.h>
#include <hv/guest-access.h>
#include <hv/string.h>
#include <hv/x86.h>

#define REX_W 8
#define REX_R 4
#define REX_X 2
#define REX_B 1

bool insn_fetch(struct insn *i, const struct cpu_user_regs *regs)
{
    unsigned long left;

    memset(i, 0, sizeof(*i));
    left = raw_copy_from_guest(i->bytes, (const void *)regs->rip,
                               sizeof(i->bytes));
    i->nr_bytes = (u8)(sizeof(i->bytes) - left);
    return i->nr_bytes != 0;
}

static bool next_byte(struct insn *i, u8 *b)
{
    if (i->at >= i->nr_bytes)
        return false;
    *b = i->bytes[i->at++];
    return true;
}

/* True if b is a prefix; notes it. */
static bool take_prefix(struct insn *i, u8 b)
{
    switch (b) {
    case 0x66:
        i->opsize16 = true;
        return true;
    case 0x67:
        i->addr32 = true;
        return true;
    case 0xf0:
        i->lock = true;
        return true;
    case 0xf2:
        i->repne = true;
        return true;
    case 0xf3:
        i->rep = true;
        return true;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
        i->segment = b;
        return true;
    default:
        return false;
    }
}

bool insn_opcode(struct insn *i)
{
    u8 b;

    do
        if (!next_byte(i, &b))
            return false;
    while (take_prefix(i, b));
    if ((b & 0xf0) == 0x40) {
        i->rex = b;
        if (!next_byte(i, &b))
            return false;
    }
    i->opcode = b;
    if (b == 0x0f) {
        if (!next_byte(i, &b))
            return false;
        i->opcode = (u16)(0x0f00 | b);
    }
    return true;
}

bool insn_immediate(struct insn *i, unsigned int size, s64 *value)
{
    u64 v = 0;

    for (unsigned int n = 0; n < size; n++) {
        u8 b;

        if (!next_byte(i, &b))
            return false;
        v |= (u64)b << (8 * n);
    }
    *value = (s64)(v << (64 - 8 * size)) >> (64 - 8 * size);
    return true;
}

static const u8 register_offset[16] = {
#define R(name) offsetof(struct cpu_user_regs, name)
    R(rax), R(rcx), R(rdx), R(rbx), R(rsp), R(rbp), R(rsi), R(rdi),
    R(r8),  R(r9),  R(r10), R(r11), R(r12), R(r13), R(r14), R(r15),
#undef R
};

u64 *insn_register(struct cpu_user_regs *regs, unsigned int nr)
{
    return (u64 *)((char *)regs + register_offset[nr & 15]);
}

static u64 register_value(const struct cpu_user_regs *regs, unsigned int nr)
{
    return *(const u64 *)((const char *)regs + register_offset[nr & 15]);
}

static bool sib_address(struct insn *i, const struct cpu_user_regs *regs,
                        unsigned int mod, unsigned long *base)
{
    unsigned int index, b;
    s64 disp;
    u8 sib;

    if (!next_byte(i, &sib))
        return false;
    index = ((sib >> 3) & 7) | (i->rex & REX_X ? 8 : 0);
    b = (sib & 7) | (i->rex & REX_B ? 8 : 0);
    *base = 0;
    if ((b & 7) != 5 || mod)
        *base = register_value(regs, b);
    else if (insn_immediate(i, 4, &disp))
        *base = (unsigned long)disp;
    else
        return false;
    if (index != 4)
        *base += register_value(regs, index) << (sib >> 6);
    return true;
}

static unsigned long segment_base(const struct insn *i)
{
    if (i->segment == 0x64)
        return rdmsr(MSR_FS_BASE);
    if (i->segment == 0x65)
        return rdmsr(MSR_GS_BASE);
    return 0;
}

static bool memory_operand(struct insn *i, const struct cpu_user_regs *regs,
                           unsigned int mod, unsigned int immediate)
{
    bool rip_relative = !mod && (i->modrm & 7) == 5;
    unsigned long base;
    s64 disp = 0;

    if ((i->modrm & 7) == 4) {
        if (!sib_address(i, regs, mod, &base))
            return false;
    } else {
        base = rip_relative ? 0 : register_value(regs, i->rm);
    }
    if (mod == 1 && !insn_immediate(i, 1, &disp))
        return false;
    if ((mod == 2 || rip_relative) && !insn_immediate(i, 4, &disp))
        return false;
    base += (unsigned long)disp;
    if (rip_relative)
        base += regs->rip + i->at + immediate;
    if (i->addr32)
        base = (u32)base;
    i->address = base + segment_base(i);
    i->memory = true;
    return true;
}

bool insn_modrm(struct insn *i, const struct cpu_user_regs *regs,
                unsigned int immediate)
{
    if (!next_byte(i, &i->modrm))
        return false;
    i->reg = ((i->modrm >> 3) & 7) | (i->rex & REX_R ? 8 : 0);
    i->rm = (i->modrm & 7) | (i->rex & REX_B ? 8 : 0);
    if (i->modrm >> 6 == 3)
        return true;
    return memory_operand(i, regs, i->modrm >> 6, immediate);
}

unsigned int insn_operand_size(const struct insn *i)
{
    if (i->rex & REX_W)
        return 8;
    return i->opsize16 ? 2 : 4;
}

static bool is_high_byte(const struct insn *i, unsigned int nr,
                         unsigned int size)
{
    return size == 1 && !i->rex && nr >= 4 && nr < 8;
}

u64 insn_read_register(const struct insn *i, struct cpu_user_regs *regs,
                       unsigned int nr, unsigned int size)
{
    u64 v;

    if (is_high_byte(i, nr, size))
        return (*insn_register(regs, nr - 4) >> 8) & 0xff;
    v = *insn_register(regs, nr);
    return size == 8 ? v : v & ((1UL << (8 * size)) - 1);
}

void insn_write_register(const struct insn *i, struct cpu_user_regs *regs,
                         unsigned int nr, unsigned int size, u64 value)
{
    u64 *r = insn_register(regs, is_high_byte(i, nr, size) ? nr - 4 : nr);

    if (is_high_byte(i, nr, size))
        *r = (*r & ~0xff00UL) | (value & 0xff) << 8;
    else if (size == 8)
        *r = value;
    else if (size == 4)
        *r = (u32)value; /* clears the upper half */
    else
        *r = (*r & ~((1UL << (8 * size)) - 1)) |
             (value & ((1UL << (8 * size)) - 1));
}
