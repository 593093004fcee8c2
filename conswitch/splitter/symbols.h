/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files for gdb, from the workstation instead of over the line: answers
 * vFile, read-only (GDB's manual, "Host I/O Packets").  `target remote` then
 * needs no file name.
 *
 * With one file that is also what qXfer:exec-file:read is answered with.
 * With a directory the target names the file, and what is opened is the one
 * of that name, without its path, in the directory.
 */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols {
    char path[4096]; /* absolute; empty: none offered */
    bool is_directory;
    int fd; /* open for gdb, or -1 */
};

/* 0, or -1 with a message. */
int symbols_init(struct symbols *sym, const char *path, char *err, size_t size);
void symbols_close(struct symbols *sym);

/* An rsp_near_fn on a struct symbols. */
bool symbols_near(void *ctx, const uint8_t *cmd, size_t len, uint8_t *reply,
                  size_t max, size_t *reply_len);

#endif /* SYMBOLS_H */
