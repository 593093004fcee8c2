/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bzImage container: Linux, Documentation/x86/boot.rst, protocol 2.08 and
 * later, fields setup_sects, boot_flag, header, version, payload_offset and
 * payload_length.
 */
#include <hv/compiler.h>
#include <hv/string.h>

#include "kernel-image.h"

#define SECTOR 512
#define HEADER_END 0x250
#define SETUP_SECTS 0x1f1
#define BOOT_FLAG 0x1fe
#define HEADER_MAGIC 0x202
#define PROTOCOL 0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define FIRST_WITH_PAYLOAD 0x0208

static u32 load(const u8 *p, unsigned int n)
{
    u32 v = 0;

    while (n-- != 0)
        v = v << 8 | p[n];
    return v;
}

const char *__init bzimage_payload(struct bytes file, struct bytes *payload,
                                   bool *is_bzimage)
{
    u64 start, length;
    u8 sectors;

    *payload = file;
    *is_bzimage = false;
    if (file.size < HEADER_END || load(file.data + BOOT_FLAG, 2) != 0xaa55 ||
        memcmp(file.data + HEADER_MAGIC, "HdrS", 4) != 0)
        return NULL;
    *is_bzimage = true;
    if (load(file.data + PROTOCOL, 2) < FIRST_WITH_PAYLOAD)
        return "it is a bzImage of a kernel before 2.6.26, which cannot run here";
    sectors = file.data[SETUP_SECTS] ? file.data[SETUP_SECTS] : 4;
    start = (sectors + 1UL) * SECTOR + load(file.data + PAYLOAD_OFFSET, 4);
    length = load(file.data + PAYLOAD_LENGTH, 4);
    if (length < 8)
        return "it is a bzImage without a compressed kernel inside";
    if (start > file.size || length > file.size - start)
        return "the bzImage is truncated: copy the file again";
    payload->data = file.data + start;
    payload->size = length;
    return NULL;
}
