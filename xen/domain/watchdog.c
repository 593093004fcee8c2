/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watchdogs of a domain (SCHEDOP_watchdog): if the guest does not set one
 * again in time, the domain is shut down with SHUTDOWN_watchdog.
 */
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/nospec.h>
#include <hv/percpu.h>
#include <hv/timer.h>
#include <xen/sched.h>

#define NR_WATCHDOGS 2

struct domain_watchdogs {
    struct watchdog {
        struct timer timer;
        bool used;
    } slot[NR_WATCHDOGS];
};

static void watchdog_expired(void *arg)
{
    domain_shutdown(arg, SHUTDOWN_watchdog);
}

/* Under d->lock. */
static int watchdogs_create(struct domain *d)
{
    if (d->watchdogs)
        return 0;
    d->watchdogs = new(struct domain_watchdogs);
    if (!d->watchdogs)
        return -ENOMEM;
    for (unsigned int i = 0; i < NR_WATCHDOGS; i++)
        timer_init(&d->watchdogs->slot[i].timer, watchdog_expired, d,
                   smp_processor_id());
    return 0;
}

static int watchdog_create(struct domain *d, u32 seconds)
{
    if (!seconds)
        return -EINVAL;
    for (unsigned int i = 0; i < NR_WATCHDOGS; i++) {
        struct watchdog *w = &d->watchdogs->slot[i];

        if (w->used)
            continue;
        w->used = true;
        timer_set(&w->timer, now() + SECONDS(seconds));
        return (int)i + 1;
    }
    return -ENOSPC;
}

static int watchdog_locked(struct domain *d, u32 id, u32 seconds)
{
    struct watchdog *w;
    int rc = watchdogs_create(d);

    if (rc)
        return rc;
    if (!id)
        return watchdog_create(d, seconds);
    w = &d->watchdogs->slot[index_nospec(id - 1, NR_WATCHDOGS)];
    if (!w->used)
        return -EINVAL;
    if (seconds) {
        timer_set(&w->timer, now() + SECONDS(seconds));
    } else {
        timer_stop(&w->timer);
        w->used = false;
    }
    return 0;
}

int domain_watchdog(struct domain *d, u32 id, u32 seconds)
{
    int rc;

    if (id > NR_WATCHDOGS)
        return -EINVAL;
    spin_lock(&d->lock);
    rc = watchdog_locked(d, id, seconds);
    spin_unlock(&d->lock);
    return rc;
}

void domain_kill_watchdogs(struct domain *d)
{
    if (!d->watchdogs)
        return;
    for (unsigned int i = 0; i < NR_WATCHDOGS; i++)
        timer_kill(&d->watchdogs->slot[i].timer);
}
