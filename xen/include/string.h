/* SPDX-License-Identifier: GPL-2.0-only */
/* For the cores of pdb and conswitch, which include <string.h>. Floor: lib. */
#ifndef HV_LIBC_STRING_H
#define HV_LIBC_STRING_H

#include <hv/string.h>

#endif
