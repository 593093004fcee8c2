/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's own page tables, built once: the image (text read-only,
 * nothing writable and executable), all RAM one to one, device mappings, the
 * machine-to-phys table twice.  The third-level tables of slots 256-271 exist
 * from the start, so every guest's top level copies the same 16 entries.
 */
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/layout.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/string.h>
#include <hv/x86.h>

pte_t *hv_l4;

extern const char hv_text_start[], hv_text_end[];
extern const char hv_rodata_start[], hv_rodata_end[];
extern const char hv_init_text_start[], hv_init_text_end[];
extern const char hv_image_start[], hv_image_end[];

static bool allocator_ready;
static unsigned long ioremap_next = IOREMAP_VIRT_START;

static noinline pte_t *alloc_table(void)
{
    pte_t *t;

    if (!allocator_ready) {
        t = maddr_to_virt(boot_alloc(PAGE_SIZE, PAGE_SIZE, BOOT_MAPPED));
        clear_page(t);
        return t;
    }
    return alloc_hv_page_zeroed();
}

maddr_t virt_to_maddr_image(const void *p)
{
    return (unsigned long)p - IMAGE_VIRT_START + IMAGE_PHYS_START;
}

static pte_t *table_of(pte_t e)
{
    return mfn_to_virt(pte_mfn(e));
}

/* Replace a superpage at level 2 or 3 by a table of the next smaller pages. */
static int split_superpage(pte_t *e, unsigned int level)
{
    size_t step = 1UL << (PAGE_SHIFT + 9 * (level - 2));
    u64 flags = *e & PTE_FLAGS_MASK;
    maddr_t ma = *e & PTE_ADDR_MASK;
    pte_t *t = alloc_table();

    if (!t)
        return -ENOMEM;
    if (level == 2)
        flags &= ~_PAGE_PSE;
    for (unsigned int i = 0; i < PT_ENTRIES; i++)
        t[i] = (ma + i * step) | flags;
    *e = virt_to_maddr(t) | _PAGE_PRESENT | _PAGE_RW | _PAGE_USER |
         _PAGE_ACCESSED;
    return 0;
}

/* The entry for va at `level` in the hypervisor's tables, made if need be. */
static pte_t *hv_entry(unsigned long va, unsigned int level)
{
    pte_t *t = hv_l4;

    for (unsigned int l = 4; l > level; l--) {
        pte_t *e = &t[pt_index(va, l)];

        if (!(*e & _PAGE_PRESENT)) {
            pte_t *n = alloc_table();

            if (!n)
                return NULL;
            *e = virt_to_maddr(n) | _PAGE_PRESENT | _PAGE_RW | _PAGE_USER |
                 _PAGE_ACCESSED;
        } else if ((*e & _PAGE_PSE) && split_superpage(e, l)) {
            return NULL;
        }
        t = table_of(*e);
    }
    return &t[pt_index(va, level)];
}

static unsigned int largest_level(unsigned long va, maddr_t ma, size_t size)
{
    if (cpu_features.page1gb && !((va | ma) & ((1UL << 30) - 1)) &&
        size >= 1UL << 30)
        return 3;
    return !((va | ma) & ((1UL << 21) - 1)) && size >= 1UL << 21 ? 2 : 1;
}

int hv_map(unsigned long va, maddr_t ma, size_t size, u64 flags)
{
    while (size) {
        unsigned int level = largest_level(va, ma, size);
        size_t step = 1UL << (PAGE_SHIFT + 9 * (level - 1));
        pte_t *e = hv_entry(va, level);

        if (!e)
            return -ENOMEM;
        /* A table already there, below a page we would make large: keep it. */
        if (level > 1 && (*e & _PAGE_PRESENT) && !(*e & _PAGE_PSE)) {
            step = 1UL << 21;
            e = level == 3 ? hv_entry(va, 2) : hv_entry(va, 1);
            if (level == 2)
                step = PAGE_SIZE;
            if (!e)
                return -ENOMEM;
            level--;
        }
        *e = ma | flags | (level > 1 ? _PAGE_PSE : 0);
        va += step;
        ma += step;
        size -= step;
    }
    return 0;
}

void hv_unmap_page(void *p)
{
    pte_t *e = hv_entry((unsigned long)p, 1);

    if (e) {
        *e = 0;
        invlpg((unsigned long)p);
    }
}

static void *map_at_next(maddr_t ma, size_t size, u64 flags)
{
    maddr_t first = ROUND_DOWN(ma, PAGE_SIZE);
    size_t len = ROUND_UP(ma + size, PAGE_SIZE) - first;
    unsigned long va = ioremap_next;

    if (va + len > IOREMAP_VIRT_END || hv_map(va, first, len, flags))
        return NULL;
    ioremap_next = va + len;
    return (void *)(va + (ma - first));
}

void *ioremap(maddr_t ma, size_t size)
{
    return map_at_next(ma, size, PAGE_HV_UC);
}

void *map_firmware(maddr_t ma, size_t size)
{
    return map_at_next(ma, size, PAGE_HV_RW);
}

unsigned int pt_walk(maddr_t cr3, unsigned long va, pte_t *entry)
{
    maddr_t table = cr3 & PTE_ADDR_MASK;

    for (unsigned int level = 4;; level--) {
        pte_t e;

        if (!mfn_valid(maddr_to_mfn(table)))
            return 0;
        e = ((pte_t *)maddr_to_virt(table))[pt_index(va, level)];
        *entry = e;
        if (!(e & _PAGE_PRESENT))
            return 0;
        if (level == 1 || (level < 4 && (e & _PAGE_PSE)))
            return level;
        table = e & PTE_ADDR_MASK;
    }
}

/* --- bring-up --- */

static void map_or_die(unsigned long va, maddr_t ma, size_t size, u64 flags)
{
    if (hv_map(va, ma, size, flags))
        panic("Not enough memory for the hypervisor's page tables");
}

static void map_image_part(const char *from, const char *to, u64 flags)
{
    map_or_die((unsigned long)from, virt_to_maddr_image(from),
               (size_t)(to - from), flags);
}

/* Sections are page aligned (hv.lds.S). Everything else is data. */
static void map_image(void)
{
    map_image_part(hv_image_start, hv_image_end, PAGE_HV_RW);
    map_image_part(hv_text_start, hv_text_end, PAGE_HV_RX);
    map_image_part(hv_rodata_start, hv_rodata_end, PAGE_HV_RO);
    map_image_part(hv_init_text_start, hv_init_text_end, PAGE_HV_RX);
}

/* The direct map shows text and constants read-only as well. */
static void map_ram(void)
{
    maddr_t text = virt_to_maddr_image(hv_text_start);
    maddr_t rodata = virt_to_maddr_image(hv_rodata_start);

    for (unsigned int i = 0; i < nr_memory_regions; i++) {
        const struct memory_region *r = &memory_map[i];

        if (r->type == E820_RAM)
            map_or_die(DIRECTMAP_VIRT_START + r->start, r->start, r->size,
                       PAGE_HV_RW);
    }
    map_or_die(DIRECTMAP_VIRT_START + text, text,
               (size_t)(hv_text_end - hv_text_start), PAGE_HV_RO);
    map_or_die(DIRECTMAP_VIRT_START + rodata, rodata,
               (size_t)(hv_rodata_end - hv_rodata_start), PAGE_HV_RO);
}

static unsigned long count_ram(void)
{
    unsigned long pages = 0;

    for (unsigned int i = 0; i < nr_memory_regions; i++) {
        const struct memory_region *r = &memory_map[i];

        if (r->type != E820_RAM)
            continue;
        pages += r->size >> PAGE_SHIFT;
        max_mfn = MAX(max_mfn, (r->start + r->size) >> PAGE_SHIFT);
    }
    return pages;
}

/* Reserved RAM is the hypervisor's until page_alloc_add() frees it. */
static void init_frame_table(maddr_t at)
{
    frame_table = maddr_to_virt(at);
    memset(frame_table, 0, max_mfn * sizeof(struct frame));
    for (unsigned int i = 0; i < nr_memory_regions; i++) {
        unsigned long m = memory_map[i].start >> PAGE_SHIFT;
        unsigned long end =
            (memory_map[i].start + memory_map[i].size) >> PAGE_SHIFT;

        for (; memory_map[i].type == E820_RAM && m < end; m++) {
            frame_table[m].flags = FF_RAM;
            frame_table[m].owner = OWNER_HV;
        }
    }
}

static void init_m2p(maddr_t at, size_t size)
{
    m2p_table = maddr_to_virt(at);
    memset(m2p_table, 0xff, size);
    /* Domain 0 may map it: to count that, it is allocated like any frame. */
    for (unsigned long i = 0; i < size / PAGE_SIZE; i++)
        mfn_to_frame(maddr_to_mfn(at + i * PAGE_SIZE))->refs =
            FRAME_ALLOCATED | FRAME_REF_ONE;
    map_or_die(RO_M2P_VIRT_START, at, size,
               _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY |
                   _PAGE_NX);
}

static void add_free(maddr_t start, maddr_t end)
{
    page_alloc_add(start, end);
}

void __init mm_init(void)
{
    size_t m2p_size;
    maddr_t m2p, frames;

    page_alloc_set_total(count_ram());
    hv_l4 = alloc_table();
    for (unsigned int i = HV_FIRST_SLOT; i < HV_END_SLOT; i++)
        if (i != PERDOMAIN_SLOT)
            hv_l4[i] = virt_to_maddr(alloc_table()) | _PAGE_PRESENT |
                       _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED;
    map_image();
    map_ram();
    write_cr3(virt_to_maddr(hv_l4));
    /* The machine-to-phys table is mapped to guests by 2 MiB pages. */
    m2p_size = ROUND_UP(max_mfn * 8, 1UL << 21);
    m2p = boot_alloc(m2p_size, 1UL << 21, ~0UL);
    frames = boot_alloc(max_mfn * sizeof(struct frame), PAGE_SIZE, ~0UL);
    init_frame_table(frames);
    init_m2p(m2p, m2p_size);
    boot_for_each_free(add_free);
    allocator_ready = true;
}
