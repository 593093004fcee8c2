/* SPDX-License-Identifier: GPL-2.0-only */
/* The build-id as text. */
#include <hv/format.h>
#include <hv/types.h>
#include <hv/version.h>

/* hv.lds.S: the ELF note; the id is behind its header and its name "GNU". */
extern const u8 hv_build_id_start[], hv_build_id_end[];
#define BUILD_ID_SKIP 16

void build_id_hex(char text[BUILD_ID_HEX_MAX])
{
    const u8 *id = hv_build_id_start + BUILD_ID_SKIP;

    text[0] = '\0';
    for (; id < hv_build_id_end && id < hv_build_id_start + BUILD_ID_SKIP +
                                            BUILD_ID_HEX_MAX / 2; id++) {
        snprintf(text, 3, "%02x", *id);
        text += 2;
    }
}
