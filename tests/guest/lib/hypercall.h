/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypercalls, each by the SYSCALL instruction itself.  Pointers are void:
 * tests pass bad ones on purpose.  Numbers and arguments: <xen/xen.h>.
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

/* rcx and r11 go to the SYSCALL; a debug hypervisor spoils the arguments. */
static inline long hypercall(unsigned nr, long a1, long a2, long a3, long a4,
                             long a5)
{
    register long r10 asm("r10") = a4;
    register long r8 asm("r8") = a5;
    long ret;

    asm volatile("syscall"
                 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                 : "0"((u64)nr)
                 : "rcx", "r11", "r9", "memory");
    return ret;
}

#define A(x) ((long)(x))

#define HC0(name)                                             \
    static inline long hc_##name(void)                        \
    {                                                         \
        return hypercall(__HYPERVISOR_##name, 0, 0, 0, 0, 0); \
    }
#define HC1(name, t1)                                            \
    static inline long hc_##name(t1 a)                           \
    {                                                            \
        return hypercall(__HYPERVISOR_##name, A(a), 0, 0, 0, 0); \
    }
#define HC2(name, t1, t2)                                           \
    static inline long hc_##name(t1 a, t2 b)                        \
    {                                                               \
        return hypercall(__HYPERVISOR_##name, A(a), A(b), 0, 0, 0); \
    }
#define HC3(name, t1, t2, t3)                                          \
    static inline long hc_##name(t1 a, t2 b, t3 c)                     \
    {                                                                  \
        return hypercall(__HYPERVISOR_##name, A(a), A(b), A(c), 0, 0); \
    }
#define HC4(name, t1, t2, t3, t4)                                         \
    static inline long hc_##name(t1 a, t2 b, t3 c, t4 d)                  \
    {                                                                     \
        return hypercall(__HYPERVISOR_##name, A(a), A(b), A(c), A(d), 0); \
    }

HC1(set_trap_table, const void *)
HC4(mmu_update, const void *, u32, void *, u32)
HC2(set_gdt, const void *, u32)
HC2(stack_switch, u64, u64)
HC3(set_callbacks, u64, u64, u64)
HC1(fpu_taskswitch, u32)
HC1(platform_op, void *)
HC2(set_debugreg, u32, u64)
HC1(get_debugreg, u32)
HC2(update_descriptor, u64, u64)
HC2(memory_op, u32, const void *)
HC2(multicall, void *, u32)
HC3(update_va_mapping, u64, u64, u64)
HC1(set_timer_op, u64)
HC2(xen_version, u32, void *)
HC3(console_io, u32, long, const void *)
HC3(grant_table_op, u32, void *, u32)
HC2(vm_assist, u32, u32)
HC4(update_va_mapping_otherdomain, u64, u64, u64, u32)
HC0(iret)
HC3(vcpu_op, u32, u32, void *)
HC2(set_segment_base, u32, u64)
HC4(mmuext_op, const void *, u32, void *, u32)
HC2(nmi_op, u32, void *)
HC2(sched_op, u32, const void *)
HC2(callback_op, u32, const void *)
HC2(event_channel_op, u32, void *)
HC2(physdev_op, u32, void *)
HC1(sysctl, void *)
HC1(domctl, void *)

/* One mmu_update request on our own tables; `where` is address | command. */
static inline long mmu_update1(u64 where, u64 value)
{
    struct mmu_update u = { .ptr = where, .val = value };
    return hc_mmu_update(&u, 1, NULL, DOMID_SELF);
}

/* One mmuext_op; arg1 is an mfn or a linear address, arg2 what cmd says. */
static inline long mmuext1(u32 cmd, u64 arg1, u64 arg2)
{
    struct mmuext_op op = { .cmd = cmd };
    op.arg1.mfn = arg1;
    op.arg2.src_mfn = arg2;
    return hc_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

/* The operation `cmd` on a domain; *op has its arguments and gets the reply. */
static inline long domctl(u32 cmd, domid_t domain, struct xen_domctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domain;
    return hc_domctl(op);
}

#endif
