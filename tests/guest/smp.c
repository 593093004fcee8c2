/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two virtual CPUs at once: shooting down each other's mappings, sending each
 * other events, blocking and waking.
 */
#include "guest.h"

#define SECOND 1000000000UL

static char second_stack[16384] __attribute__((aligned(16)));
static volatile struct vcpu_info *vcpu1;
static volatile u32 request, answer, second_upcalls;
static volatile u64 seen;
static volatile u64 *volatile shared_word;

enum {
    IDLE,
    READ,
    BLOCK,
    SLEEP,
    FAULT,
    CLOCK,
    NAP,
    SET,
    RUN,
    LEAVE,
    TALK
};

static u64 try_read(void)
{
    u64 value = 0;
    return FAULT_OF(value = *shared_word) == NO_FAULT ? value : ~0UL;
}

/* The latest time that either CPU has read, and how often one read less. */
static volatile u64 latest;
static volatile u32 clock_lock, times_back;
static volatile u64 worst_back;

static void read_clock_in_turn(const volatile struct vcpu_time_info *t)
{
    u64 now;

    while (__atomic_exchange_n(&clock_lock, 1, __ATOMIC_ACQUIRE))
        asm volatile("pause");
    now = system_time_of(t);
    if (now < latest) {
        times_back++;
        if (latest - now > worst_back)
            worst_back = latest - now;
    } else {
        latest = now;
    }
    __atomic_store_n(&clock_lock, 0, __ATOMIC_RELEASE);
}

/* Sleeps with 0xfeed + round in r12 and the complement in r13. */
static volatile u64 marks, kept[2];

static void sleep_with_marks(u64 round)
{
    register u64 r12 asm("r12") = 0xfeed + round;
    register u64 r13 asm("r13") = ~(0xfeed + round);
    u64 rax = __HYPERVISOR_sched_op, rdi = SCHEDOP_block, rsi = 0;

    asm volatile("syscall"
                 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+r"(r12), "+r"(r13)
                 :
                 : "rcx", "r11", "rdx", "r8", "r9", "r10", "memory");
    kept[0] = r12;
    kept[1] = r13;
}

static void talk_to_the_end(void)
{
    static char line[] = "the second CPU talks\n";

    for (;;) {
        u64 next = system_time_of(&vcpu1->time) + 50000;

        hc_console_io(CONSOLEIO_write, sizeof(line) - 1, line);
        while (system_time_of(&vcpu1->time) < next)
            asm volatile("pause");
    }
}

/* Goes to sleep and comes back as often as can be. */
static void take_naps(void)
{
    while (request == NAP) {
        sched_poll_t poll = {
            .timeout = system_time_of(&vcpu1->time) + SECOND / 50000,
        };

        hc_sched_op(SCHEDOP_poll, &poll);
    }
}

/* Sets all domains' wall clocks, to a time that is as good as any. */
static void set_clocks(void)
{
    while (request == SET) {
        struct xen_platform_op op = {
            .cmd = XENPF_settime64,
            .interface_version = XENPF_INTERFACE_VERSION,
            .u.settime64 = { .secs = 1700000000 },
        };

        hc_platform_op(&op);
    }
}

/* A function that the other CPU writes over: nop of two bytes, ret. */
static uint8_t patched[64] __attribute__((aligned(64))) = { 0x66, 0x90, 0xc3 };
static u32 tries, stuck;

/* Goes back where the int3 has gone, as kernels do that patch themselves. */
static void on_int3(struct regs *regs)
{
    if (*(volatile uint8_t *)(regs->rip - 1) == 0xcc) {
        tries = 0;
        regs->rip++;
    } else if (++tries < 1000) {
        regs->rip--;
    } else {
        tries = 0;
        stuck++;
        regs->rip++;
    }
}

static void run_patched(void)
{
    answer = RUN;
    while (request == RUN)
        ((void (*)(void))(ulong)patched)();
}

static void serve(u32 what)
{
    switch (what) {
    case READ: seen = *shared_word; break;
    case FAULT: seen = try_read(); break;
    case CLOCK:
        while (request == CLOCK)
            read_clock_in_turn(&vcpu1->time);
        break;
    case NAP: take_naps(); break;
    case SET: set_clocks(); break;
    case RUN: run_patched(); break;
    case BLOCK:
        hc_sched_op(SCHEDOP_block, NULL);
        vcpu1->evtchn_upcall_mask = 1;
        break;
    case SLEEP:
        sleep_with_marks(marks);
        vcpu1->evtchn_upcall_mask = 1;
        break;
    case LEAVE: answer = LEAVE; hc_vcpu_op(VCPUOP_down, 1, NULL); break;
    case TALK: answer = TALK; talk_to_the_end();
    }
}

static void second_main(void)
{
    for (;;) {
        u32 what = request;

        if (what == answer || what == IDLE) {
            answer = what;
            asm volatile("pause");
            continue;
        }
        serve(what);
        answer = what;
    }
}

/* One event handler for both: whose stack is it? */
static void on_event(struct regs *regs)
{
    if ((char *)regs >= second_stack &&
        (char *)regs < second_stack + sizeof(second_stack)) {
        second_upcalls++;
        vcpu1->evtchn_upcall_pending = 0;
        vcpu1->evtchn_pending_sel = 0;
    } else {
        upcalls++;
        vcpu0()->evtchn_upcall_pending = 0;
    }
}

static bool answered(u32 what)
{
    u64 end = system_time() + 5 * SECOND;

    while (answer != what) {
        if (system_time() > end)
            return false;
    }
    return true;
}

/* Hands the other CPU one thing to do; false if it does not come back. */
static bool ask(u32 what)
{
    request = IDLE;
    if (!answered(IDLE))
        return false;
    request = what;
    return answered(what);
}

/* In user mode, where the user's top-level table is frame 0: none at all. */
TEST(user_mode_without_tables)
{
    static struct vcpu_guest_context c;

    c.user_regs.cs = FLAT_USER_CS;
    c.user_regs.ss = FLAT_USER_DS;
    c.ctrlreg[3] = READ_REG(cr3);
    for (ulong cr3 = 0; cr3 < 4096; cr3 += 1365) {
        c.ctrlreg[1] = cr3;
        if (!CHECK_ERR(hc_vcpu_op(VCPUOP_initialise, 1, &c), -XEN_EINVAL))
            hc_vcpu_op(VCPUOP_up, 1, NULL);
    }
}

TEST(start_second)
{
    static struct vcpu_guest_context c;

    vcpu1 = &shared_info->vcpu_info[1];
    trap_handler_set(VEC_EVENT, on_event);
    kernel_context(&c, second_main, END_OF(second_stack));
    c.event_callback_eip = (ulong)event_entry;
    c.failsafe_callback_eip = (ulong)failsafe_entry;
    c.syscall_callback_eip = (ulong)syscall_entry;
    memcpy(c.trap_ctxt, trap_table, sizeof(c.trap_ctxt));
    REQUIRE(CHECK_OK(hc_vcpu_op(VCPUOP_initialise, 1, &c)));
    vcpu1->evtchn_upcall_mask = 1;
    REQUIRE(CHECK_OK(hc_vcpu_op(VCPUOP_up, 1, NULL)));
    CHECK(ask(IDLE));
    CHECK_EQ(hc_vcpu_op(VCPUOP_is_up, 1, NULL), 1);
}

/* Each way of telling the other CPU that a mapping has changed. */
static long remap_for_all(unsigned way, const volatile void *va, u64 pte)
{
    ulong mask = 2;
    ulong addr = (ulong)va;

    switch (way) {
    case 0: return hc_update_va_mapping(addr, pte, UVMF_INVLPG | UVMF_ALL);
    case 1: return hc_update_va_mapping(addr, pte, UVMF_TLB_FLUSH | UVMF_ALL);
    case 2: return hc_update_va_mapping(addr, pte, UVMF_INVLPG | (ulong)&mask);
    case 3:
        return hc_update_va_mapping(addr, pte, UVMF_TLB_FLUSH | (ulong)&mask);
    case 4:
        return hc_update_va_mapping(addr, pte, 0)
                   ?: mmuext1(MMUEXT_INVLPG_ALL, addr, 0);
    case 5:
        return hc_update_va_mapping(addr, pte, 0)
                   ?: mmuext1(MMUEXT_TLB_FLUSH_ALL, 0, 0);
    case 6:
        return hc_update_va_mapping(addr, pte, 0)
                   ?: mmuext1(MMUEXT_INVLPG_MULTI, addr, (ulong)&mask);
    default:
        return hc_update_va_mapping(addr, pte, 0)
                   ?: mmuext1(MMUEXT_TLB_FLUSH_MULTI, 0, (ulong)&mask);
    }
}

TEST(shootdown)
{
    u64 *a = page_get(), *b = page_get();

    *a = 0xaaaa;
    *b = 0xbbbb;
    shared_word = a;
    for (unsigned i = 0; i < 64; i++) {
        u64 *to = i % 2 ? a : b;

        CHECK_OK(remap_for_all(i / 2 % 8, a, PTE(mfn_of(to), PTE_RW_FLAGS)));
        REQUIRE(CHECK(ask(READ)));
        REQUIRE(CHECK_EQ(seen, i % 2 ? 0xaaaa : 0xbbbb));
    }
}

/* A page becomes a table only when no CPU can write to it any longer. */
TEST(shootdown_before_type_change)
{
    u64 *data = page_get();

    shared_word = data;
    CHECK(ask(READ));
    CHECK_OK(make_ro(data));
    CHECK_OK(mmuext1(MMUEXT_PIN_L1_TABLE, mfn_of(data), 0));
    CHECK_OK(mmuext1(MMUEXT_UNPIN_TABLE, mfn_of(data), 0));
    CHECK_OK(make_rw(data));
}

TEST(fault_on_second)
{
    u64 *data = page_get();

    shared_word = data;
    CHECK_OK(remap_for_all(0, data, 0));
    CHECK(ask(FAULT));
    CHECK_EQ(seen, ~0UL);
    CHECK_OK(make_rw(data));
    CHECK(ask(FAULT));
    CHECK_EQ(seen, 0);
}

/*
 * Time on one CPU is never behind what the other has just read; also where the
 * hypervisor adjusts it to another timer while they read. Only if it takes the
 * TSCs for clocks of their own ("skewed") the two are set apart by what it can
 * tell of each: then the flag is off, and readers have to allow for it.
 */
TEST(time_agrees)
{
    bool stable = vcpu0()->time.flags & XEN_PVCLOCK_TSC_STABLE_BIT;
    u64 seconds = option_given("minutes") ? 180 : 4;
    u64 end = system_time() + seconds * SECOND;

    request = IDLE;
    CHECK(answered(IDLE));
    request = CLOCK;
    while (system_time() < end)
        read_clock_in_turn(&vcpu0()->time);
    request = IDLE;
    CHECK(answered(IDLE));
    CHECK(!option_given("skewed") || !stable);
    if (option_given("skewed") || (on_reference && !stable))
        CHECK(worst_back < SECOND / 10000);
    else
        CHECK_EQ(times_back, 0);
    print("time: %s, back %u times, by %lu ns at most, in %lu s\n",
          stable ? "one clock" : "no stable flag", times_back, worst_back,
          seconds);
}

/* All that a vCPU ever did adds up to the time since it was made, also while it
 * changes from one state to the next at another CPU. */
TEST(runstate_adds_up)
{
    bool stable = vcpu0()->time.flags & XEN_PVCLOCK_TSC_STABLE_BIT;
    u64 last = 0, slack = stable ? 0 : SECOND / 10000;

    request = IDLE;
    REQUIRE(CHECK(answered(IDLE)));
    request = NAP;
    for (unsigned i = 0; i < 2000; i++) {
        struct vcpu_runstate_info info;
        u64 total = 0;

        REQUIRE(CHECK_OK(hc_vcpu_op(VCPUOP_get_runstate_info, 1, &info)));
        for (unsigned state = 0; state < 4; state++)
            total += info.time[state];
        REQUIRE(CHECK(total + slack >= last));
        last = total;
    }
    request = IDLE;
    CHECK(answered(IDLE));
}

/* Domains that come and go while their clocks are set. */
TEST(clocks_of_dying_domains)
{
    request = IDLE;
    REQUIRE(CHECK(answered(IDLE)));
    request = SET;
    for (unsigned i = 0; i < 10; i++) {
        struct xen_domctl op = {
            .u.createdomain = { .max_vcpus = 1,
                                .max_grant_frames = 4,
                                .max_maptrack_frames = 4,
                                .grant_opts = XEN_DOMCTL_GRANT_version(1) }
        };

        REQUIRE(CHECK_OK(domctl(XEN_DOMCTL_createdomain, 0, &op)));
        REQUIRE(CHECK_OK(domctl(XEN_DOMCTL_destroydomain, op.domain, &op)));
    }
    request = IDLE;
    CHECK(answered(IDLE));
}

/*
 * Code that is changed while it runs, by way of an int3. An emulator may keep
 * what it translated of the int3 for ever.
 */
TEST(patched_code_goes_on)
{
    u32 seed = 1;

    request = IDLE;
    REQUIRE(CHECK(answered(IDLE)));
    trap_handler_set(VEC_BP, on_int3);
    request = RUN;
    REQUIRE(CHECK(answered(RUN)));
    for (unsigned i = 0; i < 20000 && !stuck; i++) {
        *(volatile uint8_t *)patched = 0xcc;
        seed = seed * 1103515245 + 12345;
        for (unsigned wait = seed >> 16 & 0x3ff; wait; wait--)
            asm volatile("");
        *(volatile uint8_t *)patched = 0x66;
        for (unsigned wait = seed >> 8 & 0x3ff; wait; wait--)
            asm volatile("");
    }
    request = IDLE;
    CHECK(answered(IDLE));
    trap_handler_set(VEC_BP, NULL);
    CHECK(on_reference || stuck == 0);
}

static bool second_is_blocked(void)
{
    struct vcpu_runstate_info info;
    u64 end = system_time() + 5 * SECOND;

    do {
        if (hc_vcpu_op(VCPUOP_get_runstate_info, 1, &info))
            return false;
        if (info.state == RUNSTATE_blocked)
            return true;
    } while (system_time() < end);
    return false;
}

TEST(event_wakes_second)
{
    long port = port_ipi(1);
    u32 before = second_upcalls;

    REQUIRE(CHECK(port > 0));
    request = IDLE;
    CHECK(answered(IDLE));
    request = BLOCK;
    CHECK(second_is_blocked());
    CHECK_OK(port_send((evtchn_port_t)port));
    CHECK(answered(BLOCK));
    CHECK_EQ(second_upcalls, before + 1);
    CHECK(port_pending((evtchn_port_t)port));
    CHECK_EQ(vcpu0()->evtchn_upcall_pending, 0);
    port_forget((evtchn_port_t)port);
    CHECK_OK(port_close((evtchn_port_t)port));
}

static void move_second(unsigned cpu)
{
    static u64 mask;
    struct xen_domctl op = {
        .u.vcpuaffinity = { .vcpu = 1, .flags = XEN_VCPUAFFINITY_HARD,
                            .cpumap_hard.nr_bits = 64 }
    };

    mask = 1UL << cpu;
    set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap,
                         (unsigned char *)&mask);
    CHECK_OK(domctl(XEN_DOMCTL_setvcpuaffinity, 0, &op));
}

/*
 * A CPU that has nothing else to do may leave the registers of who sleeps where
 * they are: they are found all the same on the other CPU.
 */
TEST(sleeper_keeps_its_registers)
{
    long port = port_ipi(1);

    REQUIRE(CHECK(port > 0));
    for (marks = 0; marks < 20; marks++) {
        request = IDLE;
        CHECK(answered(IDLE));
        request = SLEEP;
        CHECK(second_is_blocked());
        move_second(marks / 2 % 2);
        CHECK_OK(port_send((evtchn_port_t)port));
        REQUIRE(CHECK(answered(SLEEP)));
        CHECK_EQ(kept[0], 0xfeed + marks);
        CHECK_EQ(kept[1], ~(0xfeed + marks));
        port_forget((evtchn_port_t)port);
    }
    CHECK_OK(port_close((evtchn_port_t)port));
}

/* An interdomain port moves to the virtual CPU that bind_vcpu names. */
TEST(bound_port_goes_to_second)
{
    struct evtchn_alloc_unbound u = { .dom = DOMID_SELF,
                                      .remote_dom = DOMID_SELF };
    struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF };
    struct evtchn_bind_vcpu v = { .vcpu = 1 };

    CHECK_OK(hc_event_channel_op(EVTCHNOP_alloc_unbound, &u));
    b.remote_port = u.port;
    CHECK_OK(hc_event_channel_op(EVTCHNOP_bind_interdomain, &b));
    port_forget(b.local_port);
    v.port = u.port;
    CHECK_OK(hc_event_channel_op(EVTCHNOP_bind_vcpu, &v));
    CHECK_OK(port_send(b.local_port));
    CHECK_EQ(vcpu1->evtchn_upcall_pending, 1);
    CHECK_EQ(vcpu0()->evtchn_upcall_pending, 0);
    vcpu1->evtchn_upcall_pending = 0;
    vcpu1->evtchn_pending_sel = 0;
    port_forget(u.port);
    CHECK_OK(port_close(u.port));
    CHECK_OK(port_close(b.local_port));
}

TEST(second_leaves)
{
    u64 end = system_time() + 5 * SECOND;

    request = IDLE;
    CHECK(answered(IDLE));
    request = LEAVE;
    CHECK(answered(LEAVE));
    while (hc_vcpu_op(VCPUOP_is_up, 1, NULL) && system_time() < end)
        ;
    CHECK_EQ(hc_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

/*
 * It is off when the machine is switched off, whatever it holds just then.
 */
TEST(second_talks_to_the_end)
{
    CHECK_OK(hc_vcpu_op(VCPUOP_up, 1, NULL));
    CHECK(ask(TALK));
}
