/* SPDX-License-Identifier: GPL-2.0-only */
/* Searching bitmaps: arrays of unsigned long, bit 0 first. */
#include <hv/atomic.h>

/* First bit in [from, size) of the map's words xor `flip` that is set. */
static unsigned int find_bit(const unsigned long *map, unsigned int size,
                             unsigned int from, unsigned long flip)
{
    unsigned int word = from / 64;
    unsigned long bits;

    if (from >= size)
        return size;
    bits = (map[word] ^ flip) & (~0UL << (from % 64));
    while (bits == 0) {
        if (++word >= BITS_TO_LONGS(size))
            return size;
        bits = map[word] ^ flip;
    }
    from = word * 64 + (unsigned int)__builtin_ctzl(bits);
    return MIN(from, size);
}

unsigned int find_next_bit(const unsigned long *map, unsigned int size,
                           unsigned int from)
{
    return find_bit(map, size, from, 0);
}

unsigned int find_next_zero_bit(const unsigned long *map, unsigned int size,
                                unsigned int from)
{
    return find_bit(map, size, from, ~0UL);
}
