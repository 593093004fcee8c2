/* SPDX-License-Identifier: GPL-2.0-only */
/* set_gdt, update_descriptor, LDT, segment bases (Intel SDM vol. 3, 3.4). */
#include "guest.h"

/* Flat 64-bit descriptors, DPL 3, accessed. */
#define DESC_DATA 0x00cff3000000ffffUL
#define DESC_CODE 0x00affb000000ffffUL
/* System types with P and DPL 3: bits 40-43 the type, S clear. */
#define DESC_SYSTEM(type) (0x0000e00000000000UL | ((u64)(type) << 40))
#define DESC_DPL(n) ((u64)(n) << 45)
#define DESC_DPL_MASK DESC_DPL(3)
#define DESC_P (1UL << 47)

/* A selector with RPL 3 of the GDT; of the LDT. */
#define GDT_SEL(n) ((n)*8 + 3)
#define LDT_SEL(n) ((n)*8 + 7)

/* A one-page GDT, loaded. */
static u64 *loaded_gdt(void)
{
    u64 *gdt = page_get();
    xen_pfn_t frame = mfn_of(gdt);

    make_ro(gdt);
    CHECK_OK(hc_set_gdt(&frame, 512));
    return gdt;
}

static void no_gdt(void)
{
    xen_pfn_t none = 0;
    CHECK_OK(hc_set_gdt(&none, 0));
}

static int load_fs(unsigned selector)
{
    return FAULT_OF(asm volatile("mov %0, %%fs" : : "r"(selector)));
}

TEST(set_gdt_good)
{
    u64 *gdt = loaded_gdt();

    CHECK_OK(hc_update_descriptor(maddr_of(&gdt[5]), DESC_DATA));
    CHECK_EQ(load_fs(GDT_SEL(5)), NO_FAULT);
    CHECK_EQ(load_fs(0), NO_FAULT);
    CHECK_EQ(load_fs(GDT_SEL(6)), VEC_GP);
    CHECK_EQ(fault.error, GDT_SEL(6) & ~3);
    no_gdt();
    CHECK_EQ(load_fs(GDT_SEL(5)), VEC_GP);
}

TEST(set_gdt_of_several_pages)
{
    char *gdt = pages_get(2);
    xen_pfn_t frames[2] = { mfn_of(gdt), mfn_of(gdt + PAGE_SIZE) };

    ((u64 *)gdt)[513] = DESC_DATA;
    CHECK_OK(make_ro(gdt));
    CHECK_OK(make_ro(gdt + PAGE_SIZE));
    CHECK_OK(hc_set_gdt(frames, 1024));
    CHECK_EQ(load_fs(GDT_SEL(513)), NO_FAULT);
    CHECK_EQ(load_fs(0), NO_FAULT);
    no_gdt();
}

/* The hypervisor's own selectors stay, whatever the kernel loads. */
TEST(reserved_selectors_work)
{
    CHECK_EQ(load_fs(FLAT_KERNEL_SS), NO_FAULT);
    CHECK_EQ(load_fs(0), NO_FAULT);
    no_gdt();
    CHECK_EQ(load_fs(FLAT_KERNEL_SS), NO_FAULT);
    CHECK_EQ(load_fs(0), NO_FAULT);
}

TEST(set_gdt_bad)
{
    u64 *gdt = page_get();
    xen_pfn_t frame = mfn_of(gdt), foreign = mfn_not_ours(), none = ~0UL;

    CHECK_OK(make_ro(gdt));
    CHECK_ERR(hc_set_gdt(&frame, FIRST_RESERVED_GDT_ENTRY + 1), -XEN_EINVAL);
    CHECK_ERR(hc_set_gdt(&frame, ~0u), -XEN_EINVAL);
    CHECK_ERR(hc_set_gdt(&foreign, 512), -XEN_EINVAL);
    CHECK_ERR(hc_set_gdt(&none, 512), -XEN_EINVAL);
    CHECK_BAD_POINTERS(8, -XEN_EFAULT, hc_set_gdt(bad, 512));
}

/* One bad frame of two: the first is given back, the old GDT stays. */
TEST(set_gdt_is_all_or_nothing)
{
    u64 *old = loaded_gdt(), *new = page_get();
    xen_pfn_t frames[2] = { mfn_of(new), mfn_not_ours() };

    CHECK_OK(hc_update_descriptor(maddr_of(&old[5]), DESC_DATA));
    CHECK_OK(make_ro(new));
    CHECK_ERR(hc_set_gdt(frames, 1024), -XEN_EINVAL);
    CHECK_EQ(load_fs(GDT_SEL(5)), NO_FAULT);
    CHECK_EQ(load_fs(0), NO_FAULT);
    CHECK_OK(make_rw(new));
    no_gdt();
}

/* System types: 0 reserved, 2 LDT, 9/11 TSS, 12 call, 14/15 gates. */
static const unsigned bad_types[] = { 1, 2, 3,  4,  5,  6,  7,
                                      8, 9, 10, 11, 13, 14, 15 };

TEST(illegal_descriptors_in_a_new_gdt)
{
    for (unsigned i = 0; i < ARRAY_SIZE(bad_types); i++) {
        u64 *gdt = page_get();
        xen_pfn_t frame = mfn_of(gdt);

        gdt[7] = DESC_SYSTEM(bad_types[i]);
        CHECK_OK(make_ro(gdt));
        CHECK_ERR(hc_set_gdt(&frame, 512), -XEN_EINVAL);
        CHECK_OK(make_rw(gdt));
    }
}

TEST(illegal_descriptors_by_update)
{
    u64 *gdt = loaded_gdt();

    for (unsigned i = 0; i < ARRAY_SIZE(bad_types); i++) {
        CHECK_ERR(hc_update_descriptor(maddr_of(&gdt[7]),
                                       DESC_SYSTEM(bad_types[i])),
                  -XEN_EINVAL);
        CHECK_EQ(gdt[7], 0);
    }
    no_gdt();
}

/*
 * A call gate would enter any ring at any address: refused, or kept with
 * DPL 0, so that no instruction of ours gets through it.
 */
TEST(call_gates)
{
    u64 *gdt = loaded_gdt();
    long rc;
    u64 to_hypervisor = DESC_SYSTEM(12) | (0x0008UL << 16);
    u64 to_reserved = DESC_SYSTEM(12) | (0xe008UL << 16);

    rc = hc_update_descriptor(maddr_of(&gdt[7]), to_hypervisor);
    CHECK(rc == 0 || rc == -XEN_EINVAL);
    CHECK_EQ(gdt[7] & DESC_DPL_MASK, 0);
    CHECK_OK(hc_update_descriptor(maddr_of(&gdt[7]), 0));
    CHECK_ERR(hc_update_descriptor(maddr_of(&gdt[7]), to_reserved),
              -XEN_EINVAL);
    CHECK_EQ(gdt[7], 0);
    no_gdt();
}

/* A segment of a lower DPL is taken, as one of ring 3. */
TEST(privilege_level_is_forced_up)
{
    u64 *gdt = loaded_gdt();

    for (unsigned dpl = 0; dpl < 3; dpl++) {
        u64 data = (DESC_DATA & ~DESC_DPL_MASK) | DESC_DPL(dpl);
        u64 code = (DESC_CODE & ~DESC_DPL_MASK) | DESC_DPL(dpl);

        CHECK_OK(hc_update_descriptor(maddr_of(&gdt[7]), data));
        CHECK_EQ(gdt[7] & DESC_DPL_MASK, DESC_DPL(3));
        CHECK_OK(hc_update_descriptor(maddr_of(&gdt[8]), code));
        CHECK_EQ(gdt[8] & DESC_DPL_MASK, DESC_DPL(3));
    }
    no_gdt();
}

TEST(privilege_level_in_a_new_gdt)
{
    u64 *gdt = page_get();
    xen_pfn_t frame = mfn_of(gdt);

    gdt[7] = (DESC_CODE & ~DESC_DPL_MASK);
    CHECK_OK(make_ro(gdt));
    CHECK_OK(hc_set_gdt(&frame, 512));
    CHECK_EQ(gdt[7] & DESC_DPL_MASK, DESC_DPL(3));
    no_gdt();
}

TEST(not_present_descriptors_are_free)
{
    u64 *gdt = loaded_gdt();

    for (unsigned type = 0; type < 16; type++)
        CHECK_OK(hc_update_descriptor(maddr_of(&gdt[7]),
                                      DESC_SYSTEM(type) & ~DESC_P));
    CHECK_OK(hc_update_descriptor(maddr_of(&gdt[7]), 0));
    no_gdt();
}

/* Into any page that we may write, but into nothing else. */
TEST(update_descriptor_targets)
{
    u64 *page = page_get(), *table = table_empty();

    CHECK_OK(hc_update_descriptor(maddr_of(&page[4]), DESC_DATA));
    CHECK_EQ(page[4], DESC_DATA);
    CHECK_ERR(hc_update_descriptor(maddr_of(page) + 4, DESC_DATA), -XEN_EINVAL);
    CHECK_ERR(hc_update_descriptor(mfn_not_ours() * PAGE_SIZE, DESC_DATA),
              -XEN_EINVAL);
    CHECK_ERR(hc_update_descriptor(~0xfffUL, DESC_DATA), -XEN_EINVAL);
    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(table), 0));
    CHECK_ERR(hc_update_descriptor(maddr_of(table), DESC_DATA), -XEN_EINVAL);
    CHECK_EQ(table[0], 0);
}

TEST(ldt_good)
{
    u64 *ldt = page_get();

    ldt[3] = DESC_DATA;
    CHECK_OK(make_ro(ldt));
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, (ulong)ldt, 512));
    CHECK_EQ(load_fs(LDT_SEL(3)), NO_FAULT);
    CHECK_OK(hc_update_descriptor(maddr_of(&ldt[4]), DESC_DATA));
    CHECK_EQ(load_fs(LDT_SEL(4)), NO_FAULT);
    CHECK_EQ(load_fs(0), NO_FAULT);
    CHECK_EQ(load_fs(LDT_SEL(5)), VEC_GP);
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, 0, 0));
    CHECK_EQ(load_fs(LDT_SEL(3)), VEC_GP);
}

TEST(ldt_bad)
{
    u64 *ldt = page_get();

    CHECK_ERR(mmuext1(MMUEXT_SET_LDT, (ulong)ldt + 8, 512), -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_SET_LDT, (ulong)ldt, 8193), -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_SET_LDT, HYPERVISOR_VA, 512), -XEN_EINVAL);
    CHECK_ERR(mmuext1(MMUEXT_SET_LDT, NON_CANONICAL_VA & ~0xfffUL, 512),
              -XEN_EINVAL);
}

/*
 * The LDT's pages are looked at when a selector is used.  One that cannot be
 * a descriptor page is a page fault at the kernel's own address of it.
 */
TEST(ldt_of_writable_page)
{
    u64 *ldt = page_get();

    ldt[3] = DESC_DATA;
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, (ulong)ldt, 512));
    CHECK_EQ(load_fs(LDT_SEL(3)), VEC_PF);
    CHECK_EQ(fault.cr2, &ldt[3]);
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, 0, 0));
}

TEST(ldt_with_illegal_gate)
{
    u64 *ldt = page_get();

    ldt[3] = DESC_DATA;
    ldt[4] = DESC_SYSTEM(14);
    CHECK_OK(make_ro(ldt));
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, (ulong)ldt, 512));
    CHECK_EQ(load_fs(LDT_SEL(3)), VEC_PF);
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, 0, 0));
}

TEST(ldt_of_unmapped_page)
{
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, UNMAPPED_VA & ~0xfffUL, 512));
    CHECK_EQ(load_fs(LDT_SEL(3)), VEC_PF);
    CHECK_EQ(fault.cr2, (UNMAPPED_VA & ~0xfffUL) + 24);
    CHECK_OK(mmuext1(MMUEXT_SET_LDT, 0, 0));
}

static u64 fs_word(void)
{
    u64 v;
    asm volatile("mov %%fs:0, %0" : "=r"(v));
    return v;
}

static u64 gs_word(void)
{
    u64 v;
    asm volatile("mov %%gs:0, %0" : "=r"(v));
    return v;
}

TEST(segment_bases)
{
    u64 *a = page_get(), *b = page_get();

    *a = 0xaaaa;
    *b = 0xbbbb;
    CHECK_OK(hc_set_segment_base(SEGBASE_FS, (ulong)a));
    CHECK_EQ(fs_word(), 0xaaaa);
    CHECK_OK(hc_set_segment_base(SEGBASE_GS_KERNEL, (ulong)b));
    CHECK_EQ(gs_word(), 0xbbbb);
    CHECK_OK(hc_set_segment_base(SEGBASE_GS_USER, (ulong)a));
    CHECK_EQ(gs_word(), 0xbbbb);
    CHECK_EQ(rdmsr(0xc0000100), a);
    CHECK_EQ(rdmsr(0xc0000101), b);
    CHECK_EQ(rdmsr(0xc0000102), a);
}

TEST(segment_base_selector)
{
    CHECK_OK(hc_set_segment_base(SEGBASE_GS_USER_SEL, 0));
    CHECK_OK(hc_set_segment_base(SEGBASE_GS_USER_SEL, FLAT_USER_SS));
    /* A selector of nothing loads as the null one. */
    CHECK_OK(hc_set_segment_base(SEGBASE_GS_USER_SEL, 0x7ff3));
    CHECK_OK(hc_set_segment_base(SEGBASE_GS_USER_SEL, 0));
}

TEST(segment_base_bad)
{
    for (u32 which = 0; which < 3; which++) {
        CHECK_ERR(hc_set_segment_base(which, NON_CANONICAL_VA), -XEN_EINVAL);
        CHECK_ERR(hc_set_segment_base(which, 1UL << 63), -XEN_EINVAL);
    }
    CHECK_ERR(hc_set_segment_base(4, 0), -XEN_EINVAL);
    CHECK_ERR(hc_set_segment_base(~0u, 0), -XEN_EINVAL);
}
