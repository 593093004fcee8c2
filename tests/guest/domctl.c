/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * domctl: <xen/domctl.h>.  On domain 0 itself, on nobody, and on a domain
 * that is made, looked at and destroyed without ever running.
 */
#include "guest.h"

TEST(domctl_bad)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo,
                             .interface_version = XEN_DOMCTL_INTERFACE_VERSION +
                                                  1 };

    CHECK_ERR(hc_domctl(&op), -XEN_EACCES);
    CHECK_ERR(domctl(9999, 0, &op), -XEN_ENOSYS);
    CHECK_ERR(domctl(0, 0, &op), -XEN_ENOSYS);
    CHECK_BAD_POINTERS(sizeof(op), -XEN_EFAULT, hc_domctl(bad));
}

static const u32 plain_commands[] = {
    XEN_DOMCTL_destroydomain,     XEN_DOMCTL_pausedomain,
    XEN_DOMCTL_unpausedomain,     XEN_DOMCTL_setvcpuaffinity,
    XEN_DOMCTL_max_mem,           XEN_DOMCTL_setvcpucontext,
    XEN_DOMCTL_getvcpucontext,    XEN_DOMCTL_getvcpuinfo,
    XEN_DOMCTL_max_vcpus,         XEN_DOMCTL_scheduler_op,
    XEN_DOMCTL_setdomainhandle,   XEN_DOMCTL_setdebugging,
    XEN_DOMCTL_irq_permission,    XEN_DOMCTL_iomem_permission,
    XEN_DOMCTL_ioport_permission, XEN_DOMCTL_hypercall_init,
    XEN_DOMCTL_settimeoffset,     XEN_DOMCTL_getvcpuaffinity,
    XEN_DOMCTL_resumedomain,      XEN_DOMCTL_set_address_size,
    XEN_DOMCTL_get_address_size,  XEN_DOMCTL_getpageframeinfo3,
    XEN_DOMCTL_setnodeaffinity,   XEN_DOMCTL_getnodeaffinity,
};

TEST(no_such_domain)
{
    for (unsigned i = 0; i < ARRAY_SIZE(plain_commands); i++) {
        struct xen_domctl op = { 0 };
        CHECK_ERR(domctl(plain_commands[i], 0x1234, &op), -XEN_ESRCH);
    }
}

/* What would stop the domain that asks is refused. */
TEST(not_on_oneself)
{
    static const u32 commands[] = {
        XEN_DOMCTL_destroydomain,
        XEN_DOMCTL_pausedomain,
        XEN_DOMCTL_setvcpucontext,
        XEN_DOMCTL_resumedomain,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        struct xen_domctl op = { 0 };
        CHECK_ERR(domctl(commands[i], 0, &op), -XEN_EINVAL);
    }
}

TEST(domain_info)
{
    struct xen_domctl op = { 0 };

    CHECK_OK(domctl(XEN_DOMCTL_getdomaininfo, 0, &op));
    CHECK_EQ(op.domain, 0);
    CHECK_EQ(op.u.getdomaininfo.domain, 0);
    CHECK_EQ(op.u.getdomaininfo.tot_pages, start_info->nr_pages);
    CHECK_EQ(op.u.getdomaininfo.nr_online_vcpus, 1);
    CHECK_EQ(op.u.getdomaininfo.max_vcpu_id, option_number("cpus=", 1) - 1);
    CHECK(op.u.getdomaininfo.flags & XEN_DOMINF_running);
    CHECK_EQ(op.u.getdomaininfo.shared_info_frame,
             start_info->shared_info >> 12);
    CHECK_ERR(domctl(XEN_DOMCTL_getdomaininfo, 5, &op), -XEN_ESRCH);
}

TEST(vcpu_info)
{
    struct xen_domctl op = { 0 };

    CHECK_OK(domctl(XEN_DOMCTL_getvcpuinfo, 0, &op));
    CHECK_EQ(op.u.getvcpuinfo.online, 1);
    CHECK_EQ(op.u.getvcpuinfo.running, 1);
    op.u.getvcpuinfo.vcpu = 77;
    CHECK_ERR(domctl(XEN_DOMCTL_getvcpuinfo, 0, &op), -XEN_EINVAL);
    op.u.getvcpuinfo.vcpu = ~0u;
    CHECK_ERR(domctl(XEN_DOMCTL_getvcpuinfo, 0, &op), -XEN_EINVAL);
}

TEST(address_size)
{
    struct xen_domctl op = { 0 };

    CHECK_OK(domctl(XEN_DOMCTL_get_address_size, 0, &op));
    CHECK_EQ(op.u.address_size.size, 64);
}

TEST(frame_types)
{
    xen_pfn_t frames[3] = { mfn_of(page_get()),
                            mfn_of((void *)start_info->pt_base),
                            mfn_of(pte_of(VIRT_BASE, 1)) };
    struct xen_domctl op = { 0 };

    op.u.getpageframeinfo3.num = 3;
    set_xen_guest_handle(op.u.getpageframeinfo3.array, frames);
    CHECK_OK(domctl(XEN_DOMCTL_getpageframeinfo3, 0, &op));
    CHECK_EQ(frames[0], XEN_DOMCTL_PFINFO_NOTAB);
    CHECK_EQ(frames[1] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK,
             XEN_DOMCTL_PFINFO_L4TAB);
    CHECK_EQ(frames[2] & XEN_DOMCTL_PFINFO_LTABTYPE_MASK,
             XEN_DOMCTL_PFINFO_L1TAB);
}

static long create(domid_t wanted, domid_t *got, u32 vcpus)
{
    struct xen_domctl op = { 0 };
    struct xen_domctl_createdomain *c = &op.u.createdomain;
    long rc;

    c->max_vcpus = vcpus;
    c->max_evtchn_port = 1023;
    c->max_grant_frames = 4;
    c->max_maptrack_frames = 4;
    c->grant_opts = XEN_DOMCTL_GRANT_version(1);
    rc = domctl(XEN_DOMCTL_createdomain, wanted, &op);
    *got = op.domain;
    return rc;
}

static long destroy(domid_t domain)
{
    struct xen_domctl op = { 0 };
    return domctl(XEN_DOMCTL_destroydomain, domain, &op);
}

TEST(create_and_destroy)
{
    struct xen_domctl op = { 0 };
    domid_t id = 0;

    REQUIRE(CHECK_OK(create(0, &id, 1)));
    CHECK(id != 0 && id < DOMID_FIRST_RESERVED);
    CHECK_OK(domctl(XEN_DOMCTL_getdomaininfo, id, &op));
    CHECK_EQ(op.u.getdomaininfo.tot_pages, 0);
    CHECK(op.u.getdomaininfo.flags & XEN_DOMINF_paused);
    CHECK_OK(destroy(id));
    CHECK_ERR(domctl(XEN_DOMCTL_getdomaininfo, id, &op), -XEN_ESRCH);
    CHECK_ERR(destroy(id), -XEN_ESRCH);
}

TEST(create_with_a_number)
{
    domid_t id = 0, other = 0;

    REQUIRE(CHECK_OK(create(77, &id, 1)));
    CHECK_EQ(id, 77);
    CHECK_ERR(create(77, &other, 1), -XEN_EEXIST);
    CHECK_OK(destroy(77));
}

TEST(create_bad)
{
    struct xen_domctl op = { 0 };
    domid_t id = 0;

    CHECK_ERR(create(0, &id, 0), -XEN_EINVAL);
    CHECK_ERR(create(0, &id, 100000), -XEN_EINVAL);
    op.u.createdomain.max_vcpus = 1;
    op.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
    op.u.createdomain.flags = 1u << 30;
    CHECK_ERR(domctl(XEN_DOMCTL_createdomain, 0, &op), -XEN_EINVAL);
}

/* Memory of another domain: ours to map while we name it, and only then. */
TEST(foreign_memory)
{
    domid_t id = 0;
    struct xen_domctl op = { 0 };
    xen_pfn_t frame = 0;
    struct xen_memory_reservation r = { .nr_extents = 1 };
    volatile u64 *page = page_get();

    REQUIRE(CHECK_OK(create(0, &id, 1)));
    op.u.max_mem.max_memkb = 64;
    CHECK_OK(domctl(XEN_DOMCTL_max_mem, id, &op));
    r.domid = id;
    set_xen_guest_handle(r.extent_start, &frame);
    CHECK_EQ(hc_memory_op(XENMEM_populate_physmap, &r), 1);
    CHECK(frame != 0);
    CHECK_ERR(remap(page, PTE(frame, PTE_RW_FLAGS)), ERR_NOT_OURS);
    CHECK_OK(hc_update_va_mapping_otherdomain((ulong)page,
                                              PTE(frame, PTE_RW_FLAGS),
                                              UVMF_INVLPG, id));
    CHECK_NO_FAULT(*page = 1);
    /* Not as a page table of ours, whoever is named. */
    CHECK_ERR(mmuext1(MMUEXT_PIN_L1_TABLE, frame, 0), -XEN_EINVAL);
    CHECK_OK(remap(page, 0));
    CHECK_OK(destroy(id));
}

/* More than its limit it does not get. */
TEST(memory_limit)
{
    domid_t id = 0;
    struct xen_domctl op = { 0 };
    xen_pfn_t frames[20] = { 0 };
    struct xen_memory_reservation r = { .nr_extents = 20 };

    REQUIRE(CHECK_OK(create(0, &id, 1)));
    op.u.max_mem.max_memkb = 64; /* 16 pages */
    CHECK_OK(domctl(XEN_DOMCTL_max_mem, id, &op));
    r.domid = id;
    set_xen_guest_handle(r.extent_start, frames);
    for (unsigned i = 0; i < 20; i++)
        frames[i] = i;
    CHECK_EQ(hc_memory_op(XENMEM_populate_physmap, &r), 16);
    CHECK_OK(domctl(XEN_DOMCTL_getdomaininfo, id, &op));
    CHECK_EQ(op.u.getdomaininfo.tot_pages, 16);
    CHECK_OK(destroy(id));
}

TEST(vcpus_of_a_new_domain)
{
    domid_t id = 0;
    struct xen_domctl op = { 0 };

    REQUIRE(CHECK_OK(create(0, &id, 2)));
    op.u.max_vcpus.max = 3; /* it was made for two */
    CHECK_ERR(domctl(XEN_DOMCTL_max_vcpus, id, &op), -XEN_EINVAL);
    op.u.max_vcpus.max = 2;
    CHECK_OK(domctl(XEN_DOMCTL_max_vcpus, id, &op));
    memset(&op, 0, sizeof(op));
    op.u.getvcpuinfo.vcpu = 1;
    CHECK_OK(domctl(XEN_DOMCTL_getvcpuinfo, id, &op));
    CHECK_EQ(op.u.getvcpuinfo.online, 0);
    memset(&op, 0, sizeof(op));
    set_xen_guest_handle(op.u.vcpucontext.ctxt,
                         (vcpu_guest_context_t *)UNMAPPED_VA);
    CHECK_ERR(domctl(XEN_DOMCTL_setvcpucontext, id, &op), -XEN_EFAULT);
    CHECK_OK(destroy(id));
}

TEST(pause_and_unpause)
{
    domid_t id = 0;
    struct xen_domctl op = { 0 };

    REQUIRE(CHECK_OK(create(0, &id, 1)));
    /* A new domain is paused by its builder; never more often than that. */
    CHECK_OK(domctl(XEN_DOMCTL_unpausedomain, id, &op));
    CHECK_ERR(domctl(XEN_DOMCTL_unpausedomain, id, &op), -XEN_EINVAL);
    CHECK_OK(domctl(XEN_DOMCTL_pausedomain, id, &op));
    CHECK_OK(destroy(id));
}

/* An event channel to another domain waits for that one. */
TEST(event_channel_for_another)
{
    domid_t id = 0;
    struct evtchn_alloc_unbound a = { .remote_dom = 0 };

    REQUIRE(CHECK_OK(create(0, &id, 1)));
    a.dom = id;
    CHECK_OK(hc_event_channel_op(EVTCHNOP_alloc_unbound, &a));
    CHECK(a.port > 0);
    if (!on_reference) { /* which lets events go to a vCPU that is not there */
        struct evtchn_bind_interdomain b = {
            .remote_dom = id, .remote_port = a.port,
        };
        struct xen_domctl op = { .u.max_vcpus.max = 1 };

        CHECK_ERR(hc_event_channel_op(EVTCHNOP_bind_interdomain, &b),
                  -XEN_EINVAL);
        CHECK_OK(domctl(XEN_DOMCTL_max_vcpus, id, &op));
        CHECK_OK(hc_event_channel_op(EVTCHNOP_bind_interdomain, &b));
    }
    CHECK_OK(destroy(id));
}

/* --- what a domain may be given, and told --- */

/* Bits past the end of the address space are no empty set. */
TEST(cpu_map_too_large)
{
    struct xen_domctl op = { 0 };
    struct xen_domctl_vcpuaffinity *a = &op.u.vcpuaffinity;

    if (on_reference)
        SKIP("the reference takes so many bits for none");
    a->flags = XEN_VCPUAFFINITY_HARD;
    a->cpumap_hard.nr_bits = ~0u;
    set_xen_guest_handle(a->cpumap_hard.bitmap, (uint8_t *)UNMAPPED_VA);
    CHECK_ERR(domctl(XEN_DOMCTL_getvcpuaffinity, 0, &op), -XEN_EFAULT);
    CHECK_ERR(domctl(XEN_DOMCTL_setvcpuaffinity, 0, &op), -XEN_EFAULT);
}

static long give_ports(domid_t domain, u32 first, u32 nr, bool allow)
{
    struct xen_domctl op = { 0 };

    op.u.ioport_permission.first_port = first;
    op.u.ioport_permission.nr_ports = nr;
    op.u.ioport_permission.allow_access = allow;
    return domctl(XEN_DOMCTL_ioport_permission, domain, &op);
}

/* Those of the hypervisor's own devices nobody gets, domain 0 included. */
TEST(ports)
{
    domid_t id = 0;

    REQUIRE(CHECK_OK(create(0, &id, 1)));
    CHECK_OK(give_ports(id, 0x300, 8, true));
    CHECK_OK(give_ports(id, 0x300, 8, false));
    CHECK_ERR(give_ports(id, 0x1e, 3, true), -XEN_EPERM); /* 0x20: the PIC */
    CHECK_ERR(give_ports(0, 0x40, 1, true), -XEN_EPERM);
    CHECK_ERR(give_ports(id, 0xffff, 2, true), -XEN_EINVAL);
    CHECK_ERR(give_ports(id, ~0u, 2, true), -XEN_EINVAL);
    CHECK_OK(destroy(id));
}

/* Entry points that no kernel can have would fault in the hypervisor. */
TEST(entry_points_bad)
{
    static const ulong bad[] = { NON_CANONICAL_VA, HYPERVISOR_VA };
    struct xen_domctl op = { .u.max_vcpus.max = 1 };
    struct xen_domctl_ext_vcpucontext *a = &op.u.ext_vcpucontext;
    domid_t id = 0;

    REQUIRE(CHECK_OK(create(0, &id, 1)));
    REQUIRE(CHECK_OK(domctl(XEN_DOMCTL_max_vcpus, id, &op)));
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
        memset(&op, 0, sizeof(op));
        a->size = sizeof(*a);
        if (i % 2)
            a->sysenter_callback_eip = bad[i / 2];
        else
            a->syscall32_callback_eip = bad[i / 2];
        if (!on_reference || bad[i / 2] == NON_CANONICAL_VA)
            CHECK_ERR(domctl(XEN_DOMCTL_set_ext_vcpucontext, id, &op),
                      -XEN_EINVAL);
    }
    CHECK_OK(destroy(id));
}

static xen_cpuid_leaf_t leaves[256];

static long policy(u32 cmd, domid_t domain, xen_cpuid_leaf_t *list, u32 nr)
{
    struct xen_domctl op = { 0 };
    struct xen_domctl_cpu_policy *p = &op.u.cpu_policy;
    xen_msr_entry_t msrs[8];

    p->nr_leaves = nr;
    set_xen_guest_handle(p->leaves, list);
    set_xen_guest_handle(p->msrs, msrs);
    if (cmd == XEN_DOMCTL_get_cpu_policy)
        p->nr_msrs = ARRAY_SIZE(msrs);
    return domctl(cmd, domain, &op);
}

/* Leaf 1 of what the domain sees. */
static xen_cpuid_leaf_t *features_of(domid_t domain)
{
    memset(leaves, 0, sizeof(leaves));
    if (!CHECK_OK(policy(XEN_DOMCTL_get_cpu_policy, domain, leaves,
                         ARRAY_SIZE(leaves))))
        return NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++)
        if (leaves[i].leaf == 1)
            return &leaves[i];
    return NULL;
}

/* A feature that was hidden stays so for who asks, until it is shown again. */
TEST(cpu_policy)
{
    const u32 cx16 = 1u << 13, vmx = 1u << 5;
    xen_cpuid_leaf_t wanted, *got;
    domid_t id = 0;

    REQUIRE(CHECK_OK(create(0, &id, 1)));
    REQUIRE(CHECK((got = features_of(id)) != NULL && (got->c & cx16)));
    wanted = *got;
    wanted.c &= ~cx16;
    CHECK_OK(policy(XEN_DOMCTL_set_cpu_policy, id, &wanted, 1));
    CHECK((got = features_of(id)) != NULL && got->c == wanted.c);
    wanted.c |= cx16;
    CHECK_OK(policy(XEN_DOMCTL_set_cpu_policy, id, &wanted, 1));
    CHECK((got = features_of(id)) != NULL && got->c == wanted.c);
    wanted.c |= vmx;
    if (!on_reference) /* which hides it without a word */
        CHECK_ERR(policy(XEN_DOMCTL_set_cpu_policy, id, &wanted, 1),
                  -XEN_EINVAL);
    CHECK_ERR(policy(XEN_DOMCTL_set_cpu_policy, 0, &wanted, 1), -XEN_EINVAL);
    CHECK_OK(destroy(id));
}

/* --- a reset that nobody goes on with --- */

static evtchn_port_t timer_port;
static volatile u32 left_half_done;

/* Upcall: a reset that was to begin again, and would go on, does not. */
static void skip_reset(struct regs *regs)
{
    const uint8_t *code = (const uint8_t *)regs->rip;

    port_forget(timer_port);
    if (code[0] == 0x0f && code[1] == 0x05 && regs->rdi == EVTCHNOP_reset) {
        regs->rip += 2;
        left_half_done++;
    }
}

static void reset_half(domid_t id)
{
    struct evtchn_alloc_unbound a = { .dom = id };
    struct evtchn_reset r = { .dom = id };

    while (hc_event_channel_op(EVTCHNOP_alloc_unbound, &a) == 0)
        ;
    /* a little later each time, and again, until it is in the middle */
    for (unsigned n = 0; n < 2000 && !left_half_done; n++) {
        u64 delay = 10000 * (1 + n % 100);

        CHECK_OK(hc_set_timer_op(system_time() + delay));
        vcpu0()->evtchn_upcall_mask = 0;
        hc_event_channel_op(EVTCHNOP_reset, &r);
        vcpu0()->evtchn_upcall_mask = 1;
        hc_set_timer_op(0);
        if (left_half_done && hc_event_channel_op(EVTCHNOP_alloc_unbound, &a))
            left_half_done = 0; /* the event came just before it began */
        while (!left_half_done &&
               hc_event_channel_op(EVTCHNOP_alloc_unbound, &a) == 0)
            ;
    }
}

/* The domain is destroyed from its first port on all the same. */
TEST(destroyed_after_half_a_reset)
{
    struct evtchn_alloc_unbound a = { .dom = 0 };
    struct evtchn_bind_interdomain b = { 0 };
    struct evtchn_status s = { .dom = DOMID_SELF };
    struct xen_domctl op = { .u.max_vcpus.max = 1 };
    trap_handler_t old;
    domid_t id = 0;

    if (on_reference)
        SKIP("a reset of the reference is not interrupted");
    REQUIRE(CHECK_OK(create(0, &id, 1)));
    CHECK_OK(domctl(XEN_DOMCTL_max_vcpus, id, &op));
    timer_port = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);
    CHECK_OK(hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    port_open(timer_port);
    old = trap_handler_set(VEC_EVENT, skip_reset);
    reset_half(id);
    trap_handler_set(VEC_EVENT, old);
    CHECK(left_half_done);
    a.dom = b.remote_dom = id;
    CHECK_OK(hc_event_channel_op(EVTCHNOP_alloc_unbound, &a));
    CHECK(a.port < 64);
    b.remote_port = a.port;
    CHECK_OK(hc_event_channel_op(EVTCHNOP_bind_interdomain, &b));
    CHECK_OK(destroy(id));
    s.port = b.local_port;
    CHECK_OK(hc_event_channel_op(EVTCHNOP_status, &s));
    CHECK_EQ(s.status, EVTCHNSTAT_unbound);
    CHECK_OK(port_close(b.local_port));
    port_forget(timer_port);
    CHECK_OK(port_close(timer_port));
}
