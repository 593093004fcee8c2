/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs all tests; the last line is "N passed, N failed". */
#include "check.h"

static unsigned int passed, failed;
static u64 state = 88172645463325252UL;

void check(bool ok, const char *what, const char *file, int line)
{
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("%s:%d: failed: %s\n", file, line, what);
}

/* Marsaglia's xorshift64. */
u64 random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

int main(void)
{
    test_string();
    test_format();
    test_options();
    test_memory_map();
    test_serial();
    test_images();
    test_clock();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
