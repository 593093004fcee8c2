/* SPDX-License-Identifier: GPL-2.0-only */
/* A test is a function of CHECKs; it counts once, as passed or as failed. */
#ifndef CONSWITCH_CHECK_H
#define CONSWITCH_CHECK_H

#include <stdbool.h>
#include <stdio.h>

static unsigned int nr_passed, nr_failed, nr_bad_checks;

static inline void check(bool ok, const char *what, const char *file, int line)
{
    if (ok)
        return;
    if (++nr_bad_checks > 10)
        return;
    printf("%s:%d: failed: %s\n", file, line, what);
}
#define CHECK(x) check((x), #x, __FILE__, __LINE__)

static inline void run_test(void (*test)(void), const char *name)
{
    nr_bad_checks = 0;
    test();
    if (nr_bad_checks == 0) {
        nr_passed++;
        return;
    }
    nr_failed++;
    printf("FAIL %s\n", name);
}
#define RUN(test) run_test((test), #test)

/* The last line a test program prints, and its exit status. */
static inline int test_summary(void)
{
    printf("%u passed, %u failed\n", nr_passed, nr_failed);
    return nr_failed != 0;
}

#endif /* CONSWITCH_CHECK_H */
