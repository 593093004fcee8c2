/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames, the page pool and walks of the page tables. */
#include "guest.h"

#define POOL_PAGES 2048

static char pool[POOL_PAGES][PAGE_SIZE]
    __attribute__((section(".pool,\"aw\",@nobits#"), aligned(4096)));
static unsigned pool_used;
static char shared_page[PAGE_SIZE] __attribute__((aligned(4096)));

/* run_one() masks upcalls before each test: what the builder had set. */
uint8_t upcall_mask_at_start;

void pages_init(void)
{
    if (remap(shared_page, start_info->shared_info | PTE_RW_FLAGS))
        print("the shared page cannot be mapped\n");
    shared_info = (shared_info_t *)shared_page;
    upcall_mask_at_start = vcpu0()->evtchn_upcall_mask;
}

void *pages_get(unsigned n)
{
    void *page = pool[pool_used];

    if (pool_used + n > POOL_PAGES) {
        print("the page pool is used up\n");
        test_abort();
    }
    pool_used += n;
    memset(page, 0, n * PAGE_SIZE);
    return page;
}

void *page_get(void)
{
    return pages_get(1);
}

ulong *p2m(void)
{
    return (ulong *)start_info->mfn_list;
}

ulong m2p(ulong mfn)
{
    return machine_to_phys_mapping[mfn];
}

ulong pfn_of(const volatile void *va)
{
    return ((ulong)va - VIRT_BASE) / PAGE_SIZE;
}

ulong mfn_of(const volatile void *va)
{
    return p2m()[pfn_of(va)];
}

u64 maddr_of(const volatile void *va)
{
    return mfn_of(va) * PAGE_SIZE + (ulong)va % PAGE_SIZE;
}

void *va_of_mfn(ulong mfn)
{
    return (void *)(VIRT_BASE + m2p(mfn) * PAGE_SIZE);
}

bool mfn_is_ours(ulong mfn)
{
    ulong pfn;

    if (FAULT_OF(pfn = m2p(mfn)) != NO_FAULT)
        return false;
    return pfn < start_info->nr_pages && p2m()[pfn] == mfn;
}

/* Above the first 16 MiB (the hypervisor's image), below 256 MiB. */
ulong mfn_not_ours(void)
{
    for (ulong mfn = 0x2000; mfn < 0x10000; mfn++) {
        if (!mfn_is_ours(mfn) && !mfn_is_ours(mfn + 1))
            return mfn;
    }
    return 0;
}

u64 *pte_of(ulong va, unsigned level)
{
    u64 *table = (u64 *)start_info->pt_base;
    unsigned at = 4;

    for (;; at--) {
        u64 *entry = &table[(va >> (12 + 9 * (at - 1))) & 511];

        if (at == level)
            return entry;
        if (!(*entry & PTE_P) || (*entry & PTE_PSE))
            return NULL;
        table = va_of_mfn(PTE_MFN(*entry));
    }
}

u64 pte_maddr(ulong va, unsigned level)
{
    u64 *entry = pte_of(va, level);

    return entry ? maddr_of(entry) : 0;
}

long remap(const volatile void *va, u64 pte)
{
    return hc_update_va_mapping((ulong)va, pte, UVMF_INVLPG);
}

long make_ro(const volatile void *va)
{
    return remap(va, PTE(mfn_of(va), PTE_RO_FLAGS));
}

long make_rw(const volatile void *va)
{
    return remap(va, PTE(mfn_of(va), PTE_RW_FLAGS));
}

long map_at(ulong va, u64 pte)
{
    for (unsigned level = 4; level > 1; level--) {
        u64 *entry = pte_of(va, level);
        u64 *table;
        long rc;

        if (*entry & PTE_P)
            continue;
        table = table_empty();
        rc = mmu_update1(maddr_of(entry), PTE(mfn_of(table), PTE_RW_FLAGS));
        if (rc)
            return rc;
    }
    return hc_update_va_mapping(va, pte, UVMF_INVLPG);
}

u64 *table_with(unsigned slot, u64 entry)
{
    u64 *table = page_get();

    table[slot] = entry;
    if (make_ro(table))
        print("a pool page cannot be made read-only\n");
    return table;
}

u64 *table_empty(void)
{
    return table_with(0, 0);
}

void *edge(unsigned n)
{
    static char *page;

    if (!page) {
        page = pages_get(2);
        remap(page + PAGE_SIZE, 0);
    }
    return page + PAGE_SIZE - n;
}
