/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory_op (memory.h): decoding, and the operations that ask or set rather
 * than move memory. The command's upper bits say at which extent to go on.
 */
#include <hv/errno.h>
#include <hv/grant-table.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>

#include "reservation.h"

#define MEMOP_BITS 6 /* of the command; above: first extent */
#define MEMOP_MASK ((1U << MEMOP_BITS) - 1)
#define MAX_E820 128

/* Domain `id` for something only itself or a privileged caller may do. */
static int get_target(domid_t id, struct domain **d)
{
    *d = get_domain_by_id(id);
    if (!*d)
        return -ESRCH;
    if (*d == currd || currd->is_privileged)
        return 0;
    put_domain(*d);
    return -EPERM;
}

/* --- reservations: the result counts extents, errors are a low one --- */

static long change_reservation(unsigned int op, void *arg, u32 start)
{
    struct xen_memory_reservation in;
    struct reservation r = {.done = start};
    unsigned int bits;

    if (copy_from_guest(&in, (struct xen_memory_reservation *)arg))
        return start;
    if (in.nr_extents > ~0U >> MEMOP_BITS || start >= in.nr_extents)
        return start;
    if (!guest_range_ok((unsigned long)in.extent_start.p,
                        in.nr_extents * sizeof(xen_pfn_t)))
        return start;
    if (get_target(in.domid, &r.d))
        return start;
    bits = XENMEMF_get_address_bits(in.mem_flags);
    r.extents = in.extent_start.p;
    r.nr_extents = (u32)in.nr_extents;
    r.order = in.extent_order;
    r.address_bits = bits;
    r.memf = bits && bits <= 32 ? MEMF_BELOW_4G : 0;
    if (op == XENMEM_increase_reservation)
        increase_reservation(&r);
    else if (op == XENMEM_decrease_reservation)
        decrease_reservation(&r);
    else if (!(in.mem_flags & XENMEMF_populate_on_demand))
        populate_physmap(&r);
    put_domain(r.d);
    if (r.preempted)
        return HYPERCALL_RESTART(op | (r.done << MEMOP_BITS),
                                 (unsigned long)arg);
    return r.done;
}

static long exchange(void *arg)
{
    long rc = memory_exchange(arg);

    return rc == -ERESTART
               ? HYPERCALL_RESTART(XENMEM_exchange, (unsigned long)arg)
               : rc;
}

static long query_domain(unsigned int op, const void *arg)
{
    struct xen_memory_domain in;
    const struct shared_info *s;
    struct domain *d;
    long rc;

    if (copy_from_guest(&in, (const struct xen_memory_domain *)arg))
        return -EFAULT;
    rc = get_target(in.domid, &d);
    if (rc)
        return rc;
    s = READ_ONCE(d->shared_info); /* NULL: it is being killed */
    if (op == XENMEM_current_reservation)
        rc = d->tot_pages;
    else if (op == XENMEM_maximum_reservation)
        rc = d->max_pages;
    else /* PV guests state how many frames they know: highest plus one */
        rc = s ? (long)MAX(READ_ONCE(s->arch.max_pfn), 1UL) - 1 : 0;
    put_domain(d);
    return rc;
}

static long claim_pages(const void *arg)
{
    struct xen_memory_reservation in;
    struct domain *d;
    long rc;

    if (!currd->is_privileged)
        return -EPERM;
    if (copy_from_guest(&in, (const struct xen_memory_reservation *)arg))
        return -EFAULT;
    if (!handle_is_null(in.extent_start) || in.extent_order || in.mem_flags)
        return -EINVAL;
    /* By number only. */
    d = in.domid == DOMID_SELF ? NULL : get_domain_by_id(in.domid);
    if (!d)
        return -EINVAL;
    rc = domain_claim_pages(d, in.nr_extents);
    put_domain(d);
    return rc;
}

/* --- the machine-to-physical table --- */

#define M2P_CHUNK (2UL << 20)

static long m2p_frames(void *arg)
{
    struct xen_machphys_mfn_list list;
    unsigned long nr = DIV_ROUND_UP(max_mfn * sizeof(u64), M2P_CHUNK);
    u32 i;

    if (copy_from_guest(&list, (struct xen_machphys_mfn_list *)arg))
        return -EFAULT;
    for (i = 0; i < list.max_extents && i < nr; i++) {
        xen_pfn_t m =
            mfn_x(virt_to_mfn((const char *)m2p_table + i * M2P_CHUNK));

        if (copy_to_handle_offset(list.extent_start, i, &m))
            return -EFAULT;
    }
    list.nr_extents = i;
    return copy_to_guest((struct xen_machphys_mfn_list *)arg, &list) ? -EFAULT
                                                                     : 0;
}

static long m2p_place(void *arg)
{
    struct xen_machphys_mapping where = {
        .v_start = RO_M2P_VIRT_START,
        .v_end = RO_M2P_VIRT_END,
        .max_mfn = (RO_M2P_VIRT_END - RO_M2P_VIRT_START) / sizeof(u64) - 1,
    };

    return copy_to_guest((struct xen_machphys_mapping *)arg, &where) ? -EFAULT
                                                                     : 0;
}

/* --- memory maps --- */

static long get_memory_map(void *arg)
{
    struct domain *d = currd;
    struct xen_memory_map map;
    long rc = -EFAULT;

    if (copy_from_guest(&map, (struct xen_memory_map *)arg))
        return -EFAULT;
    spin_lock(&d->lock);
    if (!d->nr_e820) {
        rc = -ENOSYS;
    } else {
        map.nr_entries = MIN(map.nr_entries, d->nr_e820);
        if (!raw_copy_to_guest(map.buffer.p, d->e820,
                               map.nr_entries * sizeof(*d->e820)) &&
            !copy_to_guest((struct xen_memory_map *)arg, &map))
            rc = 0;
    }
    spin_unlock(&d->lock);
    return rc;
}

static long put_machine_regions(struct xen_memory_map *map)
{
    struct domain_e820_entry *to = map->buffer.p;

    if (!to) {
        map->nr_entries = nr_memory_regions;
        return 0;
    }
    if (map->nr_entries < nr_memory_regions)
        return -EINVAL;
    for (u32 i = 0; i < nr_memory_regions; i++) {
        struct domain_e820_entry e = {memory_map[i].start, memory_map[i].size,
                                      memory_map[i].type};

        if (copy_to_guest(to + i, &e))
            return -EFAULT;
    }
    map->nr_entries = nr_memory_regions;
    return 0;
}

static long get_machine_map(void *arg)
{
    struct xen_memory_map map;
    long rc;

    if (!currd->is_privileged)
        return -EPERM;
    if (copy_from_guest(&map, (struct xen_memory_map *)arg))
        return -EFAULT;
    rc = put_machine_regions(&map);
    if (!rc && copy_to_guest((struct xen_memory_map *)arg, &map))
        rc = -EFAULT;
    return rc;
}

static long set_memory_map(const void *arg)
{
    struct xen_foreign_memory_map in;
    struct domain_e820_entry *e820, *old;
    struct domain *d;
    long rc;

    if (copy_from_guest(&in, (const struct xen_foreign_memory_map *)arg))
        return -EFAULT;
    if (in.map.nr_entries > MAX_E820)
        return -EINVAL;
    rc = get_target(in.domid, &d);
    if (rc)
        return rc;
    rc = -EPERM;
    if (!currd->is_privileged)
        goto put;
    rc = -ENOMEM;
    e820 = hv_alloc(MAX(in.map.nr_entries, 1U) * sizeof(*e820));
    if (!e820)
        goto put;
    rc = -EFAULT;
    if (raw_copy_from_guest(e820, in.map.buffer.p,
                            in.map.nr_entries * sizeof(*e820))) {
        hv_free(e820);
        goto put;
    }
    spin_lock(&d->lock);
    old = d->e820;
    d->e820 = e820;
    d->nr_e820 = (u8)in.map.nr_entries;
    spin_unlock(&d->lock);
    hv_free(old);
    rc = 0;
put:
    put_domain(d);
    return rc;
}

/* --- what only translated guests have --- */

/* The domain is checked as the ABI asks; then there is no map to change. */
static long add_to_physmap(const void *arg)
{
    struct xen_add_to_physmap in;
    struct domain *d;
    long rc;

    if (copy_from_guest(&in, (const struct xen_add_to_physmap *)arg))
        return -EFAULT;
    if (in.space == XENMAPSPACE_gmfn_foreign)
        return -ENOSYS;
    rc = get_target(in.domid, &d);
    if (rc)
        return rc;
    put_domain(d);
    return -EACCES;
}

static long add_to_physmap_batch(const void *arg)
{
    struct xen_add_to_physmap_batch in;
    struct domain *d;
    long rc;

    if (copy_from_guest(&in, (const struct xen_add_to_physmap_batch *)arg))
        return -EFAULT;
    if (in.space == XENMAPSPACE_gmfn_range)
        return -EINVAL;
    rc = get_target(in.domid, &d);
    if (rc)
        return rc;
    put_domain(d);
    return -EACCES;
}

static long remove_from_physmap(const void *arg)
{
    struct xen_remove_from_physmap in;
    struct domain *d;
    long rc;

    if (copy_from_guest(&in, (const struct xen_remove_from_physmap *)arg))
        return -EFAULT;
    rc = get_target(in.domid, &d);
    if (rc)
        return rc;
    put_domain(d);
    return -EACCES;
}

static long pod_target(const void *arg)
{
    struct xen_pod_target in;
    struct domain *d;

    if (copy_from_guest(&in, (const struct xen_pod_target *)arg))
        return -EFAULT;
    d = get_domain_by_id(in.domid);
    if (!d)
        return -ESRCH;
    put_domain(d);
    return currd->is_privileged ? -EINVAL : -EPERM;
}

/* No domain is told of nodes: to the guest memory is all alike. */
static long vnuma_info(const void *arg)
{
    struct xen_vnuma_topology_info in;
    struct domain *d;
    long rc;

    if (copy_from_guest(&in, (const struct xen_vnuma_topology_info *)arg))
        return -EFAULT;
    rc = get_target(in.domid, &d);
    if (rc)
        return rc;
    put_domain(d);
    return -EOPNOTSUPP;
}

/* There is no IOMMU, so no memory is set aside for devices behind one. */
static long reserved_device_memory(void *arg)
{
    struct xen_reserved_device_memory_map map;

    if (copy_from_guest(&map, (struct xen_reserved_device_memory_map *)arg))
        return -EFAULT;
    if (map.flags & ~(u32)XENMEM_RDM_ALL)
        return -EINVAL;
    map.nr_entries = 0;
    return copy_to_guest((struct xen_reserved_device_memory_map *)arg, &map)
               ? -EFAULT
               : 0;
}

/* --- pages of ours that the tools map --- */

#define MAX_RESOURCE_FRAMES 1024 /* in one call */

static long put_resource_frames(struct domain *d,
                                const struct xen_mem_acquire_resource *r)
{
    bool status = r->id == XENMEM_resource_grant_table_id_status;

    if (r->nr_frames > MAX_RESOURCE_FRAMES || r->frame > ~0U - r->nr_frames)
        return -EINVAL;
    for (u32 i = 0; i < r->nr_frames; i++) {
        xen_pfn_t n;
        mfn_t m;
        int rc = grant_table_get_frame(d, status, (u32)r->frame + i, &m);

        if (rc)
            return rc;
        n = mfn_x(m);
        if (copy_to_handle_offset(r->frame_list, i, &n))
            return -EFAULT;
    }
    return 0;
}

static long acquire_resource(void *arg)
{
    struct xen_mem_acquire_resource r;
    struct domain *d;
    long rc = 0;

    if (copy_from_guest(&r, (struct xen_mem_acquire_resource *)arg))
        return -EFAULT;
    if (r.pad)
        return -EINVAL;
    d = r.domid == DOMID_SELF ? NULL : get_domain_by_id(r.domid);
    if (!d)
        return -ESRCH;
    if (d == currd || !currd->is_privileged) {
        rc = -EPERM;
    } else if (r.type != XENMEM_resource_grant_table) {
        rc = -EOPNOTSUPP;
    } else if (r.id > XENMEM_resource_grant_table_id_status) {
        rc = -EINVAL;
    } else if (handle_is_null(r.frame_list)) {
        if (r.nr_frames)
            rc = -EINVAL;
        r.nr_frames = grant_table_limit(
            d, r.id == XENMEM_resource_grant_table_id_status);
        if (!rc && copy_to_guest((struct xen_mem_acquire_resource *)arg, &r))
            rc = -EFAULT;
    } else {
        rc = put_resource_frames(d, &r);
    }
    put_domain(d);
    return rc;
}

/* --- decoding --- */

static long other_op(unsigned int op, void *arg)
{
    switch (op) {
    case XENMEM_maximum_ram_page:
        return (long)max_mfn;
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        return query_domain(op, arg);
    case XENMEM_machphys_mfn_list:
    case XENMEM_machphys_compat_mfn_list:
        return m2p_frames(arg);
    case XENMEM_machphys_mapping:
        return m2p_place(arg);
    case XENMEM_memory_map:
        return get_memory_map(arg);
    case XENMEM_machine_memory_map:
        return get_machine_map(arg);
    case XENMEM_set_memory_map:
        return set_memory_map(arg);
    case XENMEM_set_pod_target:
    case XENMEM_get_pod_target:
        return pod_target(arg);
    case XENMEM_get_sharing_freed_pages:
    case XENMEM_get_sharing_shared_pages:
        return 0;
    case XENMEM_claim_pages:
        return claim_pages(arg);
    case XENMEM_reserved_device_memory_map:
        return reserved_device_memory(arg);
    case XENMEM_get_vnumainfo:
        return vnuma_info(arg);
    case XENMEM_add_to_physmap:
        return add_to_physmap(arg);
    case XENMEM_add_to_physmap_batch:
        return add_to_physmap_batch(arg);
    case XENMEM_remove_from_physmap:
        return remove_from_physmap(arg);
    default:
        return -ENOSYS;
    }
}

long do_memory_op(unsigned long cmd, unsigned long guest_arg, unsigned long a3,
                  unsigned long a4, unsigned long a5)
{
    unsigned int op = (u32)cmd & MEMOP_MASK;
    u32 start = (u32)cmd >> MEMOP_BITS;
    void *arg = (void *)guest_arg;

    (void)a3, (void)a4, (void)a5;
    switch (op) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return change_reservation(op, arg, start);
    }
    if (start)
        return -EINVAL; /* these never go on in the middle */
    if (op == XENMEM_exchange)
        return exchange(arg);
    if (op == XENMEM_acquire_resource)
        return acquire_resource(arg);
    return other_op(op, arg);
}
