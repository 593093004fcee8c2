/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A full terminal for programs that use the whole screen (an editor in
 * domain 0, gdb in a pane), by libvterm's screen layer.
 */
#ifndef MINITERM_EMUL_H
#define MINITERM_EMUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

struct emul;

/* What the terminal answers and what keys become: bytes for the program. */
typedef void emul_reply_fn(const char *data, size_t len, void *user);

struct emul_cell {
    uint32_t ch;   /* 0: blank; UINT32_MAX: right half of a wide one */
    uint16_t attr; /* as in lines.h */
};

struct emul *emul_new(int rows, int cols, emul_reply_fn *reply, void *user);
void emul_free(struct emul *e);
void emul_feed(struct emul *e, const void *data, size_t len);
void emul_resize(struct emul *e, int rows, int cols);
void emul_size(const struct emul *e, int *rows, int *cols);
struct emul_cell emul_cell(const struct emul *e, int row, int col);
/* False when the program hides the cursor. */
bool emul_cursor(const struct emul *e, int *row, int *col);

/*
 * A key of curses (@is_code: KEY_..., else a character) becomes the bytes that
 * the program expects, sent by the reply function.  False: no such key.
 */
bool emul_key(struct emul *e, wint_t key, bool is_code);

#endif
