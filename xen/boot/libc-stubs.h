/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of this floor. */
#ifndef HV_BOOT_LIBC_STUBS_H
#define HV_BOOT_LIBC_STUBS_H

/* Around calls of the decoders: FS base, x87 state, irqs off. */
void libc_stubs_begin(void);
void libc_stubs_end(void);

#endif
