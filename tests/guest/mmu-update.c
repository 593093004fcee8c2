/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mmu_update, update_va_mapping and its otherdomain form: how they take their
 * arguments.  What may be written into which table is page-types.c.
 */
#include "guest.h"

static u64 rw_pte(const void *page)
{
    return PTE(mfn_of(page), PTE_RW_FLAGS);
}

/* Two pages that tell themselves apart. */
struct pair {
    volatile u32 *a, *b;
};

static struct pair two_pages(void)
{
    struct pair p = { page_get(), page_get() };

    *p.a = 0xaaaa;
    *p.b = 0xbbbb;
    return p;
}

TEST(mmu_update_normal)
{
    struct pair p = two_pages();
    u64 where = pte_maddr((ulong)p.a, 1) | MMU_NORMAL_PT_UPDATE;

    CHECK_OK(mmu_update1(where, rw_pte((void *)p.b)));
    mmuext1(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    CHECK_EQ(*p.a, 0xbbbb);
    CHECK_OK(mmu_update1(where, 0));
    mmuext1(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    CHECK_FAULT(*p.a, VEC_PF);
    CHECK_EQ(fault.error, 0);
    CHECK_EQ(fault.cr2, p.a);
    CHECK_OK(mmu_update1(where, rw_pte((void *)p.a)));
    CHECK_EQ(*p.a, 0xaaaa);
}

TEST(mmu_update_no_translate)
{
    struct pair p = two_pages();

    CHECK_OK(mmu_update1(pte_maddr((ulong)p.a, 1) | MMU_PT_UPDATE_NO_TRANSLATE,
                         rw_pte((void *)p.b)));
    mmuext1(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    CHECK_EQ(*p.a, 0xbbbb);
}

TEST(mmu_update_preserves_accessed_and_dirty)
{
    void *page = page_get();
    u64 *pte = pte_of((ulong)page, 1);
    u64 clean = PTE(mfn_of(page), PTE_P | PTE_RW | PTE_US);

    *(volatile char *)page = 1;
    CHECK_EQ(*pte & (PTE_A | PTE_D), PTE_A | PTE_D);
    CHECK_OK(mmu_update1(maddr_of(pte) | MMU_PT_UPDATE_PRESERVE_AD, clean));
    CHECK_EQ(*pte & (PTE_A | PTE_D), PTE_A | PTE_D);
    CHECK_OK(mmu_update1(maddr_of(pte) | MMU_NORMAL_PT_UPDATE, clean));
    CHECK_EQ(*pte & (PTE_A | PTE_D), 0);
}

TEST(mmu_update_counts_what_was_done)
{
    struct pair p = two_pages();
    u64 where = pte_maddr((ulong)p.a, 1);
    struct mmu_update u[3] = {
        { where, rw_pte((void *)p.b) },
        { where, PTE(mfn_of(pte_of((ulong)p.a, 1)), PTE_RW_FLAGS) },
        { where, 0 },
    };
    u32 done = 77;

    CHECK_ERR(hc_mmu_update(u, 3, &done, DOMID_SELF), -XEN_EBUSY);
    CHECK_EQ(done, 1);
    u[1].val = rw_pte((void *)p.a);
    u[2].val = rw_pte((void *)p.b);
    CHECK_OK(hc_mmu_update(u, 3, &done, DOMID_SELF));
    CHECK_EQ(done, 3);
    CHECK_OK(hc_mmu_update(u, 0, &done, DOMID_SELF));
    CHECK_EQ(done, 0);
}

TEST(mmu_update_many)
{
    struct mmu_update *u = pages_get(16);
    unsigned n = 16 * PAGE_SIZE / sizeof(*u);
    struct pair p = two_pages();
    u32 done = 0;

    for (unsigned i = 0; i < n; i++) {
        u[i].ptr = pte_maddr((ulong)p.a, 1);
        u[i].val = rw_pte((void *)(i % 2 ? p.b : p.a));
    }
    CHECK_OK(hc_mmu_update(u, n, &done, DOMID_SELF));
    CHECK_EQ(done, n);
    mmuext1(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    CHECK_EQ(*p.a, 0xbbbb);
}

TEST(mmu_update_bad_list)
{
    u32 done = 0;

    CHECK_BAD_POINTERS(sizeof(struct mmu_update), -XEN_EFAULT,
                       hc_mmu_update(bad, 1, NULL, DOMID_SELF));
    CHECK_BAD_POINTERS(sizeof(struct mmu_update), -XEN_EFAULT,
                       hc_mmu_update(bad, 1, &done, DOMID_SELF));
}

/* An entry at the end of a mapped page is done, the one beyond it is not. */
TEST(mmu_update_list_runs_off_its_page)
{
    struct mmu_update *u = edge(sizeof(*u));
    struct pair p = two_pages();
    u32 done = 77;

    u->ptr = pte_maddr((ulong)p.a, 1);
    u->val = rw_pte((void *)p.b);
    CHECK_ERR(hc_mmu_update(u, 2, &done, DOMID_SELF), -XEN_EFAULT);
    CHECK_EQ(done, 1);
    CHECK_EQ(PTE_MFN(*pte_of((ulong)p.a, 1)), mfn_of((void *)p.b));
}

/* The bits below the address are the command; four of the eight exist. */
TEST(mmu_update_unknown_command)
{
    void *page = page_get();

    for (unsigned cmd = 4; cmd < 8; cmd++) {
        CHECK_ERR(mmu_update1(pte_maddr((ulong)page, 1) | cmd, rw_pte(page)),
                  -XEN_ENOSYS);
    }
}

TEST(mmu_update_unknown_domain)
{
    void *page = page_get();
    struct mmu_update u = { pte_maddr((ulong)page, 1), rw_pte(page) };

    FOR_DOMAIN_0();
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, 0x1234), -XEN_ESRCH);
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, DOMID_INVALID), -XEN_ESRCH);
    /* The upper half names the tables' owner, plus one. */
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, (0x1235u << 16) | DOMID_SELF),
              -XEN_ESRCH);
}

TEST(mmu_update_own_number)
{
    void *page = page_get();
    struct mmu_update u = { pte_maddr((ulong)page, 1), rw_pte(page) };

    FOR_DOMAIN_0();
    CHECK_ERR(hc_mmu_update(&u, 1, NULL, 0),
              DIFFERS(0, -XEN_ESRCH, "our own number is ours"));
}

/* A page that is no table is written as it stands, if it is writable. */
TEST(mmu_update_of_plain_page)
{
    u64 *page = page_get();

    CHECK_OK(mmu_update1(maddr_of(&page[3]), 0x123456789abcdef0));
    CHECK_EQ(page[3], 0x123456789abcdef0);
}

TEST(mmu_update_of_foreign_table)
{
    ulong mfn = mfn_not_ours();

    REQUIRE(CHECK(mfn));
    CHECK_ERR(mmu_update1(mfn * PAGE_SIZE, 0), -XEN_EINVAL);
    /* Beyond all memory. */
    CHECK_ERR(mmu_update1(0x000ffffffffff000, 0), -XEN_EINVAL);
}

TEST(machphys_update)
{
    void *page = page_get();
    ulong mfn = mfn_of(page), pfn = pfn_of(page);

    CHECK_OK(mmu_update1((mfn << 12) | MMU_MACHPHYS_UPDATE, 0x12345));
    CHECK_EQ(m2p(mfn), 0x12345);
    CHECK_OK(mmu_update1((mfn << 12) | MMU_MACHPHYS_UPDATE, pfn));
    CHECK_EQ(m2p(mfn), pfn);
}

TEST(machphys_update_not_ours)
{
    ulong mfn = mfn_not_ours();
    ulong before = m2p(mfn);

    REQUIRE(CHECK(mfn));
    CHECK_ERR(mmu_update1((mfn << 12) | MMU_MACHPHYS_UPDATE, 5), -XEN_EINVAL);
    CHECK_EQ(m2p(mfn), before);
    CHECK_ERR(mmu_update1(0x000ffffffffff000 | MMU_MACHPHYS_UPDATE, 5),
              -XEN_EINVAL);
}

TEST(update_va_mapping_flushes)
{
    static const u64 flags[] = {
        UVMF_INVLPG | UVMF_LOCAL,
        UVMF_INVLPG | UVMF_ALL,
        UVMF_TLB_FLUSH | UVMF_LOCAL,
        UVMF_TLB_FLUSH | UVMF_ALL,
    };
    struct pair p = two_pages();

    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
        CHECK_OK(
            hc_update_va_mapping((ulong)p.a, rw_pte((void *)p.b), flags[i]));
        CHECK_EQ(*p.a, 0xbbbb);
        CHECK_OK(
            hc_update_va_mapping((ulong)p.a, rw_pte((void *)p.a), flags[i]));
        CHECK_EQ(*p.a, 0xaaaa);
    }
    CHECK_OK(hc_update_va_mapping((ulong)p.a, 0, UVMF_NONE));
}

TEST(update_va_mapping_vcpu_mask)
{
    struct pair p = two_pages();
    ulong mask = 1;

    CHECK_OK(hc_update_va_mapping((ulong)p.a, rw_pte((void *)p.b),
                                  UVMF_INVLPG | (ulong)&mask));
    CHECK_EQ(*p.a, 0xbbbb);
    CHECK_OK(hc_update_va_mapping((ulong)p.a, rw_pte((void *)p.a),
                                  UVMF_TLB_FLUSH | (ulong)&mask));
    CHECK_EQ(*p.a, 0xaaaa);
}

TEST(update_va_mapping_bad_mask)
{
    void *page = page_get();

    CHECK_ERR(hc_update_va_mapping((ulong)page, rw_pte(page),
                                   UVMF_INVLPG | UNMAPPED_VA),
              -XEN_EFAULT);
    CHECK_ERR(hc_update_va_mapping((ulong)page, rw_pte(page),
                                   UVMF_TLB_FLUSH | UNMAPPED_VA),
              -XEN_EFAULT);
}

TEST(update_va_mapping_unknown_flags)
{
    void *page = page_get();

    /* 3 is no kind of flush: it asks for none. */
    CHECK_OK(hc_update_va_mapping((ulong)page, rw_pte(page), 3));
}

TEST(update_va_mapping_bad_address)
{
    void *page = page_get();
    u64 pte = rw_pte(page);

    CHECK_ERR(hc_update_va_mapping(UNMAPPED_VA, pte, 0), -XEN_EINVAL);
    CHECK_ERR(hc_update_va_mapping(HYPERVISOR_VA, pte, 0), -XEN_EINVAL);
    CHECK_ERR(hc_update_va_mapping(HYPERVISOR_VIRT_START, pte, 0), -XEN_EINVAL);
    CHECK_ERR(hc_update_va_mapping(NON_CANONICAL_VA, pte, 0), -XEN_EINVAL);
}

TEST(update_va_mapping_otherdomain)
{
    void *page = page_get();
    u64 pte = rw_pte(page);

    CHECK_OK(hc_update_va_mapping_otherdomain((ulong)page, pte, 0, DOMID_SELF));
    FOR_DOMAIN_0();
    CHECK_ERR(hc_update_va_mapping_otherdomain((ulong)page, pte, 0, 0),
              DIFFERS(0, -XEN_ESRCH, "our own number is ours"));
    CHECK_ERR(hc_update_va_mapping_otherdomain((ulong)page, pte, 0, 0x1234),
              -XEN_ESRCH);
    CHECK_ERR(hc_update_va_mapping_otherdomain((ulong)page, pte, 0,
                                               DOMID_INVALID),
              -XEN_ESRCH);
}

/* Mapping as DOMID_IO what is our own memory is no way around ownership. */
TEST(update_va_mapping_of_io_memory)
{
    void *page = page_get();
    /* The local APIC belongs to the hypervisor; the video hole to us. */
    u64 lapic = PTE(0xfee00, PTE_RW_FLAGS), video = PTE(0xb8, PTE_RW_FLAGS);

    FOR_DOMAIN_0();
    CHECK_OK(hc_update_va_mapping_otherdomain((ulong)page, video, 0, DOMID_IO));
    CHECK_ERR(hc_update_va_mapping_otherdomain((ulong)page, lapic, 0, DOMID_IO),
              -XEN_EPERM);
    CHECK_ERR(hc_update_va_mapping((ulong)page, lapic, 0), -XEN_EPERM);
    CHECK_OK(hc_update_va_mapping((ulong)page, video, UVMF_INVLPG));
    CHECK_NO_FAULT(*(volatile char *)page);
}
