/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses in text explained from ELF files and their DWARF, by libdw. */
#ifndef MINITERM_SYMBOLS_H
#define MINITERM_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strings;
struct symbols;

/*
 * Loads the files; of directories nothing until symbols_running().  NULL
 * without any (not an error).  A file that cannot be used is complained about
 * on stderr and *failed is set.
 */
struct symbols *symbols_new(const struct strings *files, bool *failed);
void symbols_free(struct symbols *s);

/* One that is looked through by build-id, not a file. */
bool symbols_is_directory(const char *path);

/*
 * The build that runs says its build-id: a directory among the files is
 * looked through for it.  False, with a message, when none of what was given
 * is of that build: explanations are not to be trusted then.
 */
bool symbols_running(struct symbols *s, const char *hex, char *why,
                     size_t size);

/* "function+0x12 file.c:34" of one address; false when it is unknown. */
bool symbols_lookup(struct symbols *s, uint64_t address, char *out,
                    size_t size);

/*
 * Explains the addresses in a line (hexadecimal numbers of 8 to 16 digits
 * that lie in a known file), up to three, as one text to be freed; NULL when
 * there is nothing to say.
 */
char *symbols_annotate(struct symbols *s, const char *text, size_t len);

/* "file:line" of the first known address in a line; false without one. */
bool symbols_source(struct symbols *s, const char *text, size_t len,
                    char *out, size_t size);

#endif
