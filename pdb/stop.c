/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telling gdb of stops, and what else leaves without being asked for.
 *
 * stops[] holds what is to be told, oldest first.  All-stop: the oldest
 * answers the vCont that is open.  Non-stop: the oldest is announced by a
 * %Stop notification and stays at the front until gdb's vStopped, which is
 * answered with the next one (GDB manual, "Notification Packets").
 */
#include <string.h>

#include "int.h"

/* More stops than threads cannot be waiting: the array suffices. */
void stop_queue(struct pdb *p, const struct pdb_stop *s)
{
    if (p->nr_stops < PDB_NR_STOPS)
        p->stops[p->nr_stops++] = *s;
}

static void stop_pop(struct pdb *p)
{
    p->nr_stops--;
    memmove(p->stops, p->stops + 1, p->nr_stops * sizeof(p->stops[0]));
}

/* One that gdb has been told of stays until its vStopped, which takes it. */
void stop_forget(struct pdb *p, int32_t pid)
{
    uint32_t i, kept = 0;

    for (i = 0; i < p->nr_stops; i++)
        if (pid >= 0 && (p->stops[i].thread.pid != pid ||
                         (i == 0 && p->notified)))
            p->stops[kept++] = p->stops[i];
    p->nr_stops = kept;
    if (!kept)
        p->notified = p->announced = false;
}

static int signal_of(const struct pdb_stop *s)
{
    if (s->signal)
        return s->signal;
    switch (s->why) {
    case PDB_WHY_BREAK_IN: return 2;
    case PDB_WHY_HALTED:
    case PDB_WHY_NEW: return 0;
    case PDB_WHY_FAULT: return 11;
    default: return 5;
    }
}

static void put_watch(struct pdb_out *o, const struct pdb_stop *s)
{
    const char *word = "watch";

    if (s->number == PDB_BP_READ)
        word = "rwatch";
    else if (s->number == PDB_BP_ACCESS)
        word = "awatch";
    pdb_printf(o, "%s:%lx;", word, (unsigned long)s->addr);
}

/*
 * What gdb wants to know beside the signal, for stops that have it.  That a
 * breakpoint was hit it needs to be told of one that it has taken out since,
 * which the answer to a vCont never is: all hits are reported while their
 * breakpoint is there.
 */
static void put_reason(struct pdb *p, const struct pdb_stop *s)
{
    struct pdb_out *o = &p->reply;

    switch (s->why) {
    case PDB_WHY_SOFT:
        if (p->swbreak && !p->owed)
            pdb_puts(o, "swbreak:;");
        break;
    case PDB_WHY_EXEC:
        if (p->hwbreak && !p->owed)
            pdb_puts(o, "hwbreak:;");
        break;
    case PDB_WHY_WATCH: put_watch(o, s); break;
    case PDB_WHY_SYSCALL:
        pdb_printf(o, "syscall_entry:%lx;", (unsigned long)s->number);
        break;
    case PDB_WHY_SYSRET:
        pdb_printf(o, "syscall_return:%lx;", (unsigned long)s->number);
        break;
    case PDB_WHY_NEW_THREAD: pdb_puts(o, "create:;"); break;
    default: break;
    }
}

/* The domain is no more: W exit status, or X signal. */
static void put_gone(struct pdb *p, const struct pdb_stop *s)
{
    pdb_putc(&p->reply, s->signal ? 'X' : 'W');
    pdb_put_hex_fixed(&p->reply,
                      s->signal ? (uint64_t)s->signal : s->number, 2);
    if (p->multiprocess)
        pdb_printf(&p->reply, ";process:%x", (unsigned int)s->thread.pid);
}

static void put_gone_thread(struct pdb *p, const struct pdb_stop *s)
{
    pdb_putc(&p->reply, 'w');
    pdb_put_hex_fixed(&p->reply, s->number, 2);
    pdb_putc(&p->reply, ';');
    put_tid(p, &p->reply, s->thread);
}

/*
 * Where the thread runs: said when a stop came from outside.  After steps and
 * hits it is left out, as they are counted in characters.
 */
static void put_core(struct pdb *p, const struct pdb_stop *s, struct pdb_tid t)
{
    struct pdb_thread_info info = { NULL, NULL, -1 };

    if (s->why == PDB_WHY_STEP || s->why == PDB_WHY_SOFT ||
        s->why == PDB_WHY_EXEC || !p->ops->thread_info)
        return;
    if (p->ops->thread_info(p->ctx, t, &info) >= 0 && info.core >= 0)
        pdb_printf(&p->reply, "core:%x;", (unsigned int)info.core);
}

/*
 * gdb looks at the stack pointers after most stops, but when it passes by a
 * breakpoint (an ignore count, a condition of its own) at the pc alone: two
 * replies of its six packets for a hit are the shorter for it.
 */
static bool pc_suffices(const struct pdb *p, const struct pdb_stop *s)
{
    return s->why == PDB_WHY_SOFT || s->why == PDB_WHY_EXEC ||
           (s->why == PDB_WHY_STEP && p->stepping_off);
}

/*
 * gdb takes an id without a process for one of its current inferior: with
 * `target remote` that is the only one there is, which need not be named each
 * time.
 */
static void put_stopped_tid(struct pdb *p, const struct pdb_stop *s,
                            struct pdb_tid t)
{
    if (p->owed && !p->extended && p->nr_attached == 1 &&
        s->why <= PDB_WHY_WATCH)
        pdb_printf(&p->reply, "%x", (unsigned int)t.tid);
    else
        put_tid(p, &p->reply, t);
}

/* The thread's id comes first: gdb needs it to read the registers. */
static void put_stopped(struct pdb *p, const struct pdb_stop *s)
{
    struct pdb_tid t = s->thread;

    if (s->why == PDB_WHY_NEW) {
        t.tid = p->ops->next_thread(p->ctx, t.pid, 0);
        threads_brief(p, 0); /* gdb 13 ends with an error before its list */
    }
    pdb_putc(&p->reply, 'T');
    pdb_put_hex_fixed(&p->reply, (uint64_t)signal_of(s), 2);
    pdb_puts(&p->reply, "thread:");
    put_stopped_tid(p, s, t);
    pdb_putc(&p->reply, ';');
    put_reason(p, s);
    put_core(p, s, t);
    put_expedited(p, t, pc_suffices(p, s));
}

void put_stop(struct pdb *p, const struct pdb_stop *s)
{
    switch (s->why) {
    case PDB_WHY_GONE: put_gone(p, s); break;
    case PDB_WHY_GONE_THREAD: put_gone_thread(p, s); break;
    default: put_stopped(p, s); break;
    }
}

/*
 * Non-stop: the thread that stopped last stays so, to be looked at, and the
 * machine goes on.  (gdb 13 ends with an internal error if it is told of two
 * stopped threads here.)
 */
static bool question_non_stop(struct pdb *p)
{
    struct pdb_stop s = { .why = PDB_WHY_HALTED };

    if (p->state != PDB_STOPPED || !thread_pick(p, p->last.thread, &s.thread))
        return reply_ok(p);
    p->nr_stops = 0;
    stop_queue(p, &s);
    p->notified = true;
    p->announced = false;
    put_stop(p, &p->stops[0]);
    run_others(p, s.thread);
    return true;
}

bool packet_question(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    if (p->non_stop)
        return question_non_stop(p);
    if (!thread_exists(p, p->last.thread)) {
        p->last = (struct pdb_stop){ .why = PDB_WHY_STEP };
        if (!thread_pick(p, p->last.thread, &p->last.thread))
            return reply_put(p, "N");
    }
    if (p->last.why == PDB_WHY_GONE_THREAD)
        p->last.why = PDB_WHY_HALTED; /* it is in the list all the same */
    p->general = p->last.thread;
    threads_brief(p, 2); /* one more than after other stops */
    put_stop(p, &p->last);
    return true;
}

bool packet_vStopped(struct pdb *p, struct pdb_in *in)
{
    (void)in;
    if (p->nr_stops && p->notified)
        stop_pop(p);
    p->notified = p->nr_stops > 0;
    p->announced = false;
    if (!p->notified)
        return reply_ok(p);
    put_stop(p, &p->stops[0]);
    return true;
}

static void send_text(struct pdb *p, const char *text, uint32_t len)
{
    link_begin(p);
    pdb_putc(&p->reply, 'O');
    pdb_put_hex(&p->reply, text, len);
    link_send(p, '$');
}

/* gdb waits: text for its user goes before the stop that ends the wait. */
static void advance_all_stop(struct pdb *p)
{
    struct pdb_stop *s = &p->stops[0];

    if (p->nr_console) {
        send_text(p, p->console, p->nr_console);
        p->nr_console = 0;
    } else if (p->nr_stops && s->text) {
        send_text(p, s->text, (uint32_t)strlen(s->text));
        s->text = NULL;
    } else if (p->nr_stops) {
        link_begin(p);
        put_stop(p, s);
        stop_pop(p);
        p->owed = false;
        link_send(p, '$');
    }
}

/* A notification needs no acknowledgement and may go between any packets. */
static void send_notification(struct pdb *p)
{
    link_begin(p);
    pdb_puts(&p->reply, "Stop:");
    put_stop(p, &p->stops[0]);
    link_send(p, '%');
}

static void advance_non_stop(struct pdb *p)
{
    if (!p->nr_stops || p->notified)
        return;
    p->notified = p->announced = true;
    p->notice_ticks = 0;
    p->notice_wait = PDB_NOTICE_TICKS;
    send_notification(p);
}

/* gdb would make an inferior of what it has left since. */
static bool is_left(const struct pdb *p, const struct pdb_stop *s)
{
    return s->why != PDB_WHY_GONE && !pdb_attached(p, s->thread.pid);
}

bool stop_tick_counts(const struct pdb *p)
{
    return !p->announced || p->notice_ticks + 1 < p->notice_wait ||
           !link_idle(p) || is_left(p, &p->stops[0]);
}

/*
 * gdb passes over one that it has had. It may just be busy (reading symbols,
 * say): each time the wait doubles. A machine that has failed does not stand
 * still for a gdb that is no more.
 */
void stop_tick(struct pdb *p)
{
    bool due = !stop_tick_counts(p);

    p->notice_ticks++;
    if (!due)
        return;
    if (p->stops[0].why == PDB_WHY_FAULT &&
        p->notice_wait >= PDB_NOTICE_DEAD_TICKS) {
        pdb_drop(p);
        return;
    }
    p->notice_ticks = 0;
    p->notice_wait *= 2;
    send_notification(p);
}

bool pdb_untold(const struct pdb *p, struct pdb_tid t)
{
    uint32_t i;

    for (i = 0; i < p->nr_stops; i++)
        if (pdb_tid_equal(p->stops[i].thread, t))
            return true;
    return false;
}

void stop_advance(struct pdb *p)
{
    if (p->command)
        monitor_advance(p);
    else if (p->non_stop)
        advance_non_stop(p);
    else if (p->owed)
        advance_all_stop(p);
}
