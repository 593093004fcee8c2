/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypercall table itself: holes, numbers beyond it, multicall. */
#include "guest.h"

/* Of <xen/xen.h>: never given out, or meant for other machines. */
TEST(call_holes)
{
    static const unsigned holes[] = { 11, 43, 44, 45, 46, 47 };

    for (unsigned i = 0; i < ARRAY_SIZE(holes); i++)
        CHECK_ERR(hypercall(holes[i], 0, 0, 0, 0, 0), -XEN_ENOSYS);
}

TEST(call_beyond_table)
{
    static const unsigned numbers[] = { 56,         63,         64,        127,
                                        128,        255,        256,       1000,
                                        0x7fffffff, 0x80000000, 0xffffffff };

    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
        CHECK_ERR(hypercall(numbers[i], 0, 0, 0, 0, 0), -XEN_ENOSYS);
}

TEST(call_upper_half_of_number)
{
    long ret;

    /* The number is all of eax; what is above it must do no harm. */
    asm volatile("syscall"
                 : "=a"(ret)
                 : "0"(0x100000000UL | 1000), "D"(0), "S"(0)
                 : "rcx", "r11", "rdx", "r8", "r9", "r10", "memory");
    CHECK_ERR(ret, -XEN_ENOSYS);
}

TEST(call_not_offered)
{
    CHECK_ERR(hypercall(__HYPERVISOR_tmem_op, 0, 0, 0, 0, 0), -XEN_ENOSYS);
    CHECK_ERR(hypercall(__HYPERVISOR_xenoprof_op, 0, 0, 0, 0, 0),
              DIFFERS(-XEN_ENOSYS, -XEN_EFAULT, "we have no profiler"));
}

/* Known numbers of which domain 0 needs nothing here: whatever they answer to
 * nonsense, it is an error. */
TEST(call_nonsense_is_refused)
{
    static const unsigned calls[] = {
        __HYPERVISOR_xsm_op, __HYPERVISOR_hvm_op,    __HYPERVISOR_argo_op,
        __HYPERVISOR_dm_op,  __HYPERVISOR_xenpmu_op, __HYPERVISOR_hypfs_op,
        __HYPERVISOR_arch_1, __HYPERVISOR_arch_2,    __HYPERVISOR_arch_3,
        __HYPERVISOR_arch_4, __HYPERVISOR_arch_5,    __HYPERVISOR_arch_6,
        __HYPERVISOR_arch_7,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        long rc = hypercall(calls[i], 9999, A(UNMAPPED_VA), A(UNMAPPED_VA), 0,
                            0);
        CHECK(rc < 0 && rc > -200);
    }
}

/* Only ax, rcx and r11 change over a hypercall. */
TEST(call_keeps_registers)
{
    u64 in[6] = { 0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666 }, out[6];
    u64 rbp = 0x777;

    asm volatile("push %%rbp\n\tmov 0(%2), %%rbx\n\tmov 8(%2), %%r12\n\t"
                 "mov 16(%2), %%r13\n\tmov 24(%2), %%r14\n\t"
                 "mov 32(%2), %%r15\n\tmov 40(%2), %%rbp\n\t"
                 "push %1\n\tpush %2\n\tsyscall\n\tpop %2\n\tpop %1\n\t"
                 "mov %%rbx, 0(%1)\n\tmov %%r12, 8(%1)\n\t"
                 "mov %%r13, 16(%1)\n\tmov %%r14, 24(%1)\n\t"
                 "mov %%r15, 32(%1)\n\tmov %%rbp, 40(%1)\n\tpop %%rbp"
                 : "+a"(rbp)
                 : "r"(out), "r"(in), "D"(0), "S"(0)
                 : "rbx", "rcx", "r11", "r12", "r13", "r14", "r15", "memory");
    CHECK_EQ(memcmp(in, out, sizeof(in)), 0);
}

TEST(call_direction_flag_is_harmless)
{
    long ret;

    asm volatile("std\n\tsyscall\n\tcld"
                 : "=a"(ret)
                 : "0"((long)__HYPERVISOR_xen_version), "D"(0), "S"(0)
                 : "rcx", "r11", "rdx", "r8", "r9", "r10", "memory");
    CHECK_EQ(ret, (4 << 16) | 17);
}

static struct multicall_entry version_entry(void)
{
    struct multicall_entry e = { .op = __HYPERVISOR_xen_version,
                                 .args = { XENVER_version } };
    return e;
}

TEST(multicall_good)
{
    struct multicall_entry calls[3] = { version_entry(), version_entry(),
                                        version_entry() };

    calls[1].op = 1000;
    CHECK_OK(hc_multicall(calls, 3));
    CHECK_EQ(calls[0].result, (4 << 16) | 17);
    CHECK_EQ(calls[1].result, -XEN_ENOSYS);
    CHECK_EQ(calls[2].result, (4 << 16) | 17);
    CHECK_OK(hc_multicall(calls, 0));
}

TEST(multicall_many)
{
    struct multicall_entry *calls = pages_get(4);
    unsigned n = 4 * PAGE_SIZE / sizeof(*calls), wrong = 0;

    for (unsigned i = 0; i < n; i++)
        calls[i] = version_entry();
    CHECK_OK(hc_multicall(calls, n));
    for (unsigned i = 0; i < n; i++)
        wrong += calls[i].result != ((4 << 16) | 17);
    CHECK_EQ(wrong, 0);
}

TEST(multicall_bad_pointer)
{
    CHECK_BAD_POINTERS(sizeof(struct multicall_entry), -XEN_EFAULT,
                       hc_multicall(bad, 1));
}

/* The calls before the bad entry have been done. */
TEST(multicall_runs_off_its_page)
{
    struct multicall_entry *calls = edge(2 * sizeof(*calls));

    calls[0] = calls[1] = version_entry();
    CHECK_ERR(hc_multicall(calls, 3), -XEN_EFAULT);
    CHECK_EQ(calls[0].result, (4 << 16) | 17);
    CHECK_EQ(calls[1].result, (4 << 16) | 17);
}

TEST(multicall_read_only_list)
{
    struct multicall_entry *calls = page_get();

    calls[0] = version_entry();
    CHECK_OK(make_ro(calls));
    CHECK_ERR(hc_multicall(calls, 1), -XEN_EFAULT);
}

TEST(multicall_count_out_of_range)
{
    struct multicall_entry *calls = edge(sizeof(*calls));

    calls[0] = version_entry();
    /* Found out before or after the first call is done. */
    CHECK_ERR(hc_multicall(calls, ~0u), -XEN_EFAULT);
}

/* A multicall inside a multicall is refused, the rest still runs. */
TEST(multicall_nested)
{
    struct multicall_entry inner[1] = { version_entry() };
    struct multicall_entry calls[2] = { version_entry(), version_entry() };

    calls[0].op = __HYPERVISOR_multicall;
    calls[0].args[0] = (ulong)inner;
    calls[0].args[1] = 1;
    inner[0].result = 7;
    CHECK_OK(hc_multicall(calls, 2));
    CHECK_EQ(calls[0].result, -XEN_EINVAL);
    CHECK_EQ(calls[1].result, (4 << 16) | 17);
}
