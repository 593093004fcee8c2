/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conswitch: one serial line shared by a console and a debugger.
 *
 * A core without I/O: the caller owns the structures, pushes bytes in and
 * pulls bytes and actions out.  Nothing here allocates, locks, waits or reads
 * a clock, so the same files serve the hypervisor and the host's tools.
 *
 * A line carries two channels, told apart by the top bit of every character
 * (H: set, L: clear).  A *role* (the console, the debugger) takes a line
 * through a handle with a suffix:
 *
 *   suffix     transmit                 receive
 *   CS_PLAIN   byte unchanged           every byte, unchanged
 *   CS_H       top bit set              bytes with the top bit, which is
 *                                       removed
 *   CS_L       top bit clear            bytes without the top bit
 *
 * Rules on a line that has a suffix (a *shared* line):
 *  - the console's output gets CR before every LF, and each byte >= 0x80 is
 *    written as the four characters \xHH (lower-case hexadecimal), so that no
 *    console output can ever turn up in the other channel;
 *  - the debugger's output goes out as it is (a CR would break a checksum).
 *    It has to be 7-bit; a byte that is not is refused and counted.
 * A plain console gives way to a debugger that asks for H or L on the same
 * port and then behaves as the other half.
 *
 * Locking: none.  All calls on one cs_port, and on the cs_focus behind it,
 * must be serialised by the caller.  Context: any.
 */
#ifndef CONSWITCH_H
#define CONSWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes kept of each kind.  Powers of two. */
#ifndef CS_RX_QUEUE
#define CS_RX_QUEUE 131072u /* console input while the debugger holds on */
#endif
#ifndef CS_TX_CONSOLE
#define CS_TX_CONSOLE 16384u
#endif
#ifndef CS_TX_DEBUG
#define CS_TX_DEBUG 8192u
#endif

#define CS_MAX_OWNERS 16u   /* the hypervisor and up to 15 domains */
#define CS_OWNER_HV 0xffffu /* owner number of the hypervisor */
#define CS_TURN 256u        /* console bytes sent before the debugger's turn */
#define CS_ENCODED_MAX 4u   /* longest form of one byte on the line */
#define CS_MESSAGE_MAX 96u  /* room for cs_focus_message() */

/* Errors, negative, with the values of the Xen ABI's errno list. */
#define CS_ENOENT (-2)  /* no such owner */
#define CS_EBUSY (-16)  /* the port, or that half of it, is taken */
#define CS_EEXIST (-17) /* that role or owner is there already */
#define CS_EINVAL (-22) /* malformed option */
#define CS_ENOSPC (-28) /* CS_MAX_OWNERS reached */

enum cs_role {
    CS_CONSOLE,
    CS_DEBUG,
    CS_NR_ROLES
};
enum cs_suffix {
    CS_CLOSED,
    CS_PLAIN,
    CS_H,
    CS_L
};

/* What the caller has to do about a received byte. */
enum cs_action_type {
    CS_ACT_NONE,   /* eaten: part of a switch sequence, or nobody's */
    CS_ACT_KEYS,   /* data[0..nr): characters for the debug-key table */
    CS_ACT_DOMAIN, /* data[0..nr): input for domain `owner` */
    CS_ACT_DEBUG,  /* data[0..nr): bytes for the debugger, top bit removed */
    CS_ACT_FOCUS,  /* the input now belongs to `owner`: print the message */
    CS_ACT_QUEUED, /* kept until the debugger lets go: see cs_next() */
};

struct cs_action {
    uint8_t type;   /* enum cs_action_type */
    uint8_t nr;     /* bytes in data */
    uint16_t owner; /* domain id or CS_OWNER_HV */
    uint8_t data[4];
};

/* ------------------------------------------------- who has the input */

/*
 * The focus is one for the machine, however many ports have a console.
 * owners[0] is always the hypervisor; `current` indexes owners.
 */
struct cs_focus {
    uint8_t code;     /* the switch character, 1..26; 0: switching is off */
    bool auto_switch; /* go to domain 0 when it starts */
    uint8_t nr_owners;
    uint8_t current;
    uint16_t owners[CS_MAX_OWNERS];
};

/* CTRL-a, auto switch, the hypervisor as only owner. */
void cs_focus_init(struct cs_focus *f);

/*
 * conswitch=<char>[x], `len` bytes without terminator.  A letter (either
 * case) is the switch character with CTRL; a backtick turns switching off; an
 * x behind it keeps the input with the hypervisor when domain 0 starts.
 * 0, or CS_EINVAL with *f unchanged.
 */
int cs_focus_option(struct cs_focus *f, const char *text, size_t len);

/* Append a domain to the rotation.  0, CS_EEXIST, CS_ENOSPC, CS_EINVAL. */
int cs_focus_add(struct cs_focus *f, uint16_t domid);

/* The domain is gone; the hypervisor takes the input if that one had it. */
int cs_focus_remove(struct cs_focus *f, uint16_t domid);

/* Give the input to a domain in the rotation or to CS_OWNER_HV. */
int cs_focus_set(struct cs_focus *f, uint16_t owner);

uint16_t cs_focus_owner(const struct cs_focus *f);
uint16_t cs_focus_next(const struct cs_focus *f); /* after a switch */

/*
 * Domain 0 starts: it joins the rotation and, unless `x` was given, gets the
 * input.  Returns whether the owner changed.  The message is due either way.
 */
bool cs_focus_dom0_started(struct cs_focus *f);

/*
 * The line that tells where the input goes, with LF, NUL-terminated, into
 * buf[size].  Returns its length, 0 when switching is off or it does not fit.
 */
size_t cs_focus_message(const struct cs_focus *f, char *buf, size_t size);

/*
 * The reverse, for terminals: is `line` (CR, LF and a prefix such as "(XEN) "
 * allowed) such a message?  If so *owner says who has the input.
 */
bool cs_focus_parse(const char *line, size_t len, uint16_t *owner);

/* --------------------------------------------------------- the port */

struct cs_ring {
    uint32_t head; /* free-running; written at head, read at tail */
    uint32_t tail;
};

struct cs_stats {
    uint64_t rx[CS_NR_ROLES]; /* bytes received for a role */
    uint64_t tx[CS_NR_ROLES]; /* bytes put on the line for a role */
    uint64_t rx_dropped;      /* console input lost: queue full */
    uint64_t rx_unclaimed;    /* for a half that no role took */
    uint64_t tx_escaped;      /* console bytes sent as \xHH */
    uint64_t tx_refused;      /* debugger bytes >= 0x80 on a shared line */
};

struct cs_port {
    struct cs_focus *focus;
    uint8_t suffix[CS_NR_ROLES];    /* enum cs_suffix */
    uint8_t tx_suffix[CS_NR_ROLES]; /* the last one, for what is queued */
    bool held;                      /* the debugger has the machine */
    uint8_t nr_seen;         /* switch characters swallowed so far, 0..2 */
    uint8_t turn;            /* enum cs_role that is sending */
    uint8_t packet;          /* where the debugger is in its packet */
    uint8_t nr_out, out_pos; /* encoded bytes that did not fit yet */
    uint8_t out_role;
    uint8_t out[CS_ENCODED_MAX];
    uint32_t turn_used; /* console bytes in this turn */
    struct cs_ring rx_ring, tx_ring[CS_NR_ROLES];
    struct cs_stats stats;
    uint8_t rx_queue[CS_RX_QUEUE];
    uint8_t tx_console[CS_TX_CONSOLE];
    uint8_t tx_debug[CS_TX_DEBUG];
};

/* An unused port; *focus is shared by all ports and must outlive them. */
void cs_port_init(struct cs_port *p, struct cs_focus *focus);

/*
 * A role takes the port.  0; CS_EEXIST when it has it already; CS_EBUSY on a
 * conflict: the same half twice, a plain debugger beside a console, a console
 * beside a plain debugger.  CS_EINVAL: not a role or a suffix.
 */
int cs_port_open(struct cs_port *p, enum cs_role role, enum cs_suffix suffix);

/* The role leaves; what it had queued for sending is still sent. */
void cs_port_close(struct cs_port *p, enum cs_role role);

/*
 * Suffix of a serial handle's name ("com1", "com1H", "com1L"): reads what
 * follows the port's name, `len` bytes.  CS_CLOSED when it is neither empty
 * nor exactly one of the two letters.
 */
enum cs_suffix cs_suffix_parse(const char *text, size_t len);

/* A byte came from the line. */
struct cs_action cs_rx(struct cs_port *p, uint8_t byte);

/* The line went to BREAK: 0x03 for the debugger if it has this port. */
struct cs_action cs_rx_break(struct cs_port *p);

/*
 * The debugger stops the machine (true) or lets it go (false).  While it
 * holds on, console input is queued.  Afterwards call cs_next() until it
 * returns false: until then later input goes into the queue behind the
 * earlier.  What comes while cs_rx_queued() is CS_RX_QUEUE is lost, and
 * counted in stats.rx_dropped.
 */
void cs_hold(struct cs_port *p, bool held);
bool cs_next(struct cs_port *p, struct cs_action *act);
size_t cs_rx_queued(const struct cs_port *p);

/*
 * Queue output of a role; returns how many bytes were accepted, 0 when the
 * role has not opened the port.  Bytes that are refused (see above) count as
 * accepted.  cs_tx_room() bytes are accepted for certain.
 */
size_t cs_write(struct cs_port *p, enum cs_role role, const uint8_t *buf,
                size_t len);
size_t cs_tx_room(const struct cs_port *p, enum cs_role role);

/*
 * Take up to `max` bytes for the line.  When both roles have output they take
 * turns: one packet of the debugger, one line (or CS_TURN bytes) of the
 * console.  0 when there is nothing.
 */
size_t cs_tx(struct cs_port *p, uint8_t *out, size_t max);
bool cs_tx_pending(const struct cs_port *p);

/* --------------------------------------------------------- the codec */

/*
 * The form of one byte of a role on a line with that suffix, for callers that
 * keep their own queue.  Returns the number of bytes written to `out`, 0 when
 * the byte is refused.
 */
unsigned int cs_encode(enum cs_role role, enum cs_suffix suffix, uint8_t byte,
                       uint8_t out[CS_ENCODED_MAX]);

/* The far end of a shared line. */
static inline bool cs_is_high(uint8_t line_byte)
{
    return (line_byte & 0x80u) != 0;
}

static inline uint8_t cs_unmark(uint8_t line_byte)
{
    return line_byte & 0x7fu;
}

static inline uint8_t cs_mark(uint8_t byte)
{
    return byte | 0x80u;
}

/*
 * Turns \xHH with HH >= 80 back into the byte.  A text that really holds
 * those four characters is turned too, so this is for display only.
 */
struct cs_unescape {
    uint8_t nr; /* bytes of a possible escape held back, 0..3 */
    uint8_t held[3];
};

/* One byte in, up to 4 out; returns how many.  Start from all zero. */
unsigned int cs_unescape(struct cs_unescape *u, uint8_t byte, uint8_t out[4]);

/* End of input: hands out what is held back, up to 3 bytes. */
unsigned int cs_unescape_end(struct cs_unescape *u, uint8_t out[3]);

#endif /* CONSWITCH_H */
