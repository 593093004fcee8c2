/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mmu_update, update_va_mapping and its variant for another domain's frames
 * (xen.h): checked writes to page tables. No lock: see hv/frame.h.
 */
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/softirq.h>
#include <hv/x86.h>
#include <hv/smap.h>

#define MMU_UPDATE_PREEMPTED (~(~0U >> 1))

/* DOMID_XEN as foreigndom: whose frames are those of the machine-to-phys table,
 * as XENMEM_machphys_mfn_list names them. Read-only. */
static struct domain hypervisor = {.id = OWNER_HV, .refcount = 1};

static struct domain *get_frame_owner(domid_t id)
{
    if (id != DOMID_XEN)
        return get_domain_by_id(id == DOMID_IO ? DOMID_SELF : id);
    get_domain(&hypervisor);
    return &hypervisor;
}

/* The two domains of foreigndom, referenced where they are not the caller. */
static int open_update(struct pt_update *u, unsigned int foreigndom)
{
    unsigned int table = foreigndom >> 16, frames = foreigndom & 0xffff;

    u->table_owner = u->frame_owner = currd;
    u->preserve_ad = false;
    if (likely(foreigndom == DOMID_SELF))
        return 0;
    if (!currd->is_privileged && (frames != DOMID_SELF || table))
        return -EPERM;
    if (table) {
        u->table_owner = get_domain_by_id((domid_t)(table - 1));
        if (!u->table_owner)
            return -ESRCH;
    } else {
        get_domain(currd);
    }
    u->frame_owner = get_frame_owner((domid_t)frames);
    if (!u->frame_owner) {
        put_domain(u->table_owner);
        return -ESRCH;
    }
    return 0;
}

static void close_update(struct pt_update *u, unsigned int foreigndom)
{
    if (likely(foreigndom == DOMID_SELF))
        return;
    put_domain(u->table_owner);
    put_domain(u->frame_owner);
}

/* A frame that is no page table: an ordinary write, as the owner could do. */
static int write_plain(struct frame *f, struct domain *d, unsigned int offset,
                       u64 val)
{
    int rc = frame_get_and_type(f, d->id, FT_WRITABLE);

    if (rc)
        return -EINVAL;
    WRITE_ONCE(*(u64 *)((char *)mfn_to_virt(frame_to_mfn(f)) + offset), val);
    frame_put_and_type(f);
    return 0;
}

static int update_table(struct pt_update *u, u64 ptr, u64 val)
{
    mfn_t m = maddr_to_mfn(ptr);
    struct domain *d = u->table_owner;
    enum frame_type t;
    struct frame *f;
    int rc;

    if (unlikely(!mfn_valid(m)))
        return -EINVAL;
    f = mfn_to_frame(m);
    /* One look: pt_write() must never see a page that is no table. */
    t = frame_table_type(f);
    if (unlikely(t == FT_NONE))
        return write_plain(f, d, (unsigned int)ptr & (PAGE_SIZE - 8), val);
    rc = frame_get_and_type(f, d->id, t);
    if (unlikely(rc))
        return -EINVAL;
    rc = pt_write(u, f, (unsigned int)(ptr & (PAGE_SIZE - 1)) / 8, val);
    frame_put_and_type(f);
    return rc;
}

static int update_m2p(struct pt_update *u, u64 ptr, u64 val)
{
    mfn_t m = maddr_to_mfn(ptr);

    if (!mfn_valid(m) || !frame_get(mfn_to_frame(m), u->frame_owner->id))
        return -EINVAL;
    set_m2p(m, val);
    frame_put(mfn_to_frame(m));
    return 0;
}

static int one_update(struct pt_update *u, u64 ptr, u64 val)
{
    switch (ptr & 7) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_NO_TRANSLATE:
        u->preserve_ad = false;
        return update_table(u, ptr & ~7UL, val);
    case MMU_PT_UPDATE_PRESERVE_AD:
        u->preserve_ad = true;
        return update_table(u, ptr & ~7UL, val);
    case MMU_MACHPHYS_UPDATE:
        return update_m2p(u, ptr & ~7UL, val);
    default:
        return -ENOSYS;
    }
}

/* May an entry say this where frames of DOMID_XEN are allowed? */
static bool may_map_m2p(u64 val)
{
    unsigned long n = mfn_x(pte_mfn(val)) - mfn_x(virt_to_mfn(m2p_table));

    return !(val & _PAGE_PRESENT) ||
           (!(val & _PAGE_RW) &&
            n < ROUND_UP(max_mfn * sizeof(*m2p_table), 2UL << 20) / PAGE_SIZE);
}

/* Number of updates done; *rc: 0, an error, or -ERESTART. */
static unsigned int run_updates(struct pt_update *u,
                                const struct mmu_update *req,
                                unsigned int count, int *rc)
{
    unsigned int i;

    *rc = 0;
    for (i = 0; i < count; i++) {
        u64 ptr, val;

        if (i && softirq_is_pending()) {
            *rc = -ERESTART;
            break;
        }
        user_access_begin();
        get_guest(ptr, &req[i].ptr, fault);
        get_guest(val, &req[i].val, fault);
        user_access_end();
        if (unlikely(u->frame_owner == &hypervisor) &&
            ((ptr & 7) == MMU_MACHPHYS_UPDATE || !may_map_m2p(val)))
            *rc = -EINVAL;
        else
            *rc = one_update(u, ptr, val);
        if (*rc)
            break;
    }
    return i;
fault:
    user_access_end();
    *rc = -EFAULT;
    return i;
}

/* Add to the count of updates done that the guest asked for. */
static int add_done(unsigned int *pdone, unsigned int n, bool again)
{
    unsigned int before = 0;

    if (again && copy_from_guest(&before, pdone))
        return -EFAULT;
    n += before;
    return copy_to_guest(pdone, &n) ? -EFAULT : 0;
}

long do_mmu_update(unsigned long reqs, unsigned long a2, unsigned long a3,
                   unsigned long foreign, unsigned long a5)
{
    const struct mmu_update *req = (const struct mmu_update *)reqs;
    unsigned int *pdone = (unsigned int *)a3;
    unsigned int count = (unsigned int)a2, done;
    bool again = count & MMU_UPDATE_PREEMPTED;
    struct pt_update u;
    int rc;

    (void)a5;
    count &= ~MMU_UPDATE_PREEMPTED;
    if (unlikely(!guest_range_ok(reqs, count * sizeof(*req))))
        return -EFAULT;
    rc = open_update(&u, (unsigned int)foreign);
    if (rc)
        return rc;
    current->pv.preemptible = 1;
    done = run_updates(&u, req, count, &rc);
    current->pv.preemptible = 0;
    close_update(&u, (unsigned int)foreign);
    if (pdone && add_done(pdone, done, again) && !rc)
        rc = -EFAULT;
    if (rc == -ERESTART)
        return HYPERCALL_RESTART((unsigned long)(req + done),
                                 (count - done) | MMU_UPDATE_PREEMPTED);
    return rc;
}

/* The idle CPU that keeps v's tables loaded, which need not be v->processor. */
static cpumask_t held_mask(const struct vcpu *v)
{
    unsigned int cpu = READ_ONCE(v->held_by);

    return cpu ? cpumask_of(cpu - 1) : 0;
}

/* The CPUs that run v's domain's vCPUs named by a bitmap in guest memory. */
int pv_guest_vcpumask(struct domain *d, const void *bitmap, cpumask_t *mask)
{
    struct vcpu *v;
    u64 bits = 0;

    if (raw_copy_from_guest(&bits, bitmap, DIV_ROUND_UP(d->max_vcpus, 8)))
        return -EFAULT;
    *mask = 0;
    for_each_vcpu(d, v)
        if ((bits >> v->id) & 1)
            *mask |= cpumask_of(v->processor) | held_mask(v);
    *mask &= READ_ONCE(d->dirty_cpus);
    return 0;
}

static int flush_after(unsigned long va, unsigned long flags)
{
    unsigned long who = flags & ~UVMF_FLUSHTYPE_MASK;
    cpumask_t mask = cpumask_of(smp_processor_id());

    if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_NONE)
        return 0;
    if (who == UVMF_ALL)
        mask = READ_ONCE(currd->dirty_cpus);
    else if (who != UVMF_LOCAL && pv_guest_vcpumask(currd, (void *)who, &mask))
        return -EFAULT;
    if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG) {
        if (mask == cpumask_of(smp_processor_id()))
            invlpg(va);
        else
            tlb_flush_va_mask(mask, va);
    } else if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_TLB_FLUSH) {
        if (mask == cpumask_of(smp_processor_id()))
            tlb_flush_local();
        else
            tlb_flush_mask(mask);
    }
    return 0;
}

static long update_va(unsigned long va, unsigned long val, unsigned long flags,
                      struct domain *frame_owner)
{
    struct pt_update u = {currd, frame_owner, false};
    unsigned int index;
    struct frame *f;
    int rc;

    f = pv_get_l1_of_va(current, va, &index);
    if (unlikely(!f))
        return -EINVAL;
    rc = pt_write(&u, f, index, val);
    frame_put_and_type(f);
    if (unlikely(rc))
        return rc;
    return flags & UVMF_FLUSHTYPE_MASK ? flush_after(va, flags) : 0;
}

long do_update_va_mapping(unsigned long va, unsigned long val,
                          unsigned long flags, unsigned long a4,
                          unsigned long a5)
{
    (void)a4, (void)a5;
    return update_va(va, val, flags, currd);
}

long do_update_va_mapping_otherdomain(unsigned long va, unsigned long val,
                                      unsigned long flags, unsigned long domid,
                                      unsigned long a5)
{
    struct domain *d;
    long rc;

    (void)a5;
    if (!currd->is_privileged && domid != DOMID_SELF)
        return -EPERM;
    d = get_frame_owner((domid_t)domid);
    if (!d)
        return -ESRCH;
    rc = d == &hypervisor && !may_map_m2p(val)
             ? -EINVAL
             : update_va(va, val, flags, d);
    put_domain(d);
    return rc;
}
