/* SPDX-License-Identifier: GPL-2.0-only */
/* memory_op: every sub-operation of <xen/memory.h>. */
#include "guest.h"

static long reservation(u32 cmd, xen_pfn_t *frames, ulong n, unsigned order,
                        domid_t domid)
{
    struct xen_memory_reservation r = { .nr_extents = n,
                                        .extent_order = order,
                                        .domid = domid };

    set_xen_guest_handle(r.extent_start, frames);
    return hc_memory_op(cmd, &r);
}

static long reservation_now(void)
{
    domid_t self = DOMID_SELF;
    return hc_memory_op(XENMEM_current_reservation, &self);
}

/* A frame that the first tables do not map; each call another. */
static ulong unmapped_pfn(void)
{
    static ulong pfn;

    if (!pfn)
        pfn = start_info->nr_pages;
    return --pfn;
}

TEST(maximum_ram_page)
{
    long top = hc_memory_op(XENMEM_maximum_ram_page, NULL);

    CHECK(top > 0x1f000 && top <= 0x20000);
}

TEST(current_reservation)
{
    CHECK_EQ(reservation_now(), start_info->nr_pages);
}

TEST(maximum_reservation)
{
    domid_t self = DOMID_SELF;

    CHECK(hc_memory_op(XENMEM_maximum_reservation, &self) >=
          (long)start_info->nr_pages);
}

/* For a paravirtual domain: what its kernel says in the shared page. */
TEST(maximum_gpfn)
{
    domid_t self = DOMID_SELF;

    shared_info->arch.max_pfn = 0x8000;
    CHECK_EQ(hc_memory_op(XENMEM_maximum_gpfn, &self), 0x7fff);
}

TEST(reservation_queries_bad)
{
    static const u32 cmds[] = { XENMEM_current_reservation,
                                XENMEM_maximum_reservation,
                                XENMEM_maximum_gpfn };
    domid_t nobody = 0x1234, own = own_id();

    for (unsigned i = 0; i < ARRAY_SIZE(cmds); i++) {
        CHECK_BAD_POINTERS(sizeof(domid_t), -XEN_EFAULT,
                           hc_memory_op(cmds[i], bad));
        CHECK_ERR(hc_memory_op(cmds[i], &nobody), -XEN_ESRCH);
        CHECK(hc_memory_op(cmds[i], &own) > 0);
    }
}

TEST(decrease_and_populate)
{
    ulong pfn = unmapped_pfn();
    xen_pfn_t frame = p2m()[pfn], gone = frame;
    long before = reservation_now();

    CHECK_EQ(reservation(XENMEM_decrease_reservation, &frame, 1, 0, DOMID_SELF),
             1);
    CHECK_EQ(reservation_now(), before - 1);
    /* Once more: it is not ours any longer. */
    CHECK_EQ(reservation(XENMEM_decrease_reservation, &gone, 1, 0, DOMID_SELF),
             0);
    frame = pfn;
    REQUIRE(
        CHECK_EQ(reservation(XENMEM_populate_physmap, &frame, 1, 0, DOMID_SELF),
                 1));
    CHECK_EQ(reservation_now(), before);
    CHECK_EQ(m2p(frame), pfn);
    p2m()[pfn] = frame;
}

TEST(increase_reservation)
{
    xen_pfn_t frames[2] = { 0, 0 };
    long before = reservation_now();

    CHECK_EQ(reservation(XENMEM_increase_reservation, frames, 2, 0, DOMID_SELF),
             2);
    CHECK(frames[0] && frames[1] && frames[0] != frames[1]);
    CHECK_EQ(reservation_now(), before + 2);
    CHECK_EQ(reservation(XENMEM_decrease_reservation, frames, 2, 0, DOMID_SELF),
             2);
    CHECK_EQ(reservation_now(), before);
}

TEST(increase_reservation_of_an_extent)
{
    xen_pfn_t frame = 0;

    CHECK_EQ(reservation(XENMEM_increase_reservation, &frame, 1, 4, DOMID_SELF),
             1);
    CHECK_EQ(frame % 16, 0);
    CHECK_EQ(reservation(XENMEM_decrease_reservation, &frame, 1, 4, DOMID_SELF),
             1);
}

TEST(reservation_count_of_zero)
{
    for (u32 cmd = 0; cmd < 2; cmd++)
        CHECK_EQ(reservation(cmd, NULL, 0, 0, DOMID_SELF), 0);
    CHECK_EQ(reservation(XENMEM_populate_physmap, NULL, 0, 0, DOMID_SELF), 0);
}

static const u32 reservation_cmds[] = { XENMEM_increase_reservation,
                                        XENMEM_decrease_reservation,
                                        XENMEM_populate_physmap };

TEST(reservation_bad_argument)
{
    for (unsigned i = 0; i < ARRAY_SIZE(reservation_cmds); i++) {
        u32 cmd = reservation_cmds[i];

        /* No errno: the answer is how many extents were done. */
        CHECK_BAD_POINTERS(sizeof(struct xen_memory_reservation), 0,
                           hc_memory_op(cmd, bad));
        CHECK_EQ(reservation(cmd, NULL, 1, 0, 0x1234), 0);
    }
}

/* The list of extents itself: nothing may be allocated for nothing. */
TEST(reservation_bad_list)
{
    long before = reservation_now();

    CHECK_BAD_POINTERS(8, 0,
                       reservation(XENMEM_decrease_reservation, bad, 1, 0,
                                   DOMID_SELF));
    CHECK_BAD_POINTERS(8, 0,
                       reservation(XENMEM_populate_physmap, bad, 1, 0,
                                   DOMID_SELF));
    CHECK_EQ(reservation_now(), before);
}

TEST(reservation_order_too_large)
{
    xen_pfn_t frame = unmapped_pfn();

    for (unsigned i = 0; i < ARRAY_SIZE(reservation_cmds); i++) {
        CHECK_EQ(reservation(reservation_cmds[i], &frame, 1, 40, DOMID_SELF),
                 0);
    }
}

TEST(reservation_count_too_large)
{
    for (unsigned i = 0; i < ARRAY_SIZE(reservation_cmds); i++) {
        CHECK_EQ(reservation(reservation_cmds[i], NULL, ~0UL, 0, DOMID_SELF),
                 0);
    }
}

TEST(decrease_of_what_is_not_ours)
{
    xen_pfn_t frames[3] = { mfn_not_ours(), ~0UL, 0x000fffffffffffff };
    long before = reservation_now();

    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        CHECK_EQ(reservation(XENMEM_decrease_reservation, &frames[i], 1, 0,
                             DOMID_SELF),
                 0);
    }
    CHECK_EQ(reservation_now(), before);
}

struct exchange_case {
    xen_pfn_t in[4], out[4];
    struct xen_memory_exchange x;
};

static void exchange_setup(struct exchange_case *c, ulong in, ulong out,
                           unsigned in_order, unsigned out_order)
{
    memset(c, 0, sizeof(*c));
    c->x.in.nr_extents = in;
    c->x.in.extent_order = in_order;
    c->x.in.domid = DOMID_SELF;
    c->x.out.nr_extents = out;
    c->x.out.extent_order = out_order;
    c->x.out.domid = DOMID_SELF;
    set_xen_guest_handle(c->x.in.extent_start, c->in);
    set_xen_guest_handle(c->x.out.extent_start, c->out);
}

TEST(exchange_one)
{
    struct exchange_case c;
    ulong pfn = unmapped_pfn();

    exchange_setup(&c, 1, 1, 0, 0);
    c.in[0] = p2m()[pfn];
    c.out[0] = pfn;
    REQUIRE(CHECK_OK(hc_memory_op(XENMEM_exchange, &c.x)));
    CHECK_EQ(c.x.nr_exchanged, 1);
    CHECK_EQ(m2p(c.out[0]), pfn);
    p2m()[pfn] = c.out[0];
}

/*
 * A read-only mapping, taken away without a flush: the frame is somebody
 * else's after the exchange, and must not be seen through an old translation.
 */
TEST(exchange_leaves_no_translation)
{
    struct exchange_case c;
    ulong pfn = unmapped_pfn(), va = SCRATCH_VA + 0x7000;

    exchange_setup(&c, 1, 1, 0, 0);
    c.in[0] = p2m()[pfn];
    c.out[0] = pfn;
    REQUIRE(CHECK_OK(map_at(va, PTE(c.in[0], PTE_RO_FLAGS))));
    CHECK_NO_FAULT(*(volatile char *)va);
    REQUIRE(CHECK_OK(hc_update_va_mapping(va, 0, UVMF_NONE)));
    REQUIRE(CHECK_OK(hc_memory_op(XENMEM_exchange, &c.x)));
    CHECK_FAULT(*(volatile char *)va,
                DIFFERS(VEC_PF, NO_FAULT, "flushed now, not at its next use"));
    p2m()[pfn] = c.out[0];
}

/* Four loose pages for four in a row, as a driver's buffer needs. */
TEST(exchange_for_contiguous)
{
    struct exchange_case c;
    ulong pfn = 0;

    exchange_setup(&c, 4, 1, 0, 2);
    for (unsigned i = 4; i-- > 0;) {
        pfn = unmapped_pfn();
        c.in[i] = p2m()[pfn];
    }
    c.out[0] = pfn;
    REQUIRE(CHECK_OK(hc_memory_op(XENMEM_exchange, &c.x)));
    CHECK_EQ(c.x.nr_exchanged, 4);
    CHECK_EQ(c.out[0] % 4, 0);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(m2p(c.out[0] + i), pfn + i);
        p2m()[pfn + i] = c.out[0] + i;
    }
}

TEST(exchange_address_bits)
{
    struct exchange_case c;
    ulong pfn = unmapped_pfn();

    exchange_setup(&c, 1, 1, 0, 0);
    c.x.out.mem_flags = XENMEMF_address_bits(24);
    c.in[0] = p2m()[pfn];
    c.out[0] = pfn;
    if (hc_memory_op(XENMEM_exchange, &c.x) == -XEN_ENOMEM)
        SKIP("no free memory below 16 MiB");
    CHECK_EQ(c.x.nr_exchanged, 1);
    CHECK(c.out[0] < 0x1000);
    p2m()[pfn] = c.out[0];
}

TEST(exchange_bad)
{
    struct exchange_case c;
    ulong pfn = unmapped_pfn();

    exchange_setup(&c, 1, 2, 0, 0); /* sizes differ */
    CHECK_ERR(hc_memory_op(XENMEM_exchange, &c.x), -XEN_EINVAL);
    exchange_setup(&c, 1, 1, 0, 0);
    c.x.nr_exchanged = 2; /* more than there are */
    CHECK_ERR(hc_memory_op(XENMEM_exchange, &c.x), -XEN_EINVAL);
    exchange_setup(&c, 1, 1, 40, 40);
    CHECK_ERR(hc_memory_op(XENMEM_exchange, &c.x), -XEN_EPERM);
    exchange_setup(&c, 1, 1, 0, 0);
    c.x.in.domid = c.x.out.domid = 0x1234;
    CHECK_ERR(hc_memory_op(XENMEM_exchange, &c.x), -XEN_ESRCH);
    exchange_setup(&c, 1, 1, 0, 0);
    c.x.in.domid = 0x1234; /* not out's */
    CHECK_ERR(hc_memory_op(XENMEM_exchange, &c.x), -XEN_EINVAL);
    exchange_setup(&c, 1, 1, 0, 0);
    c.in[0] = mfn_not_ours();
    c.out[0] = pfn;
    CHECK_ERR(hc_memory_op(XENMEM_exchange, &c.x), -XEN_EINVAL);
    CHECK_EQ(c.x.nr_exchanged, 0);
}

TEST(exchange_bad_pointers)
{
    struct exchange_case c;

    CHECK_BAD_POINTERS(sizeof(c.x), -XEN_EFAULT,
                       hc_memory_op(XENMEM_exchange, bad));
    exchange_setup(&c, 1, 1, 0, 0);
    set_xen_guest_handle(c.x.in.extent_start, (xen_pfn_t *)UNMAPPED_VA);
    CHECK_ERR(hc_memory_op(XENMEM_exchange, &c.x), -XEN_EFAULT);
}

/* A table in use is not given away behind its users' backs. */
TEST(exchange_of_table)
{
    struct exchange_case c;
    u64 *l1 = table_empty();

    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
    exchange_setup(&c, 1, 1, 0, 0);
    c.in[0] = mfn_of(l1);
    c.out[0] = pfn_of(l1);
    CHECK_ERR(hc_memory_op(XENMEM_exchange, &c.x), -XEN_EINVAL);
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0));
}

struct map_entry {
    u64 addr, size;
    u32 type;
} __attribute__((packed));

TEST(memory_map)
{
    struct map_entry map[32];
    struct xen_memory_map m = { .nr_entries = ARRAY_SIZE(map) };

    FOR_DOMAIN_0();
    set_xen_guest_handle_raw(m.buffer, (void *)map);
    CHECK_OK(hc_memory_op(XENMEM_machine_memory_map, &m));
    CHECK(m.nr_entries >= 2 && m.nr_entries <= 32);
    CHECK_EQ(map[0].addr, 0);
    CHECK_EQ(map[0].type, 1);
}

/* Domain 0 has no map of its own unless somebody gives it one. */
TEST(memory_map_of_domain)
{
    struct map_entry map[32];
    struct xen_memory_map m = { .nr_entries = ARRAY_SIZE(map) };

    set_xen_guest_handle_raw(m.buffer, (void *)map);
    CHECK_ERR(hc_memory_op(XENMEM_memory_map, &m), -XEN_ENOSYS);
}

TEST(memory_map_bad)
{
    struct map_entry map[32];
    struct xen_memory_map m = { .nr_entries = ARRAY_SIZE(map) };

    FOR_DOMAIN_0();
    CHECK_BAD_POINTERS(sizeof(m), -XEN_EFAULT,
                       hc_memory_op(XENMEM_machine_memory_map, bad));
    CHECK_BAD_POINTERS(sizeof(m), -XEN_EFAULT,
                       hc_memory_op(XENMEM_set_memory_map, bad));
    set_xen_guest_handle_raw(m.buffer, (void *)UNMAPPED_VA);
    CHECK_ERR(hc_memory_op(XENMEM_machine_memory_map, &m), -XEN_EFAULT);
    /* No room for all of it. */
    m.nr_entries = 1;
    set_xen_guest_handle_raw(m.buffer, (void *)map);
    CHECK_ERR(hc_memory_op(XENMEM_machine_memory_map, &m), -XEN_EINVAL);
}

TEST(machphys_mapping)
{
    struct xen_machphys_mapping m = { 0 };

    CHECK_OK(hc_memory_op(XENMEM_machphys_mapping, &m));
    CHECK_EQ(m.v_start, HYPERVISOR_VIRT_START);
    CHECK(m.v_end > m.v_start && m.v_end <= MACH2PHYS_VIRT_END);
    CHECK((long)m.max_mfn >= hc_memory_op(XENMEM_maximum_ram_page, NULL) - 1);
    CHECK_BAD_POINTERS(sizeof(m), -XEN_EFAULT,
                       hc_memory_op(XENMEM_machphys_mapping, bad));
}

TEST(machphys_mfn_list)
{
    xen_pfn_t frames[4] = { 0 };
    struct xen_machphys_mfn_list l = { .max_extents = 4 };

    set_xen_guest_handle(l.extent_start, frames);
    CHECK_OK(hc_memory_op(XENMEM_machphys_mfn_list, &l));
    CHECK(l.nr_extents >= 1 && l.nr_extents <= 4);
    CHECK(frames[0] != 0);
    CHECK_BAD_POINTERS(sizeof(l), -XEN_EFAULT,
                       hc_memory_op(XENMEM_machphys_mfn_list, bad));
    set_xen_guest_handle(l.extent_start, (xen_pfn_t *)UNMAPPED_VA);
    CHECK_ERR(hc_memory_op(XENMEM_machphys_mfn_list, &l), -XEN_EFAULT);
    l.max_extents = 0;
    CHECK_OK(hc_memory_op(XENMEM_machphys_mfn_list, &l));
    CHECK_EQ(l.nr_extents, 0);
}

/* The frames that the list names can be mapped, by domain 0, to be read. */
TEST(machphys_frames_mapped)
{
    xen_pfn_t first = 0;
    struct xen_machphys_mfn_list l = { .max_extents = 1 };
    struct mmu_update u;
    ulong n = mfn_of(&first) % (256 * 1024); /* in the first 2 MiB */
    volatile u64 *page = page_get();

    set_xen_guest_handle(l.extent_start, &first);
    CHECK_OK(hc_memory_op(XENMEM_machphys_mfn_list, &l));
    u.ptr = pte_maddr((ulong)page, 1);
    u.val = PTE(first + n / 512, PTE_RO_FLAGS);
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, DOMID_SELF), ERR_NOT_OURS);
    if (!is_initdomain()) {
        CHECK_ERR(hc_mmu_update(&u, 1, NULL, DOMID_XEN), -XEN_EPERM);
        return;
    }
    CHECK_OK(hc_mmu_update(&u, 1, NULL, DOMID_XEN));
    CHECK_OK(mmuext1(MMUEXT_INVLPG_LOCAL, (ulong)page, 0));
    CHECK_EQ(page[n % 512], m2p(n));
    u.val = PTE(first + 511, PTE_RO_FLAGS);
    CHECK_OK(hc_mmu_update(&u, 1, NULL, DOMID_XEN));
    /* Never to be written; nothing else of the hypervisor's; no more of it. */
    u.val = PTE(first, PTE_RW_FLAGS);
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, DOMID_XEN), ERR_NOT_OURS);
    u.val = PTE(first - 1, PTE_RO_FLAGS);
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, DOMID_XEN), ERR_NOT_OURS);
    u.val = PTE(first + l.nr_extents * 512UL * 64, PTE_RO_FLAGS);
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, DOMID_XEN),
              DIFFERS(-XEN_EINVAL, -XEN_EPERM, "one errno for all of these"));
    u.ptr = maddr_of(&first) | MMU_MACHPHYS_UPDATE;
    u.val = 0;
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, DOMID_XEN), -XEN_EINVAL);
    CHECK_ERR(hc_update_va_mapping_otherdomain(
                  (ulong)page, PTE(first, PTE_RW_FLAGS), UVMF_INVLPG,
                  DOMID_XEN),
              ERR_NOT_OURS);
    CHECK_OK(hc_update_va_mapping_otherdomain(
        (ulong)page, PTE(first, PTE_RO_FLAGS), UVMF_INVLPG, DOMID_XEN));
    CHECK_OK(remap(page, 0));
}

/* Only translated domains have such a map; ours is the list of frames. */
TEST(physmap_ops_are_not_ours)
{
    struct xen_add_to_physmap add = { .domid = DOMID_SELF,
                                      .space = XENMAPSPACE_shared_info };
    struct xen_remove_from_physmap rem = { .domid = DOMID_SELF };

    CHECK_ERR(hc_memory_op(XENMEM_add_to_physmap, &add), -XEN_EACCES);
    CHECK_ERR(hc_memory_op(XENMEM_remove_from_physmap, &rem), -XEN_EACCES);
    add.domid = rem.domid = 0x1234;
    CHECK_ERR(hc_memory_op(XENMEM_add_to_physmap, &add), -XEN_ESRCH);
    CHECK_ERR(hc_memory_op(XENMEM_remove_from_physmap, &rem), -XEN_ESRCH);
    CHECK_BAD_POINTERS(sizeof(add), -XEN_EFAULT,
                       hc_memory_op(XENMEM_add_to_physmap, bad));
    CHECK_BAD_POINTERS(sizeof(struct xen_add_to_physmap_batch), -XEN_EFAULT,
                       hc_memory_op(XENMEM_add_to_physmap_batch, bad));
    CHECK_BAD_POINTERS(sizeof(rem), -XEN_EFAULT,
                       hc_memory_op(XENMEM_remove_from_physmap, bad));
}

TEST(claim_pages)
{
    FOR_DOMAIN_0();
    CHECK_OK(reservation(XENMEM_claim_pages, NULL, 0, 0, 0));
    CHECK_ERR(reservation(XENMEM_claim_pages, NULL, 1, 1, 0), -XEN_EINVAL);
    /* The domain is named by number, and a wrong one is bad input. */
    CHECK_ERR(reservation(XENMEM_claim_pages, NULL, 0, 0, DOMID_SELF),
              -XEN_EINVAL);
    CHECK_ERR(reservation(XENMEM_claim_pages, NULL, 1, 0, 0x1234), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(struct xen_memory_reservation), -XEN_EFAULT,
                       hc_memory_op(XENMEM_claim_pages, bad));
}

TEST(sharing_counters)
{
    CHECK_EQ(hc_memory_op(XENMEM_get_sharing_freed_pages, NULL), 0);
    CHECK_EQ(hc_memory_op(XENMEM_get_sharing_shared_pages, NULL), 0);
}

TEST(virtual_numa_is_absent)
{
    struct xen_vnuma_topology_info info = { .domid = DOMID_SELF };

    CHECK_ERR(hc_memory_op(XENMEM_get_vnumainfo, &info), -XEN_EOPNOTSUPP);
    info.domid = 0x1234;
    CHECK_ERR(hc_memory_op(XENMEM_get_vnumainfo, &info), -XEN_ESRCH);
    CHECK_BAD_POINTERS(sizeof(info), -XEN_EFAULT,
                       hc_memory_op(XENMEM_get_vnumainfo, bad));
}

TEST(acquire_resource_bad)
{
    struct xen_mem_acquire_resource r = { .domid = 0x1234,
                                          .type = XENMEM_resource_grant_table };

    CHECK_ERR(hc_memory_op(XENMEM_acquire_resource, &r), -XEN_ESRCH);
    r.domid = DOMID_SELF;
    CHECK_ERR(hc_memory_op(XENMEM_acquire_resource, &r), -XEN_ESRCH);
    r.pad = 1;
    CHECK_ERR(hc_memory_op(XENMEM_acquire_resource, &r), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(r), -XEN_EFAULT,
                       hc_memory_op(XENMEM_acquire_resource, bad));
}

TEST(memory_op_unknown)
{
    for (u32 cmd = 29; cmd < 64; cmd++)
        CHECK_ERR(hc_memory_op(cmd, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_memory_op(8, NULL), -XEN_ENOSYS);
}

/* The bits above the command are where a preempted call goes on. */
TEST(memory_op_start_beyond_end)
{
    xen_pfn_t frame = unmapped_pfn();

    CHECK_EQ(reservation(XENMEM_populate_physmap | (5 << 6), &frame, 1, 0,
                         DOMID_SELF),
             5);
}
