/* SPDX-License-Identifier: GPL-2.0-only */
/* The page a guest calls into (xen-x86_64.h): 32 bytes for each call number. */
#include <hv/pv.h>
#include <hv/string.h>

#define ENTRY_SIZE 32

/* Where the number stands in each sequence. */
#define CALL_NUMBER 4
#define IRET_NUMBER 5

void pv_fill_hypercall_page(void *page)
{
    /* push rcx, r11; mov number, eax; syscall; pop r11, rcx; ret */
    static const u8 call[] = {0x51, 0x41, 0x53, 0xb8, 0,    0,    0,
                              0,    0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
    /* push rcx, r11, rax: part of struct iret_context; it does not return */
    static const u8 iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 0,
                              0,    0,    0,    0x0f, 0x05};
    u8 *at = page;

    memset(page, 0xcc, PAGE_SIZE);
    for (u32 n = 0; n < PAGE_SIZE / ENTRY_SIZE; n++, at += ENTRY_SIZE) {
        bool is_iret = n == __HYPERVISOR_iret;

        if (is_iret)
            memcpy(at, iret, sizeof(iret));
        else
            memcpy(at, call, sizeof(call));
        memcpy(at + (is_iret ? IRET_NUMBER : CALL_NUMBER), &n, sizeof(n));
    }
}
