/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inferiors and threads: which there are, which gdb holds, which it means.
 *
 * gdb sees only attached inferiors.  Inferior 1, the hypervisor, is attached
 * from the first packet on; domains by vAttach or as they appear
 * (PDB_FOLLOW).  A domain that is not attached runs whenever anything runs.
 */
#include "int.h"

bool pdb_tid_equal(struct pdb_tid a, struct pdb_tid b)
{
    return a.pid == b.pid && a.tid == b.tid;
}

bool tid_matches(struct pdb_tid sel, struct pdb_tid t)
{
    return (sel.pid <= 0 || sel.pid == t.pid) &&
           (sel.tid <= 0 || sel.tid == t.tid);
}

bool pdb_attached(const struct pdb *p, int32_t pid)
{
    uint32_t i;

    for (i = 0; i < p->nr_attached; i++)
        if (p->attached[i] == pid)
            return true;
    return false;
}

static bool pid_exists(struct pdb *p, int32_t pid)
{
    return pid > 0 && p->ops->next_inferior(p->ctx, pid - 1) == pid;
}

bool pid_attach(struct pdb *p, int32_t pid)
{
    if (pdb_attached(p, pid))
        return true;
    if (p->nr_attached == PDB_NR_ATTACHED || !pid_exists(p, pid))
        return false;
    if (p->ops->attach && pid != PDB_PID_HYPERVISOR &&
        p->ops->attach(p->ctx, pid) < 0)
        return false;
    p->attached[p->nr_attached++] = pid;
    return true;
}

/* Takes pid off the list and tells the target. */
void pid_forget(struct pdb *p, int32_t pid)
{
    uint32_t i;

    for (i = 0; i < p->nr_attached && p->attached[i] != pid; i++)
        ;
    if (i == p->nr_attached)
        return;
    p->attached[i] = p->attached[--p->nr_attached];
    regs_told(p, pid);
    if (p->ops->detach)
        p->ops->detach(p->ctx, pid);
}

bool thread_exists(struct pdb *p, struct pdb_tid t)
{
    return t.tid > 0 && pdb_attached(p, t.pid) &&
           p->ops->next_thread(p->ctx, t.pid, t.tid - 1) == t.tid;
}

/*
 * Enumeration goes through the target each time, so a thread or domain that
 * comes or goes between two packets is simply there or not.
 */

/* The smallest attached pid above the given one, 0 when there is none. */
static int32_t pid_next(struct pdb *p, int32_t pid)
{
    do
        pid = p->ops->next_inferior(p->ctx, pid);
    while (pid > 0 && !pdb_attached(p, pid));
    return pid;
}

bool thread_next(struct pdb *p, struct pdb_tid *t)
{
    if (t->pid == 0)
        *t = (struct pdb_tid){ pid_next(p, 0), 0 };
    while (t->pid > 0) {
        t->tid = p->ops->next_thread(p->ctx, t->pid, t->tid);
        if (t->tid > 0)
            return true;
        *t = (struct pdb_tid){ pid_next(p, t->pid), 0 };
    }
    return false;
}

bool thread_pick(struct pdb *p, struct pdb_tid sel, struct pdb_tid *t)
{
    /* The thread that stopped, or is selected, before any other. */
    if (tid_matches(sel, p->general) && thread_exists(p, p->general)) {
        *t = p->general;
        return true;
    }
    *t = (struct pdb_tid){ 0, 0 };
    while (thread_next(p, t))
        if (tid_matches(sel, *t))
            return true;
    return false;
}

static void put_id(struct pdb_out *o, int32_t id)
{
    if (id < 0)
        pdb_puts(o, "-1");
    else
        pdb_printf(o, "%x", (unsigned int)id);
}

void put_tid(struct pdb *p, struct pdb_out *o, struct pdb_tid t)
{
    if (p->multiprocess) {
        pdb_putc(o, 'p');
        put_id(o, t.pid);
        pdb_putc(o, '.');
    }
    put_id(o, t.tid);
}

/* Hg: whose registers and memory; Hc: whom c and s mean. */
bool packet_H(struct pdb *p, struct pdb_in *in)
{
    struct pdb_tid sel, t;
    bool general = in_char(in, 'g');

    if ((!general && !in_char(in, 'c')) || !in_tid(in, &sel) || !in_end(in))
        return reply_error(p, -PDB_EINVAL, "H");
    if (!general && sel.tid <= 0) {
        p->cont = sel;
        return reply_ok(p);
    }
    if (!thread_pick(p, sel, &t))
        return reply_error(p, -PDB_ESRCH, NULL);
    if (general)
        p->general = t;
    else
        p->cont = t;
    return reply_ok(p);
}

/* Is it alive?  Asked before gdb believes that a thread has gone. */
bool packet_T(struct pdb *p, struct pdb_in *in)
{
    struct pdb_tid t;

    if (!in_tid(in, &t) || !in_end(in))
        return reply_error(p, -PDB_EINVAL, "T");
    if (!thread_exists(p, t))
        return reply_error(p, -PDB_ESRCH, NULL);
    return reply_ok(p);
}

bool query_c(struct pdb *p, struct pdb_in *in)
{
    struct pdb_tid t;

    (void)in;
    if (!thread_pick(p, p->general, &t))
        return true;
    pdb_puts(&p->reply, "QC");
    put_tid(p, &p->reply, t);
    return true;
}

/* Ids behind t, as many as surely fit the packet; `l` when there is none. */
static bool put_thread_list(struct pdb *p, struct pdb_tid t)
{
    uint32_t room = p->reply.size - 48;
    char lead = 'm';

    while (p->reply.len < room && thread_next(p, &t)) {
        pdb_putc(&p->reply, lead);
        put_tid(p, &p->reply, t);
        lead = ',';
    }
    if (!p->reply.len)
        pdb_putc(&p->reply, 'l');
    p->listed = t;
    return true;
}

bool query_f_threads(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    p->early_break = false;
    return put_thread_list(p, (struct pdb_tid){ 0, 0 });
}

bool query_s_threads(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    if (p->listed.pid <= 0)
        return reply_put(p, "l");
    return put_thread_list(p, p->listed);
}

static void get_info(struct pdb *p, struct pdb_tid t, struct pdb_thread_info *i)
{
    *i = (struct pdb_thread_info){ NULL, NULL, -1 };
    if (p->ops->thread_info && p->ops->thread_info(p->ctx, t, i) < 0)
        *i = (struct pdb_thread_info){ NULL, NULL, -1 };
}

#define LINE (2 * PDB_NOTE)

/* What the thread is and does, in a line; ends with a null character. */
static uint32_t describe(const struct pdb *p, struct pdb_tid t,
                         const struct pdb_thread_info *i, char text[LINE])
{
    struct pdb_out o;

    pdb_out_init(&o, text, LINE - 1, 0);
    pdb_printf(&o, "%s%s%s", i->name ? i->name : "",
               i->name && i->state ? " " : "", i->state ? i->state : "");
    if (p->non_stop && p->last.text && pdb_tid_equal(p->last.thread, t)) {
        pdb_puts(&o, "; ");
        pdb_put_line(&o, p->note);
    }
    text[o.len] = '\0';
    return o.len;
}

bool query_extra(struct pdb *p, struct pdb_in *in)
{
    struct pdb_thread_info info;
    char text[LINE];
    struct pdb_tid t;

    if (!in_tid(in, &t) || !thread_exists(p, t))
        return reply_error(p, -PDB_ESRCH, NULL);
    get_info(p, t, &info);
    pdb_put_hex(&p->reply, text, describe(p, t, &info, text));
    return true;
}

void threads_brief(struct pdb *p, uint32_t n)
{
    p->brief_lists = n;
    p->brief_ticks = 0;
}

/* Some stops gdb shows without fetching a list: the next one is its user's. */
void threads_tick(struct pdb *p)
{
    if (p->brief_lists && link_idle(p) && ++p->brief_ticks > PDB_BRIEF_TICKS)
        p->brief_lists = 0;
}

/*
 * gdb fetches a list after each stop that it shows, to learn who came and went;
 * what it needs there are ids.  When its user asks, it fetches another one.
 */
void threads_begin(struct pdb *p)
{
    p->early_break = false;
    p->brief = p->brief_lists != 0;
    if (p->brief)
        p->brief_lists--;
}

static void put_thread_xml(struct pdb *p, struct pdb_out *o, struct pdb_tid t)
{
    struct pdb_thread_info info;
    char text[LINE];

    pdb_puts(o, "<thread id=\"");
    put_tid(p, o, t);
    if (p->brief) {
        pdb_puts(o, "\"/>");
        return;
    }
    get_info(p, t, &info);
    if (info.core >= 0)
        pdb_printf(o, "\" core=\"%d", info.core);
    pdb_puts(o, "\">");
    (void)describe(p, t, &info, text);
    pdb_put_xml(o, text);
    pdb_puts(o, "</thread>");
}

void put_threads_xml(struct pdb *p, struct pdb_out *o)
{
    struct pdb_tid t = { 0, 0 };

    pdb_puts(o, "<threads>");
    while (thread_next(p, &t))
        put_thread_xml(p, o, t);
    pdb_puts(o, "</threads>");
}

/* Everything was here before gdb was: it detaches when it quits. */
bool query_attached(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    return reply_put(p, "1");
}

bool attach_pid(struct pdb *p, struct pdb_in *in)
{
    struct pdb_stop stop = { .why = PDB_WHY_HALTED };
    uint32_t pid;

    if (!in_u32(in, &pid) || !in_end(in) || pid > INT32_MAX)
        return reply_error(p, -PDB_EINVAL, "vAttach");
    if (!pid_exists(p, (int32_t)pid))
        return reply_error(p, -PDB_ESRCH, "attach: see 'info os domains'");
    if (!pid_attach(p, (int32_t)pid))
        return reply_error(p, -PDB_EPERM, "attach");
    stop.thread.pid = (int32_t)pid;
    stop.thread.tid = p->ops->next_thread(p->ctx, (int32_t)pid, 0);
    p->general = stop.thread;
    if (p->non_stop) {
        reply_ok(p);
        regs_untold(p, stop.thread.pid);
        run_not(p, stop.thread);
        stop_queue(p, &stop);
        return true;
    }
    p->last = stop;
    threads_brief(p, 1);
    put_stop(p, &stop);
    return true;
}

/* Leaves one inferior; the session ends with the last one. */
bool detach_pid(struct pdb *p, struct pdb_in *in)
{
    uint32_t pid;

    if (!in_u32(in, &pid) || pid > INT32_MAX)
        return reply_error(p, -PDB_EINVAL, "detach");
    if (!pdb_attached(p, (int32_t)pid))
        return reply_error(p, -PDB_ESRCH, "detach");
    breaks_remove(p, (int32_t)pid);
    stop_forget(p, (int32_t)pid);
    pid_forget(p, (int32_t)pid);
    if (p->nr_attached == 0)
        session_end(p);
    else
        thread_pick(p, (struct pdb_tid){ 0, 0 }, &p->general);
    return reply_ok(p);
}

/* A domain is destroyed by the tools of domain 0, not by leaving gdb. */
bool kill_pid(struct pdb *p, struct pdb_in *in)
{
    return detach_pid(p, in);
}
