/* SPDX-License-Identifier: GPL-2.0-only */
/* lib/string.c and lib/bitmap.c, against the obvious byte loops. */
#include <hv/atomic.h>
#include <hv/string.h>

#include "check.h"

void *hv_memcpy(void *to, const void *from, size_t n);
void *hv_memmove(void *to, const void *from, size_t n);
void *hv_memset(void *p, int c, size_t n);
int hv_memcmp(const void *a, const void *b, size_t n);

#define SIZE 128

static void fill(u8 *p)
{
    for (unsigned int i = 0; i < SIZE; i++)
        p[i] = (u8)random_number();
}

/* Every overlap of up to 70 bytes. */
static void test_move(void)
{
    u8 a[SIZE], want[SIZE], before[SIZE];
    bool same = true;

    for (unsigned int from = 0; from < 40; from++)
        for (unsigned int to = 0; to < 40; to++)
            for (unsigned int n = 0; n <= 70; n++) {
                fill(a);
                memcpy(before, a, SIZE);
                memcpy(want, a, SIZE);
                for (unsigned int i = 0; i < n; i++)
                    want[to + i] = before[from + i];
                hv_memmove(a + to, a + from, n);
                same &= memcmp(a, want, SIZE) == 0;
            }
    CHECK(same);
}

static void test_copy_and_set(void)
{
    u8 a[SIZE], b[SIZE], want[SIZE];
    bool copied = true, set = true;

    for (unsigned int at = 0; at < 16; at++)
        for (unsigned int n = 0; n <= 100; n++) {
            fill(a);
            fill(b);
            memcpy(want, b, SIZE);
            for (unsigned int i = 0; i < n; i++)
                want[at + i] = a[3 + i];
            hv_memcpy(b + at, a + 3, n);
            copied &= memcmp(b, want, SIZE) == 0;
            for (unsigned int i = 0; i < n; i++)
                want[at + i] = 0x5a;
            hv_memset(b + at, 0x5a, n);
            set &= memcmp(b, want, SIZE) == 0;
        }
    CHECK(copied);
    CHECK(set);
}

static void test_compare(void)
{
    u8 a[SIZE], b[SIZE];
    bool right = true;

    fill(a);
    for (unsigned int i = 0; i < SIZE; i++) {
        memcpy(b, a, SIZE);
        right &= hv_memcmp(a, b, SIZE) == 0;
        b[i] = (u8)(a[i] + 1);
        right &= (hv_memcmp(a, b, SIZE) < 0) == (a[i] < b[i]);
        right &= hv_memcmp(a, b, i) == 0;
    }
    CHECK(right);
}

static void test_strings(void)
{
    char buf[8];
    const char *end;

    CHECK(strcmp("abc", "abd") < 0 && strcmp("ab", "ab") == 0);
    CHECK(strncmp("abc", "abd", 2) == 0);
    CHECK(strchr("abc", 'c')[0] == 'c' && !strchr("abc", 'x'));
    CHECK(strchr("abc", '\0')[0] == '\0');
    CHECK(strstr("hello", "llo") && !strstr("hello", "lo!"));
    CHECK(strlcpy(buf, "0123456789", sizeof(buf)) == 10);
    CHECK(strcmp(buf, "0123456") == 0);
    CHECK(strtoul("0x1fz", &end, 0) == 0x1f && *end == 'z');
    CHECK(strtoul("017", &end, 0) == 15);
    CHECK(strtoul("0x", &end, 0) == 0 && *end == 'x');
    CHECK(strtoul("18446744073709551615", &end, 10) == ~0UL);
    CHECK(strtoul("18446744073709551616", &end, 10) == ~0UL && *end == '\0');
    CHECK(strtoul("zz", &end, 10) == 0 && *end == 'z');
}

static void test_bitmap(void)
{
    unsigned long map[2] = {0, 0};

    CHECK(find_first_bit(map, 100) == 100);
    CHECK(find_first_zero_bit(map, 100) == 0);
    __set_bit(70, map);
    CHECK(find_first_bit(map, 100) == 70);
    CHECK(find_next_bit(map, 100, 71) == 100);
    CHECK(find_first_bit(map, 70) == 70);
    map[0] = ~0UL;
    CHECK(find_first_zero_bit(map, 100) == 64);
}

void test_string(void)
{
    test_move();
    test_copy_and_set();
    test_compare();
    test_strings();
    test_bitmap();
}
