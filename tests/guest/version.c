/* SPDX-License-Identifier: GPL-2.0-only */
/* xen_version, every sub-operation of <xen/version.h>; vm_assist; nmi_op. */
#include "guest.h"

/* Is there a NUL within the n bytes? */
static bool ends_within(const char *s, size_t n)
{
    while (n--) {
        if (!*s++)
            return true;
    }
    return false;
}

TEST(version_number)
{
    CHECK_EQ(hc_xen_version(XENVER_version, NULL), (4 << 16) | 17);
    /* It takes no argument, so a bad one does not matter. */
    CHECK_EQ(hc_xen_version(XENVER_version, (void *)UNMAPPED_VA),
             (4 << 16) | 17);
}

TEST(version_extraversion)
{
    xen_extraversion_t extra;

    memset(extra, 0x5a, sizeof(extra));
    CHECK_OK(hc_xen_version(XENVER_extraversion, extra));
    CHECK(ends_within(extra, sizeof(extra)));
    CHECK_BAD_POINTERS(sizeof(extra), -XEN_EFAULT,
                       hc_xen_version(XENVER_extraversion, bad));
}

TEST(version_compile_info)
{
    struct xen_compile_info info;

    memset(&info, 0x5a, sizeof(info));
    CHECK_OK(hc_xen_version(XENVER_compile_info, &info));
    CHECK(ends_within(info.compiler, sizeof(info.compiler)));
    CHECK(ends_within(info.compile_by, sizeof(info.compile_by)));
    CHECK(ends_within(info.compile_domain, sizeof(info.compile_domain)));
    CHECK(ends_within(info.compile_date, sizeof(info.compile_date)));
    CHECK_BAD_POINTERS(sizeof(info), -XEN_EFAULT,
                       hc_xen_version(XENVER_compile_info, bad));
}

TEST(version_capabilities)
{
    xen_capabilities_info_t caps;

    memset(caps, 0x5a, sizeof(caps));
    CHECK_OK(hc_xen_version(XENVER_capabilities, caps));
    CHECK(ends_within(caps, sizeof(caps)));
    CHECK_EQ(strncmp(caps, "xen-3.0-x86_64", 14), 0);
    CHECK_BAD_POINTERS(sizeof(caps), -XEN_EFAULT,
                       hc_xen_version(XENVER_capabilities, bad));
}

TEST(version_changeset)
{
    xen_changeset_info_t set;

    memset(set, 0x5a, sizeof(set));
    CHECK_OK(hc_xen_version(XENVER_changeset, set));
    CHECK(ends_within(set, sizeof(set)));
    CHECK_BAD_POINTERS(sizeof(set), -XEN_EFAULT,
                       hc_xen_version(XENVER_changeset, bad));
}

TEST(version_platform_parameters)
{
    struct xen_platform_parameters par = { 0 };

    CHECK_OK(hc_xen_version(XENVER_platform_parameters, &par));
    CHECK_EQ(par.virt_start, HYPERVISOR_VIRT_START);
    CHECK_BAD_POINTERS(sizeof(par), -XEN_EFAULT,
                       hc_xen_version(XENVER_platform_parameters, bad));
}

#define FEATURE(n) (1u << (n))

TEST(version_features)
{
    struct xen_feature_info info = { .submap_idx = 0 };
    u32 must = FEATURE(XENFEAT_mmu_pt_update_preserve_ad) |
               FEATURE(XENFEAT_gnttab_map_avail_bits) | FEATURE(XENFEAT_dom0) |
               FEATURE(XENFEAT_memory_op_vnode_supported) |
               FEATURE(XENFEAT_direct_mapped);
    u32 must_not = FEATURE(XENFEAT_writable_page_tables) |
                   FEATURE(XENFEAT_writable_descriptor_tables) |
                   FEATURE(XENFEAT_auto_translated_physmap) |
                   FEATURE(XENFEAT_supervisor_mode_kernel) |
                   FEATURE(XENFEAT_hvm_callback_vector) |
                   FEATURE(XENFEAT_hvm_safe_pvclock) |
                   FEATURE(XENFEAT_hvm_pirqs) |
                   FEATURE(XENFEAT_not_direct_mapped);

    if (!is_initdomain())
        must &= ~FEATURE(XENFEAT_dom0);
    CHECK_OK(hc_xen_version(XENVER_get_features, &info));
    CHECK_EQ(info.submap & must, must);
    CHECK_EQ(!!(info.submap & FEATURE(XENFEAT_dom0)), is_initdomain());
    CHECK_EQ(info.submap & must_not, 0);
}

TEST(version_features_bad)
{
    struct xen_feature_info info = { .submap_idx = XENFEAT_NR_SUBMAPS };

    CHECK_ERR(hc_xen_version(XENVER_get_features, &info), -XEN_EINVAL);
    info.submap_idx = ~0u;
    CHECK_ERR(hc_xen_version(XENVER_get_features, &info), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(info), -XEN_EFAULT,
                       hc_xen_version(XENVER_get_features, bad));
}

TEST(version_pagesize)
{
    CHECK_EQ(hc_xen_version(XENVER_pagesize, NULL), PAGE_SIZE);
}

TEST(version_guest_handle)
{
    xen_domain_handle_t handle;
    unsigned sum = 0;

    memset(handle, 0x5a, sizeof(handle));
    CHECK_OK(hc_xen_version(XENVER_guest_handle, handle));
    for (unsigned i = 0; i < sizeof(handle); i++)
        sum += handle[i];
    CHECK_EQ(sum, 0);
    CHECK_BAD_POINTERS(sizeof(handle), -XEN_EFAULT,
                       hc_xen_version(XENVER_guest_handle, bad));
}

TEST(version_commandline)
{
    static xen_commandline_t line;

    memset(line, 0x5a, sizeof(line));
    CHECK_OK(hc_xen_version(XENVER_commandline, line));
    CHECK(ends_within(line, sizeof(line)));
    CHECK_BAD_POINTERS(sizeof(line), -XEN_EFAULT,
                       hc_xen_version(XENVER_commandline, bad));
}

TEST(version_build_id)
{
    static struct {
        xen_build_id_t id;
        unsigned char space[64];
    } room;
    long size = hc_xen_version(XENVER_build_id, NULL);

    if (size == -XEN_ENODATA)
        SKIP("this image was linked without a build id");
    REQUIRE(CHECK(size > 0 && size <= 64));
    room.id.len = (u32)size;
    CHECK_EQ(hc_xen_version(XENVER_build_id, &room), size);
    room.id.len = (u32)size - 1;
    CHECK_ERR(hc_xen_version(XENVER_build_id, &room), -XEN_ENOBUFS);
    room.id.len = 0;
    CHECK_ERR(hc_xen_version(XENVER_build_id, &room), -XEN_EINVAL);
    CHECK_ERR(hc_xen_version(XENVER_build_id, (void *)UNMAPPED_VA),
              -XEN_EFAULT);
}

TEST(version_unknown)
{
    CHECK_ERR(hc_xen_version(11, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_xen_version(12, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_xen_version(~0u, NULL), -XEN_ENOSYS);
}

TEST(vm_assist_types)
{
    static const u32 known[] = {
        VMASST_TYPE_4gb_segments,        VMASST_TYPE_4gb_segments_notify,
        VMASST_TYPE_writable_pagetables, VMASST_TYPE_pae_extended_cr3,
        VMASST_TYPE_architectural_iopl,  VMASST_TYPE_runstate_update_flag,
        VMASST_TYPE_m2p_strict,
    };

    /* Those for 32-bit kernels are taken, too: a 64-bit Linux asks. */
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        CHECK_ERR(hc_vm_assist(VMASST_CMD_enable, known[i]), 0);
        CHECK_ERR(hc_vm_assist(VMASST_CMD_disable, known[i]), 0);
    }
}

TEST(vm_assist_bad)
{
    CHECK_ERR(hc_vm_assist(VMASST_CMD_enable, 31), -XEN_EINVAL);
    CHECK_ERR(hc_vm_assist(VMASST_CMD_enable, 64), -XEN_EINVAL);
    CHECK_ERR(hc_vm_assist(VMASST_CMD_enable, ~0u), -XEN_EINVAL);
    CHECK_ERR(hc_vm_assist(2, VMASST_TYPE_writable_pagetables), -XEN_ENOSYS);
}

TEST(nmi_callback)
{
    struct xennmi_callback cb = { .handler_address = (ulong)event_entry };

    CHECK_OK(hc_nmi_op(XENNMI_register_callback, &cb));
    CHECK_OK(hc_nmi_op(XENNMI_unregister_callback, NULL));
    CHECK_BAD_POINTERS(sizeof(cb), -XEN_EFAULT,
                       hc_nmi_op(XENNMI_register_callback, bad));
    cb.handler_address = NON_CANONICAL_VA;
    CHECK_ERR(hc_nmi_op(XENNMI_register_callback, &cb), -XEN_EINVAL);
    CHECK_ERR(hc_nmi_op(2, NULL), -XEN_ENOSYS);
}
