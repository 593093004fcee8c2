/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random operations on a handful of pages that point at each other: pins,
 * updates by every way there is, base pointers, descriptor tables.  Whatever
 * is accepted, no table or descriptor page may be mapped writable, no page may
 * serve at two levels; and in the end every page must come back as plain
 * memory.  The sequence follows from the seed, which a failure names.
 */
#include "guest.h"

#define PAGES 12
#define STEPS 30000

static u64 *page[PAGES];
static unsigned pinned[PAGES]; /* the level, 0: not pinned */
static int user_root = -1, gdt = -1;
static u64 state;

/* How often each level was pinned, and how many entries led to a table. */
static unsigned pin_count[5], links;

static const u32 pins[5] = { 0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
                             MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE };
/* Slots in use; those of the hypervisor are not looked at again. */
static const unsigned slots[] = { 0, 1, 255, 260, 272, 511 };

/* xorshift64 */
static u64 draw(u64 below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % below;
}

static unsigned draw_slot(void)
{
    return slots[draw(ARRAY_SIZE(slots))];
}

static u64 draw_entry(void)
{
    static const u64 flags[] = {
        PTE_RW_FLAGS,
        PTE_RW_FLAGS,
        PTE_RO_FLAGS,
        PTE_RO_FLAGS,
        PTE_P | PTE_RW | PTE_US,
        PTE_P | PTE_US,
        0,
        PTE_RW_FLAGS | PTE_PSE,
    };
    u64 kind = draw(20);

    if (kind == 0)
        return PTE(mfn_not_ours(), PTE_RW_FLAGS);
    if (kind == 1)
        return PTE(mfn_of((void *)start_info->pt_base), PTE_RW_FLAGS);
    return PTE(mfn_of(page[draw(PAGES)]), flags[draw(ARRAY_SIZE(flags))]);
}

static bool mapped_writable(const void *p)
{
    u64 pte = *pte_of((ulong)p, 1);
    return (pte & PTE_P) && (pte & PTE_RW);
}

static bool mapped(const void *p)
{
    return *pte_of((ulong)p, 1) & PTE_P;
}

static void step_pin(unsigned i)
{
    unsigned level = (unsigned)draw(4) + 1;

    if (pinned[i]) {
        if (!mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(page[i]), 0))
            pinned[i] = 0;
    } else if (!mmuext1(pins[level], mfn_of(page[i]), 0)) {
        pinned[i] = level;
        pin_count[level]++;
    }
}

static void step_remap(unsigned i)
{
    static const u64 flags[] = { PTE_RW_FLAGS, PTE_RO_FLAGS, 0 };
    u64 f = flags[draw(3)];

    remap(page[i], f ? PTE(mfn_of(page[i]), f) : 0);
}

/* A store: plain where the page is writable, else trapped or refused. */
static void step_store(unsigned i)
{
    volatile u64 *at = &page[i][draw_slot()];
    u64 value = draw_entry();

    FAULT_OF(*at = value);
}

static void step_user_root(unsigned i)
{
    if (draw(2)) {
        if (!mmuext1(MMUEXT_NEW_USER_BASEPTR, 0, 0))
            user_root = -1;
    } else if (!mmuext1(MMUEXT_NEW_USER_BASEPTR, mfn_of(page[i]), 0)) {
        user_root = (int)i;
    }
}

static void step_gdt(unsigned i)
{
    xen_pfn_t frame = mfn_of(page[i]);

    if (draw(2)) {
        if (!hc_set_gdt(&frame, 0))
            gdt = -1;
    } else if (!hc_set_gdt(&frame, 512)) {
        gdt = (int)i;
    }
}

static void step(void)
{
    unsigned i = (unsigned)draw(PAGES), j = (unsigned)draw(PAGES);
    u64 at = maddr_of(&page[i][draw_slot()]);

    switch (draw(16)) {
    case 0:
    case 1:
    case 2: step_pin(i); break;
    case 3:
    case 4: step_remap(i); break;
    case 5:
    case 6:
    case 7: step_store(i); break;
    case 8: step_user_root(i); break;
    case 9: step_gdt(i); break;
    case 10: mmuext1(MMUEXT_CLEAR_PAGE, mfn_of(page[i]), 0); break;
    case 11: mmuext1(MMUEXT_COPY_PAGE, mfn_of(page[i]), mfn_of(page[j])); break;
    case 12: hc_update_descriptor(at, draw_entry()); break;
    case 13: mmu_update1(at | MMU_PT_UPDATE_PRESERVE_AD, draw_entry()); break;
    default: mmu_update1(at, draw_entry()); break;
    }
}

static int index_of(ulong mfn)
{
    for (int i = 0; i < PAGES; i++) {
        if (mfn_of(page[i]) == mfn)
            return i;
    }
    return -1;
}

/* A read-only window for looking at a page that we may have unmapped. */
static const u64 *look(unsigned i)
{
    static void *window;

    if (!window)
        window = page_get();
    remap(window, PTE(mfn_of(page[i]), PTE_RO_FLAGS));
    return window;
}

static unsigned role[PAGES]; /* the level a page is reached at; 5: GDT */
static unsigned breaches;

static void breach(const char *what, unsigned i, unsigned slot)
{
    if (!breaches++)
        print("# %s: page %u slot %u\n", what, i, slot);
}

static bool give_role(unsigned i, unsigned level);

/*
 * Entries of a table of level 2 to 4 lead to tables of the level below.  A
 * read-only one may be a linear mapping, to a table of the same level: what
 * is reached by such entries alone gets no role.
 */
static void follow(unsigned i, unsigned level)
{
    for (unsigned s = 0; s < ARRAY_SIZE(slots); s++) {
        u64 entry = look(i)[slots[s]];
        int to = index_of(PTE_MFN(entry));

        if (!(entry & PTE_P) || (level == 4 && slots[s] == 260))
            continue;
        if (to < 0)
            breach("an upper entry leaves the set", i, slots[s]);
        else if ((entry & PTE_RW) && ++links &&
                 give_role((unsigned)to, level - 1) && level > 2)
            follow((unsigned)to, level - 1);
    }
}

/* True if the page had none before. */
static bool give_role(unsigned i, unsigned level)
{
    if (role[i] && role[i] != level)
        breach("a page has two roles", i, role[i] * 10 + level);
    if (role[i])
        return false;
    role[i] = level;
    return true;
}

static void find_roles(void)
{
    memset(role, 0, sizeof(role));
    for (unsigned i = 0; i < PAGES; i++) {
        if (pinned[i])
            give_role(i, pinned[i]);
    }
    if (user_root >= 0)
        give_role((unsigned)user_root, 4);
    if (gdt >= 0)
        give_role((unsigned)gdt, 5);
    for (unsigned i = 0; i < PAGES; i++) {
        if (role[i] >= 2 && role[i] <= 4)
            follow(i, role[i]);
    }
}

/* No page with a role is mapped writable: not by us, not by a table. */
static void check_writable_mappings(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        if (role[i] && mapped_writable(page[i]))
            breach("a table is mapped writable", i, role[i]);
        if (role[i] != 1)
            continue;
        for (unsigned s = 0; s < ARRAY_SIZE(slots); s++) {
            u64 entry = look(i)[slots[s]];
            int to = index_of(PTE_MFN(entry));

            if ((entry & PTE_P) && (entry & PTE_RW) && to >= 0 && role[to])
                breach("an L1 maps a table writable", i, slots[s]);
            if ((entry & PTE_P) && PTE_MFN(entry) == mfn_not_ours())
                breach("an L1 maps what is not ours", i, slots[s]);
        }
    }
}

/* Everything given up, every page must be ours to write again. */
static void give_up_all(void)
{
    xen_pfn_t none = 0;

    CHECK_OK(mmuext1(MMUEXT_NEW_USER_BASEPTR, 0, 0));
    CHECK_OK(hc_set_gdt(&none, 0));
    user_root = gdt = -1;
    for (unsigned i = 0; i < PAGES; i++) {
        if (pinned[i])
            CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(page[i]), 0));
        pinned[i] = 0;
    }
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_OK(make_rw(page[i]));
        if (mapped(page[i]))
            memset(page[i], 0, PAGE_SIZE);
    }
}

static void run(u64 seed)
{
    state = seed;
    breaches = links = 0;
    memset(pin_count, 0, sizeof(pin_count));
    for (unsigned i = 0; i < PAGES; i++)
        page[i] = page[i] ? page[i] : page_get();
    for (unsigned n = 0; n < STEPS && !breaches; n++) {
        step();
        if (n % 4 == 0) {
            find_roles();
            check_writable_mappings();
        }
    }
    if (breaches)
        print("# seed %lx\n", seed);
    CHECK_EQ(breaches, 0);
    /* It has been about something. */
    for (unsigned level = 1; level <= 4; level++)
        CHECK(pin_count[level] > 100);
    CHECK(links > 100);
    give_up_all();
}

TEST(fuzz_seed_1)
{
    run(option_number("seed=", 0x1234567));
}

TEST(fuzz_seed_2)
{
    run(0x9e3779b97f4a7c15);
}

TEST(fuzz_seed_3)
{
    run(0xfeedface);
}
