/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of page types: no writable mapping of a table or descriptor page,
 * no page in two roles, nothing mapped that is not ours, nothing in the
 * hypervisor's slots.  Each illegal transition must leave the old state.
 */
#include "guest.h"

static const u32 pin_command[5] = { 0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
                                    MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE };

static u64 rw_to(const void *page)
{
    return PTE(mfn_of(page), PTE_RW_FLAGS);
}

static u64 ro_to(const void *page)
{
    return PTE(mfn_of(page), PTE_RO_FLAGS);
}

static long pin(unsigned level, const void *table)
{
    return mmuext1(pin_command[level], mfn_of(table), 0);
}

static long unpin(const void *table)
{
    return mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(table), 0);
}

/* A pinned, empty table of a level. */
static u64 *pinned(unsigned level)
{
    u64 *table = table_empty();

    if (pin(level, table))
        print("an empty table cannot be pinned\n");
    return table;
}

static long set_entry(u64 *table, unsigned slot, u64 entry)
{
    return mmu_update1(maddr_of(&table[slot]), entry);
}

TEST(writable_mapping_of_table)
{
    for (unsigned level = 1; level <= 4; level++) {
        u64 *table = pinned(level), *l1 = pinned(1);

        CHECK_ERR(make_rw(table), -XEN_EBUSY);
        CHECK_ERR(set_entry(l1, 0, rw_to(table)), -XEN_EBUSY);
        CHECK_EQ(l1[0], 0);
        CHECK_FAULT(*(volatile u64 *)&table[0] = 0,
                    level == 1 ? NO_FAULT : VEC_PF);
        CHECK_OK(unpin(table));
    }
}

TEST(writable_mapping_of_table_in_a_new_l1)
{
    for (unsigned level = 1; level <= 4; level++) {
        u64 *table = pinned(level);

        CHECK_ERR(pin(1, table_with(7, rw_to(table))), -XEN_EBUSY);
        CHECK_OK(unpin(table));
    }
}

TEST(l1_that_maps_itself_writable)
{
    u64 *l1 = page_get();

    l1[3] = rw_to(l1);
    CHECK_OK(make_ro(l1));
    CHECK_ERR(pin(1, l1), -XEN_EBUSY);
    /* It is no table now, so it may be written again. */
    CHECK_OK(make_rw(l1));
    l1[3] = ro_to(l1);
    CHECK_OK(make_ro(l1));
    CHECK_OK(pin(1, l1));
    CHECK_ERR(set_entry(l1, 4, rw_to(l1)), -XEN_EBUSY);
    CHECK_OK(unpin(l1));
}

TEST(read_only_mapping_of_table_is_fine)
{
    for (unsigned level = 1; level <= 4; level++) {
        u64 *table = pinned(level), *l1 = pinned(1);

        CHECK_OK(set_entry(l1, 0, ro_to(table)));
        CHECK_OK(set_entry(l1, 0, 0));
        CHECK_OK(unpin(table));
        CHECK_OK(unpin(l1));
    }
}

/* A page that is mapped writable anywhere becomes no table. */
TEST(writable_page_as_table)
{
    u64 *page = page_get();

    for (unsigned level = 2; level <= 4; level++)
        CHECK_ERR(set_entry(pinned(level), 0, rw_to(page)), ERR_IN_USE);
    /* One of two writable mappings away is not enough. */
    CHECK_OK(map_at(SCRATCH_VA, rw_to(page)));
    CHECK_OK(make_ro(page));
    CHECK_ERR(pin(1, page), ERR_IN_USE);
    CHECK_OK(hc_update_va_mapping(SCRATCH_VA, 0, UVMF_INVLPG));
    CHECK_OK(pin(1, page));
    CHECK_OK(unpin(page));
}

/* An entry of a table must point to a table of exactly the level below. */
TEST(cross_level_references)
{
    u64 *table[5];

    for (unsigned level = 1; level <= 4; level++)
        table[level] = pinned(level);
    for (unsigned upper = 2; upper <= 4; upper++) {
        for (unsigned lower = 1; lower <= 4; lower++) {
            if (upper == lower)
                continue;
            CHECK_ERR(set_entry(table[upper], 1, rw_to(table[lower])),
                      lower + 1 == upper ? 0 : ERR_IN_USE);
            CHECK_EQ(table[upper][1] & PTE_P, lower + 1 == upper);
            CHECK_OK(set_entry(table[upper], 1, 0));
        }
    }
    for (unsigned level = 1; level <= 4; level++)
        CHECK_OK(unpin(table[level]));
}

/* The same at the validation of a whole new table. */
TEST(cross_level_references_in_a_new_table)
{
    u64 *table[5];

    for (unsigned level = 1; level <= 4; level++)
        table[level] = pinned(level);
    for (unsigned upper = 2; upper <= 4; upper++) {
        for (unsigned lower = 1; lower <= 4; lower++) {
            if (lower == upper || lower + 1 == upper)
                continue;
            CHECK_ERR(pin(upper, table_with(1, rw_to(table[lower]))),
                      ERR_IN_USE);
        }
    }
}

/* Failing half-way gives back what the good entries had taken. */
TEST(failed_validation_is_undone)
{
    u64 *l1 = table_empty(), *data = page_get(), *l2 = page_get();

    l2[0] = rw_to(l1);
    l2[511] = rw_to(data);
    CHECK_OK(make_ro(l2));
    CHECK_ERR(pin(2, l2), ERR_IN_USE);
    CHECK_OK(make_rw(l1));
    CHECK_OK(make_rw(l2));
    *(volatile u64 *)data = 1;
}

TEST(failed_l1_validation_is_undone)
{
    u64 *l1 = page_get(), *data = page_get(), *table = pinned(1);

    l1[0] = rw_to(data);
    l1[511] = rw_to(table);
    CHECK_OK(make_ro(l1));
    CHECK_ERR(pin(1, l1), -XEN_EBUSY);
    /* data has its one writable mapping only: without it, it can be a table. */
    CHECK_OK(make_ro(data));
    CHECK_OK(pin(1, data));
    CHECK_OK(unpin(data));
    CHECK_OK(unpin(table));
}

/* In use by a tree, a table keeps its type. */
TEST(type_change_while_referenced)
{
    u64 *l1 = table_empty();
    u64 *l2 = table_with(0, rw_to(l1));

    CHECK_OK(pin(2, l2));
    for (unsigned level = 2; level <= 4; level++)
        CHECK_ERR(pin(level, l1), ERR_IN_USE);
    CHECK_ERR(make_rw(l1), -XEN_EBUSY);
    CHECK_OK(set_entry(l2, 0, 0));
    CHECK_OK(pin(3, l1));
    CHECK_OK(unpin(l1));
    CHECK_OK(make_rw(l1));
    CHECK_OK(unpin(l2));
}

TEST(one_l1_in_two_l2)
{
    u64 *l1 = table_empty();
    u64 *first = table_with(0, rw_to(l1)), *second = table_with(9, rw_to(l1));

    CHECK_OK(pin(2, first));
    CHECK_OK(pin(2, second));
    CHECK_OK(unpin(first));
    CHECK_ERR(make_rw(l1), -XEN_EBUSY);
    CHECK_OK(unpin(second));
    CHECK_OK(make_rw(l1));
}

TEST(frame_not_ours)
{
    ulong mfn = mfn_not_ours();
    void *page = page_get();

    CHECK(remap(page, PTE(mfn, PTE_RO_FLAGS)) < 0);
    CHECK(remap(page, PTE(mfn, PTE_RW_FLAGS)) < 0);
    for (unsigned level = 2; level <= 4; level++)
        CHECK_ERR(set_entry(pinned(level), 0, PTE(mfn, PTE_RW_FLAGS)),
                  -XEN_EINVAL);
    CHECK_ERR(pin(1, table_with(0, PTE(mfn, PTE_RO_FLAGS))), ERR_NOT_OURS);
    CHECK_EQ(PTE_MFN(*pte_of((ulong)page, 1)), mfn_of(page));
}

TEST(frame_not_ours_errno)
{
    void *page = page_get();

    CHECK_ERR(remap(page, PTE(mfn_not_ours(), PTE_RO_FLAGS)), ERR_NOT_OURS);
    CHECK_ERR(remap(page, PTE(mfn_not_ours(), PTE_RW_FLAGS)), ERR_NOT_OURS);
}

/* The tables that the hypervisor runs on, as far as we can name them. */
TEST(machine_to_phys_frames)
{
    xen_pfn_t mfn = 0;
    struct xen_machphys_mfn_list list = { .max_extents = 1 };
    void *page = page_get();

    set_xen_guest_handle(list.extent_start, &mfn);
    REQUIRE(CHECK_OK(hc_memory_op(XENMEM_machphys_mfn_list, &list)));
    CHECK(remap(page, PTE(mfn, PTE_RW_FLAGS)) < 0);
    CHECK(hc_update_va_mapping_otherdomain((ulong)page, PTE(mfn, PTE_RW_FLAGS),
                                           0, DOMID_XEN) < 0);
    if (!is_initdomain())
        return;
    CHECK_OK(hc_update_va_mapping_otherdomain((ulong)page,
                                              PTE(mfn, PTE_RO_FLAGS),
                                              UVMF_INVLPG, DOMID_XEN));
    CHECK_EQ(*(volatile ulong *)page, machine_to_phys_mapping[0]);
}

TEST(shared_info_is_no_table)
{
    void *page = page_get();
    ulong mfn = start_info->shared_info >> 12;

    CHECK_OK(remap(page, PTE(mfn, PTE_RW_FLAGS)));
    CHECK_ERR(mmuext1(MMUEXT_PIN_L1_TABLE, mfn, 0), ERR_IN_USE);
    CHECK_OK(remap(page, 0));
    CHECK_ERR(mmuext1(MMUEXT_PIN_L1_TABLE, mfn, 0), ERR_IN_USE);
}

TEST(hypervisor_slots)
{
    u64 *root = (u64 *)start_info->pt_base, *l3 = pinned(3), *l4 = pinned(4);

    for (unsigned slot = 256; slot < 272; slot++) {
        u64 before = root[slot];

        CHECK_ERR(set_entry(root, slot, rw_to(l3)), -XEN_EINVAL);
        CHECK_ERR(set_entry(root, slot, 0), -XEN_EINVAL);
        CHECK_ERR(set_entry(l4, slot, rw_to(l3)), -XEN_EINVAL);
        CHECK_EQ(root[slot], before);
    }
    CHECK_OK(set_entry(l4, 255, rw_to(l3)));
    CHECK_OK(set_entry(l4, 272, rw_to(l3)));
    CHECK_OK(unpin(l4));
    CHECK_OK(unpin(l3));
}

/* What a new L4 has in the hypervisor's slots is the hypervisor's. */
TEST(hypervisor_slots_of_a_new_l4)
{
    u64 *l3 = pinned(3);
    u64 *l4 = table_with(260, rw_to(l3));

    CHECK_OK(pin(4, l4));
    CHECK(PTE_MFN(l4[260]) != mfn_of(l3));
    CHECK_OK(unpin(l4));
    CHECK_OK(unpin(l3));
    CHECK_OK(make_rw(l3));
}

TEST(recursive_mapping_writable)
{
    for (unsigned level = 2; level <= 4; level++) {
        u64 *table = pinned(level);

        CHECK_ERR(set_entry(table, 5, rw_to(table)), ERR_IN_USE);
        CHECK_EQ(table[5], 0);
        CHECK_OK(unpin(table));
    }
}

TEST(linear_mapping_of_other_table_writable)
{
    for (unsigned level = 2; level <= 4; level++)
        CHECK_ERR(set_entry(pinned(level), 5, rw_to(pinned(level))),
                  ERR_IN_USE);
}

TEST(linear_mapping_read_only)
{
    for (unsigned level = 2; level <= 4; level++) {
        u64 *table = pinned(level);

        CHECK_ERR(set_entry(table, 5, ro_to(table)),
                  DIFFERS(-XEN_EBUSY, 0, "no kernel in use needs it"));
        CHECK_OK(set_entry(table, 5, 0));
        CHECK_OK(unpin(table));
        CHECK_OK(make_rw(table));
    }
}

TEST(superpages)
{
    void *page = page_get();

    for (unsigned level = 2; level <= 4; level++) {
        u64 *table = pinned(level);

        CHECK_ERR(set_entry(table, 0, rw_to(page) | PTE_PSE), -XEN_EINVAL);
        CHECK_ERR(set_entry(table, 0, PTE(0, PTE_RW_FLAGS | PTE_PSE)),
                  -XEN_EINVAL);
        CHECK_EQ(table[0], 0);
    }
}

/* Bits 52 to 62 are software's: a kernel keeps what it likes there. */
TEST(flags_of_upper_entries)
{
    u64 *table[5];

    for (unsigned level = 1; level <= 4; level++)
        table[level] = pinned(level);
    for (unsigned level = 2; level <= 4; level++) {
        u64 good = rw_to(table[level - 1]);

        for (unsigned bit = 52; bit < 63; bit++)
            CHECK_OK(set_entry(table[level], 0, good | (1UL << bit)));
        CHECK_ERR(set_entry(table[level], 0, good | PTE_G), -XEN_EINVAL);
        CHECK_OK(set_entry(table[level], 0, good | PTE_NX));
        CHECK_OK(set_entry(table[level], 0, good));
    }
}

TEST(flags_of_l1_entries)
{
    u64 *l1 = pinned(1), good = rw_to(page_get());

    for (unsigned bit = 52; bit < 63; bit++) {
        CHECK_OK(set_entry(l1, 0, good | (1UL << bit)));
        CHECK_EQ(l1[0] & (1UL << bit), 1UL << bit);
    }
    CHECK_OK(set_entry(l1, 0, good | PTE_G));
    CHECK_OK(set_entry(l1, 0, good | PTE_NX | PTE_AVAIL0));
    CHECK_OK(set_entry(l1, 0, good | PTE_PCD | PTE_PWT));
    CHECK_OK(set_entry(l1, 0, good | PTE_PAT));
    CHECK_OK(set_entry(l1, 0, 0));
}

/* A physical address that no CPU has. */
TEST(address_beyond_the_machine)
{
    u64 *l1 = pinned(1);

    CHECK_ERR(set_entry(l1, 0, PTE_ADDR | PTE_RO_FLAGS), -XEN_EINVAL);
    CHECK_EQ(l1[0], 0);
}

/* Without P an entry is only a number, whatever it says. */
TEST(not_present_entries_are_free)
{
    for (unsigned level = 1; level <= 4; level++) {
        u64 *table = pinned(level);

        CHECK_OK(set_entry(table, 0, 0x7ffffffffffffffe));
        CHECK_EQ(table[0], 0x7ffffffffffffffe);
        CHECK_OK(set_entry(table, 0, 0));
    }
}

TEST(accessed_and_dirty_need_no_new_reference)
{
    u64 *data = page_get(), *l1 = pinned(1);

    CHECK_OK(set_entry(l1, 0, PTE(mfn_of(data), PTE_P | PTE_US | PTE_RW)));
    CHECK_OK(set_entry(l1, 0, rw_to(data)));
    CHECK_OK(set_entry(l1, 0, PTE(mfn_of(data), PTE_P | PTE_US | PTE_RW)));
    CHECK_OK(set_entry(l1, 0, ro_to(data)));
    CHECK_OK(make_ro(data));
    /* No writable mapping is left. */
    CHECK_OK(pin(1, data));
    CHECK_OK(unpin(data));
}

/* From read-only to writable asks for the type anew. */
TEST(upgrade_to_writable_is_checked)
{
    u64 *table = pinned(2), *l1 = pinned(1);

    CHECK_OK(set_entry(l1, 0, ro_to(table)));
    CHECK_ERR(set_entry(l1, 0, rw_to(table)), -XEN_EBUSY);
    CHECK_EQ(l1[0] & PTE_RW, 0);
    CHECK_ERR(set_entry(l1, 0, ro_to(table) | PTE_RW), -XEN_EBUSY);
    CHECK_OK(set_entry(l1, 0, 0));
}

TEST(descriptor_page_stays_read_only)
{
    u64 *gdt = page_get();
    xen_pfn_t frame = mfn_of(gdt);

    CHECK_ERR(hc_set_gdt(&frame, 512), -XEN_EINVAL);
    CHECK_OK(make_ro(gdt));
    CHECK_OK(hc_set_gdt(&frame, 512));
    CHECK_ERR(make_rw(gdt), -XEN_EBUSY);
    for (unsigned level = 1; level <= 4; level++)
        CHECK_ERR(pin(level, gdt), ERR_IN_USE);
    frame = 0;
    CHECK_OK(hc_set_gdt(&frame, 0));
    CHECK_OK(make_rw(gdt));
}

TEST(table_as_descriptor_page)
{
    for (unsigned level = 1; level <= 4; level++) {
        u64 *table = pinned(level);
        xen_pfn_t frame = mfn_of(table);

        CHECK_ERR(hc_set_gdt(&frame, 512), -XEN_EINVAL);
        CHECK_OK(unpin(table));
    }
}

/* The LDT is loaded lazily: using a selector of it takes the page's type. */
TEST(ldt_page_stays_read_only)
{
    u64 *ldt = page_get();

    ldt[1] = 0x00cff3000000ffffUL; /* flat data, DPL 3 */
    CHECK_OK(make_ro(ldt));
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, (ulong)ldt, 512));
    CHECK_NO_FAULT(asm volatile("mov %0, %%fs" : : "r"(0x000f)));
    CHECK_ERR(make_rw(ldt), -XEN_EBUSY);
    asm volatile("mov %0, %%fs" : : "r"(0));
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, 0, 0));
    CHECK_OK(make_rw(ldt));
}

/* Given back, a page that is a table stays one until it is unpinned. */
TEST(free_a_table_page)
{
    u64 *l1 = pinned(1), *l1b = pinned(1);
    xen_pfn_t frame = mfn_of(l1);
    struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

    set_xen_guest_handle(r.extent_start, &frame);
    CHECK_EQ(hc_memory_op(XENMEM_decrease_reservation, &r), 1);
    CHECK_ERR(set_entry(l1b, 0, rw_to(l1)), -XEN_EBUSY);
    CHECK_OK(set_entry(l1, 0, 0));
    /* Its last mapping and its pin go; then it is nobody's. */
    CHECK_OK(unpin(l1));
    CHECK_OK(remap(l1, 0));
    CHECK(set_entry(l1b, 0, PTE(frame, PTE_RO_FLAGS)) < 0);
    CHECK_EQ(l1b[0], 0);
}
