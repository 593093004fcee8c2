/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One entry of a page table: what a guest may write, the references it holds,
 * and the atomic exchange of old for new.
 *
 * A guest kernel runs in ring 3, so every present entry gets the user bit;
 * global entries are not offered (kernel and user share a TLB), and large
 * pages are not (XENFEAT: PSE is hidden).
 */
#include <hv/atomic.h>
#include <hv/bug.h>
#include <hv/errno.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/x86.h>

/* Bits 52-62 of an entry belong to software or to features we do not have;
 * Linux keeps soft-dirty and the like there: ignored by the CPU without PKU. */
#define L1_FORBIDDEN 0UL
#define UPPER_FORBIDDEN (_PAGE_PSE | _PAGE_GLOBAL)
#define L1_CACHE_BITS (_PAGE_PWT | _PAGE_PCD | _PAGE_PAT)
#define AD_BITS (_PAGE_ACCESSED | _PAGE_DIRTY)

/* Entries with the same answers here hold the same references. */
#define L1_REF_BITS (PTE_ADDR_MASK | _PAGE_PRESENT | _PAGE_RW)
#define UPPER_REF_BITS (PTE_ADDR_MASK | _PAGE_PRESENT)

static bool address_fits(pte_t e)
{
    return !((e & PTE_ADDR_MASK) >> cpu_features.phys_bits);
}

static int device_get(struct domain *d, pte_t *e)
{
    mfn_t m = pte_mfn(*e);

    if (!d->io_all_allowed || !address_fits(*e)) {
        guest_debug("mapping of frame %#lx refused: not its memory\n",
                    mfn_x(m));
        return -EINVAL;
    }
    switch (iomem_access(m)) {
    case IO_ALLOWED:
        return 0;
    case IO_READ_ONLY:
        *e &= ~_PAGE_RW;
        return 0;
    default:
        return -EPERM;
    }
}

int l1e_get(struct domain *d, struct domain *owner, pte_t *e)
{
    mfn_t m = pte_mfn(*e);
    struct frame *f;
    int rc;

    if (*e & L1_FORBIDDEN)
        return -EINVAL;
    *e = (*e & ~_PAGE_GLOBAL) | _PAGE_USER;
    if (unlikely(!mfn_valid(m)))
        return device_get(d, e);
    f = mfn_to_frame(m);
    if (unlikely(*e & L1_CACHE_BITS) && !d->io_all_allowed)
        *e &= ~L1_CACHE_BITS;
    if (!(*e & _PAGE_RW))
        return frame_get(f, owner->id) ? 0 : -EINVAL;
    rc = frame_get_and_type(f, owner->id, FT_WRITABLE);
    return rc == -EPERM ? -EINVAL : rc;
}

void l1e_put(pte_t e)
{
    mfn_t m = pte_mfn(e);

    if (!(e & _PAGE_PRESENT) || !mfn_valid(m))
        return;
    if (e & _PAGE_RW)
        frame_put_and_type(mfn_to_frame(m));
    else
        frame_put(mfn_to_frame(m));
}

/* References of an entry at `level` 2..4: the next lower table. */
static int upper_get(struct domain *d, unsigned int level, pte_t *e)
{
    mfn_t m = pte_mfn(*e);
    int rc;

    if ((*e & UPPER_FORBIDDEN) || !mfn_valid(m))
        return -EINVAL;
    *e |= _PAGE_USER;
    rc = frame_get_and_type(mfn_to_frame(m), d->id, level_type(level - 1));
    return rc == -EPERM ? -EINVAL : rc;
}

static int entry_get(struct pt_update *u, unsigned int level, pte_t *e)
{
    if (!(*e & _PAGE_PRESENT))
        return 0;
    if (level == 1)
        return l1e_get(u->table_owner, u->frame_owner, e);
    return upper_get(u->table_owner, level, e);
}

static void entry_put(unsigned int level, pte_t e)
{
    if (level == 1)
        l1e_put(e);
    else if (e & _PAGE_PRESENT)
        frame_put_and_type(mfn_to_frame(pte_mfn(e)));
}

static bool slot_is_guests(unsigned int level, unsigned int index)
{
    return level < 4 || index < HV_FIRST_SLOT || index >= HV_END_SLOT;
}

/* Only flags change: the references stay the old entry's. */
static bool same_references(unsigned int level, pte_t old, pte_t new)
{
    u64 bits = level == 1 ? L1_REF_BITS : UPPER_REF_BITS;

    if (((old ^ new) & bits) || !(old & _PAGE_PRESENT))
        return false;
    return level == 1 ? !(new & (L1_FORBIDDEN | L1_CACHE_BITS))
                      : !(new & UPPER_FORBIDDEN);
}

static int exchange(struct pt_update *u, pte_t *p, unsigned int level,
                    pte_t old, pte_t wanted)
{
    pte_t new = wanted;
    int rc;

    if (u->preserve_ad)
        new |= old & AD_BITS;
    if (same_references(level, old, new)) {
        new = (new & (level == 1 ? ~_PAGE_GLOBAL : ~0UL)) | _PAGE_USER;
        return atomic_try_cmpxchg(p, &old, new) ? 0 : -EAGAIN;
    }
    rc = entry_get(u, level, &new);
    if (rc)
        return rc;
    if (!atomic_try_cmpxchg(p, &old, new)) {
        entry_put(level, new);
        return -EAGAIN;
    }
    entry_put(level, old);
    return 0;
}

int pt_cmpxchg(struct pt_update *u, struct frame *t, unsigned int index,
               pte_t old, pte_t new)
{
    unsigned int level = type_level(frame_type(t));
    pte_t *p = (pte_t *)mfn_to_virt(frame_to_mfn(t)) + index;

    ASSERT(frame_type_count(t));
    if (unlikely(!slot_is_guests(level, index)))
        return -EINVAL;
    return exchange(u, p, level, old, new);
}

int pt_write(struct pt_update *u, struct frame *t, unsigned int index,
             pte_t new)
{
    unsigned int level = type_level(frame_type(t));
    pte_t *p = (pte_t *)mfn_to_virt(frame_to_mfn(t)) + index;
    int rc;

    ASSERT(frame_type_count(t));
    if (unlikely(!slot_is_guests(level, index)))
        return -EINVAL;
    /* The CPU sets A and D, other vCPUs write too: try until nobody did. */
    do
        rc = exchange(u, p, level, READ_ONCE(*p), new);
    while (unlikely(rc == -EAGAIN));
    return rc;
}
