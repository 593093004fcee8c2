/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two domains for the debugger, in one image: domain 0, and a second one that
 * it makes whenever gdb sets `wanted`, with copies of a page of code and one of
 * data at the same addresses, and destroys when gdb clears it.  Both run
 * shared_step(), each in its own memory, and look at their clocks.  Built with
 * the lib of tests/guest.
 */
#include "guest.h"

#define SECOND_CODE __attribute__((section(".text.second")))

enum { CODE, DATA, STACK, L4, L3, L2, L1, NR_OWN, SHARED = NR_OWN, NR_FRAMES };

volatile int wanted;
volatile ulong heartbeat; /* domain 0's */

/* What a domain sees of its clocks: its last look, and the largest ways that
 * they went forth and back from one look to the next. */
struct clock {
    volatile ulong last, step, back;
};
struct clocks {
    struct clock time, tsc;
    volatile ulong looks;
};
struct clocks first; /* domain 0's */

struct second {
    volatile ulong counter;
    volatile ulong last;
    volatile ulong leave; /* set by gdb: shut down for that reason */
    struct sched_shutdown why;
    struct clocks clocks;
};
struct second second __attribute__((section(".data.second"), aligned(4096)));
static char stack[PAGE_SIZE] __attribute__((aligned(4096)));
/* Only its address counts: there the second domain has its shared page. */
static char second_shared[PAGE_SIZE] __attribute__((aligned(4096)));

/* This begins the page of code; nothing there may call out of it. */
__attribute__((aligned(4096), noinline)) SECOND_CODE void shared_step(ulong n)
{
    second.last = n;
}

static inline void note(struct clock *c, ulong now)
{
    ulong last = c->last;

    if (last && now > last && now - last > c->step)
        c->step = now - last;
    if (now < last && last - now > c->back)
        c->back = last - now;
    c->last = now;
}

/* Flat: the functions that it uses are elsewhere. */
__attribute__((noinline, flatten)) SECOND_CODE static void
look(struct clocks *c, const volatile struct vcpu_time_info *t)
{
    note(&c->time, system_time_of(t));
    note(&c->tsc, rdtsc());
    c->looks++;
}

static inline __attribute__((always_inline)) void sched(ulong cmd, void *arg)
{
    ulong nr = __HYPERVISOR_sched_op;

    asm volatile("syscall"
                 : "+a"(nr)
                 : "D"(cmd), "S"(arg)
                 : "rcx", "r11", "memory");
}

SECOND_CODE __attribute__((noreturn, used)) static void second_main(void)
{
    const volatile shared_info_t *shared = (const void *)second_shared;

    for (;;) {
        look(&second.clocks, &shared->vcpu_info[0].time);
        second.counter++;
        shared_step(second.counter);
        if (second.leave) {
            second.why.reason = (u32)second.leave;
            sched(SCHEDOP_shutdown, &second.why);
        }
        sched(SCHEDOP_yield, NULL);
    }
}

static bool limits(domid_t id)
{
    struct xen_domctl op = { 0 };

    op.u.max_vcpus.max = 1;
    if (domctl(XEN_DOMCTL_max_vcpus, id, &op))
        return false;
    memset(&op, 0, sizeof(op));
    op.u.max_mem.max_memkb = 128;
    return domctl(XEN_DOMCTL_max_mem, id, &op) == 0;
}

static bool shared_frame(domid_t id, xen_pfn_t *frame)
{
    struct xen_domctl op = { 0 };

    if (domctl(XEN_DOMCTL_getdomaininfo, id, &op))
        return false;
    *frame = op.u.getdomaininfo.shared_info_frame;
    return true;
}

static bool create(domid_t *id, xen_pfn_t *frames)
{
    struct xen_domctl op = { 0 };
    struct xen_memory_reservation r = { .nr_extents = NR_OWN };
    struct xen_domctl_createdomain *c = &op.u.createdomain;

    c->max_vcpus = 1;
    c->max_evtchn_port = 1023;
    c->max_grant_frames = 4;
    c->max_maptrack_frames = 4;
    c->grant_opts = XEN_DOMCTL_GRANT_version(1);
    if (domctl(XEN_DOMCTL_createdomain, 0, &op))
        return false;
    *id = op.domain;
    for (unsigned i = 0; i < NR_OWN; i++)
        frames[i] = i;
    r.domid = *id;
    set_xen_guest_handle(r.extent_start, frames);
    return limits(*id) && shared_frame(*id, &frames[SHARED]) &&
           hc_memory_op(XENMEM_populate_physmap, &r) == NR_OWN;
}

/* One frame of the domain, through a window of ours. */
static bool fill(domid_t id, xen_pfn_t frame, const void *from)
{
    static void *window;

    if (!window)
        window = page_get();
    if (hc_update_va_mapping_otherdomain((ulong)window,
                                         PTE(frame, PTE_RW_FLAGS),
                                         UVMF_INVLPG, id))
        return false;
    memcpy(window, from, PAGE_SIZE);
    return remap(window, 0) == 0;
}

static unsigned slot(const void *va, unsigned level)
{
    return (ulong)va >> (12 + 9 * (level - 1)) & 511;
}

static bool fill_all(domid_t id, const xen_pfn_t *frames)
{
    static u64 table[512] __attribute__((aligned(4096)));
    const void *code = (const void *)((ulong)shared_step & ~0xfffUL);
    static const unsigned next[] = { [L4] = L3, [L3] = L2, [L2] = L1 };

    memset(table, 0, sizeof(table));
    table[slot(code, 1)] = PTE(frames[CODE], PTE_RO_FLAGS);
    table[slot(&second, 1)] = PTE(frames[DATA], PTE_RW_FLAGS);
    table[slot(stack, 1)] = PTE(frames[STACK], PTE_RW_FLAGS);
    table[slot(second_shared, 1)] = PTE(frames[SHARED], PTE_RO_FLAGS);
    if (!fill(id, frames[L1], table))
        return false;
    for (unsigned t = L4; t <= L2; t++) {
        memset(table, 0, sizeof(table));
        table[slot(code, 4 - (t - L4))] = PTE(frames[next[t]], PTE_RW_FLAGS);
        if (!fill(id, frames[t], table))
            return false;
    }
    memset(&second, 0, sizeof(second));
    return fill(id, frames[CODE], code) && fill(id, frames[DATA], &second);
}

static bool start(domid_t id, const xen_pfn_t *frames)
{
    static vcpu_guest_context_t c;
    struct xen_domctl op = { 0 };

    memset(&c, 0, sizeof(c));
    c.flags = VGCF_in_kernel | VGCF_online;
    c.user_regs.rip = (ulong)second_main;
    c.user_regs.cs = FLAT_KERNEL_CS;
    c.user_regs.ss = FLAT_KERNEL_SS;
    c.user_regs.rflags = 0x200;
    c.user_regs.rsp = (ulong)stack + PAGE_SIZE;
    c.kernel_ss = FLAT_KERNEL_SS;
    c.kernel_sp = (ulong)stack + PAGE_SIZE;
    c.ctrlreg[3] = (u64)frames[L4] << 12;
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &c);
    if (domctl(XEN_DOMCTL_setvcpucontext, id, &op))
        return false;
    memset(&op, 0, sizeof(op));
    return domctl(XEN_DOMCTL_unpausedomain, id, &op) == 0;
}

__attribute__((noinline)) static bool make_second(domid_t *id)
{
    xen_pfn_t frames[NR_FRAMES];

    return create(id, frames) && fill_all(*id, frames) && start(*id, frames);
}

static void live_until(int want)
{
    while (wanted != want) {
        look(&first, &vcpu0()->time);
        heartbeat++;
        shared_step(heartbeat);
        sched(SCHEDOP_yield, NULL);
    }
}

TEST(two_domains)
{
    struct xen_domctl op = { 0 };
    domid_t id = 0;

    print("FIRST-READY\n");
    for (;;) {
        live_until(1);
        REQUIRE(CHECK(make_second(&id)));
        print("MADE domain %u\n", id);
        live_until(0);
        REQUIRE(CHECK_OK(domctl(XEN_DOMCTL_destroydomain, id, &op)));
        print("GONE domain %u\n", id);
    }
}
