/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_BOOT_VERSION_H
#define HV_BOOT_VERSION_H

void print_banner(void);

#endif
