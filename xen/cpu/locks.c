/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock checker of debug builds. Reported at once, and not as a hang once
 * in a year: a lock that is taken twice by one CPU, released by another, shared
 * with interrupts without disabling them, or taken in an order that is the
 * reverse of one seen before. It also remembers how long locks were held.
 *
 * Locks of one kind are a class: those with one name, or, where a lock never
 * was given one, those that were first taken by the same piece of code. For
 * each class `after` has the classes that were taken, with waiting, while one
 * of it was held; a cycle among them is a deadlock that only wants its moment.
 * Two locks of one class have an order of their own (docs/locking.md), which is
 * not checked.
 *
 * And it remembers how long interrupts were off: while one was handled, or from
 * local_irq_save() to local_irq_restore().
 */
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/spinlock.h>
#include <hv/x86.h>

#ifdef NDEBUG

void locks_dump(u32 tsc_khz)
{
    (void)tsc_khz;
    printk("Locks are watched in debug builds only (make -C xen debug=y).\n");
}

#else

/* spinlock_t.flags */
#define USED_IN_IRQ 1
#define USED_IRQS_ON 2

#define MAX_CLASSES 64 /* 0: locks that found no room are not checked */
#define MAX_HELD 16

struct lock_class {
    unsigned long key; /* address of the name, or of the code */
    const char *name;  /* NULL: key is code */
    u64 after;         /* atomics */
    u64 longest;       /* ticks of the TSC */
    unsigned long longest_by; /* code that took it then */
};

struct held_lock {
    const spinlock_t *lock;
    unsigned long by;
    u64 since;
};

struct held_locks {
    unsigned int nr;
    struct held_lock lock[MAX_HELD]; /* in the order they were taken */
};

static struct lock_class classes[MAX_CLASSES];
static unsigned int nr_classes = 1;
static u32 classes_busy;
static DEFINE_PER_CPU(struct held_locks, held_locks);
static bool stopped;

/* --- classes --- */

/* irqs off. */
static unsigned int find_class(unsigned long key, const char *name)
{
    unsigned int i;

    while (atomic_xchg(&classes_busy, 1))
        cpu_relax();
    for (i = 1; i < nr_classes; i++)
        if (classes[i].key == key)
            break;
    if (i == nr_classes) {
        if (i < MAX_CLASSES) {
            classes[i].key = key;
            classes[i].name = name;
            nr_classes++;
        } else {
            i = 0;
        }
    }
    __atomic_store_n(&classes_busy, 0, __ATOMIC_RELEASE);
    return i;
}

static unsigned int class_of(spinlock_t *l, unsigned long by)
{
    if (unlikely(!l->class)) {
        unsigned long flags = local_irq_save();
        unsigned long key = l->name ? (unsigned long)l->name : by;

        l->class = (u8)find_class(key, l->name);
        local_irq_restore(flags);
    }
    return l->class;
}

static void print_class(unsigned int c)
{
    if (classes[c].name)
        printk("%s", classes[c].name);
    else
        printk("the lock first taken by %pS", (void *)classes[c].key);
}

/* --- order --- */

/* Was b taken while a was held, or after a chain of such? */
static bool comes_after(unsigned int a, unsigned int b)
{
    u64 seen = 0, next = READ_ONCE(classes[a].after);

    while (next & ~seen) {
        unsigned int c = (unsigned int)__builtin_ctzl(next & ~seen);

        seen |= 1UL << c;
        next |= READ_ONCE(classes[c].after);
    }
    return (seen >> b) & 1;
}

static void __noreturn __cold wrong_order(const struct held_lock *h,
                                          unsigned int held, unsigned int c,
                                          unsigned long by)
{
    stopped = true;
    printk("Lock order: ");
    print_class(c);
    printk(" is wanted by %pS, while ", (void *)by);
    print_class(held);
    printk(" is held, taken by %pS.\n", (void *)h->by);
    panic("Locks are taken in both orders (see above)");
}

static void check_order(spinlock_t *l, unsigned long by)
{
    const struct held_locks *held = &this_cpu(held_locks);
    unsigned int c = class_of(l, by);

    for (unsigned int i = 0; i < held->nr; i++) {
        unsigned int h = held->lock[i].lock->class;

        if (h == c || !h || !c || READ_ONCE(classes[h].after) >> c & 1)
            continue;
        if (comes_after(c, h))
            wrong_order(&held->lock[i], h, c, by);
        __atomic_fetch_or(&classes[h].after, 1UL << c, __ATOMIC_RELAXED);
    }
}

/* --- the hooks of spinlock.h --- */

void lock_check_acquire(spinlock_t *l)
{
    unsigned int cpu = smp_processor_id();

    if (unlikely(stopped))
        return;
    if (unlikely(READ_ONCE(l->owner) == cpu + 1))
        panic("Lock %p taken twice by CPU%u", l, cpu);
    l->flags |= in_irq() ? USED_IN_IRQ
                         : local_irq_is_enabled() ? USED_IRQS_ON : 0;
    if (unlikely(l->flags == (USED_IN_IRQ | USED_IRQS_ON)))
        panic("Lock %p is used by interrupt handlers and also with interrupts on",
              l);
    check_order(l, (unsigned long)__builtin_return_address(0));
}

/* With irqs off: an interrupt's own locks come and go in one piece. */
void lock_check_acquired(spinlock_t *l)
{
    struct held_locks *held = &this_cpu(held_locks);
    unsigned long by = (unsigned long)__builtin_return_address(0);
    unsigned long flags = local_irq_save();

    l->owner = (u16)(smp_processor_id() + 1);
    (void)class_of(l, by);
    if (likely(held->nr < MAX_HELD))
        held->lock[held->nr++] =
            (struct held_lock){.lock = l, .by = by, .since = rdtsc()};
    local_irq_restore(flags);
}

static void note_duration(const struct held_lock *h)
{
    struct lock_class *c = &classes[h->lock->class];
    u64 ticks = rdtsc() - h->since;

    if (unlikely(ticks > c->longest)) {
        c->longest = ticks;
        c->longest_by = h->by;
    }
}

/* Mostly the last one. One that the console's crash broke is not there. */
static void forget(struct held_locks *held, const spinlock_t *l)
{
    unsigned int i = held->nr;

    while (i-- > 0) {
        if (held->lock[i].lock != l)
            continue;
        note_duration(&held->lock[i]);
        held->nr--;
        for (; i < held->nr; i++)
            held->lock[i] = held->lock[i + 1];
        break;
    }
}

void lock_check_release(spinlock_t *l)
{
    unsigned int cpu = smp_processor_id();
    unsigned long flags;

    if (unlikely(stopped))
        return;
    if (unlikely(l->owner != cpu + 1))
        panic("Lock %p released by CPU%u, its holder is CPU%d (-1: none)", l,
              cpu, (int)l->owner - 1);
    l->owner = 0;
    flags = local_irq_save();
    forget(&this_cpu(held_locks), l);
    local_irq_restore(flags);
}

void lock_check_none_held(void)
{
    const struct held_locks *held = &this_cpu(held_locks);

    if (unlikely(held->nr && !stopped))
        panic("Lock %p, taken by %pS, is still held", held->lock[0].lock,
              (void *)held->lock[0].by);
}

void lock_check_stop(void)
{
    stopped = true;
}

/* --- irqs off --- */

struct irqs_off {
    u64 since, longest; /* ticks of the TSC */
    unsigned long by, longest_by;
};
static DEFINE_PER_CPU(struct irqs_off, irqs_off);

void irqs_off_begin(unsigned long by)
{
    struct irqs_off *o = &this_cpu(irqs_off);

    o->by = by ? by : (unsigned long)__builtin_return_address(0);
    o->since = rdtsc();
}

void irqs_off_end(void)
{
    struct irqs_off *o = &this_cpu(irqs_off);
    u64 ticks = rdtsc() - o->since;

    if (likely(ticks <= o->longest))
        return;
    o->longest = ticks;
    o->longest_by = o->by;
}

static void dump_irqs_off(unsigned int cpu, u32 tsc_khz)
{
    struct irqs_off *o = &per_cpu(irqs_off, cpu);
    unsigned long by = o->longest_by; /* what follows is measured, too */
    u64 ticks = atomic_xchg(&o->longest, 0UL);

    printk("  CPU%u: %6lu us, ", cpu, ticks * 1000 / tsc_khz);
    if (by < 256)
        printk("interrupt vector %02lx\n", by);
    else
        printk("by %pS\n", (void *)by);
}

/* --- the debug key --- */

static void dump_held(unsigned int cpu, u32 tsc_khz)
{
    const struct held_locks *held = &per_cpu(held_locks, cpu);

    for (unsigned int i = 0; i < READ_ONCE(held->nr); i++) {
        struct held_lock h = held->lock[i];

        printk("  CPU%u holds %p for %lu us, taken by %pS\n", cpu, h.lock,
               (rdtsc() - h.since) * 1000 / tsc_khz, (void *)h.by);
    }
}

void locks_dump(u32 tsc_khz)
{
    unsigned int cpu;

    printk("Locks, and how long each was held at most:\n");
    for (unsigned int c = 1; c < nr_classes; c++) {
        if (!classes[c].longest)
            continue;
        printk("  %8lu us, taken by %pS: ",
               classes[c].longest * 1000 / tsc_khz,
               (void *)classes[c].longest_by);
        print_class(c);
        printk("\n");
    }
    for_each_online_cpu (cpu)
        dump_held(cpu, tsc_khz);
    printk("Interrupts were off at most, since this was shown last:\n");
    for_each_online_cpu (cpu)
        dump_irqs_off(cpu, tsc_khz);
}

#endif
