/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies to and from the current guest's memory, eight bytes at a time.  A
 * fault ends the copy; the count of bytes that were not copied comes back.
 */
#include <hv/extable.h>
#include <hv/guest-access.h>
#include <hv/smap.h>

static inline unsigned long copy_words(void *to, const void *from, size_t n)
{
    unsigned long words = n / 8, rest = n & 7;

    user_access_begin();
    __asm__ volatile("1: rep movsq\n"
                     "mov %3, %0\n"
                     "2: rep movsb\n"
                     "jmp 4f\n"
                     "3: lea (%3, %0, 8), %0\n"
                     "4:\n" EX_TABLE(1b, 3b) EX_TABLE(2b, 4b)
                     : "+c"(words), "+D"(to), "+S"(from)
                     : "r"(rest)
                     : "memory");
    user_access_end();
    return words;
}

unsigned long raw_copy_to_guest(void *to, const void *from, size_t n)
{
    if (!guest_range_ok((unsigned long)to, n))
        return n;
    return copy_words(to, from, n);
}

unsigned long raw_copy_from_guest(void *to, const void *from, size_t n)
{
    if (!guest_range_ok((unsigned long)from, n))
        return n;
    return copy_words(to, from, n);
}

unsigned long raw_clear_guest(void *to, size_t n)
{
    unsigned long left = n;

    if (!guest_range_ok((unsigned long)to, n))
        return n;
    user_access_begin();
    __asm__ volatile("1: rep stosb\n"
                     "2:\n" EX_TABLE(1b, 2b)
                     : "+c"(left), "+D"(to)
                     : "a"(0)
                     : "memory");
    user_access_end();
    return left;
}
