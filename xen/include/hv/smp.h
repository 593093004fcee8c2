/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other CPUs: start, interprocessor interrupts, function calls.
 * CPU numbers are dense: 0 boots, machine.cpus[n] is CPU n.  Floor: smp.
 */
#ifndef HV_SMP_H
#define HV_SMP_H

#include <hv/cpu.h>
#include <hv/percpu.h>
#include <hv/types.h>

/* What the floors above do for a starting CPU; registered by boot/start.c. */
struct smp_ops {
    void (*delay_us)(unsigned long us); /* on the boot CPU */
    /* On the new CPU, irqs off, before it is online: clock, timers. */
    void (*init_cpu)(void);
    /* On the boot CPU, while the new one is in init_cpu: clock comparison. */
    void (*assist)(void);
    /* On the boot CPU before `cpu` starts: its idle vCPU and run queue.
     * -ENOMEM */
    int (*prepare)(unsigned int cpu);
    /* On the new CPU, online, on its own empty stack: the idle loop. */
    void (*run)(void) __attribute__((noreturn));
};

/*
 * Boot CPU, interrupts on, before domain 0 exists: start every CPU that the
 * machine has and the options (nosmp, maxcpus=, noht) allow. A CPU that does
 * not come is named; the boot goes on.
 */
void smp_start(const struct smp_ops *ops);
void smp_init(void); /* vectors; boot CPU, after irq_init() */

/* Interrupt that does nothing but leave hlt or guest mode. Any context. */
void smp_send_event_check(unsigned int cpu);
/* An interrupt of that vector to every CPU of mask. Any context. */
void smp_send_vector(cpumask_t mask, u8 vector);
/* NMI to every CPU of mask but this one. Any context, NMI included. */
void smp_send_nmi(cpumask_t mask);
/*
 * fn(arg) in interrupt context on every CPU of mask, this one included if it
 * is in it (called directly, irqs off, after the others).  wait: return after
 * all have done it. Not from interrupt context; irqs on or off; fn must not
 * call smp_call_function() itself.
 */
void smp_call_function(cpumask_t mask, void (*fn)(void *), void *arg,
                       bool wait);
/* Last orders: the other CPUs stop in hlt with irqs off. Any context. */
void smp_stop_others(void);

/* While waiting for another CPU: do what it may wait for (flush, call). */
void smp_poll_requests(void);

#endif
