/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stores into a level-1 table that is mapped read-only: the hypervisor
 * carries them out if the new entry is allowed, else the kernel gets #PF.
 */
#include "guest.h"

/* A pinned L1; slot 0 maps `data` writable. */
struct rig {
    volatile u64 *l1;
    u64 *data, *other;
    u64 entry;
};

static struct rig rig(void)
{
    struct rig r = { .data = page_get(), .other = page_get() };

    r.entry = PTE(mfn_of(r.data), PTE_RW_FLAGS);
    r.l1 = table_with(0, r.entry);
    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(r.l1), 0));
    return r;
}

static u64 rw_to(const void *page)
{
    return PTE(mfn_of(page), PTE_RW_FLAGS);
}

TEST(store_8_bytes)
{
    struct rig r = rig();

    CHECK_NO_FAULT(r.l1[0] = rw_to(r.other));
    /* The hypervisor may add G. */
    CHECK_EQ(r.l1[0] & ~PTE_G, rw_to(r.other));
    CHECK_NO_FAULT(r.l1[0] = 0);
    CHECK_EQ(r.l1[0], 0);
    CHECK_NO_FAULT(r.l1[511] = r.entry);
    CHECK_EQ(PTE_MFN(r.l1[511]), mfn_of(r.data));
}

/* The reference counts followed the stores. */
TEST(store_counts_references)
{
    struct rig r = rig();

    CHECK_OK(make_ro(r.data));
    CHECK_ERR(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(r.data), 0), ERR_IN_USE);
    CHECK_NO_FAULT(r.l1[0] = 0);
    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(r.data), 0));
    /* Now it is a table: mapping it writable faults, read-only is fine. */
    CHECK_FAULT(r.l1[0] = r.entry, VEC_PF);
    CHECK_EQ(fault.error, PF_P | PF_W);
    CHECK_EQ(fault.cr2, &r.l1[0]);
    CHECK_EQ(r.l1[0], 0);
    CHECK_NO_FAULT(r.l1[0] = PTE(mfn_of(r.data), PTE_RO_FLAGS));
}

TEST(store_of_foreign_frame)
{
    struct rig r = rig();
    u64 before = r.l1[0];

    CHECK_FAULT(r.l1[0] = PTE(mfn_not_ours(), PTE_RO_FLAGS), VEC_PF);
    CHECK_EQ(r.l1[0], before);
}

TEST(store_of_address_beyond_the_machine)
{
    struct rig r = rig();

    CHECK_FAULT(r.l1[1] = PTE_ADDR | PTE_RO_FLAGS, VEC_PF);
    CHECK_EQ(r.l1[1], 0);
}

/* Clearing P by the low half, as a kernel does for PROT_NONE. */
TEST(store_4_bytes)
{
    struct rig r = rig();
    volatile u32 *half = (volatile u32 *)&r.l1[0];

    CHECK_NO_FAULT(half[0] = (u32)r.entry & ~1u);
    CHECK_EQ((u32)r.l1[0], (u32)r.entry & ~1u);
    CHECK_EQ(r.l1[0] >> 32, r.entry >> 32);
    CHECK_NO_FAULT(half[1] = 0x12345);
    CHECK_EQ(r.l1[0] >> 32, 0x12345);
}

TEST(store_2_bytes)
{
    struct rig r = rig();
    volatile uint16_t *part = (volatile uint16_t *)&r.l1[0];

    CHECK_NO_FAULT(part[0] = (uint16_t)(r.entry & ~PTE_RW));
    CHECK_EQ(r.l1[0] & PTE_RW, 0);
    CHECK_EQ(PTE_MFN(r.l1[0]), mfn_of(r.data));
}

TEST(store_1_byte)
{
    struct rig r = rig();
    volatile uint8_t *part = (volatile uint8_t *)&r.l1[0];

    CHECK_NO_FAULT(part[0] = (uint8_t)(r.entry & ~PTE_RW));
    CHECK_EQ(r.l1[0] & PTE_RW, 0);
    CHECK_EQ(PTE_MFN(r.l1[0]), mfn_of(r.data));
}

/* Over the boundary between two entries: nobody needs it, nothing changes. */
TEST(store_misaligned)
{
    struct rig r = rig();
    u64 before = r.l1[0];

    CHECK_FAULT(*(volatile u64 *)((char *)r.l1 + 4) = 0, VEC_PF);
    CHECK_FAULT(*(volatile u32 *)((char *)r.l1 + 6) = 0, VEC_PF);
    CHECK_FAULT(*(volatile uint16_t *)((char *)r.l1 + 7) = 0, VEC_PF);
    CHECK_EQ(r.l1[0], before);
    CHECK_EQ(r.l1[1], 0);
}

/* Within one entry a misaligned part is a part like any other. */
TEST(store_misaligned_within_entry)
{
    struct rig r = rig();
    u64 want = DIFFERS(0x12340000, 0, "any part is carried out");

    CHECK_NO_FAULT(r.l1[0] = 0);
    FAULT_OF(*(volatile u32 *)((char *)r.l1 + 2) = 0x1234);
    CHECK_EQ(r.l1[0], want);
}

TEST(exchange)
{
    struct rig r = rig();
    u64 value = rw_to(r.other);

    CHECK_NO_FAULT(asm volatile("xchg %0, %1"
                                : "+r"(value), "+m"(r.l1[0])
                                :
                                : "memory"));
    CHECK_EQ(PTE_MFN(value), mfn_of(r.data));
    CHECK_EQ(PTE_MFN(r.l1[0]), mfn_of(r.other));
    value = 0;
    CHECK_NO_FAULT(asm volatile("xchg %0, %1"
                                : "+r"(value), "+m"(r.l1[0])
                                :
                                : "memory"));
    CHECK_EQ(r.l1[0], 0);
}

static u64 compare_exchange(volatile u64 *at, u64 old, u64 new)
{
    u64 seen = old;

    asm volatile("lock cmpxchg %2, %1"
                 : "+a"(seen), "+m"(*at)
                 : "r"(new)
                 : "memory", "cc");
    return seen;
}

TEST(compare_and_exchange)
{
    struct rig r = rig();
    u64 entry = r.l1[0], seen = 0;

    CHECK_NO_FAULT(seen = compare_exchange(r.l1, entry, rw_to(r.other)));
    CHECK_EQ(seen, entry);
    CHECK_EQ(PTE_MFN(r.l1[0]), mfn_of(r.other));
    /* A wrong guess writes nothing and tells what is there. */
    CHECK_NO_FAULT(seen = compare_exchange(r.l1, 0, r.entry));
    CHECK_EQ(PTE_MFN(seen), mfn_of(r.other));
    CHECK_EQ(PTE_MFN(r.l1[0]), mfn_of(r.other));
}

TEST(compare_and_exchange_refused)
{
    struct rig r = rig();
    u64 before = r.l1[0];

    CHECK_FAULT(compare_exchange(r.l1, before, rw_to((void *)r.l1)), VEC_PF);
    CHECK_EQ(r.l1[0], before);
}

TEST(read_modify_write)
{
    struct rig r = rig();

    CHECK_NO_FAULT(asm volatile("lock andq %1, %0"
                                : "+m"(r.l1[0])
                                : "er"(~PTE_RW)
                                : "memory", "cc"));
    CHECK_EQ(r.l1[0] & PTE_RW, 0);
    CHECK_NO_FAULT(asm volatile("lock btsq $1, %0"
                                : "+m"(r.l1[0])
                                :
                                : "memory", "cc"));
    CHECK_EQ(r.l1[0] & PTE_RW, PTE_RW);
    CHECK_NO_FAULT(asm volatile("lock btrq $1, %0"
                                : "+m"(r.l1[0])
                                :
                                : "memory", "cc"));
    CHECK_EQ(r.l1[0] & PTE_RW, 0);
    CHECK_NO_FAULT(asm volatile("orq $2, %0"
                                : "+m"(r.l1[0])
                                :
                                : "memory", "cc"));
    CHECK_EQ(r.l1[0] & PTE_RW, PTE_RW);
}

/* lock btr of one bit by its byte, as a kernel's clear_bit() may be. */
TEST(read_modify_write_of_a_byte)
{
    struct rig r = rig();
    volatile uint8_t *byte = (volatile uint8_t *)r.l1;

    CHECK_NO_FAULT(asm volatile("lock andb $0xfd, %0"
                                : "+m"(*byte)
                                :
                                : "memory", "cc"));
    CHECK_EQ(r.l1[0] & PTE_RW, 0);
    CHECK_NO_FAULT(asm volatile("lock orb $2, %0"
                                : "+m"(*byte)
                                :
                                : "memory", "cc"));
    CHECK_EQ(r.l1[0] & PTE_RW, PTE_RW);
}

/* The flags of the carried-out instruction are right. */
TEST(flags_after_emulation)
{
    struct rig r = rig();
    u64 flags = 0;

    CHECK_NO_FAULT(asm volatile("lock btrq $1, %0\n\tpushfq\n\tpopq %1"
                                : "+m"(r.l1[0]), "=r"(flags)
                                :
                                : "memory", "cc"));
    CHECK_EQ(flags & FL_CF, FL_CF);
    CHECK_NO_FAULT(asm volatile("lock btrq $1, %0\n\tpushfq\n\tpopq %1"
                                : "+m"(r.l1[0]), "=r"(flags)
                                :
                                : "memory", "cc"));
    CHECK_EQ(flags & FL_CF, 0);
}

/* Addressing forms: base, index, displacement, immediate source. */
TEST(addressing_forms)
{
    struct rig r = rig();
    volatile u64 *l1 = r.l1;
    u64 v = rw_to(r.other);

    CHECK_NO_FAULT(asm volatile("movq %0, 16(%1,%2,8)"
                                :
                                : "r"(v), "r"(l1), "r"(3UL)
                                : "memory"));
    CHECK_EQ(PTE_MFN(l1[5]), mfn_of(r.other));
    CHECK_NO_FAULT(asm volatile("movq $0, 40(%0)" : : "r"(l1) : "memory"));
    CHECK_EQ(l1[5], 0);
    CHECK_NO_FAULT(asm volatile("movl $0x1230, (%0)"
                                :
                                : "r"(l1 + 6)
                                : "memory"));
    CHECK_EQ(l1[6], 0x1230);
    CHECK_NO_FAULT(asm volatile("movq %0, (%1)"
                                :
                                : "r"(v), "r"(l1 + 7)
                                : "memory"));
    CHECK_EQ(PTE_MFN(l1[7]), mfn_of(r.other));
}

/* String stores may be left out: then the kernel sees its fault. */
TEST(string_store)
{
    struct rig r = rig();
    volatile u64 *at = r.l1 + 8;
    int got = FAULT_OF(asm volatile("stosq"
                                    : "+D"(at)
                                    : "a"(0x4560UL)
                                    : "memory"));

    CHECK_EQ(got, DIFFERS(VEC_PF, NO_FAULT, "no kernel in use needs it"));
    CHECK_EQ(r.l1[8], got == NO_FAULT ? 0x4560 : 0);
}

/* Only level-1 tables are written this way. */
TEST(store_into_upper_levels)
{
    static const u32 pins[] = { MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
                                MMUEXT_PIN_L4_TABLE };

    for (unsigned i = 0; i < ARRAY_SIZE(pins); i++) {
        volatile u64 *table = table_empty();

        CHECK_OK(mmuext1(pins[i], mfn_of(table), 0));
        CHECK_FAULT(table[0] = 0, VEC_PF);
        CHECK_FAULT(table[0] = 0x1230, VEC_PF);
        CHECK_EQ(table[0], 0);
    }
}

/* A read-only page that is no table just faults. */
TEST(store_into_plain_read_only_page)
{
    volatile u64 *page = page_get();

    CHECK_OK(make_ro(page));
    CHECK_FAULT(page[0] = 1, VEC_PF);
    CHECK_EQ(fault.error, PF_P | PF_W);
    CHECK_EQ(fault.cr2, page);
}

/* The tables we run on, by their own read-only mapping. */
TEST(store_into_live_table)
{
    volatile u32 *a = page_get(), *b = page_get();
    volatile u64 *pte = pte_of((ulong)a, 1);

    *a = 0xaaaa;
    *b = 0xbbbb;
    CHECK_NO_FAULT(*pte = rw_to((void *)b));
    CHECK_OK(mmuext1(MMUEXT_INVLPG_LOCAL, (ulong)a, 0));
    CHECK_EQ(*a, 0xbbbb);
    CHECK_NO_FAULT(*pte = 0);
    CHECK_OK(mmuext1(MMUEXT_INVLPG_LOCAL, (ulong)a, 0));
    CHECK_FAULT(*a, VEC_PF);
}
