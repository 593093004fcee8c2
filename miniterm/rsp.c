/* SPDX-License-Identifier: GPL-2.0-only */
/* Framing of GDB's remote protocol, one direction at a time. */
#include <string.h>

#include "rsp.h"

enum { IDLE, DATA, SUM1, SUM2 };

void rsp_init(struct rsp_stream *r, bool to_target, rsp_event_fn *event,
              void *user)
{
    memset(r, 0, sizeof(*r));
    r->to_target = to_target;
    r->event = event;
    r->user = user;
}

/* One event, after which the buffer starts empty. */
static void report(struct rsp_stream *r, enum rsp_kind kind, bool bad)
{
    struct rsp_event ev = {
        .kind = kind,
        .to_target = r->to_target,
        .bad_checksum = bad,
        .notification = r->notification,
        .data = r->data,
        .len = r->len,
        .full_len = r->full_len,
    };

    r->event(r->user, &ev);
    r->len = r->full_len = 0;
    r->notification = false;
}

/* full_len goes on counting when the buffer is full. */
static void keep(struct rsp_stream *r, uint8_t byte)
{
    if (r->len < RSP_KEEP)
        r->data[r->len++] = byte;
    r->full_len++;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * What is neither a packet nor an acknowledgement is noise: gathered, so that
 * garbage makes one line and not one for each byte.
 */
static void between_packets(struct rsp_stream *r, uint8_t byte)
{
    enum rsp_kind kind = byte == '+' ? RSP_ACK :
                         byte == '-' ? RSP_NAK :
                         byte == 3 ? RSP_INTERRUPT : RSP_NOISE;
    bool start = byte == '$' || (byte == '%' && !r->to_target);

    if (kind == RSP_NOISE && !start) {
        r->noise++;
        keep(r, byte);
        if (r->len == 64)
            report(r, RSP_NOISE, false);
        return;
    }
    if (r->len)
        report(r, RSP_NOISE, false);
    if (start) {
        r->notification = byte == '%';
        r->state = DATA;
        r->sum = 0;
        return;
    }
    r->naks += kind == RSP_NAK;
    report(r, kind, false);
}

/*
 * Escapes (}) and run lengths (*) are left as they are: this is for reading,
 * not for answering.
 */
static void in_data(struct rsp_stream *r, uint8_t byte)
{
    if (byte == '#') {
        r->state = SUM1;
        return;
    }
    /* A new start: the old packet was cut off. */
    if (byte == '$') {
        r->bad++;
        report(r, RSP_PACKET, true);
        r->sum = 0;
        return;
    }
    r->sum = (uint8_t)(r->sum + byte);
    keep(r, byte);
}

/* Two digits; anything else is a bad checksum as well. */
static void in_sum(struct rsp_stream *r, uint8_t byte)
{
    int digit = hex_digit(byte);

    if (r->state == SUM1) {
        r->want = (uint8_t)(digit < 0 ? 0 : digit << 4);
        r->state = SUM2;
        if (digit < 0)
            r->want = (uint8_t)~r->sum;
        return;
    }
    r->state = IDLE;
    if (digit >= 0)
        r->want = (uint8_t)(r->want | digit);
    r->packets++;
    r->bad += digit < 0 || r->want != r->sum;
    report(r, RSP_PACKET, digit < 0 || r->want != r->sum);
}

void rsp_feed(struct rsp_stream *r, const uint8_t *data, size_t len)
{
    r->bytes += len;
    for (size_t i = 0; i < len; i++) {
        switch (r->state) {
        case IDLE: between_packets(r, data[i]); break;
        case DATA: in_data(r, data[i]); break;
        default: in_sum(r, data[i]); break;
        }
    }
    if (r->state == IDLE && r->len)
        report(r, RSP_NOISE, false);
}
