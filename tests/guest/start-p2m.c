/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel that asks, by the INIT_P2M note, for its frame list at an address
 * outside the first mapping, as Linux does.
 */
#include "guest.h"

#define INIT_P2M 0x8000000000UL

TEST(init_p2m_address)
{
    CHECK_EQ(start_info->mfn_list, INIT_P2M);
}

TEST(init_p2m_contents)
{
    ulong wrong = 0;

    for (ulong pfn = 0; pfn < start_info->nr_pages; pfn++)
        wrong += m2p(p2m()[pfn]) != pfn;
    CHECK_EQ(wrong, 0);
}

/* The frames of the tables are not in the first mapping: a window on one. */
static u64 *window(ulong mfn)
{
    static void *page;

    if (!page)
        page = page_get();
    return remap(page, PTE(mfn, PTE_RO_FLAGS)) ? NULL : page;
}

/* The list itself, then the tables that map it, are numbered together. */
TEST(init_p2m_frames)
{
    ulong pages = start_info->nr_pages * sizeof(ulong) / PAGE_SIZE;
    ulong first = start_info->first_p2m_pfn;
    ulong end = first + start_info->nr_p2m_frames;
    u64 entry = *pte_of(INIT_P2M, 4);

    CHECK(start_info->nr_p2m_frames >= pages + 2);
    for (unsigned level = 3; level; level--) {
        ulong pfn = m2p(PTE_MFN(entry));
        u64 *table = window(PTE_MFN(entry));

        CHECK(pfn >= first && pfn < end);
        REQUIRE(CHECK(table != NULL));
        entry = table[(INIT_P2M >> (12 + 9 * (level - 1))) & 511];
        CHECK(entry & PTE_P);
    }
    CHECK(m2p(PTE_MFN(entry)) >= first && m2p(PTE_MFN(entry)) < end);
}

TEST(init_p2m_is_outside_first_mapping)
{
    u64 *pte = pte_of(VIRT_BASE + start_info->first_p2m_pfn * PAGE_SIZE, 1);

    CHECK(!pte || !(*pte & PTE_P));
}

TEST(init_p2m_tables_are_not_writable)
{
    u64 l3 = *pte_of(INIT_P2M, 4);
    void *page = page_get();

    CHECK_ERR(remap(page, PTE(PTE_MFN(l3), PTE_RW_FLAGS)), -XEN_EBUSY);
}

TEST(init_p2m_is_writable)
{
    volatile ulong *list = p2m();
    ulong old = list[5];

    CHECK_NO_FAULT(list[5] = 77);
    list[5] = old;
}
