/* SPDX-License-Identifier: GPL-2.0-only */
/* sysctl: <xen/sysctl.h>. */
#include "guest.h"

static long sysctl(u32 cmd, struct xen_sysctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hc_sysctl(op);
}

TEST(sysctl_bad)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo,
                             .interface_version = XEN_SYSCTL_INTERFACE_VERSION +
                                                  1 };

    CHECK_ERR(hc_sysctl(&op), -XEN_EACCES);
    CHECK_ERR(sysctl(0, &op), -XEN_ENOSYS);
    CHECK_ERR(sysctl(9999, &op), -XEN_ENOSYS);
    CHECK_BAD_POINTERS(sizeof(op), -XEN_EFAULT, hc_sysctl(bad));
}

/* The reply goes back where the request was. */
TEST(sysctl_read_only_argument)
{
    struct xen_sysctl *op = page_get();

    op->cmd = XEN_SYSCTL_physinfo;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    CHECK_OK(make_ro(op));
    CHECK_ERR(hc_sysctl(op), -XEN_EFAULT);
}

TEST(physinfo)
{
    struct xen_sysctl op = { 0 };
    struct xen_sysctl_physinfo *info = &op.u.physinfo;

    CHECK_OK(sysctl(XEN_SYSCTL_physinfo, &op));
    CHECK_EQ(info->nr_cpus, option_number("cpus=", 1));
    CHECK_EQ(info->nr_nodes, 1);
    CHECK(info->cpu_khz > 100000);
    CHECK(info->capabilities & XEN_SYSCTL_PHYSCAP_pv);
    CHECK(info->total_pages > 0x1e000 && info->total_pages <= 0x20000);
    CHECK(info->free_pages > 0x8000 && info->free_pages < info->total_pages);
}

TEST(sched_id)
{
    struct xen_sysctl op = { 0 };

    CHECK_OK(sysctl(XEN_SYSCTL_sched_id, &op));
    CHECK(op.u.sched_id.sched_id >= 1);
}

TEST(read_console)
{
    static char text[4096];
    struct xen_sysctl op = { 0 };

    op.u.readconsole.count = sizeof(text);
    set_xen_guest_handle(op.u.readconsole.buffer, text);
    CHECK_OK(sysctl(XEN_SYSCTL_readconsole, &op));
    CHECK(op.u.readconsole.count > 0 && op.u.readconsole.count <= sizeof(text));
    op.u.readconsole.count = 16;
    set_xen_guest_handle(op.u.readconsole.buffer, (char *)UNMAPPED_VA);
    CHECK_ERR(sysctl(XEN_SYSCTL_readconsole, &op), -XEN_EFAULT);
}

TEST(domain_list)
{
    struct xen_domctl_getdomaininfo info[4];
    struct xen_sysctl op = { 0 };

    op.u.getdomaininfolist.max_domains = 4;
    set_xen_guest_handle(op.u.getdomaininfolist.buffer, info);
    CHECK_OK(sysctl(XEN_SYSCTL_getdomaininfolist, &op));
    CHECK_EQ(op.u.getdomaininfolist.num_domains, 1);
    CHECK_EQ(info[0].domain, 0);
    CHECK_EQ(info[0].tot_pages, start_info->nr_pages);
    CHECK_EQ(info[0].nr_online_vcpus, 1);
    CHECK(info[0].flags & XEN_DOMINF_running);
    op.u.getdomaininfolist.first_domain = 1;
    CHECK_OK(sysctl(XEN_SYSCTL_getdomaininfolist, &op));
    CHECK_EQ(op.u.getdomaininfolist.num_domains, 0);
    op.u.getdomaininfolist.first_domain = 0;
    set_xen_guest_handle(op.u.getdomaininfolist.buffer,
                         (xen_domctl_getdomaininfo_t *)UNMAPPED_VA);
    CHECK_ERR(sysctl(XEN_SYSCTL_getdomaininfolist, &op), -XEN_EFAULT);
}

TEST(debug_keys)
{
    char key = '~'; /* no handler has it */
    struct xen_sysctl op = { 0 };

    op.u.debug_keys.nr_keys = 1;
    set_xen_guest_handle(op.u.debug_keys.keys, &key);
    CHECK_OK(sysctl(XEN_SYSCTL_debug_keys, &op));
    op.u.debug_keys.nr_keys = 0;
    CHECK_OK(sysctl(XEN_SYSCTL_debug_keys, &op));
    op.u.debug_keys.nr_keys = 1;
    set_xen_guest_handle(op.u.debug_keys.keys, (char *)UNMAPPED_VA);
    CHECK_ERR(sysctl(XEN_SYSCTL_debug_keys, &op), -XEN_EFAULT);
}

TEST(cpu_info)
{
    struct xen_sysctl_cpuinfo info[4];
    struct xen_sysctl op = { 0 };

    op.u.getcpuinfo.max_cpus = 4;
    set_xen_guest_handle(op.u.getcpuinfo.info, info);
    CHECK_OK(sysctl(XEN_SYSCTL_getcpuinfo, &op));
    CHECK_EQ(op.u.getcpuinfo.nr_cpus, option_number("cpus=", 1));
    op.u.getcpuinfo.max_cpus = 4;
    set_xen_guest_handle(op.u.getcpuinfo.info,
                         (xen_sysctl_cpuinfo_t *)UNMAPPED_VA);
    CHECK_ERR(sysctl(XEN_SYSCTL_getcpuinfo, &op), -XEN_EFAULT);
}

TEST(available_heap)
{
    struct xen_sysctl op = { 0 };

    op.u.availheap.node = -1;
    CHECK_OK(sysctl(XEN_SYSCTL_availheap, &op));
    CHECK(op.u.availheap.avail_bytes > 64 << 20);
    CHECK(op.u.availheap.avail_bytes < 512 << 20);
}

TEST(cpu_topology)
{
    struct xen_sysctl_cputopo topo[4] = { { .core = 77 } };
    struct xen_sysctl op = { 0 };

    CHECK_OK(sysctl(XEN_SYSCTL_cputopoinfo, &op));
    CHECK_EQ(op.u.cputopoinfo.num_cpus, option_number("cpus=", 1));
    op.u.cputopoinfo.num_cpus = 4;
    set_xen_guest_handle(op.u.cputopoinfo.cputopo, topo);
    CHECK_OK(sysctl(XEN_SYSCTL_cputopoinfo, &op));
    CHECK_EQ(op.u.cputopoinfo.num_cpus, option_number("cpus=", 1));
    CHECK(topo[0].core == 0 || topo[0].core == XEN_INVALID_CORE_ID);
}

TEST(numa)
{
    struct xen_sysctl_meminfo memory[2];
    u32 distance[4];
    struct xen_sysctl op = { 0 };

    CHECK_OK(sysctl(XEN_SYSCTL_numainfo, &op));
    CHECK_EQ(op.u.numainfo.num_nodes, 1);
    op.u.numainfo.num_nodes = 1;
    set_xen_guest_handle(op.u.numainfo.meminfo, memory);
    set_xen_guest_handle(op.u.numainfo.distance, distance);
    CHECK_OK(sysctl(XEN_SYSCTL_numainfo, &op));
    CHECK(memory[0].memsize > 400 << 20);
    CHECK_EQ(distance[0], 10);
}

TEST(cpu_hotplug_bad)
{
    struct xen_sysctl op = { 0 };

    op.u.cpu_hotplug.cpu = 9999;
    op.u.cpu_hotplug.op = XEN_SYSCTL_CPU_HOTPLUG_ONLINE;
    CHECK_ERR(sysctl(XEN_SYSCTL_cpu_hotplug, &op), -XEN_EINVAL);
    op.u.cpu_hotplug.cpu = 0;
    op.u.cpu_hotplug.op = 77;
    CHECK_ERR(sysctl(XEN_SYSCTL_cpu_hotplug, &op), -XEN_EOPNOTSUPP);
}
