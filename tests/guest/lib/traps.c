/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dispatch of everything that enters the tiny kernel.  Order: a test's
 * handler, the innermost FAULT_OF(), else the kernel stops with a report.
 */
#include "guest.h"

struct fault fault;
struct catch *volatile catch_top;
volatile ulong upcalls;
struct trap_info trap_table[257];

static trap_handler_t handlers[VEC_COUNT];
extern const u64 vector_stubs[256];
void trap_dispatch(struct regs *regs);

trap_handler_t trap_handler_set(unsigned vector, trap_handler_t handler)
{
    trap_handler_t old = handlers[vector];

    handlers[vector] = handler;
    return old;
}

static void report_stray(const struct regs *r)
{
    print("stray vector %lu error %lx cr2 %lx at %lx:%lx rsp %lx flags %lx\n",
          r->vector, r->error, fault.cr2, r->cs, r->rip, r->rsp, r->rflags);
    test_abort();
}

/* Back to catch_save() in kernel mode, the direction and trap flags clear. */
void catch_throw(struct regs *regs)
{
    const struct catch *c = catch_top;

    fault.vector = (int)regs->vector;
    fault.error = regs->error;
    fault.regs = *regs;
    regs->rbx = c->rbx;
    regs->rbp = c->rbp;
    regs->r12 = c->r12;
    regs->r13 = c->r13;
    regs->r14 = c->r14;
    regs->r15 = c->r15;
    regs->rsp = c->rsp;
    regs->rip = c->rip;
    regs->rax = 1;
    regs->cs = FLAT_KERNEL_CS & ~3UL;
    regs->ss = FLAT_KERNEL_SS;
    regs->rflags &= ~(u64)(FL_TF | FL_DF | FL_AC | FL_NT);
}

void trap_dispatch(struct regs *regs)
{
    if (regs->vector == VEC_PF)
        fault.cr2 = vcpu0()->arch.cr2;
    if (handlers[regs->vector])
        handlers[regs->vector](regs);
    else if (regs->vector == VEC_EVENT)
        upcalls++;
    else if (catch_top)
        catch_throw(regs);
    else
        report_stray(regs);
}

/*
 * The default for events: clear what is pending, so that the mask bit goes
 * back to what it was without another upcall.
 */
static void event_default(struct regs *regs)
{
    (void)regs;
    upcalls++;
    vcpu0()->evtchn_upcall_pending = 0;
}

void traps_init(void)
{
    for (unsigned i = 0; i < 256; i++) {
        trap_table[i].vector = (uint8_t)i;
        trap_table[i].flags = 3;
        trap_table[i].cs = FLAT_KERNEL_CS;
        trap_table[i].address = vector_stubs[i];
    }
    handlers[VEC_EVENT] = event_default;
    if (hc_set_trap_table(trap_table) ||
        hc_set_callbacks(A(event_entry), A(failsafe_entry), A(syscall_entry)) ||
        hc_stack_switch(FLAT_KERNEL_SS, A(trap_stack_top)))
        print("set-up of traps was refused\n");
}
