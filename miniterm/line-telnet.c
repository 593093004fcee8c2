/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telnet under a TCP line, by libtelnet: binary both ways, the far end
 * echoes, and where the server offers RFC 2217 (COM-PORT-OPTION, 44) the speed
 * and BREAK are set there; otherwise BREAK is IAC BREAK of RFC 854.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Needs size_t declared before it. */
#include <libtelnet.h>

#include "line.h"
#include "util.h"

#define COM_PORT 44         /* RFC 2217 section 2 */
#define COM_SET_BAUD 1
#define COM_SET_CONTROL 5
#define COM_BREAK_ON 5
#define COM_BREAK_OFF 6
#define BUFFER 65536

struct telnet {
    struct line *line;
    telnet_t *lib;
    struct queue in, out;
    uint8_t held[BUFFER]; /* read from the socket, not taken apart yet */
    bool com_port, binary_in, after_cr, broken;
};

static const telnet_telopt_t options[] = {
    { TELNET_TELOPT_BINARY, TELNET_WILL, TELNET_DO },
    { TELNET_TELOPT_SGA, TELNET_WILL, TELNET_DO },
    { TELNET_TELOPT_ECHO, TELNET_WONT, TELNET_DO },
    { COM_PORT, TELNET_WILL, TELNET_DONT },
    { -1, 0, 0 },
};

/* SET-BAUDRATE of RFC 2217, section 3: four bytes, network order. */
static void set_baud(struct telnet *t)
{
    unsigned baud = t->line->set->baud;
    char msg[5] = { COM_SET_BAUD, (char)(baud >> 24), (char)(baud >> 16),
                    (char)(baud >> 8), (char)baud };

    telnet_subnegotiation(t->lib, COM_PORT, msg, sizeof(msg));
}

/* Outside binary mode a NUL follows each bare CR (RFC 854, page 11). */
static void take_data(struct telnet *t, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool pad = t->after_cr && data[i] == '\0' && !t->binary_in;

        t->after_cr = data[i] == '\r';
        if (!pad)
            queue_put(&t->in, data + i, 1);
    }
}

/*
 * libtelnet calls back from within its own send and receive. No memory is
 * kept from an event; what does not fit marks the line as broken instead of
 * growing without bound.
 */
static void on_event(telnet_t *lib, telnet_event_t *ev, void *user)
{
    struct telnet *t = user;

    (void)lib;
    switch (ev->type) {
    case TELNET_EV_DATA:
        take_data(t, ev->data.buffer, ev->data.size);
        break;
    case TELNET_EV_SEND:
        if (queue_room(&t->out) < ev->data.size)
            t->broken = true;
        else
            queue_put(&t->out, ev->data.buffer, ev->data.size);
        break;
    case TELNET_EV_WILL:
        if (ev->neg.telopt == TELNET_TELOPT_BINARY)
            t->binary_in = true;
        break;
    case TELNET_EV_DO:
        if (ev->neg.telopt == COM_PORT && !t->com_port) {
            t->com_port = true;
            set_baud(t);
        }
        break;
    case TELNET_EV_ERROR:
        t->broken = true;
        break;
    default:
        break;
    }
}

/*
 * Our side speaks first: some servers wait for it. Offers that the server
 * refuses do no harm; BREAK then is IAC BREAK.
 */
struct telnet *telnet_start(struct line *line)
{
    struct telnet *t = xcalloc(1, sizeof(*t));

    t->line = line;
    t->lib = telnet_init(options, on_event, 0, t);
    if (!t->lib || queue_init(&t->in, 2 * BUFFER) ||
        queue_init(&t->out, 4 * BUFFER)) {
        telnet_stop(t);
        return NULL;
    }
    telnet_negotiate(t->lib, TELNET_WILL, TELNET_TELOPT_BINARY);
    telnet_negotiate(t->lib, TELNET_DO, TELNET_TELOPT_BINARY);
    telnet_negotiate(t->lib, TELNET_DO, TELNET_TELOPT_SGA);
    telnet_negotiate(t->lib, TELNET_WILL, COM_PORT);
    return t;
}

void telnet_stop(struct telnet *t)
{
    if (t->lib)
        telnet_free(t->lib);
    queue_free(&t->in);
    queue_free(&t->out);
    free(t);
}

bool telnet_pending(const struct telnet *t)
{
    return t->out.len > 0;
}

/*
 * Sends what is queued as far as the socket takes it; the rest goes when poll
 * says so.
 */
int telnet_flush(struct telnet *t)
{
    while (t->out.len) {
        size_t len;
        const uint8_t *run = queue_peek(&t->out, &len);
        ssize_t n = write(t->line->fd, run, len);

        if (n > 0)
            queue_drop(&t->out, (size_t)n);
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return line_fail(t->line, "lost", errno);
    }
    return 0;
}

/*
 * One read of the socket for each call: with buffers of 64 KiB the queue is
 * empty again before the next. Answers to negotiation leave at once.
 */
ssize_t telnet_read(struct telnet *t, void *buf, size_t size)
{
    size_t len, run = sizeof(t->held);
    ssize_t n;

    if (!t->in.len) {
        n = read(t->line->fd, t->held, run);
        if (n == 0)
            return line_fail(t->line, "closed by the other side", 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0)
            return line_fail(t->line, "lost", errno);
        telnet_recv(t->lib, (char *)t->held, (size_t)n);
        if (t->broken)
            return line_fail(t->line, "its telnet makes no sense", 0);
        if (telnet_flush(t) < 0)
            return -1;
    }
    len = 0;
    while (t->in.len && len < size) {
        const uint8_t *p = queue_peek(&t->in, &run);

        if (run > size - len)
            run = size - len;
        memcpy((char *)buf + len, p, run);
        queue_drop(&t->in, run);
        len += run;
    }
    return (ssize_t)len;
}

/* Escaping can double the length, so only half of the room is offered. */
ssize_t telnet_write(struct telnet *t, const void *buf, size_t len)
{
    size_t room = queue_room(&t->out) / 2;

    if (room < 1024)
        room = 0;
    if (len > room)
        len = room;
    telnet_send(t->lib, buf, len);
    if (telnet_flush(t) < 0)
        return -1;
    return (ssize_t)len;
}

/*
 * RFC 2217 has the BREAK as a state that is switched on and off; the server
 * times it.
 */
int telnet_break(struct telnet *t)
{
    static const char on[] = { COM_SET_CONTROL, COM_BREAK_ON };
    static const char off[] = { COM_SET_CONTROL, COM_BREAK_OFF };

    if (t->com_port) {
        telnet_subnegotiation(t->lib, COM_PORT, on, sizeof(on));
        telnet_subnegotiation(t->lib, COM_PORT, off, sizeof(off));
    } else {
        telnet_iac(t->lib, TELNET_BREAK);
    }
    return telnet_flush(t);
}
