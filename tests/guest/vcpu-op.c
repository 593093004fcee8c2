/* SPDX-License-Identifier: GPL-2.0-only */
/* vcpu_op: <xen/vcpu.h>.  The machine has two CPUs, so domain 0 has two. */
#include "guest.h"

#define NOBODY 99
#define AT_LAST 60000000000UL /* ns: only what never comes takes so long */

/* What a test may say of a virtual CPU that nobody has. */
TEST(unknown_vcpu)
{
    for (u32 cmd = VCPUOP_initialise;
         cmd <= VCPUOP_register_vcpu_time_memory_area; cmd++)
        CHECK_ERR(hc_vcpu_op(cmd, NOBODY, NULL), -XEN_ENOENT);
    CHECK_ERR(hc_vcpu_op(VCPUOP_is_up, ~0u, NULL), -XEN_ENOENT);
}

TEST(unknown_command)
{
    CHECK_ERR(hc_vcpu_op(14, 0, NULL), -XEN_ENOSYS);
    CHECK_ERR(hc_vcpu_op(~0u, 0, NULL), -XEN_ENOSYS);
}

TEST(is_up)
{
    CHECK_EQ(hc_vcpu_op(VCPUOP_is_up, 0, NULL), 1);
    CHECK_EQ(hc_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

TEST(up_without_initialise)
{
    CHECK_ERR(hc_vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL);
}

static volatile u32 second_ran, second_go;
static volatile u64 second_fs;
static char second_stack[8192] __attribute__((aligned(16)));

/* On virtual CPU 1: leaves a sign and stops itself. */
static void second_main(void)
{
    for (;;) {
        second_ran++;
        hc_vcpu_op(VCPUOP_down, 1, NULL);
        while (!second_go)
            asm volatile("pause");
    }
}

static void second_context(struct vcpu_guest_context *c)
{
    kernel_context(c, second_main, END_OF(second_stack));
}

TEST(initialise_bad)
{
    static struct vcpu_guest_context c;

    CHECK_BAD_POINTERS(sizeof(c), -XEN_EFAULT,
                       hc_vcpu_op(VCPUOP_initialise, 1, bad));
    second_context(&c);
    c.ctrlreg[3] = mfn_not_ours() << 12;
    CHECK_ERR(hc_vcpu_op(VCPUOP_initialise, 1, &c), -XEN_EINVAL);
    second_context(&c);
    c.ctrlreg[3] = maddr_of(page_get());
    CHECK_ERR(hc_vcpu_op(VCPUOP_initialise, 1, &c), ERR_IN_USE);
    second_context(&c);
    c.ldt_ents = 9000;
    CHECK_ERR(hc_vcpu_op(VCPUOP_initialise, 1, &c), -XEN_EINVAL);
    second_context(&c);
    c.gdt_ents = FIRST_RESERVED_GDT_ENTRY + 1;
    CHECK_ERR(hc_vcpu_op(VCPUOP_initialise, 1, &c), -XEN_EINVAL);
    second_context(&c);
    c.user_regs.rip = NON_CANONICAL_VA;
    CHECK_ERR(hc_vcpu_op(VCPUOP_initialise, 1, &c), -XEN_EINVAL);
    CHECK_EQ(hc_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

/* Waits for a sign of the other CPU, with an end. */
static bool second_has_run(u32 times)
{
    u64 end = system_time() + AT_LAST;

    while (second_ran < times) {
        if (system_time() > end)
            return false;
        hc_sched_op(SCHEDOP_yield, NULL);
    }
    return true;
}

static bool second_is_down(void)
{
    u64 end = system_time() + AT_LAST;

    while (hc_vcpu_op(VCPUOP_is_up, 1, NULL)) {
        if (system_time() > end)
            return false;
    }
    return true;
}

TEST(initialise_and_up)
{
    static struct vcpu_guest_context c;

    second_context(&c);
    REQUIRE(CHECK_OK(hc_vcpu_op(VCPUOP_initialise, 1, &c)));
    CHECK_EQ(hc_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    CHECK_ERR(hc_vcpu_op(VCPUOP_initialise, 1, &c), -XEN_EEXIST);
    REQUIRE(CHECK_OK(hc_vcpu_op(VCPUOP_up, 1, NULL)));
    CHECK(second_has_run(1));
    CHECK(second_is_down());
    /* Up again: it goes on where it stopped. */
    second_go = 1;
    CHECK_OK(hc_vcpu_op(VCPUOP_up, 1, NULL));
    CHECK(second_has_run(2));
    CHECK(second_is_down());
}

TEST(down_of_other)
{
    CHECK_OK(hc_vcpu_op(VCPUOP_down, 1, NULL));
    CHECK_EQ(hc_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

TEST(runstate_info)
{
    struct vcpu_runstate_info info = { .state = 99 };
    u64 end = system_time() + AT_LAST;

    CHECK_OK(hc_vcpu_op(VCPUOP_get_runstate_info, 0, &info));
    CHECK_EQ(info.state, RUNSTATE_running);
    CHECK(info.time[RUNSTATE_running] > 0);
    /* The other one may be on its way out yet. */
    do {
        CHECK_OK(hc_vcpu_op(VCPUOP_get_runstate_info, 1, &info));
    } while (info.state != RUNSTATE_offline && system_time() < end);
    CHECK_EQ(info.state, RUNSTATE_offline);
    CHECK_BAD_POINTERS(sizeof(info), -XEN_EFAULT,
                       hc_vcpu_op(VCPUOP_get_runstate_info, 0, bad));
}

TEST(runstate_area)
{
    static struct vcpu_runstate_info info;
    struct vcpu_register_runstate_memory_area area = { .addr.v = &info };

    info.state = 99;
    CHECK_OK(hc_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area));
    CHECK_EQ(info.state, RUNSTATE_running);
    area.addr.p = 0;
    CHECK_OK(hc_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area));
    CHECK_BAD_POINTERS(sizeof(area), -XEN_EFAULT,
                       hc_vcpu_op(VCPUOP_register_runstate_memory_area, 0,
                                  bad));
    area.addr.p = HYPERVISOR_VA;
    CHECK_ERR(hc_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area),
              -XEN_EFAULT);
}

TEST(time_area)
{
    static struct vcpu_time_info info;
    struct vcpu_register_time_memory_area area = { .addr.v = &info };

    CHECK_OK(hc_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area));
    CHECK_EQ(info.version & 1, 0);
    CHECK_EQ(info.tsc_to_system_mul, vcpu0()->time.tsc_to_system_mul);
    area.addr.p = 0;
    CHECK_OK(hc_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area));
    CHECK_BAD_POINTERS(sizeof(area), -XEN_EFAULT,
                       hc_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0,
                                  bad));
    area.addr.p = HYPERVISOR_VA;
    CHECK_ERR(hc_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area),
              -XEN_EFAULT);
}

static volatile unsigned nmis;

static void on_nmi(struct regs *regs)
{
    (void)regs;
    nmis++;
}

/* An NMI comes through the callback, whatever the event mask says. */
TEST(send_nmi)
{
    struct xennmi_callback cb = { .handler_address = (ulong)nmi_entry };

    trap_handler_set(VEC_NMI, on_nmi);
    CHECK_OK(hc_nmi_op(XENNMI_register_callback, &cb));
    CHECK_OK(hc_vcpu_op(VCPUOP_send_nmi, 0, NULL));
    CHECK_EQ(nmis, 1);
    /* The iret of the handler has opened the way for the next. */
    CHECK_OK(hc_vcpu_op(VCPUOP_send_nmi, 0, NULL));
    CHECK_EQ(nmis, 2);
    CHECK_OK(hc_nmi_op(XENNMI_unregister_callback, NULL));
}

/* Without a callback it is vector 2 of the trap table, as Linux has it. */
TEST(send_nmi_by_trap_table)
{
    trap_handler_set(2, on_nmi);
    nmis = 0;
    CHECK_OK(hc_vcpu_op(VCPUOP_send_nmi, 0, NULL));
    CHECK_EQ(nmis, 1);
}

/* The timers belong to the virtual CPU that asks. */
TEST(timers_of_other)
{
    struct vcpu_set_singleshot_timer s = { .timeout_abs_ns = 1 };

    CHECK_ERR(hc_vcpu_op(VCPUOP_set_singleshot_timer, 1, &s), -XEN_EINVAL);
    CHECK_ERR(hc_vcpu_op(VCPUOP_stop_singleshot_timer, 1, NULL), -XEN_EINVAL);
}

TEST(physical_id)
{
    struct vcpu_get_physid id = { 0 };
    long rc = hc_vcpu_op(VCPUOP_get_physid, 0, &id);

    CHECK(rc == 0 || rc == -XEN_EINVAL);
}

static long register_info(u32 vcpu, u64 mfn, u32 offset)
{
    struct vcpu_register_vcpu_info r = { .mfn = mfn, .offset = offset };
    return hc_vcpu_op(VCPUOP_register_vcpu_info, vcpu, &r);
}

TEST(register_vcpu_info_bad)
{
    ulong mfn = mfn_of(page_get());

    CHECK_ERR(register_info(0, mfn, PAGE_SIZE - 32), -XEN_ENXIO);
    CHECK_ERR(register_info(0, mfn, 0xffffffff), -XEN_ENXIO);
    CHECK_ERR(register_info(0, mfn_not_ours(), 0), -XEN_EINVAL);
    CHECK_ERR(register_info(0, ~0UL, 0), -XEN_EINVAL);
    CHECK_ERR(register_info(0, mfn_of((void *)start_info->pt_base), 0),
              -XEN_EINVAL);
    CHECK_BAD_POINTERS(sizeof(struct vcpu_register_vcpu_info), -XEN_EFAULT,
                       hc_vcpu_op(VCPUOP_register_vcpu_info, 0, bad));
}

/* Last: virtual CPU 0's record moves out of the shared page for good. */
TEST(register_vcpu_info)
{
    volatile struct vcpu_info *info = (void *)((char *)page_get() + 512);
    evtchn_port_t port = (evtchn_port_t)port_ipi(0);

    vcpu0()->evtchn_pending_sel = 0;
    REQUIRE(CHECK_OK(register_info(0, mfn_of((void *)info), 512)));
    CHECK(info->time.tsc_to_system_mul != 0);
    CHECK_EQ(info->evtchn_upcall_mask, 1);
    CHECK_ERR(register_info(0, mfn_of(page_get()), 0), -XEN_EINVAL);
    info->evtchn_pending_sel = 0;
    info->evtchn_upcall_pending = 0;
    CHECK_OK(port_send(port));
    CHECK_EQ(info->evtchn_pending_sel, 1UL << PORT_WORD(port));
    CHECK_EQ(info->evtchn_upcall_pending, 1);
    CHECK_EQ(vcpu0()->evtchn_pending_sel, 0);
}
