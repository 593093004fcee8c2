/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buddy allocator over all RAM: one pool for the hypervisor and for domains,
 * in two zones (below 4 GiB, above), so that memory for 32-bit devices is not
 * used up first.
 *
 * A free block of 2^order frames is on the list of its order by its first
 * frame: FF_FREE, `order`, `next` and, in the low half of refs, the previous
 * one. The reference bits of a free frame are 0, so frame_get() refuses it.
 * heap_lock protects lists and counts; it is never taken in interrupts.
 */
#include <hv/bug.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/spinlock.h>
#include <hv/string.h>

#define NIL (~0U)
#define ZONE_LOW 0
#define ZONE_HIGH 1
#define LOW_LIMIT (1UL << (32 - PAGE_SHIFT))

static u32 free_list[2][MAX_ORDER + 1];
static bool lists_ready;
static unsigned long nr_free, nr_total;
static DEFINE_SPINLOCK(heap_lock);

static unsigned int zone_of(unsigned long m)
{
    return m < LOW_LIMIT ? ZONE_LOW : ZONE_HIGH;
}

static u32 prev_of(const struct frame *f)
{
    return (u32)f->refs;
}

static void block_insert(unsigned long m, unsigned int order)
{
    struct frame *f = &frame_table[m];
    u32 *head = &free_list[zone_of(m)][order];

    f->flags |= FF_FREE;
    f->order = (u8)order;
    f->owner = OWNER_NONE;
    f->next = *head;
    f->refs = NIL;
    if (*head != NIL)
        frame_table[*head].refs = m;
    *head = (u32)m;
}

static void block_remove(unsigned long m)
{
    struct frame *f = &frame_table[m];
    u32 prev = prev_of(f);

    ASSERT(f->flags & FF_FREE);
    if (prev == NIL)
        free_list[zone_of(m)][f->order] = f->next;
    else
        frame_table[prev].next = f->next;
    if (f->next != NIL)
        frame_table[f->next].refs = prev;
    f->flags &= (u8)~FF_FREE;
    f->refs = 0;
}

static bool buddy_is_free(unsigned long b, unsigned int order,
                          unsigned int zone)
{
    return b < max_mfn && zone_of(b) == zone &&
           (frame_table[b].flags & FF_FREE) && frame_table[b].order == order;
}

static void block_free(unsigned long m, unsigned int order)
{
    unsigned int zone = zone_of(m);

    nr_free += 1UL << order;
    while (order < MAX_ORDER) {
        unsigned long b = m ^ (1UL << order);

        if (!buddy_is_free(b, order, zone))
            break;
        block_remove(b);
        m &= b;
        order++;
    }
    block_insert(m, order);
}

static unsigned long block_alloc(unsigned int zone, unsigned int order)
{
    unsigned int o = order;
    unsigned long m;

    while (o <= MAX_ORDER && free_list[zone][o] == NIL)
        o++;
    if (o > MAX_ORDER)
        return NIL;
    m = free_list[zone][o];
    block_remove(m);
    while (o-- > order)
        block_insert(m + (1UL << o), o);
    nr_free -= 1UL << order;
    return m;
}

static unsigned long alloc_block(unsigned int order, unsigned int memf)
{
    unsigned long m = NIL;

    if (order > MAX_ORDER)
        return NIL;
    spin_lock(&heap_lock);
    if (!(memf & MEMF_BELOW_4G))
        m = block_alloc(ZONE_HIGH, order);
    if (m == NIL)
        m = block_alloc(ZONE_LOW, order);
    spin_unlock(&heap_lock);
    return m;
}

/* Clear what an earlier owner left; boot memory counts as dirty too. */
static void scrub_block(unsigned long m, unsigned int order)
{
    for (unsigned long i = m; i < m + (1UL << order); i++)
        clear_page(mfn_to_virt(_mfn(i)));
}

void *alloc_hv_pages(unsigned int order, unsigned int memf)
{
    unsigned long m = alloc_block(order, memf);

    if (m == NIL)
        return NULL;
    for (unsigned long i = m; i < m + (1UL << order); i++) {
        frame_table[i].owner = OWNER_HV;
        frame_table[i].tlb_stamp = (u32)tlb_clock;
        frame_table[i].refs = FRAME_ALLOCATED | FRAME_REF_ONE;
    }
    return mfn_to_virt(_mfn(m));
}

void *alloc_hv_page_zeroed(void)
{
    void *p = alloc_hv_pages(0, 0);

    if (p)
        clear_page(p);
    return p;
}

/* By dropping references: a guest that names one of the frames holds one for
 * the moment it takes to see that the frame is not its own (frame_get). */
void free_hv_pages(void *p, unsigned int order)
{
    struct frame *f = p ? mfn_to_frame(virt_to_mfn(p)) : NULL;

    for (unsigned long i = 0; f && i < 1UL << order; i++)
        if (!(atomic_sub_return(&f[i].refs, FRAME_ALLOCATED | FRAME_REF_ONE) &
              FRAME_REF_MASK))
            frame_last_ref(&f[i]);
}

mfn_t alloc_frames(domid_t owner, unsigned int order, unsigned int memf)
{
    unsigned long m = alloc_block(order, memf);

    if (m == NIL)
        return INVALID_MFN;
    if (!(memf & MEMF_NO_SCRUB))
        scrub_block(m, order);
    for (unsigned long i = m; i < m + (1UL << order); i++) {
        struct frame *f = &frame_table[i];

        f->owner = owner;
        f->tlb_stamp = (u32)tlb_clock;
        /* The owner is seen by whoever sees a reference. */
        __atomic_store_n(&f->refs, FRAME_ALLOCATED | FRAME_REF_ONE,
                         __ATOMIC_RELEASE);
    }
    return _mfn(m);
}

void free_frames(mfn_t m, unsigned int order)
{
    unsigned long first = mfn_x(m);

    for (unsigned long i = first; i < first + (1UL << order); i++) {
        frame_table[i].refs = 0;
        frame_table[i].owner = OWNER_NONE;
        frame_table[i].flags &= (u8)~FF_SHARED;
        m2p_table[i] = INVALID_M2P_ENTRY;
    }
    spin_lock(&heap_lock);
    block_free(first, order);
    spin_unlock(&heap_lock);
}

static void add_range(unsigned long m, unsigned long end)
{
    while (m < end) {
        unsigned int order = MAX_ORDER;

        while (m & ((1UL << order) - 1))
            order--;
        while (m + (1UL << order) > end)
            order--;
        block_free(m, order);
        m += 1UL << order;
    }
}

void page_alloc_add(maddr_t start, maddr_t end)
{
    unsigned long first = DIV_ROUND_UP(start, PAGE_SIZE);
    unsigned long last = end >> PAGE_SHIFT;
    unsigned long m;

    spin_lock(&heap_lock);
    if (!lists_ready) {
        memset(free_list, 0xff, sizeof(free_list));
        lists_ready = true;
    }
    while (first < last) {
        /* Memory that badpage= names is left out, and the zones stay apart. */
        for (m = first; m < last && !(frame_table[m].flags & FF_BAD); m++)
            if (m == LOW_LIMIT && m != first)
                break;
        for (unsigned long i = first; i < m; i++) {
            frame_table[i].flags = FF_RAM;
            frame_table[i].refs = 0;
            frame_table[i].owner = OWNER_NONE;
        }
        add_range(first, m);
        first = m + (m < last && (frame_table[m].flags & FF_BAD));
    }
    spin_unlock(&heap_lock);
}

void page_alloc_set_total(unsigned long pages)
{
    nr_total = pages;
}

unsigned long nr_free_pages(void)
{
    return READ_ONCE(nr_free);
}

unsigned long nr_total_pages(void)
{
    return nr_total;
}
