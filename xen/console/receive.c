/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console's lines, receiving: whose a byte is, and that it gets there.
 * What a byte asks for is done after the lines' lock is given up, but for what
 * has to stay in order: see pass_on().
 */
#include <conswitch.h>
#include <hv/console.h>
#include <hv/perf.h>
#include <hv/printk.h>
#include <hv/serial.h>

#include "internal.h"
#include "lines.h"

/* Received bytes that are handled before others go first, twice a FIFO; and how
 * often one interrupt does that. */
#define RX_BATCH 32
#define RX_ROOM (RX_BATCH * sizeof(((struct cs_action *)0)->data))
#define MAX_PASSES 3
#define IDLE_POLL_US 5000U

static bool has_early(const struct line *l)
{
    return l->early_head != l->early_tail;
}

/* Domain 0 can be given what a few bytes become. */
static bool dom0_has_room(void)
{
    return dom0_input_room() > RX_ROOM;
}

/*
 * What was typed while the debugger held the machine waits to be handled, and
 * what comes behind it waits, too.
 */
static bool has_waiting(const struct line *l)
{
    return !l->port.held && cs_rx_queued(&l->port) != 0;
}

/*
 * There may be no room for what comes next, should it be for domain 0. On the
 * debugger's own line nothing is, nor while it holds the machine: a domain 0
 * that does not read must not keep gdb out.
 */
static bool lacks_room(const struct line *l)
{
    if (!line_has_role(l, CS_CONSOLE) || l->port.held)
        return false;
    if (has_waiting(l))
        return cs_rx_queued(&l->port) == CS_RX_QUEUE;
    return !dom0_has_room();
}

bool line_has_news(const struct line *l)
{
    if (has_waiting(l) && dom0_has_room())
        return true;
    return (has_early(l) || l->uart.saw_break) && !lacks_room(l);
}

bool line_is_waiting(struct line *l)
{
    return line_has_news(l) ||
           (ns16550_rx_ready(&l->uart) && !lacks_room(l));
}

bool line_receive_early(struct line *l)
{
    u16 got[SERIAL_BURST];
    unsigned int n = 0;

    if (l->early_head - l->early_tail <= ARRAY_SIZE(l->early) - SERIAL_BURST)
        n = ns16550_rx(&l->uart, got);
    for (unsigned int i = 0; i < n; i++)
        l->early[l->early_head++ % ARRAY_SIZE(l->early)] = got[i];
    return n != 0;
}

void console_say_focus(void)
{
    char text[CS_MESSAGE_MAX];

    if (cs_focus_message(&console_focus, text, sizeof(text)) != 0)
        printk("%s", text);
}

/*
 * Input for domain 0 and for the debugger goes on while the lock is held: two
 * CPUs may hear a line at once, and it has to stay in order. False: not such.
 * *tell: domain 0 has to be told, without the lock.
 */
static bool pass_on(const struct cs_action *act, bool *tell)
{
    if (act->type == CS_ACT_DOMAIN) {
        *tell |= dom0_input_put(act->data, act->nr);
        return true;
    }
    if (act->type != CS_ACT_DEBUG)
        return false;
    for (unsigned int i = 0; i < act->nr && debug_receive; i++)
        debug_receive(act->data[i]);
    return true;
}

/* What else one received byte asks for. No lock held. */
static void act_on(const struct cs_action *act)
{
    switch ((enum cs_action_type)act->type) {
    case CS_ACT_NONE:
    case CS_ACT_QUEUED:
    case CS_ACT_DOMAIN:
    case CS_ACT_DEBUG:
        break;
    case CS_ACT_KEYS:
        for (unsigned int i = 0; i < act->nr; i++)
            debug_key_press(act->data[i]);
        break;
    case CS_ACT_FOCUS:
        debug_key_news(console_say_focus);
        break;
    }
}

/* False: nothing has been received. */
static bool next_byte(struct line *l, u16 *c)
{
    if (!has_early(l) && !line_receive_early(l))
        return false;
    *c = l->early[l->early_tail++ % ARRAY_SIZE(l->early)];
    return true;
}

/*
 * What waits comes first. But half of a batch is the receiver's, which would
 * lose what nobody takes: its bytes get behind what waits. `taken`: so far, of
 * this batch. False: there is nothing, or no room.
 */
static bool next_action(struct line *l, unsigned int taken,
                        struct cs_action *act)
{
    u16 c;

    if (taken < RX_BATCH / 2 && dom0_has_room() && cs_next(&l->port, act))
        return true;
    if (lacks_room(l) || !next_byte(l, &c))
        return false;
    perf_inc(console_in);
    *act = c == SERIAL_BREAK ? cs_rx_break(&l->port) : cs_rx(&l->port, (u8)c);
    return true;
}

/*
 * Take what has been received while there is room for what it may become.
 * Returns how many actions were stored for act_on(). The lock is held.
 */
static unsigned int take_bytes(struct line *l, struct cs_action *acts,
                               bool *tell)
{
    unsigned int n = 0;

    for (unsigned int taken = 0;
         taken < RX_BATCH && next_action(l, taken, &acts[n]); taken++)
        if (!pass_on(&acts[n], tell))
            n++;
    return n;
}

/*
 * Input that has nowhere to go: the line waits. While the debugger holds the
 * machine it polls, and an interrupt would only come behind it, at each step.
 * The lock is held.
 */
static void throttle(struct line *l)
{
    bool full = lacks_room(l), polled = l->port.held;

    ns16550_throttle(&l->uart, full);
    if (l->by_irq)
        ns16550_set_irqs(&l->uart, !full && !polled,
                         !polled && ((line_sends_later(l) &&
                                      cs_tx_pending(&l->port)) ||
                                     line_has_news(l)));
}

/* By the interrupt of an empty transmitter, or by the timer. */
void line_let_in(struct line *l)
{
    throttle(l);
    if (l->by_irq && line_has_news(l))
        ns16550_new_edge(&l->uart);
}

void line_service(struct line *l)
{
    struct cs_action acts[RX_BATCH];
    unsigned long flags = lines_enter();
    bool tell = false;
    unsigned int n = take_bytes(l, acts, &tell);

    if (cs_tx_pending(&l->port))
        line_feed(l);
    throttle(l);
    lines_leave(flags);
    if (tell)
        dom0_input_tell();
    for (unsigned int i = 0; i < n; i++)
        act_on(&acts[i]);
    if (l == debug_line && debug_settled)
        debug_settled();
}

/*
 * Until the chip wants nothing more, as the next edge comes only after that,
 * and nothing waits. One that goes on, as an emulated one may, is made to give
 * an edge.
 */
void line_interrupt(unsigned int port)
{
    struct line *l = &lines[port];
    unsigned long flags;
    unsigned int passes = 0;

    do
        line_service(l);
    while (++passes < MAX_PASSES &&
           (ns16550_wants(&l->uart) || line_has_news(l)));
    if (passes < MAX_PASSES)
        return;
    flags = lines_enter();
    ns16550_new_edge(&l->uart);
    lines_leave(flags);
}

unsigned int console_poll(void)
{
    unsigned int wait = IDLE_POLL_US;

    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++) {
        struct line *l = &lines[i];

        if (!l->by_timer)
            continue;
        for (unsigned int n = 0; n < MAX_PASSES; n++) {
            line_service(l);
            if (!line_has_news(l))
                break;
        }
        if (cs_tx_pending(&l->port) || line_has_news(l))
            wait = MIN(wait, l->fifo_us);
    }
    return wait;
}

void lines_let_in(void)
{
    unsigned long flags = lines_enter();

    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        if (lines[i].configured)
            line_let_in(&lines[i]);
    lines_leave(flags);
}
