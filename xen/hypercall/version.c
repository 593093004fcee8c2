/* SPDX-License-Identifier: GPL-2.0-only */
/* xen_version: who we are and what a guest may rely on. <xen/version.h> */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/layout.h>
#include <hv/string.h>
#include <hv/version.h>
#include <xen/version.h>

extern const u8 hv_build_id_start[], hv_build_id_end[];

/* Behind the ELF note's header and its name "GNU". */
#define BUILD_ID_SKIP 16

static char saved_cmdline[sizeof(xen_commandline_t)];

void version_save_cmdline(const char *cmdline)
{
    strlcpy(saved_cmdline, cmdline, sizeof(saved_cmdline));
}

const char *version_cmdline(void)
{
    return saved_cmdline;
}

/* A NUL-padded array of the ABI's size. */
static long copy_text(unsigned long arg, const char *text, size_t size)
{
    char all[1024] = "";

    strlcpy(all, text, size);
    return raw_copy_to_guest((void *)arg, all, size) ? -EFAULT : 0;
}

static long copy_compile_info(unsigned long arg)
{
    struct xen_compile_info info = {0};

    strlcpy(info.compiler, hv_compiler, sizeof(info.compiler));
    strlcpy(info.compile_by, hv_build_user, sizeof(info.compile_by));
    strlcpy(info.compile_domain, hv_build_host, sizeof(info.compile_domain));
    strlcpy(info.compile_date, hv_build_date, sizeof(info.compile_date));
    return raw_copy_to_guest((void *)arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long copy_platform_parameters(unsigned long arg)
{
    struct xen_platform_parameters p = {.virt_start = HV_VIRT_START};

    return raw_copy_to_guest((void *)arg, &p, sizeof(p)) ? -EFAULT : 0;
}

static u32 features_of(const struct domain *d)
{
    u32 map = 1U << XENFEAT_mmu_pt_update_preserve_ad |
              1U << XENFEAT_highmem_assist |
              1U << XENFEAT_gnttab_map_avail_bits |
              1U << XENFEAT_memory_op_vnode_supported |
              1U << XENFEAT_direct_mapped;

    if (d->is_privileged)
        map |= 1U << XENFEAT_dom0;
    if (d->vm_assist & (1UL << VMASST_TYPE_pae_extended_cr3))
        map |= 1U << XENFEAT_pae_pgdir_above_4gb;
    return map;
}

static long copy_features(unsigned long arg)
{
    struct xen_feature_info info;

    if (raw_copy_from_guest(&info, (void *)arg, sizeof(info)) != 0)
        return -EFAULT;
    if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
        return -EINVAL;
    info.submap = features_of(currd);
    return raw_copy_to_guest((void *)arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* Size of the build id; with an argument it is copied as well. */
static long copy_build_id(unsigned long arg)
{
    const u8 *id = hv_build_id_start + BUILD_ID_SKIP;
    size_t size = (size_t)(hv_build_id_end - id);
    u32 len;

    if (hv_build_id_end - hv_build_id_start <= BUILD_ID_SKIP)
        return -ENODATA;
    if (arg == 0)
        return (long)size;
    if (raw_copy_from_guest(&len, (void *)arg, sizeof(len)) != 0)
        return -EFAULT;
    if (len == 0)
        return -EINVAL;
    if (len < size)
        return -ENOBUFS;
    arg += offsetof(struct xen_build_id, buf);
    return raw_copy_to_guest((void *)arg, id, size) ? -EFAULT : (long)size;
}

long do_xen_version(unsigned long cmd, unsigned long arg, unsigned long a3,
                    unsigned long a4, unsigned long a5)
{
    bool trusted = currd->is_privileged;

    (void)a3, (void)a4, (void)a5;
    switch ((unsigned int)cmd) {
    case XENVER_version:
        return HV_VERSION_MAJOR << 16 | HV_VERSION_MINOR;
    case XENVER_extraversion:
        return copy_text(arg, HV_EXTRAVERSION, sizeof(xen_extraversion_t));
    case XENVER_compile_info:
        return copy_compile_info(arg);
    case XENVER_capabilities:
        return copy_text(arg, "xen-3.0-x86_64 ",
                         sizeof(xen_capabilities_info_t));
    case XENVER_changeset:
        return copy_text(arg, hv_changeset, sizeof(xen_changeset_info_t));
    case XENVER_platform_parameters:
        return copy_platform_parameters(arg);
    case XENVER_get_features:
        return copy_features(arg);
    case XENVER_pagesize:
        return PAGE_SIZE;
    case XENVER_guest_handle:
        return raw_copy_to_guest((void *)arg, currd->handle,
                                 sizeof(currd->handle))
                   ? -EFAULT
                   : 0;
    case XENVER_commandline:
        return copy_text(arg, trusted ? saved_cmdline : "<denied>",
                         sizeof(xen_commandline_t));
    case XENVER_build_id:
        return copy_build_id(arg);
    default:
        return -ENOSYS;
    }
}
