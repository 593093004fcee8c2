/* SPDX-License-Identifier: GPL-2.0-only */
/* The page of hypercall stubs that a guest kernel calls into (xen.h). */
#include <hv/pv.h>
#include <hv/string.h>

/* Entry n at n*32: mov n to eax, SYSCALL; the ABI loses rcx and r11 itself. */
void pv_fill_hypercall_page(void *p)
{
    u8 *page = p;
    static const u8 call[] = {0x51, 0x41, 0x53, 0xb8, 0, 0,    0,   0,
                              0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
    static const u8 iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0,
                              0x0f, 0x05};

    memset(page, 0xcc, PAGE_SIZE);
    for (u32 n = 0; n < PAGE_SIZE / 32; n++) {
        memcpy(page + n * 32, call, sizeof(call));
        memcpy(page + n * 32 + 4, &n, sizeof(n));
    }
    memcpy(page + __HYPERVISOR_iret * 32, iret, sizeof(iret));
}
