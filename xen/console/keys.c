/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug keys: one character, one thing shown or done.  Floors register theirs
 * in tables; `h` lists them.  Most run with irqs on soon after the interrupt;
 * an immediate key runs inside it, so that it works on a machine that hangs.
 */
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/console.h>
#include <hv/events.h>
#include <hv/printk.h>
#include <hv/spinlock.h>

#include "internal.h"

#define NR_KEYS 128

static const struct debug_key *keys[NR_KEYS];
/* Pressed, to be run. One bit each: pressing twice before it runs is once. */
static DECLARE_BITMAP(pending, NR_KEYS);
static void (*defer)(void (*run)(void *));
static bool (*runs_soon)(void);
static void (*news)(void);
/* The machine hangs: run every key in the interrupt, whatever it waits for. */
static bool at_once;

void debug_keys_register(const struct debug_key *table, unsigned int n)
{
    for (; n != 0; n--, table++) {
        BUG_ON(table->key >= NR_KEYS || keys[table->key] != NULL);
        keys[table->key] = table;
    }
}

void debug_keys_register_defer(void (*fn)(void (*run)(void *)),
                               bool (*soon)(void))
{
    defer = fn;
    runs_soon = soon;
}

static void run_key(u8 key)
{
    const struct debug_key *k = keys[key];

    note_event("debug key", key, 0);
    printk("'%c' pressed -> %s\n", key, k->description);
    k->fn(key);
}

static void run_pending(void *unused)
{
    void (*say)(void) = atomic_xchg(&news, NULL);

    (void)unused;
    if (say)
        say();
    for (unsigned int k = find_first_bit(pending, NR_KEYS); k < NR_KEYS;
         k = find_first_bit(pending, NR_KEYS)) {
        clear_bit(k, pending);
        run_key((u8)k);
    }
}

void debug_key_news(void (*fn)(void))
{
    WRITE_ONCE(news, fn);
    if (at_once || !defer)
        run_pending(NULL);
    else
        defer(run_pending);
}

static bool run_now(const struct debug_key *k)
{
    if (at_once || !defer)
        return true;
    return k->immediate && !(k->safe && runs_soon && runs_soon());
}

void debug_key_press(u8 key)
{
    if (key >= NR_KEYS || !keys[key])
        return;
    if (run_now(keys[key])) {
        run_key(key);
        return;
    }
    set_bit(key, pending);
    defer(run_pending);
}

const struct debug_key *debug_key_find(u8 key)
{
    return key < NR_KEYS ? keys[key] : NULL;
}

static void list_keys(u8 key)
{
    (void)key;
    for (unsigned int k = 0; k < NR_KEYS; k++)
        if (keys[k])
            printk(" key '%c' (ascii '%02x') => %s\n",
                   k >= ' ' && k < 127 ? k : ' ', k, keys[k]->description);
}

/* Every key that only shows things, in one go, for a report. */
static void press_safe_keys(u8 key)
{
    for (unsigned int k = 0; k < NR_KEYS; k++)
        if (keys[k] && keys[k]->safe && k != key)
            run_key((u8)k);
}

static void show_ring(u8 key)
{
    /* What is printed meanwhile goes into the ring too: stop at today's end. */
    u32 at = 0, n, end = conring_end();
    char part[128];

    (void)key;
    printk("The ring holds the last %lu KiB:\n", conring_size_now() >> 10);
    do {
        n = conring_read(&at, part, MIN(end - at, (u32)sizeof(part)));
        (void)console_wait_room(n);
        console_puts(part, n);
    } while (n != 0 && (s32)(end - at) > 0);
}

static void change_level(u8 key)
{
    printk_change_level(key == '+' ? 1 : -1);
}

static void key_events(u8 key)
{
    (void)key;
    events_dump();
}

static void toggle_at_once(u8 key)
{
    (void)key;
    at_once = !at_once;
    /* Keys take locks that are not made for interrupts: nobody is to mind. */
    lock_check_stop();
    printk("Keys run %s\n", at_once ? "at once, in the interrupt"
                                    : "when the CPU gets to it");
}

static const struct debug_key own_keys[] = {
    {'A', true, false, "run all keys at once, or as usual", toggle_at_once},
    {'+', false, false, "more log messages", change_level},
    {'-', false, false, "fewer log messages", change_level},
    {'E', false, true, "last events of the hypervisor", key_events},
    {'h', false, false, "list the keys", list_keys},
    {'*', false, false, "all keys that only show something",
     press_safe_keys},
    {'w', false, false, "show the console ring", show_ring},
};

void debug_keys_init(void)
{
    debug_keys_register(own_keys, ARRAY_SIZE(own_keys));
}
