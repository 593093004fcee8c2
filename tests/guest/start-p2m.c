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

/* The list itself, then the tables that map it. */
TEST(init_p2m_frames)
{
    ulong pages = start_info->nr_pages * sizeof(ulong) / PAGE_SIZE;
    ulong first = start_info->first_p2m_pfn;
    ulong end = first + start_info->nr_p2m_frames;

    CHECK(start_info->nr_p2m_frames >= pages + 2);
    for (unsigned level = 3; level; level--) {
        ulong pfn = m2p(PTE_MFN(*pte_of(INIT_P2M, level)));
        CHECK(pfn >= first && pfn < end);
    }
}

TEST(init_p2m_is_writable)
{
    volatile ulong *list = p2m();
    ulong old = list[5];

    CHECK_NO_FAULT(list[5] = 77);
    list[5] = old;
}

TEST(init_p2m_tables_are_read_only)
{
    for (unsigned level = 1; level <= 3; level++) {
        u64 *pte = pte_of(INIT_P2M, level);
        u64 *map = pte_of((ulong)pte, 1);
        CHECK(map && !((*map & PTE_RW) && (*map & PTE_P)));
    }
}
