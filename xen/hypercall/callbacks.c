/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry points of a guest kernel and small per-vCPU settings: set_trap_table,
 * set_callbacks, callback_op (callback.h), fpu_taskswitch, debug registers,
 * vm_assist, and iret where entry.S could not do it.
 */
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/nospec.h>
#include <hv/printk.h>
#include <hv/pv.h>
#include <hv/string.h>
#include <hv/x86.h>
#include <xen/callback.h>

#define UNUSED3 (void)a3, (void)a4, (void)a5

long do_set_trap_table(unsigned long a1, unsigned long a2, unsigned long a3,
                       unsigned long a4, unsigned long a5)
{
    const struct trap_info *table = (const struct trap_info *)a1;
    struct guest_trap *traps = current->pv.traps;

    (void)a2;
    UNUSED3;
    if (!table) {
        memset(traps, 0, NR_TRAP_VECTORS * sizeof(*traps));
        return 0;
    }
    for (unsigned int i = 0; i <= NR_TRAP_VECTORS; i++) {
        struct trap_info t;

        if (copy_from_guest(&t, &table[i]))
            return -EFAULT;
        if (!t.address)
            return 0;
        if (!canonical(t.address) || !guest_range_ok(t.address, 1))
            return -EINVAL;
        traps[t.vector] = (struct guest_trap){
            .address = t.address,
            .cs = (u16)(t.cs | 3),
            .dpl = t.flags & 3,
            .mask_events = !!(t.flags & 4),
        };
    }
    return -EINVAL;
}

static struct guest_callback *callback_slot(struct vcpu *v, unsigned int type)
{
    switch (type) {
    case CALLBACKTYPE_event:
        return &v->pv.event;
    case CALLBACKTYPE_failsafe:
        return &v->pv.failsafe;
    case CALLBACKTYPE_syscall:
        return &v->pv.syscall;
    case CALLBACKTYPE_syscall32:
        return &v->pv.syscall32;
    case CALLBACKTYPE_sysenter:
        return &v->pv.sysenter;
    case CALLBACKTYPE_nmi:
        return &v->pv.nmi;
    default:
        return NULL;
    }
}

static int callback_set(struct vcpu *v, unsigned int type,
                        unsigned long address, bool mask)
{
    struct guest_callback *cb = callback_slot(v, type);

    if (!cb)
        return -ENOSYS;
    if (!canonical(address) || !guest_range_ok(address, 1))
        return -EINVAL;
    cb->address = address;
    cb->mask_events = mask;
    cb->registered = 1;
    return 0;
}

long do_set_callbacks(unsigned long event, unsigned long failsafe,
                      unsigned long syscall, unsigned long a4,
                      unsigned long a5)
{
    struct vcpu *v = current;

    (void)a4, (void)a5;
    if (callback_set(v, CALLBACKTYPE_event, event, true) ||
        callback_set(v, CALLBACKTYPE_failsafe, failsafe,
                     v->pv.failsafe.mask_events) ||
        callback_set(v, CALLBACKTYPE_syscall, syscall,
                     v->pv.syscall.mask_events))
        return -EINVAL;
    return 0;
}

static long callback_register(const struct callback_register *r)
{
    return callback_set(current, r->type, r->address,
                        r->type == CALLBACKTYPE_event ||
                            (r->flags & CALLBACKF_mask_events));
}

static long callback_unregister(unsigned int type)
{
    struct guest_callback *cb = callback_slot(current, type);

    if (!cb)
        return -ENOSYS;
    if (type == CALLBACKTYPE_event || type == CALLBACKTYPE_failsafe ||
        type == CALLBACKTYPE_syscall)
        return -EINVAL;
    memset(cb, 0, sizeof(*cb));
    return 0;
}

long do_callback_op(unsigned long cmd, unsigned long arg, unsigned long a3,
                    unsigned long a4, unsigned long a5)
{
    struct callback_register r;
    struct callback_unregister u;

    UNUSED3;
    switch (cmd) {
    case CALLBACKOP_register:
        if (copy_from_guest(&r, (struct callback_register *)arg))
            return -EFAULT;
        return callback_register(&r);
    case CALLBACKOP_unregister:
        if (copy_from_guest(&u, (struct callback_unregister *)arg))
            return -EFAULT;
        return callback_unregister(u.type);
    default:
        return -ENOSYS;
    }
}

long do_fpu_taskswitch(unsigned long set, unsigned long a2, unsigned long a3,
                       unsigned long a4, unsigned long a5)
{
    (void)a2;
    UNUSED3;
    if (set) {
        current->pv.ctrlreg[0] |= X86_CR0_TS;
        write_cr0(read_cr0() | X86_CR0_TS);
    } else {
        current->pv.ctrlreg[0] &= ~(u64)X86_CR0_TS;
        __asm__ volatile("clts");
    }
    return 0;
}

long do_set_debugreg(unsigned long reg, unsigned long val, unsigned long a3,
                     unsigned long a4, unsigned long a5)
{
    UNUSED3;
    return pv_set_debugreg(current, (unsigned int)reg, val);
}

long do_get_debugreg(unsigned long reg, unsigned long a2, unsigned long a3,
                     unsigned long a4, unsigned long a5)
{
    (void)a2;
    UNUSED3;
    if (reg == 4 || reg == 5)
        reg += 2;
    return reg < 8 ? (long)current->pv.debugreg[index_nospec(reg, 8)] : -ENODEV;
}

long do_vm_assist(unsigned long cmd, unsigned long type, unsigned long a3,
                  unsigned long a4, unsigned long a5)
{
    const unsigned long known = 1UL << VMASST_TYPE_4gb_segments |
                                1UL << VMASST_TYPE_4gb_segments_notify |
                                1UL << VMASST_TYPE_writable_pagetables |
                                1UL << VMASST_TYPE_pae_extended_cr3 |
                                1UL << VMASST_TYPE_architectural_iopl |
                                1UL << VMASST_TYPE_runstate_update_flag |
                                1UL << VMASST_TYPE_m2p_strict;

    UNUSED3;
    if (type >= 64 || !(known >> type & 1))
        return -EINVAL;
    switch (cmd) {
    case VMASST_CMD_enable:
        set_bit((unsigned int)type, &currd->vm_assist);
        return 0;
    case VMASST_CMD_disable:
        clear_bit((unsigned int)type, &currd->vm_assist);
        return 0;
    default:
        return -ENOSYS;
    }
}

/* Number 23 does not come through the table: entry.S. Only a multicall can. */
long do_iret(unsigned long a1, unsigned long a2, unsigned long a3,
             unsigned long a4, unsigned long a5)
{
    (void)a1, (void)a2;
    UNUSED3;
    return -ENOSYS;
}
