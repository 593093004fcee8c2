/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was typed for domain 0 and is not read yet.  The lines put it here,
 * under their lock; domain 0 takes it by hypercall, without.  While there is no
 * room the lines leave what comes where it is (see throttle()).
 */
#include <hv/atomic.h>
#include <hv/console.h>

#include "internal.h"

#define DOM0_INPUT 32768 /* power of two */

static struct {
    u32 head, tail; /* free running */
    u8 bytes[DOM0_INPUT];
} input;
static void (*notify_dom0)(void);

u32 dom0_input_room(void)
{
    return DOM0_INPUT - (input.head - READ_ONCE(input.tail));
}

bool dom0_input_put(const u8 *data, unsigned int n)
{
    u32 first = input.head, room = dom0_input_room();

    for (u32 i = 0; i < n && i < room; i++)
        input.bytes[(first + i) % DOM0_INPUT] = data[i];
    smp_wmb(); /* who reads takes no lock: the bytes, then the news of them */
    WRITE_ONCE(input.head, first + MIN(n, room));
    /* It reads until it finds nothing: either it has seen the new head by then
     * or its tail is seen here. */
    smp_mb();
    return READ_ONCE(input.tail) == first;
}

void dom0_input_tell(void)
{
    if (notify_dom0)
        notify_dom0();
}

size_t console_dom0_read(char *buf, size_t max)
{
    u32 at = input.tail, end = READ_ONCE(input.head), n = 0;
    bool was_short = dom0_input_room() <= DOM0_INPUT / 4;

    smp_rmb();
    while (n < max && at != end)
        buf[n++] = (char)input.bytes[at++ % DOM0_INPUT];
    barrier();
    WRITE_ONCE(input.tail, at);
    smp_mb(); /* see dom0_input_put() */
    if (was_short)
        lines_let_in();
    return n;
}

void console_register_dom0_input(void (*notify)(void))
{
    notify_dom0 = notify;
}
