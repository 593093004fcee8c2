/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/options.c: every kind of option, and words that are none. */
#include <hv/errno.h>
#include <hv/options.h>
#include <hv/string.h>

#include "check.h"

static bool flag, other_flag;
static unsigned int number;
static u64 size;
static char text[8];
static unsigned int calls;

static unsigned int reports;
static int last_error;

static void report(const char *word, int error)
{
    (void)word;
    reports++;
    last_error = error;
}

static int parse(const char *value)
{
    calls++;
    return strcmp(value, "good") == 0 ? 0 : -EINVAL;
}

OPTION_BOOL(flag, flag);
OPTION_BOOL(other_flag, other_flag);
OPTION_UINT(number, number);
OPTION_SIZE(size, size);
OPTION_STRING(text, text);
OPTION_CUSTOM(custom, parse);

static void test_sizes(void)
{
    const char *end;

    CHECK(parse_size("12", &end) == 12 && *end == '\0');
    CHECK(parse_size("2k", &end) == 2048);
    CHECK(parse_size("3M,", &end) == 3UL << 20 && *end == ',');
    CHECK(parse_size("0x10G", &end) == 16UL << 30);
    CHECK(parse_size("99999999999999999999", &end) == ~0UL);
    CHECK(parse_size("18446744073709551615K", &end) == ~0UL);
}

/* Bytes of any kind must not harm. */
static void test_garbage(void)
{
    char line[300];

    for (unsigned int i = 0; i < 20000; i++) {
        size_t n = random_number() % sizeof(line);

        for (size_t j = 0; j < n; j++)
            line[j] = "flag numbersize=text,0x1K \t\377-"
                [random_number() % 28];
        line[n ? n - 1 : 0] = '\0';
        options_parse(line, report);
        CHECK(strnlen(text, sizeof(text)) < sizeof(text));
    }
}

void test_options(void)
{
    options_parse("  flag   number=0x10 size=2M text=hello nonsense=1 custom=good ", report);
    CHECK(flag && !other_flag && number == 16 && size == 2UL << 20);
    CHECK(strcmp(text, "hello") == 0 && calls == 1);
    CHECK(reports == 1 && last_error == -ENOENT);
    options_parse("number=12q", report);
    CHECK(number == 16 && last_error == -EINVAL);
    options_parse("number=99999999999 number=", report);
    CHECK(number == 16);
    options_parse("number=1 number=2", report);
    CHECK(number == 2);
    options_parse("flag=no other_flag=anything", report);
    CHECK(!flag && other_flag);
    options_parse("text=much_too_long", report);
    CHECK(strcmp(text, "much_to") == 0 && last_error == -E2BIG);
    options_parse("custom=bad flags fla", report);
    CHECK(calls == 2 && !flag);
    test_sizes();
    test_garbage();
}
