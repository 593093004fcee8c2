/* SPDX-License-Identifier: GPL-2.0-only */
/* sysctl (sysctl.h): copy in, check the version, call, copy back. */
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>

#include "control.h"

static DEFINE_SPINLOCK(sysctl_lock);

long do_sysctl(unsigned long arg, unsigned long a2, unsigned long a3,
               unsigned long a4, unsigned long a5)
{
    struct xen_sysctl *guest = (struct xen_sysctl *)arg, op;
    sysctl_fn fn;
    int rc = -ENOSYS;

    (void)a2, (void)a3, (void)a4, (void)a5;
    if (copy_from_guest(&op, guest))
        return -EFAULT;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return -EACCES;
    fn = sysctl_machine_fn(op.cmd);
    if (!fn)
        fn = sysctl_policy_fn(op.cmd);
    if (fn) {
        spin_lock(&sysctl_lock);
        rc = fn(&op);
        spin_unlock(&sysctl_lock);
    }
    if (rc != -ENOSYS && copy_to_guest(guest, &op) && !rc)
        rc = -EFAULT;
    return rc;
}
