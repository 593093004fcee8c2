/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The C library as far as the decoders need it.  Every allocation is a block
 * of pages; there are a few dozen, and all are freed before domain 0 runs.
 */
#include <hv/bug.h>
#include <hv/mm.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "libc-stubs.h"

/* In front of every allocation; keeps what follows aligned for vectors. */
struct block {
    unsigned int order;
} __aligned(64);

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);
void __stack_chk_fail(void) __noreturn;

void *__init malloc(size_t size)
{
    unsigned int order = 0;
    struct block *b;

    while ((PAGE_SIZE << order) < size + sizeof(*b))
        if (++order > MAX_ORDER)
            return NULL;
    b = alloc_hv_pages(order, MEMF_NO_SCRUB);
    if (!b)
        return NULL;
    b->order = order;
    return b + 1;
}

void *__init calloc(size_t n, size_t size)
{
    size_t bytes;
    void *p;

    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    p = malloc(bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

void __init free(void *p)
{
    struct block *b = p;

    if (b)
        free_hv_pages(b - 1, b[-1].order);
}

void __init __stack_chk_fail(void)
{
    panic("A decoder for kernel images overran its stack");
}

/*
 * The libraries were built with a stack protector, which reads its guard at
 * %fs:0x28 (System V ABI, AMD64 supplement).
 */
static u64 guard_area[6] __initdata = {0, 0, 0, 0, 0, 0x5bd1e995a7c15d2bUL};

/*
 * Debian builds the libraries with a red zone: they keep data below the stack
 * pointer, where an interrupt on the same stack would write. (NMI and machine
 * check have stacks of their own.)
 */
static unsigned long irq_flags __initdata;

void __init libc_stubs_begin(void)
{
    irq_flags = local_irq_save();
    wrmsr(MSR_FS_BASE, (u64)guard_area);
    __asm__ volatile("fninit");
}

void __init libc_stubs_end(void)
{
    wrmsr(MSR_FS_BASE, 0);
    local_irq_restore(irq_flags);
}

/*
 * Checksums that the libraries would bring large tables for: gzip's is the
 * same as XZ's plain one; XZ's 64-bit one is not what kernels are packed with,
 * so it may be slow (ECMA-182 polynomial, reflected).
 */
u32 lzma_crc32(const u8 *buf, size_t size, u32 crc);
u64 lzma_crc64(const u8 *buf, size_t size, u64 crc);
unsigned long crc32(unsigned long crc, const u8 *buf, unsigned int len);

unsigned long __init crc32(unsigned long crc, const u8 *buf, unsigned int len)
{
    return buf ? lzma_crc32(buf, len, (u32)crc) : 0;
}

u64 __init lzma_crc64(const u8 *buf, size_t size, u64 crc)
{
    crc = ~crc;
    while (size-- != 0) {
        crc ^= *buf++;
        for (unsigned int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xc96c5795d7870f42UL : 0);
    }
    return ~crc;
}
