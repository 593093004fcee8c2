/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GDB's remote serial protocol between two legs: gdb over TCP (reliable,
 * 8-bit) and the H channel of a serial line (7-bit, lossy, shared).
 *
 * Both legs are terminated: checksums are verified and acknowledged on each,
 * a packet travels on only when it is whole.  What fails on the line is asked
 * for again here and gdb never notices.  Packets that cannot be 7-bit, and
 * the negotiation of no-ack mode, are answered on the near side.
 *
 * Without I/O and without a clock: bytes and times (milliseconds from any
 * fixed start) are passed in.  Fixed arrays; any input is safe.  The formats
 * are those of GDB's manual, appendix "GDB Remote Serial Protocol".
 */
#ifndef RSP_H
#define RSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSP_PACKET_MAX 32768u /* longest packet data, either way */
#define RSP_TO_GDB (4u * RSP_PACKET_MAX)
#define RSP_URGENT 64u
#define RSP_TRIES 10u        /* sends of one command before it is given up */
#define RSP_TRIES_HURRY 3u   /* the same when gdb has sent another one */
#define RSP_ACK_MS 3000u     /* for a target to acknowledge a command */
#define RSP_RX_TIMEOUT 1000u /* ms of silence inside a packet */
#define RSP_NAK_MS 400u      /* after noise instead of a reply; between NAKs */
#define RSP_NAKS 5u
#define RSP_SETTLE_MS 200u /* for a reply that may come twice */
#define RSP_LATE_MS 2000u  /* the same where all of the command was repeated */

/* One direction's framing. */
struct rsp_frame {
    uint8_t state;
    uint8_t kind; /* '$' packet, '%' notification */
    uint8_t sum;  /* of the data so far */
    uint8_t want; /* as sent */
    bool overflow;
    uint32_t len;
    uint8_t data[RSP_PACKET_MAX];
};

struct rsp_stats {
    uint64_t to_target, to_gdb; /* packets */
    uint64_t noise;             /* bytes outside packets on the line */
    uint64_t bad_line;          /* broken packets from the line */
    uint64_t bad_gdb;
    uint64_t retries;    /* commands sent again */
    uint64_t duplicates; /* replies that came twice */
    uint64_t given_up;   /* commands never acknowledged */
    uint64_t unclaimed;  /* replies that no gdb was there for */
    uint64_t near_side;  /* answered here */
    uint64_t dropped;    /* bytes for a gdb that does not read */
};

/* Near-side service for other packets; returns whether it answered. */
typedef bool rsp_near_fn(void *ctx, const uint8_t *cmd, size_t len,
                         uint8_t *reply, size_t max, size_t *reply_len);
typedef void rsp_packet_fn(void *ctx, bool to_target, const uint8_t *data,
                           size_t len);

struct rsp_config {
    uint32_t chars_per_s;    /* speed of the line, for the ack timeout */
    bool interrupt_is_break; /* ^C wants a line BREAK instead of 0x03 */
    bool serves_exec_file;   /* `near` answers vFile: offer qXfer:exec-file */
    rsp_near_fn *near;       /* may be NULL */
    rsp_packet_fn *packet;   /* sees what passes; may be NULL */
    void *ctx;
};

struct rsp {
    struct rsp_config cfg;
    struct rsp_stats stats;

    /* gdb's leg */
    bool attached;
    bool no_ack;      /* agreed with gdb */
    bool no_ack_next; /* gdb's ack of our OK is still due */
    bool ready;       /* gdb_in holds a command that waits its turn */
    uint8_t telnet;   /* bytes of an IAC sequence seen between packets */
    bool want_break;
    struct rsp_frame gdb_in;
    uint32_t out_head, out_tail; /* free-running, in to_gdb */
    uint32_t last_at, last_len;  /* the last packet put there */
    uint8_t to_gdb[RSP_TO_GDB];

    /* the line's leg */
    bool active;         /* cmd is not acknowledged yet */
    bool awaiting;       /* a command went out after the last reply */
    bool fresh;          /* nothing was acknowledged since gdb attached */
    bool orphan;         /* a reply for the gdb before may be on its way */
    bool ack_owed;       /* of a stop, until gdb is heard of */
    bool asked_features; /* the reply to come is qSupported's */
    bool resumed;  /* the command lets the target run: no reply for long */
    bool doubtful; /* it was repeated, so may its reply be */
    bool settling; /* the next command waits until settle_due */
    bool stopped;
    uint32_t tries;
    uint32_t unheard; /* repeats with nothing heard: each may be answered */
    uint32_t acks, replies; /* heard since the command, repeats included */
    uint32_t cmd_len, cmd_pos; /* cmd_pos: framed bytes sent */
    uint32_t naks;             /* that may still be sent for this reply */
    uint64_t ack_due, rx_due, settle_due; /* UINT64_MAX: none */
    uint64_t now;
    struct rsp_frame line_in;
    uint32_t reply_len; /* last good reply, to know it again */
    uint32_t nr_urgent;
    uint8_t urgent[RSP_URGENT];
    uint8_t cmd[RSP_PACKET_MAX + 4];
    uint8_t reply[RSP_PACKET_MAX];
    uint8_t scratch[RSP_PACKET_MAX];
};

void rsp_init(struct rsp *r, const struct rsp_config *cfg);

/*
 * A gdb comes or goes; nothing of one session reaches the next.  While none is
 * there, what it was to have is not acknowledged: the target finds it dead.
 */
void rsp_attach(struct rsp *r);
void rsp_detach(struct rsp *r);

/* The line was lost and is back. */
void rsp_line_reset(struct rsp *r);

/*
 * Bytes from gdb; returns how many were consumed.  Fewer than `len` means
 * that a command waits for the one before it: call again later.
 */
size_t rsp_from_gdb(struct rsp *r, const uint8_t *buf, size_t len);

/* Bytes of the H channel, top bit removed. */
void rsp_from_line(struct rsp *r, const uint8_t *buf, size_t len, uint64_t now);

/* For gdb: a look at what is due, and how much of it was written. */
size_t rsp_gdb_peek(const struct rsp *r, const uint8_t **data);
void rsp_gdb_done(struct rsp *r, size_t nr);

/* For the line, 7-bit, not marked yet. */
size_t rsp_to_line(struct rsp *r, uint8_t *out, size_t max, uint64_t now);
bool rsp_line_pending(const struct rsp *r);

/* gdb typed ^C or sent a telnet BREAK, and the line is to see a BREAK. */
bool rsp_take_break(struct rsp *r);

/* 0x03 to the target, from somebody other than gdb. */
void rsp_interrupt(struct rsp *r);

/* When rsp_tick() is due; UINT64_MAX: not at all. */
uint64_t rsp_deadline(const struct rsp *r);
void rsp_tick(struct rsp *r, uint64_t now);

/* "$data#cs" into out (len + 4 bytes); returns that length. */
size_t rsp_frame_write(uint8_t *out, uint8_t kind, const uint8_t *data,
                       size_t len);

enum rsp_event {
    RSP_NOTHING,
    RSP_ACK,
    RSP_NAK,
    RSP_PACKET,    /* whole, checksum good: kind, data, len */
    RSP_BAD,       /* whole, but wrong or too long */
    RSP_RESTART,   /* a new packet began inside one */
    RSP_INTERRUPT, /* 0x03 between packets */
    RSP_NOISE,
};

/* The framing alone. */
void rsp_frame_reset(struct rsp_frame *f);
enum rsp_event rsp_frame_push(struct rsp_frame *f, uint8_t c);
bool rsp_frame_open(const struct rsp_frame *f); /* inside a packet */

#endif /* RSP_H */
