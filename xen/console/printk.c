/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log messages.  A message is formatted, prefixed at every line start and
 * handed to the console as one piece under one lock, so that lines of two CPUs
 * never mix.
 */
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "internal.h"

#define MAX_MESSAGE 1024
#define PREFIX_MAX 40
#define MAX_TRIES 16 /* the room was taken by others, each time */
#define NMI_PATIENCE 50000000U /* polls of a lock: seconds */
#define CLAIM_PATIENCE 200000U /* the same, for the debugger */
/* By who may have a ticket for it already: then nothing comes free. */
#define CLAIM_PATIENCE_INSIDE 2000U
#define GUEST_BURST 10                /* messages that may come at once */
#define GUEST_INTERVAL 500000000L     /* ns until one more may come */

/* Messages up to `always` come out, those up to `limited` if not too many. */
struct threshold {
    int always, limited;
};

#ifdef NDEBUG
static struct threshold loglvl = {LOG_INFO, LOG_INFO};
static struct threshold guest_loglvl = {LOG_ERROR, LOG_WARNING};
#else
static struct threshold loglvl = {LOG_DEBUG, LOG_DEBUG};
static struct threshold guest_loglvl = {LOG_ERROR, LOG_DEBUG};
#endif

/* console_timestamps: none, or seconds.microseconds since boot. */
static bool timestamps;

static DEFINE_SPINLOCK(printk_lock);
static unsigned int printk_owner = NR_CPUS; /* CPU in printk, NR_CPUS: none */
/* The machine ends, and this CPU says so: it takes no more locks. */
static unsigned int fatal_cpu = NR_CPUS;
/* The debugger's leader: the machine stands still, and it takes none either. */
static unsigned int debug_cpu = NR_CPUS;
static bool in_line; /* the last message did not end its line */
static const struct printk_ops *printk_ops;

/* How often this CPU is inside the console, or waits to be. */
DEFINE_PER_CPU(u32, console_depth);

static struct {
    s_time_t last;
    unsigned int tokens, dropped;
} guest_limit = {.tokens = GUEST_BURST};

/* One word of the level options; returns what follows it, NULL if unknown. */
static const char *__init parse_level(const char *s, int *level)
{
    static const char *const names[] __initconst = {"none",    "error",
                                                    "warning", "info",
                                                    "debug",   "all"};

    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        size_t len = strlen(names[i]);

        if (strncmp(s, names[i], len) == 0 &&
            (s[len] == '\0' || s[len] == '/')) {
            *level = (int)MIN(i, 4U) - 1;
            return s + len;
        }
    }
    return NULL;
}

static int __init parse_threshold(const char *s, struct threshold *t)
{
    int always, limited;

    s = parse_level(s, &always);
    if (!s)
        return -EINVAL;
    limited = always;
    if (*s == '/' && !parse_level(s + 1, &limited))
        return -EINVAL;
    t->always = always;
    t->limited = limited;
    return 0;
}

static int __init parse_loglvl(const char *value)
{
    return parse_threshold(value, &loglvl);
}
OPTION_CUSTOM(loglvl, parse_loglvl);

static int __init parse_guest_loglvl(const char *value)
{
    return parse_threshold(value, &guest_loglvl);
}
OPTION_CUSTOM(guest_loglvl, parse_guest_loglvl);

static int __init parse_timestamps(const char *value)
{
    static const char *const words[] __initconst = {
        "none", "no", "off", "0", "false", /* the rest turns them on */
        "", "boot", "yes", "on", "1", "true"};

    for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(value, words[i]) == 0) {
            timestamps = i >= 5;
            return 0;
        }
    return -EINVAL;
}
OPTION_CUSTOM(console_timestamps, parse_timestamps);

void printk_register(const struct printk_ops *ops)
{
    printk_ops = ops;
}

void printk_change_level(int by)
{
    static const char *const names[] = {"none", "error", "warning", "info",
                                        "debug"};
    int level = MIN(MAX(loglvl.always + by, -1), (int)LOG_DEBUG);

    loglvl.always = loglvl.limited = level;
    guest_loglvl.limited = MAX(level, (int)LOG_WARNING);
    console_printf("Log level: %s\n", names[level + 1]);
}

/* The stacks of NMI, double fault, machine check and #DB: see percpu.h. */
static bool on_stack_of_its_own(void)
{
    unsigned long sp = (unsigned long)__builtin_frame_address(0);

    return sp % STACK_SIZE / PAGE_SIZE < STACK_GUARD_PAGE;
}

/* A machine that ends has one CPU that prints; others stop where they are. */
static bool is_fatal_cpu(void)
{
    unsigned int cpu = READ_ONCE(fatal_cpu);

    if (likely(cpu == NR_CPUS))
        return false;
    while (cpu != smp_processor_id())
        cpu_halt();
    return true;
}

void console_pass_locks(bool on)
{
    WRITE_ONCE(debug_cpu, on ? smp_processor_id() : NR_CPUS);
}

bool console_lock(spinlock_t *l)
{
    if (is_fatal_cpu() || READ_ONCE(debug_cpu) == smp_processor_id())
        return false;
    if (!on_stack_of_its_own()) {
        spin_lock(l);
        return true;
    }
    for (unsigned int i = 0; i < NMI_PATIENCE && !is_fatal_cpu(); i++) {
        if (spin_trylock(l))
            return true;
        cpu_relax();
    }
    return false;
}

/*
 * A fault inside printk must be able to report itself: the CPU that holds the
 * lock goes through. Returns whether the lock was taken.
 */
static bool printk_enter(unsigned long *flags)
{
    *flags = local_irq_save();
    this_cpu(console_depth)++;
    if (READ_ONCE(printk_owner) == smp_processor_id())
        return false;
    if (!console_lock(&printk_lock))
        return false;
    WRITE_ONCE(printk_owner, smp_processor_id());
    return true;
}

static void printk_leave(bool locked, unsigned long flags)
{
    if (locked) {
        WRITE_ONCE(printk_owner, NR_CPUS);
        spin_unlock(&printk_lock);
    }
    this_cpu(console_depth)--;
    local_irq_restore(flags);
}

bool console_claim_lock(spinlock_t *l)
{
    unsigned int tries = console_busy_here() ? CLAIM_PATIENCE_INSIDE
                                             : CLAIM_PATIENCE;

    while (tries-- != 0) {
        if (spin_trylock(l))
            return true;
        cpu_relax();
    }
    return false;
}

bool printk_claim(void)
{
    if (printk_owner == smp_processor_id() || is_fatal_cpu() ||
        !console_claim_lock(&printk_lock))
        return false;
    WRITE_ONCE(printk_owner, smp_processor_id());
    return true;
}

bool console_busy_here(void)
{
    return this_cpu(console_depth) != 0;
}

void printk_unclaim(void)
{
    WRITE_ONCE(printk_owner, NR_CPUS);
    spin_unlock(&printk_lock);
}

void console_end_locks(void)
{
    WRITE_ONCE(fatal_cpu, smp_processor_id());
}

s_time_t printk_now(void)
{
    return printk_ops ? printk_ops->now() : 0;
}

static void emit(const char *text, size_t len)
{
    conring_append(text, len);
    console_puts(text, len);
}

static void emit_prefix(void)
{
    char prefix[PREFIX_MAX];
    int n = snprintf(prefix, sizeof(prefix), "(XEN) ");

    if (timestamps) {
        unsigned long us = (u64)printk_now() / 1000;

        n = snprintf(prefix, sizeof(prefix), "(XEN) [%5lu.%06lu] ",
                     us / 1000000, us % 1000000);
    }
    emit(prefix, (size_t)n);
}

static void emit_lines(const char *text, size_t len)
{
    while (len != 0) {
        const char *lf = memchr(text, '\n', len);
        size_t n = lf ? (size_t)(lf - text) + 1 : len;

        if (!in_line)
            emit_prefix();
        emit(text, n);
        in_line = !lf;
        text += n;
        len -= n;
    }
}

/* Bytes of output that a message makes, prefixes included, or some more. */
static size_t length_with_prefixes(const char *text, size_t len)
{
    size_t all = len + PREFIX_MAX;

    for (size_t i = 0; i < len; i++)
        if (text[i] == '\n')
            all += PREFIX_MAX;
    return all;
}

/* For text under the lock that is held already. */
static void __printf(1, 2) print_locked(const char *fmt, ...)
{
    char text[80];
    __builtin_va_list ap;
    int n;

    __builtin_va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    __builtin_va_end(ap);
    emit_lines(text, MIN((size_t)n, sizeof(text) - 1));
}

/*
 * Made before the lock is taken, as an address with its symbol takes a while;
 * and where the lines have no room for it, room is waited for without the lock,
 * with irqs as they are.
 */
static void print(const char *fmt, __builtin_va_list ap, void (*intro)(void))
{
    char text[MAX_MESSAGE];
    size_t n = (size_t)vsnprintf(text, sizeof(text), fmt, ap), all;
    bool patient = true, locked;
    unsigned long flags;

    n = MIN(n, sizeof(text) - 1);
    all = length_with_prefixes(text, n);
    for (unsigned int tries = 0;; tries++) {
        locked = printk_enter(&flags);
        if (!patient || !locked || tries == MAX_TRIES ||
            console_has_room(all))
            break;
        printk_leave(locked, flags);
        patient = console_wait_room(all);
    }
    if (intro)
        intro();
    emit_lines(text, n);
    printk_leave(locked, flags);
}

void printk_level(enum log_level level, const char *fmt, ...)
{
    __builtin_va_list ap;

    if ((int)level > loglvl.limited)
        return;
    __builtin_va_start(ap, fmt);
    print(fmt, ap, NULL);
    __builtin_va_end(ap);
}

void console_printf(const char *fmt, ...)
{
    __builtin_va_list ap;

    __builtin_va_start(ap, fmt);
    print(fmt, ap, NULL);
    __builtin_va_end(ap);
}

/* One token per interval, GUEST_BURST at most. printk's lock is held. */
static bool guest_may_print(void)
{
    s_time_t t = printk_now();
    s_time_t gained = (t - guest_limit.last) / GUEST_INTERVAL;

    if (gained > 0) {
        guest_limit.last += gained * GUEST_INTERVAL;
        guest_limit.tokens = (unsigned int)MIN(guest_limit.tokens + gained,
                                               (s_time_t)GUEST_BURST);
    }
    if (guest_limit.tokens == 0) {
        guest_limit.dropped++;
        return false;
    }
    guest_limit.tokens--;
    return true;
}

static void print_guest_name(void)
{
    unsigned int domid, vcpu;

    if (guest_limit.dropped != 0) {
        print_locked("%u messages about guests left out.\n",
                     guest_limit.dropped);
        guest_limit.dropped = 0;
    }
    if (printk_ops && printk_ops->guest(&domid, &vcpu))
        print_locked("d%uv%u ", domid, vcpu);
}

/* The limit's own state is under printk's lock. */
static bool guest_is_let(int level)
{
    unsigned long flags;
    bool locked, let;

    if (level <= guest_loglvl.always)
        return true;
    locked = printk_enter(&flags);
    let = guest_may_print();
    printk_leave(locked, flags);
    return let;
}

void printk_guest(enum log_level level, const char *fmt, ...)
{
    __builtin_va_list ap;

    if ((int)level > guest_loglvl.limited || !guest_is_let((int)level))
        return;
    __builtin_va_start(ap, fmt);
    print(fmt, ap, print_guest_name);
    __builtin_va_end(ap);
}
