/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grant_table_op: <xen/grant_table.h>.  The granting and the using domain are
 * both ourselves.  rc tells whether the call's list could be read, `status`
 * (GNTST_*) how each entry of it went.
 */
#include "guest.h"

static volatile grant_entry_v1_t *grants;

/* An address with tables, but nothing mapped: the hypervisor need not flush. */
static void *unmapped_page(void)
{
    void *page = page_get();

    CHECK_OK(remap(page, 0));
    return page;
}

#define OP(cmd, op) hc_grant_table_op(GNTTABOP_##cmd, (op), 1)
#define REF(n) ((n) + GNTTAB_NR_RESERVED_ENTRIES)

TEST(query_size)
{
    struct gnttab_query_size q = { .dom = DOMID_SELF, .status = 99 };

    CHECK_OK(OP(query_size, &q));
    CHECK_EQ(q.status, GNTST_okay);
    CHECK(q.nr_frames <= q.max_nr_frames && q.max_nr_frames >= 4);
    q.dom = 0x1234;
    CHECK_OK(OP(query_size, &q));
    CHECK_EQ(q.status, GNTST_bad_domain);
    CHECK_BAD_POINTERS(sizeof(q), -XEN_EFAULT, OP(query_size, bad));
}

TEST(setup_table)
{
    xen_pfn_t frame = 0;
    struct gnttab_setup_table s = { .dom = DOMID_SELF,
                                    .nr_frames = 1,
                                    .status = 99 };
    void *page = page_get();

    set_xen_guest_handle(s.frame_list, &frame);
    CHECK_OK(OP(setup_table, &s));
    REQUIRE(CHECK_EQ(s.status, GNTST_okay));
    REQUIRE(CHECK_OK(remap(page, PTE(frame, PTE_RW_FLAGS))));
    grants = page;
    CHECK_EQ(grants[REF(0)].flags, 0);
    /* The table's frames are the hypervisor's: never a page table. */
    CHECK_ERR(mmuext1(MMUEXT_PIN_L1_TABLE, frame, 0), ERR_IN_USE);
}

TEST(setup_table_bad)
{
    xen_pfn_t frame = 0;
    struct gnttab_setup_table s = { .dom = 0x1234, .nr_frames = 1 };

    set_xen_guest_handle(s.frame_list, &frame);
    CHECK_OK(OP(setup_table, &s));
    CHECK_EQ(s.status, GNTST_bad_domain);
    s.dom = DOMID_SELF;
    s.nr_frames = 100000;
    CHECK_OK(OP(setup_table, &s));
    CHECK_EQ(s.status, GNTST_general_error);
    s.nr_frames = 1;
    set_xen_guest_handle(s.frame_list, (xen_pfn_t *)UNMAPPED_VA);
    CHECK_OK(OP(setup_table, &s));
    CHECK_EQ(s.status, GNTST_bad_virt_addr);
    CHECK_BAD_POINTERS(sizeof(s), -XEN_EFAULT, OP(setup_table, bad));
}

/* Offers a page under a reference; flags such as GTF_readonly. */
static void grant(unsigned ref, const void *page, uint16_t flags)
{
    grants[ref].domid = own_id();
    grants[ref].frame = (u32)mfn_of(page);
    barrier();
    grants[ref].flags = GTF_permit_access | flags;
}

static struct gnttab_map_grant_ref map_ref(unsigned ref, const void *at,
                                           u32 flags)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = (u64)at, .flags = flags, .ref = ref, .dom = own_id(),
        .status = 99
    };

    CHECK_OK(OP(map_grant_ref, &m));
    return m;
}

static int unmap(const void *at, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref u = { .host_addr = (u64)at,
                                        .handle = handle,
                                        .status = 99 };

    CHECK_OK(OP(unmap_grant_ref, &u));
    return u.status;
}

TEST(map_writable)
{
    volatile u32 *page = page_get(), *window = unmapped_page();
    struct gnttab_map_grant_ref m;

    *page = 0x1111;
    grant(REF(0), (void *)page, 0);
    m = map_ref(REF(0), (void *)window, GNTMAP_host_map);
    REQUIRE(CHECK_EQ(m.status, GNTST_okay));
    CHECK_EQ(m.dev_bus_addr, maddr_of(page));
    CHECK_EQ(*window, 0x1111);
    CHECK_NO_FAULT(*window = 0x2222);
    CHECK_EQ(*page, 0x2222);
    CHECK_EQ(grants[REF(0)].flags & (GTF_reading | GTF_writing),
             GTF_reading | GTF_writing);
    /* While it is mapped, the page becomes no page table. */
    CHECK_OK(make_ro((void *)page));
    CHECK_ERR(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0), ERR_IN_USE);
    CHECK_EQ(unmap((void *)window, m.handle), GNTST_okay);
    CHECK_EQ(grants[REF(0)].flags & (GTF_reading | GTF_writing), 0);
    CHECK_FAULT(*window, VEC_PF);
    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0));
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(page), 0));
    grants[REF(0)].flags = 0;
}

TEST(map_read_only)
{
    volatile u32 *page = page_get(), *window = unmapped_page();
    struct gnttab_map_grant_ref m;

    grant(REF(1), (void *)page, GTF_readonly);
    m = map_ref(REF(1), (void *)window, GNTMAP_host_map);
    CHECK_EQ(m.status, GNTST_general_error);
    m = map_ref(REF(1), (void *)window, GNTMAP_host_map | GNTMAP_readonly);
    REQUIRE(CHECK_EQ(m.status, GNTST_okay));
    CHECK_NO_FAULT((void)*window);
    CHECK_FAULT(*window = 1, VEC_PF);
    CHECK_EQ(grants[REF(1)].flags & (GTF_reading | GTF_writing), GTF_reading);
    CHECK_EQ(unmap((void *)window, m.handle), GNTST_okay);
    grants[REF(1)].flags = 0;
}

/* The entry's machine address in place of a linear one, as Linux has it. */
TEST(map_by_entry)
{
    volatile u32 *page = page_get(), *window = unmapped_page();
    void *entry = (void *)pte_maddr((ulong)window, 1);
    struct gnttab_map_grant_ref m;

    *page = 0x3333;
    grant(REF(2), (void *)page, 0);
    m = map_ref(REF(2), entry, GNTMAP_host_map | GNTMAP_contains_pte);
    REQUIRE(CHECK_EQ(m.status, GNTST_okay));
    CHECK_EQ(*window, 0x3333);
    CHECK_EQ(unmap(entry, m.handle), GNTST_okay);
    CHECK_EQ(*pte_of((ulong)window, 1), 0);
    grants[REF(2)].flags = 0;
}

TEST(map_twice)
{
    volatile u32 *page = page_get(), *a = unmapped_page();
    volatile u32 *b = unmapped_page();
    struct gnttab_map_grant_ref m, n;

    grant(REF(3), (void *)page, 0);
    m = map_ref(REF(3), (void *)a, GNTMAP_host_map);
    n = map_ref(REF(3), (void *)b, GNTMAP_host_map | GNTMAP_readonly);
    CHECK_EQ(m.status, GNTST_okay);
    CHECK_EQ(n.status, GNTST_okay);
    CHECK(m.handle != n.handle);
    CHECK_EQ(unmap((void *)a, m.handle), GNTST_okay);
    CHECK_EQ(grants[REF(3)].flags & (GTF_reading | GTF_writing), GTF_reading);
    CHECK_EQ(unmap((void *)b, n.handle), GNTST_okay);
    CHECK_EQ(grants[REF(3)].flags & (GTF_reading | GTF_writing), 0);
    grants[REF(3)].flags = 0;
}

/* A handle takes away a mapping of its own kind, not the other handle's. */
TEST(unmap_of_the_other_kind)
{
    volatile u32 *page = page_get(), *rw = unmapped_page();
    volatile u32 *ro = unmapped_page();
    struct gnttab_map_grant_ref m, n;

    if (on_reference)
        SKIP("the reference only logs that the kinds differ");
    grant(REF(3), (void *)page, 0);
    m = map_ref(REF(3), (void *)rw, GNTMAP_host_map);
    n = map_ref(REF(3), (void *)ro, GNTMAP_host_map | GNTMAP_readonly);
    CHECK_EQ(unmap((void *)ro, m.handle), GNTST_general_error);
    CHECK_EQ(unmap((void *)rw, n.handle), GNTST_general_error);
    CHECK_EQ(grants[REF(3)].flags & (GTF_reading | GTF_writing),
             GTF_reading | GTF_writing);
    CHECK_EQ(unmap((void *)rw, m.handle), GNTST_okay);
    CHECK_EQ(unmap((void *)ro, n.handle), GNTST_okay);
    grants[REF(3)].flags = 0;
}

TEST(map_bad)
{
    void *page = page_get(), *window = unmapped_page();
    struct gnttab_map_grant_ref m = { .host_addr = (u64)window,
                                      .flags = GNTMAP_host_map,
                                      .ref = REF(4),
                                      .dom = 0x1234 };

    CHECK_OK(OP(map_grant_ref, &m));
    CHECK_EQ(m.status, GNTST_bad_domain);
    /* Nothing granted; a number beyond the table. */
    CHECK_EQ(map_ref(REF(4), window, GNTMAP_host_map).status,
             GNTST_general_error);
    CHECK_EQ(map_ref(1000000, window, GNTMAP_host_map).status,
             GNTST_bad_gntref);
    grant(REF(4), page, 0);
    CHECK_EQ(map_ref(REF(4), window, 0).status, GNTST_bad_gntref);
    /* Granted to somebody else. */
    grants[REF(4)].domid = 7;
    CHECK_EQ(map_ref(REF(4), window, GNTMAP_host_map).status,
             GNTST_general_error);
    grants[REF(4)].domid = 0;
    CHECK_EQ(map_ref(REF(4), (void *)HYPERVISOR_VA, GNTMAP_host_map).status,
             GNTST_general_error);
    CHECK_EQ(map_ref(REF(4), (void *)UNMAPPED_VA, GNTMAP_host_map).status,
             GNTST_general_error);
    CHECK_EQ(grants[REF(4)].flags & (GTF_reading | GTF_writing), 0);
    grants[REF(4)].flags = 0;
    CHECK_BAD_POINTERS(sizeof(m), -XEN_EFAULT, OP(map_grant_ref, bad));
}

/* What is granted must be the granter's, and no table if it is writable. */
TEST(map_of_what_may_not_be_granted)
{
    void *window = unmapped_page();
    ulong root = mfn_of((void *)start_info->pt_base);

    grant(REF(5), page_get(), 0);
    grants[REF(5)].frame = (u32)mfn_not_ours();
    CHECK_EQ(map_ref(REF(5), window, GNTMAP_host_map).status, GNTST_bad_page);
    grants[REF(5)].frame = ~0u;
    CHECK_EQ(map_ref(REF(5), window, GNTMAP_host_map).status, GNTST_bad_page);
    grants[REF(5)].frame = (u32)root;
    CHECK_EQ(map_ref(REF(5), window, GNTMAP_host_map).status,
             GNTST_general_error);
    grants[REF(5)].flags = 0;
}

TEST(unmap_bad)
{
    void *page = page_get(), *window = unmapped_page();
    struct gnttab_map_grant_ref m;

    CHECK_EQ(unmap(window, 12345), GNTST_bad_handle);
    CHECK_EQ(unmap(window, ~0u), GNTST_bad_handle);
    grant(REF(6), page, 0);
    m = map_ref(REF(6), window, GNTMAP_host_map);
    REQUIRE(CHECK_EQ(m.status, GNTST_okay));
    CHECK_EQ(unmap(page_get(), m.handle), GNTST_general_error);
    CHECK_EQ(unmap(window, m.handle), GNTST_okay);
    CHECK_EQ(unmap(window, m.handle), GNTST_bad_handle);
    grants[REF(6)].flags = 0;
    CHECK_BAD_POINTERS(sizeof(struct gnttab_unmap_grant_ref), -XEN_EFAULT,
                       OP(unmap_grant_ref, bad));
}

TEST(unmap_and_replace)
{
    volatile u32 *page = page_get(), *window = unmapped_page();
    volatile u32 *spare = page_get();
    struct gnttab_unmap_and_replace u = { .host_addr = (u64)window,
                                          .new_addr = (u64)spare };
    struct gnttab_map_grant_ref m;

    *spare = 0x5555;
    grant(REF(7), (void *)page, 0);
    m = map_ref(REF(7), (void *)window, GNTMAP_host_map);
    REQUIRE(CHECK_EQ(m.status, GNTST_okay));
    u.handle = m.handle;
    CHECK_OK(OP(unmap_and_replace, &u));
    CHECK_EQ(u.status, GNTST_okay);
    /* The spare's mapping has moved over. */
    CHECK_EQ(*window, 0x5555);
    CHECK_FAULT(*spare, VEC_PF);
    grants[REF(7)].flags = 0;
    u.handle = 12345;
    CHECK_OK(OP(unmap_and_replace, &u));
    CHECK_EQ(u.status, GNTST_bad_handle);
    CHECK_BAD_POINTERS(sizeof(u), -XEN_EFAULT, OP(unmap_and_replace, bad));
}

/* A copy between two frames of ours, as whole numbers of bytes. */
static struct gnttab_copy copy_of(const void *from, void *to, unsigned len)
{
    struct gnttab_copy c = { .len = (uint16_t)len, .status = 99 };

    c.source.u.gmfn = mfn_of(from);
    c.source.domid = DOMID_SELF;
    c.source.offset = (uint16_t)((ulong)from % PAGE_SIZE);
    c.dest.u.gmfn = mfn_of(to);
    c.dest.domid = DOMID_SELF;
    c.dest.offset = (uint16_t)((ulong)to % PAGE_SIZE);
    return c;
}

TEST(copy)
{
    char *from = page_get(), *to = page_get();
    struct gnttab_copy c;

    memset(from, 0x77, PAGE_SIZE);
    c = copy_of(from + 100, to + 200, 300);
    CHECK_OK(OP(copy, &c));
    CHECK_EQ(c.status, GNTST_okay);
    CHECK_EQ(to[199], 0);
    CHECK_EQ(to[200], 0x77);
    CHECK_EQ(to[499], 0x77);
    CHECK_EQ(to[500], 0);
}

TEST(copy_from_grant)
{
    char *from = page_get(), *to = page_get();
    struct gnttab_copy c = copy_of(from, to, 16);

    memset(from, 0x66, 32);
    grant(REF(8), from, GTF_readonly);
    c.source.u.ref = REF(8);
    c.source.domid = own_id();
    c.flags = GNTCOPY_source_gref;
    CHECK_OK(OP(copy, &c));
    CHECK_EQ(c.status, GNTST_okay);
    CHECK_EQ(to[15], 0x66);
    CHECK_EQ(to[16], 0);
    /* Into a read-only grant. */
    c = copy_of(to, from, 16);
    c.dest.u.ref = REF(8);
    c.dest.domid = own_id();
    c.flags = GNTCOPY_dest_gref;
    CHECK_OK(OP(copy, &c));
    CHECK_EQ(c.status, GNTST_general_error);
    grants[REF(8)].flags = 0;
    CHECK_OK(OP(copy, &c));
    CHECK_EQ(c.status, GNTST_general_error);
}

TEST(copy_bad)
{
    char *from = page_get(), *to = page_get();
    struct gnttab_copy c = copy_of(from + 4000, to, 200);

    CHECK_OK(OP(copy, &c));
    CHECK_EQ(c.status, GNTST_bad_copy_arg);
    c = copy_of(from, to + 4000, 200);
    CHECK_OK(OP(copy, &c));
    CHECK_EQ(c.status, GNTST_bad_copy_arg);
    c = copy_of(from, to, 16);
    c.source.domid = 0x1234;
    CHECK_OK(OP(copy, &c));
    CHECK_EQ(c.status, GNTST_bad_domain);
    c = copy_of(from, to, 16);
    c.source.u.gmfn = mfn_not_ours();
    CHECK_OK(OP(copy, &c));
    CHECK_EQ(c.status, GNTST_bad_page);
    CHECK_BAD_POINTERS(sizeof(c), -XEN_EFAULT, OP(copy, bad));
}

/* A copy is no way into a page table. */
TEST(copy_into_table)
{
    char *from = page_get();
    u64 *l1 = table_empty();
    struct gnttab_copy c = copy_of(from, l1, 16);

    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
    memset(from, 0x77, 16);
    CHECK_OK(OP(copy, &c));
    CHECK(c.status != GNTST_okay);
    CHECK_EQ(l1[0], 0);
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0));
}

/* A failed entry stops nothing; each has its own status. */
TEST(copy_batch)
{
    char *from = page_get(), *to = page_get();
    struct gnttab_copy c[3];

    memset(from, 0x44, 16);
    for (unsigned i = 0; i < 3; i++)
        c[i] = copy_of(from, to + i * 16, 16);
    c[1].len = 5000;
    CHECK_OK(hc_grant_table_op(GNTTABOP_copy, c, 3));
    CHECK_EQ(c[0].status, GNTST_okay);
    CHECK_EQ(c[1].status, GNTST_bad_copy_arg);
    CHECK_EQ(c[2].status, GNTST_okay);
    CHECK_EQ(to[32], 0x44);
    CHECK_OK(hc_grant_table_op(GNTTABOP_copy, c, 0));
}

TEST(transfer_bad)
{
    void *page = page_get();
    struct gnttab_transfer t = { .mfn = mfn_of(page), .domid = 0x1234 };

    /* Mapped by us, it cannot go; unmapped, it has nowhere to go. */
    CHECK_OK(OP(transfer, &t));
    CHECK_EQ(t.status, GNTST_bad_page);
    CHECK_OK(remap(page, 0));
    CHECK_OK(OP(transfer, &t));
    CHECK_EQ(t.status, GNTST_bad_domain);
    t.mfn = mfn_not_ours();
    CHECK_OK(OP(transfer, &t));
    CHECK_EQ(t.status, GNTST_bad_page);
    CHECK_BAD_POINTERS(sizeof(t), -XEN_EFAULT, OP(transfer, bad));
}

TEST(get_version)
{
    struct gnttab_get_version v = { .dom = DOMID_SELF, .version = 99 };

    CHECK_OK(OP(get_version, &v));
    CHECK_EQ(v.version, 1);
    v.dom = 0x1234;
    CHECK_ERR(OP(get_version, &v), -XEN_ESRCH);
    CHECK_BAD_POINTERS(sizeof(v), -XEN_EFAULT, OP(get_version, bad));
}

TEST(swap_references)
{
    void *page = page_get();
    struct gnttab_swap_grant_ref s = { .ref_a = REF(9), .ref_b = REF(10) };

    grant(REF(9), page, 0);
    CHECK_OK(OP(swap_grant_ref, &s));
    CHECK_EQ(s.status, GNTST_okay);
    CHECK_EQ(grants[REF(9)].flags, 0);
    CHECK_EQ(grants[REF(10)].frame, mfn_of(page));
    grants[REF(10)].flags = 0;
    s.ref_b = 1000000;
    CHECK_OK(OP(swap_grant_ref, &s));
    CHECK_EQ(s.status, GNTST_bad_gntref);
    CHECK_BAD_POINTERS(sizeof(s), -XEN_EFAULT, OP(swap_grant_ref, bad));
}

TEST(status_frames_of_version_1)
{
    u64 frame = 0;
    struct gnttab_get_status_frames s = { .dom = DOMID_SELF,
                                          .nr_frames = 1,
                                          .status = 99 };

    set_xen_guest_handle(s.frame_list, &frame);
    CHECK_OK(OP(get_status_frames, &s));
    CHECK_EQ(s.status, GNTST_general_error);
    s.dom = 0x1234;
    CHECK_OK(OP(get_status_frames, &s));
    CHECK_EQ(s.status, GNTST_bad_domain);
    CHECK_BAD_POINTERS(sizeof(s), -XEN_EFAULT, OP(get_status_frames, bad));
}

TEST(set_version)
{
    struct gnttab_set_version v = { .version = 3 };
    struct gnttab_get_version g = { .dom = DOMID_SELF };
    struct gnttab_get_status_frames s = { .dom = DOMID_SELF,
                                          .nr_frames = 1,
                                          .status = 99 };
    u64 frame = 0;

    CHECK_ERR(OP(set_version, &v), -XEN_EINVAL);
    v.version = 2;
    if (OP(set_version, &v) == -XEN_ENOSYS)
        SKIP("only version 1 of the table is offered");
    CHECK_OK(OP(get_version, &g));
    CHECK_EQ(g.version, 2);
    set_xen_guest_handle(s.frame_list, &frame);
    CHECK_OK(OP(get_status_frames, &s));
    CHECK_EQ(s.status, GNTST_okay);
    CHECK(frame != 0);
    v.version = 1;
    CHECK_OK(OP(set_version, &v));
    CHECK_BAD_POINTERS(sizeof(v), -XEN_EFAULT, OP(set_version, bad));
}

/* Caches need no flushing on this machine: done, or not offered. */
TEST(cache_flush)
{
    struct gnttab_cache_flush f = { .op = GNTTAB_CACHE_CLEAN, .length = 64 };
    long rc;

    f.a.dev_bus_addr = maddr_of(page_get());
    rc = OP(cache_flush, &f);
    CHECK(rc == 0 || rc == -XEN_EOPNOTSUPP || rc == -XEN_ENOSYS);
}

TEST(grant_table_op_unknown)
{
    CHECK_ERR(hc_grant_table_op(13, NULL, 0), -XEN_ENOSYS);
    CHECK_ERR(hc_grant_table_op(99, NULL, 0), -XEN_ENOSYS);
}

TEST(grant_table_op_count)
{
    struct gnttab_query_size q = { .dom = DOMID_SELF };

    CHECK_ERR(hc_grant_table_op(GNTTABOP_query_size, &q, 2), -XEN_EINVAL);
    CHECK_ERR(hc_grant_table_op(GNTTABOP_query_size, &q, 0x80000000),
              -XEN_EINVAL);
}
