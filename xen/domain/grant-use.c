/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Beginning and ending the use of a grant: the rules of grant_table.h about
 * the flags that both sides write.
 *
 * The first use checks the guest's entry, takes a reference on the frame and
 * sets GTF_reading or GTF_writing; the last one takes them back. The guest may
 * change its entry at any moment: it is read once, and the flags are set by
 * compare-and-swap on flags and domid together.
 */
#include <hv/bug.h>
#include <hv/domain.h>
#include <hv/grant-table.h>

#define MAX_TRIES 5 /* of the compare-and-swap, against a hostile guest */

grant_entry_header_t *grant_entry_header(const struct grant_table *gt, u32 ref)
{
    if (gt->version == 1)
        return (grant_entry_header_t *)
            &((grant_entry_v1_t *)gt->shared[ref / GRANT_V1_PER_PAGE])
                [ref % GRANT_V1_PER_PAGE];
    return (grant_entry_header_t *)
        &((grant_entry_v2_t *)gt->shared[ref / GRANT_V2_PER_PAGE])
            [ref % GRANT_V2_PER_PAGE];
}

/* Where GTF_reading and GTF_writing are shown. */
static u16 *status_word(const struct grant_table *gt, u32 ref)
{
    if (gt->version == 1)
        return &grant_entry_header(gt, ref)->flags;
    return &gt->status[ref / GRANT_STATUS_PER_PAGE]
                      [ref % GRANT_STATUS_PER_PAGE];
}

static int check_header(u32 header, domid_t user, bool writable)
{
    u16 flags = (u16)header;

    if ((flags & GTF_type_mask) != GTF_permit_access ||
        (domid_t)(header >> 16) != user)
        return GNTST_general_error;
    if (writable && (flags & GTF_readonly))
        return GNTST_general_error;
    return GNTST_okay;
}

/* Version 1: flags and domid are one word, changed as one. */
static int mark_v1(grant_entry_header_t *h, domid_t user, bool writable)
{
    u32 *word = (u32 *)h;
    u32 old = READ_ONCE(*word);

    for (unsigned int i = 0; i < MAX_TRIES; i++) {
        u32 new = old | GTF_reading | (writable ? GTF_writing : 0);
        int rc = check_header(old, user, writable);

        if (rc)
            return rc;
        if (atomic_try_cmpxchg(word, &old, new))
            return GNTST_okay;
    }
    return GNTST_general_error;
}

/* Version 2: show the use first, then look whether it is allowed. */
static int mark_v2(grant_entry_header_t *h, u16 *status, domid_t user,
                   bool writable)
{
    u16 bits = (u16)(GTF_reading | (writable ? GTF_writing : 0));
    u16 had = __atomic_fetch_or(status, bits, __ATOMIC_SEQ_CST);
    int rc = check_header(READ_ONCE(*(u32 *)h), user, writable);

    if (rc)
        __atomic_fetch_and(status, (u16)(had | ~bits), __ATOMIC_SEQ_CST);
    return rc;
}

static int mark_entry(const struct grant_table *gt, u32 ref, domid_t user,
                      bool writable)
{
    grant_entry_header_t *h = grant_entry_header(gt, ref);

    return gt->version == 1 ? mark_v1(h, user, writable)
                            : mark_v2(h, status_word(gt, ref), user, writable);
}

static void unmark_entry(const struct grant_table *gt, u32 ref, u16 bits)
{
    if (bits && ref < grant_nr_entries(gt))
        __atomic_fetch_and(status_word(gt, ref), (u16)~bits, __ATOMIC_SEQ_CST);
}

/* Which bytes of which frame, as the guest says. */
static mfn_t read_extent(const struct grant_table *gt, u32 ref,
                         struct grant_active *act)
{
    grant_entry_header_t *h = grant_entry_header(gt, ref);
    grant_entry_v2_t *e = (grant_entry_v2_t *)h;

    act->start = 0;
    act->length = PAGE_SIZE;
    if (gt->version == 1)
        return _mfn(READ_ONCE(((grant_entry_v1_t *)h)->frame));
    if (READ_ONCE(h->flags) & GTF_sub_page) {
        act->start = READ_ONCE(e->sub_page.page_off);
        act->length = READ_ONCE(e->sub_page.length);
        return _mfn(READ_ONCE(e->sub_page.frame));
    }
    return _mfn(READ_ONCE(e->full_page.frame));
}

/* The first use: nobody holds the frame yet. */
static int first_use(struct domain *rd, u32 ref, domid_t user, bool writable,
                     struct grant_active *act)
{
    struct grant_table *gt = rd->grant_table;
    int rc = mark_entry(gt, ref, user, writable);
    mfn_t m;

    if (rc)
        return rc;
    m = read_extent(gt, ref, act);
    if (act->start > PAGE_SIZE || act->length > PAGE_SIZE - act->start ||
        !mfn_valid(m) || !frame_get(mfn_to_frame(m), rd->id)) {
        unmark_entry(gt, ref, GTF_reading | GTF_writing);
        return GNTST_bad_page;
    }
    act->mfn = (u32)mfn_x(m);
    act->user = user;
    return GNTST_okay;
}

static int acquire_locked(struct domain *rd, u32 ref, domid_t user,
                          bool writable, struct grant_active *act)
{
    int rc;

    ASSERT(spin_is_locked(&act->lock));
    if (act->readers == 0xffff || act->writers == 0xffff)
        return GNTST_no_space;
    if (!act->readers && !act->writers) {
        rc = first_use(rd, ref, user, writable, act);
    } else if (act->user != user) {
        rc = GNTST_general_error;
    } else if (writable && !act->writers) {
        rc = mark_entry(rd->grant_table, ref, user, true);
    } else {
        rc = GNTST_okay;
    }
    if (rc)
        return rc;
    act->readers += !writable;
    act->writers += writable;
    return GNTST_okay;
}

/* One use less. The entry's lock is held. */
static void release_locked(struct domain *rd, u32 ref, bool writable,
                           struct grant_active *act)
{
    u16 bits = 0;

    ASSERT(spin_is_locked(&act->lock));
    ASSERT(writable ? act->writers : act->readers);
    act->readers -= !writable;
    act->writers -= writable;
    if (writable && !act->writers)
        bits |= GTF_writing;
    if (!act->writers && !act->readers) {
        bits |= GTF_reading;
        frame_put(mfn_to_frame(_mfn(act->mfn)));
    }
    unmark_entry(rd->grant_table, ref, bits);
}

int grant_acquire(struct domain *rd, u32 ref, domid_t user, bool writable,
                  bool whole, struct grant_use *use)
{
    struct grant_table *gt = rd->grant_table;
    struct grant_active *act;
    int rc;

    spin_lock(&gt->lock);
    if (ref >= grant_nr_entries(gt)) {
        spin_unlock(&gt->lock);
        return GNTST_bad_gntref;
    }
    act = grant_active_lock(gt, ref);
    spin_unlock(&gt->lock);
    if (!act)
        return GNTST_no_space;
    rc = acquire_locked(rd, ref, user, writable, act);
    if (!rc && whole && act->length != PAGE_SIZE) {
        release_locked(rd, ref, writable, act);
        rc = GNTST_bad_page;
    }
    if (!rc)
        *use = (struct grant_use){_mfn(act->mfn), act->start, act->length};
    spin_unlock(&act->lock);
    return rc;
}

void grant_release(struct domain *rd, u32 ref, bool writable)
{
    struct grant_table *gt = rd->grant_table;
    struct grant_active *act;

    spin_lock(&gt->lock);
    act = grant_active_lock(gt, ref);
    spin_unlock(&gt->lock);
    ASSERT(act);
    release_locked(rd, ref, writable, act);
    spin_unlock(&act->lock);
}
