/* SPDX-License-Identifier: GPL-2.0-only */
/* Running a few instructions in user mode. */
#ifndef GUEST_USER_H
#define GUEST_USER_H

/* User mode's own address space: code, then stack, both user-accessible. */
#define USER_CODE 0x0000000000400000UL
#define USER_STACK 0x0000000000401000UL
#define USER_STACK_TOP (USER_STACK + PAGE_SIZE)

/* Builds the user page tables and makes them current: 0 or -errno. */
long user_init(void);

/*
 * Copies [from, to) to USER_CODE and enters it by the iret hypercall, rbx and
 * rdi as given.  Comes back by any trap or callback; the vector, with all
 * registers in `fault`.
 */
int user_run(const char *from, const char *to, u64 rbx, u64 rdi);

/* Enters kernel or user mode with these very registers; the next vector. */
int enter_and_catch(const struct regs *regs);

/* Registers for user_run's code, for tests that spoil some of them. */
struct regs user_regs(const char *from, const char *to);

/* Instructions in user mode: CODE(label) in a top-level asm. */
#define USER_CODE_BLOCK(name, text)                               \
    asm(".pushsection .rodata\n" #name "_from:\n" text "\n" #name \
        "_to:\n.popsection\n");                                   \
    extern const char name##_from[], name##_to[]

#endif
