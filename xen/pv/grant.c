/* SPDX-License-Identifier: GPL-2.0-only */
/* Granted frames in the current guest's level-1 tables (hv/grant-pv.h). */
#include <hv/errno.h>
#include <hv/grant-pv.h>
#include <hv/pv-mm.h>
#include <xen/grant_table.h>

#define MAX_TRIES 8 /* against a vCPU that keeps changing the entry */

/* A level-1 table of ours, its type held, and the entry in it. */
struct slot {
    struct frame *table;
    unsigned int index;
};

static bool slot_of_pte(struct slot *s, u64 maddr)
{
    mfn_t m = maddr_to_mfn(maddr);

    if ((maddr & (sizeof(pte_t) - 1)) || !mfn_valid(m))
        return false;
    s->table = mfn_to_frame(m);
    s->index = (unsigned int)(maddr & ~PAGE_MASK) / sizeof(pte_t);
    /* No table yet is no place for an entry. */
    if (frame_type(s->table) != FT_L1)
        return false;
    return !frame_get_and_type(s->table, currd->id, FT_L1);
}

static bool slot_get(struct slot *s, u64 address, u32 flags)
{
    if (flags & GNTMAP_contains_pte)
        return slot_of_pte(s, address);
    if (address >= HV_VIRT_START && address < HV_VIRT_END)
        return false;
    s->table = pv_get_l1_of_va(current, address, &s->index);
    return s->table != NULL;
}

static void slot_put(struct slot *s)
{
    frame_put_and_type(s->table);
}

static pte_t slot_read(const struct slot *s)
{
    const pte_t *table = mfn_to_virt(frame_to_mfn(s->table));

    return READ_ONCE(table[s->index]);
}

static pte_t grant_pte(mfn_t m, u32 flags)
{
    u64 bits = _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_USER |
               _PAGE_NX;

    if (!(flags & GNTMAP_readonly))
        bits |= _PAGE_RW;
    /* Bits 16-18 of the flags go to the three software bits. */
    bits |= (((u64)flags >> _GNTMAP_guest_avail0) << 9) & _PAGE_AVAIL;
    return make_pte(m, bits);
}

int pv_grant_map(u64 address, u32 flags, mfn_t m, struct domain *owner)
{
    struct pt_update u = {.table_owner = currd, .frame_owner = owner};
    struct slot s;
    int rc;

    if (!slot_get(&s, address, flags))
        return GNTST_general_error;
    rc = pt_write(&u, s.table, s.index, grant_pte(m, flags));
    slot_put(&s);
    return rc ? GNTST_general_error : GNTST_okay;
}

/*
 * Replace the mapping of m by `new` (references as `u` says). `flags` are those
 * of the handle: a writable mapping does not go by a read-only one's.
 */
static int replace(struct pt_update *u, struct slot *s, mfn_t m, u32 flags,
                   pte_t new)
{
    pte_t want = _PAGE_PRESENT | (flags & GNTMAP_readonly ? 0 : _PAGE_RW);
    int rc = -EAGAIN;

    for (unsigned int i = 0; i < MAX_TRIES && rc == -EAGAIN; i++) {
        pte_t old = slot_read(s);

        if ((old & (_PAGE_PRESENT | _PAGE_RW)) != want ||
            !mfn_eq(pte_mfn(old), m))
            return GNTST_general_error;
        rc = pt_cmpxchg(u, s->table, s->index, old, new);
    }
    return rc ? GNTST_general_error : GNTST_okay;
}

int pv_grant_unmap(u64 address, u32 flags, mfn_t m)
{
    struct pt_update u = {.table_owner = currd, .frame_owner = currd};
    struct slot s;
    int rc;

    if (!slot_get(&s, address, flags))
        return GNTST_general_error;
    rc = replace(&u, &s, m, flags, 0);
    slot_put(&s);
    return rc;
}

int pv_grant_replace(u64 address, u32 flags, mfn_t m, u64 new_va)
{
    struct pt_update u = {.table_owner = currd, .frame_owner = currd};
    struct slot s, from;
    pte_t pte;
    int rc = GNTST_general_error;

    if (!slot_get(&s, address, 0))
        return GNTST_general_error;
    if (!slot_get(&from, new_va, 0))
        goto put;
    pte = slot_read(&from);
    /* The new place holds its own references before the old one lets go. */
    if (pte & _PAGE_PRESENT)
        rc = replace(&u, &s, m, flags, pte);
    if (!rc && pt_cmpxchg(&u, from.table, from.index, pte, 0))
        rc = GNTST_general_error;
    slot_put(&from);
put:
    slot_put(&s);
    return rc;
}
