/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps of kernel_image_open(). Each returns NULL or what is wrong with the
 * file, as a sentence for the user.  The parsers touch nothing beyond the
 * bytes that they are given: host tests feed them garbage.
 */
#ifndef HV_BOOT_KERNEL_IMAGE_H
#define HV_BOOT_KERNEL_IMAGE_H

#include <hv/boot.h>
#include <hv/compiler.h>

struct bytes {
    const u8 *data;
    size_t size;
};

/* bzimage.c. *payload: the compressed kernel in a bzImage, or the file itself
 * if it is none; *size_known: the payload's last four bytes tell how big it
 * becomes (a bzImage's always do). */
const char *bzimage_payload(struct bytes file, struct bytes *payload,
                            bool *is_bzimage);

/* decompress.c. */
enum compression {
    COMPRESSION_NONE,
    COMPRESSION_GZIP,
    COMPRESSION_XZ,
    COMPRESSION_LZ4,
    COMPRESSION_ZSTD,
    COMPRESSION_UNKNOWN,
};
enum compression compression_of(struct bytes in);
const char *compression_name(enum compression c);
/* Exactly out_size bytes must come out. */
const char *decompress(enum compression c, struct bytes in, u8 *out,
                       size_t out_size);

/* elf.c: fill in everything but to_free*. */
const char *elf_kernel_parse(struct bytes elf, struct kernel_image *k);

#endif
