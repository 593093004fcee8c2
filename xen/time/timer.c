/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Timer queues and the APIC timer that drives them.
 *
 * Invariant of a queue, whenever its lock is free: the hardware is armed for
 * the time of the root or earlier, or SOFTIRQ_TIMER is pending on that CPU.
 * Arming earlier than needed is harmless (the interrupt finds nothing due), so
 * stopping a timer does not touch the hardware.
 */
#include <hv/bug.h>
#include <hv/clock.h>
#include <hv/irq.h>
#include <hv/perf.h>
#include <hv/printk.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>
#include <hv/timer.h>

enum timer_status { TIMER_NONE, TIMER_IDLE, TIMER_QUEUED, TIMER_DEAD };

/* Due that soon is due now: the interrupt would take as long. */
#define TIMER_SLOP 500

struct timer_queue {
    spinlock_t lock;
    bool armed;
    s_time_t armed_for; /* valid if armed */
    unsigned int times_armed;
    u64 left; /* of the hardware's time; halted: */
    unsigned int halted_at; /* times_armed */
    struct timer *root;
    struct timer *running; /* its handler is being called */
};

static DEFINE_PER_CPU(struct timer_queue, timer_queue);
static bool use_deadline __ro_after_init;

/* --- pairing heap; queue lock held --- */

/* Two roots; the later one becomes the first child of the earlier. */
static struct timer *merge(struct timer *a, struct timer *b)
{
    struct timer *swap;

    if (b->expires < a->expires) {
        swap = a;
        a = b;
        b = swap;
    }
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

/* Siblings to one root: pairs from left to right, then all from the right. */
static struct timer *merge_siblings(struct timer *first)
{
    struct timer *pairs = NULL, *root = NULL;

    while (first) {
        struct timer *a = first, *b = a->next;

        first = b ? b->next : NULL;
        a->next = NULL;
        if (b) {
            b->next = NULL;
            a = merge(a, b);
        }
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct timer *rest = pairs->next;

        pairs->next = NULL;
        root = root ? merge(root, pairs) : pairs;
        pairs = rest;
    }
    if (root)
        root->prev = NULL;
    return root;
}

static void heap_insert(struct timer_queue *q, struct timer *t)
{
    t->child = t->next = t->prev = NULL;
    q->root = q->root ? merge(q->root, t) : t;
    t->status = TIMER_QUEUED;
}

static void heap_remove(struct timer_queue *q, struct timer *t)
{
    struct timer *below;

    ASSERT(t->status == TIMER_QUEUED && q->root);
    t->status = TIMER_IDLE;
    if (t == q->root) {
        q->root = t->child ? merge_siblings(t->child) : NULL;
        return;
    }
    if (t->prev->child == t)
        t->prev->child = t->next;
    else
        t->prev->next = t->next;
    if (t->next)
        t->next->prev = t->prev;
    below = t->child ? merge_siblings(t->child) : NULL;
    if (below)
        q->root = merge(q->root, below);
}

/* --- hardware --- */

/* This CPU's, irqs off. */
static void arm(struct timer_queue *q, s_time_t expires)
{
    q->armed = true;
    q->armed_for = expires;
    q->times_armed++;
    if (use_deadline)
        lapic_timer_set_deadline(clock_tsc_at(expires));
    else
        lapic_timer_set(clock_lapic_ticks(expires));
}

/* The root may be new: see to it that it is not missed. */
static void root_changed(struct timer_queue *q, unsigned int cpu)
{
    s_time_t expires = q->root->expires;

    if (q->armed && q->armed_for <= expires)
        return;
    if (cpu == smp_processor_id())
        arm(q, expires);
    else
        cpu_raise_softirq(cpu, SOFTIRQ_TIMER);
}

static void timer_interrupt(void)
{
    this_cpu(timer_queue).armed = false;
    raise_softirq(SOFTIRQ_TIMER);
}

/*
 * An interrupt that came while the machine stands still would be taken behind
 * it, with nothing due. No lock: whatever was interrupted may have it.
 */
void timers_halt_cpu(void)
{
    struct timer_queue *q = &this_cpu(timer_queue);

    q->left = lapic_timer_halt();
    q->halted_at = q->times_armed;
}

void timers_go_on_cpu(u64 halted)
{
    const struct timer_queue *q = &this_cpu(timer_queue);

    if (q->times_armed == q->halted_at)
        lapic_timer_go_on(q->left, halted);
}

/* --- interface --- */

/* The queue that t is on; t->cpu changes under both queues' locks only. */
static struct timer_queue *lock_queue(const struct timer *t,
                                      unsigned long *flags)
{
    for (;;) {
        unsigned int cpu = READ_ONCE(t->cpu);
        struct timer_queue *q = &per_cpu(timer_queue, cpu);

        spin_lock_irqsave(&q->lock, *flags);
        if (likely(READ_ONCE(t->cpu) == cpu))
            return q;
        spin_unlock_irqrestore(&q->lock, *flags);
    }
}

void timer_init(struct timer *t, void (*fn)(void *), void *arg,
                unsigned int cpu)
{
    *t = (struct timer){.fn = fn, .arg = arg, .cpu = cpu, .status = TIMER_IDLE};
}

bool timer_is_active(const struct timer *t)
{
    return READ_ONCE(t->status) == TIMER_QUEUED;
}

void timer_set(struct timer *t, s_time_t expires)
{
    unsigned long flags;
    struct timer_queue *q = lock_queue(t, &flags);

    if (t->status == TIMER_QUEUED)
        heap_remove(q, t);
    if (likely(t->status == TIMER_IDLE)) {
        t->expires = expires;
        heap_insert(q, t);
        if (q->root == t)
            root_changed(q, t->cpu);
    }
    spin_unlock_irqrestore(&q->lock, flags);
}

void timer_stop(struct timer *t)
{
    unsigned long flags;
    struct timer_queue *q;

    if (t->status != TIMER_QUEUED)
        return;
    q = lock_queue(t, &flags);
    if (t->status == TIMER_QUEUED)
        heap_remove(q, t);
    spin_unlock_irqrestore(&q->lock, flags);
}

/* Two queues: the one of the lower CPU first. */
static void lock_both(unsigned int a, unsigned int b)
{
    spin_lock(&per_cpu(timer_queue, MIN(a, b)).lock);
    spin_lock(&per_cpu(timer_queue, MAX(a, b)).lock);
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
    unsigned long flags = local_irq_save();
    unsigned int old;

    while ((old = READ_ONCE(t->cpu)) != cpu) {
        struct timer_queue *from = &per_cpu(timer_queue, old);
        struct timer_queue *to = &per_cpu(timer_queue, cpu);
        bool same;

        lock_both(old, cpu);
        same = t->cpu == old;
        if (same) {
            bool queued = t->status == TIMER_QUEUED;

            if (queued)
                heap_remove(from, t);
            WRITE_ONCE(t->cpu, cpu);
            if (queued) {
                heap_insert(to, t);
                if (to->root == t)
                    root_changed(to, cpu);
            }
        }
        spin_unlock(&to->lock);
        spin_unlock(&from->lock);
    }
    local_irq_restore(flags);
}

void timer_kill(struct timer *t)
{
    unsigned long flags;
    struct timer_queue *q;
    unsigned int cpu;

    if (t->status == TIMER_NONE)
        return;
    q = lock_queue(t, &flags);
    if (t->status == TIMER_QUEUED)
        heap_remove(q, t);
    t->status = TIMER_DEAD;
    spin_unlock_irqrestore(&q->lock, flags);
    /* It may have been moved while its handler ran: look everywhere. */
    for_each_online_cpu(cpu) {
        if (cpu == smp_processor_id())
            continue; /* our own handler is not waited for */
        while (READ_ONCE(per_cpu(timer_queue, cpu).running) == t)
            cpu_relax();
    }
}

static struct timer *take_due(struct timer_queue *q)
{
    struct timer *t = q->root;

    if (!t || t->expires > now() + TIMER_SLOP)
        return NULL;
    heap_remove(q, t);
    return t;
}

static void run_timers(void)
{
    struct timer_queue *q = &this_cpu(timer_queue);
    unsigned long flags;
    struct timer *t;

    perf_inc(timers);
    spin_lock_irqsave(&q->lock, flags);
    while ((t = take_due(q)) != NULL) {
        void (*fn)(void *) = t->fn;
        void *arg = t->arg;

        q->running = t;
        spin_unlock_irqrestore(&q->lock, flags);
        fn(arg);
        spin_lock_irqsave(&q->lock, flags);
        WRITE_ONCE(q->running, NULL);
    }
    if (q->root && !(q->armed && q->armed_for <= q->root->expires))
        arm(q, q->root->expires);
    spin_unlock_irqrestore(&q->lock, flags);
}

void __init timers_init(void)
{
    use_deadline = cpu_features.tsc_deadline;
    softirq_register(SOFTIRQ_TIMER, run_timers);
    irq_set_vector_handler(VECTOR_TIMER, timer_interrupt);
    timers_init_cpu();
}

void timers_init_cpu(void)
{
    spin_lock_init(&this_cpu(timer_queue).lock);
    lapic_timer_mode(use_deadline);
}

/* The next one after `after` in no particular order: depth first. */
static const struct timer *heap_next(const struct timer *t)
{
    if (t->child)
        return t->child;
    while (t && !t->next) {
        while (t->prev && t->prev->child != t)
            t = t->prev; /* back to the first sibling */
        t = t->prev;     /* and up */
    }
    return t ? t->next : NULL;
}

/* A timer as it was: printing takes too long for the queue's lock. */
struct shown_timer {
    const struct timer *timer;
    s_time_t expires;
    void (*fn)(void *arg);
    void *arg;
};
#define MAX_SHOWN 32

/* Up to MAX_SHOWN of them; returns how many there are. */
static unsigned int copy_timers(struct timer_queue *q,
                                struct shown_timer *shown, s_time_t *armed_for)
{
    unsigned int n = 0;
    unsigned long flags;

    spin_lock_irqsave(&q->lock, flags);
    *armed_for = q->armed ? q->armed_for : 0;
    for (const struct timer *t = q->root; t; t = heap_next(t), n++)
        if (n < MAX_SHOWN)
            shown[n] = (struct shown_timer){t, t->expires, t->fn, t->arg};
    spin_unlock_irqrestore(&q->lock, flags);
    return n;
}

static void dump_cpu_timers(unsigned int cpu)
{
    struct shown_timer shown[MAX_SHOWN];
    s_time_t armed_for;
    unsigned int n = copy_timers(&per_cpu(timer_queue, cpu), shown,
                                 &armed_for);

    printk("  CPU%u: armed for %ld\n", cpu, armed_for);
    for (unsigned int i = 0; i < MIN(n, MAX_SHOWN); i++)
        printk("    %p in %ld us: %pS(%p)\n", (const void *)shown[i].timer,
               (shown[i].expires - now()) / 1000,
               (void *)(unsigned long)shown[i].fn, shown[i].arg);
    if (n > MAX_SHOWN)
        printk("    and %u more\n", n - MAX_SHOWN);
}

void timers_dump(void)
{
    unsigned int cpu;

    printk("timers, now %ld ns:\n", now());
    for_each_online_cpu (cpu)
        dump_cpu_timers(cpu);
}
