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
 * Typed forms for the ABI's guest handles (XEN_GUEST_HANDLE: a struct with .p).
 * copy_from_handle(&obj, handle): one object; *_offset: element number i.
 */
#define copy_from_handle(obj, h) copy_from_handle_offset(obj, h, 0)
#define copy_to_handle(h, obj) copy_to_handle_offset(h, 0, obj)
#define copy_from_handle_offset(obj, h, i)                                     \
    raw_copy_from_guest(obj, (h).p + (i), sizeof(*(obj)))
#define copy_to_handle_offset(h, i, obj)                                       \
    raw_copy_to_guest((h).p + (i), obj, sizeof(*(obj)))
/* Plain pointers as hypercall arguments. */
#define copy_from_guest(obj, gp) raw_copy_from_guest(obj, gp, sizeof(*(obj)))
#define copy_to_guest(gp, obj) raw_copy_to_guest(gp, obj, sizeof(*(obj)))
#define handle_is_null(h) ((h).p == NULL)

#endif
