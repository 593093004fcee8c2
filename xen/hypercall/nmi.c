/* SPDX-License-Identifier: GPL-2.0-only */
/* nmi_op (nmi.h): where a vCPU takes NMIs. CALLBACKOP_register is its heir. */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <xen/nmi.h>

/* Addresses of a PV guest kernel are canonical and outside our range. */
static long register_callback(const void *arg)
{
    struct guest_callback *nmi = &current->pv.nmi;
    struct xennmi_callback in;

    if (copy_from_guest(&in, (const struct xennmi_callback *)arg))
        return -EFAULT;
    if (!guest_range_ok(in.handler_address, 1) ||
        (long)(in.handler_address << 16) >> 16 != (long)in.handler_address)
        return -EINVAL;
    nmi->address = in.handler_address;
    nmi->registered = 1;
    return 0;
}

long do_nmi_op(unsigned long cmd, unsigned long arg, unsigned long a3,
               unsigned long a4, unsigned long a5)
{
    (void)a3, (void)a4, (void)a5;
    switch ((u32)cmd) {
    case XENNMI_register_callback:
        return register_callback((const void *)arg);
    case XENNMI_unregister_callback:
        current->pv.nmi = (struct guest_callback){0};
        return 0;
    default:
        return -ENOSYS;
    }
}
