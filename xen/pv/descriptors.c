/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segment descriptors of guests: what a GDT or LDT entry may be, and the
 * tables of a vCPU, mapped into its part of the per-domain area.
 *
 * A guest's descriptor never gives more than ring 3: code and data get DPL 3,
 * system descriptors and gates are refused, except not-present ones, which the
 * CPU never uses.  Pages that hold descriptors have type FT_DESC while mapped.
 */
#include <hv/cpu-tables.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/layout.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>

#define DESC_PRESENT (1UL << 47)
#define DESC_CODE_OR_DATA (1UL << 44)
#define DESC_CODE (1UL << 43)
#define DESC_DPL (3UL << 45)
#define DESC_LONG (1UL << 53)
#define DESC_BIG (1UL << 54)

#define GDT_AREA_PAGES 16 /* then the LDT's */
#define LDT_PAGES 16

int pv_check_descriptor(u64 *desc)
{
    u64 d = *desc;

    if (!(d & DESC_PRESENT))
        return 0;
    if (!(d & DESC_CODE_OR_DATA)) {
        /* The second half of nothing: all zero but the present bit's byte is
         * how an unused entry may look. Gates and system segments are not. */
        return -EINVAL;
    }
    if ((d & DESC_CODE) && (d & DESC_LONG) && (d & DESC_BIG))
        return -EINVAL;
    *desc = d | DESC_DPL;
    return 0;
}

static pte_t desc_pte(mfn_t m)
{
    return make_pte(m, _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED |
                           _PAGE_DIRTY | _PAGE_NX);
}

static int get_desc_frame(struct domain *d, mfn_t m)
{
    int rc;

    if (!mfn_valid(m))
        return -EINVAL;
    rc = frame_get_and_type(mfn_to_frame(m), d->id, FT_DESC);
    return rc ? -EINVAL : 0;
}

void pv_destroy_gdt(struct vcpu *v)
{
    unsigned int pages = DIV_ROUND_UP(v->pv.gdt_entries, 512);

    v->pv.gdt_entries = 0;
    for (unsigned int i = 0; i < pages; i++) {
        v->pv.gdt_l1[i] = 0;
        frame_put_and_type(mfn_to_frame(v->pv.gdt_frames[i]));
    }
}

int pv_set_gdt(struct vcpu *v, const unsigned long *frames,
               unsigned int entries)
{
    unsigned int pages = DIV_ROUND_UP(entries, 512), i;

    if (entries > MAX_GDT_FRAMES * 512)
        return -EINVAL;
    for (i = 0; i < pages; i++)
        if (get_desc_frame(v->domain, _mfn(frames[i])))
            goto undo;
    pv_destroy_gdt(v);
    for (i = 0; i < pages; i++) {
        v->pv.gdt_frames[i] = _mfn(frames[i]);
        v->pv.gdt_l1[i] = desc_pte(_mfn(frames[i]));
    }
    v->pv.gdt_entries = entries;
    if (v == current)
        tlb_flush_local();
    return 0;
undo:
    while (i--)
        frame_put_and_type(mfn_to_frame(_mfn(frames[i])));
    return -EINVAL;
}

/* --- LDT: pages that are no descriptors yet are mapped on first use --- */

void pv_drop_ldt(struct vcpu *v)
{
    bool any = false;

    for (unsigned int i = 0; i < LDT_PAGES; i++) {
        pte_t *e = &v->pv.gdt_l1[GDT_AREA_PAGES + i];
        pte_t old = *e;

        if (!(old & _PAGE_PRESENT))
            continue;
        *e = 0;
        any = true;
        frame_put_and_type(mfn_to_frame(pte_mfn(old)));
    }
    if (any && v == current)
        tlb_flush_local();
}

static unsigned long ldt_area(const struct vcpu *v)
{
    return PERDOMAIN_VIRT_START + ((unsigned long)v->id << GDT_LDT_VCPU_SHIFT) +
           GDT_AREA_PAGES * PAGE_SIZE;
}

int pv_set_ldt(struct vcpu *v, unsigned long base, unsigned int entries)
{
    if (v->pv.ldt_base == base && v->pv.ldt_entries == entries && !entries)
        return 0;
    pv_drop_ldt(v);
    v->pv.ldt_base = base;
    v->pv.ldt_entries = entries;
    if (v == current)
        cpu_set_ldt_descriptor(v->processor, ldt_area(v), entries);
    /* At once what can be: our own loads (IRET to a selector in it) do not come
     * by pv_page_fault(). */
    for (unsigned int i = 0; i < DIV_ROUND_UP(entries, 512); i++)
        (void)pv_map_ldt_page(v, i);
    return 0;
}

bool pv_map_ldt_page(struct vcpu *v, unsigned int page)
{
    unsigned long va = v->pv.ldt_base + page * PAGE_SIZE;
    pte_t *slot = &v->pv.gdt_l1[GDT_AREA_PAGES + page];
    pte_t e;

    if (page >= LDT_PAGES || (*slot & _PAGE_PRESENT) ||
        pt_walk(v->pv.cr3_kernel, va, &e) != 1 ||
        get_desc_frame(v->domain, pte_mfn(e)))
        return false;
    *slot = desc_pte(pte_mfn(e));
    return true;
}
