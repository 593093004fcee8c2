/* SPDX-License-Identifier: GPL-2.0-only */
/* Framing of GDB's remote protocol: $data#cs, %data#cs, +, -, 0x03. */
#include "rsp.h"

enum {
    BETWEEN,
    DATA,
    SUM_1,
    SUM_2
};

void rsp_frame_reset(struct rsp_frame *f)
{
    f->state = BETWEEN;
    f->len = 0;
    f->sum = 0;
    f->overflow = false;
}

bool rsp_frame_open(const struct rsp_frame *f)
{
    return f->state != BETWEEN;
}

static void begin(struct rsp_frame *f, uint8_t kind)
{
    rsp_frame_reset(f);
    f->kind = kind;
    f->state = DATA;
}

static enum rsp_event between(struct rsp_frame *f, uint8_t c)
{
    switch (c) {
    case '$':
    case '%': begin(f, c); return RSP_NOTHING;
    case '+': return RSP_ACK;
    case '-': return RSP_NAK;
    case 0x03: return RSP_INTERRUPT;
    default: return RSP_NOISE;
    }
}

static enum rsp_event in_data(struct rsp_frame *f, uint8_t c)
{
    if (c == '#') {
        f->state = SUM_1;
        return RSP_NOTHING;
    }
    if (c == '$') {
        begin(f, c);
        return RSP_RESTART;
    }
    f->sum = (uint8_t)(f->sum + c);
    if (f->len < RSP_PACKET_MAX)
        f->data[f->len++] = c;
    else
        f->overflow = true;
    return RSP_NOTHING;
}

/* Value of a hexadecimal digit of either case, 16 for anything else. */
static unsigned int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

static enum rsp_event in_sum(struct rsp_frame *f, uint8_t c)
{
    unsigned int value = digit(c);

    if (c == '$') {
        begin(f, c);
        return RSP_RESTART;
    }
    if (value == 16) {
        f->state = BETWEEN;
        return RSP_BAD;
    }
    if (f->state == SUM_1) {
        f->want = (uint8_t)(value << 4);
        f->state = SUM_2;
        return RSP_NOTHING;
    }
    f->state = BETWEEN;
    f->want = (uint8_t)(f->want | value);
    return f->want == f->sum && !f->overflow ? RSP_PACKET : RSP_BAD;
}

enum rsp_event rsp_frame_push(struct rsp_frame *f, uint8_t c)
{
    switch (f->state) {
    case DATA: return in_data(f, c);
    case SUM_1:
    case SUM_2: return in_sum(f, c);
    default: return between(f, c);
    }
}

size_t rsp_frame_write(uint8_t *out, uint8_t kind, const uint8_t *data,
                       size_t len)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t sum = 0;

    out[0] = kind;
    for (size_t i = 0; i < len; i++) {
        out[1 + i] = data[i];
        sum = (uint8_t)(sum + data[i]);
    }
    out[len + 1] = '#';
    out[len + 2] = (uint8_t)hex[sum >> 4];
    out[len + 3] = (uint8_t)hex[sum & 15];
    return len + 4;
}
