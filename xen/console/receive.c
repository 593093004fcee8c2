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

bool line_has_early(const struct line *l)
{
    return l->early_head != l->early_tail;
}

bool line_has_news(const struct line *l)
{
    return line_has_early(l) || l->uart.saw_break;
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
    if (!line_has_early(l) && !line_receive_early(l))
        return false;
    *c = l->early[l->early_tail++ % ARRAY_SIZE(l->early)];
    return true;
}

/*
 * There may be no room for what comes next, should it be for domain 0. On the
 * debugger's own line nothing is, nor while it holds the machine: a domain 0
 * that does not read must not keep gdb out.
 */
static bool lacks_room(const struct line *l)
{
    return line_has_role(l, CS_CONSOLE) && !l->port.held &&
           dom0_input_room() <= RX_ROOM;
}

/*
 * Take bytes from the UART while there is room for what they may become.
 * Returns how many actions were stored for act_on(). The lock is held.
 */
static unsigned int take_bytes(struct line *l, struct cs_action *acts,
                               bool *tell)
{
    unsigned int n = 0;
    u16 c;

    for (unsigned int taken = 0;
         taken < RX_BATCH && !lacks_room(l) && next_byte(l, &c); taken++) {
        perf_inc(console_in);
        acts[n] = c == SERIAL_BREAK ? cs_rx_break(&l->port)
                                    : cs_rx(&l->port, (u8)c);
        if (!pass_on(&acts[n], tell))
            n++;
    }
    return n;
}

/* Input for domain 0 has nowhere to go: the line waits. The lock is held. */
static void throttle(struct line *l)
{
    bool full = lacks_room(l);

    ns16550_throttle(&l->uart, full);
    if (l->by_irq)
        ns16550_set_irqs(&l->uart, !full,
                         (line_sends_later(l) && cs_tx_pending(&l->port)) ||
                             (!full && line_has_news(l)));
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
 * Until the chip wants nothing more, as the next edge comes only after that.
 * One that goes on, as an emulated one may, is made to give an edge.
 */
void line_interrupt(unsigned int port)
{
    struct line *l = &lines[port];
    unsigned long flags;
    unsigned int passes = 0;

    do
        line_service(l);
    while (++passes < MAX_PASSES && ns16550_wants(&l->uart));
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
        line_service(l);
        if (cs_tx_pending(&l->port))
            wait = MIN(wait, l->fifo_us);
    }
    return wait;
}

void lines_let_in(void)
{
    unsigned long flags = lines_enter();

    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        if (lines[i].configured)
            throttle(&lines[i]);
    lines_leave(flags);
}

void line_replay(struct line *l)
{
    struct cs_action act;
    unsigned long flags;
    bool more, here, tell = false;

    do {
        flags = lines_enter();
        more = cs_next(&l->port, &act);
        here = more && !pass_on(&act, &tell);
        lines_leave(flags);
        if (here)
            act_on(&act);
    } while (more);
    if (tell)
        dom0_input_tell();
}
