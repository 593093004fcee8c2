/* SPDX-License-Identifier: GPL-2.0-only */
/* Doubly linked circular list with a head. Floor: lib. */
#ifndef HV_LIST_H
#define HV_LIST_H

#include <hv/compiler.h>
#include <hv/types.h>

struct list_head {
    struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)                                                   \
    {                                                                          \
        &(name), &(name)                                                       \
    }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void list_init(struct list_head *h)
{
    h->next = h->prev = h;
}

static inline void list_insert_between(struct list_head *e,
                                       struct list_head *prev,
                                       struct list_head *next)
{
    e->prev = prev;
    e->next = next;
    prev->next = next->prev = e;
}

static inline void list_add(struct list_head *e, struct list_head *h)
{
    list_insert_between(e, h, h->next);
}

static inline void list_add_tail(struct list_head *e, struct list_head *h)
{
    list_insert_between(e, h->prev, h);
}

/* The element is empty (list_empty) afterwards: deleting twice is harmless. */
static inline void list_del(struct list_head *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
    list_init(e);
}

static inline bool list_empty(const struct list_head *h)
{
    return h->next == h;
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry(h, type, member) list_entry((h)->next, type, member)
#define list_for_each_entry(p, h, member)                                      \
    for (p = list_entry((h)->next, __typeof__(*p), member);                    \
         &p->member != (h);                                                    \
         p = list_entry(p->member.next, __typeof__(*p), member))
#define list_for_each_entry_safe(p, n, h, member)                              \
    for (p = list_entry((h)->next, __typeof__(*p), member),                    \
        n = list_entry(p->member.next, __typeof__(*p), member);                \
         &p->member != (h);                                                    \
         p = n, n = list_entry(n->member.next, __typeof__(*n), member))

#endif
