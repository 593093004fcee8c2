/* SPDX-License-Identifier: GPL-2.0-only */
/* mmuext_op: every command of <xen/xen.h>, and how it takes its arguments. */
#include "guest.h"

static u64 table_flags(const void *table)
{
    return PTE(mfn_of(table), PTE_RW_FLAGS);
}

/* A tree of one page at each level; [0] is the L1, [3] the L4. */
static void build_tree(u64 *tree[4])
{
    tree[0] = table_with(0, PTE(mfn_of(page_get()), PTE_RW_FLAGS));
    for (unsigned i = 1; i < 4; i++)
        tree[i] = table_with(0, table_flags(tree[i - 1]));
}

static const u32 pin_command[4] = { MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
                                    MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE };

TEST(pin_each_level)
{
    u64 *tree[4];

    build_tree(tree);
    for (unsigned i = 0; i < 4; i++)
        CHECK_OK(mmuext1(pin_command[i], mfn_of(tree[i]), 0));
    for (unsigned i = 4; i-- > 0;)
        CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(tree[i]), 0));
    /* Unpinned and unused, they are plain pages again. */
    for (unsigned i = 0; i < 4; i++)
        CHECK_OK(make_rw(tree[i]));
}

TEST(pin_twice)
{
    u64 *l1 = table_empty();

    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
    CHECK_ERR(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0), -XEN_EINVAL);
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0));
}

TEST(unpin_what_is_not_pinned)
{
    u64 *l1 = table_empty();

    CHECK_ERR(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0), -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(page_get()), 0), -XEN_EINVAL);
}

TEST(pin_at_wrong_level)
{
    u64 *l1 = table_empty();

    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
    for (unsigned i = 1; i < 4; i++) {
        CHECK_ERR(mmuext1(pin_command[i], mfn_of(l1), 0), ERR_IN_USE);
    }
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0));
}

TEST(pin_writable_page)
{
    for (unsigned i = 0; i < 4; i++) {
        CHECK_ERR(mmuext1(pin_command[i], mfn_of(page_get()), 0), ERR_IN_USE);
    }
}

TEST(pin_not_ours)
{
    ulong mfn = mfn_not_ours();

    for (unsigned i = 0; i < 4; i++) {
        CHECK_ERR(mmuext1(pin_command[i], mfn, 0), -XEN_EINVAL);
        CHECK_ERR(mmuext1(pin_command[i], ~0UL, 0), -XEN_EINVAL);
    }
    CHECK_ERR(mmuext1(MMUEXT_UNPIN_TABLE, mfn, 0), -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_UNPIN_TABLE, ~0UL, 0), -XEN_EINVAL);
}

/* A table that is part of a pinned tree may be pinned and unpinned itself. */
TEST(unpin_while_in_use)
{
    u64 *tree[4];

    build_tree(tree);
    CHECK_OK(mmuext1(MMUEXT_PIN_L4_TABLE, mfn_of(tree[3]), 0));
    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(tree[0]), 0));
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(tree[0]), 0));
    CHECK_ERR(make_rw(tree[0]), -XEN_EBUSY);
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(tree[3]), 0));
    CHECK_OK(make_rw(tree[0]));
}

/* A copy of the tables we run on: the kernel's half must be in it. */
static u64 *copy_of_root(void)
{
    u64 *copy = page_get();
    const u64 *root = (u64 *)start_info->pt_base;

    for (unsigned i = 0; i < 512; i++)
        copy[i] = (i < 256 || i >= 272) ? root[i] : 0;
    make_ro(copy);
    return copy;
}

TEST(new_baseptr)
{
    u64 *copy = copy_of_root();
    ulong old = mfn_of((void *)start_info->pt_base);

    CHECK_OK(mmuext1(MMUEXT_NEW_BASEPTR, mfn_of(copy), 0));
    CHECK_EQ(READ_REG(cr3) >> 12, mfn_of(copy));
    /* In use: it cannot become a plain page. */
    CHECK_ERR(make_rw(copy), -XEN_EBUSY);
    CHECK_OK(mmuext1(MMUEXT_NEW_BASEPTR, old, 0));
    CHECK_EQ(READ_REG(cr3) >> 12, old);
    CHECK_OK(make_rw(copy));
}

TEST(new_baseptr_same)
{
    CHECK_OK(mmuext1(MMUEXT_NEW_BASEPTR, READ_REG(cr3) >> 12, 0));
}

TEST(new_baseptr_bad)
{
    u64 *tree[4];
    ulong before = READ_REG(cr3);

    build_tree(tree);
    CHECK_OK(mmuext1(MMUEXT_PIN_L4_TABLE, mfn_of(tree[3]), 0));
    for (unsigned i = 0; i < 3; i++)
        CHECK_ERR(mmuext1(MMUEXT_NEW_BASEPTR, mfn_of(tree[i]), 0), ERR_IN_USE);
    CHECK_ERR(mmuext1(MMUEXT_NEW_BASEPTR, mfn_of(page_get()), 0), ERR_IN_USE);
    CHECK_ERR(mmuext1(MMUEXT_NEW_BASEPTR, mfn_not_ours(), 0), -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_NEW_BASEPTR, ~0UL, 0), -XEN_EINVAL);
    CHECK_EQ(READ_REG(cr3), before);
}

TEST(new_user_baseptr)
{
    u64 *tree[4];

    build_tree(tree);
    CHECK_OK(mmuext1(MMUEXT_NEW_USER_BASEPTR, mfn_of(tree[3]), 0));
    CHECK_ERR(make_rw(tree[3]), -XEN_EBUSY);
    CHECK_OK(mmuext1(MMUEXT_NEW_USER_BASEPTR, 0, 0));
    CHECK_OK(make_rw(tree[3]));
    CHECK_ERR(mmuext1(MMUEXT_NEW_USER_BASEPTR, mfn_of(tree[2]), 0), ERR_IN_USE);
    CHECK_ERR(mmuext1(MMUEXT_NEW_USER_BASEPTR, mfn_not_ours(), 0), -XEN_EINVAL);
}

TEST(tlb_flushes)
{
    void *page = page_get();
    ulong mask = 1;

    CHECK_OK(mmuext1(MMUEXT_TLB_FLUSH_LOCAL, 0, 0));
    CHECK_OK(mmuext1(MMUEXT_TLB_FLUSH_ALL, 0, 0));
    CHECK_OK(mmuext1(MMUEXT_TLB_FLUSH_MULTI, 0, (ulong)&mask));
    CHECK_OK(mmuext1(MMUEXT_INVLPG_LOCAL, (ulong)page, 0));
    CHECK_OK(mmuext1(MMUEXT_INVLPG_ALL, (ulong)page, 0));
    CHECK_OK(mmuext1(MMUEXT_INVLPG_MULTI, (ulong)page, (ulong)&mask));
    /* Nothing mapped there, or not even an address: nothing to do. */
    CHECK_OK(mmuext1(MMUEXT_INVLPG_LOCAL, UNMAPPED_VA, 0));
    CHECK_OK(mmuext1(MMUEXT_INVLPG_LOCAL, NON_CANONICAL_VA, 0));
    CHECK_OK(mmuext1(MMUEXT_INVLPG_LOCAL, HYPERVISOR_VA, 0));
    CHECK_OK(mmuext1(MMUEXT_INVLPG_ALL, NON_CANONICAL_VA, 0));
}

TEST(tlb_flush_of_no_vcpu)
{
    ulong mask = 0;

    CHECK_OK(mmuext1(MMUEXT_TLB_FLUSH_MULTI, 0, (ulong)&mask));
    mask = ~0UL;
    CHECK_OK(mmuext1(MMUEXT_TLB_FLUSH_MULTI, 0, (ulong)&mask));
}

TEST(tlb_flush_bad_mask)
{
    /* update_va_mapping says -EFAULT of the same mistake. */
    long want = DIFFERS(-XEN_EFAULT, -XEN_EINVAL, "the address is bad");

    CHECK_BAD_POINTERS(1, want, mmuext1(MMUEXT_TLB_FLUSH_MULTI, 0, (ulong)bad));
    CHECK_BAD_POINTERS(1, want, mmuext1(MMUEXT_INVLPG_MULTI, 0, (ulong)bad));
}

TEST(flush_cache)
{
    FOR_DOMAIN_0();
    CHECK_OK(mmuext1(MMUEXT_FLUSH_CACHE, 0, 0));
    CHECK_OK(mmuext1(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0));
}

TEST(clear_page)
{
    u64 *page = page_get();

    page[0] = page[511] = 7;
    CHECK_OK(mmuext1(MMUEXT_CLEAR_PAGE, mfn_of(page), 0));
    CHECK_EQ(page[0] | page[511], 0);
}

TEST(clear_page_bad)
{
    u64 *l1 = table_with(0, PTE(mfn_of(page_get()), PTE_RW_FLAGS));

    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
    CHECK_ERR(mmuext1(MMUEXT_CLEAR_PAGE, mfn_of(l1), 0), -XEN_EINVAL);
    CHECK(l1[0] != 0);
    CHECK_ERR(mmuext1(MMUEXT_CLEAR_PAGE, mfn_not_ours(), 0), -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_CLEAR_PAGE, ~0UL, 0), -XEN_EINVAL);
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0));
}

TEST(copy_page)
{
    u64 *from = page_get(), *to = page_get();

    from[0] = 1;
    from[511] = 2;
    CHECK_OK(mmuext1(MMUEXT_COPY_PAGE, mfn_of(to), mfn_of(from)));
    CHECK_EQ(memcmp(from, to, PAGE_SIZE), 0);
    /* A table may be read. */
    CHECK_OK(mmuext1(MMUEXT_COPY_PAGE, mfn_of(to),
                     mfn_of((void *)start_info->pt_base)));
}

TEST(copy_page_bad)
{
    u64 *page = page_get();
    ulong root = mfn_of((void *)start_info->pt_base);

    CHECK_ERR(mmuext1(MMUEXT_COPY_PAGE, root, mfn_of(page)), -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_COPY_PAGE, mfn_of(page), mfn_not_ours()),
              -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_COPY_PAGE, mfn_not_ours(), mfn_of(page)),
              -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_COPY_PAGE, mfn_of(page), ~0UL), -XEN_EINVAL);
}

TEST(mark_super_is_not_offered)
{
    ulong mfn = mfn_of(page_get());

    CHECK_ERR(mmuext1(MMUEXT_MARK_SUPER, mfn, 0), -XEN_EOPNOTSUPP);
    CHECK_ERR(mmuext1(MMUEXT_UNMARK_SUPER, mfn, 0), -XEN_EOPNOTSUPP);
}

TEST(mmuext_unknown)
{
    CHECK_ERR(mmuext1(14, 0, 0), -XEN_ENOSYS);
    CHECK_ERR(mmuext1(21, 0, 0), -XEN_ENOSYS);
    CHECK_ERR(mmuext1(~0u, 0, 0), -XEN_ENOSYS);
}

TEST(mmuext_counts_what_was_done)
{
    struct mmuext_op ops[3] = { { .cmd = MMUEXT_TLB_FLUSH_LOCAL },
                                { .cmd = ~0u },
                                { .cmd = MMUEXT_TLB_FLUSH_LOCAL } };
    u32 done = 77;

    CHECK_ERR(hc_mmuext_op(ops, 3, &done, DOMID_SELF), -XEN_ENOSYS);
    CHECK_EQ(done, 1);
    ops[1].cmd = MMUEXT_TLB_FLUSH_LOCAL;
    CHECK_OK(hc_mmuext_op(ops, 3, &done, DOMID_SELF));
    CHECK_EQ(done, 3);
    CHECK_OK(hc_mmuext_op(ops, 0, &done, DOMID_SELF));
}

TEST(mmuext_bad_list)
{
    CHECK_BAD_POINTERS(sizeof(struct mmuext_op), -XEN_EFAULT,
                       hc_mmuext_op(bad, 1, NULL, DOMID_SELF));
}

TEST(mmuext_unknown_domain)
{
    struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };

    FOR_DOMAIN_0();
    CHECK_ERR(hc_mmuext_op(&op, 1, NULL, 0),
              DIFFERS(0, -XEN_ESRCH, "our own number is ours"));
    CHECK_ERR(hc_mmuext_op(&op, 1, NULL, 0x1234), -XEN_ESRCH);
    CHECK_ERR(hc_mmuext_op(&op, 1, NULL, DOMID_INVALID), -XEN_ESRCH);
}
