/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain. Floor: domain.
 *
 * Lifetime: domain_create() .. domain_kill() (no more vCPU runs, memory goes
 * back, preemptible) .. last put_domain() frees the structure.
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <hv/list.h>
#include <hv/mm.h>
#include <hv/softirq.h>
#include <hv/spinlock.h>
#include <hv/types.h>
#include <hv/vcpu.h>
#include <xen/xen.h>

struct evtchn;
struct evtchn_port_ops;
struct grant_table;
struct pirq;

struct domain {
    domid_t id;
    u8 is_privileged; /* domain 0 */
    u8 is_dying;      /* 1: being killed, 2: dead */
    u8 is_shutting_down; /* 1: vCPUs are being stopped, 2: all are */
    u8 shutdown_code;    /* SHUTDOWN_* of <xen/sched.h> */
    u8 controller_paused;
    u8 is_idle;
    u8 is_xenstore; /* XEN_DOMCTL_CDF_xs_domain */
    u8 is_told;     /* the debugger has heard of it */
    u8 tsc_mode;    /* XEN_DOMCTL_settscinfo; kept for the tools */
    u32 tsc_incarnation;
    u32 refcount; /* get_domain / put_domain */
    struct domain *hash_next, *next; /* all domains: domain_list */
    u8 handle[16];               /* UUID */
    u32 ssidref;

    unsigned int max_vcpus;
    struct vcpu **vcpu; /* max_vcpus entries, NULL where none */
    u32 pause_count;

    /* Memory. */
    u32 tot_pages; /* frames it owns, FF_SHARED ones excepted; atomics */
    u32 max_pages; /* may own */
    u32 shared_pages; /* FF_SHARED frames that live on; atomics */
    u32 claimed_pages; /* XENMEM_claim_pages: not yet allocated */
    spinlock_t page_lock; /* is_dying and allocation against max_pages */
    unsigned long relinquish_mfn; /* domain_kill()'s scan of the frame table */
    u8 relinquish_step;
    u8 nr_e820;
    struct domain_e820_entry *e820; /* XENMEM_set_memory_map */
    struct shared_info *shared_info; /* one page, FF_SHARED; NULL: killed */
    mfn_t shared_info_mfn;
    pte_t *perdomain_l3; /* slot 260: one page; L2 and L1 below it */
    pte_t *perdomain_l2;
    cpumask_t dirty_cpus; /* CPUs whose TLB may hold its translations */
    unsigned long vm_assist; /* VMASST_TYPE_* bits */
    u64 p2m_frames_unused;

    spinlock_t lock; /* vCPU bring-up, shutdown, watchdogs */
    struct domain_watchdogs *watchdogs; /* watchdog.c; NULL: none yet */

    /* Device access (domain 0, later driver domains): rangesets as bitmaps. */
    u8 *ioport_allowed; /* 65536 bits; NULL: none */
    u8 io_all_allowed;  /* domain 0: device memory, but not the hypervisor's */
    u32 pci_cf8; /* what it last wrote to port 0xcf8 */

    /* Event channels. */
    struct evtchn **evtchn_bucket; /* domain/evtchn.c */
    unsigned int nr_bucket_slots;
    unsigned int max_evtchns;   /* ports that the ABI in use can number */
    unsigned int valid_evtchns; /* ports whose bucket exists */
    u32 max_evtchn_port;        /* highest port the domain may allocate */
    u32 evtchn_hint;            /* no free port below */
    u32 evtchn_search;          /* evtchn_alloc_port() goes on here; 0: hint */
    u32 evtchn_reset_port;      /* EVTCHNOP_reset goes on here */
    u32 evtchn_destroy_port;    /* and domain_kill() */
    u32 suspend_evtchn;         /* XEN_DOMCTL_subscribe */
    const struct evtchn_port_ops *evtchn_ops;
    struct evtchn_fifo_domain *evtchn_fifo; /* NULL: 2-level ABI */
    spinlock_t event_lock; /* binding of ports; never taken by a send */
    DECLARE_BITMAP(poll_mask, MAX_VCPUS);

    struct grant_table *grant_table;

    /* Interrupts of devices it drives (domain/pirq.c), indexed by pirq. */
    struct pirq **pirqs;
    unsigned int nr_pirqs;
    unsigned long *pirq_eoi_map; /* shared page, NULL: none */
    u8 pirq_auto_unmask;         /* an EOI unmasks the port too */

    /* Time. */
    s64 time_offset_seconds;
    s_time_t creation_time;
    s_time_t time_shift; /* ns subtracted from system time (debugger stops) */
    u64 tsc_shift;       /* ticks subtracted from the TSC: pv_tsc_skip() */

    u32 *cpuid_mask; /* NR_CPUID_FEATURE_WORDS; NULL: nothing is hidden */
    u16 sched_weight; /* of each vCPU: sched-fair.c */
    void *debug_priv;
    struct tasklet free_tasklet;
};

#define for_each_vcpu(d, v)                                                    \
    for (unsigned int i_ = 0; i_ < (d)->max_vcpus; i_++)                       \
        if (((v) = (d)->vcpu[i_]) != NULL)

struct domain_e820_entry {
    u64 start, size;
    u32 type;
} __packed;

extern struct domain *dom0;
extern struct domain *idle_domain; /* one vCPU per CPU */

/* --- domain.c --- */
#define DOMCREATE_PRIVILEGED 1
void domains_init(void); /* boot: idle domain, owner hook; before any other */
/*
 * NULL and *err set on failure. max_vcpus: of the structure, none created yet.
 */
struct domain *domain_create(domid_t id, unsigned int max_vcpus,
                             unsigned int flags, int *err);
/*
 * Reference taken; NULL: no such domain or being freed. DOMID_SELF is
 * resolved.
 */
struct domain *get_domain_by_id(domid_t id);
static inline void get_domain(struct domain *d)
{
    atomic_inc(&d->refcount);
}
void put_domain(struct domain *d);
void domain_pause(struct domain *d); /* not by a vCPU of d */
void domain_pause_nosync(struct domain *d);
void domain_unpause(struct domain *d);
/* SCHEDOP_shutdown: stop all vCPUs; for domain 0: machine restart or off. */
void domain_shutdown(struct domain *d, u8 reason);
/* The guest is at fault: dump its state, stop it as crashed. Never returns to
 * the guest; returns to the caller. `fmt` says why. */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);
int domain_kill(struct domain *d); /* -ERESTART: call again */
/* For the debugger: fn hears of domains that are about to run for the first
 * time (of domain 0 when it is made), and of those that will not run again
 * while their memory is still theirs. irqs on, no lock but domctl's. */
void domain_register_life(void (*fn)(const struct domain *d, bool born));
void domain_tell_life(const struct domain *d, bool born);
/* Allocate 2^order frames owned by d, counted. INVALID_MFN: none. */
mfn_t domain_alloc_frames(struct domain *d, unsigned int order,
                          unsigned int memf);
/* Give a hypervisor page to d as FF_SHARED, writable for it. */
void share_hv_page_with_guest(void *page, struct domain *d);
/* The owner's reference goes; the page is freed once nobody maps it. */
void unshare_hv_page(void *page);
/* Give up the owner's reference of f; false: it was given up before. The
 * caller holds one, or nobody else knows f. */
bool domain_release_frame(struct frame *f);
/* The same for a frame that was d's a moment ago: meanwhile d may have given it
 * back itself, and it may be somebody else's. */
bool domain_give_back(struct domain *d, struct frame *f);
/* Account n frames to d as its own from now on: -ENOMEM over max_pages,
 * -EINVAL it is dying. Frames get their owner afterwards. */
int domain_account_frames(struct domain *d, unsigned int n);
void domain_unaccount_frames(struct domain *d, unsigned int n);
/* Next domain with id >= first, referenced; NULL: none. */
struct domain *get_next_domain(domid_t first);
/* SHUTDOWN_* latched before the domain stops by itself; 0xff: none. */
#define SHUTDOWN_CODE_NONE 0xff
void domain_resume(struct domain *d); /* take back a shutdown */
/* A vCPU of d left its CPU while d shuts down. Not under a queue lock. */
void domain_check_shutdown(struct domain *d);
/* Wait until every CPU has had irqs on once: readers of domain structures
 * without a reference run with irqs off. irqs on, no locks. */
void domain_grace_period(void);

/* Without a reference: something else must keep the domain (domain.c). */
struct domain *domain_find(domid_t id);
struct domain *domain_next(domid_t first); /* id >= first; NULL: none */

/* --- domain-memory.c --- */
void domain_memory_init(void); /* boot: registers the owner hook */
/*
 * Promise d that it can grow to `pages` in all; 0 takes the promise back.
 * It binds other claims, not other allocations. -EINVAL, -ENOMEM.
 */
int domain_claim_pages(struct domain *d, unsigned long pages);
unsigned long total_claimed_pages(void); /* promised and not yet used */

/* --- watchdog.c --- */
/* SCHEDOP_watchdog: the new one's id, or 0. -EINVAL, -ENOSPC, -ENOMEM. */
int domain_watchdog(struct domain *d, u32 id, u32 seconds);
void domain_kill_watchdogs(struct domain *d);

/* domain/pirq.c, evtchn.c, clock.c: see their headers. */

#endif
