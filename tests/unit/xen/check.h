/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECK_H
#define CHECK_H

#include <hv/compiler.h>
#include <hv/types.h>

/* Counts, and prints what failed. */
void check(bool ok, const char *what, const char *file, int line);
#define CHECK(c) check(c, #c, __FILE__, __LINE__)

u64 random_number(void); /* the same sequence in every run */

/* Of the host's library. */
int printf(const char *fmt, ...) __printf(1, 2);
void *malloc(size_t size);
void free(void *p);

void test_string(void);
void test_format(void);
void test_options(void);
void test_memory_map(void);
void test_serial(void);
void test_images(void);
void test_clock(void);

#endif
