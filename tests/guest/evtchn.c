/* SPDX-License-Identifier: GPL-2.0-only */
/* event_channel_op on two-level channels: <xen/event_channel.h>. */
#include "guest.h"

#define NO_PORT 4000u /* a number that exists, but no channel has it */
#define FAR_PORT 0x7fffffffu

static long alloc_unbound(domid_t dom, domid_t remote, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound a = { .dom = dom, .remote_dom = remote };
    long rc = hc_event_channel_op(EVTCHNOP_alloc_unbound, &a);

    *port = a.port;
    return rc;
}

static long bind_interdomain(domid_t dom, evtchn_port_t to, evtchn_port_t *port)
{
    struct evtchn_bind_interdomain b = { .remote_dom = dom, .remote_port = to };
    long rc = hc_event_channel_op(EVTCHNOP_bind_interdomain, &b);

    *port = b.local_port;
    return rc;
}

static struct evtchn_status status_of(evtchn_port_t port)
{
    struct evtchn_status s = { .dom = DOMID_SELF, .port = port, .status = 99 };

    CHECK_OK(hc_event_channel_op(EVTCHNOP_status, &s));
    return s;
}

/* Two ends in this domain. */
static void make_pair(evtchn_port_t *a, evtchn_port_t *b)
{
    CHECK_OK(alloc_unbound(DOMID_SELF, DOMID_SELF, a));
    CHECK_OK(bind_interdomain(DOMID_SELF, *a, b));
}

TEST(alloc_unbound)
{
    evtchn_port_t a, b;

    CHECK_OK(alloc_unbound(DOMID_SELF, DOMID_SELF, &a));
    CHECK_OK(alloc_unbound(own_id(), 5, &b));
    CHECK(a != 0 && b != 0 && a != b);
    CHECK_EQ(status_of(a).status, EVTCHNSTAT_unbound);
    CHECK_EQ(status_of(b).u.unbound.dom, 5);
    CHECK_OK(port_close(a));
    CHECK_OK(port_close(b));
    CHECK_EQ(status_of(a).status, EVTCHNSTAT_closed);
}

TEST(alloc_unbound_bad)
{
    evtchn_port_t port;

    CHECK_ERR(alloc_unbound(0x1234, 0, &port), -XEN_ESRCH);
    CHECK_ERR(alloc_unbound(DOMID_INVALID, 0, &port), -XEN_ESRCH);
    CHECK_BAD_POINTERS(sizeof(struct evtchn_alloc_unbound), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_alloc_unbound, bad));
}

TEST(interdomain_with_self)
{
    evtchn_port_t a, b;
    struct evtchn_status s;

    make_pair(&a, &b);
    s = status_of(a);
    CHECK_EQ(s.status, EVTCHNSTAT_interdomain);
    CHECK_EQ(s.u.interdomain.dom, own_id());
    CHECK_EQ(s.u.interdomain.port, b);
    CHECK_EQ(s.vcpu, 0);
    port_forget(b);
    CHECK_OK(port_send(a));
    CHECK(port_pending(b));
    CHECK(!port_pending(a));
    port_forget(b);
    CHECK_OK(port_send(b));
    CHECK(port_pending(a));
    port_forget(a);
    /* Closing one end leaves the other waiting. */
    CHECK_OK(port_close(b));
    CHECK_EQ(status_of(a).status, EVTCHNSTAT_unbound);
    CHECK_OK(port_close(a));
}

/* The end that binds is told at once, lest it missed an event. */
TEST(interdomain_is_pending_when_bound)
{
    evtchn_port_t a, b;

    make_pair(&a, &b);
    CHECK(port_pending(b));
    CHECK(!port_pending(a));
    port_forget(b);
    CHECK_OK(port_close(b));
    CHECK_OK(port_close(a));
}

TEST(interdomain_bad)
{
    evtchn_port_t a, b, c;

    make_pair(&a, &b);
    CHECK_ERR(bind_interdomain(DOMID_SELF, a, &c), -XEN_EINVAL);
    CHECK_ERR(bind_interdomain(DOMID_SELF, NO_PORT, &c), -XEN_EINVAL);
    CHECK_ERR(bind_interdomain(DOMID_SELF, FAR_PORT, &c), -XEN_EINVAL);
    CHECK_ERR(bind_interdomain(DOMID_SELF, 0, &c), -XEN_EINVAL);
    CHECK_ERR(bind_interdomain(0x1234, 1, &c), -XEN_ESRCH);
    CHECK_OK(port_close(b));
    CHECK_OK(port_close(a));
    CHECK_BAD_POINTERS(sizeof(struct evtchn_bind_interdomain), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_bind_interdomain, bad));
}

/* A port that waits for another domain is not for us. */
TEST(interdomain_not_permitted)
{
    evtchn_port_t a, b;

    CHECK_OK(alloc_unbound(DOMID_SELF, 5, &a));
    CHECK_ERR(bind_interdomain(DOMID_SELF, a, &b), -XEN_EINVAL);
    CHECK_OK(port_close(a));
}

TEST(virq)
{
    long port = port_virq(VIRQ_DEBUG, 0);
    struct evtchn_status s;

    REQUIRE(CHECK(port > 0));
    s = status_of((evtchn_port_t)port);
    CHECK_EQ(s.status, EVTCHNSTAT_virq);
    CHECK_EQ(s.u.virq, VIRQ_DEBUG);
    CHECK_ERR(port_virq(VIRQ_DEBUG, 0), -XEN_EEXIST);
    CHECK_OK(port_close((evtchn_port_t)port));
    port = port_virq(VIRQ_DEBUG, 0);
    CHECK(port > 0);
    CHECK_OK(port_close((evtchn_port_t)port));
}

TEST(virqs_of_domain_0)
{
    static const u32 virqs[] = { VIRQ_TIMER, VIRQ_CONSOLE,  VIRQ_DOM_EXC,
                                 VIRQ_TBUF,  VIRQ_CON_RING, VIRQ_PCPU_STATE };

    for (unsigned i = 0; i < ARRAY_SIZE(virqs); i++) {
        long port = port_virq(virqs[i], 0);

        CHECK(port > 0);
        CHECK_OK(port_close((evtchn_port_t)port));
    }
}

TEST(virq_bad)
{
    CHECK_ERR(port_virq(NR_VIRQS, 0), -XEN_EINVAL);
    CHECK_ERR(port_virq(~0u, 0), -XEN_EINVAL);
    CHECK_ERR(port_virq(VIRQ_TIMER, 99), -XEN_ENOENT);
    CHECK_ERR(port_virq(VIRQ_TIMER, ~0u), -XEN_ENOENT);
    /* There is one of these for all virtual CPUs, on the first. */
    CHECK_ERR(port_virq(VIRQ_DOM_EXC, 1), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(struct evtchn_bind_virq), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_bind_virq, bad));
}

TEST(ipi)
{
    long port = port_ipi(0);

    REQUIRE(CHECK(port > 0));
    CHECK_EQ(status_of((evtchn_port_t)port).status, EVTCHNSTAT_ipi);
    CHECK_OK(port_send((evtchn_port_t)port));
    CHECK(port_pending((evtchn_port_t)port));
    port_forget((evtchn_port_t)port);
    CHECK_OK(port_close((evtchn_port_t)port));
    CHECK_ERR(port_ipi(99), -XEN_ENOENT);
    CHECK_ERR(port_ipi(~0u), -XEN_ENOENT);
    CHECK_BAD_POINTERS(sizeof(struct evtchn_bind_ipi), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_bind_ipi, bad));
}

static long bind_pirq(u32 pirq, u32 flags, evtchn_port_t *port)
{
    struct evtchn_bind_pirq b = { .pirq = pirq, .flags = flags };
    long rc = hc_event_channel_op(EVTCHNOP_bind_pirq, &b);

    *port = b.port;
    return rc;
}

TEST(pirq)
{
    struct physdev_map_pirq map = {
        .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 9, .pirq = 9
    };
    struct physdev_setup_gsi gsi = { .gsi = 9, .triggering = 1, .polarity = 1 };
    evtchn_port_t port, again;

    FOR_DOMAIN_0();
    CHECK_OK(hc_physdev_op(PHYSDEVOP_map_pirq, &map));
    hc_physdev_op(PHYSDEVOP_setup_gsi, &gsi);
    REQUIRE(CHECK_OK(bind_pirq(9, BIND_PIRQ__WILL_SHARE, &port)));
    CHECK_EQ(status_of(port).status, EVTCHNSTAT_pirq);
    CHECK_EQ(status_of(port).u.pirq, 9);
    CHECK_ERR(bind_pirq(9, BIND_PIRQ__WILL_SHARE, &again), -XEN_EEXIST);
    CHECK_ERR(port_send(port), -XEN_EINVAL);
    CHECK_OK(port_close(port));
}

/* One that fails leaves its port to the next comer. */
TEST(pirq_of_the_hypervisor)
{
    struct physdev_map_pirq map = {
        .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 4, .pirq = 4
    };
    evtchn_port_t port;
    long first;

    FOR_DOMAIN_0();
    CHECK_OK(hc_physdev_op(PHYSDEVOP_map_pirq, &map)); /* the serial line's */
    first = port_ipi(0);
    REQUIRE(CHECK(first > 0));
    CHECK_OK(port_close((evtchn_port_t)first));
    CHECK_ERR(bind_pirq(4, 0, &port), -XEN_EBUSY);
    CHECK_EQ(port_ipi(0), first);
    CHECK_OK(port_close((evtchn_port_t)first));
}

TEST(pirq_bad)
{
    evtchn_port_t port;

    FOR_DOMAIN_0();
    CHECK_ERR(bind_pirq(100000, 0, &port), -XEN_EINVAL);
    CHECK_ERR(bind_pirq(~0u, 0, &port), -XEN_EINVAL);
    /* The timer's line belongs to the hypervisor. */
    CHECK_ERR(bind_pirq(0, 0, &port), -XEN_EPERM);
    CHECK_BAD_POINTERS(sizeof(struct evtchn_bind_pirq), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_bind_pirq, bad));
}

TEST(close_bad)
{
    CHECK_ERR(port_close(0), -XEN_EINVAL);
    CHECK_ERR(port_close(NO_PORT), -XEN_EINVAL);
    CHECK_ERR(port_close(FAR_PORT), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(struct evtchn_close), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_close, bad));
}

TEST(send_bad)
{
    evtchn_port_t a;
    long virq = port_virq(VIRQ_DEBUG, 0);

    CHECK_ERR(port_send(0), -XEN_EINVAL);
    CHECK_ERR(port_send(NO_PORT), -XEN_EINVAL);
    CHECK_ERR(port_send(FAR_PORT), -XEN_EINVAL);
    CHECK_ERR(port_send((evtchn_port_t)virq), -XEN_EINVAL);
    CHECK_OK(port_close((evtchn_port_t)virq));
    /* Nobody is there yet: that is no mistake of the sender's. */
    CHECK_OK(alloc_unbound(DOMID_SELF, 5, &a));
    CHECK_OK(port_send(a));
    CHECK_OK(port_close(a));
    CHECK_BAD_POINTERS(sizeof(struct evtchn_send), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_send, bad));
}

TEST(status_bad)
{
    struct evtchn_status s = { .dom = 0x1234, .port = 1 };

    CHECK_ERR(hc_event_channel_op(EVTCHNOP_status, &s), -XEN_ESRCH);
    s.dom = DOMID_SELF;
    s.port = FAR_PORT;
    CHECK_ERR(hc_event_channel_op(EVTCHNOP_status, &s), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(s), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_status, bad));
}

static long bind_vcpu(evtchn_port_t port, u32 vcpu)
{
    struct evtchn_bind_vcpu b = { .port = port, .vcpu = vcpu };
    return hc_event_channel_op(EVTCHNOP_bind_vcpu, &b);
}

TEST(bind_vcpu)
{
    evtchn_port_t a, b;
    long ipi = port_ipi(0), virq = port_virq(VIRQ_DEBUG, 0);
    long global = port_virq(VIRQ_DOM_EXC, 0);

    make_pair(&a, &b);
    port_forget(b);
    CHECK_OK(bind_vcpu(a, 0));
    CHECK_OK(bind_vcpu((evtchn_port_t)global, 0));
    CHECK_ERR(bind_vcpu(a, 99), -XEN_ENOENT);
    /* These are of one virtual CPU by their nature. */
    CHECK_ERR(bind_vcpu((evtchn_port_t)ipi, 0), -XEN_EINVAL);
    CHECK_ERR(bind_vcpu((evtchn_port_t)virq, 0), -XEN_EINVAL);
    CHECK_ERR(bind_vcpu(NO_PORT, 0), -XEN_EINVAL);
    CHECK_ERR(bind_vcpu(FAR_PORT, 0), -XEN_EINVAL);
    CHECK_OK(port_close(b));
    CHECK_OK(port_close(a));
    CHECK_OK(port_close((evtchn_port_t)ipi));
    CHECK_OK(port_close((evtchn_port_t)virq));
    CHECK_OK(port_close((evtchn_port_t)global));
    CHECK_BAD_POINTERS(sizeof(struct evtchn_bind_vcpu), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_bind_vcpu, bad));
}

/* Masked, an event is pending, but reaches neither selector nor upcall. */
TEST(masked_port)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);
    struct evtchn_unmask u = { .port = port };

    port_forget(port);
    port_mask(port);
    CHECK_OK(port_send(port));
    CHECK(port_pending(port));
    CHECK_EQ(vcpu0()->evtchn_pending_sel, 0);
    CHECK_EQ(vcpu0()->evtchn_upcall_pending, 0);
    CHECK_OK(hc_event_channel_op(EVTCHNOP_unmask, &u));
    CHECK_EQ(shared_info->evtchn_mask[PORT_WORD(port)] & PORT_BIT(port), 0);
    CHECK_EQ(vcpu0()->evtchn_pending_sel, 1UL << PORT_WORD(port));
    CHECK_EQ(vcpu0()->evtchn_upcall_pending, 1);
    port_forget(port);
    CHECK_OK(port_close(port));
}

TEST(unmask_bad)
{
    struct evtchn_unmask u = { .port = FAR_PORT };

    CHECK_ERR(hc_event_channel_op(EVTCHNOP_unmask, &u), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(u), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_unmask, bad));
}

/* As many as there are numbers, then no more. */
TEST(all_ports)
{
    evtchn_port_t port = 0, last = 0;
    unsigned n = 0;
    long rc;

    while (!(rc = alloc_unbound(DOMID_SELF, DOMID_SELF, &port)) && n < 5000) {
        last = port;
        n++;
    }
    CHECK_ERR(rc, -XEN_ENOSPC);
    CHECK(last < EVTCHN_2L_NR_CHANNELS);
    CHECK(n > 4000);
    for (port = 1; port < EVTCHN_2L_NR_CHANNELS; port++)
        port_close(port);
}

TEST(reset)
{
    struct evtchn_reset r = { .dom = DOMID_SELF };
    evtchn_port_t a, b;

    make_pair(&a, &b);
    CHECK_OK(hc_event_channel_op(EVTCHNOP_reset, &r));
    CHECK_ERR(port_close(a), -XEN_EINVAL);
    CHECK_ERR(port_close(b), -XEN_EINVAL);
    r.dom = 0x1234;
    CHECK_ERR(hc_event_channel_op(EVTCHNOP_reset, &r), -XEN_ESRCH);
    CHECK_BAD_POINTERS(sizeof(r), -XEN_EFAULT,
                       hc_event_channel_op(EVTCHNOP_reset, bad));
    port_forget(b);
}

/* Calls of the other kind of channel before there is any of it. */
TEST(fifo_calls_without_fifo)
{
    struct evtchn_expand_array x = { .array_gfn = mfn_of(page_get()) };
    struct evtchn_set_priority p = { .port = (evtchn_port_t)port_ipi(0) };

    CHECK_ERR(hc_event_channel_op(EVTCHNOP_expand_array, &x), -XEN_EOPNOTSUPP);
    CHECK_ERR(hc_event_channel_op(EVTCHNOP_set_priority, &p), -XEN_ENOSYS);
    CHECK_OK(port_close(p.port));
}

TEST(event_channel_op_unknown)
{
    CHECK_ERR(hc_event_channel_op(15, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_event_channel_op(~0u, NULL), -XEN_ENOSYS);
}

/* The call's first form: the command is in the structure. */
TEST(event_channel_op_compat)
{
    struct evtchn_op op = { .cmd = EVTCHNOP_bind_ipi };

    CHECK_OK(
        hypercall(__HYPERVISOR_event_channel_op_compat, A(&op), 0, 0, 0, 0));
    CHECK_OK(port_close(op.u.bind_ipi.port));
    op.cmd = 77;
    CHECK_ERR(hypercall(__HYPERVISOR_event_channel_op_compat, A(&op), 0, 0, 0,
                        0),
              -XEN_ENOSYS);
    CHECK_BAD_POINTERS(sizeof(op), -XEN_EFAULT,
                       hypercall(__HYPERVISOR_event_channel_op_compat, A(bad),
                                 0, 0, 0, 0));
}
