/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Agent expressions: gdb's bytecode for conditions and printing commands.
 *
 * A stack machine of 64-bit values (GDB manual, "Bytecode Descriptions").
 * Nothing in a program can make it read outside its code, grow its stack
 * beyond the array, or run for more than MAX_STEPS operations: it ends with an
 * error instead, which counts as "true" for a condition.  Floating point is
 * refused.  The trace operations consume their operands and record nothing.
 */
#include <string.h>

#include "int.h"

#define STACK 64
#define MAX_STEPS 20000
#define MAX_ARGS 16

enum op {
    OP_ADD = 0x02, OP_SUB, OP_MUL, OP_DIV_S, OP_DIV_U, OP_REM_S, OP_REM_U,
    OP_LSH, OP_RSH_S, OP_RSH_U, OP_TRACE, OP_TRACE_QUICK, OP_NOT, OP_AND,
    OP_OR, OP_XOR, OP_BIT_NOT, OP_EQUAL, OP_LESS_S, OP_LESS_U, OP_EXT,
    OP_REF8, OP_REF16, OP_REF32, OP_REF64,
    OP_IF_GOTO = 0x20, OP_GOTO, OP_CONST8, OP_CONST16, OP_CONST32, OP_CONST64,
    OP_REG, OP_END, OP_DUP, OP_POP, OP_ZERO_EXT, OP_SWAP, OP_GETV, OP_SETV,
    OP_TRACEV, OP_TRACENZ, OP_TRACE16,
    OP_PICK = 0x32, OP_ROT, OP_PRINTF,
};

struct vm {
    struct pdb *p;
    struct pdb_tid t;
    struct pdb_space as;
    const uint8_t *code;
    uint32_t pc, len;
    uint64_t stack[STACK];
    uint32_t depth;
    bool failed;
};

static uint64_t pop(struct vm *m)
{
    if (!m->depth) {
        m->failed = true;
        return 0;
    }
    return m->stack[--m->depth];
}

/* After a failure nothing matters any more: the loop ends at once. */
static void push(struct vm *m, uint64_t v)
{
    if (m->depth == STACK)
        m->failed = true;
    else
        m->stack[m->depth++] = v;
}

/* An operand of n bytes in the code, the high one first. */
static uint64_t operand(struct vm *m, uint32_t n)
{
    uint64_t v = 0;

    if (m->len - m->pc < n) {
        m->failed = true;
        return 0;
    }
    while (n--)
        v = v << 8 | m->code[m->pc++];
    return v;
}

static void jump(struct vm *m, uint64_t to)
{
    if (to < m->len)
        m->pc = (uint32_t)to;
    else
        m->failed = true;
}

static void ref(struct vm *m, uint32_t size)
{
    uint64_t v = 0;

    if (mem_read(m->p, &m->as, pop(m), &v, size) != (int)size)
        m->failed = true;
    push(m, v); /* little-endian, like the machine */
}

static uint64_t divide(struct vm *m, enum op op, uint64_t a, uint64_t b)
{
    int64_t sa = (int64_t)a, sb = (int64_t)b;

    if (!b) {
        m->failed = true;
        return 0;
    }
    switch (op) {
    case OP_DIV_U: return a / b;
    case OP_REM_U: return a % b;
    /* The one quotient that overflows wraps, instead of trapping. */
    case OP_DIV_S: return sb == -1 ? -a : (uint64_t)(sa / sb);
    default: return sb == -1 ? 0 : (uint64_t)(sa % sb);
    }
}

static uint64_t shift(enum op op, uint64_t a, uint64_t n)
{
    uint64_t fill = op == OP_RSH_S && a >> 63 ? ~0ull : 0;

    if (op == OP_LSH)
        return n < 64 ? a << n : 0;
    if (n >= 64)
        return fill;
    return n ? a >> n | fill << (64 - n) : a;
}

static uint64_t binary(struct vm *m, enum op op, uint64_t a, uint64_t b)
{
    switch (op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV_S:
    case OP_DIV_U:
    case OP_REM_S:
    case OP_REM_U: return divide(m, op, a, b);
    case OP_LSH:
    case OP_RSH_S:
    case OP_RSH_U: return shift(op, a, b);
    case OP_AND: return a & b;
    case OP_OR: return a | b;
    case OP_XOR: return a ^ b;
    case OP_EQUAL: return a == b;
    case OP_LESS_S: return (int64_t)a < (int64_t)b;
    default: return a < b; /* OP_LESS_U */
    }
}

static void extend(struct vm *m, bool with_sign)
{
    uint64_t bits = operand(m, 1), v = pop(m), mask;

    if (bits == 0 || bits > 64) {
        m->failed = true;
        return;
    }
    if (bits < 64) {
        mask = (1ull << bits) - 1;
        v &= mask;
        if (with_sign && v >> (bits - 1))
            v |= ~mask;
    }
    push(m, v);
}

static void reg(struct vm *m)
{
    uint64_t v = 0;

    if (reg_by_number(m->p, m->t, (uint32_t)operand(m, 2), &v) < 0)
        m->failed = true;
    push(m, v);
}

static void pick(struct vm *m, uint64_t from_top)
{
    if (from_top >= m->depth)
        m->failed = true;
    else
        push(m, m->stack[m->depth - 1 - from_top]);
}

static void swap(struct vm *m)
{
    uint64_t top = pop(m), next = pop(m);

    push(m, top);
    push(m, next);
}

/* a b c, c on top, becomes c a b. */
static void rotate(struct vm *m)
{
    uint64_t c = pop(m), b = pop(m), a = pop(m);

    push(m, c);
    push(m, a);
    push(m, b);
}

/* The trace state variable that the operand names. */
static uint64_t *variable(struct vm *m)
{
    uint64_t nr = operand(m, 2);

    if (nr < PDB_NR_TSV)
        return &m->p->brk.tsv[nr];
    m->failed = true;
    return NULL;
}

static void set_variable(struct vm *m)
{
    uint64_t *v = variable(m);

    if (v && m->depth)
        *v = m->stack[m->depth - 1]; /* stays on the stack */
    else
        m->failed = true;
}

/* The stack holds the arguments, the channel and, on top, the function. */
static void print(struct vm *m)
{
    uint32_t nr = (uint32_t)operand(m, 1), len = (uint32_t)operand(m, 2), i;
    const char *fmt = (const char *)m->code + m->pc;
    uint64_t args[MAX_ARGS];

    if (m->failed || nr > MAX_ARGS || !len || len > m->len - m->pc ||
        m->code[m->pc + len - 1]) {
        m->failed = true;
        return;
    }
    m->pc += len;
    (void)pop(m);
    (void)pop(m);
    for (i = 0; i < nr; i++)
        args[i] = pop(m);
    if (!m->failed)
        agent_printf(m->p, m->t, fmt, len - 1, args, nr);
}

/* Operations that record memory or registers: there is no trace buffer. */
static void trace(struct vm *m, uint32_t code_bytes, uint32_t pops)
{
    (void)operand(m, code_bytes);
    while (pops--)
        (void)pop(m);
}

static void flow(struct vm *m, uint8_t op)
{
    uint64_t to = operand(m, 2);

    if (op == OP_GOTO || pop(m))
        jump(m, to);
}

static void stack_op(struct vm *m, uint8_t op)
{
    uint64_t *v;

    switch (op) {
    case OP_DUP: pick(m, 0); break;
    case OP_POP: (void)pop(m); break;
    case OP_SWAP: swap(m); break;
    case OP_PICK: pick(m, operand(m, 1)); break;
    case OP_ROT: rotate(m); break;
    case OP_SETV: set_variable(m); break;
    default: /* OP_GETV */
        v = variable(m);
        push(m, v ? *v : 0);
        break;
    }
}

static void one_op(struct vm *m, uint8_t op)
{
    uint64_t b;

    switch (op) {
    case OP_TRACE:
    case OP_TRACENZ: trace(m, 0, 2); break;
    case OP_TRACE_QUICK: trace(m, 1, 0); break;
    case OP_TRACE16:
    case OP_TRACEV: trace(m, 2, 0); break;
    case OP_NOT: push(m, !pop(m)); break;
    case OP_BIT_NOT: push(m, ~pop(m)); break;
    case OP_EXT: extend(m, true); break;
    case OP_ZERO_EXT: extend(m, false); break;
    case OP_REF8: ref(m, 1); break;
    case OP_REF16: ref(m, 2); break;
    case OP_REF32: ref(m, 4); break;
    case OP_REF64: ref(m, 8); break;
    case OP_IF_GOTO:
    case OP_GOTO: flow(m, op); break;
    case OP_CONST8: push(m, operand(m, 1)); break;
    case OP_CONST16: push(m, operand(m, 2)); break;
    case OP_CONST32: push(m, operand(m, 4)); break;
    case OP_CONST64: push(m, operand(m, 8)); break;
    case OP_REG: reg(m); break;
    case OP_PRINTF: print(m); break;
    case OP_DUP:
    case OP_POP:
    case OP_SWAP:
    case OP_PICK:
    case OP_ROT:
    case OP_GETV:
    case OP_SETV: stack_op(m, op); break;
    default:
        if (op < OP_ADD || op > OP_LESS_U) {
            m->failed = true; /* floating point, or not an operation */
            break;
        }
        b = pop(m);
        push(m, binary(m, op, pop(m), b));
        break;
    }
}

int agent_eval(struct pdb *p, struct pdb_tid t, uint32_t at, uint32_t len,
               uint64_t *value)
{
    struct vm m = { .p = p, .t = t, .as = space_of(t) };
    uint32_t steps;
    uint8_t op;

    *value = 0;
    m.code = p->brk.code + at;
    m.len = len;
    for (steps = 0; steps < MAX_STEPS && m.pc < m.len; steps++) {
        op = m.code[m.pc++];
        if (op == OP_END) {
            *value = m.depth ? m.stack[m.depth - 1] : 0;
            return 0;
        }
        one_op(&m, op);
        if (m.failed)
            break;
    }
    return -PDB_EINVAL;
}
