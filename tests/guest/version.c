/* SPDX-License-Identifier: GPL-2.0-only */
/* xen_version: every sub-operation of <xen/version.h>. */
#include "guest.h"

TEST(version_number)
{
    CHECK_EQ(hc_xen_version(XENVER_version, NULL), (4 << 16) | 17);
}

TEST(version_extraversion)
{
    xen_extraversion_t extra;

    memset(extra, 0x5a, sizeof(extra));
    CHECK_OK(hc_xen_version(XENVER_extraversion, extra));
    CHECK_ERR(hc_xen_version(XENVER_extraversion, (void *)UNMAPPED_VA),
              -XEN_EFAULT);
}
