/* SPDX-License-Identifier: GPL-2.0-only */
/* sched_op: <xen/sched.h>.  Shutdown with poweroff ends every kernel here. */
#include "guest.h"

#define MS 1000000UL

TEST(yield)
{
    CHECK_OK(hc_sched_op(SCHEDOP_yield, NULL));
    /* It takes no argument, so a bad one does not matter. */
    CHECK_OK(hc_sched_op(SCHEDOP_yield, (void *)UNMAPPED_VA));
}

TEST(block_with_event_pending)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);
    ulong before = upcalls;

    CHECK_OK(port_send(port));
    CHECK_OK(hc_sched_op(SCHEDOP_block, NULL));
    /* Blocking opens the mask, so the upcall has come. */
    CHECK_EQ(vcpu0()->evtchn_upcall_mask, 0);
    CHECK_EQ(upcalls, before + 1);
    port_forget(port);
    CHECK_OK(port_close(port));
}

TEST(block_until_timer)
{
    evtchn_port_t port = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);
    u64 start = system_time();

    port_forget(port);
    CHECK_OK(hc_set_timer_op(start + 20 * MS));
    CHECK_OK(hc_sched_op(SCHEDOP_block, NULL));
    CHECK(port_pending(port));
    CHECK(system_time() - start >= 15 * MS);
    vcpu0()->evtchn_upcall_mask = 1;
    port_forget(port);
    CHECK_OK(port_close(port));
}

static long poll(evtchn_port_t *ports, unsigned n, u64 timeout)
{
    struct sched_poll p = { .nr_ports = n, .timeout = timeout };

    set_xen_guest_handle(p.ports, ports);
    return hc_sched_op(SCHEDOP_poll, &p);
}

TEST(poll_pending)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);

    port_mask(port);
    CHECK_OK(port_send(port));
    CHECK_OK(poll(&port, 1, 0));
    CHECK(port_pending(port));
    port_forget(port);
    CHECK_OK(port_close(port));
}

TEST(poll_times_out)
{
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);
    u64 start = system_time();

    port_mask(port);
    port_forget(port);
    CHECK_OK(poll(&port, 1, start + 20 * MS));
    CHECK(system_time() - start >= 15 * MS);
    CHECK(!port_pending(port));
    CHECK_OK(port_close(port));
}

TEST(poll_of_nothing)
{
    u64 start = system_time();

    CHECK_OK(poll(NULL, 0, start + 10 * MS));
    CHECK(system_time() - start >= 5 * MS);
}

TEST(poll_ends_by_timer_virq)
{
    evtchn_port_t port = (evtchn_port_t)port_virq(VIRQ_TIMER, 0);

    port_mask(port);
    port_forget(port);
    CHECK_OK(hc_set_timer_op(system_time() + 10 * MS));
    CHECK_OK(poll(&port, 1, system_time() + 2000 * MS));
    CHECK(port_pending(port));
    port_forget(port);
    CHECK_OK(port_close(port));
}

TEST(poll_bad)
{
    evtchn_port_t ports[2] = { 0x7fffffff, 0 };

    CHECK_ERR(poll(ports, 1, 0), -XEN_EINVAL);
    CHECK_ERR(poll(ports, 129, 0), -XEN_EINVAL);
    CHECK_ERR(poll(ports, ~0u, 0), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(evtchn_port_t), -XEN_EFAULT, poll(bad, 1, 0));
    CHECK_BAD_POINTERS(sizeof(struct sched_poll), -XEN_EFAULT,
                       hc_sched_op(SCHEDOP_poll, bad));
}

TEST(shutdown_bad)
{
    CHECK_BAD_POINTERS(sizeof(struct sched_shutdown), -XEN_EFAULT,
                       hc_sched_op(SCHEDOP_shutdown, bad));
    CHECK_BAD_POINTERS(sizeof(struct sched_shutdown), -XEN_EFAULT,
                       hc_sched_op(SCHEDOP_shutdown_code, bad));
}

/* A reason given before the end, which poweroff then overrides. */
TEST(shutdown_code)
{
    struct sched_shutdown s = { .reason = SHUTDOWN_poweroff };

    CHECK_OK(hc_sched_op(SCHEDOP_shutdown_code, &s));
}

TEST(remote_shutdown_bad)
{
    struct sched_remote_shutdown r = { .domain_id = 0x1234,
                                       .reason = SHUTDOWN_poweroff };

    CHECK_ERR(hc_sched_op(SCHEDOP_remote_shutdown, &r), -XEN_ESRCH);
    CHECK_BAD_POINTERS(sizeof(r), -XEN_EFAULT,
                       hc_sched_op(SCHEDOP_remote_shutdown, bad));
}

static long watchdog(u32 id, u32 timeout)
{
    struct sched_watchdog w = { .id = id, .timeout = timeout };
    return hc_sched_op(SCHEDOP_watchdog, &w);
}

TEST(watchdog)
{
    long first = watchdog(0, 30), second;

    REQUIRE(CHECK(first > 0));
    second = watchdog(0, 30);
    CHECK(second > 0 && second != first);
    /* The reference leaves the upper half of the answer clear. */
    CHECK_ERR((int)watchdog(0, 30), -XEN_ENOSPC);
    CHECK_OK(watchdog((u32)first, 60)); /* poked */
    CHECK_OK(watchdog((u32)first, 0));  /* stopped */
    CHECK_OK(watchdog((u32)second, 0));
}

TEST(watchdog_bad)
{
    CHECK_ERR(watchdog(99, 30), -XEN_EINVAL);
    CHECK_ERR(watchdog(1, 30), -XEN_EINVAL); /* not in use */
    CHECK_BAD_POINTERS(sizeof(struct sched_watchdog), -XEN_EFAULT,
                       hc_sched_op(SCHEDOP_watchdog, bad));
}

TEST(pin_override)
{
    struct sched_pin_override p = { .pcpu = 0 };

    FOR_DOMAIN_0();
    CHECK_OK(hc_sched_op(SCHEDOP_pin_override, &p));
    p.pcpu = -1;
    CHECK_OK(hc_sched_op(SCHEDOP_pin_override, &p));
    p.pcpu = 99;
    CHECK_ERR(hc_sched_op(SCHEDOP_pin_override, &p), -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(p), -XEN_EFAULT,
                       hc_sched_op(SCHEDOP_pin_override, bad));
}

TEST(sched_op_unknown)
{
    CHECK_ERR(hc_sched_op(8, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_sched_op(~0u, NULL), -XEN_ENOSYS);
}

/* The call's first form: yield and block by number, shutdown with a reason. */
TEST(sched_op_compat)
{
    CHECK_OK(
        hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_yield, 0, 0, 0, 0));
    CHECK_ERR(hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_poll, 0, 0, 0, 0),
              -XEN_ENOSYS);
}
