/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * National Semiconductor 16550A and its many compatible successors.
 * Registers: data sheet PC16550D, table II.
 */
#include <hv/serial.h>
#include <hv/x86.h>

#define UART_DATA 0 /* receive buffer, transmit holding */
#define UART_IER 1
#define UART_FCR 2 /* write */
#define UART_IIR 2 /* read */
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_MSR 6
#define UART_SCRATCH 7
#define UART_DLL 0 /* with LCR_DLAB */
#define UART_DLM 1

#define IER_RX 0x01
#define IER_TX 0x02
#define IER_LINE 0x04 /* line status: break */
#define FCR_ON 0x01
#define FCR_CLEAR 0x06   /* both FIFOs */
#define FCR_TRIGGER_8 0x80
#define FCR_TRIGGER_14 0xc0
#define IIR_FIFO 0xc0
#define IIR_SOURCE 0x0f
#define IIR_NONE 0x01 /* no interrupt is pending */
#define IIR_RX 0x04 /* the trigger level is reached */
#define LCR_DLAB 0x80
#define LCR_STOP2 0x04
#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT2 0x08 /* gates the interrupt line on PCs */
#define LSR_DATA 0x01
#define LSR_BREAK 0x10
#define LSR_THRE 0x20
#define LSR_ERRORS 0x9e /* of this byte; bit 7: of some byte in the FIFO */

static u8 uart_in(const struct ns16550 *u, unsigned int reg)
{
    return inb((u16)(u->base + reg));
}

static void uart_out(const struct ns16550 *u, unsigned int reg, u8 v)
{
    outb(v, (u16)(u->base + reg));
}

/* Parity bits of the line control register, by letter. */
static u8 parity_bits(char parity)
{
    switch (parity) {
    case 'o': return 0x08;
    case 'e': return 0x18;
    case 'm': return 0x28;
    case 's': return 0x38;
    default: return 0;
    }
}

/* A register that keeps what is written is a UART's; nothing reads as 0xff. */
static bool uart_answers(const struct ns16550 *u)
{
    u8 old = uart_in(u, UART_IER);
    u8 low, high;

    uart_out(u, UART_IER, 0);
    low = uart_in(u, UART_IER) & 0x0f;
    uart_out(u, UART_IER, 0x0f);
    high = uart_in(u, UART_IER) & 0x0f;
    uart_out(u, UART_IER, old & 0x0f);
    return low == 0 && high == 0x0f;
}

bool ns16550_init(struct ns16550 *u, const struct serial_params *p)
{
    u8 lcr = (u8)((p->data_bits - 5) | (p->stop_bits == 2 ? LCR_STOP2 : 0) |
                  parity_bits(p->parity));

    u->base = p->io_base;
    u->irq = p->irq;
    uart_out(u, UART_LCR, lcr);
    if (!uart_answers(u)) {
        u->base = 0;
        return false;
    }
    uart_out(u, UART_IER, 0);
    u->ier = 0;
    if (p->baud != 0) {
        u16 divisor = serial_divisor(p->baud);

        uart_out(u, UART_LCR, lcr | LCR_DLAB);
        uart_out(u, UART_DLL, (u8)divisor);
        uart_out(u, UART_DLM, (u8)(divisor >> 8));
        uart_out(u, UART_LCR, lcr);
    }
    uart_out(u, UART_FCR, FCR_ON | FCR_CLEAR);
    u->fifo = (uart_in(u, UART_IIR) & IIR_FIFO) == IIR_FIFO ? 16 : 1;
    u->trigger = 1;
    ns16550_set_trigger(u, SERIAL_TRIGGER);
    u->mcr = MCR_DTR | MCR_RTS;
    uart_out(u, UART_MCR, u->mcr);
    return true;
}

/*
 * Reading the line status takes a BREAK back (data sheet, LSR bit 4), whoever
 * reads it and for whatever: it is kept until its byte is read.
 */
static u8 line_status(struct ns16550 *u)
{
    u8 lsr = uart_in(u, UART_LSR);

    if (lsr != 0xff && (lsr & LSR_BREAK))
        u->saw_break = true;
    return lsr;
}

unsigned int ns16550_tx_room(struct ns16550 *u)
{
    return line_status(u) & LSR_THRE ? u->fifo : 0;
}

void ns16550_tx(const struct ns16550 *u, const u8 *buf, unsigned int len)
{
    u64 count = len;

    __asm__ volatile("rep outsb"
                     : "+S"(buf), "+c"(count)
                     : "d"(u->base)
                     : "memory");
}

static bool has_byte(u8 lsr)
{
    return lsr != 0xff && (lsr & LSR_DATA);
}

bool ns16550_rx_ready(struct ns16550 *u)
{
    return has_byte(line_status(u)) || u->saw_break;
}

bool ns16550_wants(const struct ns16550 *u)
{
    return !(uart_in(u, UART_IIR) & IIR_NONE);
}

/* As many as the trigger says are there; nothing is wrong with any. */
static unsigned int rx_burst(const struct ns16550 *u, u16 *out)
{
    u8 bytes[SERIAL_BURST], *to = bytes;
    u64 count = u->trigger;

    __asm__ volatile("rep insb"
                     : "+D"(to), "+c"(count)
                     : "d"(u->base)
                     : "memory");
    for (unsigned int i = 0; i < u->trigger; i++)
        out[i] = bytes[i];
    return u->trigger;
}

/* A BREAK is received as a zero; a byte before it may be anything else. */
static u16 rx_byte(struct ns16550 *u)
{
    u8 byte = uart_in(u, UART_DATA);

    if (byte != 0 || !u->saw_break)
        return byte;
    u->saw_break = false;
    return SERIAL_BREAK;
}

/* The trigger is asked for once: each look at the chip is dear in a VM. */
unsigned int ns16550_rx(struct ns16550 *u, u16 *out)
{
    u8 lsr = line_status(u);
    unsigned int n = 0;

    if (u->trigger > 1 && (u->ier & IER_RX) && has_byte(lsr) &&
        !(lsr & LSR_ERRORS) && !u->saw_break &&
        (uart_in(u, UART_IIR) & IIR_SOURCE) == IIR_RX)
        return rx_burst(u, out);
    while (has_byte(lsr)) {
        out[n++] = rx_byte(u);
        if (n == SERIAL_BURST)
            return n;
        lsr = line_status(u);
    }
    /* Its zero found no room in the FIFO, or went as a byte before it. */
    if (u->saw_break) {
        u->saw_break = false;
        out[n++] = SERIAL_BREAK;
    }
    return n;
}

void ns16550_set_trigger(struct ns16550 *u, unsigned int bytes)
{
    u8 level = bytes >= 14 ? FCR_TRIGGER_14 : bytes >= 8 ? FCR_TRIGGER_8 : 0;

    if (u->fifo != 16 || u->trigger == bytes)
        return;
    u->trigger = (u8)bytes;
    uart_out(u, UART_FCR, FCR_ON | level);
}

void ns16550_set_irqs(struct ns16550 *u, bool rx, bool tx)
{
    u8 ier = (u8)((rx ? IER_RX | IER_LINE : 0) | (tx ? IER_TX : 0));

    if (ier != u->ier)
        uart_out(u, UART_IER, ier);
    u->ier = ier;
    if (ier != 0 && !(u->mcr & MCR_OUT2)) {
        u->mcr |= MCR_OUT2;
        uart_out(u, UART_MCR, u->mcr);
    }
}

void ns16550_new_edge(const struct ns16550 *u)
{
    uart_out(u, UART_IER, 0);
    uart_out(u, UART_IER, u->ier);
}

void ns16550_throttle(struct ns16550 *u, bool on)
{
    u8 mcr = on ? u->mcr & (u8)~MCR_RTS : u->mcr | MCR_RTS;

    if (mcr != u->mcr)
        uart_out(u, UART_MCR, mcr);
    u->mcr = mcr;
}
