/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 2-level ABI (xen.h, struct shared_info): a pending and a mask bit for
 * each of 4096 ports in shared_info, and in each vcpu_info a selector with one
 * bit per word of them.
 *
 * Order: pending bit, then (if not masked) selector bit, then upcall_pending;
 * the guest clears in the opposite order before it looks. So what the guest
 * misses in one pass has raised the next level again.
 *
 * Ports above 4095 may be left, closed, from a time with the FIFO ABI
 * (EVTCHNOP_reset); they have no bits.
 */
#include <hv/bug.h>
#include <hv/evtchn.h>
#include <hv/string.h>

static bool has_bits(const struct evtchn *chn)
{
    return likely(chn->port < EVTCHN_2L_NR_CHANNELS);
}

static bool l2_set_pending(struct vcpu *v, struct evtchn *chn)
{
    struct domain *d = v->domain;
    struct shared_info *s = d->shared_info;
    u32 port = chn->port;

    ASSERT(!local_irq_is_enabled());
    if (!has_bits(chn) || test_and_set_bit(port, s->evtchn_pending))
        return false;
    if (!test_bit(port, s->evtchn_mask) &&
        !test_and_set_bit(port / 64, &v->pv.info->evtchn_pending_sel))
        vcpu_mark_events_pending(v);
    evtchn_check_pollers(d, port);
    return true;
}

static void l2_clear_pending(struct domain *d, struct evtchn *chn)
{
    if (has_bits(chn))
        clear_bit(chn->port, d->shared_info->evtchn_pending);
}

static void l2_init(struct domain *d, struct evtchn *chn)
{
    l2_clear_pending(d, chn);
}

static void l2_unmask(struct vcpu *v, struct evtchn *chn)
{
    struct shared_info *s = v->domain->shared_info;
    u32 port = chn->port;

    ASSERT(!local_irq_is_enabled());
    if (has_bits(chn) && test_and_clear_bit(port, s->evtchn_mask) &&
        test_bit(port, s->evtchn_pending) &&
        !test_and_set_bit(port / 64, &v->pv.info->evtchn_pending_sel))
        vcpu_mark_events_pending(v);
}

static bool l2_is_pending(const struct domain *d, const struct evtchn *chn)
{
    return has_bits(chn) &&
           test_bit(chn->port, d->shared_info->evtchn_pending);
}

static bool l2_is_masked(const struct domain *d, const struct evtchn *chn)
{
    return !has_bits(chn) || test_bit(chn->port, d->shared_info->evtchn_mask);
}

static bool l2_is_busy(const struct domain *d, const struct evtchn *chn)
{
    (void)d;
    (void)chn;
    return false;
}

static int l2_set_priority(struct evtchn *chn, unsigned int priority)
{
    (void)chn;
    (void)priority;
    return -ENOSYS;
}

const struct evtchn_port_ops evtchn_2l_ops = {
    .init = l2_init,
    .set_pending = l2_set_pending,
    .clear_pending = l2_clear_pending,
    .unmask = l2_unmask,
    .is_pending = l2_is_pending,
    .is_masked = l2_is_masked,
    .is_busy = l2_is_busy,
    .set_priority = l2_set_priority,
};
