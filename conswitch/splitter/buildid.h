/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Build-ids: the number that the linker gives a build (ELF note
 * NT_GNU_BUILD_ID), and files found by it.  ELF is read by elfutils.
 */
#ifndef BUILDID_H
#define BUILDID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 32u /* bytes; 20 of SHA-1 are usual */

struct build_id {
    size_t len; /* 0: none */
    uint8_t byte[BUILD_ID_MAX];
};

struct elf_facts {
    struct build_id id;
    bool debug; /* has .debug_info */
    bool code;  /* has its code, not only debug information */
};

/* Two to 64 digits of either case, an even number; false for all else. */
bool build_id_parse(const char *hex, size_t len, struct build_id *id);
void build_id_text(const struct build_id *id, char text[2 * BUILD_ID_MAX + 1]);
bool build_id_same(const struct build_id *a, const struct build_id *b);

/*
 * The build-id in a path's end as distributions store debug files:
 * .build-id/12/3456.debug is 123456.  False when the path has no such end.
 */
bool build_id_of_path(const char *path, struct build_id *id);

/* False when the open file is no ELF file with a build-id. */
bool build_id_read(int fd, struct elf_facts *facts);

#endif /* BUILDID_H */
