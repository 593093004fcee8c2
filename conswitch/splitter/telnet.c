/* SPDX-License-Identifier: GPL-2.0-only */
/* Telnet: options, BREAK, doubled IAC, the two forms of end of line. */
#include "telnet.h"

#include <string.h>

/* RFC 854, "TELNET command structure" */
enum {
    SE = 240,
    BREAK = 243,
    SB = 250,
    WILL = 251,
    WONT = 252,
    DO = 253,
    DONT = 254,
    IAC = 255,
};

enum {
    DATA,
    COMMAND,
    OPTION,
    SUB,
    SUB_IAC
};

void telnet_init(struct telnet *t, uint8_t may_us, uint8_t may_them)
{
    memset(t, 0, sizeof(*t));
    t->may_us = may_us;
    t->may_them = may_them;
}

static void reply(struct telnet *t, uint8_t verb, uint8_t option)
{
    if (t->nr_reply + 3u > TELNET_REPLY_MAX)
        return;
    t->reply[t->nr_reply++] = IAC;
    t->reply[t->nr_reply++] = verb;
    t->reply[t->nr_reply++] = option;
}

void telnet_offer(struct telnet *t)
{
    for (uint8_t option = 0; option < 8; option++) {
        if (t->may_us & (1u << option))
            reply(t, WILL, option);
        if (t->may_them & (1u << option))
            reply(t, DO, option);
    }
    t->us = t->may_us;
    t->them = t->may_them;
    t->active = true;
}

/*
 * The peer wants an option on or off at one side.  `state` are that side's
 * options; an answer is due only when something changes or is refused.
 */
static void negotiate(struct telnet *t, uint8_t *state, uint8_t may,
                      uint8_t yes, uint8_t option)
{
    bool on = t->verb == WILL || t->verb == DO;
    uint8_t no = yes == DO ? DONT : WONT;
    uint8_t bit = (uint8_t)(option < 8 ? 1u << option : 0u);

    if (!on) {
        if (*state & bit)
            reply(t, no, option);
        *state &= (uint8_t)~bit;
        return;
    }
    if (*state & bit)
        return;
    reply(t, may & bit ? yes : no, option);
    *state |= may & bit;
}

static void option_byte(struct telnet *t, uint8_t option)
{
    if (t->verb == WILL || t->verb == WONT)
        negotiate(t, &t->them, t->may_them, DO, option);
    else
        negotiate(t, &t->us, t->may_us, WILL, option);
}

/* Of an end of line, CR NUL or CR LF, only the CR is data. */
static bool is_data(struct telnet *t, uint8_t c)
{
    bool drop = t->active && t->after_cr && !(t->them & TELNET_BINARY) &&
                (c == 0 || c == '\n');

    t->after_cr = c == '\r';
    return !drop;
}

/* The byte behind IAC.  Returns how many data bytes come of it, 0 to 2. */
static size_t command_byte(struct telnet *t, uint8_t c, uint8_t *out)
{
    t->state = DATA;
    if (c == IAC || c < SE) {
        /* doubled on a telnet connection; just data on a raw one */
        size_t nr = t->active && c == IAC ? 1 : 2;

        out[0] = IAC;
        out[nr - 1] = c;
        t->after_cr = false;
        return nr;
    }
    t->active = true;
    t->verb = c;
    if (c == BREAK)
        t->breaks++;
    else if (c == SB)
        t->state = SUB;
    else if (c >= WILL)
        t->state = OPTION;
    return 0;
}

static size_t rx_byte(struct telnet *t, uint8_t c, uint8_t *out)
{
    switch (t->state) {
    case COMMAND: return command_byte(t, c, out);
    case OPTION:
        option_byte(t, c);
        t->state = DATA;
        return 0;
    case SUB: t->state = c == IAC ? SUB_IAC : SUB; return 0;
    case SUB_IAC: t->state = c == SE ? DATA : SUB; return 0;
    default:
        if (c == IAC)
            t->state = COMMAND;
        else if (is_data(t, c)) {
            out[0] = c;
            return 1;
        }
        return 0;
    }
}

size_t telnet_rx(struct telnet *t, const uint8_t *in, size_t len, uint8_t *out)
{
    size_t nr = 0;

    for (size_t i = 0; i < len; i++)
        nr += rx_byte(t, in[i], out + nr);
    return nr;
}

size_t telnet_tx(const struct telnet *t, const uint8_t *in, size_t len,
                 uint8_t *out)
{
    size_t nr = 0;

    for (size_t i = 0; i < len; i++) {
        if (in[i] == IAC && t->active)
            out[nr++] = IAC;
        out[nr++] = in[i];
    }
    return nr;
}
