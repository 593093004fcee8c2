/* SPDX-License-Identifier: GPL-2.0-only */
/* The C string functions we have (lib/string.c). Floor: lib. */
#ifndef HV_STRING_H
#define HV_STRING_H

#include <hv/types.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *p, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *p, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *s, const char *what);
/* Copies at most size-1 bytes and terminates; returns strlen(from). */
size_t strlcpy(char *to, const char *from, size_t size);
unsigned long strtoul(const char *s, const char **end, unsigned int base);

/* Let the compiler expand small constant sizes in place. */
#define memcpy(to, from, n) __builtin_memcpy(to, from, n)
#define memset(p, c, n) __builtin_memset(p, c, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#define strlen(s) __builtin_strlen(s)

#endif
