/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the current guest, by its own virtual addresses, under its own
 * page tables. Every access may fail; none may touch the hypervisor's range.
 * Returns bytes *not* copied: 0 is success. Not from interrupt context.
 * Floor: cpu.
 */
#ifndef HV_GUEST_ACCESS_H
#define HV_GUEST_ACCESS_H

#include <hv/compiler.h>
#include <hv/layout.h>
#include <hv/smap.h>
#include <hv/types.h>

/* True if [va, va+n) lies outside the hypervisor's slots and does not wrap. */
static inline bool guest_range_ok(unsigned long va, size_t n)
{
    unsigned long end = va + n;

    return end >= va && (end <= HV_VIRT_START || va >= HV_VIRT_END);
}

unsigned long __must_check raw_copy_to_guest(void *to, const void *from,
                                             size_t n);
unsigned long __must_check raw_copy_from_guest(void *to, const void *from,
                                               size_t n);
unsigned long __must_check raw_clear_guest(void *to, size_t n);

/*
 * Objects of a few machine words, or of one half, whose size the compiler
 * knows: word by word in line, a third of the instructions of a string copy.
 */
#define GET_WORD_(i)                                                           \
    do {                                                                       \
        u64 word_;                                                             \
        if (n > (i)*8) {                                                       \
            get_guest(word_, &f[i], fault);                                    \
            t[i] = word_;                                                      \
        }                                                                      \
    } while (0)
#define PUT_WORD_(i)                                                           \
    do {                                                                       \
        if (n > (i)*8)                                                         \
            put_guest(f[i], &t[i], fault);                                     \
    } while (0)

static always_inline unsigned long
copy_from_guest_object(void *to, const void *from, size_t n)
{
    u64 *t = to;
    const u64 *f = from;

    if (!__builtin_constant_p(n) || n > 40 || (n % 8 && n != 4))
        return raw_copy_from_guest(to, from, n);
    if (unlikely(!guest_range_ok((unsigned long)from, n)))
        return n;
    user_access_begin();
    if (n == 4) {
        u32 half;

        get_guest(half, (const u32 *)from, fault);
        *(u32 *)to = half;
    } else {
        GET_WORD_(0);
        GET_WORD_(1);
        GET_WORD_(2);
        GET_WORD_(3);
        GET_WORD_(4);
    }
    user_access_end();
    return 0;
fault:
    user_access_end();
    return n;
}

static always_inline unsigned long
copy_to_guest_object(void *to, const void *from, size_t n)
{
    u64 *t = to;
    const u64 *f = from;

    if (!__builtin_constant_p(n) || n > 40 || (n % 8 && n != 4))
        return raw_copy_to_guest(to, from, n);
    if (unlikely(!guest_range_ok((unsigned long)to, n)))
        return n;
    user_access_begin();
    if (n == 4) {
        put_guest(*(const u32 *)from, (u32 *)to, fault);
    } else {
        PUT_WORD_(0);
        PUT_WORD_(1);
        PUT_WORD_(2);
        PUT_WORD_(3);
        PUT_WORD_(4);
    }
    user_access_end();
    return 0;
fault:
    user_access_end();
    return n;
}

/*
 * Typed forms for the ABI's guest handles (XEN_GUEST_HANDLE: a struct with .p).
 * copy_from_handle(&obj, handle): one object; *_offset: element number i.
 */
#define copy_from_handle(obj, h) copy_from_handle_offset(obj, h, 0)
#define copy_to_handle(h, obj) copy_to_handle_offset(h, 0, obj)
#define copy_from_handle_offset(obj, h, i)                                     \
    copy_from_guest_object(obj, (h).p + (i), sizeof(*(obj)))
#define copy_to_handle_offset(h, i, obj)                                       \
    copy_to_guest_object((h).p + (i), obj, sizeof(*(obj)))
/* Plain pointers as hypercall arguments. */
#define copy_from_guest(obj, gp)                                               \
    copy_from_guest_object(obj, gp, sizeof(*(obj)))
#define copy_to_guest(gp, obj) copy_to_guest_object(gp, obj, sizeof(*(obj)))
#define handle_is_null(h) ((h).p == NULL)

#endif
