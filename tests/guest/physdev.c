/* SPDX-License-Identifier: GPL-2.0-only */
/* physdev_op and platform_op: <xen/physdev.h>, <xen/platform.h>. */
#include "guest.h"

TEST(set_iopl)
{
    struct physdev_set_iopl p = { .iopl = 3 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &p));
    p.iopl = 4;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_set_iopl, &p), -XEN_EINVAL);
    p.iopl = ~0u;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_set_iopl, &p), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(p), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_set_iopl, bad));
}

TEST(set_iobitmap)
{
    static uint8_t bits[8192];
    struct physdev_set_iobitmap p = { .nr_ports = 65536 };

    set_xen_guest_handle(p.bitmap, bits);
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iobitmap, &p));
    p.nr_ports = 65537;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_set_iobitmap, &p), -XEN_EINVAL);
    p.nr_ports = 0;
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iobitmap, &p));
    CHECK_BAD_POINTERS(sizeof(p), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_set_iobitmap, bad));
    p.nr_ports = 1024;
    set_xen_guest_handle(p.bitmap, (uint8_t *)HYPERVISOR_VA);
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_set_iobitmap, &p), -XEN_EINVAL);
}

TEST(io_apic)
{
    struct physdev_apic a = { .apic_physbase = 0xfec00000, .reg = 1 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_apic_read, &a));
    CHECK_EQ((a.value >> 16) & 0xff, 23); /* entries of the version register */
    a.apic_physbase = 0x12345000;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_apic_read, &a), -XEN_EINVAL);
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_apic_write, &a), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(a), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_apic_read, bad));
    CHECK_BAD_POINTERS(sizeof(a), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_apic_write, bad));
}

static struct physdev_map_pirq map_gsi(int gsi)
{
    struct physdev_map_pirq m = { .domid = DOMID_SELF,
                                  .type = MAP_PIRQ_TYPE_GSI,
                                  .index = gsi,
                                  .pirq = gsi };
    return m;
}

TEST(map_and_unmap_pirq)
{
    struct physdev_map_pirq m = map_gsi(11);
    struct physdev_unmap_pirq u = { .domid = DOMID_SELF, .pirq = 11 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_map_pirq, &m));
    CHECK_EQ(m.pirq, 11);
    CHECK_OK(hc_physdev_op(PHYSDEVOP_unmap_pirq, &u));
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_unmap_pirq, &u), -XEN_EINVAL);
}

TEST(map_pirq_bad)
{
    struct physdev_map_pirq m = map_gsi(100000);
    struct physdev_unmap_pirq u = { .domid = 0x1234, .pirq = 5 };

    CHECK_ERR(hc_physdev_op(PHYSDEVOP_map_pirq, &m), -XEN_EINVAL);
    m = map_gsi(-1);
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_map_pirq, &m), -XEN_EINVAL);
    m = map_gsi(5);
    m.type = 77;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_map_pirq, &m), -XEN_EINVAL);
    m = map_gsi(5);
    m.domid = 0x1234;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_map_pirq, &m), -XEN_ESRCH);
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_unmap_pirq, &u), -XEN_ESRCH);
    u.domid = DOMID_SELF;
    u.pirq = 100000;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_unmap_pirq, &u), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(m), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_map_pirq, bad));
    CHECK_BAD_POINTERS(sizeof(u), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_unmap_pirq, bad));
}

TEST(pirq_status)
{
    struct physdev_irq_status_query q = { .irq = 9 };
    struct physdev_eoi e = { .irq = 100000 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_irq_status_query, &q));
    q.irq = 100000;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_irq_status_query, &q), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(q), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_irq_status_query, bad));
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_eoi, &e), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(e), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_eoi, bad));
}

/* The page in which a kernel sees which lines want an EOI. */
TEST(eoi_page)
{
    struct physdev_pirq_eoi_gmfn g = { .gmfn = mfn_not_ours() };

    CHECK_ERR(hc_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), -XEN_EINVAL);
    g.gmfn = mfn_of(page_get());
    CHECK_OK(hc_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g));
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), -XEN_EBUSY);
    CHECK_BAD_POINTERS(sizeof(g), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, bad));
}

TEST(setup_gsi)
{
    struct physdev_setup_gsi s = { .gsi = 10, .triggering = 1, .polarity = 1 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_setup_gsi, &s));
    s.gsi = 100000;
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_setup_gsi, &s), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(s), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_setup_gsi, bad));
}

TEST(get_free_pirq)
{
    struct physdev_get_free_pirq g = { .type = MAP_PIRQ_TYPE_MSI };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_get_free_pirq, &g));
    CHECK(g.pirq > 15);
    CHECK_BAD_POINTERS(sizeof(g), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_get_free_pirq, bad));
}

TEST(pci_devices)
{
    struct physdev_pci_device_add a = { .bus = 0, .devfn = 0 };
    struct physdev_pci_device d = { .bus = 0, .devfn = 0 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_pci_device_add, &a));
    CHECK_OK(hc_physdev_op(PHYSDEVOP_pci_device_remove, &d));
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_pci_device_remove, &d), -XEN_ENODEV);
    CHECK_BAD_POINTERS(sizeof(a), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_pci_device_add, bad));
    CHECK_BAD_POINTERS(sizeof(d), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_pci_device_remove, bad));
}

TEST(msi_of_no_device)
{
    struct physdev_pci_device d = { .bus = 0, .devfn = 0xf8 };

    CHECK_ERR(hc_physdev_op(PHYSDEVOP_restore_msi_ext, &d), -XEN_ENODEV);
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_prepare_msix, &d), -XEN_ENODEV);
    CHECK_ERR(hc_physdev_op(PHYSDEVOP_release_msix, &d), -XEN_ENODEV);
    CHECK_BAD_POINTERS(sizeof(d), -XEN_EFAULT,
                       hc_physdev_op(PHYSDEVOP_prepare_msix, bad));
}

TEST(physdev_op_unknown)
{
    CHECK_ERR(hc_physdev_op(0, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_physdev_op(99, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_physdev_op(~0u, NULL), -XEN_ENOSYS);
}

static long platform(u32 cmd, struct xen_platform_op *op)
{
    op->cmd = cmd;
    op->interface_version = XENPF_INTERFACE_VERSION;
    return hc_platform_op(op);
}

TEST(platform_op_bad)
{
    struct xen_platform_op op = { .cmd = XENPF_get_cpuinfo,
                                  .interface_version = 1 };

    CHECK_ERR(hc_platform_op(&op), -XEN_EACCES);
    CHECK_ERR(platform(77, &op), -XEN_ENOSYS);
    CHECK_BAD_POINTERS(sizeof(op), -XEN_EFAULT, hc_platform_op(bad));
}

TEST(platform_settime)
{
    struct xen_platform_op op = { 0 };

    op.u.settime64.secs = 1700000000;
    op.u.settime64.nsecs = 5;
    op.u.settime64.system_time = system_time();
    CHECK_OK(platform(XENPF_settime64, &op));
    CHECK(shared_info->wc_sec <= 1700000000u);
    CHECK(shared_info->wc_sec > 1700000000u - 1000);
    op.u.settime64.mbz = 1;
    CHECK_ERR(platform(XENPF_settime64, &op), -XEN_EINVAL);
}

TEST(platform_cpu_info)
{
    struct xen_platform_op op = { 0 };

    CHECK_OK(platform(XENPF_get_cpuinfo, &op));
    CHECK_EQ(op.u.pcpu_info.max_present, option_number("cpus=", 1) - 1);
    CHECK(op.u.pcpu_info.flags & XEN_PCPU_FLAGS_ONLINE);
    op.u.pcpu_info.xen_cpuid = 100000;
    CHECK_OK(platform(XENPF_get_cpuinfo, &op));
    CHECK_EQ(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
}

TEST(platform_cpu_online)
{
    struct xen_platform_op op = { 0 };

    op.u.cpu_ol.cpuid = 100000;
    CHECK_ERR(platform(XENPF_cpu_online, &op), -XEN_EINVAL);
    CHECK_ERR(platform(XENPF_cpu_offline, &op), -XEN_EINVAL);
    op.u.cpu_ol.cpuid = 0; /* the last one stays */
    CHECK_ERR(platform(XENPF_cpu_offline, &op), -XEN_EOPNOTSUPP);
}

TEST(platform_firmware_info)
{
    struct xen_platform_op op = { 0 };

    op.u.firmware_info.type = 77;
    CHECK_ERR(platform(XENPF_firmware_info, &op), -XEN_EINVAL);
    op.u.firmware_info.type = XEN_FW_DISK_INFO;
    op.u.firmware_info.index = 99;
    CHECK_ERR(platform(XENPF_firmware_info, &op), -XEN_ESRCH);
}

TEST(platform_sleep_bad)
{
    struct xen_platform_op op = { 0 };

    op.u.enter_acpi_sleep.sleep_state = 99;
    CHECK_ERR(platform(XENPF_enter_acpi_sleep, &op), -XEN_EINVAL);
}

TEST(platform_memory_types)
{
    struct xen_platform_op op = { 0 };

    op.u.read_memtype.reg = 9999;
    CHECK_ERR(platform(XENPF_read_memtype, &op), -XEN_EINVAL);
}

TEST(platform_cpu_version)
{
    struct xen_platform_op op = { 0 };
    const struct xenpf_pcpu_version *c = &op.u.pcpu_version;

    CHECK_OK(platform(XENPF_get_cpu_version, &op));
    CHECK_EQ(c->max_present, option_number("cpus=", 1) - 1);
    CHECK(c->vendor_id[0] >= 'A' && c->family != 0);
    op.u.pcpu_version.xen_cpuid = 63;
    CHECK_OK(platform(XENPF_get_cpu_version, &op));
    CHECK(!c->vendor_id[0] && !c->family);
}

/* Of the CPUs that are asked for, those that are there stay in the map. */
TEST(platform_idle_time)
{
    u64 idle[64] = { [1] = 77, [63] = 77 };
    uint8_t map[8] = { 1, 0, 0, 0, 0, 0, 0, 0x80 };
    struct xen_platform_op op = { 0 };
    struct xenpf_getidletime *g = &op.u.getidletime;

    if (on_reference)
        SKIP("the reference answers only if domain 0 sets the CPUs' speed");
    set_xen_guest_handle(g->cpumap_bitmap, map);
    set_xen_guest_handle(g->idletime, idle);
    g->cpumap_nr_cpus = 64;
    CHECK_OK(platform(XENPF_getidletime, &op));
    CHECK_EQ(map[0], 1);
    CHECK_EQ(map[7], 0);
    CHECK(idle[0] < g->now);
    CHECK_EQ(idle[1], 77);
    map[0] = 1;
    set_xen_guest_handle(g->idletime, (u64 *)UNMAPPED_VA);
    CHECK_ERR(platform(XENPF_getidletime, &op), -XEN_EFAULT);
    set_xen_guest_handle(g->cpumap_bitmap, (uint8_t *)UNMAPPED_VA);
    CHECK_ERR(platform(XENPF_getidletime, &op), -XEN_EFAULT);
}

static long resource(struct xenpf_resource_entry *entries, u32 nr, u32 cpu)
{
    struct xen_platform_op op = { 0 };

    op.u.resource_op.nr_entries = nr;
    op.u.resource_op.cpu = cpu;
    set_xen_guest_handle(op.u.resource_op.entries, entries);
    return platform(XENPF_resource_op, &op);
}

/* Nothing but the time can be read, and nothing written. */
TEST(platform_registers)
{
    enum { TSC = 0x10, EFER = 0xc0000080 };
    struct xenpf_resource_entry e[4] = {
        { .u.cmd = XEN_RESOURCE_OP_MSR_READ, .idx = EFER },
    };

    CHECK_ERR(resource(e, 4, 0), -XEN_EINVAL);
    CHECK_ERR(resource(e, ~0u, 0), -XEN_EINVAL);
    CHECK_ERR(resource((void *)UNMAPPED_VA, 1, 0), -XEN_EFAULT);
    if (!on_reference) { /* which finds nothing wrong */
        CHECK_ERR(resource(e, 1, 64), -XEN_ENODEV);
        CHECK_ERR(resource(e, 1, ~0u), -XEN_ENODEV);
    }
    CHECK_EQ(resource(e, 1, 0), 0);
    CHECK_EQ(e[0].u.ret, -XEN_EPERM);
    CHECK_EQ(e[0].val, 0);
    e[0].u.cmd = 77;
    CHECK_EQ(resource(e, 1, 0), 0);
    CHECK_EQ(e[0].u.ret, -XEN_EOPNOTSUPP);
    e[0].u.cmd = XEN_RESOURCE_OP_MSR_WRITE;
    e[0].idx = TSC;
    CHECK_EQ(resource(e, 1, 0), 0);
    CHECK_EQ(e[0].u.ret, -XEN_EPERM);
}

/* As long as the buffer is, and no longer. */
TEST(platform_symbols)
{
    char name[8];
    struct xen_platform_op op = { 0 };
    struct xenpf_symdata *s = &op.u.symdata;

    memset(name, 0x55, sizeof(name));
    s->namelen = 4;
    set_xen_guest_handle(s->name, name);
    CHECK_OK(platform(XENPF_get_symbol, &op));
    CHECK_EQ(s->symnum, 1);
    CHECK(s->namelen > 0 && name[0] != 0x55);
    CHECK_EQ(name[4], 0x55);
    s->namelen = 4;
    set_xen_guest_handle(s->name, (char *)UNMAPPED_VA);
    CHECK_ERR(platform(XENPF_get_symbol, &op), -XEN_EFAULT);
    s->namelen = 4;
    s->symnum = 1u << 30;
    if (!on_reference) /* which wants a good number */
        CHECK_OK(platform(XENPF_get_symbol, &op));
    CHECK_EQ(s->symnum, 1u << 30); /* the end */
}
