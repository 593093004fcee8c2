/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Situations without a way on.  Each must end the domain alone, with its
 * registers on the console; the command line names the one to run.  The
 * runner expects `provoking`, then the hypervisor's report, and no `survived`.
 */
#include "guest.h"

struct scenario {
    const char *name;
    void (*run)(void);
};

#define SCENARIO(id)                                       \
    static void crash_##id(void);                          \
    static const struct scenario scenario_##id             \
        __attribute__((used, section(".scenarios"),        \
                       aligned(8))) = { #id, crash_##id }; \
    static void crash_##id(void)

static void drop_traps(void)
{
    hc_set_trap_table(NULL);
}

SCENARIO(no_trap_table)
{
    drop_traps();
    asm volatile("ud2");
}

SCENARIO(no_page_fault_handler)
{
    drop_traps();
    *(volatile char *)UNMAPPED_VA = 1;
}

SCENARIO(no_gp_handler)
{
    drop_traps();
    asm volatile("hlt");
}

/* The handler itself is not mapped: its own fault has nowhere to go. */
SCENARIO(handler_is_not_mapped)
{
    struct trap_info t[2] = { { .vector = 6,
                                .flags = 3,
                                .cs = FLAT_KERNEL_CS,
                                .address = UNMAPPED_VA } };

    drop_traps();
    hc_set_trap_table(t);
    asm volatile("ud2");
}

SCENARIO(kernel_stack_is_not_mapped)
{
    asm volatile("mov %0, %%rsp\n\tud2" : : "r"(UNMAPPED_VA));
}

SCENARIO(kernel_stack_in_hypervisor)
{
    asm volatile("mov %0, %%rsp\n\tud2" : : "r"(HYPERVISOR_VA + 4096));
}

SCENARIO(kernel_stack_is_read_only)
{
    char *page = page_get();

    make_ro(page);
    asm volatile("mov %0, %%rsp\n\tud2" : : "r"(page + 2048));
}

SCENARIO(kernel_stack_is_not_canonical)
{
    asm volatile("mov %0, %%rsp\n\tud2" : : "r"(NON_CANONICAL_VA));
}

SCENARIO(kernel_stack_is_a_page_table)
{
    asm volatile("mov %0, %%rsp\n\tud2" : : "r"(start_info->pt_base + 4096));
}

USER_CODE_BLOCK(user_ud2, "ud2\n");

/* Out of user mode the stack is stack_switch's. */
SCENARIO(trap_stack_is_bad)
{
    user_init();
    hc_stack_switch(FLAT_KERNEL_SS, UNMAPPED_VA);
    user_run(user_ud2_from, user_ud2_to, 0, 0);
}

SCENARIO(trap_stack_in_hypervisor)
{
    user_init();
    hc_stack_switch(FLAT_KERNEL_SS, HYPERVISOR_VA + 4096);
    user_run(user_ud2_from, user_ud2_to, 0, 0);
}

/* iret to user mode, and there are no page tables for it. */
SCENARIO(no_user_page_tables)
{
    struct regs r = { .cs = FLAT_USER_CS,
                      .ss = FLAT_USER_SS,
                      .rip = USER_CODE,
                      .rflags = FL_ONE };

    enter_and_catch(&r);
}

SCENARIO(iret_frame_is_not_mapped)
{
    asm volatile("mov %0, %%rsp\n\tsyscall" : : "r"(UNMAPPED_VA), "a"(23L));
}

SCENARIO(iret_frame_in_hypervisor)
{
    asm volatile("mov %0, %%rsp\n\tsyscall" : : "r"(HYPERVISOR_VA), "a"(23L));
}

/* Its own code goes away under it, and the handlers with it. */
SCENARIO(kernel_unmaps_itself)
{
    u64 *entry = pte_of(VIRT_BASE, 4);

    mmu_update1(maddr_of(entry), 0);
    mmuext1(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
}

/* Tables without the kernel in them. */
SCENARIO(base_pointer_to_empty_tables)
{
    u64 *l4 = table_empty();

    mmuext1(MMUEXT_NEW_BASEPTR, mfn_of(l4), 0);
}

SCENARIO(event_callback_is_not_mapped)
{
    hc_set_callbacks(UNMAPPED_VA, A(failsafe_entry), A(syscall_entry));
    drop_traps();
    vcpu0()->evtchn_upcall_mask = 0;
    port_send((evtchn_port_t)port_ipi(0));
}

SCENARIO(shutdown_with_crash)
{
    struct sched_shutdown s = { .reason = SHUTDOWN_crash };

    hc_sched_op(SCHEDOP_shutdown, &s);
}

extern const struct scenario scenarios_start[], scenarios_end[];

TEST(crash)
{
    for (const struct scenario *s = scenarios_start; s < scenarios_end; s++) {
        if (option_given(s->name)) {
            print("provoking %s\n", s->name);
            s->run();
            print("survived %s\n", s->name);
        }
    }
}
