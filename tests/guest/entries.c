/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries into the kernel: set_trap_table, set_callbacks, callback_op,
 * stack_switch; system calls and software interrupts out of user mode.
 */
#include "guest.h"

static void restore(void)
{
    CHECK_OK(hc_set_trap_table(trap_table));
    CHECK_OK(
        hc_set_callbacks(A(event_entry), A(failsafe_entry), A(syscall_entry)));
    CHECK_OK(hc_stack_switch(FLAT_KERNEL_SS, A(trap_stack_top)));
}

TEST(trap_table_bad_pointer)
{
    CHECK_BAD_POINTERS(sizeof(struct trap_info), -XEN_EFAULT,
                       hc_set_trap_table(bad));
    restore();
}

TEST(trap_table_bad_address)
{
    struct trap_info t[2] = {
        { .vector = 6,
          .flags = 3,
          .cs = FLAT_KERNEL_CS,
          .address = NON_CANONICAL_VA },
    };

    CHECK_ERR(hc_set_trap_table(t), -XEN_EINVAL);
    restore();
}

TEST(trap_table_without_sentinel)
{
    struct trap_info *t = edge(sizeof(*t));

    *t = trap_table[6];
    CHECK_ERR(hc_set_trap_table(t), -XEN_EFAULT);
    restore();
}

/* NULL takes every entry away. */
TEST(trap_table_none)
{
    CHECK_OK(hc_set_trap_table(NULL));
    restore();
}

TEST(trap_frame)
{
    u64 rsp = READ_REG(rsp);
    extern char ud_here[];

    CHECK_FAULT(asm volatile(".globl ud_here\nud_here: ud2"), VEC_UD);
    CHECK_EQ(fault.regs.rip, ud_here);
    CHECK_EQ((uint16_t)fault.regs.cs, FLAT_KERNEL_CS & ~3);
    CHECK_EQ(fault.regs.ss, FLAT_KERNEL_SS);
    CHECK_EQ(fault.regs.rsp, rsp);
    CHECK_EQ((fault.regs.cs >> 32) & 0xff, 1); /* the event mask then */
    CHECK_EQ(fault.regs.rflags & FL_IF, 0);    /* and again, inverted */
}

TEST(trap_frame_with_events_open)
{
    vcpu0()->evtchn_upcall_mask = 0;
    CHECK_FAULT(asm volatile("ud2"), VEC_UD);
    CHECK_EQ((fault.regs.cs >> 32) & 0xff, 0);
    CHECK_EQ(fault.regs.rflags & FL_IF, FL_IF);
    vcpu0()->evtchn_upcall_mask = 1;
}

static uint8_t mask_seen;
static ulong frame_end;

static void look_at_mask(struct regs *regs)
{
    mask_seen = vcpu0()->evtchn_upcall_mask;
    catch_throw(regs);
}

static void look_at_frame(struct regs *regs)
{
    frame_end = (ulong)(regs + 1);
    catch_throw(regs);
}

/* Flag 4 of an entry: enter it with events masked. */
TEST(trap_masks_events)
{
    struct trap_info t[2] = { trap_table[6] };

    t[0].flags = 3 | 4;
    CHECK_OK(hc_set_trap_table(t));
    trap_handler_set(VEC_UD, look_at_mask);
    vcpu0()->evtchn_upcall_mask = 0;
    CHECK_FAULT(asm volatile("ud2"), VEC_UD);
    CHECK_EQ(mask_seen, 1);
    restore();
    vcpu0()->evtchn_upcall_mask = 0;
    CHECK_FAULT(asm volatile("ud2"), VEC_UD);
    CHECK_EQ(mask_seen, 0);
    vcpu0()->evtchn_upcall_mask = 1;
    trap_handler_set(VEC_UD, NULL);
}

TEST(exceptions_of_the_kernel)
{
    CHECK_FAULT(asm volatile("int3"), VEC_BP);
    CHECK_FAULT(asm volatile("xor %%edx, %%edx\n\tdiv %%edx"
                             :
                             :
                             : "eax", "edx", "cc"),
                VEC_DE);
    CHECK_FAULT(*(volatile char *)NON_CANONICAL_VA = 0, VEC_GP);
    CHECK_EQ(fault.error, 0);
    CHECK_FAULT(*(volatile char *)HYPERVISOR_VA, VEC_PF);
    CHECK_FAULT(asm volatile("mov %0, %%ds" : : "r"(0x7ff3)), VEC_GP);
    CHECK_EQ(fault.error, 0x7ff0);
}

TEST(single_step)
{
    CHECK_FAULT(write_flags(read_flags() | FL_TF); asm volatile("nop"), VEC_DB);
}

TEST(page_fault_of_the_kernel)
{
    CHECK_FAULT(*(volatile char *)UNMAPPED_VA, VEC_PF);
    CHECK_EQ(fault.error, 0);
    CHECK_EQ(fault.cr2, UNMAPPED_VA);
    CHECK_FAULT(*(volatile char *)(UNMAPPED_VA + 5) = 1, VEC_PF);
    CHECK_EQ(fault.error, PF_W);
    CHECK_EQ(fault.cr2, UNMAPPED_VA + 5);
    CHECK_FAULT(((void (*)(void))UNMAPPED_VA)(), VEC_PF);
    CHECK_EQ(fault.error, PF_I);
}

TEST(page_fault_of_no_execute)
{
    char *page = page_get();

    page[0] = (char)0xc3;
    CHECK_NO_FAULT(((void (*)(void))(ulong)page)());
    CHECK_OK(remap(page, PTE(mfn_of(page), PTE_RW_FLAGS | PTE_NX)));
    CHECK_FAULT(((void (*)(void))(ulong)page)(), VEC_PF);
    CHECK_EQ(fault.error, PF_P | PF_I);
}

USER_CODE_BLOCK(user_syscall, "mov $0x1234, %eax\n\tsyscall\n\tud2\n");
USER_CODE_BLOCK(user_sysenter, "sysenter\n\tud2\n");
USER_CODE_BLOCK(user_int80, "int $0x80\n\tud2\n");
USER_CODE_BLOCK(user_int81, "int $0x81\n\tud2\n");
USER_CODE_BLOCK(user_int3, "int3\n\tud2\n");
USER_CODE_BLOCK(user_ud2, "ud2\n");
USER_CODE_BLOCK(user_hlt, "hlt\n");
USER_CODE_BLOCK(user_cli, "cli\n\tud2\n");
USER_CODE_BLOCK(user_out, "outb %al, $0x80\n\tud2\n");
USER_CODE_BLOCK(user_read, "mov (%rdi), %rax\n\tud2\n");
USER_CODE_BLOCK(user_write, "mov %rax, (%rdi)\n\tud2\n");
USER_CODE_BLOCK(user_jump, "jmp *%rdi\n");
USER_CODE_BLOCK(user_push, "push %rax\n\tud2\n");

#define USER_RUN(code, rdi) user_run(code##_from, code##_to, 0x5b5b, (rdi))

TEST(user_mode_starts)
{
    REQUIRE(CHECK_OK(user_init()));
    CHECK_EQ(USER_RUN(user_ud2, 0x7d7d), VEC_UD);
    CHECK_EQ(fault.regs.rip, USER_CODE);
    CHECK_EQ((uint16_t)fault.regs.cs, FLAT_USER_CS);
    CHECK_EQ(fault.regs.rsp, USER_STACK_TOP);
    CHECK_EQ((uint16_t)fault.regs.ss, FLAT_USER_SS);
    CHECK_EQ(fault.regs.rbx, 0x5b5b);
    CHECK_EQ(fault.regs.rdi, 0x7d7d);
    CHECK_EQ(fault.regs.rflags & FL_IF, FL_IF);
    CHECK_EQ(fault.regs.rflags & FL_IOPL, 0);
}

/* A trap from user mode starts on the stack of stack_switch. */
TEST(user_trap_uses_kernel_stack)
{
    trap_handler_set(VEC_UD, look_at_frame);
    CHECK_EQ(USER_RUN(user_ud2, 0), VEC_UD);
    CHECK_EQ(frame_end, trap_stack_top);
    CHECK_OK(hc_stack_switch(FLAT_KERNEL_SS, A(trap_stack_top) - 8192));
    CHECK_EQ(USER_RUN(user_ud2, 0), VEC_UD);
    CHECK_EQ(frame_end, trap_stack_top - 8192);
    trap_handler_set(VEC_UD, NULL);
    restore();
}

TEST(user_system_call)
{
    CHECK_EQ(USER_RUN(user_syscall, 0x99), VEC_SYSCALL);
    CHECK_EQ(fault.regs.rax, 0x1234);
    CHECK_EQ(fault.regs.rdi, 0x99);
    CHECK_EQ(fault.regs.rip, USER_CODE + 7);
    CHECK_EQ((uint16_t)fault.regs.cs, FLAT_USER_CS);
    CHECK_EQ(fault.regs.rsp, USER_STACK_TOP);
}

/* callback_op's flag: enter the kernel with events masked. */
TEST(user_system_call_masks_events)
{
    struct callback_register r = { .type = CALLBACKTYPE_syscall,
                                   .flags = CALLBACKF_mask_events,
                                   .address = A(syscall_entry) };

    CHECK_OK(hc_callback_op(CALLBACKOP_register, &r));
    trap_handler_set(VEC_SYSCALL, look_at_mask);
    CHECK_EQ(USER_RUN(user_syscall, 0), VEC_SYSCALL);
    CHECK_EQ(mask_seen, 1);
    r.flags = 0;
    CHECK_OK(hc_callback_op(CALLBACKOP_register, &r));
    CHECK_EQ(USER_RUN(user_syscall, 0), VEC_SYSCALL);
    CHECK_EQ(mask_seen, 0);
    trap_handler_set(VEC_SYSCALL, NULL);
    restore();
}

/* AMD's processors have no SYSENTER in long mode. */
static bool vendor_is_amd(void)
{
    return cpuid(0, 0).b == 0x68747541; /* "Auth" */
}

TEST(user_sysenter_without_callback)
{
    if (on_reference && !vendor_is_amd())
        SKIP("the reference dies of a double fault in its SYSENTER entry");
    CHECK_EQ(USER_RUN(user_sysenter, 0), vendor_is_amd() ? VEC_UD : VEC_GP);
    CHECK_EQ(fault.error, 0);
}

TEST(user_sysenter_with_callback)
{
    struct callback_register r = { .type = CALLBACKTYPE_sysenter,
                                   .address = A(sysenter_entry) };

    if (vendor_is_amd())
        SKIP("this CPU has no SYSENTER in long mode (see the other vendor)");
    if (on_reference)
        SKIP("the reference dies of a double fault in its SYSENTER entry");
    CHECK_OK(hc_callback_op(CALLBACKOP_register, &r));
    CHECK_EQ(USER_RUN(user_sysenter, 0), VEC_SYSENTER);
    /* SYSENTER keeps neither rip nor rsp; what it comes with is user mode. */
    CHECK_EQ(fault.regs.cs & 3, 3);
}

/* SYSENTER leaves these flags as they are; they are nobody's but ours. */
TEST(user_sysenter_with_odd_flags)
{
    struct callback_register cb = { .type = CALLBACKTYPE_sysenter,
                                    .address = A(sysenter_entry) };
    struct callback_unregister none = { .type = CALLBACKTYPE_sysenter };
    struct regs r = user_regs(user_sysenter_from, user_sysenter_to);

    if (vendor_is_amd())
        SKIP("this CPU has no SYSENTER in long mode (see the other vendor)");
    if (on_reference)
        SKIP("the reference dies of a double fault in its SYSENTER entry");
    r.rflags |= FL_DF | FL_NT | FL_AC;
    CHECK_OK(hc_callback_op(CALLBACKOP_register, &cb));
    CHECK_EQ(enter_and_catch(&r), VEC_SYSENTER);
    CHECK_EQ(fault.regs.rflags & (FL_DF | FL_NT), FL_DF | FL_NT);
    CHECK_OK(hc_callback_op(CALLBACKOP_unregister, &none));
    CHECK_EQ(enter_and_catch(&r), VEC_GP);
    vcpu0()->evtchn_upcall_mask = 1;
}

extern char flags_entry[];
extern u64 flags_seen;
asm(".pushsection .bss\n.globl flags_seen\nflags_seen: .quad 0\n.popsection\n"
    ".globl flags_entry\nflags_entry:\n"
    "pushfq\n\tpopq flags_seen(%rip)\n\tjmp syscall_entry\n");

/* As a kernel's own mask for SYSCALL would have it. */
TEST(user_system_call_clears_direction)
{
    struct callback_register cb = { .type = CALLBACKTYPE_syscall,
                                    .address = A(flags_entry) };
    struct regs r = user_regs(user_syscall_from, user_syscall_to);

    if (on_reference)
        SKIP("the reference enters the kernel with the user's DF");
    r.rflags |= FL_DF;
    CHECK_OK(hc_callback_op(CALLBACKOP_register, &cb));
    CHECK_EQ(enter_and_catch(&r), VEC_SYSCALL);
    CHECK_EQ(flags_seen & (FL_DF | FL_ONE), FL_ONE);
    CHECK_EQ(fault.regs.rflags & FL_DF, FL_DF); /* and it comes back */
    vcpu0()->evtchn_upcall_mask = 1;
    restore();
}

TEST(user_software_interrupts)
{
    CHECK_EQ(USER_RUN(user_int80, 0), 0x80);
    CHECK_EQ(fault.regs.rip, USER_CODE + 2);
    CHECK_EQ(USER_RUN(user_int3, 0), VEC_BP);
    CHECK_EQ(fault.regs.rip, USER_CODE + 1);
}

/* Vectors without a gate of their own come as #GP and are carried out. */
TEST(user_software_interrupt_of_any_vector)
{
    if (on_reference)
        SKIP("QEMU before 8.0 misnames the vector, which the reference uses");
    CHECK_EQ(USER_RUN(user_int81, 0), 0x81);
    CHECK_EQ(fault.regs.rip, USER_CODE + 2);
}

/* A gate of level 0 or 1 is not for user mode. */
TEST(user_software_interrupt_not_permitted)
{
    struct trap_info t[2] = { trap_table[0x81] };

    if (on_reference)
        SKIP("QEMU before 8.0 misnames the vector, which the reference uses");
    t[0].flags = 1;
    CHECK_OK(hc_set_trap_table(t));
    CHECK_EQ(USER_RUN(user_int81, 0), VEC_GP);
    CHECK_EQ(fault.error, 0x81 * 8 + 2);
    CHECK_EQ(fault.regs.rip, USER_CODE);
    restore();
}

TEST(user_privileged_instructions)
{
    CHECK_EQ(USER_RUN(user_hlt, 0), VEC_GP);
    CHECK_EQ(USER_RUN(user_cli, 0), VEC_GP);
    CHECK_EQ(fault.regs.rip, USER_CODE);
    CHECK_EQ(USER_RUN(user_out, 0), VEC_GP);
}

USER_CODE_BLOCK(user_rdtsc, "rdtsc\n\tud2\n");
USER_CODE_BLOCK(user_rdtscp, "rdtscp\n\tud2\n");

/* With CR4.TSD the time is the kernel's alone; registers stay as they are. */
TEST(user_time_stamp_disabled)
{
    struct regs r = user_regs(user_rdtsc_from, user_rdtsc_to);
    u64 cr4 = READ_REG(cr4);

    r.rax = r.rdx = 0x1234;
    WRITE_REG(cr4, cr4 | 4);
    CHECK_EQ(enter_and_catch(&r), VEC_GP);
    CHECK_EQ(fault.regs.rax, 0x1234);
    CHECK_EQ(fault.regs.rdx, 0x1234);
    r = user_regs(user_rdtscp_from, user_rdtscp_to);
    r.rcx = 0x1234;
    CHECK_EQ(enter_and_catch(&r), VEC_GP);
    CHECK_EQ(fault.regs.rcx, 0x1234);
    WRITE_REG(cr4, cr4);
    vcpu0()->evtchn_upcall_mask = 1;
}

TEST(user_page_faults)
{
    ulong kernel = (ulong)page_get();

    CHECK_EQ(USER_RUN(user_read, UNMAPPED_VA), VEC_PF);
    CHECK_EQ(fault.error, PF_U);
    CHECK_EQ(fault.cr2, UNMAPPED_VA);
    CHECK_EQ(USER_RUN(user_write, USER_CODE), VEC_PF);
    CHECK_EQ(fault.error, PF_P | PF_W | PF_U);
    CHECK_EQ(USER_RUN(user_jump, USER_STACK), VEC_PF);
    CHECK_EQ(fault.error, PF_P | PF_U | PF_I);
    /* The kernel's half is not in the user's tables. */
    CHECK_EQ(USER_RUN(user_read, kernel), VEC_PF);
    CHECK_EQ(fault.error, PF_U);
}

/* Nothing of the hypervisor's area, not even the M2P, is for user mode. */
TEST(user_sees_no_hypervisor)
{
    CHECK_EQ(USER_RUN(user_read, HYPERVISOR_VA), VEC_PF);
    CHECK_EQ(USER_RUN(user_write, HYPERVISOR_VIRT_START), VEC_PF);
    CHECK_EQ(USER_RUN(user_jump, HYPERVISOR_VA), VEC_PF);
    CHECK_EQ(USER_RUN(user_read, NON_CANONICAL_VA), VEC_GP);
}

TEST(user_stack_need_not_be_good)
{
    struct regs r = user_regs(user_push_from, user_push_to);

    r.rsp = UNMAPPED_VA;
    CHECK_EQ(enter_and_catch(&r), VEC_PF);
    CHECK_EQ(fault.regs.rsp, UNMAPPED_VA);
    CHECK_EQ(fault.cr2, UNMAPPED_VA - 8);
}

TEST(user_single_step)
{
    struct regs r = user_regs(user_int80_from, user_int80_to);

    r.rflags |= FL_TF;
    CHECK_EQ(enter_and_catch(&r), 0x80);
    r = user_regs(user_syscall_from, user_syscall_to);
    r.rflags |= FL_TF;
    CHECK_EQ(enter_and_catch(&r), VEC_DB);
    CHECK_EQ(fault.regs.rip, USER_CODE + 5);
}

/* 32-bit code in the same address space. */
USER_CODE_BLOCK(user32_int80, ".code32\n\tmov $0x77, %eax\n\tint $0x80\n\tud2\n"
                              "\t.code64\n");
USER_CODE_BLOCK(user32_syscall, ".code32\n\tsyscall\n\tud2\n\t.code64\n");

TEST(user32_int80)
{
    struct regs r = user_regs(user32_int80_from, user32_int80_to);

    r.cs = FLAT_USER_CS32;
    CHECK_EQ(enter_and_catch(&r), 0x80);
    CHECK_EQ(fault.regs.rax, 0x77);
    CHECK_EQ((uint16_t)fault.regs.cs, FLAT_USER_CS32);
    CHECK_EQ(fault.regs.rip, USER_CODE + 7);
}

TEST(user32_syscall)
{
    struct regs r = user_regs(user32_syscall_from, user32_syscall_to);
    struct callback_register reg = { .type = CALLBACKTYPE_syscall32,
                                     .address = A(syscall32_entry) };

    if (!vendor_is_amd())
        SKIP("this CPU has no SYSCALL outside 64-bit mode (see the other)");
    CHECK_OK(hc_callback_op(CALLBACKOP_register, &reg));
    r.cs = FLAT_USER_CS32;
    CHECK_EQ(enter_and_catch(&r), VEC_SYSCALL32);
    CHECK_EQ((uint16_t)fault.regs.cs, FLAT_USER_CS32);
    CHECK_EQ(fault.regs.rip, USER_CODE + 2);
}

TEST(callback_types)
{
    static const uint16_t types[] = {
        CALLBACKTYPE_event, CALLBACKTYPE_failsafe, CALLBACKTYPE_syscall,
        CALLBACKTYPE_nmi,   CALLBACKTYPE_sysenter, CALLBACKTYPE_syscall32
    };
    char *const entry[] = { event_entry, failsafe_entry, syscall_entry,
                            nmi_entry,   sysenter_entry, syscall32_entry };

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        struct callback_register r = { .type = types[i],
                                       .address = A(entry[i]) };

        CHECK_OK(hc_callback_op(CALLBACKOP_register, &r));
        r.address = NON_CANONICAL_VA;
        CHECK_ERR(hc_callback_op(CALLBACKOP_register, &r), -XEN_EINVAL);
    }
}

TEST(callback_unregister)
{
    static const struct {
        uint16_t type;
        int answer;
    } cases[] = {
        { CALLBACKTYPE_event, -XEN_EINVAL },
        { CALLBACKTYPE_failsafe, -XEN_EINVAL },
        { CALLBACKTYPE_syscall, -XEN_EINVAL },
        { CALLBACKTYPE_syscall32, 99 },
        { CALLBACKTYPE_nmi, 0 },
        { CALLBACKTYPE_sysenter, 99 },
        { CALLBACKTYPE_sysenter_deprecated, -XEN_ENOSYS },
        { 99, -XEN_ENOSYS },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct callback_unregister u = { .type = cases[i].type };
        int want = cases[i].answer;

        if (want == 99) /* an entry that a kernel need not have */
            want = DIFFERS(0, -XEN_EINVAL, "what may be absent may go");
        CHECK_ERR(hc_callback_op(CALLBACKOP_unregister, &u), want);
    }
}

TEST(callback_bad)
{
    struct callback_register r = { .type = 99, .address = A(event_entry) };

    CHECK_ERR(hc_callback_op(CALLBACKOP_register, &r), -XEN_ENOSYS);
    CHECK_ERR(hc_callback_op(2, &r), -XEN_ENOSYS);
    CHECK_BAD_POINTERS(sizeof(r), -XEN_EFAULT,
                       hc_callback_op(CALLBACKOP_register, bad));
    CHECK_BAD_POINTERS(sizeof(struct callback_unregister), -XEN_EFAULT,
                       hc_callback_op(CALLBACKOP_unregister, bad));
    restore();
}

TEST(stack_switch)
{
    CHECK_OK(hc_stack_switch(FLAT_KERNEL_SS, A(trap_stack_top)));
    /* Checked when used, not when set. */
    CHECK_OK(hc_stack_switch(FLAT_KERNEL_SS, UNMAPPED_VA));
    CHECK_OK(hc_stack_switch(0x7ff3, A(trap_stack_top)));
    restore();
}
