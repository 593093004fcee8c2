/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Breakpoints and watchpoints as gdb sets them: Z0-Z4 and z0-z4.
 *
 * A breakpoint belongs to the inferior that gdb has selected and to the
 * context then chosen: the whole inferior, or one CR3 of it.  Setting what is
 * set is no error; gdb does it to change a condition.  Expressions lie in
 * code[] as lists of length (two bytes, low first) and bytecode, without gaps.
 */
#include <string.h>

#include "int.h"

#define LOOK 256u /* bytes at a time */

void breaks_init(struct pdb *p)
{
    p->brk.over_site = p->brk.over_bp = -1;
}

/* Removes a list of expressions and closes the gap that it leaves. */
static void code_free(struct pdb *p, uint32_t at, uint32_t len)
{
    struct pdb_breaks *b = &p->brk;
    struct pdb_bp *bp;

    if (!len)
        return;
    memmove(b->code + at, b->code + at + len, b->code_len - at - len);
    b->code_len -= len;
    for (bp = b->bp; bp < b->bp + PDB_NR_BPS; bp++) {
        if (bp->cond > at)
            bp->cond = (uint16_t)(bp->cond - len);
        if (bp->cmds > at)
            bp->cmds = (uint16_t)(bp->cmds - len);
    }
}

static void forget_code(struct pdb *p, struct pdb_bp *bp)
{
    code_free(p, bp->cond, bp->cond_len);
    bp->cond = bp->cond_len = 0;
    code_free(p, bp->cmds, bp->cmds_len);
    bp->cmds = bp->cmds_len = 0;
}

/* The largest piece that one debug register covers from addr on. */
static uint32_t hw_piece(uint64_t addr, uint32_t left)
{
    uint32_t n = 8;

    while (addr % n || n > left)
        n /= 2;
    return n;
}

static int hw_op(struct pdb *p, const struct pdb_hw *hw, bool on)
{
    int (*op)(void *, const struct pdb_hw *) =
        on ? p->ops->hw_insert : p->ops->hw_remove;

    return op ? op(p->ctx, hw) : -PDB_EOPNOTSUPP;
}

/* The first `len` bytes only: what a failed insertion has to undo. */
static int set_pieces(struct pdb *p, const struct pdb_bp *bp, uint32_t len,
                      bool on)
{
    struct pdb_hw hw = { bp->type, bp->pid, bp->cr3, bp->addr, 1 };
    uint32_t done;
    int err;

    if (bp->type == PDB_BP_EXEC)
        return hw_op(p, &hw, on);
    if (bp->len > PDB_MAX_HW) {
        hw.len = bp->len;
        return hw_op(p, &hw, on);
    }
    for (done = 0; done < len; done += hw.len) {
        hw.addr = bp->addr + done;
        hw.len = hw_piece(hw.addr, len - done);
        err = hw_op(p, &hw, on);
        if (err < 0 && on) {
            (void)set_pieces(p, bp, done, false);
            return err;
        }
    }
    return 0;
}

int bp_set_hw(struct pdb *p, const struct pdb_bp *bp, bool on)
{
    return set_pieces(p, bp, bp->len, on);
}

static struct pdb_space bp_space(const struct pdb_bp *bp, struct pdb_tid t)
{
    struct pdb_space as = space_of(t);

    if (bp->cr3) {
        as.kind = PDB_SPACE_CR3;
        as.cr3 = bp->cr3;
    }
    return as;
}

uint64_t bp_look(struct pdb *p, const struct pdb_bp *bp, struct pdb_tid t)
{
    struct pdb_space as = bp_space(bp, t);
    uint64_t sum = PDB_SUM_START;
    uint8_t bytes[LOOK];
    uint32_t at, len;

    for (at = 0; at < bp->len; at += len) {
        len = bp->len - at < LOOK ? bp->len - at : LOOK;
        sum = pdb_sum(sum, bytes,
                      mem_read(p, &as, bp->addr + at, bytes, len));
    }
    return sum;
}

static int bp_insert(struct pdb *p, struct pdb_bp *bp, struct pdb_tid t)
{
    struct pdb_space as = bp_space(bp, t);
    int err;

    bp->site = -1;
    if (bp->type == PDB_BP_SOFT) {
        err = site_get(p, &as, bp->addr);
        bp->site = (int16_t)(err < 0 ? -1 : err);
        return err < 0 ? err : 0;
    }
    if (bp->type != PDB_BP_EXEC)
        bp->value = bp_look(p, bp, t);
    return bp_set_hw(p, bp, true);
}

/* memory: whether there still is memory to take the int3 out of. */
static void bp_remove(struct pdb *p, struct pdb_bp *bp, bool memory)
{
    if (bp->type == PDB_BP_SOFT)
        site_put(p, bp->site, memory);
    else if (!bp->lifted)
        (void)bp_set_hw(p, bp, false);
    forget_code(p, bp);
    bp->used = false;
}

void breaks_remove(struct pdb *p, int32_t pid)
{
    struct pdb_bp *bp;

    hit_settle(p);
    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++)
        if (bp->used && (pid < 0 || bp->pid == pid))
            bp_remove(p, bp, true);
}

void breaks_gone(struct pdb *p, int32_t pid)
{
    struct pdb_bp *bp;

    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++)
        if (bp->used && bp->pid == pid)
            bp_remove(p, bp, false);
    if (p->brk.over.pid == pid)
        hit_settle(p);
}

/* "X len,expr" repeated, appended to code[]: the list's length or -errno. */
static int in_expressions(struct pdb *p, struct pdb_in *in)
{
    struct pdb_breaks *b = &p->brk;
    uint32_t start = b->code_len, room;
    uint64_t len;

    while (in_char(in, 'X')) {
        room = PDB_CODE - b->code_len;
        if (!in_hex_char(in, &len, ','))
            return -PDB_EINVAL;
        if (room < 2 || len > room - 2)
            return -PDB_ENOMEM;
        if (!in_bytes(in, b->code + b->code_len + 2, (uint32_t)len))
            return -PDB_EINVAL;
        b->code[b->code_len] = (uint8_t)len;
        b->code[b->code_len + 1] = (uint8_t)(len >> 8);
        b->code_len += 2 + (uint32_t)len;
    }
    return (int)(b->code_len - start);
}

/* Reads conditions and commands to the end of code[] and names them in *bp. */
static int in_code(struct pdb *p, struct pdb_in *in, struct pdb_bp *bp)
{
    uint64_t persist;
    int len;

    bp->cond = bp->cmds = (uint16_t)p->brk.code_len;
    bp->cond_len = bp->cmds_len = 0;
    while (in_char(in, ';')) {
        bool cmds = in_word(in, "cmds:");

        if (cmds && !in_hex_char(in, &persist, ','))
            return -PDB_EINVAL;
        if (cmds ? bp->cmds_len : bp->cond_len || bp->cmds_len)
            return -PDB_EINVAL; /* one list of each, conditions first */
        if (cmds)
            bp->cmds = (uint16_t)p->brk.code_len;
        len = in_expressions(p, in);
        if (len < 0)
            return len;
        if (cmds)
            bp->cmds_len = (uint16_t)len;
        else
            bp->cond_len = (uint16_t)len;
    }
    return in_end(in) ? 0 : -PDB_EINVAL;
}

/* type,addr,kind of Z and z, in the inferior and context now selected. */
static int in_where(struct pdb *p, struct pdb_in *in, struct pdb_bp *bp,
                    struct pdb_tid *t)
{
    uint32_t type;

    if (!in_u32(in, &type) || type > PDB_BP_ACCESS || !in_char(in, ',') ||
        !in_address(p, in, &bp->addr, ',') || !in_u32(in, &bp->len))
        return -PDB_EINVAL;
    bp->type = (enum pdb_bp_type)type;
    if (bp->type <= PDB_BP_EXEC)
        bp->len = 1;
    if (bp->len == 0)
        return -PDB_EINVAL;
    if (bp->len > PDB_MAX_WATCH)
        return -PDB_E2BIG;
    if (!thread_pick(p, p->general, t))
        return -PDB_ESRCH;
    bp->pid = t->pid;
    bp->cr3 = p->context.kind == PDB_SPACE_CR3 ? p->context.cr3 : 0;
    return 0;
}

/* As gdb tells breakpoints apart: it knows of no CR3. */
static bool is_same(const struct pdb_bp *bp, const struct pdb_bp *key)
{
    return bp->used && bp->type == key->type && bp->pid == key->pid &&
           bp->addr == key->addr && bp->len == key->len;
}

static struct pdb_bp *bp_find(struct pdb *p, const struct pdb_bp *key)
{
    struct pdb_bp *bp;

    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++)
        if (is_same(bp, key) && bp->cr3 == key->cr3)
            return bp;
    return NULL;
}

static struct pdb_bp *bp_free(struct pdb *p)
{
    struct pdb_bp *bp;

    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++)
        if (!bp->used)
            return bp;
    return NULL;
}

/* Puts *new in the table, or its code in the place of the old one's. */
static int bp_enter(struct pdb *p, const struct pdb_bp *new, struct pdb_tid t)
{
    struct pdb_bp *bp = bp_find(p, new);
    uint16_t moved;
    int err;

    if (bp) {
        moved = (uint16_t)(bp->cond_len + bp->cmds_len);
        forget_code(p, bp);
        bp->cond = (uint16_t)(new->cond - moved);
        bp->cmds = (uint16_t)(new->cmds - moved);
        bp->cond_len = new->cond_len;
        bp->cmds_len = new->cmds_len;
        return 0;
    }
    bp = bp_free(p);
    if (!bp)
        return -PDB_ENOMEM;
    *bp = *new;
    err = bp_insert(p, bp, t);
    bp->used = err >= 0;
    return err;
}

/* Of all that is refused, -E2BIG can only be the size of a watch. */
static bool refuse(struct pdb *p, int err)
{
    char what[48];
    struct pdb_out o;

    if (err != -PDB_E2BIG)
        return reply_error(p, err, "breakpoint");
    pdb_out_init(&o, what, sizeof(what) - 1, 0);
    pdb_printf(&o, "watchpoint on more than %u MiB", PDB_MAX_WATCH >> 20);
    what[o.len] = '\0';
    return reply_error(p, err, what);
}

bool packet_Z(struct pdb *p, struct pdb_in *in)
{
    uint32_t code_len = p->brk.code_len;
    struct pdb_bp new;
    struct pdb_tid t;
    int err;

    if (p->context.kind == PDB_SPACE_PHYS)
        return reply_error(p, -PDB_ENOSYS, "breakpoint by machine address ('monitor context thread' leads back)");
    memset(&new, 0, sizeof(new));
    err = in_where(p, in, &new, &t);
    if (err >= 0)
        err = in_code(p, in, &new);
    if (err >= 0)
        err = bp_enter(p, &new, t);
    if (err >= 0)
        return reply_ok(p);
    p->brk.code_len = code_len;
    return refuse(p, err);
}

bool packet_z(struct pdb *p, struct pdb_in *in)
{
    struct pdb_bp key, *bp;
    struct pdb_tid t;
    int err;

    memset(&key, 0, sizeof(key));
    err = in_where(p, in, &key, &t);
    if (err < 0)
        return refuse(p, err);
    for (bp = p->brk.bp; bp < p->brk.bp + PDB_NR_BPS; bp++)
        if (is_same(bp, &key))
            bp_remove(p, bp, true);
    if (key.type <= PDB_BP_EXEC)
        p->brk.removed = key.addr;
    return reply_ok(p);
}
