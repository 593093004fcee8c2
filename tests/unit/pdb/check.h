/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test is a function; CHECK and friends note what is wrong and go on.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <string.h>

#include "fake.h"

struct test {
    const char *name;
    void (*run)(struct fake *f); /* f is fresh, not initialised */
};

/* Arrays that end with a null name, one a file. */
extern const struct test link_tests[], memory_tests[], register_tests[];
extern const struct test thread_tests[], run_tests[], break_tests[];
extern const struct test agent_tests[], stop_tests[], query_tests[];

void check(bool ok, const char *file, int line, const char *what);
void check_str(const char *got, const char *want, const char *file, int line);
void check_has(const char *got, const char *part, const char *file, int line);

#define CHECK(c) check((c), __FILE__, __LINE__, #c)
#define IS(got, want) check_str((got), (want), __FILE__, __LINE__)
#define HAS(got, part) check_has((got), (part), __FILE__, __LINE__)

#endif /* CHECK_H */
