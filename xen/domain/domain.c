/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domains: creation, look-up by id, references, pausing, and the end.
 *
 * A domain structure lives as long as its reference count is not zero. The
 * references: one for being alive (dropped at the end of domain_kill()), one
 * while it owns any frame, one for each get_domain*() that was not put.
 * Readers that hold none (an event channel's send to the other end) run with
 * irqs off; domain_grace_period() waits for them before memory goes away.
 *
 * Lock order: docs/locking.md.
 */
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/evtchn.h>
#include <hv/grant-table.h>
#include <hv/pirq.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <hv/string.h>
#include <hv/clock.h>
#include <xen/sched.h>

#define DOMAIN_HASH_SIZE 64

struct domain *dom0;
struct domain *idle_domain;
const struct pv_ops *pv_ops;

static DEFINE_SPINLOCK(domlist_lock); /* the hash and the list, for writing */
static struct domain *domain_hash[DOMAIN_HASH_SIZE];
static struct domain *domain_list; /* by ascending id */

static_assert(sizeof(struct domain) <= PAGE_SIZE, "struct domain grew");
static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "struct vcpu grew");

void pv_register_ops(const struct pv_ops *ops)
{
    ASSERT(!pv_ops);
    pv_ops = ops;
}

/* --- the list of domains --- */

/* Under domlist_lock, or where something keeps the domain. */
struct domain *domain_find(domid_t id)
{
    struct domain *d = READ_ONCE(domain_hash[id % DOMAIN_HASH_SIZE]);

    while (d && d->id != id)
        d = READ_ONCE(d->hash_next);
    return d;
}

/* Take a reference unless the last one is gone. */
static bool domain_try_get(struct domain *d)
{
    u32 old = atomic_read(&d->refcount);

    do {
        if (!old)
            return false;
    } while (!atomic_try_cmpxchg(&d->refcount, &old, old + 1));
    return true;
}

struct domain *get_domain_by_id(domid_t id)
{
    struct domain *d;

    if (id == DOMID_SELF || id == currd->id) {
        d = currd;
        get_domain(d);
        return d;
    }
    spin_lock(&domlist_lock);
    d = domain_find(id);
    if (d && !domain_try_get(d))
        d = NULL;
    spin_unlock(&domlist_lock);
    return d;
}

struct domain *get_next_domain(domid_t first)
{
    struct domain *d;

    spin_lock(&domlist_lock);
    for (d = domain_list; d; d = d->next)
        if (d->id >= first && domain_try_get(d))
            break;
    spin_unlock(&domlist_lock);
    return d;
}

/* Under domlist_lock, or where nothing changes the list. */
struct domain *domain_next(domid_t first)
{
    struct domain *d = READ_ONCE(domain_list);

    while (d && d->id < first)
        d = READ_ONCE(d->next);
    return d;
}

/* -EEXIST: the id is taken (perhaps by a domain that is still dying). */
static int domain_insert(struct domain *d)
{
    struct domain **p;
    int rc = 0;

    spin_lock(&domlist_lock);
    if (domain_find(d->id)) {
        rc = -EEXIST;
    } else {
        for (p = &domain_list; *p && (*p)->id < d->id; p = &(*p)->next)
            ;
        d->next = *p;
        WRITE_ONCE(*p, d);
        p = &domain_hash[d->id % DOMAIN_HASH_SIZE];
        d->hash_next = *p;
        WRITE_ONCE(*p, d);
    }
    spin_unlock(&domlist_lock);
    return rc;
}

static void domain_remove(struct domain *d)
{
    struct domain **p;

    spin_lock(&domlist_lock);
    for (p = &domain_list; *p && *p != d; p = &(*p)->next)
        ;
    if (*p)
        WRITE_ONCE(*p, d->next);
    for (p = &domain_hash[d->id % DOMAIN_HASH_SIZE]; *p && *p != d;
         p = &(*p)->hash_next)
        ;
    if (*p)
        WRITE_ONCE(*p, d->hash_next);
    spin_unlock(&domlist_lock);
}

/* --- creation and the last breath --- */

/* What is not the vCPUs': in the reverse order of domain_setup(). */
static void domain_free_parts(struct domain *d)
{
    grant_table_free(d);
    evtchn_destroy_final(d);
    if (d->shared_info)
        free_hv_pages(d->shared_info, 0);
    hv_free(d->ioport_allowed);
    hv_free(d->e820);
    hv_free(d->cpuid_mask);
    hv_free(d->watchdogs);
    hv_free(d->vcpu);
    hv_free(d);
}

static int domain_setup(struct domain *d)
{
    int rc;

    d->vcpu = new_array(struct vcpu *, d->max_vcpus);
    d->shared_info = alloc_hv_page_zeroed();
    if (!d->vcpu || !d->shared_info)
        return -ENOMEM;
    rc = evtchn_init(d);
    if (!rc)
        rc = grant_table_create(d);
    return rc;
}

static struct domain *domain_alloc(domid_t id, unsigned int max_vcpus)
{
    struct domain *d = new(struct domain);

    if (!d)
        return NULL;
    d->id = id;
    d->refcount = 1;
    d->max_vcpus = max_vcpus;
    d->shutdown_code = SHUTDOWN_CODE_NONE;
    d->max_pages = ~0U;
    d->sched_weight = SCHED_DEFAULT_WEIGHT;
    spin_lock_init(&d->page_lock);
    spin_lock_init(&d->event_lock);
    spin_lock_init(&d->lock);
    d->creation_time = now();
    return d;
}

static void (*life_hook)(const struct domain *d, bool born);

void domain_register_life(void (*fn)(const struct domain *d, bool born))
{
    life_hook = fn;
}

void domain_tell_life(const struct domain *d, bool born)
{
    if (life_hook)
        life_hook(d, born);
}

struct domain *domain_create(domid_t id, unsigned int max_vcpus,
                             unsigned int flags, int *err)
{
    struct domain *d;

    ASSERT(id < DOMID_FIRST_RESERVED);
    *err = -EINVAL;
    if (!max_vcpus || max_vcpus > MAX_VCPUS)
        return NULL;
    *err = -ENOMEM;
    d = domain_alloc(id, max_vcpus);
    if (!d)
        return NULL;
    d->is_privileged = !!(flags & DOMCREATE_PRIVILEGED);
    *err = domain_setup(d);
    if (*err)
        goto free_parts;
    *err = pv_ops->domain_init(d);
    if (*err)
        goto free_parts;
    *err = domain_insert(d);
    if (*err)
        goto free_pv;
    share_hv_page_with_guest(d->shared_info, d);
    d->shared_info_mfn = virt_to_mfn(d->shared_info);
    if (d->is_privileged && !dom0)
        dom0 = d;
    if (d->is_privileged)
        domain_tell_life(d, true);
    note_event("domain created", id, max_vcpus);
    return d;

free_pv:
    pv_ops->domain_free(d);
free_parts:
    domain_free_parts(d);
    return NULL;
}

/* Deferred: the last reference may have been dropped in any context. */
static void domain_free(void *arg)
{
    struct domain *d = arg;

    domain_grace_period();
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            vcpu_destroy(d->vcpu[i]);
    pv_ops->domain_free(d);
    domain_free_parts(d);
}

void put_domain(struct domain *d)
{
    ASSERT(atomic_read(&d->refcount) > 0);
    if (likely(!atomic_dec_and_test(&d->refcount)))
        return;
    ASSERT(!d->tot_pages && !d->shared_pages);
    domain_remove(d);
    d->free_tasklet = (struct tasklet){.fn = domain_free, .arg = d};
    tasklet_schedule(&d->free_tasklet);
}

static void nothing(void *arg)
{
    (void)arg;
}

void domain_grace_period(void)
{
    ASSERT(local_irq_is_enabled());
    /* A CPU takes this interrupt only while irqs are on; we wait for all. */
    smp_call_function(READ_ONCE(cpu_online_map), nothing, NULL, true);
}

void domains_init(void)
{
    idle_domain = domain_alloc(DOMID_IDLE, NR_CPUS);
    if (idle_domain)
        idle_domain->vcpu = new_array(struct vcpu *, NR_CPUS);
    if (!idle_domain || !idle_domain->vcpu)
        panic("No memory for the idle domain\n");
    idle_domain->is_idle = 1;
}

/* --- pausing --- */

void domain_pause(struct domain *d)
{
    struct vcpu *v;

    ASSERT(d != currd);
    atomic_inc(&d->pause_count);
    for_each_vcpu (d, v)
        vcpu_pause(v);
}

void domain_pause_nosync(struct domain *d)
{
    struct vcpu *v;

    atomic_inc(&d->pause_count);
    for_each_vcpu (d, v)
        vcpu_pause_nosync(v);
}

void domain_unpause(struct domain *d)
{
    struct vcpu *v;

    ASSERT(atomic_read(&d->pause_count) > 0);
    atomic_dec(&d->pause_count);
    for_each_vcpu (d, v)
        vcpu_unpause(v);
}

/* --- the end of a guest's run --- */

/* Domain 0 is the machine. */
static void machine_shutdown(u8 reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff:
        log_info("Domain 0 halted: powering the machine off\n");
        machine_power_off();
    case SHUTDOWN_reboot:
        log_info("Domain 0 rebooted: restarting the machine\n");
        machine_restart(0);
    case SHUTDOWN_watchdog:
        log_error("Domain 0's watchdog expired\n");
        break;
    case SHUTDOWN_crash:
        log_error("Domain 0 crashed\n");
        break;
    default:
        log_error("Domain 0 stopped for the unknown reason %u\n", reason);
        break;
    }
    machine_restart(5000);
}

void domain_shutdown(struct domain *d, u8 reason)
{
    struct vcpu *v;

    note_event("domain shuts down, reason", d->id, reason);
    spin_lock(&d->lock);
    if (d->is_shutting_down) {
        spin_unlock(&d->lock);
        return;
    }
    if (d->shutdown_code == SHUTDOWN_CODE_NONE)
        d->shutdown_code = reason;
    reason = d->shutdown_code;
    if (d == dom0) {
        spin_unlock(&d->lock);
        machine_shutdown(reason);
        return;
    }
    WRITE_ONCE(d->is_shutting_down, 1);
    for_each_vcpu (d, v) {
        if (v->paused_for_shutdown)
            continue;
        vcpu_pause_nosync(v);
        v->paused_for_shutdown = 1;
    }
    spin_unlock(&d->lock);
    for_each_vcpu (d, v)
        vcpu_tell_life(v, VCPU_IS_SHUT_DOWN);
    domain_check_shutdown(d);
}

void domain_check_shutdown(struct domain *d)
{
    struct vcpu *v;
    bool suspended;

    spin_lock(&d->lock);
    if (d->is_shutting_down != 1) {
        spin_unlock(&d->lock);
        return;
    }
    for_each_vcpu (d, v) {
        if (READ_ONCE(v->runstate.state) == RUNSTATE_running) {
            spin_unlock(&d->lock);
            return;
        }
    }
    WRITE_ONCE(d->is_shutting_down, 2);
    suspended = d->shutdown_code == SHUTDOWN_suspend && d->suspend_evtchn;
    spin_unlock(&d->lock);
    if (suspended)
        evtchn_send_port(d, d->suspend_evtchn);
    else
        send_global_virq(VIRQ_DOM_EXC);
}

void domain_resume(struct domain *d)
{
    struct vcpu *v;

    /* No vCPU may be half-way between stopping and being resumed. */
    domain_pause(d);
    spin_lock(&d->lock);
    d->is_shutting_down = 0;
    d->shutdown_code = SHUTDOWN_CODE_NONE;
    for_each_vcpu (d, v) {
        if (v->paused_for_shutdown)
            vcpu_unpause(v);
        v->paused_for_shutdown = 0;
    }
    spin_unlock(&d->lock);
    domain_unpause(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    char why[160];
    __builtin_va_list ap;

    if (d->is_shutting_down && d->shutdown_code == SHUTDOWN_crash)
        return;
    __builtin_va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    __builtin_va_end(ap);
    log_error("Domain %u crashed: %s%s", d->id, why,
              strchr(why, '\n') ? "" : "\n");
    if (d == currd)
        pv_ops->dump(current);
    events_dump();
    domain_shutdown(d, SHUTDOWN_crash);
}
