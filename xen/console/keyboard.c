/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug keys from the PC keyboard: with ScrollLock held, the next key is one.
 * Domain 0 owns the keyboard; the scan codes (set 1) that it reads from port
 * 0x60 pass by here.  A key counts when it is let go, so that it does not
 * repeat.
 */
#include <hv/console.h>
#include <hv/spinlock.h>
#include <hv/x86.h>

/* Keyboard controller 8042. */
#define DATA_PORT 0x60
#define STATUS_PORT 0x64
#define STATUS_OUTPUT 0x01 /* a byte waits */
#define STATUS_MOUSE 0x20  /* and it is the mouse's */
#define FETCH_MAX 32       /* a port that is not there has always one */

#define SCROLL_LOCK 0x46
#define LEFT_SHIFT 0x2a
#define RIGHT_SHIFT 0x36
#define EXTENDED 0xe0
#define RELEASED 0x80

/* US layout, codes 0x00-0x39; 0: no character. */
static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`"
                            "\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:"
                              "\"~\0|ZXCVBNM<>?\0*\0 ";

static DEFINE_SPINLOCK(lock);
static bool scroll_held, shift_held, after_extended;

/* The character to press, 0 for none. The lock is held. */
static char take_code(u8 code)
{
    bool released = code & RELEASED;
    u8 key = code & (u8)~RELEASED;

    if (after_extended || code == EXTENDED) {
        after_extended = code == EXTENDED;
        return 0;
    }
    if (key == SCROLL_LOCK) {
        scroll_held = !released;
        return 0;
    }
    if (key == LEFT_SHIFT || key == RIGHT_SHIFT) {
        shift_held = !released;
        return 0;
    }
    if (!released || !scroll_held || key >= sizeof(plain) - 1)
        return 0;
    return shift_held ? shifted[key] : plain[key];
}

void keyboard_listen(u8 code)
{
    unsigned long flags;
    char c;

    spin_lock_irqsave(&lock, flags);
    c = take_code(code);
    spin_unlock_irqrestore(&lock, flags);
    if (c == 0)
        return;
    flags = local_irq_save();
    debug_key_press((u8)c);
    local_irq_restore(flags);
}

void keyboard_fetch(void)
{
    for (unsigned int i = 0; i < FETCH_MAX; i++) {
        u8 status = inb(STATUS_PORT), code;

        if (status == 0xff || !(status & STATUS_OUTPUT))
            break;
        code = inb(DATA_PORT);
        if (!(status & STATUS_MOUSE))
            keyboard_listen(code);
    }
}
