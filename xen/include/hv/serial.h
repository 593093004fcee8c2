/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The serial ports: 16550 UARTs by I/O port, named com1 and com2.
 * No locks here: console.c serialises. Floor: console.
 */
#ifndef HV_SERIAL_H
#define HV_SERIAL_H

#include <hv/compiler.h>
#include <hv/types.h>

#define NR_SERIAL_PORTS 2
#define SERIAL_MAX_IRQ 31

/* How a line is driven, as com1= and com2= say. */
struct serial_params {
    u32 baud; /* 0: leave as firmware set it (auto) */
    u8 data_bits, stop_bits;
    char parity; /* n o e m s */
    u16 io_base;
    u8 irq; /* 0: polled by timer */
};

/*
 * <baud>|auto[,DPS[,<io_base>,<irq>]] into *p, whose io_base and irq hold the
 * port's defaults. NULL, or what is wrong as text for a message, and *bad_word
 * (size bytes) names the word.
 */
const char *serial_parse(const char *text, struct serial_params *p,
                         char *bad_word, size_t size);

/* Port number of "com<n>...", from 0, or -1. *rest: what follows. */
int serial_port_of(const char *word, const char **rest);

/* The chip's divisor for a baud rate >= 1200, 0 if it has none that is near. */
u16 serial_divisor(u32 baud);

#define SERIAL_BREAK 0x100 /* among received bytes: a line BREAK */
#define SERIAL_BURST 16    /* how many may come at once */

struct ns16550 {
    u16 base;    /* I/O port; 0: port off */
    u8 irq;
    u8 fifo;     /* bytes that fit when the transmitter is empty */
    u8 ier;      /* interrupt enable register as last written */
    u8 mcr;
    u8 trigger;  /* bytes that make the receiver speak up; 1: no FIFO */
    bool saw_break; /* in the line status; not received yet */
};

/* Program the chip, interrupts off. False: there is no UART at that address. */
bool ns16550_init(struct ns16550 *u, const struct serial_params *p);
/* Bytes that may be written now: the FIFO's size, or 0. */
unsigned int ns16550_tx_room(struct ns16550 *u);
void ns16550_tx(const struct ns16550 *u, const u8 *buf, unsigned int len);
/*
 * What has been received, bytes and SERIAL_BREAK, into out[SERIAL_BURST]; the
 * count returned is not all there is until it is 0.
 */
unsigned int ns16550_rx(struct ns16550 *u, u16 *out);
bool ns16550_rx_ready(struct ns16550 *u); /* rx() would have a byte */
/* An interrupt is pending; asking takes back that of an empty transmitter. */
bool ns16550_wants(const struct ns16550 *u);
/* Received bytes that make an interrupt at once, 1, 8 or 14; fewer do after
 * the time of four. A chip without a FIFO has no choice. */
#define SERIAL_TRIGGER 8         /* keeps half of the FIFO in reserve */
#define SERIAL_TRIGGER_POLLED 14 /* for who looks without pause */
void ns16550_set_trigger(struct ns16550 *u, unsigned int bytes);
/* Interrupts wanted: on received bytes, on an empty transmitter. */
void ns16550_set_irqs(struct ns16550 *u, bool rx, bool tx);
/* Take back the interrupt, then let it be: as an edge, if there is reason. */
void ns16550_new_edge(const struct ns16550 *u);
/* Ask the far end to pause (RTS low) or to go on. */
void ns16550_throttle(struct ns16550 *u, bool on);

#endif
