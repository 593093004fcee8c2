/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Planted int3s.
 *
 * A site is one byte of machine memory, so two breakpoints that reach it by
 * different mappings share one int3, and the int3 is recognised whichever
 * mapping ran into it.  Invariant: a site in use and not lifted holds 0xcc in
 * memory and the guest's byte in .old; gdb never sees the former.  But the
 * memory is the guest's: it may patch its code, or use the page for something
 * else.  Where the int3 has gone by itself, what is there now is left alone.
 */
#include "int.h"

#define INT3 0xcc

static struct pdb_space phys(int32_t pid)
{
    struct pdb_space as = { PDB_SPACE_PHYS, { pid, 0 }, 0 };

    return as;
}

static int put_byte(struct pdb *p, const struct pdb_site *s, uint8_t byte)
{
    struct pdb_space as = phys(s->pid);
    int n = p->ops->write_mem(p->ctx, &as, s->maddr, &byte, 1);

    return n == 1 ? 0 : n < 0 ? n : -PDB_EFAULT;
}

static int get_byte(struct pdb *p, const struct pdb_site *s, uint8_t *byte)
{
    struct pdb_space as = phys(s->pid);
    int n = p->ops->read_mem(p->ctx, &as, s->maddr, byte, 1);

    return n == 1 ? 0 : n < 0 ? n : -PDB_EFAULT;
}

static bool is_planted(struct pdb *p, const struct pdb_site *s)
{
    uint8_t now = 0;

    return !s->lifted && get_byte(p, s, &now) == 0 && now == INT3;
}

int site_find(const struct pdb *p, uint64_t maddr)
{
    int i;

    for (i = 0; i < PDB_NR_SITES; i++)
        if (p->brk.site[i].users && p->brk.site[i].maddr == maddr)
            return i;
    return -1;
}

/* Reading back tells memory that took the byte from ROM that did not. */
static int plant_new(struct pdb *p, struct pdb_site *s)
{
    uint8_t now = 0;
    int err = get_byte(p, s, &s->old);

    if (!err)
        err = put_byte(p, s, INT3);
    if (!err)
        err = get_byte(p, s, &now);
    return !err && now != INT3 ? -PDB_EFAULT : err;
}

int site_get(struct pdb *p, const struct pdb_space *as, uint64_t addr)
{
    struct pdb_site *s;
    uint64_t maddr;
    int i, err = p->ops->translate(p->ctx, as, addr, &maddr);

    if (err < 0)
        return err;
    i = site_find(p, maddr);
    if (i >= 0) {
        p->brk.site[i].users++;
        return i;
    }
    for (i = 0; i < PDB_NR_SITES && p->brk.site[i].users; i++)
        ;
    if (i == PDB_NR_SITES)
        return -PDB_ENOMEM;
    s = &p->brk.site[i];
    *s = (struct pdb_site){ .maddr = maddr, .pid = as->thread.pid };
    err = plant_new(p, s);
    if (err < 0)
        return err;
    s->users = 1;
    return i;
}

void site_put(struct pdb *p, int site, bool memory)
{
    struct pdb_site *s = &p->brk.site[site];

    if (--s->users == 0 && memory && is_planted(p, s))
        (void)put_byte(p, s, s->old);
}

void site_lift(struct pdb *p, int site)
{
    struct pdb_site *s = &p->brk.site[site];

    if (is_planted(p, s))
        (void)put_byte(p, s, s->old);
    s->lifted = true;
}

void site_plant(struct pdb *p, int site)
{
    struct pdb_site *s = &p->brk.site[site];

    if (!s->users || !s->lifted)
        return;
    s->lifted = false;
    /* The step itself may have written here. */
    if (get_byte(p, s, &s->old) == 0)
        (void)put_byte(p, s, INT3);
}

int site_write(struct pdb *p, int site, uint8_t byte)
{
    struct pdb_site *s = &p->brk.site[site];
    int err = is_planted(p, s) ? 0 : put_byte(p, s, byte);

    if (err < 0)
        return err;
    s->old = byte;
    return 1;
}

void sites_hide(struct pdb *p, const struct pdb_space *as, uint64_t addr,
                uint8_t *buf, uint32_t len)
{
    const struct pdb_site *s = p->brk.site;
    uint64_t maddr = 0;
    bool looked = false;
    int i;

    for (i = 0; i < PDB_NR_SITES; i++, s++) {
        if (!s->users || s->lifted)
            continue;
        if (!looked && p->ops->translate(p->ctx, as, addr, &maddr) < 0)
            return;
        looked = true;
        if (s->maddr - maddr < len && buf[s->maddr - maddr] == INT3)
            buf[s->maddr - maddr] = s->old;
    }
}
