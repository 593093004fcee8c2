/* SPDX-License-Identifier: GPL-2.0-only */
/* iret, fpu_taskswitch, the debug registers, masking of upcalls. */
#include "guest.h"

extern char landing[], landing_end[];
asm(".globl landing\nlanding: ud2\nlanding_end:\n");

/* Registers for entering the kernel itself at `landing`. */
static struct regs to_kernel(void)
{
    struct regs r = {
        .r15 = 15,
        .r14 = 14,
        .r13 = 13,
        .r12 = 12,
        .rbp = 5,
        .rbx = 3,
        .r11 = 11,
        .r10 = 10,
        .r9 = 9,
        .r8 = 8,
        .rax = 1,
        .rcx = 2,
        .rdx = 4,
        .rsi = 6,
        .rdi = 7,
        .rip = (ulong)landing,
        .cs = FLAT_KERNEL_CS & ~3,
        .rflags = FL_ONE,
        .rsp = (ulong)trap_stack_top,
        .ss = FLAT_KERNEL_SS,
    };
    return r;
}

TEST(iret_to_kernel)
{
    struct regs r = to_kernel();

    CHECK_EQ(enter_and_catch(&r), VEC_UD);
    CHECK_EQ(fault.regs.rip, landing);
    CHECK_EQ((uint16_t)fault.regs.cs, FLAT_KERNEL_CS & ~3);
    CHECK_EQ(fault.regs.rsp, trap_stack_top);
    CHECK_EQ(fault.regs.ss, FLAT_KERNEL_SS);
    /* r15 to rdi lie before vector and error in struct regs. */
    CHECK_EQ(memcmp(&fault.regs, &r, offsetof(struct regs, vector)), 0);
}

/* A selector of ring 0, 1 or 2 means the kernel, which runs in ring 3. */
TEST(iret_to_kernel_by_any_ring)
{
    for (unsigned rpl = 0; rpl < 3; rpl++) {
        struct regs r = to_kernel();

        r.cs = (FLAT_KERNEL_CS & ~3u) | rpl;
        CHECK_EQ(enter_and_catch(&r), VEC_UD);
        CHECK_EQ(fault.regs.rip, landing);
        CHECK_EQ((uint16_t)fault.regs.cs, FLAT_KERNEL_CS & ~3);
    }
}

static uint8_t mask_seen;

static void look_at_mask(struct regs *regs)
{
    mask_seen = vcpu0()->evtchn_upcall_mask;
    catch_throw(regs);
}

TEST(iret_sets_the_event_mask)
{
    struct regs r = to_kernel();

    trap_handler_set(VEC_UD, look_at_mask);
    r.rflags = FL_ONE | FL_IF;
    CHECK_EQ(enter_and_catch(&r), VEC_UD);
    CHECK_EQ(mask_seen, 0);
    r = to_kernel();
    r.rflags = FL_ONE;
    CHECK_EQ(enter_and_catch(&r), VEC_UD);
    CHECK_EQ(mask_seen, 1);
    trap_handler_set(VEC_UD, NULL);
}

TEST(iret_gives_no_privilege)
{
    struct regs r = to_kernel();

    r.rflags = FL_ONE | FL_IOPL | FL_VM | FL_CF;
    CHECK_EQ(enter_and_catch(&r), VEC_UD);
    CHECK_EQ(fault.regs.rip, landing);
    CHECK_EQ(fault.regs.rflags & (FL_IOPL | FL_VM), 0);
    CHECK_EQ(fault.regs.rflags & FL_CF, FL_CF);
}

/*
 * What the CPU refuses to load.  The failsafe callback was made for it, and
 * kernels handle it there; the reference raises #GP at the target instead.
 */
#define VEC_IRET DIFFERS(VEC_FAILSAFE, VEC_GP, "as callback.h has it")

TEST(iret_bad_stack_selector)
{
    struct regs r = to_kernel();

    r.ss = 0x7ff3;
    CHECK_EQ(enter_and_catch(&r), VEC_IRET);
    CHECK_EQ(fault.regs.rip, landing);
}

TEST(iret_bad_code_selector)
{
    struct regs r = to_kernel();

    r.cs = 0x7ff0;
    CHECK_EQ(enter_and_catch(&r), VEC_IRET);
    r.cs = FLAT_KERNEL_SS & ~3; /* data, not code */
    CHECK_EQ(enter_and_catch(&r), VEC_IRET);
}

TEST(iret_to_user_bad_selectors)
{
    struct regs r = to_kernel();

    REQUIRE(CHECK_OK(user_init()));
    r.cs = 0x7ff3;
    CHECK_EQ(enter_and_catch(&r), VEC_IRET);
    r = to_kernel();
    r.cs = FLAT_USER_CS;
    r.ss = 0x7ff3;
    CHECK_EQ(enter_and_catch(&r), VEC_IRET);
}

/* The hypervisor's own selectors are no use to us. */
TEST(iret_to_hypervisor_selectors)
{
    struct regs r = to_kernel();

    r.cs = 0xe008;
    CHECK_EQ(enter_and_catch(&r), VEC_IRET);
    r = to_kernel();
    r.ss = 0xe010;
    CHECK_EQ(enter_and_catch(&r), VEC_IRET);
}

TEST(iret_to_bad_address)
{
    struct regs r = to_kernel();

    r.rip = UNMAPPED_VA;
    CHECK_EQ(enter_and_catch(&r), VEC_PF);
    CHECK_EQ(fault.cr2, UNMAPPED_VA);
    r = to_kernel();
    r.rip = HYPERVISOR_VA;
    CHECK_EQ(enter_and_catch(&r), VEC_PF);
    CHECK_EQ(fault.cr2, HYPERVISOR_VA);
}

TEST(iret_to_non_canonical_address)
{
    struct regs r = to_kernel();

    r.rip = NON_CANONICAL_VA;
    CHECK_EQ(enter_and_catch(&r), VEC_GP);
    r = to_kernel();
    r.rip = 1UL << 63;
    CHECK_EQ(enter_and_catch(&r), VEC_GP);
}

/* A frame as hypercall iret takes it, with the flag for SYSRET. */
static int iret_in_syscall(u64 rip, u64 rsp)
{
    struct iret_context c = {
        .flags = VGCF_in_syscall,
        .rip = rip,
        .cs = FLAT_USER_CS,
        .rflags = FL_ONE | FL_IF,
        .rsp = rsp,
        .ss = FLAT_USER_SS,
        .rax = 0x7a7a,
    };

    return FAULT_OF(asm volatile("mov %0, %%rsp\n\tsyscall"
                                 :
                                 : "r"(&c), "a"(23L)
                                 : "memory"));
}

USER_CODE_BLOCK(user_ud2, "ud2\n");

TEST(iret_in_syscall)
{
    user_regs(user_ud2_from, user_ud2_to);
    CHECK_EQ(iret_in_syscall(USER_CODE, USER_STACK_TOP), VEC_UD);
    CHECK_EQ(fault.regs.rip, USER_CODE);
    CHECK_EQ(fault.regs.rax, 0x7a7a);
    CHECK_EQ(fault.regs.rsp, USER_STACK_TOP);
    CHECK_EQ((uint16_t)fault.regs.cs, FLAT_USER_CS);
    vcpu0()->evtchn_upcall_mask = 1;
}

/* A return within the kernel without the hypervisor, as Linux's sync_core. */
TEST(iretq_instruction)
{
    u64 flags = 0;

    CHECK_NO_FAULT(asm volatile(
        "mov %%rsp, %%rax\n\tpush %1\n\tpush %%rax\n\tpushfq\n\tpush %2\n\t"
        "push $1f\n\tiretq\n1:\tpushfq\n\tpop %0"
        : "=r"(flags)
        : "r"((u64)FLAT_KERNEL_SS), "r"((u64)FLAT_KERNEL_CS)
        : "rax", "memory", "cc"));
    CHECK_EQ(flags & FL_IOPL, 0);
}

TEST(fpu_taskswitch)
{
    CHECK_OK(hc_fpu_taskswitch(1));
    CHECK_EQ(READ_REG(cr0) & 8, 8);
    CHECK_FAULT(asm volatile("fninit"), VEC_NM);
    /* The trap has cleared it, as the kernel's handler expects. */
    CHECK_EQ(READ_REG(cr0) & 8, 0);
    CHECK_NO_FAULT(asm volatile("fninit"));
    CHECK_OK(hc_fpu_taskswitch(1));
    CHECK_OK(hc_fpu_taskswitch(0));
    CHECK_EQ(READ_REG(cr0) & 8, 0);
    CHECK_NO_FAULT(asm volatile("fninit"));
}

static void xcr0_write(u32 value)
{
    asm volatile("xsetbv" : : "c"(0), "a"(value), "d"(0));
}

/*
 * Vector state that is switched on starts as zero: what the registers hold was
 * left there before, perhaps by somebody else.
 */
TEST(vector_state_starts_clean)
{
    u64 upper[2] = { 0x5a5a5a5a5a5a5a5a, 0xa5a5a5a5a5a5a5a5 };
    u32 mxcsr, odd_mxcsr = 0x1f80 | 0x6000; /* round towards zero */
    const u32 need = 1u << 26 | 1u << 28; /* XSAVE, AVX */

    if ((cpuid(1, 0).c & need) != need)
        SKIP("this CPU has no AVX");
    if (on_reference)
        SKIP("the reference keeps what the vCPU itself left there");
    for (unsigned task_switched = 0; task_switched < 2; task_switched++) {
        xcr0_write(7);
        asm volatile("vmovdqu %0, %%xmm0\n\t"
                     "vinsertf128 $1, %%xmm0, %%ymm0, %%ymm0"
                     :
                     : "m"(upper));
        xcr0_write(3);
        asm volatile("ldmxcsr %0" : : "m"(odd_mxcsr));
        CHECK_OK(hc_fpu_taskswitch(task_switched));
        xcr0_write(7);
        CHECK_OK(hc_fpu_taskswitch(0));
        asm volatile("vextractf128 $1, %%ymm0, %0" : "=m"(upper));
        CHECK_EQ(upper[0] | upper[1], 0);
        upper[0] = upper[1] = ~0UL;
        asm volatile("stmxcsr %0" : "=m"(mxcsr));
        CHECK_EQ(mxcsr, odd_mxcsr);
    }
    mxcsr = 0x1f80;
    asm volatile("ldmxcsr %0" : : "m"(mxcsr));
}

TEST(fpu_keeps_its_contents)
{
    u64 in = 0x123456789abcdef0, out = 0;

    asm volatile("movq %0, %%xmm7" : : "r"(in));
    for (unsigned i = 0; i < 10; i++)
        hc_xen_version(XENVER_version, NULL);
    FAULT_OF(asm volatile("ud2"));
    asm volatile("movq %%xmm7, %0" : "=r"(out));
    CHECK_EQ(out, in);
}

TEST(debug_registers)
{
    ulong at = (ulong)page_get();

    for (u32 i = 0; i < 4; i++) {
        CHECK_OK(hc_set_debugreg(i, at + i * 8));
        CHECK_EQ(hc_get_debugreg(i), at + i * 8);
        CHECK_OK(hc_set_debugreg(i, 0));
    }
}

TEST(debug_registers_bad)
{
    /* No breakpoint in the hypervisor. */
    CHECK_ERR(hc_set_debugreg(0, HYPERVISOR_VA), -XEN_EPERM);
    CHECK_ERR(hc_set_debugreg(3, HYPERVISOR_VIRT_START), -XEN_EPERM);
    CHECK_ERR(hc_set_debugreg(0, NON_CANONICAL_VA), -XEN_EPERM);
    CHECK_ERR(hc_set_debugreg(8, 0), -XEN_ENODEV);
    CHECK_ERR(hc_set_debugreg(~0u, 0), -XEN_ENODEV);
    CHECK_ERR(hc_get_debugreg(8), -XEN_ENODEV);
    CHECK_ERR(hc_get_debugreg(~0u), -XEN_ENODEV);
}

TEST(debug_control_bad)
{
    /* Upper half; GD is dropped, not taken; I/O breakpoints need CR4.DE. */
    CHECK_ERR(hc_set_debugreg(7, 1UL << 32), -XEN_EINVAL);
    CHECK_ERR(hc_set_debugreg(7, 0x20001), -XEN_EPERM);
    CHECK_ERR(hc_set_debugreg(6, 1UL << 32), -XEN_EINVAL);
    CHECK_OK(hc_set_debugreg(7, 0));
}

TEST(watchpoint)
{
    volatile u64 *word = page_get();

    CHECK_OK(hc_set_debugreg(0, (ulong)word));
    CHECK_OK(hc_set_debugreg(6, 0));
    CHECK_OK(hc_set_debugreg(7, 0xd0001)); /* L0, write, 8 bytes: 2=10b */
    CHECK_FAULT(*word = 1, VEC_DB);
    CHECK_EQ(hc_get_debugreg(6) & 0xf, 1);
    CHECK_NO_FAULT((void)*word);
    CHECK_OK(hc_set_debugreg(7, 0));
    CHECK_NO_FAULT(*word = 2);
}

static void ignore(struct regs *regs)
{
    (void)regs;
}

/* The hypervisor's own accesses to our memory may meet our watchpoint. */
TEST(watchpoint_met_by_the_hypervisor)
{
    struct xen_feature_info *info = page_get();

    trap_handler_set(VEC_DB, ignore);
    CHECK_OK(hc_set_debugreg(0, (ulong)info));
    CHECK_OK(hc_set_debugreg(6, 0));
    CHECK_OK(hc_set_debugreg(7, 0xf0001)); /* L0, read or write, 4 bytes */
    CHECK_OK(hc_xen_version(XENVER_get_features, info));
    CHECK_OK(hc_set_debugreg(7, 0));
    CHECK(info->submap != 0);
    trap_handler_set(VEC_DB, NULL);
}

/* Nor may it step through the hypervisor. */
TEST(trap_flag_over_a_hypercall)
{
    long rc = 0;

    trap_handler_set(VEC_DB, ignore);
    asm volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tsyscall\n\t"
                 "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
                 : "=a"(rc)
                 : "0"((long)__HYPERVISOR_xen_version), "D"(0), "S"(0)
                 : "rcx", "r11", "rdx", "r8", "r9", "r10", "memory", "cc");
    CHECK_EQ(rc, (4 << 16) | 17);
    trap_handler_set(VEC_DB, NULL);
}

/*
 * One instruction that is stepped and hits a watchpoint: some machines deliver
 * the two debug traps one upon the other. Nobody may come to harm, and what
 * the kernel counts stays right.
 */
static volatile unsigned debug_traps;
static volatile ulong debug_rip_first, debug_rip_last;

static void count_debug_trap(struct regs *regs)
{
    if (!debug_traps++)
        debug_rip_first = regs->rip;
    debug_rip_last = regs->rip;
}

static ulong step_over_watched(volatile u64 *word, ulong *before)
{
    ulong after;

    asm volatile("lea 1f(%%rip), %0\n\tmov %0, %1\n\t"
                 "lea 2f(%%rip), %0\n\t"
                 "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n"
                 "1:\tmovq $5, %2\n"
                 "2:\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
                 : "=&r"(after), "=&r"(*before), "=m"(*word)
                 :
                 : "memory", "cc");
    return after;
}

TEST(step_over_a_watchpoint)
{
    volatile u64 *word = page_get();
    ulong before, after;

    if (on_reference)
        SKIP("the reference loops for ever in its #DB handler");
    trap_handler_set(VEC_DB, count_debug_trap);
    CHECK_OK(hc_set_debugreg(0, (ulong)word));
    CHECK_OK(hc_set_debugreg(6, 0));
    CHECK_OK(hc_set_debugreg(7, 0xd0001)); /* L0, write, 8 bytes */
    for (unsigned i = 0; i < 100; i++) {
        debug_traps = 0;
        after = step_over_watched(word, &before);
        CHECK_EQ(debug_rip_first, after);
        CHECK(debug_traps >= 4 && debug_traps <= 5);
    }
    CHECK_OK(hc_set_debugreg(7, 0));
    trap_handler_set(VEC_DB, NULL);
}

/*
 * A processor holds back the trap of a watched MOV SS until the instruction
 * after it is done: that one enters the hypervisor, which then meets the trap
 * where it has no stack yet. (QEMU does not hold it back, and has no INT1.)
 */
#define AFTER_WATCHED_MOV_SS(insn)                                      \
    ({                                                                  \
        long rc_;                                                       \
        asm volatile("movw (%5), %%ss\n\t" insn                         \
                     : "=a"(rc_)                                        \
                     : "0"((long)__HYPERVISOR_xen_version), "D"(0),     \
                       "S"(0), "d"(0), "r"(word)                        \
                     : "rcx", "r11", "r8", "r9", "r10", "memory", "cc"); \
        rc_;                                                            \
    })

TEST(entries_behind_a_watched_mov_ss)
{
    volatile u64 *word = page_get();

    *word = FLAT_KERNEL_SS;
    trap_handler_set(VEC_DB, count_debug_trap);
    trap_handler_set(VEC_BP, ignore);
    CHECK_OK(hc_set_debugreg(0, (ulong)word));
    CHECK_OK(hc_set_debugreg(7, 0xf0001)); /* L0, read or write, 4 bytes */
    debug_traps = 0;
    CHECK_EQ(AFTER_WATCHED_MOV_SS("syscall"), (4 << 16) | 17);
    (void)AFTER_WATCHED_MOV_SS("int3");
    CHECK_FAULT((void)AFTER_WATCHED_MOV_SS("int $0x80"), 0x80);
    CHECK(debug_traps >= 1);
    CHECK_OK(hc_set_debugreg(7, 0));
    trap_handler_set(VEC_DB, NULL);
    trap_handler_set(VEC_BP, NULL);
}

TEST(breakpoint)
{
    struct regs r = to_kernel();

    CHECK_OK(hc_set_debugreg(1, (ulong)landing));
    CHECK_OK(hc_set_debugreg(6, 0));
    CHECK_OK(hc_set_debugreg(7, 0x4)); /* L1, execute */
    CHECK_EQ(enter_and_catch(&r), VEC_DB);
    CHECK_EQ(fault.regs.rip, landing);
    CHECK_EQ(hc_get_debugreg(6) & 0xf, 2);
    CHECK_OK(hc_set_debugreg(7, 0));
    CHECK_EQ(enter_and_catch(&r), VEC_UD);
}

/* An event channel to ourselves, pending and unmasked when asked. */
static evtchn_port_t own_ipi(void)
{
    static evtchn_port_t port;
    struct evtchn_bind_ipi bind = { .vcpu = 0 };

    if (!port) {
        CHECK_OK(hc_event_channel_op(EVTCHNOP_bind_ipi, &bind));
        port = bind.port;
    }
    return port;
}

static void notify(evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };
    CHECK_OK(hc_event_channel_op(EVTCHNOP_send, &send));
}

static void forget(evtchn_port_t port)
{
    shared_info->evtchn_pending[port / 64] &= ~(1UL << (port % 64));
    vcpu0()->evtchn_pending_sel = 0;
    vcpu0()->evtchn_upcall_pending = 0;
}

TEST(upcall_when_open)
{
    evtchn_port_t port = own_ipi();
    ulong before = upcalls;

    vcpu0()->evtchn_upcall_mask = 0;
    notify(port);
    CHECK_EQ(upcalls, before + 1);
    CHECK_EQ(vcpu0()->evtchn_pending_sel, 1UL << (port / 64));
    CHECK(shared_info->evtchn_pending[port / 64] & (1UL << (port % 64)));
    /* After the upcall it is open again. */
    CHECK_EQ(vcpu0()->evtchn_upcall_mask, 0);
    vcpu0()->evtchn_upcall_mask = 1;
    forget(port);
}

TEST(upcall_waits_for_the_mask)
{
    evtchn_port_t port = own_ipi();
    ulong before = upcalls;

    notify(port);
    CHECK_EQ(vcpu0()->evtchn_upcall_pending, 1);
    CHECK_EQ(upcalls, before);
    vcpu0()->evtchn_upcall_mask = 0;
    barrier();
    /* Any entry to the hypervisor looks. */
    hc_xen_version(XENVER_version, NULL);
    CHECK_EQ(upcalls, before + 1);
    vcpu0()->evtchn_upcall_mask = 1;
    forget(port);
}

static u64 upcall_cs;
static uint8_t upcall_mask;

static void look_at_upcall(struct regs *regs)
{
    upcall_cs = regs->cs;
    upcall_mask = vcpu0()->evtchn_upcall_mask;
    vcpu0()->evtchn_upcall_pending = 0;
}

TEST(upcall_frame)
{
    evtchn_port_t port = own_ipi();
    trap_handler_t old = trap_handler_set(VEC_EVENT, look_at_upcall);

    vcpu0()->evtchn_upcall_mask = 0;
    notify(port);
    CHECK_EQ(upcall_mask, 1);
    CHECK_EQ((upcall_cs >> 32) & 0xff, 0);
    CHECK_EQ((uint16_t)upcall_cs, FLAT_KERNEL_CS & ~3);
    vcpu0()->evtchn_upcall_mask = 1;
    trap_handler_set(VEC_EVENT, old);
    forget(port);
}

/* An iret with IF set delivers at once. */
TEST(upcall_on_iret)
{
    evtchn_port_t port = own_ipi();
    struct regs r = to_kernel();
    ulong before = upcalls;

    notify(port);
    r.rflags |= FL_IF;
    CHECK_EQ(enter_and_catch(&r), VEC_UD);
    CHECK_EQ(upcalls, before + 1);
    vcpu0()->evtchn_upcall_mask = 1;
    forget(port);
}

/* Out of user mode the mask does not matter to where, only to whether. */
USER_CODE_BLOCK(user_spin, "1: pause\n\tjmp 1b\n");

static void leave_user_mode(struct regs *regs)
{
    vcpu0()->evtchn_upcall_pending = 0;
    catch_throw(regs);
}

TEST(upcall_out_of_user_mode)
{
    struct regs r = user_regs(user_spin_from, user_spin_to);
    evtchn_port_t port = own_ipi();
    trap_handler_t old = trap_handler_set(VEC_EVENT, leave_user_mode);

    notify(port);
    CHECK_EQ(enter_and_catch(&r), VEC_EVENT);
    CHECK_EQ(fault.regs.rip, USER_CODE);
    CHECK_EQ((uint16_t)fault.regs.cs, FLAT_USER_CS);
    vcpu0()->evtchn_upcall_mask = 1;
    trap_handler_set(VEC_EVENT, old);
    forget(port);
}
