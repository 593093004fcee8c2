/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domain 0's memory: how much, which frames, and its first page tables.
 * The tables are written like data here; they become page tables, checked as
 * any guest's, when the top level is given to vCPU 0.
 */
#include <hv/bug.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/string.h>

#include "domain0.h"
#include "hooks.h"

#define MIB (1UL << 20)
#define DOM0_LEAST (32 * MIB)
#define PTE_TABLE                                                              \
    (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define PTE_RO (_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)

/* --- dom0_mem=[min:<size>,][max:<size>,][<size>] --- */

static u64 opt_size, opt_min, opt_max; /* bytes; 0: not given */

/* A plain number is in KiB, as it always was. */
static bool parse_amount(const char *s, u64 *bytes, const char **end)
{
    const char *e;
    u64 v = parse_size(s, &e);

    if (e == s)
        return false;
    if (e[-1] >= '0' && e[-1] <= '9')
        v *= 1024;
    *bytes = v;
    *end = e;
    return true;
}

static int parse_dom0_mem(const char *s)
{
    opt_size = opt_min = opt_max = 0;
    while (*s) {
        u64 *what = &opt_size;

        if (!strncmp(s, "min:", 4) || !strncmp(s, "max:", 4)) {
            what = s[1] == 'i' ? &opt_min : &opt_max;
            s += 4;
        }
        if (!parse_amount(s, what, &s) || (*s && *s != ','))
            return -EINVAL;
        s += *s == ',';
    }
    return 0;
}
OPTION_CUSTOM(dom0_mem, parse_dom0_mem);

/* Left for the hypervisor and other domains when the user names no size. */
static u64 default_reserve(u64 total)
{
    return MIN(MAX(total / 16, 32 * MIB), 512 * MIB);
}

unsigned long dom0_memory_pages(void)
{
    u64 free = (u64)nr_free_pages() << PAGE_SHIFT;
    /* Tables of the domain, stacks of CPUs, and what pages the build takes. */
    u64 most = free - MIN(free, 4 * MIB + free / 256);
    u64 want = opt_size;

    if (!want && opt_max)
        want = MIN(opt_max, most);
    if (!want)
        want = free - MIN(free, default_reserve(free));
    want = MAX(want, MIN(opt_min, most));
    if (want > most)
        panic("dom0_mem=%luM is more than there is: %lu MiB are free. Give dom0_mem=%luM or less, or leave the option out.",
              want / MIB, free / MIB, most / MIB);
    if (want < DOM0_LEAST)
        panic("dom0_mem=%luK is too small for a kernel: a plain number is KiB. Give at least dom0_mem=%luM.",
              want >> 10, DOM0_LEAST / MIB);
    return want >> PAGE_SHIFT;
}

unsigned long dom0_memory_max_pages(unsigned long now)
{
    /* Without max: it may have what there is, as under other hypervisors of
     * this ABI: its tools rely on room to map other domains' pages. */
    return opt_max ? MAX(opt_max >> PAGE_SHIFT, now) : ~0U;
}

/* Largest blocks first: device drivers like what is contiguous. */
void dom0_allocate(struct dom0_layout *l)
{
    unsigned long pfn = 0;
    unsigned int order = MAX_ORDER;

    while (pfn < l->nr_pages) {
        mfn_t m;

        while ((1UL << order) > l->nr_pages - pfn)
            order--;
        m = domain_alloc_frames(l->d, order, MEMF_NO_SCRUB);
        if (mfn_eq(m, INVALID_MFN)) {
            if (order-- == 0)
                panic("Not enough memory for domain 0: %lu of %lu pages were there. Give a smaller dom0_mem=.",
                      pfn, l->nr_pages);
            continue;
        }
        for (unsigned long i = 0; i < 1UL << order; i++, pfn++) {
            l->p2m[pfn] = _mfn(mfn_x(m) + i);
            set_m2p(l->p2m[pfn], pfn);
        }
    }
}

void *dom0_page(const struct dom0_layout *l, unsigned long pfn)
{
    BUG_ON(pfn >= l->nr_pages);
    return mfn_to_virt(l->p2m[pfn]);
}

/* At most to the end of the page that `offset` (bytes from page 0) is in. */
static size_t chunk(unsigned long offset, size_t n)
{
    return MIN(n, PAGE_SIZE - (offset & (PAGE_SIZE - 1)));
}

void dom0_copy(const struct dom0_layout *l, unsigned long offset,
               const void *from, size_t n)
{
    const char *p = from;

    while (n) {
        size_t part = chunk(offset, n);

        memcpy((char *)dom0_page(l, offset >> PAGE_SHIFT) +
                   (offset & (PAGE_SIZE - 1)),
               p, part);
        offset += part;
        p += part;
        n -= part;
    }
}

void dom0_clear(const struct dom0_layout *l, unsigned long offset, size_t n)
{
    while (n) {
        size_t part = chunk(offset, n);

        memset((char *)dom0_page(l, offset >> PAGE_SHIFT) +
                   (offset & (PAGE_SIZE - 1)),
               0, part);
        offset += part;
        n -= part;
    }
}

/* --- page tables --- */

/* Tables of levels 1-3 that [start, end) needs; the top level is extra. */
unsigned long dom0_tables_needed(u64 start, u64 end)
{
    unsigned long n = 0;

    for (unsigned int level = 1; level < 4; level++) {
        unsigned int shift = PAGE_SHIFT + 9 * level;

        n += ((end - 1) >> shift) - (start >> shift) + 1;
    }
    return n;
}

/* Tables are taken one after the other from a run of pages. */
struct table_pool {
    const struct dom0_layout *l;
    unsigned long next, end;
};

static pte_t *next_table(struct table_pool *p, pte_t *entry)
{
    pte_t *t = dom0_page(p->l, p->next);

    BUG_ON(p->next >= p->end);
    clear_page(t);
    *entry = mfn_to_maddr(p->l->p2m[p->next++]) | PTE_TABLE;
    return t;
}

static bool is_table(const struct dom0_layout *l, unsigned long pfn)
{
    return (pfn >= l->tables && pfn < l->tables + l->nr_tables) ||
           (pfn >= l->p2m_tables && pfn < l->p2m_tables + l->nr_p2m_tables);
}

/* Map `count` pages from pfn on at va, page tables read-only. */
static void map_pages(struct table_pool *pool, pte_t *l4, u64 va,
                      unsigned long pfn, unsigned long count)
{
    pte_t *t = NULL;

    for (unsigned long i = 0; i < count; i++, va += PAGE_SIZE, pfn++) {
        unsigned int index = pt_index(va, 1);

        if (!t || !index) {
            t = l4;
            for (unsigned int level = 4; level > 1; level--) {
                pte_t *e = &t[pt_index(va, level)];

                t = *e ? mfn_to_virt(pte_mfn(*e)) : next_table(pool, e);
            }
        }
        t[index] = mfn_to_maddr(pool->l->p2m[pfn]) |
                   (is_table(pool->l, pfn) ? PTE_RO : PTE_TABLE);
    }
}

mfn_t dom0_build_tables(const struct dom0_layout *l, u64 init_p2m)
{
    struct table_pool pool = {l, l->tables + 1, l->tables + l->nr_tables};
    struct table_pool p2m_pool = {l, l->p2m_tables,
                                  l->p2m_tables + l->nr_p2m_tables};
    pte_t *l4 = dom0_page(l, l->tables);

    clear_page(l4);
    map_pages(&pool, l4, l->virt_base, 0, l->mapped);
    if (init_p2m)
        map_pages(&p2m_pool, l4, init_p2m, l->p2m_list, l->p2m_list_pages);
    return l->p2m[l->tables];
}
