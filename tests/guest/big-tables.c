/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trees of many page tables: validating and dropping one takes long, so the
 * hypervisor has to attend to its other duties meanwhile, and all must be as
 * if it had been done at once.  A second virtual CPU watches: a timer that the
 * first one has set fires before the first one's long call is over.
 */
#include "guest.h"

#define NR_L1 1200
#define NR_L2 DIV_UP(NR_L1, 512)
#define DIV_UP(a, b) (((a) + (b)-1) / (b))
#define SLOT 2 /* of the level-4 table */
#define TRIES 10
#define AT_LAST 60000000000UL /* ns: only what never comes takes so long */

static char second_stack[4096] __attribute__((aligned(16)));
static volatile bool watching, in_call, caught;
static evtchn_port_t timer_port;

static u64 *l1s, *l2s, *l3, *l4, *data;

static void second_main(void)
{
    for (;;) {
        if (watching && port_pending(timer_port)) {
            caught = in_call;
            watching = false;
        }
        asm volatile("pause");
    }
}

TEST(start_second)
{
    static struct vcpu_guest_context c;

    kernel_context(&c, second_main, END_OF(second_stack));
    memcpy(c.trap_ctxt, trap_table, sizeof(c.trap_ctxt));
    REQUIRE(CHECK_OK(hc_vcpu_op(VCPUOP_initialise, 1, &c)));
    shared_info->vcpu_info[1].evtchn_upcall_mask = 1;
    timer_port = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);
    CHECK_OK(hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    REQUIRE(CHECK_OK(hc_vcpu_op(VCPUOP_up, 1, NULL)));
}

static u64 entry_of(const void *page)
{
    return PTE(mfn_of(page), PTE_RO_FLAGS);
}

/* NR_L1 full tables, each of whose entries maps one page read-only. */
TEST(build)
{
    const u64 *ours = (u64 *)start_info->pt_base;

    data = page_get();
    l1s = pages_get(NR_L1);
    l2s = pages_get(NR_L2);
    l3 = page_get();
    l4 = page_get();
    for (ulong i = 0; i < NR_L1 * 512; i++)
        l1s[i] = entry_of(data);
    for (ulong i = 0; i < NR_L1; i++)
        l2s[i] = entry_of(l1s + i * 512);
    for (ulong i = 0; i < NR_L2; i++)
        l3[i] = entry_of(l2s + i * 512);
    for (ulong i = 0; i < 512; i++)
        l4[i] = i == SLOT ? entry_of(l3) : ours[i];
}

static void all_tables(long (*change)(const volatile void *va))
{
    long bad = 0;

    for (ulong i = 0; i < NR_L1; i++)
        bad += change(l1s + i * 512) != 0;
    for (ulong i = 0; i < NR_L2; i++)
        bad += change(l2s + i * 512) != 0;
    bad += change(l3) != 0;
    bad += change(l4) != 0;
    CHECK_EQ(bad, 0);
}

/* The result of a call, which a timer interrupts. */
#define WATCHED(call)                               \
    ({                                              \
        long rc_;                                   \
        port_open(timer_port);                      \
        port_forget(timer_port);                    \
        caught = false;                             \
        in_call = watching = true;                  \
        hc_set_timer_op(system_time() + 1000000UL); \
        rc_ = (call);                               \
        in_call = false;                            \
        rc_;                                        \
    })

/* A busy host may give the CPU that watches no time during the call: see
 * TRIES. */
static bool was_interrupted(void)
{
    u64 end = system_time() + AT_LAST;

    while (watching && system_time() < end)
        ;
    CHECK(!watching);
    port_forget(timer_port);
    return caught;
}

TEST(pin_and_unpin)
{
    bool pin = false, unpin = false;

    all_tables(make_ro);
    for (unsigned i = 0; i < TRIES && !(pin && unpin); i++) {
        CHECK_OK(WATCHED(mmuext1(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0)));
        pin |= was_interrupted();
        CHECK_ERR(make_rw(l1s), -XEN_EBUSY);
        CHECK_OK(WATCHED(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(l4), 0)));
        unpin |= was_interrupted();
    }
    CHECK(pin);
    CHECK(unpin);
    all_tables(make_rw);
}

/* What a vain attempt took is given back. */
TEST(pin_with_a_wrong_entry)
{
    u64 *last = &l3[NR_L2];
    bool pin = false;

    *last = entry_of(data) | PTE_PSE;
    all_tables(make_ro);
    for (unsigned i = 0; i < TRIES && !pin; i++) {
        CHECK_ERR(WATCHED(mmuext1(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0)),
                  -XEN_EINVAL);
        pin = was_interrupted();
    }
    CHECK(pin);
    all_tables(make_rw);
    *last = 0;
}

TEST(entry_of_a_tree)
{
    u64 *root = table_empty();
    bool set = false, cleared = false;

    all_tables(make_ro);
    CHECK_OK(mmuext1(MMUEXT_PIN_L4_TABLE, mfn_of(root), 0));
    for (unsigned i = 0; i < TRIES && !(set && cleared); i++) {
        CHECK_OK(WATCHED(mmu_update1(maddr_of(root), entry_of(l3))));
        set |= was_interrupted();
        CHECK_ERR(make_rw(l2s), -XEN_EBUSY);
        CHECK_OK(WATCHED(mmu_update1(maddr_of(root), 0)));
        cleared |= was_interrupted();
    }
    CHECK(set);
    CHECK(cleared);
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(root), 0));
    all_tables(make_rw);
}

static long load_cr3(ulong value)
{
    asm volatile("mov %0, %%cr3" ::"r"(value) : "memory");
    return 0;
}

TEST(root_by_a_trapped_instruction)
{
    ulong old = READ_REG(cr3);
    bool loaded = false, left = false;

    all_tables(make_ro);
    for (unsigned i = 0; i < TRIES && !(loaded && left); i++) {
        CHECK_NO_FAULT(WATCHED(load_cr3(maddr_of(l4))));
        loaded |= was_interrupted();
        CHECK_EQ(*(volatile u64 *)((ulong)SLOT << 39), *data);
        CHECK_NO_FAULT(WATCHED(load_cr3(old)));
        left |= was_interrupted();
    }
    CHECK(loaded);
    CHECK(left);
    all_tables(make_rw);
}
