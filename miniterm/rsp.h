/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GDB's remote protocol as seen on the wire, for people: framing of both
 * directions and a sentence about each packet.  (Framing: GDB manual,
 * appendix "GDB Remote Serial Protocol", "Overview" and "Packets".)
 *
 * Sans I/O.  Only shows; the splitter is who takes part in the protocol.
 */
#ifndef MINITERM_RSP_H
#define MINITERM_RSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSP_KEEP 4096 /* bytes of a packet kept; longer ones are cut */

enum rsp_kind { RSP_PACKET, RSP_ACK, RSP_NAK, RSP_INTERRUPT, RSP_NOISE };

struct rsp_event {
    enum rsp_kind kind;
    bool to_target, bad_checksum, notification;
    const uint8_t *data; /* between $ and #, or the noise */
    size_t len;          /* bytes in data, at most RSP_KEEP */
    size_t full_len;     /* as on the wire */
};

typedef void rsp_event_fn(void *user, const struct rsp_event *ev);

/* One direction. */
struct rsp_stream {
    bool to_target;
    rsp_event_fn *event;
    void *user;
    uint8_t state, sum, want;
    bool notification;
    size_t len, full_len;
    uint8_t data[RSP_KEEP];
    uint64_t packets, bytes, bad, naks, noise;
};

void rsp_init(struct rsp_stream *r, bool to_target, rsp_event_fn *event,
              void *user);
/* Bytes of this direction, top bit removed. */
void rsp_feed(struct rsp_stream *r, const uint8_t *data, size_t len);

/* What the last command was, so that a reply can be explained. */
struct rsp_context {
    char command[32];
    uint64_t address; /* of the last m or x */
};

/*
 * A sentence about @ev into out[size], NUL-terminated and printable.
 * Remembers commands in @ctx.
 */
void rsp_describe(struct rsp_context *ctx, const struct rsp_event *ev,
                  char *out, size_t size);

/*
 * A stop reply?  Then the signal, and thread and CPU as text ("" when the
 * packet does not say).
 */
bool rsp_stop_reply(const struct rsp_event *ev, unsigned *signal,
                    char thread[32], char core[16]);

#endif
