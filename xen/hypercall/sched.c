/* SPDX-License-Identifier: GPL-2.0-only */
/* sched_op, its old form, and set_timer_op (sched.h, xen.h). */
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/evtchn.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/sched.h>
#include <hv/softirq.h>
#include <hv/vcpu-timer.h>
#include <xen/sched.h>

#define MAX_POLL_PORTS 128

/* --- poll --- */

/* 1: a port is pending; 0: none is, and *only holds the port if it is one. */
static int any_pending(struct domain *d, const struct sched_poll *poll,
                       u32 *only)
{
    for (unsigned int i = 0; i < poll->nr_ports; i++) {
        evtchn_port_t port;
        struct evtchn *chn;

        if (copy_from_handle_offset(&port, poll->ports, i))
            return -EFAULT;
        chn = evtchn_find(d, port);
        if (!chn)
            return -EINVAL;
        if (evtchn_is_pending(d, chn))
            return 1;
        *only = poll->nr_ports == 1 ? port : 0;
    }
    return 0;
}

static void poll_end(struct vcpu *v)
{
    clear_bit(v->id, v->domain->poll_mask);
    __atomic_fetch_and(&v->pause_flags, ~VPF_POLL, __ATOMIC_SEQ_CST);
}

static int sched_poll(const struct sched_poll *poll)
{
    struct vcpu *v = current;
    struct domain *d = v->domain;
    u32 only = 0;
    int rc;

    if (poll->nr_ports > MAX_POLL_PORTS)
        return -EINVAL;
    if (!guest_range_ok((unsigned long)poll->ports.p,
                        poll->nr_ports * sizeof(evtchn_port_t)))
        return -EFAULT;
    /* First be wakeable, then look: evtchn_check_pollers(). */
    timer_stop(&v->poll_timer);
    v->poll_evtchn = 0;
    __atomic_fetch_or(&v->pause_flags, VPF_POLL, __ATOMIC_SEQ_CST);
    set_bit(v->id, d->poll_mask);
    rc = vcpu_event_pending(v) ? 1 : any_pending(d, poll, &only);
    if (rc) {
        poll_end(v);
        return rc < 0 ? rc : 0;
    }
    WRITE_ONCE(v->poll_evtchn, only);
    if (poll->timeout)
        timer_set(&v->poll_timer, (s_time_t)poll->timeout + d->time_shift);
    raise_softirq(SOFTIRQ_SCHEDULE);
    return 0;
}

/* --- shutdown --- */

static int remote_shutdown(const struct sched_remote_shutdown *op)
{
    struct domain *d = get_domain_by_id(op->domain_id);
    int rc = 0;

    if (!d)
        return -ESRCH;
    if (currd->is_privileged)
        domain_shutdown(d, (u8)op->reason);
    else
        rc = -EPERM;
    put_domain(d);
    return rc;
}

static void latch_shutdown_code(struct domain *d, u8 code)
{
    spin_lock(&d->lock);
    if (d->shutdown_code == SHUTDOWN_CODE_NONE)
        d->shutdown_code = code;
    spin_unlock(&d->lock);
}

/* --- decoding --- */

union sched_args {
    struct sched_shutdown shutdown;
    struct sched_poll poll;
    struct sched_remote_shutdown remote_shutdown;
    struct sched_watchdog watchdog;
    struct sched_pin_override pin_override;
};

static const u8 sched_arg_size[] = {
    [SCHEDOP_shutdown] = sizeof(struct sched_shutdown),
    [SCHEDOP_poll] = sizeof(struct sched_poll),
    [SCHEDOP_remote_shutdown] = sizeof(struct sched_remote_shutdown),
    [SCHEDOP_shutdown_code] = sizeof(struct sched_shutdown),
    [SCHEDOP_watchdog] = sizeof(struct sched_watchdog),
    [SCHEDOP_pin_override] = sizeof(struct sched_pin_override),
};

static long sched_op_with_args(u32 cmd, const union sched_args *a)
{
    switch (cmd) {
    case SCHEDOP_shutdown:
        domain_shutdown(currd, (u8)a->shutdown.reason);
        return 0;
    case SCHEDOP_poll:
        return sched_poll(&a->poll);
    case SCHEDOP_remote_shutdown:
        return remote_shutdown(&a->remote_shutdown);
    case SCHEDOP_shutdown_code:
        latch_shutdown_code(currd, (u8)a->shutdown.reason);
        return 0;
    case SCHEDOP_watchdog:
        return domain_watchdog(currd, a->watchdog.id, a->watchdog.timeout);
    default: /* SCHEDOP_pin_override */
        if (!currd->is_privileged)
            return -EPERM;
        return vcpu_pin_override(current, a->pin_override.pcpu);
    }
}

long do_sched_op(unsigned long cmd, unsigned long arg, unsigned long a3,
                 unsigned long a4, unsigned long a5)
{
    union sched_args args;

    (void)a3, (void)a4, (void)a5;
    cmd = (u32)cmd;
    switch (cmd) {
    case SCHEDOP_yield:
        vcpu_yield();
        return 0;
    case SCHEDOP_block:
        vcpu_block();
        return 0;
    }
    if (cmd >= ARRAY_SIZE(sched_arg_size))
        return -ENOSYS;
    if (raw_copy_from_guest(&args, (void *)arg,
                            sched_arg_size[index_nospec(
                                cmd, ARRAY_SIZE(sched_arg_size))]))
        return -EFAULT;
    return sched_op_with_args((u32)cmd, &args);
}

/* The form before 3.0.2: the argument is the shutdown reason itself. */
long do_sched_op_compat(unsigned long cmd, unsigned long arg, unsigned long a3,
                        unsigned long a4, unsigned long a5)
{
    switch ((u32)cmd) {
    case SCHEDOP_yield:
    case SCHEDOP_block:
        return do_sched_op(cmd, arg, a3, a4, a5);
    case SCHEDOP_shutdown:
        domain_shutdown(currd, (u8)arg);
        return 0;
    default:
        return -ENOSYS;
    }
}

/*
 * Deadlines that are negative or more than 2^50 ns (13 days) away come from
 * guests whose clock arithmetic wrapped; some of them mean "never", some
 * "now". Being late by a tenth of a second does no harm to either.
 */
long do_set_timer_op(unsigned long timeout, unsigned long a2, unsigned long a3,
                     unsigned long a4, unsigned long a5)
{
    s_time_t deadline = (s_time_t)timeout, t;

    (void)a2, (void)a3, (void)a4, (void)a5;
    if (!deadline) {
        vcpu_singleshot_stop(current);
        return 0;
    }
    t = now() - currd->time_shift;
    if (unlikely(deadline < 0) || unlikely(deadline - t > (1L << 50)))
        deadline = t + MILLISECS(100);
    vcpu_singleshot_set(current, deadline);
    return 0;
}
