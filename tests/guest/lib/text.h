/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings and printing, by console_io or on the ring of the console. */
#ifndef GUEST_TEXT_H
#define GUEST_TEXT_H

#include <stdarg.h>

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strncmp(const char *a, const char *b, size_t n);

/* %d %i %u %x %c %s %p with l and a width, 0 fill; writes at most n bytes. */
int text_vformat(char *buf, size_t n, const char *fmt, va_list ap);
int text_format(char *buf, size_t n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Lines stay whole: one call is one console_io.  At most 500 bytes. */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
