/* SPDX-License-Identifier: GPL-2.0-only */
/* domctl: memory of a domain, as the tools see it. */
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/pv.h>

#include "control.h"

static int max_mem(struct domain *d, struct xen_domctl *op)
{
    u64 pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

    spin_lock(&d->page_lock);
    d->max_pages = (u32)MIN(pages, (u64)~0U);
    spin_unlock(&d->page_lock);
    return 0;
}

/* --- types of frames, for saving a domain --- */

static u64 frame_info(struct domain *d, mfn_t m)
{
    static const u32 tables[] = {
        [FT_L1] = XEN_DOMCTL_PFINFO_L1TAB,
        [FT_L2] = XEN_DOMCTL_PFINFO_L2TAB,
        [FT_L3] = XEN_DOMCTL_PFINFO_L3TAB,
        [FT_L4] = XEN_DOMCTL_PFINFO_L4TAB,
    };
    struct frame *f;
    enum frame_type t;
    u64 info = XEN_DOMCTL_PFINFO_NOTAB;

    if (!mfn_valid(m))
        return XEN_DOMCTL_PFINFO_XTAB;
    f = mfn_to_frame(m);
    if (!frame_get(f, d->id))
        return XEN_DOMCTL_PFINFO_XTAB;
    t = frame_type(f);
    if (t < ARRAY_SIZE(tables))
        info = tables[t];
    if (READ_ONCE(f->refs) & FRAME_PINNED)
        info |= XEN_DOMCTL_PFINFO_LPINTAB;
    frame_put(f);
    return info;
}

#define MAX_FRAME_INFOS 1024 /* in one call */

static int getpageframeinfo3(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_getpageframeinfo3 *a = &op->u.getpageframeinfo3;

    if (a->num > MAX_FRAME_INFOS)
        return -E2BIG;
    for (u64 i = 0; i < a->num; i++) {
        u64 frame;

        if (copy_from_handle_offset(&frame, a->array, i))
            return -EFAULT;
        frame = frame_info(d, _mfn(frame));
        if (copy_to_handle_offset(a->array, i, &frame))
            return -EFAULT;
    }
    return 0;
}

/* Dirty logging needs shadow tables, which this hypervisor does not have. */
static int shadow_op(struct domain *d, struct xen_domctl *op)
{
    (void)d;
    /* Leaving a mode that cannot be entered is no error. */
    return op->u.shadow_op.op == XEN_DOMCTL_SHADOW_OP_OFF ? 0 : -EOPNOTSUPP;
}

/* --- the hypercall page, the guest's word size --- */

static int hypercall_init(struct domain *d, struct xen_domctl *op)
{
    mfn_t m = _mfn(op->u.hypercall_init.gmfn);
    struct frame *f;

    if (!mfn_valid(m))
        return -EACCES;
    f = mfn_to_frame(m);
    if (frame_get_and_type(f, d->id, FT_WRITABLE))
        return -EACCES;
    pv_fill_hypercall_page(mfn_to_virt(m));
    frame_put_and_type(f);
    return 0;
}

static int set_address_size(struct domain *d, struct xen_domctl *op)
{
    (void)d;
    return op->u.address_size.size == 64 ? 0 : -EINVAL;
}

static int get_address_size(struct domain *d, struct xen_domctl *op)
{
    (void)d;
    op->u.address_size.size = 64;
    return 0;
}

domctl_fn domctl_memory_fn(u32 cmd)
{
    switch (cmd) {
    case XEN_DOMCTL_max_mem:
        return max_mem;
    case XEN_DOMCTL_getpageframeinfo3:
        return getpageframeinfo3;
    case XEN_DOMCTL_shadow_op:
        return shadow_op;
    case XEN_DOMCTL_hypercall_init:
        return hypercall_init;
    case XEN_DOMCTL_set_address_size:
        return set_address_size;
    case XEN_DOMCTL_get_address_size:
        return get_address_size;
    default:
        return NULL;
    }
}
