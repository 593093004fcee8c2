/* SPDX-License-Identifier: GPL-2.0-only */
/* memory_op, between memory.c (decoding), reservation.c and exchange.c. */
#ifndef HYPERCALL_RESERVATION_H
#define HYPERCALL_RESERVATION_H

#include <hv/domain.h>
#include <xen/memory.h>

/* A change of a reservation under way. */
struct reservation {
    struct domain *d;
    xen_pfn_t *extents; /* guest memory; may be NULL where the ABI allows */
    u32 nr_extents, order;
    unsigned int memf, address_bits; /* 0: any */
    u32 done; /* extents; where to go on */
    bool preempted;
};

void increase_reservation(struct reservation *r);
void populate_physmap(struct reservation *r);
void decrease_reservation(struct reservation *r);

/* -ERESTART: nr_exchanged is up to date in the guest's structure. */
long memory_exchange(struct xen_memory_exchange *arg);

/* Nobody but the allocation refers to f any more, and nobody owns it; false: it
 * is in use. Then make it d's again, or another's (accounted before). */
bool detach_frame(struct domain *d, struct frame *f);
void reattach_frame(struct domain *d, struct frame *f);
void free_detached_frame(struct frame *f); /* instead */

/* Highest order that the caller may ask for. */
unsigned int max_extent_order(const struct domain *caller);
/* Frames of an order that end below 2^bits bytes (0: anywhere). */
bool frames_fit(mfn_t m, unsigned int order, unsigned int address_bits);

#endif
