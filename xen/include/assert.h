/* SPDX-License-Identifier: GPL-2.0-only */
/* For the cores of pdb and conswitch, which include <assert.h>. Floor: lib. */
#ifndef HV_LIBC_ASSERT_H
#define HV_LIBC_ASSERT_H

#include <hv/bug.h>

#define assert(c) ASSERT(c)

#endif
