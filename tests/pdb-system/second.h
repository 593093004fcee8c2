/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tiny kernel's second virtual CPU: with the first one's trap table, without
 * events.  One file of a kernel includes this.
 */
#ifndef SECOND_H
#define SECOND_H

#include "guest.h"

static char second_stack[4096] __attribute__((aligned(16)));

/* It begins in entry(), which must count there; says so when it has. */
static bool second_start(void (*entry)(void), const volatile ulong *count)
{
    static struct vcpu_guest_context c;

    kernel_context(&c, entry, END_OF(second_stack));
    memcpy(c.trap_ctxt, trap_table, sizeof(c.trap_ctxt));
    if (!CHECK_OK(hc_vcpu_op(VCPUOP_initialise, 1, &c)))
        return false;
    shared_info->vcpu_info[1].evtchn_upcall_mask = 1;
    if (!CHECK_OK(hc_vcpu_op(VCPUOP_up, 1, NULL)))
        return false;
    while (!*count)
        asm volatile("pause");
    print("BOTH-RUN\n");
    return true;
}

#endif
