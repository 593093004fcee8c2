/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console ring: the last bytes that went to the console, for `w` and for
 * domain 0's dmesg commands.  Positions count bytes since boot, modulo 2^32.
 */
#include <hv/atomic.h>
#include <hv/console.h>
#include <hv/options.h>
#include <hv/string.h>

#define BOOT_RING 16384
#define MAX_RING (16UL << 20)

static char boot_ring[BOOT_RING];
static char *ring = boot_ring;
static u32 ring_size = BOOT_RING; /* power of two */
static u32 produced;              /* position of the next byte */
static u32 cleared;               /* nobody reads below */

static u64 conring_size __initdata = 64 << 10;
OPTION_SIZE(conring_size, conring_size);

void conring_append(const char *text, size_t len)
{
    u32 at = produced & (ring_size - 1);
    size_t first;

    if (len > ring_size) {
        text += len - ring_size;
        produced += (u32)(len - ring_size);
        len = ring_size;
        at = produced & (ring_size - 1);
    }
    first = MIN(len, ring_size - at);
    memcpy(ring + at, text, first);
    memcpy(ring, text + first, len - first);
    /* A reader that sees the position sees the bytes. */
    smp_wmb();
    WRITE_ONCE(produced, produced + (u32)len);
}

u32 conring_read(u32 *index, char *buf, u32 max)
{
    u32 end = READ_ONCE(produced);
    u32 kept = end - cleared;
    u32 at = *index, n;

    smp_rmb();
    kept = MIN(kept, ring_size);
    if (end - at > kept)
        at = end - kept;
    n = MIN(end - at, max);
    for (u32 i = 0; i < n; i++)
        buf[i] = ring[(at + i) & (ring_size - 1)];
    *index = at + n;
    return n;
}

size_t conring_size_now(void)
{
    return ring_size;
}

u32 conring_end(void)
{
    return READ_ONCE(produced);
}

void conring_clear(void)
{
    cleared = READ_ONCE(produced);
}

size_t __init conring_wanted_size(void)
{
    u64 want = MIN(MAX(conring_size, (u64)BOOT_RING), (u64)MAX_RING);

    return 1UL << (63 - __builtin_clzl(want));
}

void __init conring_move(void *memory, size_t size)
{
    char *to = memory;
    u32 kept = MIN(produced, ring_size);

    for (u32 at = produced - kept; at != produced; at++)
        to[at & (size - 1)] = ring[at & (ring_size - 1)];
    ring_size = (u32)size;
    ring = to;
}

void __init conring_replay(void)
{
    char part[128];
    u32 at = 0, n;

    while ((n = conring_read(&at, part, sizeof(part))) != 0)
        console_puts(part, n);
}
