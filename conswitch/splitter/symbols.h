/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files for gdb, from the workstation instead of over the line: answers
 * vFile, read-only (GDB's manual, "Host I/O Packets").  `target remote` then
 * needs no file name.
 *
 * With one file that is also what qXfer:exec-file:read is answered with.
 * With a directory the target names the file: by its build-id, as a path that
 * ends in .build-id/12/3456.debug, and what is opened is the file of that
 * build under any name; or by a name, and what is opened is the one of that
 * name, without its path, in the directory.
 */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buildid.h"

#define SYMBOLS_PATH_MAX 4096u
#define SYMBOLS_OPEN_MAX 16u /* files that gdb may have open at once */

struct symbols {
    char path[SYMBOLS_PATH_MAX]; /* absolute; empty: none offered */
    bool is_directory;
    int fd[SYMBOLS_OPEN_MAX]; /* what gdb has open as 1, 2, ...; or -1 */
};

/* Nothing is offered and nothing is open. */
void symbols_clear(struct symbols *sym);

/* Offers a file or a directory.  0, or -1 with a message. */
int symbols_init(struct symbols *sym, const char *path, char *err, size_t size);

/* Closes what gdb has left open. */
void symbols_close(struct symbols *sym);

/* An rsp_near_fn on a struct symbols. */
bool symbols_near(void *ctx, const uint8_t *cmd, size_t len, uint8_t *reply,
                  size_t max, size_t *reply_len);

/* ------------------------------------------------------- symbols-find.c */

/* Calls `fn` for each file offered that has a build-id. */
typedef void symbols_fn(void *ctx, const char *path,
                        const struct elf_facts *facts);
void symbols_each(const struct symbols *sym, symbols_fn *fn, void *ctx);

/*
 * The file of a build that has its code, or else its debug information; one
 * that has both is preferred.
 */
bool symbols_find(const struct symbols *sym, const struct build_id *id,
                  bool code, char path[SYMBOLS_PATH_MAX]);

#endif /* SYMBOLS_H */
