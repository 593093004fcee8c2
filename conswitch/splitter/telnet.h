/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The telnet protocol as consoles need it (RFC 854, 855, 856, 857, 858), for
 * either end of a connection.  Without I/O.  A connection counts as raw until
 * a telnet command is seen on it or offered by us.
 */
#ifndef TELNET_H
#define TELNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Options as bits, by their number. */
#define TELNET_BINARY (1u << 0)
#define TELNET_ECHO (1u << 1)
#define TELNET_SGA (1u << 3)

#define TELNET_REPLY_MAX 96u

struct telnet {
    bool active;              /* the peer speaks telnet */
    uint8_t state, verb;      /* inside a command */
    bool after_cr;            /* CR was the last data byte */
    uint8_t may_us, may_them; /* options that are fine with us */
    uint8_t us, them;         /* options that are on */
    unsigned int breaks;      /* IAC BREAK seen and not yet taken */
    uint8_t nr_reply;
    uint8_t reply[TELNET_REPLY_MAX];
};

void telnet_init(struct telnet *t, uint8_t may_us, uint8_t may_them);

/* Put requests for all of our options into reply[]. */
void telnet_offer(struct telnet *t);

/*
 * Data that came; writes what is left without telnet's commands to `out`
 * (room for len + 1, not overlapping) and returns its length.  Afterwards
 * reply[0..nr_reply) is to be sent (set nr_reply to 0).
 */
size_t telnet_rx(struct telnet *t, const uint8_t *in, size_t len, uint8_t *out);

/* Data to send; `out` has room for 2 * len.  Returns the length. */
size_t telnet_tx(const struct telnet *t, const uint8_t *in, size_t len,
                 uint8_t *out);

#endif /* TELNET_H */
