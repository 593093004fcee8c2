/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console's lines; receive.c has what they hear.
 *
 * Each serial port is a line with a cs_port (conswitch) that holds what is to
 * be sent and tells what a received byte means.  A line's lock guards its
 * cs_port, its UART, and, for all lines, the focus (one lock for all of them:
 * the focus is shared).  What received bytes ask for is done after the lock is
 * given up.  A writer never waits for room while it holds a lock: see
 * console_wait_room().
 */
#include <conswitch.h>
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/percpu.h>
#include <hv/perf.h>
#include <hv/printk.h>
#include <hv/serial.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "internal.h"
#include "lines.h"

/*
 * Microseconds before a transmitter counts as stuck; and once it does. A slow
 * line gets time for its FIFO. What tells the time is here before any clock:
 * polls of the line status, and the TSC at a rate that it has at most. Both
 * must be over: an emulated UART answers faster than the bus ever did, and an
 * emulated CPU may sleep.
 */
#define TX_PATIENCE 1000000U
#define TX_PATIENCE_AT(baud) (TX_PATIENCE + 2000000000U / (baud))
#define TX_PATIENCE_STUCK 3000U
#define TICKS_A_US 4000U
#define TX_SLICE 20U  /* polls under the lock, irqs off, in one go */
#define TX_BURSTS 5U  /* FIFOs that a writer fills where each empties at once */
#define TX_WAITS 8U   /* a line that moves is waited for so many patiences */
#define TX_RESERVE 2048U /* of the ring: domain 0 leaves it for messages */
#define SLOWEST 1200
struct line lines[NR_SERIAL_PORTS];
struct cs_focus console_focus;
static bool force_polled; /* fatal path, debugger, or sync_console */
static bool fatal; /* the machine ends: nobody listens any more */
static bool vga_wanted, vga_keep;
static bool opened; /* ports and screen are known; until then: the ring only */

void (*debug_receive)(u8 byte);
void (*debug_settled)(void);
struct line *debug_line;
static bool printk_claimed; /* by the debugger */
static void (*debug_overhear)(const char *text, size_t len);

static bool sync_console;
static char opt_console[32] __initdata = "com1,vga";
static char opt_conswitch[8] __initdata = "a";
static char opt_com[NR_SERIAL_PORTS][32] __initdata;
OPTION_BOOL(sync_console, sync_console);
OPTION_STRING(console, opt_console);
OPTION_STRING(conswitch, opt_conswitch);
OPTION_STRING(com1, opt_com[0]);
OPTION_STRING(com2, opt_com[1]);
/* ser_baud=<baud>: what com1= was called first. */
static int __init parse_ser_baud(const char *value)
{
    log_warn("ser_baud= is the old name: say com1=%s,8n1\n", value);
    snprintf(opt_com[0], sizeof(opt_com[0]), "%s,8n1", value);
    return 0;
}
OPTION_CUSTOM(ser_baud, parse_ser_baud);

static char opt_vga[8] __initdata;
OPTION_STRING(vga, opt_vga);

/* Bytes written by each CPU: a sign of life for the watchdog. */
DEFINE_PER_CPU(u32, console_activity);

/* ------------------------------------------------------------ sending */

bool line_feed(struct line *l)
{
    u8 out[16];
    size_t room = MIN(ns16550_tx_room(&l->uart), sizeof(out)), n = 0;

    if (room != 0)
        n = cs_tx(&l->port, out, room);
    if (n == 0)
        return false;
    ns16550_tx(&l->uart, out, (unsigned int)n);
    l->stuck = false;
    return true;
}

/* No character left in so many polls and ticks of the TSC. */
static bool out_of_patience(const struct line *l, unsigned int polls, u64 ticks)
{
    unsigned int patience = l->stuck ? TX_PATIENCE_STUCK : l->patience;

    return polls >= patience && ticks >= (u64)patience * TICKS_A_US;
}

/* Wait, bounded, for an empty transmitter and feed it. False: no progress. */
static bool feed_polled(struct line *l)
{
    u64 since = rdtsc();

    for (unsigned int i = 0; !out_of_patience(l, i, rdtsc() - since); i++) {
        if (ns16550_tx_room(&l->uart) != 0) {
            this_cpu(console_activity)++;
            return line_feed(l);
        }
        while (!fatal && line_receive_early(l))
            ;
        cpu_relax();
    }
    this_cpu(console_activity)++;
    l->stuck = true;
    return false;
}

bool line_sends_later(const struct line *l)
{
    return (l->by_irq || l->by_timer) && !force_polled;
}

/* After something was queued: start or continue sending. The lock is held. */
static void start_sending(struct line *l)
{
    if (!line_sends_later(l)) {
        while (cs_tx_pending(&l->port) && feed_polled(l))
            ;
        /* The interrupt of an empty transmitter brings line_service(). */
        if (line_has_news(l) && l->by_irq && !l->port.held)
            ns16550_set_irqs(&l->uart, true, true);
        return;
    }
    /* An emulated line is empty at once: it needs no interrupts, which would
     * have another CPU take turns with this one at the lock. */
    for (unsigned int i = 0; i < TX_BURSTS && line_feed(l); i++)
        ;
    if (l->by_irq)
        ns16550_set_irqs(&l->uart, true,
                         cs_tx_pending(&l->port) || line_has_news(l));
}

/* Says on the line's console that n of something were lost, if it can be said
 * now: then n is 0. */
static void tell_lost(struct line *l, u64 *n, const char *what)
{
    char text[96];
    int len;

    if (*n == 0 || l->stuck ||
        cs_tx_room(&l->port, CS_CONSOLE) < sizeof(text))
        return;
    len = snprintf(text, sizeof(text), "\n(XEN) %lu %s\n", *n, what);
    *n = 0;
    cs_write(&l->port, CS_CONSOLE, (const u8 *)text, (size_t)len);
}

/*
 * Once a line moves again and has room it tells what it lost, as a whole; what
 * it could not keep of what was typed, once the machine goes on. The lock is
 * held.
 */
static void tell_loss(struct line *l)
{
    u64 all = l->port.stats.rx_dropped, unheard = all - l->told_unheard;

    tell_lost(l, &l->dropped, "bytes of output were lost on this line");
    if (l->port.held || unheard == 0)
        return;
    tell_lost(l, &unheard,
              "characters typed while the debugger held the machine were lost");
    if (unheard == 0)
        l->told_unheard = all;
}

/*
 * Queue all of it. Whoever wanted to wait for room has done so; what finds
 * none is dropped and counted. The debugger's packets, and a polled line, make
 * room by hand.
 */
static void queue_output(struct line *l, enum cs_role role, const u8 *buf,
                         size_t len)
{
    tell_loss(l);
    while (len != 0) {
        size_t n = cs_write(&l->port, role, buf, len);

        perf_add(console_out, n);
        buf += n;
        len -= n;
        if (n == 0 && ((role == CS_CONSOLE && line_sends_later(l)) ||
                       !feed_polled(l))) {
            l->dropped += len;
            break;
        }
    }
    start_sending(l);
}

bool line_has_role(const struct line *l, enum cs_role role)
{
    return l->configured && l->port.suffix[role] != CS_CLOSED;
}

/* So much more would not fit into the ring now. Any context, no lock. */
static bool full_for(const struct line *l, size_t len)
{
    return line_has_role(l, CS_CONSOLE) && line_sends_later(l) &&
           cs_tx_room(&l->port, CS_CONSOLE) < MIN(len, (size_t)CS_TX_CONSOLE);
}

static u64 bytes_sent(const struct line *l)
{
    return l->port.stats.tx[CS_CONSOLE] + l->port.stats.tx[CS_DEBUG];
}

/* A few polls of a transmitter, for a caller whose irqs may be off. */
static void send_slice(struct line *l)
{
    unsigned long flags = lines_enter();
    bool irqs_off = !(flags & X86_EFLAGS_IF);

    for (unsigned int i = 0; i < TX_SLICE; i++) {
        if (ns16550_tx_room(&l->uart) != 0) {
            line_feed(l);
            break;
        }
        if (irqs_off)
            line_receive_early(l);
        cpu_relax();
    }
    if (l->by_irq && line_sends_later(l))
        ns16550_set_irqs(&l->uart, true,
                         cs_tx_pending(&l->port) || line_has_news(l));
    lines_leave(flags);
}

/* See console_wait_room(). */
static bool wait_for_line(struct line *l, size_t len)
{
    unsigned int still = 0, waited = 0;
    u64 sent = bytes_sent(l), began = rdtsc(), moved = began;

    while (full_for(l, len)) {
        send_slice(l);
        still += TX_SLICE;
        waited += TX_SLICE;
        if (sent != bytes_sent(l)) {
            sent = bytes_sent(l);
            still = 0;
            moved = rdtsc();
            this_cpu(console_activity)++;
        } else if (out_of_patience(l, still, rdtsc() - moved)) {
            l->stuck = true;
            return false;
        }
        if (out_of_patience(l, waited / TX_WAITS,
                            (rdtsc() - began) / TX_WAITS))
            return false;
    }
    return true;
}

bool console_has_room(size_t len)
{
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        if (full_for(&lines[i], len))
            return false;
    return true;
}

bool console_wait_room(size_t len)
{
    bool room = true;

    this_cpu(console_activity)++;
    if (lines_held_here())
        return false; /* an NMI or a fault in the middle of output */
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        room &= wait_for_line(&lines[i], len);
    return room;
}

void console_puts(const char *text, size_t len)
{
    unsigned long flags;

    if (!opened)
        return;
    this_cpu(console_activity)++;
    flags = lines_enter();
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        if (line_has_role(&lines[i], CS_CONSOLE))
            queue_output(&lines[i], CS_CONSOLE, (const u8 *)text, len);
    if (vga_wanted)
        vga_write(text, len);
    if (debug_overhear)
        debug_overhear(text, len);
    lines_leave(flags);
}

size_t console_dom0_write(const char *buf, size_t len)
{
    unsigned long flags;
    size_t n = len, room;

    flags = lines_enter();
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++) {
        if (!line_has_role(&lines[i], CS_CONSOLE) || lines[i].stuck)
            continue;
        start_sending(&lines[i]);
        room = cs_tx_room(&lines[i].port, CS_CONSOLE);
        n = MIN(n, room - MIN(room, (size_t)TX_RESERVE));
    }
    /* A line that is stuck loses what it has no room for, and counts it. */
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        if (line_has_role(&lines[i], CS_CONSOLE))
            queue_output(&lines[i], CS_CONSOLE, (const u8 *)buf, n);
    if (vga_wanted)
        vga_write(buf, n);
    if (debug_overhear)
        debug_overhear(buf, n);
    lines_leave(flags);
    return n;
}

void console_flush(void)
{
    unsigned long flags;

    flags = lines_enter();
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        while (lines[i].configured && cs_tx_pending(&lines[i].port) &&
               feed_polled(&lines[i]))
            ;
    lines_leave(flags);
}

void console_force_unlock(void)
{
    force_polled = fatal = true;
    console_end_locks();
    console_flush();
}

/* -------------------------------------------------------- the debugger */

/* A role takes "com1", "com1H"... -EINVAL, -ENODEV, -EBUSY, explained. */
static int open_handle(const char *word, enum cs_role role)
{
    const char *suffix_text = "";
    int port = serial_port_of(word, &suffix_text);
    enum cs_suffix suffix = cs_suffix_parse(suffix_text, strlen(suffix_text));
    int rc;

    if (port < 0 || suffix == CS_CLOSED) {
        log_error("ERROR: bad serial-interface specification '%s': use com1 or com2, with H or L behind it on a shared line.\n",
                  word);
        return -EINVAL;
    }
    if (!lines[port].configured)
        return -ENODEV;
    rc = cs_port_open(&lines[port].port, role, suffix);
    if (rc != 0)
        log_error("ERROR: Conflicting receive handlers for COM%d: '%s' is taken.\n",
                  port + 1, word);
    return rc == 0 ? 0 : -EBUSY;
}

/* gdb's ^C comes alone: on a line of its own it does not wait for more. */
static unsigned int debug_trigger(bool held)
{
    if (held)
        return SERIAL_TRIGGER_POLLED;
    return line_has_role(debug_line, CS_CONSOLE) ? SERIAL_TRIGGER : 1;
}

int console_debug_open(const char *handle, void (*receive)(u8 byte))
{
    int rc = open_handle(handle, CS_DEBUG);

    if (rc == -ENODEV)
        log_error("ERROR: cannot use unconfigured serial port COM%c: give com%c= on the boot line.\n",
                  handle[3], handle[3]);
    if (rc != 0)
        return rc;
    debug_receive = receive;
    debug_line = &lines[handle[3] - '1'];
    ns16550_set_trigger(&debug_line->uart, debug_trigger(false));
    return 0;
}

void console_debug_settled(void (*fn)(void))
{
    debug_settled = fn;
}

void console_debug_claim(void)
{
    printk_claimed = printk_claim();
    if (!fatal)
        lines_claim();
    console_pass_locks(true);
}

void console_debug_unclaim(void)
{
    console_pass_locks(false);
    lines_unclaim();
    if (printk_claimed) {
        printk_claimed = false;
        printk_unclaim();
    }
}

void console_debug_write(const u8 *buf, size_t len)
{
    unsigned long flags;

    if (!debug_line)
        return;
    flags = lines_enter();
    queue_output(debug_line, CS_DEBUG, buf, len);
    lines_leave(flags);
}

void console_debug_hold(bool on)
{
    unsigned long flags;

    if (!debug_line)
        return;
    flags = lines_enter();
    cs_hold(&debug_line->port, on);
    force_polled = on || sync_console || fatal;
    ns16550_set_trigger(&debug_line->uart, debug_trigger(on));
    if (!on) {
        tell_loss(debug_line);
        start_sending(debug_line);
    }
    line_let_in(debug_line);
    lines_leave(flags);
}

bool console_debug_held(void)
{
    return debug_line && debug_line->port.held;
}

/* Something comes in there for the debugger, or for the console. */
static bool is_heard(const struct line *l)
{
    return l->configured && (l == debug_line || line_has_role(l, CS_CONSOLE));
}

bool console_lines_waiting(void)
{
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        if (is_heard(&lines[i]) && line_is_waiting(&lines[i]))
            return true;
    return false;
}

/* Bytes that have been taken from there so far. */
static u64 lines_taken(void)
{
    u64 nr = 0;

    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++) {
        const struct cs_stats *s = &lines[i].port.stats;

        nr += s->rx[CS_CONSOLE] + s->rx[CS_DEBUG] + s->rx_unclaimed;
    }
    return nr;
}

bool console_lines_neglected(u64 *look)
{
    u64 seen = 0;
    bool neglected;

    if (!console_debug_held() && console_lines_waiting())
        seen = lines_taken() + 1;
    neglected = seen != 0 && seen == *look;
    *look = neglected ? 0 : seen;
    return neglected;
}

size_t console_debug_room(void)
{
    return debug_line ? cs_tx_room(&debug_line->port, CS_DEBUG) : 0;
}

void console_lines_poll(void)
{
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        if (is_heard(&lines[i]))
            line_service(&lines[i]);
}

void console_debug_overhear(void (*fn)(const char *text, size_t len))
{
    debug_overhear = fn;
}

void console_debug_poll(void)
{
    if (debug_line)
        line_service(debug_line);
}

unsigned int console_debug_fifo_us(void)
{
    return debug_line ? debug_line->fifo_us : 0;
}

/* ------------------------------------------------------------ start-up */

static void __init open_port(unsigned int i)
{
    static const u16 base[NR_SERIAL_PORTS] __initconst = {0x3f8, 0x2f8};
    static const u8 irq[NR_SERIAL_PORTS] __initconst = {4, 3};
    struct serial_params p = {.io_base = base[i], .irq = irq[i]};
    struct line *l = &lines[i];
    const char *wrong;
    char word[32];

    cs_port_init(&l->port, &console_focus);
    l->patience = TX_PATIENCE_AT(SLOWEST);
    if (opt_com[i][0] == '\0')
        return;
    wrong = serial_parse(opt_com[i], &p, word, sizeof(word));
    if (wrong) {
        log_error("ERROR: com%u=: '%s': %s. Port off.\n", i + 1, word, wrong);
        return;
    }
    l->patience = TX_PATIENCE_AT(p.baud ? p.baud : SLOWEST);
    l->configured = ns16550_init(&l->uart, &p);
    /* Ten bits a character, and a little more: it is empty then. */
    l->fifo_us = l->uart.fifo * 10300000U / (p.baud ? p.baud : 115200);
    if (!l->configured)
        log_error("ERROR: com%u=: there is no serial port at %#x. Port off.\n",
                  i + 1, p.io_base);
}

/* com... takes a port, vga the screen, anything else is named. */
static void __init open_console_word(const char *word)
{
    if (strncmp(word, "com", 3) == 0)
        open_handle(word, CS_CONSOLE);
    else if (strcmp(word, "vga") == 0)
        vga_wanted = true;
    else if (strcmp(word, "none") != 0 && word[0] != '\0')
        log_error("ERROR: console=: '%s' is none of com1, com2 (with H or L), vga, none.\n",
                  word);
}

void __init console_init_polled(void)
{
    cs_focus_init(&console_focus);
    if (cs_focus_option(&console_focus, opt_conswitch,
                        strlen(opt_conswitch)) != 0)
        log_error("ERROR: conswitch=: '%s' is no letter or backtick with an optional x; 'a' is used.\n",
                  opt_conswitch);
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        open_port(i);
    options_split(opt_console, open_console_word);
    force_polled = sync_console;
    vga_keep = strcmp(opt_vga, "keep") == 0;
    opened = true;
    conring_replay();
    if (sync_console)
        log_warn("sync_console: who prints waits for the line, irqs off.\n");
}

void __init console_init_irqs(int (*request)(unsigned int isa_irq,
                                             void (*fn)(unsigned int port),
                                             unsigned int port))
{
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++) {
        struct line *l = &lines[i];

        if (!l->configured)
            continue;
        l->by_irq = l->uart.irq != 0 &&
                    request(l->uart.irq, line_interrupt, i) == 0;
        if (!l->by_irq && l->uart.irq != 0)
            log_warn("com%u: irq %u is not to be had: polled.\n", i + 1,
                     l->uart.irq);
        if (l->by_irq)
            line_service(l);
    }
}

bool console_needs_poll(void)
{
    bool any = false;

    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        if (lines[i].configured && !lines[i].by_irq)
            any = lines[i].by_timer = true;
    return any;
}

void console_dom0_started(const char *dom0_cmdline)
{
    bool wants_vga = vga_wanted && strstr(dom0_cmdline, "tty0");
    unsigned long flags;

    if (wants_vga)
        log_info("VGA: %s (tty0)\n",
                 vga_keep ? "kept, as vga=keep says; domain 0 has it too"
                          : "from now on domain 0's; vga=keep keeps it");
    flags = lines_enter();
    cs_focus_dom0_started(&console_focus);
    if (wants_vga && !vga_keep)
        vga_wanted = false;
    lines_leave(flags);
    console_say_focus();
}

void console_deny_ports(u8 *allowed)
{
    for (unsigned int i = 0; i < NR_SERIAL_PORTS; i++)
        for (unsigned int p = 0; lines[i].configured && p < 8; p++)
            __clear_bit(lines[i].uart.base + p, allowed);
}
