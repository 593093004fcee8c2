/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console's lines: what console.c, which sends and starts, and receive.c
 * share.  All of it with the lines' lock held unless it says otherwise.
 */
#ifndef HV_CONSOLE_LINES_H
#define HV_CONSOLE_LINES_H

#include <conswitch.h>
#include <hv/serial.h>
#include <hv/types.h>

struct line {
    struct ns16550 uart;
    struct cs_port port;
    bool configured; /* com<n>= was given and the UART is there */
    bool by_irq;
    bool by_timer;   /* no irq: console_poll() is called every now and then */
    bool stuck;      /* the transmitter did not move: wait less */
    unsigned int patience; /* us */
    unsigned int fifo_us; /* time to send what the FIFO holds */
    u64 dropped;
    u64 told_unheard; /* of port.stats.rx_dropped: what has been told */
    /* Received, not looked at yet: free running. */
    u32 early_head, early_tail;
    u16 early[256]; /* bytes, SERIAL_BREAK */
};

extern struct line lines[NR_SERIAL_PORTS];
extern struct cs_focus console_focus;

/* The debugger's line, NULL: none; who is given its bytes, who is told then. */
extern struct line *debug_line;
extern void (*debug_receive)(u8 byte);
extern void (*debug_settled)(void);

bool line_has_role(const struct line *l, enum cs_role role);
/* What is queued goes out by itself, by interrupt or by timer. */
bool line_sends_later(const struct line *l);
/*
 * Give the transmitter what it takes now. False: it takes nothing, or there is
 * nothing for it.
 */
bool line_feed(struct line *l);

/*
 * Keep what has come for later: the receiver's FIFO is full after a
 * millisecond, and nobody else empties it while we wait with irqs off. False:
 * nothing has, or there is no room.
 */
bool line_receive_early(struct line *l);
/* Something has come, and may be handled now, of which the receiver's interrupt
 * tells no more. A hint if the lock is not held. */
bool line_has_news(const struct line *l);
/* Or its receiver has something for which there is room. */
bool line_is_waiting(struct line *l);
/* There may be room for what waits: see that it comes in. */
void line_let_in(struct line *l);
/* Receive and send what is due. No lock held. */
void line_service(struct line *l);
void line_interrupt(unsigned int port); /* no lock held */
void console_say_focus(void); /* no lock held */

#endif
