/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console: serial lines (shared with the debugger by conswitch), VGA text,
 * the ring that remembers, and who gets what is typed.
 *
 * Lock order: printk's lock, then one line's lock. Both are taken with irqs
 * off and may be broken by console_force_unlock() on a fatal path.
 * Floor: console.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/compiler.h>
#include <hv/percpu.h>
#include <hv/types.h>

DECLARE_PER_CPU(u32, console_activity); /* grows whenever this CPU prints */

/* --- printk.c --- */
/* What printk cannot know on its floor; registered by boot/start.c. */
struct printk_ops {
    s_time_t (*now)(void);
    /* Domain and vCPU that run here; false: none (idle). */
    bool (*guest)(unsigned int *domid, unsigned int *vcpu);
};
void printk_register(const struct printk_ops *ops);
/*
 * The machine ends: this CPU takes no more locks of printk and of the lines,
 * any other that wants to print stops; output is polled and everything queued
 * goes out.
 */
void console_force_unlock(void);
/* Text as it is: no prefix, no level. Counted bytes. Any context. */
void console_puts(const char *text, size_t len);
/* More or fewer levels of messages come out (debug keys + and -). */
void printk_change_level(int by);

/* --- conring.c: the last conring_size= bytes of output --- */
void conring_append(const char *text, size_t len); /* printk's lock held */
/*
 * Copy up to max bytes from position *index (clamped to what is kept; 0: the
 * oldest), advance it, return the count. Positions count bytes since boot.
 */
u32 conring_read(u32 *index, char *buf, u32 max);
u32 conring_end(void);    /* position of the next byte */
size_t conring_size_now(void);
void conring_replay(void); /* boot: what was said before there was a console */
void conring_clear(void); /* readers start here from now on */
/* Replace the boot-time buffer by one of conring_size(), from this memory. */
size_t conring_wanted_size(void);
void conring_move(void *memory, size_t size);

/* --- console.c --- */
/* Options are parsed: open the ports polled, find VGA. */
void console_init_polled(void);
/*
 * Interrupts work: take each port's line through `request` (0 or -errno).
 * Ports without an irq are to be polled: console_needs_poll().
 */
void console_init_irqs(int (*request)(unsigned int isa_irq,
                                      void (*fn)(unsigned int port),
                                      unsigned int port));
/* Ports without an interrupt: from now on console_poll() is called. */
bool console_needs_poll(void);
/* Receive and transmit by hand; returns in how many us to come again. */
unsigned int console_poll(void);
/* This CPU is in the middle of output, or waits for another that is: an NMI
 * that is no crash had better print later. Else the two are mixed, or it waits
 * for a ticket lock whose next ticket it came upon. */
bool console_busy_here(void);
void console_flush(void); /* wait, bounded, until all lines are empty */

/* Domain 0 starts: it takes part in the input, and perhaps the VGA screen. */
void console_dom0_started(const char *dom0_cmdline);
/* Clear the bits of our UARTs' I/O ports in a bitmap of 65536. */
void console_deny_ports(u8 *allowed);
/* Called when input for domain 0 arrives in an empty ring (VIRQ_CONSOLE). */
void console_register_dom0_input(void (*notify)(void));
/* Input for domain 0: up to max bytes, the count returned. */
size_t console_dom0_read(char *buf, size_t max);
/*
 * Output of domain 0 to the serial lines; returns how much was taken, which
 * is less than len when the rings are full: try again later.
 */
size_t console_dom0_write(const char *buf, size_t len);

/*
 * The debugger's half of a line. handle: what stands behind pdb=. Bytes for it
 * go to receive() in order, with the line's lock held, irqs off: it keeps them.
 * -EINVAL no such port word, -ENODEV port not configured, -EBUSY conflict.
 */
int console_debug_open(const char *handle, void (*receive)(u8 byte));
/* fn is called, irqs off, after each batch of bytes that receive() was given,
 * when none of them is in between any more: here the machine may be stopped. */
void console_debug_settled(void (*fn)(void));
void console_debug_write(const u8 *buf, size_t len); /* queues and sends */
/*
 * Before the other CPUs are stopped, irqs off: take the locks of printk and of
 * the lines, so that none of the stopped holds them. Bounded: a lock that does
 * not come free is passed by. Unclaim gives up what was taken.
 */
void console_debug_claim(void);
void console_debug_unclaim(void);
/* Take the machine: lines are polled, console input is kept, not handled. */
void console_debug_hold(bool on);
bool console_debug_held(void);
/* While held: poll the debugger's line; receive() is called for each byte. */
void console_debug_poll(void);
/* In us: how long the line takes to fill its FIFO. */
unsigned int console_debug_fifo_us(void);
/* What console_debug_write() takes without waiting, in bytes: a hint. */
size_t console_debug_room(void);
/* Bytes have come, on that line or the console's. Any CPU, no lock. */
bool console_lines_waiting(void);
void console_lines_poll(void); /* takes them */
/*
 * While not held: they lay there at the last look, too, and nobody has taken
 * one since. *look is the caller's, 0 at first. Any CPU, no lock.
 */
bool console_lines_neglected(u64 *look);
/* fn is given all that goes to the console, lines' lock held, irqs off. */
void console_debug_overhear(void (*fn)(const char *text, size_t len));

/* --- vga.c --- */
void vga_init(void *text_memory); /* 32 KiB at physical 0xb8000; NULL: off */
void vga_write(const char *text, size_t len);
bool vga_present(void);

/* --- keys.c --- */
struct debug_key {
    u8 key;
    bool immediate; /* in the interrupt, else later with irqs on; a safe one
                       too, unless the CPU may never get to it */
    bool safe;      /* `*` presses it too */
    const char *description;
    void (*fn)(u8 key);
};
/* Keys of a floor, at boot. A key taken already is a bug. */
void debug_keys_register(const struct debug_key *keys, unsigned int n);
/* A key was typed at the hypervisor. Any context with irqs off. */
void debug_key_press(u8 key);
const struct debug_key *debug_key_find(u8 key); /* NULL: no such key */
/*
 * Deferred keys: run(arg) is to be called soon, irqs on (tasklet). soon(): that
 * will be right after this interrupt, for the CPU is in a guest or idle.
 */
void debug_keys_register_defer(void (*defer)(void (*run)(void *)),
                               bool (*soon)(void));
/* fn() prints news that came with an interrupt: after it, like a key. */
void debug_key_news(void (*fn)(void));
void debug_keys_init(void); /* the keys of this floor */

/* --- keyboard.c --- */
/* A scan code passed by on its way to domain 0 (port 0x60, set 1). */
void keyboard_listen(u8 scancode);
/* While nobody else drives the keyboard: take what it has. Any context. */
void keyboard_fetch(void);

#endif
