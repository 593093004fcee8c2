/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/format.c against the C library, conversion by conversion. */
#include <hv/format.h>
#include <hv/string.h>

#include "check.h"

#undef snprintf
int snprintf(char *buf, size_t size, const char *fmt, ...);

#define SAME(...)                                                              \
    do {                                                                       \
        char ours[128], theirs[128];                                           \
        int n = hv_snprintf(ours, sizeof(ours), __VA_ARGS__);                  \
        int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                 \
        CHECK(n == m && strcmp(ours, theirs) == 0);                            \
    } while (0)

static const char *no_symbol(unsigned long addr, unsigned long *offset,
                             unsigned long *size)
{
    *offset = 0x12;
    *size = 0x40;
    return addr == 0x1000 ? "do_thing" : NULL;
}

static void test_symbols(void)
{
    char buf[64];

    format_register_symbols(no_symbol);
    hv_snprintf(buf, sizeof(buf), "%pS.", (void *)0x1000);
    CHECK(strcmp(buf, "do_thing+0x12/0x40.") == 0);
    hv_snprintf(buf, sizeof(buf), "%pS.", (void *)0x2000);
    CHECK(strcmp(buf, "0x2000.") == 0);
    hv_snprintf(buf, sizeof(buf), "%p", (void *)0x2000);
    CHECK(strcmp(buf, "0000000000002000") == 0);
}

static void test_bounds(void)
{
    char buf[4] = "xyz";

    CHECK(hv_snprintf(buf, 0, "%d", 12345) == 5 && buf[0] == 'x');
    CHECK(hv_snprintf(buf, 1, "%d", 12345) == 5 && buf[0] == '\0');
    CHECK(hv_snprintf(buf, 4, "%d", 12345) == 5);
    CHECK(strcmp(buf, "123") == 0);
}

void test_format(void)
{
    SAME("plain text, 100%%");
    SAME("%d %i %u", -1, 0, 4000000000U);
    SAME("%d %ld", -2147483647 - 1, -9223372036854775807L - 1);
    SAME("[%5d][%-5d][%05d][%+d][% d]", 42, 42, 42, 42, 42);
    SAME("[%5d][%-5d][%05d]", -42, -42, -42);
    SAME("[%.3d][%6.3d][%-6.3d]", 7, 7, 7);
    SAME("%x %X %#x %08x %#010x", 0xbeef, 0xbeef, 0xbeef, 0xbeef, 0xbeef);
    SAME("%lx %llx %zu", 0x123456789abcdefUL, 1ULL, (size_t)3);
    SAME("%hhu %hu %hhd %hd", 300, 70000, 300, 70000);
    SAME("%o", 8);
    SAME("[%s][%10s][%-10s][%.2s][%.*s]", "abc", "abc", "abc", "abc", 1, "abc");
    SAME("[%c][%5c][%-5c]", 'x', 'y', 'z');
    SAME("[%*d][%-*d][%*d]", 6, 1, 6, 2, -6, 3);
    test_symbols();
    test_bounds();
}
