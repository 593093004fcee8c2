/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `monitor console on`: what goes to the console while gdb waits goes to gdb,
 * too.  It is written with the lines' lock held, wherever printk() and domain 0
 * may be, and lies in a ring until a CPU may lead and the core has room.
 */
#include <hv/atomic.h>
#include <hv/console.h>
#include <hv/softirq.h>

#include "pdb-stop.h"
#include "pdb-target.h"

#define RING 8192 /* power of two */
#define O_PACKET (2 * PDB_CONSOLE + 5) /* "$O", in hex, "#", the sum */

static struct {
    u32 head, tail; /* free running; head: lines' lock, tail: the leader */
    u32 lost, told;
    bool inside; /* what an NMI says in between is lost */
    char text[RING];
} ring;

/* What the leader itself says is of a stop, or gdb has it already. */
static bool wanted(void)
{
    const struct pdb *p = &pdb_target->core;

    return READ_ONCE(p->console_on) && READ_ONCE(p->state) == PDB_RUNNING &&
           !READ_ONCE(p->non_stop) && !pdb_leads();
}

/* What asks a terminal something would be answered at gdb's prompt. */
static bool is_for_terminals(char c)
{
    return c == 0x7f || ((u8)c < ' ' && c != '\n' && c != '\r' && c != '\t');
}

static void overhear(const char *text, size_t len)
{
    u32 head;

    if (!wanted() || ring.inside)
        return;
    ring.inside = true;
    barrier();
    head = ring.head;
    for (size_t i = 0; i < len; i++)
        if (is_for_terminals(text[i]))
            continue;
        else if (head - READ_ONCE(ring.tail) < RING)
            ring.text[head++ % RING] = text[i];
        else
            ring.lost++;
    smp_wmb(); /* whoever leads reads without a lock */
    WRITE_ONCE(ring.head, head);
    barrier();
    ring.inside = false;
    raise_softirq(SOFTIRQ_TELL);
}

/*
 * A stop comes behind all that was said before it. While the machine runs no
 * CPU waits for a gdb that does not read.
 */
static bool has_room(const struct pdb *p)
{
    return p->nr_console < PDB_CONSOLE &&
           (p->state != PDB_RUNNING || console_debug_room() >= O_PACKET);
}

void pdb_console_hand_on(void)
{
    struct pdb *p = &pdb_target->core;
    u32 lost = READ_ONCE(ring.lost), n;

    if (!p->owed || READ_ONCE(ring.head) - ring.tail > RING)
        WRITE_ONCE(ring.tail, READ_ONCE(ring.head)); /* nobody waits for it */
    while (ring.tail != READ_ONCE(ring.head) && has_room(p)) {
        n = MIN(ring.head - ring.tail, RING - ring.tail % RING);
        n = MIN(n, PDB_CONSOLE - p->nr_console);
        pdb_console(p, ring.text + ring.tail % RING, n);
        WRITE_ONCE(ring.tail, ring.tail + n);
    }
    p->console_lost += lost - ring.told;
    ring.told = lost;
}

void pdb_console_init(void)
{
    softirq_register(SOFTIRQ_TELL, pdb_tell_gdb);
    console_debug_overhear(overhear);
}
