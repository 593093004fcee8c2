/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a domain without privileges is refused: the control interface, other
 * domains' memory, ports and grants, the machine's devices. Runs in a domain
 * that domu.c builds; the answer is -EPERM before anything else is looked at,
 * so that a refused call tells nothing either.
 */
#include "guest.h"

TEST(no_domctl)
{
    struct xen_domctl op = {
        .interface_version = XEN_DOMCTL_INTERFACE_VERSION
    };

    for (u32 cmd = 0; cmd < 100; cmd++) {
        for (unsigned i = 0; i < 3; i++) {
            static const domid_t whom[] = { 0, DOMID_SELF, 0x1234 };

            op.cmd = cmd;
            op.domain = whom[i];
            CHECK_ERR(hc_domctl(&op), -XEN_EPERM);
        }
    }
    op.domain = own_id();
    op.cmd = XEN_DOMCTL_getdomaininfo;
    CHECK_ERR(hc_domctl(&op), -XEN_EPERM);
    CHECK_ERR(hc_domctl((void *)UNMAPPED_VA), -XEN_EPERM);
}

TEST(no_sysctl)
{
    struct xen_sysctl op = {
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION
    };

    for (op.cmd = 0; op.cmd < 40; op.cmd++)
        CHECK_ERR(hc_sysctl(&op), -XEN_EPERM);
    CHECK_ERR(hc_sysctl((void *)UNMAPPED_VA), -XEN_EPERM);
}

TEST(no_platform_op)
{
    struct xen_platform_op op = {
        .interface_version = XENPF_INTERFACE_VERSION
    };

    for (op.cmd = 0; op.cmd < 80; op.cmd++)
        CHECK_ERR(hc_platform_op(&op), -XEN_EPERM);
    CHECK_ERR(hc_platform_op((void *)UNMAPPED_VA), -XEN_EPERM);
}

TEST(no_console)
{
    char byte = 'x';

    CHECK_ERR(hc_console_io(CONSOLEIO_write, 1, &byte), -XEN_EPERM);
    CHECK_ERR(hc_console_io(CONSOLEIO_read, 1, &byte), -XEN_EPERM);
}

TEST(no_devices)
{
    static const u32 commands[] = {
        PHYSDEVOP_apic_read,        PHYSDEVOP_apic_write,
        PHYSDEVOP_map_pirq,         PHYSDEVOP_unmap_pirq,
        PHYSDEVOP_manage_pci_add,   PHYSDEVOP_manage_pci_remove,
        PHYSDEVOP_setup_gsi,        PHYSDEVOP_get_free_pirq,
        PHYSDEVOP_pci_device_add,   PHYSDEVOP_pci_device_remove,
        PHYSDEVOP_restore_msi_ext,  PHYSDEVOP_prepare_msix,
        PHYSDEVOP_release_msix,     PHYSDEVOP_pci_mmcfg_reserved,
        PHYSDEVOP_alloc_irq_vector,
    };
    static char arg[256];

    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
        CHECK_ERR(hc_physdev_op(commands[i], arg), -XEN_EPERM);
}

/* By any of the ways that domain 0 has. */
TEST(no_foreign_frames)
{
    void *page = page_get();
    static const domid_t whose[] = { 0, DOMID_IO, DOMID_XEN };
    static const ulong frames[] = { 0xb8, 0xfee00, 0x200, 0x2000, 0x8000 };

    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        u64 pte = PTE(frames[i], PTE_RO_FLAGS);

        if (mfn_is_ours(frames[i]))
            continue;
        CHECK(remap(page, pte) < 0);
        for (unsigned j = 0; j < ARRAY_SIZE(whose); j++) {
            struct mmu_update u = { pte_maddr((ulong)page, 1), pte };

            CHECK_ERR(hc_update_va_mapping_otherdomain((ulong)page, pte, 0,
                                                       whose[j]),
                      -XEN_EPERM);
            CHECK_ERR(hc_mmu_update(&u, 1, NULL, whose[j]), -XEN_EPERM);
        }
    }
    CHECK_NO_FAULT(*(volatile char *)page);
}

static long of_domain_0(u32 cmd)
{
    xen_pfn_t frame = 0x100;
    struct xen_memory_reservation r = { .nr_extents = 1 };

    set_xen_guest_handle(r.extent_start, &frame);
    return hc_memory_op(cmd, &r);
}

TEST(no_foreign_memory)
{
    struct xen_add_to_physmap add = { 0 };
    struct xen_memory_map map = { 0 };
    domid_t zero = 0;

    /* These answer how many extents were done. */
    CHECK_EQ(of_domain_0(XENMEM_increase_reservation), 0);
    CHECK_EQ(of_domain_0(XENMEM_decrease_reservation), 0);
    CHECK_EQ(of_domain_0(XENMEM_populate_physmap), 0);
    CHECK_ERR(of_domain_0(XENMEM_claim_pages), -XEN_EPERM);
    CHECK_ERR(hc_memory_op(XENMEM_current_reservation, &zero), -XEN_EPERM);
    CHECK_ERR(hc_memory_op(XENMEM_maximum_reservation, &zero), -XEN_EPERM);
    CHECK_ERR(hc_memory_op(XENMEM_maximum_gpfn, &zero), -XEN_EPERM);
    CHECK_ERR(hc_memory_op(XENMEM_add_to_physmap, &add), -XEN_EPERM);
    CHECK_ERR(hc_memory_op(XENMEM_machine_memory_map, &map), -XEN_EPERM);
}

TEST(no_foreign_tables)
{
    struct mmuext_op op = { .cmd = MMUEXT_UNPIN_TABLE };

    op.arg1.mfn = mfn_of((void *)start_info->pt_base);
    CHECK_ERR(hc_mmuext_op(&op, 1, NULL, 0), -XEN_EPERM);
    op.arg1.mfn = 0x8000;
    CHECK(mmuext1(MMUEXT_PIN_L1_TABLE, 0x8000, 0) < 0);
    CHECK(mmuext1(MMUEXT_NEW_BASEPTR, 0x8000, 0) < 0);
    CHECK_ERR(mmuext1(MMUEXT_FLUSH_CACHE, 0, 0), -XEN_EACCES);
}

TEST(no_foreign_ports)
{
    struct evtchn_alloc_unbound a = { .dom = 0, .remote_dom = DOMID_SELF };
    struct evtchn_bind_interdomain b = { .remote_dom = 0 };
    struct evtchn_status s = { .dom = 0, .port = 1 };
    struct evtchn_reset r = { .dom = 0 };

    CHECK_ERR(hc_event_channel_op(EVTCHNOP_alloc_unbound, &a), -XEN_EPERM);
    CHECK_ERR(hc_event_channel_op(EVTCHNOP_status, &s), -XEN_EPERM);
    CHECK_ERR(hc_event_channel_op(EVTCHNOP_reset, &r), -XEN_EPERM);
    for (b.remote_port = 0; b.remote_port < 64; b.remote_port++)
        CHECK_ERR(hc_event_channel_op(EVTCHNOP_bind_interdomain, &b),
                  -XEN_EINVAL);
}

/* Domain 0 gives us nothing: every reference is refused, each for itself. */
TEST(no_foreign_grants)
{
    struct gnttab_setup_table setup = { .dom = 0, .nr_frames = 1 };
    xen_pfn_t frame;

    for (u32 ref = 0; ref < 64; ref++) {
        struct gnttab_map_grant_ref m = { .host_addr = SCRATCH_VA,
                                          .flags = GNTMAP_host_map,
                                          .ref = ref };

        CHECK_OK(hc_grant_table_op(GNTTABOP_map_grant_ref, &m, 1));
        CHECK(m.status < 0);
    }
    set_xen_guest_handle(setup.frame_list, &frame);
    CHECK_OK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1));
    CHECK_EQ(setup.status, GNTST_permission_denied);
}

TEST(no_say_over_others)
{
    struct sched_remote_shutdown s = { .domain_id = 0 };
    struct sched_pin_override p = { .pcpu = 0 };

    CHECK_ERR(hc_sched_op(SCHEDOP_remote_shutdown, &s), -XEN_EPERM);
    CHECK_ERR(hc_sched_op(SCHEDOP_pin_override, &p), -XEN_EPERM);
}

/* Ports read as nothing at best; a written one does not reach the machine. */
TEST(no_machine_ports)
{
    u32 value = 0;
    u32 iopl = 3;

    hc_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    if (FAULT_OF(asm volatile("inl %w1, %0"
                              : "=a"(value)
                              : "d"(0xcfc))) == NO_FAULT)
        CHECK_EQ(value, ~0u);
    /* Reset by the keyboard controller and by the chip set, if it got there. */
    FAULT_OF(asm volatile("outb %b0, %w1" : : "a"(0xfe), "d"(0x64)));
    FAULT_OF(asm volatile("outb %b0, %w1" : : "a"(6), "d"(0xcf9)));
}
