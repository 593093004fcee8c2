/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grant_table_op (grant_table.h): arrays of operations. Each element is copied
 * in, done and copied back before the next one; between elements the call may
 * be restarted at the one reached.
 */
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>

#include "grant-ops.h"

union grant_args {
    struct gnttab_map_grant_ref map;
    struct gnttab_unmap_grant_ref unmap;
    struct gnttab_unmap_and_replace replace;
    struct gnttab_setup_table setup;
    struct gnttab_dump_table dump;
    struct gnttab_transfer transfer;
    struct gnttab_copy copy;
    struct gnttab_query_size query;
    struct gnttab_set_version set_version;
    struct gnttab_get_status_frames status_frames;
    struct gnttab_get_version get_version;
    struct gnttab_swap_grant_ref swap;
    struct gnttab_cache_flush cache_flush;
};

/* One element; < 0 ends the call. */
static int do_element(u32 cmd, union grant_args *a, struct grant_unmap_batch *b)
{
    switch (cmd) {
    case GNTTABOP_map_grant_ref:
        grant_map(&a->map);
        return 0;
    case GNTTABOP_unmap_grant_ref:
        grant_unmap(&a->unmap, b);
        return 0;
    case GNTTABOP_unmap_and_replace:
        grant_unmap_and_replace(&a->replace, b);
        return 0;
    case GNTTABOP_transfer:
        grant_transfer(&a->transfer);
        return 0;
    case GNTTABOP_copy:
        grant_copy(&a->copy);
        return 0;
    case GNTTABOP_swap_grant_ref:
        grant_swap(&a->swap);
        return 0;
    default: /* GNTTABOP_cache_flush */
        return grant_cache_flush(&a->cache_flush);
    }
}

static const u8 element_size[] = {
    [GNTTABOP_map_grant_ref] = sizeof(struct gnttab_map_grant_ref),
    [GNTTABOP_unmap_grant_ref] = sizeof(struct gnttab_unmap_grant_ref),
    [GNTTABOP_transfer] = sizeof(struct gnttab_transfer),
    [GNTTABOP_copy] = sizeof(struct gnttab_copy),
    [GNTTABOP_unmap_and_replace] = sizeof(struct gnttab_unmap_and_replace),
    [GNTTABOP_swap_grant_ref] = sizeof(struct gnttab_swap_grant_ref),
    [GNTTABOP_cache_flush] = sizeof(struct gnttab_cache_flush),
};

/* Elements done so far in *done; -ERESTART: go on there. */
static long do_array(u32 cmd, char *arg, u32 count, u32 *done)
{
    size_t size = element_size[cmd];
    struct grant_unmap_batch batch = {.nr = 0};
    union grant_args a;
    long rc = 0;

    for (u32 i = 0; i < count; i++) {
        char *element = arg + i * size;

        if (i && hypercall_preempt_check()) {
            rc = -ERESTART;
            break;
        }
        if (raw_copy_from_guest(&a, element, size)) {
            rc = -EFAULT;
            break;
        }
        rc = do_element(cmd, &a, &batch);
        if (rc)
            break;
        if (batch.nr == GRANT_UNMAP_BATCH)
            grant_unmap_finish(&batch);
        if (raw_copy_to_guest(element, &a, size)) {
            rc = -EFAULT;
            break;
        }
        *done = i + 1;
    }
    grant_unmap_finish(&batch);
    return rc;
}

static const u8 single_size[] = {
    [GNTTABOP_setup_table] = sizeof(struct gnttab_setup_table),
    [GNTTABOP_dump_table] = sizeof(struct gnttab_dump_table),
    [GNTTABOP_query_size] = sizeof(struct gnttab_query_size),
    [GNTTABOP_set_version] = sizeof(struct gnttab_set_version),
    [GNTTABOP_get_status_frames] = sizeof(struct gnttab_get_status_frames),
    [GNTTABOP_get_version] = sizeof(struct gnttab_get_version),
};

static long call_single(u32 cmd, union grant_args *a)
{
    switch (cmd) {
    case GNTTABOP_setup_table:
        return grant_setup_table(&a->setup);
    case GNTTABOP_dump_table:
        return grant_dump_table(&a->dump);
    case GNTTABOP_query_size:
        return grant_query_size(&a->query);
    case GNTTABOP_set_version:
        return grant_set_version(&a->set_version);
    case GNTTABOP_get_status_frames:
        return grant_get_status_frames(&a->status_frames);
    default: /* GNTTABOP_get_version */
        return grant_get_version(&a->get_version);
    }
}

static long do_single(u32 cmd, void *arg, u32 count)
{
    union grant_args a;
    long rc;

    if (count != 1 && cmd != GNTTABOP_get_version &&
        cmd != GNTTABOP_set_version)
        return -EINVAL;
    if (raw_copy_from_guest(&a, arg, single_size[cmd]))
        return -EFAULT;
    rc = call_single(cmd, &a);
    /* A failed change of version still tells the one in use. */
    if ((!rc || cmd == GNTTABOP_set_version) &&
        raw_copy_to_guest(arg, &a, single_size[cmd]))
        return -EFAULT;
    return rc;
}

long do_grant_table_op(unsigned long cmd, unsigned long arg,
                       unsigned long count, unsigned long a4, unsigned long a5)
{
    u32 op = (u32)cmd, done = 0;
    long rc;

    (void)a4, (void)a5;
    if ((int)count < 0)
        return -EINVAL;
    if (op < ARRAY_SIZE(single_size) && single_size[op])
        return do_single(op, (void *)arg, (u32)count);
    if (op >= ARRAY_SIZE(element_size) || !element_size[op])
        return -ENOSYS;
    if (!guest_range_ok(arg, (u32)count * (size_t)element_size[op]))
        return -EFAULT;
    rc = do_array(op, (char *)arg, (u32)count, &done);
    if (rc == -ERESTART)
        return HYPERCALL_RESTART(cmd, arg + done * (size_t)element_size[op],
                                 count - done);
    return rc;
}
