/* SPDX-License-Identifier: GPL-2.0-only */
/* sysctl: the machine as the tools see it, its console, its domains. */
#include <hv/acpi.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/x86.h>

#include "control.h"

/* --- console --- */

#define COPY_PIECE 256

static int readconsole(struct xen_sysctl *op)
{
    struct xen_sysctl_readconsole *c = &op->u.readconsole;
    u32 index = c->incremental ? c->index : 0, done = 0;
    char piece[COPY_PIECE];

    while (done < c->count) {
        u32 n = conring_read(&index, piece,
                             MIN(c->count - done, (u32)sizeof(piece)));

        if (!n)
            break;
        if (raw_copy_to_guest(c->buffer.p + done, piece, n))
            return -EFAULT;
        done += n;
    }
    if (c->clear)
        conring_clear();
    c->index = index;
    c->count = done;
    return 0;
}

static int debug_keys(struct xen_sysctl *op)
{
    const struct xen_sysctl_debug_keys *k = &op->u.debug_keys;

    for (u32 i = 0; i < k->nr_keys; i++) {
        unsigned long flags;
        char key;

        if (copy_from_handle_offset(&key, k->keys, i))
            return -EFAULT;
        flags = local_irq_save();
        debug_key_press((u8)key);
        local_irq_restore(flags);
    }
    return 0;
}

/* --- CPUs and memory --- */

/* Logical CPUs of a package, and of a core (SDM vol. 2A, CPUID leaf 0xb). */
static void topology_widths(u32 *per_core, u32 *per_package)
{
    *per_core = *per_package = 1;
    if (cpu_features.max_leaf < 0xb)
        return;
    for (u32 sub = 0; sub < 2; sub++) {
        struct cpuid_regs r = cpuid_count(0xb, sub);
        u32 type = (r.c >> 8) & 0xff;

        if (type == 1)
            *per_core = MAX(r.b & 0xffff, 1U);
        if (type == 2)
            *per_package = MAX(r.b & 0xffff, 1U);
    }
}

/* Up to the highest that is online; one that did not start leaves a hole. */
static u32 nr_cpu_numbers(void)
{
    return 64 - (u32)__builtin_clzl(READ_ONCE(cpu_online_map));
}

static int physinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_physinfo *p = &op->u.physinfo;
    u32 per_core, per_package;

    topology_widths(&per_core, &per_package);
    memset(p, 0, sizeof(*p));
    p->threads_per_core = per_core;
    p->cores_per_socket = MAX(per_package / per_core, 1U);
    p->nr_cpus = nr_cpus_online;
    p->max_cpu_id = nr_cpu_numbers() - 1;
    p->nr_nodes = 1;
    p->cpu_khz = tsc_khz;
    p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 |
                      XEN_SYSCTL_PHYSCAP_gnttab_v2;
    p->total_pages = nr_total_pages();
    p->free_pages = nr_free_pages();
    p->outstanding_pages = total_claimed_pages();
    p->max_mfn = max_mfn - 1;
    p->hw_cap[0] = cpuid_count(1, 0).d;
    p->hw_cap[1] = cpuid_count(1, 0).c;
    if (cpu_features.max_ext_leaf >= 0x80000001) {
        p->hw_cap[2] = cpuid_count(0x80000001, 0).d;
        p->hw_cap[3] = cpuid_count(0x80000001, 0).c;
    }
    return 0;
}

static int cputopoinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
    u32 per_core, per_package, room = t->num_cpus;

    t->num_cpus = nr_cpu_numbers();
    if (handle_is_null(t->cputopo))
        return 0;
    topology_widths(&per_core, &per_package);
    t->num_cpus = MIN(room, t->num_cpus);
    for (u32 i = 0; i < t->num_cpus; i++) {
        u32 id = machine.cpus[i].apic_id;
        xen_sysctl_cputopo_t cpu = {
            .core = id % per_package / per_core,
            .socket = id / per_package,
            .node = 0,
        };

        if (!cpumask_test(READ_ONCE(cpu_online_map), i))
            cpu = (xen_sysctl_cputopo_t){XEN_INVALID_CORE_ID,
                                         XEN_INVALID_SOCKET_ID,
                                         XEN_INVALID_NODE_ID};
        if (copy_to_handle_offset(t->cputopo, i, &cpu))
            return -EFAULT;
    }
    return 0;
}

static int numainfo(struct xen_sysctl *op)
{
    struct xen_sysctl_numainfo *n = &op->u.numainfo;
    xen_sysctl_meminfo_t mem = {nr_total_pages() << PAGE_SHIFT,
                                nr_free_pages() << PAGE_SHIFT};
    u32 room = n->num_nodes, distance = 10; /* to itself, by convention */

    n->num_nodes = 1;
    if (!handle_is_null(n->meminfo) && room &&
        copy_to_handle(n->meminfo, &mem))
        return -EFAULT;
    if (!handle_is_null(n->distance) && room &&
        copy_to_handle(n->distance, &distance))
        return -EFAULT;
    return 0;
}

static int getcpuinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;
    u32 nr = MIN(g->max_cpus, nr_cpu_numbers());

    for (u32 i = 0; i < nr; i++) {
        xen_sysctl_cpuinfo_t info = {0};

        if (cpumask_test(READ_ONCE(cpu_online_map), i))
            info.idletime = (u64)cpu_idle_time(i);
        if (copy_to_handle_offset(g->info, i, &info))
            return -EFAULT;
    }
    g->nr_cpus = nr;
    return 0;
}

static int availheap(struct xen_sysctl *op)
{
    struct xen_sysctl_availheap *a = &op->u.availheap;

    /* Memory is counted as a whole: any width that excludes some is refused. */
    if (a->min_bitwidth || (a->max_bitwidth && a->max_bitwidth < 52))
        return -EOPNOTSUPP;
    if (a->node != -1 && a->node != 0)
        return -EINVAL;
    a->avail_bytes = nr_free_pages() << PAGE_SHIFT;
    return 0;
}

/* Pages cannot be taken out of use while the machine runs. */
static int page_offline(struct xen_sysctl *op)
{
    (void)op;
    return -EOPNOTSUPP;
}

/* --- domains and scheduling --- */

static int getdomaininfolist(struct xen_sysctl *op)
{
    struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
    struct xen_domctl_getdomaininfo info;
    domid_t next = l->first_domain;
    struct domain *d;

    for (l->num_domains = 0; l->num_domains < l->max_domains;
         l->num_domains++) {
        d = get_next_domain(next);
        if (!d)
            break;
        fill_domain_info(d, &info);
        next = d->id + 1;
        put_domain(d);
        if (copy_to_handle_offset(l->buffer, l->num_domains, &info))
            return -EFAULT;
    }
    return 0;
}

static int get_sched_id(struct xen_sysctl *op)
{
    op->u.sched_id.sched_id = sched_id();
    return 0;
}

static u32 count_domains(void)
{
    struct domain *d;
    u32 n = 0;

    for (domid_t next = 0; (d = get_next_domain(next)) != NULL; n++) {
        next = d->id + 1;
        put_domain(d);
    }
    return n;
}

/* One pool, number 0, of all CPUs; no CPU is free. */
static int cpupool_op(struct xen_sysctl *op)
{
    struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;

    switch (p->op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO:
        if (p->cpupool_id && p->cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
            return -ENOENT;
        p->cpupool_id = 0;
        p->sched_id = sched_id();
        p->n_dom = count_domains();
        return cpumask_to_bitmap(READ_ONCE(cpu_online_map), &p->cpumap);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
        return cpumask_to_bitmap(0, &p->cpumap);
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
        return p->cpupool_id ? -ENOENT : 0;
    default:
        return -EOPNOTSUPP;
    }
}

/* --- not there --- */

/* CPUs come at boot and stay. */
static int cpu_hotplug(struct xen_sysctl *op)
{
    const struct xen_sysctl_cpu_hotplug *h = &op->u.cpu_hotplug;

    switch (h->op) {
    case XEN_SYSCTL_CPU_HOTPLUG_ONLINE:
    case XEN_SYSCTL_CPU_HOTPLUG_OFFLINE:
        return h->cpu < machine.nr_cpus ? -EOPNOTSUPP : -EINVAL;
    default:
        return -EOPNOTSUPP;
    }
}

static int perfc_op(struct xen_sysctl *op)
{
    (void)op;
    return -EOPNOTSUPP; /* no counters are kept */
}

static int tbuf_op(struct xen_sysctl *op)
{
    struct xen_sysctl_tbuf_op *t = &op->u.tbuf_op;

    if (t->cmd != XEN_SYSCTL_TBUFOP_get_info)
        return -EOPNOTSUPP;
    t->evt_mask = 0;
    t->buffer_mfn = 0;
    t->size = 0; /* no buffers */
    return 0;
}

sysctl_fn sysctl_machine_fn(u32 cmd)
{
    switch (cmd) {
    case XEN_SYSCTL_readconsole:
        return readconsole;
    case XEN_SYSCTL_debug_keys:
        return debug_keys;
    case XEN_SYSCTL_physinfo:
        return physinfo;
    case XEN_SYSCTL_cputopoinfo:
        return cputopoinfo;
    case XEN_SYSCTL_numainfo:
        return numainfo;
    case XEN_SYSCTL_getcpuinfo:
        return getcpuinfo;
    case XEN_SYSCTL_availheap:
        return availheap;
    case XEN_SYSCTL_page_offline_op:
        return page_offline;
    case XEN_SYSCTL_getdomaininfolist:
        return getdomaininfolist;
    case XEN_SYSCTL_sched_id:
        return get_sched_id;
    case XEN_SYSCTL_cpupool_op:
        return cpupool_op;
    case XEN_SYSCTL_cpu_hotplug:
        return cpu_hotplug;
    case XEN_SYSCTL_perfc_op:
        return perfc_op;
    case XEN_SYSCTL_tbuf_op:
        return tbuf_op;
    default:
        return NULL;
    }
}
