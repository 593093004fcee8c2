/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which packet is served by whom, and the replies that all share.
 *
 * A handler reads the packet through a cursor, writes its reply to p->reply
 * and returns true, or returns false when the packet has no reply (now).  An
 * unknown packet earns the empty reply, which is how gdb learns what there is.
 */
#include <string.h>

#include "int.h"

struct entry {
    const char *word;
    packet_fn *serve;
};

static packet_fn packet_extended, packet_D, packet_k, packet_R, packet_v;
static packet_fn must_reply_empty, v_run;

/* By the first character; a longer word comes before its own beginning. */
static const struct entry packets[] = {
    { "?", packet_question }, { "!", packet_extended },
    { "g", packet_g },        { "G", packet_G },
    { "p", packet_p },        { "P", packet_P },
    { "m", packet_m },        { "M", packet_M },
    { "x", packet_x },        { "X", packet_X },
    { "c", packet_c },        { "C", packet_C },
    { "s", packet_s },        { "S", packet_S },
    { "Z", packet_Z },        { "z", packet_z },
    { "H", packet_H },        { "T", packet_T },
    { "D", packet_D },        { "k", packet_k },
    { "q", packet_q },        { "Q", packet_Q },
    { "R", packet_R },        { "v", packet_v },
    { NULL, NULL },
};

static const struct entry v_packets[] = {
    { "Cont?", query_vCont },
    { "Cont;", packet_vCont },
    { "CtrlC", packet_vCtrlC },
    { "Stopped", packet_vStopped },
    { "Attach;", attach_pid },
    { "Kill;", kill_pid },
    { "Run;", v_run },
    { "MustReplyEmpty", must_reply_empty },
    { NULL, NULL },
};

static bool serve_by(const struct entry *e, struct pdb *p, struct pdb_in *in)
{
    for (; e->word; e++)
        if (in_word(in, e->word))
            return e->serve(p, in);
    return true;
}

/* The core's own: the target has not been asked, and has nothing to say. */
static bool is_ours(int err)
{
    return err == -PDB_EINVAL || err == -PDB_ENOMEM || err == -PDB_E2BIG ||
           err == -PDB_ENOSYS;
}

/* What an errno says to a person when the target has nothing better. */
static const char *errno_text(int err)
{
    switch (err) {
    case -PDB_EPERM: return "refused";
    case -PDB_ENOENT: return "no such thing";
    case -PDB_ESRCH: return "no such thread or inferior";
    case -PDB_EIO: return "a fault was caught inside the debugger";
    case -PDB_E2BIG: return "too long, try parts of it";
    case -PDB_ENOMEM: return "no room left in the debugger's tables";
    case -PDB_EFAULT: return "address not mapped";
    case -PDB_EBUSY: return "busy";
    case -PDB_EINVAL: return "malformed packet";
    case -PDB_ENOSPC: return "no debug register is free";
    default: return "not supported by this target";
    }
}

static void copy_note(char *to, const char *what, const char *why)
{
    struct pdb_out o;

    pdb_out_init(&o, to, PDB_NOTE - 1, 0);
    if (what && *what)
        pdb_printf(&o, "%s: ", what);
    pdb_puts(&o, why);
    to[o.len] = '\0';
    /* '#', '$', '}' and '*' would end or change the packet. */
    for (; *to; to++)
        if (strchr("#$}*", *to) || (uint8_t)*to < ' ' || (uint8_t)*to > '~')
            *to = '?';
}

void note_failure(struct pdb *p, int err, const char *what)
{
    const char *why = NULL;

    if (p->ops->reason && !is_ours(err))
        why = p->ops->reason(p->ctx);
    copy_note(p->why, what, why ? why : errno_text(err));
}

bool reply_put(struct pdb *p, const char *text)
{
    pdb_puts(&p->reply, text);
    return true;
}

bool reply_ok(struct pdb *p)
{
    return reply_put(p, "OK");
}

bool reply_error(struct pdb *p, int err, const char *what)
{
    note_failure(p, err, what);
    p->reply.len = 0;
    if (p->error_text) {
        pdb_puts(&p->reply, "E.");
        pdb_puts(&p->reply, p->why);
    } else {
        pdb_putc(&p->reply, 'E');
        pdb_put_hex_fixed(&p->reply, (uint64_t)-(int64_t)err, 2);
    }
    return true;
}

void packet_serve(struct pdb *p)
{
    struct pdb_in in = { p->link.rx, p->link.rx + p->link.rx_len };
    bool answer;

    p->command = NULL; /* gdb left off reading a command's output */
    if (p->state == PDB_WAITING)
        p->state = PDB_STOPPED;
    link_begin(p);
    p->busy = true;
    if (p->link.rx_spoilt)
        answer = reply_error(p, -PDB_E2BIG, "packet");
    else
        answer = serve_by(packets, p, &in);
    p->busy = false;
    if (answer)
        link_send(p, '$');
}

void pdb_fault(struct pdb *p, const char *what)
{
    if (!p->busy)
        return;
    p->busy = false;
    link_begin(p);
    if (p->command)
        monitor_fault(p, what);
    else
        reply_error(p, -PDB_EIO, what);
    link_send(p, '$');
}

static bool packet_extended(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    p->extended = true;
    return reply_ok(p);
}

static bool packet_v(struct pdb *p, struct pdb_in *in)
{
    return serve_by(v_packets, p, in);
}

static bool must_reply_empty(struct pdb *p, struct pdb_in *in)
{
    (void)p;
    (void)in;
    return true;
}

/* An empty reply makes gdb try R, and `run` must not reboot by surprise. */
static bool v_run(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    return reply_error(p, -PDB_EPERM, "run: use 'monitor reboot'");
}

static bool packet_D(struct pdb *p, struct pdb_in *in)
{
    if (in_char(in, ';'))
        return detach_pid(p, in);
    session_end(p);
    return reply_ok(p);
}

/* `kill` ends the session, never the machine. */
static bool packet_k(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    session_end(p);
    return false;
}

/* Sent by nobody but a user's `maintenance packet R00`. */
static bool packet_R(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    if (!p->ops->reboot)
        return false;
    session_end(p);
    p->ops->reboot(p->ctx);
    return false;
}
