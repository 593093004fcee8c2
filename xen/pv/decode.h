/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading one instruction of the guest: prefixes, opcode, ModRM operand (SDM
 * vol. 2, chapter 2). 64-bit mode only. Private to pv/.
 */
#ifndef PV_DECODE_H
#define PV_DECODE_H

#include <hv/types.h>
#include <xen/xen.h>

struct insn {
    u8 bytes[15];
    u8 nr_bytes;  /* fetched */
    u8 at;        /* next to be looked at; in the end: the length */
    u8 rex;       /* 0: none */
    bool opsize16, lock, rep, repne, addr32;
    u8 segment;   /* overriding prefix byte, 0: none */
    u16 opcode;   /* 0x0fXX for two-byte opcodes */
    u8 modrm;
    bool memory;  /* the ModRM operand is in memory, at `address` */
    unsigned long address;
    unsigned int reg, rm; /* register numbers with REX applied */
};

/* Fetch at regs->rip; false if not even one byte can be read. */
bool insn_fetch(struct insn *i, const struct cpu_user_regs *regs);
/* Prefixes and opcode; false: truncated or longer than 15 bytes. */
bool insn_opcode(struct insn *i);
/* ModRM, SIB, displacement. `immediate`: bytes that follow (for rip-relative
 * operands). */
bool insn_modrm(struct insn *i, const struct cpu_user_regs *regs,
                unsigned int immediate);
bool insn_immediate(struct insn *i, unsigned int size, s64 *value);
/* Operand size in bytes of non-byte forms. */
unsigned int insn_operand_size(const struct insn *i);
/* General register by number, 0 = rax. */
u64 *insn_register(struct cpu_user_regs *regs, unsigned int nr);
/* Value of a register as an operand of `size` bytes; AH.. handled. */
u64 insn_read_register(const struct insn *i, struct cpu_user_regs *regs,
                       unsigned int nr, unsigned int size);
void insn_write_register(const struct insn *i, struct cpu_user_regs *regs,
                         unsigned int nr, unsigned int size, u64 value);

#endif
