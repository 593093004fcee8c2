/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual CPUs: creation, being up or down, and the structures each of them
 * shares with its guest (vcpu_info, runstate area).
 *
 * vcpu_info moves at most once in a vCPU's life (VCPUOP_register_vcpu_info),
 * and back when the domain is killed. Senders of events use it without a
 * lock, with irqs off; the old place stays valid for them until a grace
 * period is over.
 */
#include <hv/softirq.h>
#include <hv/bug.h>
#include <hv/clock.h>
#include <hv/domain-clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/evtchn.h>
#include <hv/layout.h>
#include <hv/string.h>
#include <hv/vcpu-timer.h>
#include <xen/sched.h>

/* --- creation --- */

static void vcpu_init_common(struct vcpu *v, struct domain *d, unsigned int id)
{
    v->domain = d;
    v->id = id;
    v->vcpu_info_mfn = INVALID_MFN;
    v->pv.kernel_l4 = v->pv.user_l4 = INVALID_MFN;
    v->hard_affinity = v->soft_affinity = ~(cpumask_t)0;
    v->sched_weight = d->sched_weight;
    v->runstate.state_entry_time = now();
    list_init(&v->runq);
}

struct vcpu *vcpu_create(struct domain *d, unsigned int id)
{
    struct vcpu *v;

    ASSERT(id < d->max_vcpus && !d->vcpu[id]);
    v = new(struct vcpu);
    if (!v)
        return NULL;
    vcpu_init_common(v, d, id);
    v->pause_flags = VPF_DOWN;
    v->runstate.state = RUNSTATE_offline;
    v->pause_count = atomic_read(&d->pause_count);
    if (v->pause_count)
        v->pause_flags |= VPF_PAUSED;
    /* Guests have room for vcpu_info 0-31 only; later ones register theirs. */
    v->pv.info = id < XEN_LEGACY_MAX_VCPUS ? &d->shared_info->vcpu_info[id]
                                           : &v->early_info;
    sched_place_vcpu(v);
    evtchn_vcpu_init(v);
    vcpu_timers_init(v);
    if (pv_ops->vcpu_init(v)) {
        hv_free(v);
        return NULL;
    }
    smp_wmb(); /* complete before it is found */
    d->vcpu[id] = v;
    return v;
}

void vcpu_destroy(struct vcpu *v)
{
    ASSERT(!v->running && list_empty(&v->runq));
    v->domain->vcpu[v->id] = NULL;
    pv_ops->vcpu_free(v);
    hv_free(v);
}

struct vcpu *idle_vcpu_create(unsigned int cpu)
{
    struct vcpu *v = new(struct vcpu);

    if (!v)
        return NULL;
    vcpu_init_common(v, idle_domain, cpu);
    v->is_idle = 1;
    v->running = 1;
    v->initialised = 1;
    v->processor = cpu;
    v->hard_affinity = cpumask_of(cpu);
    v->runstate.state = RUNSTATE_running;
    idle_domain->vcpu[cpu] = v;
    return v;
}

static void (*life_hook)(const struct vcpu *v, enum vcpu_life what);

void vcpu_register_life(void (*fn)(const struct vcpu *v, enum vcpu_life what))
{
    life_hook = fn;
}

void vcpu_tell_life(const struct vcpu *v, enum vcpu_life what)
{
    if (life_hook)
        life_hook(v, what);
}

void vcpu_bring_up(struct vcpu *v)
{
    note_event("vCPU up", v->domain->id, v->id);
    if (v->pause_flags & VPF_DOWN)
        vcpu_tell_life(v, VCPU_COMES_UP);
    vcpu_clear_flags(v, VPF_DOWN);
}

void vcpu_bring_down(struct vcpu *v)
{
    bool was_up = !(v->pause_flags & VPF_DOWN);

    note_event("vCPU down", v->domain->id, v->id);
    vcpu_set_flags(v, VPF_DOWN);
    if (was_up)
        vcpu_tell_life(v, VCPU_IS_DOWN);
}

/* --- vcpu_info --- */

/*
 * Events that came while the structure moved may be noted in the old one:
 * make the guest look at everything once.
 */
static void resend_all_events(struct vcpu *v)
{
    v->pv.info->evtchn_pending_sel = ~0UL;
    v->pv.info->evtchn_upcall_pending = 0;
    vcpu_mark_events_pending(v);
}

int vcpu_map_info(struct vcpu *v, mfn_t m, unsigned int offset)
{
    struct vcpu_info *new_info, *old_info = v->pv.info;
    struct frame *f;

    if (offset > PAGE_SIZE - sizeof(struct vcpu_info))
        return -ENXIO;
    if (!mfn_eq(v->vcpu_info_mfn, INVALID_MFN))
        return -EINVAL;
    if (v != current && !(v->pause_flags & VPF_DOWN))
        return -EINVAL;
    if (!mfn_valid(m))
        return -EINVAL;
    f = mfn_to_frame(m);
    if (frame_get_and_type(f, v->domain->id, FT_WRITABLE))
        return -EINVAL;

    new_info = (struct vcpu_info *)((char *)mfn_to_virt(m) + offset);
    if (v->pv.info == &v->early_info) {
        memset(new_info, 0, sizeof(*new_info));
        new_info->evtchn_upcall_mask = 1;
    } else {
        memcpy(new_info, old_info, sizeof(*new_info));
    }
    ASSERT(old_info == v->pv.info);
    v->vcpu_info_mfn = m;
    smp_wmb(); /* contents before the pointer that senders follow */
    WRITE_ONCE(v->pv.info, new_info);
    smp_mb();
    vcpu_invalidate_time_info(v);
    if (v == current)
        vcpu_update_time_info(v);
    resend_all_events(v);
    vcpu_invalidate_time_info(v);
    if (v == current)
        vcpu_update_time_info(v);
    return 0;
}

void vcpu_unmap_info(struct vcpu *v)
{
    mfn_t m = v->vcpu_info_mfn;

    if (mfn_eq(m, INVALID_MFN))
        return;
    ASSERT(v != current && v->domain->is_dying);
    WRITE_ONCE(v->pv.info, &v->early_info);
    v->vcpu_info_mfn = INVALID_MFN;
    domain_grace_period();
    frame_put_and_type(mfn_to_frame(m));
}

/* --- memory of a vCPU that need not be current --- */

/* A piece that does not cross a page. */
static bool write_kernel_piece(struct vcpu *v, unsigned long va,
                               const void *from, size_t n)
{
    const u64 need = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
    pte_t pte;
    unsigned int level = pt_walk(v->pv.cr3_kernel & PTE_ADDR_MASK, va, &pte);
    unsigned long page_offset = va & ~PAGE_MASK;
    struct frame *f;
    mfn_t m;

    /* Guests have no large pages. */
    if (level != 1 || (pte & need) != need)
        return false;
    m = pte_mfn(pte);
    if (!mfn_valid(m))
        return false;
    f = mfn_to_frame(m);
    if (frame_get_and_type(f, v->domain->id, FT_WRITABLE))
        return false;
    memcpy((char *)mfn_to_virt(m) + page_offset, from, n);
    frame_put_and_type(f);
    return true;
}

bool vcpu_write_kernel_va(struct vcpu *v, unsigned long va, const void *from,
                          size_t n)
{
    size_t first = MIN(n, PAGE_SIZE - (va & ~PAGE_MASK));

    if (!v->pv.cr3_kernel || (va + n > HV_VIRT_START && va < HV_VIRT_END) ||
        va + n < va)
        return false;
    if (!write_kernel_piece(v, va, from, first))
        return false;
    return first == n || write_kernel_piece(v, va + first,
                                            (const char *)from + first,
                                            n - first);
}

/* --- runstate --- */

/* With the assist on, readers see from bit 63 that a write is under way. */
static void write_runstate_flagged(struct vcpu *v,
                                   struct vcpu_runstate_info *r)
{
    unsigned long va = v->runstate_va;
    unsigned long entry_va =
        va + offsetof(struct vcpu_runstate_info, state_entry_time);

    r->state_entry_time |= XEN_RUNSTATE_UPDATE;
    if (!vcpu_write_kernel_va(v, entry_va, &r->state_entry_time,
                              sizeof(r->state_entry_time)))
        return;
    smp_wmb(); /* flag, values, flag */
    if (!vcpu_write_kernel_va(v, va, r, sizeof(*r)))
        return;
    smp_wmb();
    r->state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    (void)vcpu_write_kernel_va(v, entry_va, &r->state_entry_time,
                               sizeof(r->state_entry_time));
}

void vcpu_update_runstate_area(struct vcpu *v)
{
    struct vcpu_runstate_info r;

    if (likely(!v->runstate_va))
        return;
    r = v->runstate;
    r.state_entry_time -= v->domain->time_shift;
    if (v->domain->vm_assist & (1UL << VMASST_TYPE_runstate_update_flag))
        write_runstate_flagged(v, &r);
    else
        (void)vcpu_write_kernel_va(v, v->runstate_va, &r, sizeof(r));
}

void vcpu_send_nmi(struct vcpu *v)
{
    WRITE_ONCE(v->nmi_pending, 1);
    smp_mb(); /* before the look whether it sleeps */
    vcpu_kick(v);
    /* If it runs: its CPU looks on the way out. If not, when it is put on. */
    cpu_raise_softirq(v->processor, SOFTIRQ_GUEST_NMI);
}
