/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Error numbers: the ABI's own values (<xen/errno.h>), by their plain names.
 * Functions return 0 or a negative one. Floor: lib.
 */
#ifndef HV_ERRNO_H
#define HV_ERRNO_H

#define XEN_ERRNO(name, value) name = value,
enum hv_errno {
#include <xen/errno.h>
    /* Never seen by a guest: the hypercall is to be executed again. */
    ERESTART = 512,
};

#endif
