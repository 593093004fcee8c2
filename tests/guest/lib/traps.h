/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions, events and callbacks; catching a fault that a test provokes. */
#ifndef GUEST_TRAPS_H
#define GUEST_TRAPS_H

enum {
    VEC_DE = 0,
    VEC_DB = 1,
    VEC_BP = 3,
    VEC_OF = 4,
    VEC_UD = 6,
    VEC_NM = 7,
    VEC_DF = 8,
    VEC_TS = 10,
    VEC_NP = 11,
    VEC_SS = 12,
    VEC_GP = 13,
    VEC_PF = 14,
    VEC_MF = 16,
    VEC_AC = 17,
    /* Not vectors: the entries of set_callbacks and callback_op. */
    VEC_EVENT = 256,
    VEC_FAILSAFE,
    VEC_SYSCALL,
    VEC_SYSENTER,
    VEC_SYSCALL32,
    VEC_NMI,
    VEC_COUNT,
    NO_FAULT = -1,
};

/* #PF error code bits (Intel SDM vol. 3, 4.7). */
enum {
    PF_P = 1,
    PF_W = 2,
    PF_U = 4,
    PF_RSVD = 8,
    PF_I = 16
};

/* RFLAGS bits (Intel SDM vol. 1, 3.4.3). */
enum {
    FL_CF = 1,
    FL_ONE = 2,
    FL_TF = 0x100,
    FL_IF = 0x200,
    FL_DF = 0x400,
    FL_IOPL = 0x3000,
    FL_NT = 0x4000,
    FL_VM = 0x20000,
    FL_AC = 0x40000,
};

/* As lib/entry.S pushes them.  cs has the saved event mask in bits 32-39. */
struct regs {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u64 vector, error, rip, cs, rflags, rsp, ss;
};

struct catch
{
    u64 rbx, rbp, r12, r13, r14, r15, rsp, rip;
    struct catch *outer;
};

struct fault {
    int vector;
    u64 error, cr2;
    struct regs regs;
};

/* The last fault caught. */
extern struct fault fault;
/* Volatile: a trap reads it between two stores. */
extern struct catch *volatile catch_top;

int catch_save(struct catch *c) __attribute__((returns_twice));
/* Uses up *regs and what lies 16 bytes below it: it becomes the frame. */
void regs_enter(struct regs *regs) __attribute__((noreturn));

/* Unwinds to the innermost catch as if `vector` had happened. */
void catch_throw(struct regs *regs);

/* Runs a statement; the vector of the fault that it raised or NO_FAULT. */
#define FAULT_OF(statement)                  \
    ({                                       \
        struct catch catch_here;             \
        volatile int vector_seen = NO_FAULT; \
        catch_here.outer = catch_top;        \
        if (!catch_save(&catch_here)) {      \
            catch_top = &catch_here;         \
            statement;                       \
        } else {                             \
            vector_seen = fault.vector;      \
        }                                    \
        catch_top = catch_here.outer;        \
        vector_seen;                         \
    })

typedef void (*trap_handler_t)(struct regs *regs);

/* A handler goes before catching; NULL takes it away.  The old one. */
trap_handler_t trap_handler_set(unsigned vector, trap_handler_t handler);

/* Upcalls since the start (those without a handler of the test's). */
extern volatile ulong upcalls;

/* A privilege level 3 entry for every vector; the callbacks; trap_stack. */
void traps_init(void);
/* The table traps_init() loads: 256 entries and the sentinel. */
extern struct trap_info trap_table[257];

extern char event_entry[], failsafe_entry[], syscall_entry[];
extern char sysenter_entry[], syscall32_entry[], nmi_entry[];
extern char trap_stack_top[];

#endif
