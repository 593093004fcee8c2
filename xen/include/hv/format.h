/* SPDX-License-Identifier: GPL-2.0-only */
/* Formatting text (lib/format.c). Floor: lib. */
#ifndef HV_FORMAT_H
#define HV_FORMAT_H

#include <hv/compiler.h>
#include <hv/types.h>

/*
 * %d %i %u %x %X %o %p %s %c %% with flags, width, precision and the lengths
 * l ll z h hh; %pS is an address as function+offset/size. Both return the
 * length that the whole text has; what is stored ends in NUL (size != 0).
 */
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list ap);
/* Who resolves %pS: name, offset in it, size of the function; NULL: nobody. */
void format_register_symbols(const char *(*fn)(unsigned long, unsigned long *,
                                               unsigned long *));

#endif
