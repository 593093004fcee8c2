/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small objects: size classes of powers of two from 32 bytes to 2 KiB, carved
 * out of pages; larger ones are whole pages.  Each object is preceded by a
 * 16-byte header that names its class, so freeing needs no size.
 */
#include <hv/bug.h>
#include <hv/mm.h>
#include <hv/spinlock.h>
#include <hv/string.h>

#define MIN_SHIFT 5
#define MAX_SHIFT 11
#define HEADER_MAGIC 0x4b1d

struct header {
    u16 magic;
    u8 shift; /* class, or 0: whole pages */
    u8 order; /* of whole pages */
    u32 pad;
    u64 spare; /* keeps objects 16-byte aligned */
};

struct free_object {
    struct free_object *next;
};

static struct free_object *free_objects[MAX_SHIFT + 1];
static DEFINE_SPINLOCK(small_lock);

static bool refill(unsigned int shift)
{
    u8 *page = alloc_hv_pages(0, 0);

    if (!page)
        return false;
    for (unsigned int at = 0; at < PAGE_SIZE; at += 1U << shift) {
        struct free_object *o = (void *)(page + at);

        o->next = free_objects[shift];
        free_objects[shift] = o;
    }
    return true;
}

static struct header *alloc_small(unsigned int shift)
{
    struct free_object *o = NULL;
    unsigned long flags;

    spin_lock_irqsave(&small_lock, flags);
    if (free_objects[shift] || refill(shift)) {
        o = free_objects[shift];
        free_objects[shift] = o->next;
    }
    spin_unlock_irqrestore(&small_lock, flags);
    return (void *)o;
}

static unsigned int order_for(size_t bytes)
{
    unsigned int order = 0;

    while ((PAGE_SIZE << order) < bytes)
        order++;
    return order;
}

void *hv_alloc(size_t size)
{
    size_t total = size + sizeof(struct header);
    struct header *h;

    if (total < size)
        return NULL;
    if (total <= 1U << MAX_SHIFT) {
        unsigned int shift = MIN_SHIFT;

        while ((1U << shift) < total)
            shift++;
        h = alloc_small(shift);
        if (!h)
            return NULL;
        *h = (struct header){HEADER_MAGIC, (u8)shift, 0, 0, 0};
    } else {
        unsigned int order = order_for(total);

        if (order > MAX_ORDER || !(h = alloc_hv_pages(order, 0)))
            return NULL;
        *h = (struct header){HEADER_MAGIC, 0, (u8)order, 0, 0};
    }
    return h + 1;
}

void *hv_zalloc(size_t size)
{
    void *p = hv_alloc(size);

    if (p)
        memset(p, 0, size);
    return p;
}

void hv_free(void *p)
{
    struct header *h = (struct header *)p - 1;
    unsigned int shift;
    unsigned long flags;

    if (!p)
        return;
    BUG_ON(h->magic != HEADER_MAGIC);
    h->magic = 0;
    shift = h->shift;
    if (!shift) {
        free_hv_pages(h, h->order);
        return;
    }
    spin_lock_irqsave(&small_lock, flags);
    ((struct free_object *)h)->next = free_objects[shift];
    free_objects[shift] = (struct free_object *)h;
    spin_unlock_irqrestore(&small_lock, flags);
}
