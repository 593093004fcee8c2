/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VGA text, 80 x 25, at physical 0xb8000: written like a terminal that knows
 * CR, LF, TAB and backspace.  printk's lock is held by all callers.
 * Registers: IBM VGA, CRT controller 3d4h/3d5h, cursor location 0eh/0fh.
 */
#include <hv/console.h>
#include <hv/string.h>
#include <hv/x86.h>

#define COLUMNS 80
#define ROWS 25
#define BLANK 0x0720 /* grey on black space */
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CURSOR_HIGH 0x0e
#define CURSOR_LOW 0x0f

static volatile u16 *screen;
static unsigned int column, row;

/* There is memory behind the address if it keeps two different values. */
static bool memory_answers(volatile u16 *cell)
{
    u16 old = *cell;
    bool ok;

    *cell = 0xaa55;
    ok = *cell == 0xaa55;
    *cell = 0x55aa;
    ok = ok && *cell == 0x55aa;
    *cell = old;
    return ok;
}

static void move_cursor(void)
{
    unsigned int at = row * COLUMNS + column;

    outb(CURSOR_HIGH, CRTC_INDEX);
    outb((u8)(at >> 8), CRTC_DATA);
    outb(CURSOR_LOW, CRTC_INDEX);
    outb((u8)at, CRTC_DATA);
}

static void blank(unsigned int from, unsigned int to)
{
    for (; from < to; from++)
        screen[from] = BLANK;
}

void vga_init(void *text_memory)
{
    bool again = column != 0 || row != 0;

    screen = text_memory;
    if (!screen || again)
        return;
    if (!memory_answers(screen)) {
        screen = NULL;
        return;
    }
    blank(0, ROWS * COLUMNS);
    move_cursor();
}

bool vga_present(void)
{
    return screen != NULL;
}

static void new_line(void)
{
    column = 0;
    if (++row < ROWS)
        return;
    row = ROWS - 1;
    memmove((void *)screen, (void *)(screen + COLUMNS),
            row * COLUMNS * sizeof(*screen));
    blank(row * COLUMNS, ROWS * COLUMNS);
}

static void put(char c)
{
    switch (c) {
    case '\n':
        new_line();
        return;
    case '\r':
        column = 0;
        return;
    case '\b':
        column -= column != 0;
        return;
    case '\t':
        column = ROUND_UP(column + 1, 8U);
        break;
    default:
        screen[row * COLUMNS + column++] = (u16)(0x0700 | (u8)c);
    }
    if (column >= COLUMNS)
        new_line();
}

void vga_write(const char *text, size_t len)
{
    if (!screen)
        return;
    while (len-- != 0)
        put(*text++);
    move_cursor();
}
