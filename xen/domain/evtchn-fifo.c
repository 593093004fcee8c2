/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The FIFO ABI (event_channel.h, EVTCHN_FIFO_*): one 32-bit word per port in
 * pages the guest gave, linked into 16 queues per vCPU by priority.
 *
 * A queue is a list from the guest's control block (head) along the LINK
 * fields; we append, the guest takes from the front and clears LINKED as it
 * does so. Appending: mark the event LINKED, put its number into the word of
 * the last event - if that is still LINKED; if the guest was faster the queue
 * is empty and the number goes to head - then set the READY bit and the
 * upcall. `tail` is ours alone, under the queue's lock (taken with irqs off).
 *
 * An event moves to another queue (bind_vcpu, set_priority) only while it is
 * not linked. chn->last_queue names the queue whose tail it may still be; it
 * changes under that queue's lock.
 */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/evtchn.h>
#include <hv/printk.h>
#include <hv/string.h>

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define MAX_ARRAY_PAGES (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)
#define NR_QUEUES EVTCHN_FIFO_MAX_QUEUES

#define WORD_LINKED (1U << EVTCHN_FIFO_LINKED)
#define WORD_BUSY (1U << EVTCHN_FIFO_BUSY)

struct fifo_queue {
    spinlock_t lock;
    u32 tail; /* port, 0: none that matters */
};

struct evtchn_fifo_vcpu {
    struct evtchn_fifo_control_block *control; /* NULL: not yet given */
    mfn_t mfn;
    struct fifo_queue queue[NR_QUEUES];
};

struct evtchn_fifo_domain {
    unsigned int nr_pages;
    event_word_t *page[MAX_ARRAY_PAGES];
};

static event_word_t *word_of(const struct domain *d, u32 port)
{
    const struct evtchn_fifo_domain *fifo = d->evtchn_fifo;
    u32 page = port / WORDS_PER_PAGE;

    if (unlikely(page >= READ_ONCE(fifo->nr_pages)))
        return NULL;
    page = (u32)index_nospec(page, MAX_ARRAY_PAGES);
    return &fifo->page[page][port % WORDS_PER_PAGE];
}

static struct fifo_queue *queue_of(const struct domain *d, unsigned int queue)
{
    struct vcpu *v = d->vcpu[queue / NR_QUEUES];

    return &v->evtchn_fifo->queue[queue % NR_QUEUES];
}

/*
 * Put `port` behind the event of this word. False: the guest has taken that
 * event already. The guest may change the word as often as it likes, so the
 * tries are bounded; BUSY asks an honest one to hold still.
 */
static bool append_link(event_word_t *word, u32 port)
{
    event_word_t w = READ_ONCE(*word);
    unsigned int tries;

    for (tries = 0; tries < 16; tries++) {
        event_word_t new = (w & ~(u32)EVTCHN_FIFO_LINK_MASK & ~WORD_BUSY) |
                           port;

        if (!(w & WORD_LINKED))
            break;
        if (atomic_try_cmpxchg(word, &w, new))
            return true;
        if (tries == 4) {
            set_bit(EVTCHN_FIFO_BUSY, word);
            w = READ_ONCE(*word);
        }
    }
    if (tries > 4)
        clear_bit(EVTCHN_FIFO_BUSY, word);
    return false;
}

/* Lock the queue that chn was on last. irqs off. */
static struct fifo_queue *lock_last_queue(const struct domain *d,
                                          const struct evtchn *chn)
{
    for (;;) {
        u16 last = READ_ONCE(chn->last_queue);
        struct fifo_queue *q = queue_of(d, last);

        spin_lock(&q->lock);
        if (likely(last == READ_ONCE(chn->last_queue)))
            return q;
        spin_unlock(&q->lock);
    }
}

/* Append chn to its queue unless it is on one. irqs off. */
static void link_event(struct vcpu *v, struct evtchn *chn, event_word_t *word)
{
    struct domain *d = v->domain;
    struct evtchn_fifo_control_block *control = v->evtchn_fifo->control;
    u8 priority = READ_ONCE(chn->priority);
    u16 wanted = (u16)(v->id * NR_QUEUES + priority);
    struct fifo_queue *q;
    event_word_t *tail;
    bool linked;

    if (unlikely(!control)) {
        guest_warn("port %u pending without a control block\n", chn->port);
        return;
    }
    ASSERT(!local_irq_is_enabled());
    q = lock_last_queue(d, chn);
    if (test_and_set_bit(EVTCHN_FIFO_LINKED, word)) {
        spin_unlock(&q->lock);
        return;
    }
    if (unlikely(chn->last_queue != wanted)) {
        if (q->tail == chn->port)
            q->tail = 0;
        WRITE_ONCE(chn->last_queue, wanted);
        spin_unlock(&q->lock);
        q = queue_of(d, wanted);
        spin_lock(&q->lock);
    }
    tail = q->tail && q->tail != chn->port ? word_of(d, q->tail) : NULL;
    linked = tail && append_link(tail, chn->port);
    if (!linked)
        WRITE_ONCE(control->head[priority], chn->port);
    q->tail = chn->port;
    spin_unlock(&q->lock);
    if (!linked && !test_and_set_bit(priority, &control->ready))
        vcpu_mark_events_pending(v);
}

static bool fifo_set_pending(struct vcpu *v, struct evtchn *chn)
{
    event_word_t *word = word_of(v->domain, chn->port);
    bool was;

    if (unlikely(!word)) {
        /* Raised again when the page comes: expand_array_locked(). */
        atomic_xchg(&chn->pending, 1);
        word = word_of(v->domain, chn->port);
        if (!word || !atomic_xchg(&chn->pending, 0))
            return true;
    }
    was = test_and_set_bit(EVTCHN_FIFO_PENDING, word);
    if (!test_bit(EVTCHN_FIFO_MASKED, word) &&
        !test_bit(EVTCHN_FIFO_LINKED, word))
        link_event(v, chn, word);
    if (!was)
        evtchn_check_pollers(v->domain, chn->port);
    return !was;
}

static void fifo_clear_pending(struct domain *d, struct evtchn *chn)
{
    event_word_t *word = word_of(d, chn->port);

    /* The LINKED bit and the link stay: the guest may be walking them. */
    if (word)
        clear_bit(EVTCHN_FIFO_PENDING, word);
    chn->pending = 0;
}

static void fifo_init(struct domain *d, struct evtchn *chn)
{
    chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
    fifo_clear_pending(d, chn);
}

static void fifo_unmask(struct vcpu *v, struct evtchn *chn)
{
    event_word_t *word = word_of(v->domain, chn->port);

    if (!word)
        return;
    clear_bit(EVTCHN_FIFO_MASKED, word);
    if (test_bit(EVTCHN_FIFO_PENDING, word))
        fifo_set_pending(v, chn);
}

static bool fifo_is_pending(const struct domain *d, const struct evtchn *chn)
{
    const event_word_t *word = word_of(d, chn->port);

    return word && test_bit(EVTCHN_FIFO_PENDING, word);
}

static bool fifo_is_masked(const struct domain *d, const struct evtchn *chn)
{
    const event_word_t *word = word_of(d, chn->port);

    return !word || test_bit(EVTCHN_FIFO_MASKED, word);
}

static bool fifo_is_busy(const struct domain *d, const struct evtchn *chn)
{
    const event_word_t *word = word_of(d, chn->port);

    return word && test_bit(EVTCHN_FIFO_LINKED, word);
}

static int fifo_set_priority(struct evtchn *chn, unsigned int priority)
{
    if (priority > EVTCHN_FIFO_PRIORITY_MIN)
        return -EINVAL;
    WRITE_ONCE(chn->priority, (u8)priority); /* from the next linking on */
    return 0;
}

const struct evtchn_port_ops evtchn_fifo_ops = {
    .init = fifo_init,
    .set_pending = fifo_set_pending,
    .clear_pending = fifo_clear_pending,
    .unmask = fifo_unmask,
    .is_pending = fifo_is_pending,
    .is_masked = fifo_is_masked,
    .is_busy = fifo_is_busy,
    .set_priority = fifo_set_priority,
};

/* --- set-up --- */

/* A page of the guest, kept writable for as long as we use it. */
static void *get_guest_page(struct domain *d, u64 gfn)
{
    mfn_t m = _mfn(gfn);

    if (!mfn_valid(m) ||
        frame_get_and_type(mfn_to_frame(m), d->id, FT_WRITABLE))
        return NULL;
    return mfn_to_virt(m);
}

static void put_guest_page(void *page)
{
    frame_put_and_type(mfn_to_frame(virt_to_mfn(page)));
}

static int map_control_block(struct vcpu *v, u64 gfn, u32 offset)
{
    struct evtchn_fifo_vcpu *fifo = v->evtchn_fifo;
    char *page;

    if (fifo->control)
        return -EINVAL;
    page = get_guest_page(v->domain, gfn);
    if (!page)
        return -EINVAL;
    fifo->mfn = virt_to_mfn(page);
    WRITE_ONCE(fifo->control,
               (struct evtchn_fifo_control_block *)(page + offset));
    return 0;
}

static int alloc_vcpu_queues(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v) {
        if (v->evtchn_fifo)
            continue;
        v->evtchn_fifo = new(struct evtchn_fifo_vcpu);
        if (!v->evtchn_fifo)
            return -ENOMEM;
    }
    return 0;
}

static void init_priorities(struct domain *d)
{
    for (u32 port = 1; port < d->valid_evtchns; port++) {
        struct evtchn *chn = evtchn_find(d, port);

        chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
        chn->last_queue = EVTCHN_FIFO_PRIORITY_DEFAULT;
    }
}

/*
 * From the 2-level ABI: open ports keep what is pending. Nobody sends by it any
 * more; what is sent already waits likewise for the array's first page.
 */
static void take_over_pending(struct domain *d)
{
    u32 end = MIN(d->valid_evtchns, EVTCHN_2L_NR_CHANNELS);

    for (u32 port = 1; port < end; port++)
        if (test_bit(port, d->shared_info->evtchn_pending))
            WRITE_ONCE(evtchn_find(d, port)->pending, 1);
}

static int switch_to_fifo(struct domain *d, struct vcpu *v, u64 gfn, u32 offset)
{
    struct evtchn_fifo_domain *fifo = new(struct evtchn_fifo_domain);
    int rc = fifo ? alloc_vcpu_queues(d) : -ENOMEM;

    if (!rc)
        rc = map_control_block(v, gfn, offset);
    if (rc) {
        hv_free(fifo);
        return rc;
    }
    d->evtchn_fifo = fifo;
    init_priorities(d);
    d->max_evtchns = EVTCHN_FIFO_NR_CHANNELS;
    smp_wmb(); /* all of it before the ops that use it */
    WRITE_ONCE(d->evtchn_ops, &evtchn_fifo_ops);
    domain_grace_period(); /* for those who send by the other ops */
    take_over_pending(d);
    return 0;
}

int evtchn_fifo_init_control(struct domain *d, evtchn_init_control_t *op)
{
    struct vcpu *v;
    int rc;

    op->link_bits = EVTCHN_FIFO_LINK_BITS;
    if (op->vcpu >= d->max_vcpus)
        return -ENOENT;
    v = d->vcpu[index_nospec(op->vcpu, d->max_vcpus)];
    if (!v)
        return -ENOENT;
    if (op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) ||
        (op->offset & 7))
        return -EINVAL;
    spin_lock(&d->event_lock);
    if (d->evtchn_fifo)
        rc = map_control_block(v, op->control_gfn, op->offset);
    else
        rc = switch_to_fifo(d, v, op->control_gfn, op->offset);
    spin_unlock(&d->event_lock);
    return rc;
}

/* Ports of the page that were raised while it was missing. */
static void raise_waiting(struct domain *d, unsigned int page)
{
    u32 port = page * WORDS_PER_PAGE;
    u32 end = MIN(port + (u32)WORDS_PER_PAGE, d->valid_evtchns);

    for (port = MAX(port, 1U); port < end; port++) {
        struct evtchn *chn = evtchn_find(d, port);

        if (atomic_xchg(&chn->pending, 0))
            evtchn_set_pending(d, chn);
    }
}

static int expand_array_locked(struct domain *d, u64 gfn)
{
    struct evtchn_fifo_domain *fifo = d->evtchn_fifo;
    unsigned int nr;
    event_word_t *page;

    if (!fifo)
        return -EOPNOTSUPP;
    nr = fifo->nr_pages;
    if (nr >= MAX_ARRAY_PAGES)
        return -ENOSPC;
    page = get_guest_page(d, gfn);
    if (!page)
        return -EINVAL;
    ASSERT(!fifo->page[nr]);
    fifo->page[nr] = page;
    smp_wmb(); /* the page before the count that makes it visible */
    WRITE_ONCE(fifo->nr_pages, nr + 1);
    smp_mb(); /* visible before we look who gave up: fifo_set_pending() */
    raise_waiting(d, nr);
    return 0;
}

int evtchn_fifo_expand_array(struct domain *d, u64 gfn)
{
    int rc;

    spin_lock(&d->event_lock);
    rc = expand_array_locked(d, gfn);
    spin_unlock(&d->event_lock);
    return rc;
}

void evtchn_fifo_destroy(struct domain *d)
{
    struct evtchn_fifo_domain *fifo = d->evtchn_fifo;
    struct vcpu *v;

    ASSERT(d->evtchn_ops != &evtchn_fifo_ops);
    d->evtchn_fifo = NULL;
    for_each_vcpu (d, v) {
        if (v->evtchn_fifo && v->evtchn_fifo->control)
            frame_put_and_type(mfn_to_frame(v->evtchn_fifo->mfn));
        hv_free(v->evtchn_fifo);
        v->evtchn_fifo = NULL;
    }
    if (!fifo)
        return;
    for (unsigned int i = 0; i < fifo->nr_pages; i++)
        put_guest_page(fifo->page[i]);
    hv_free(fifo);
}
