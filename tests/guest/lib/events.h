/* SPDX-License-Identifier: GPL-2.0-only */
/* Event channels of the two-level kind, by the shared page. */
#ifndef GUEST_EVENTS_H
#define GUEST_EVENTS_H

#define PORT_WORD(port) ((port) / 64)
#define PORT_BIT(port) (1UL << ((port) % 64))

static inline bool port_pending(evtchn_port_t port)
{
    return *(volatile ulong *)&shared_info->evtchn_pending[PORT_WORD(port)] &
           PORT_BIT(port);
}

static inline void port_mask(evtchn_port_t port)
{
    shared_info->evtchn_mask[PORT_WORD(port)] |= PORT_BIT(port);
}

static inline void port_open(evtchn_port_t port)
{
    shared_info->evtchn_mask[PORT_WORD(port)] &= ~PORT_BIT(port);
}

/* Takes the event as handled: port, selector and the upcall. */
static inline void port_forget(evtchn_port_t port)
{
    shared_info->evtchn_pending[PORT_WORD(port)] &= ~PORT_BIT(port);
    vcpu0()->evtchn_pending_sel = 0;
    vcpu0()->evtchn_upcall_pending = 0;
}

static inline long port_send(evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };
    return hc_event_channel_op(EVTCHNOP_send, &send);
}

static inline long port_close(evtchn_port_t port)
{
    struct evtchn_close c = { .port = port };
    return hc_event_channel_op(EVTCHNOP_close, &c);
}

/* A port to ourselves on a virtual CPU, or -errno. */
static inline long port_ipi(u32 vcpu)
{
    struct evtchn_bind_ipi b = { .vcpu = vcpu };
    long rc = hc_event_channel_op(EVTCHNOP_bind_ipi, &b);
    return rc ? rc : (long)b.port;
}

static inline long port_virq(u32 virq, u32 vcpu)
{
    struct evtchn_bind_virq b = { .virq = virq, .vcpu = vcpu };
    long rc = hc_event_channel_op(EVTCHNOP_bind_virq, &b);
    return rc ? rc : (long)b.port;
}

/* Nanoseconds of system time, by virtual CPU 0's record. */
u64 system_time(void);

static inline u64 time_scale(u64 ticks, u32 mul, int shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (u64)(((unsigned __int128)ticks * mul) >> 32);
}

/* By a virtual CPU's record, on that virtual CPU. */
static inline u64 system_time_of(const volatile struct vcpu_time_info *t)
{
    u32 version;
    u64 now;

    do {
        version = t->version;
        barrier();
        now = t->system_time + time_scale(rdtsc() - t->tsc_timestamp,
                                          t->tsc_to_system_mul, t->tsc_shift);
        barrier();
    } while ((version & 1) || version != t->version);
    return now;
}

#endif
