/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoders for kernel images: liblzma, zlib, liblz4 and libzstd, linked
 * statically into the init part.  They use SSE, which is on by now and which
 * nobody else here uses; what they need of a C library is in libc-stubs.c.
 */
#include <hv/string.h>
#include <lz4.h>
#include <lzma.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "kernel-image.h"

#define LZ4_LEGACY_MAGIC 0x184c2102
#define LZ4_LEGACY_BLOCK (8UL << 20) /* what a block holds, uncompressed */

static const struct {
    enum compression kind;
    u8 len;
    char magic[7];
} magics[] __initconst = {
    {COMPRESSION_NONE, 4, "\x7f" "ELF"},
    {COMPRESSION_GZIP, 3, "\x1f\x8b\x08"},
    {COMPRESSION_XZ, 6, "\xfd" "7zXZ"},
    {COMPRESSION_LZ4, 4, "\x02\x21\x4c\x18"},
    {COMPRESSION_ZSTD, 4, "\x28\xb5\x2f\xfd"},
};

enum compression __init compression_of(struct bytes in)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(magics); i++)
        if (in.size >= magics[i].len &&
            memcmp(in.data, magics[i].magic, magics[i].len) == 0)
            return magics[i].kind;
    return COMPRESSION_UNKNOWN;
}

const char *__init compression_name(enum compression c)
{
    static const char *const names[] __initconst = {
        "not compressed", "gzip", "XZ", "LZ4", "Zstandard", "unknown"};

    return names[c];
}

static const char *__init gunzip(struct bytes in, u8 *out, size_t out_size)
{
    z_stream z = {
        .next_in = in.data,
        .avail_in = (uInt)in.size,
        .next_out = out,
        .avail_out = (uInt)out_size,
    };
    int rc;

    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return "there is not enough memory to decompress it";
    rc = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    if (rc == Z_MEM_ERROR)
        return "there is not enough memory to decompress it";
    if (rc != Z_STREAM_END || z.avail_out != 0)
        return "the gzip data is damaged: copy the file again";
    return NULL;
}

static const char *__init unxz(struct bytes in, u8 *out, size_t out_size)
{
    u64 memory_limit = 256UL << 20;
    size_t in_pos = 0, out_pos = 0;
    lzma_ret rc = lzma_stream_buffer_decode(&memory_limit, 0, NULL, in.data,
                                            &in_pos, in.size, out, &out_pos,
                                            out_size);

    if (rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR)
        return "there is not enough memory to decompress it";
    if (rc == LZMA_OPTIONS_ERROR || rc == LZMA_UNSUPPORTED_CHECK)
        return "the XZ data uses a filter or check that is not known here";
    if (rc != LZMA_OK || out_pos != out_size)
        return "the XZ data is damaged: copy the file again";
    return NULL;
}

static const char *__init unlz4(struct bytes in, u8 *out, size_t out_size)
{
    size_t at = 0, done = 0;

    while (in.size - at >= 4) {
        u32 size;
        size_t room = MIN(out_size - done, LZ4_LEGACY_BLOCK);
        int n;

        memcpy(&size, in.data + at, 4);
        at += 4;
        if (size == LZ4_LEGACY_MAGIC)
            continue;
        if (size > in.size - at || size > LZ4_MAX_INPUT_SIZE)
            return "the LZ4 data is truncated: copy the file again";
        n = LZ4_decompress_safe((const char *)in.data + at, (char *)out + done,
                                (int)size, (int)room);
        if (n < 0)
            return "the LZ4 data is damaged: copy the file again";
        at += size;
        done += (size_t)n;
    }
    return done == out_size ? NULL : "the LZ4 data is truncated: copy the file again";
}

static const char *__init unzstd(struct bytes in, u8 *out, size_t out_size)
{
    size_t n;

    /* Trailing bytes are not part of the frame. */
    in.size = ZSTD_findFrameCompressedSize(in.data, in.size);
    if (ZSTD_isError(in.size))
        return "the Zstandard data is truncated: copy the file again";
    n = ZSTD_decompress(out, out_size, in.data, in.size);
    if (ZSTD_isError(n) || n != out_size)
        return "the Zstandard data is damaged: copy the file again";
    return NULL;
}

const char *__init decompress(enum compression c, struct bytes in, u8 *out,
                              size_t out_size)
{
    switch (c) {
    case COMPRESSION_GZIP:
        return gunzip(in, out, out_size);
    case COMPRESSION_XZ:
        return unxz(in, out, out_size);
    case COMPRESSION_LZ4:
        return unlz4(in, out, out_size);
    case COMPRESSION_ZSTD:
        return unzstd(in, out, out_size);
    default:
        return "it is neither an ELF file nor compressed in a known way";
    }
}
