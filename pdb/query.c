/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * q and Q packets: what the stub can do, small questions, settings.
 */
#include <string.h>

#include "int.h"

struct entry {
    const char *word;
    packet_fn *serve;
};

/* "feature+" in gdb's list, which is separated by ';'. */
static bool gdb_has(const struct pdb_in *in, const char *feature)
{
    struct pdb_in at = *in;

    while (!in_end(&at)) {
        struct pdb_in one = at;

        if (in_word(&one, feature) && (in_end(&one) || *one.p == ';'))
            return true;
        while (!in_end(&at) && *at.p++ != ';')
            ;
    }
    return false;
}

/* Only then may gdb ask for it: it warns when it gets an empty name. */
static bool has_exec_file(struct pdb *p)
{
    struct pdb_inferior_info i = { NULL, NULL, 0, 0 };

    return p->ops->inferior_info &&
           p->ops->inferior_info(p->ctx, PDB_PID_HYPERVISOR, &i) >= 0 &&
           i.exec_file;
}

/*
 * The first packet of every session.  Each feature that is announced here is
 * one that gdb will ask for unasked, so what the target lacks is left out.
 */
static bool query_supported(struct pdb *p, struct pdb_in *in)
{
    struct pdb_out *o = &p->reply;

    session_reset(p);
    (void)in_char(in, ':');
    p->multiprocess = gdb_has(in, "multiprocess+");
    p->error_text = gdb_has(in, "error-message+");
    p->swbreak = gdb_has(in, "swbreak+");
    p->hwbreak = gdb_has(in, "hwbreak+");
    pdb_printf(o, "PacketSize=%x;multiprocess+",
               p->flags & PDB_SEVEN_BIT ? PDB_PACKET_SHARED : PDB_PACKET);
    pdb_puts(o, ";swbreak+;hwbreak+");
    pdb_puts(o, ";ConditionalBreakpoints+;BreakpointCommands+");
    pdb_puts(o, ";qXfer:features:read+");
    pdb_puts(o, ";qXfer:threads:read+;qXfer:memory-map:read+;QThreadEvents+");
    if (!(p->flags & PDB_ALL_STOP))
        pdb_puts(o, ";QNonStop+");
    if (p->ops->tables)
        pdb_puts(o, ";qXfer:osdata:read+");
    if (p->ops->catch_syscalls)
        pdb_puts(o, ";QCatchSyscalls+");
    if (has_exec_file(p))
        pdb_puts(o, ";qXfer:exec-file:read+");
    if (p->flags & PDB_NO_ACK)
        pdb_puts(o, ";QStartNoAckMode+");
    if (p->error_text)
        pdb_puts(o, ";error-message+");
    if (p->error_text && !(p->flags & PDB_SEVEN_BIT)) /* as old as that */
        pdb_puts(o, ";binary-upload+");
    return true;
}

/* Where the symbols really are, for a hypervisor or kernel that was moved. */
static bool query_offsets(struct pdb *p, struct pdb_in *in)
{
    struct pdb_inferior_info i = { NULL, NULL, 0, 0 };
    unsigned long slide;

    (void)in;
    if (!p->ops->inferior_info ||
        p->ops->inferior_info(p->ctx, p->general.pid, &i) < 0)
        return true;
    slide = (unsigned long)i.slide;
    if (i.text_seg)
        pdb_printf(&p->reply, "TextSeg=%lx", (unsigned long)i.text_seg);
    else
        pdb_printf(&p->reply, "Text=%lx;Data=%lx;Bss=%lx", slide, slide, slide);
    return true;
}

static bool query_symbol(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    return reply_ok(p); /* no symbol is wanted */
}

static const struct entry queries[] = {
    { "Supported", query_supported },
    { "Xfer:", query_xfer },
    { "fThreadInfo", query_f_threads },
    { "sThreadInfo", query_s_threads },
    { "ThreadExtraInfo,", query_extra },
    { "Attached", query_attached },
    { "Offsets", query_offsets },
    { "Rcmd,", query_rcmd },
    { "CRC:", query_crc },
    { "Search:memory:", query_search },
    { "Symbol:", query_symbol },
    { NULL, NULL },
};

bool packet_q(struct pdb *p, struct pdb_in *in)
{
    const struct entry *e;

    if (in->end - in->p == 1 && *in->p == 'C')
        return query_c(p, in);
    for (e = queries; e->word; e++)
        if (in_word(in, e->word))
            return e->serve(p, in);
    return true;
}

/* 0 or 1 and nothing more. */
static bool in_switch(struct pdb_in *in, bool *on)
{
    *on = in_char(in, '1');
    return (*on || in_char(in, '0')) && in_end(in);
}

/* The reply itself is still acknowledged: the mode begins behind it. */
static bool set_no_ack(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    if (!(p->flags & PDB_NO_ACK))
        return true;
    p->link.no_ack_next = true;
    return reply_ok(p);
}

/* gdb sends this when it connects, before anything runs. */
static bool set_non_stop(struct pdb *p, struct pdb_in *in)
{
    bool on;

    if (!in_switch(in, &on))
        return reply_error(p, -PDB_EINVAL, "QNonStop");
    if (on && (p->flags & PDB_ALL_STOP))
        return reply_error(p, -PDB_EOPNOTSUPP, "non-stop mode");
    if (p->non_stop && !on && p->state == PDB_RUNNING)
        return reply_error(p, -PDB_EBUSY, "threads are running");
    p->non_stop = on;
    stop_forget(p, -1);
    p->plan.nr = 0;
    return reply_ok(p);
}

static bool set_thread_events(struct pdb *p, struct pdb_in *in)
{
    bool on;

    if (!in_switch(in, &on))
        return reply_error(p, -PDB_EINVAL, "QThreadEvents");
    p->thread_events = on;
    return reply_ok(p);
}

/* 0, or 1 and the numbers to catch; no number means all. */
static bool in_syscalls(struct pdb *p, struct pdb_in *in)
{
    uint32_t nr;

    memset(&p->catching, 0, sizeof(p->catching));
    if (in_char(in, '0'))
        return in_end(in);
    p->catching.on = in_char(in, '1');
    p->catching.all = in_end(in);
    while (in_char(in, ';')) {
        if (!in_u32(in, &nr) || nr >= PDB_NR_SYSCALLS)
            return false;
        p->catching.set[nr / 32] |= 1u << nr % 32;
    }
    return p->catching.on && in_end(in);
}

/* One inferior at a time: the list replaces any before it. */
static bool set_catch(struct pdb *p, struct pdb_in *in)
{
    int err;

    if (!p->ops->catch_syscalls)
        return true;
    if (p->catching.on)
        p->ops->catch_syscalls(p->ctx, p->catching.pid, false);
    if (!in_syscalls(p, in)) {
        p->catching.on = false;
        return reply_error(p, -PDB_EINVAL, "QCatchSyscalls");
    }
    p->catching.pid = p->general.pid;
    if (!p->catching.on)
        return reply_ok(p);
    err = p->ops->catch_syscalls(p->ctx, p->catching.pid, true);
    if (err >= 0)
        return reply_ok(p);
    p->catching.on = false;
    return reply_error(p, err, "catch syscall");
}

static const struct entry settings[] = {
    { "StartNoAckMode", set_no_ack },
    { "NonStop:", set_non_stop },
    { "ThreadEvents:", set_thread_events },
    { "CatchSyscalls:", set_catch },
    { NULL, NULL },
};

bool packet_Q(struct pdb *p, struct pdb_in *in)
{
    const struct entry *e;

    for (e = settings; e->word; e++)
        if (in_word(in, e->word))
            return e->serve(p, in);
    return true;
}
