// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every unit test of pdb's core, each on a fresh machine.
 */
#include <stdio.h>

#include "check.h"

static unsigned int wrong;

void check(bool ok, const char *file, int line, const char *what)
{
    if (ok)
        return;
    wrong++;
    printf("%s:%d: not so: %s\n", file, line, what);
}

void check_str(const char *got, const char *want, const char *file, int line)
{
    if (strcmp(got, want) == 0)
        return;
    wrong++;
    printf("%s:%d: got  \"%s\"\n", file, line, got);
    printf("%s:%d: want \"%s\"\n", file, line, want);
}

void check_has(const char *got, const char *part, const char *file, int line)
{
    if (strstr(got, part))
        return;
    wrong++;
    printf("%s:%d: got \"%s\", without \"%s\"\n", file, line, got, part);
}

int main(void)
{
    static const struct test *const all[] = {
        link_tests, memory_tests, register_tests, thread_tests, run_tests,
        break_tests, agent_tests, stop_tests, query_tests,
    };
    static struct fake f;
    unsigned int passed = 0, failed = 0;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        for (const struct test *t = all[i]; t->name; t++) {
            wrong = 0;
            memset(&f, 0xa5, sizeof(f));
            t->run(&f);
            if (wrong)
                printf("FAIL %s\n", t->name);
            if (wrong)
                failed++;
            else
                passed++;
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
