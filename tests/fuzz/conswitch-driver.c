/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a fuzzer's entry on N pseudo-random inputs, without a fuzzing engine,
 * so that the count is exact and a run can be repeated: N and SEED are the
 * arguments.  Inputs are short; a few mutate the one before.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUT 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;

/* splitmix64: constants from the published algorithm. */
static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t make_input(uint8_t *buf, size_t len)
{
    uint64_t r = next();

    if (len && r % 4) {
        for (unsigned int i = 0; i <= r / 4 % 4; i++)
            buf[next() % len] = (uint8_t)next();
        return len;
    }
    len = r / 4 % MAX_INPUT;
    for (size_t i = 0; i < len; i += 8) {
        r = next();
        memcpy(buf + i, &r, 8);
    }
    return len;
}

int main(int argc, char **argv)
{
    unsigned long long nr = argc > 1 ? strtoull(argv[1], NULL, 0) : 10000;
    uint8_t *buf = malloc(MAX_INPUT + 8);
    size_t len = 0;

    if (!buf)
        return 2;
    state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    for (unsigned long long i = 0; i < nr; i++) {
        uint8_t *exact;

        len = make_input(buf, len);
        /* its own block, so that reading past the end is seen */
        exact = malloc(len ? len : 1);
        if (!exact)
            return 2;
        memcpy(exact, buf, len);
        LLVMFuzzerTestOneInput(exact, len);
        free(exact);
    }
    free(buf);
    printf("%llu inputs\n", nr);
    return 0;
}
