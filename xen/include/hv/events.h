/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last events: what happened before a crash, in the dump and on debug key
 * E.  For what happens seldom; nothing on a path that somebody measures.
 * Floor: console.
 */
#ifndef HV_EVENTS_H
#define HV_EVENTS_H

#include <hv/types.h>

/*
 * Remember `what` (a literal) with two numbers. Any context, NMI included;
 * events of two CPUs at the same moment may spoil one entry.
 */
void note_event(const char *what, unsigned int a, unsigned int b);
void events_dump(void); /* on the console, the oldest first */

#endif
