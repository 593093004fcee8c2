/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets of structure members for assembler; never linked. */
#include <hv/cpu.h>
#include <hv/percpu.h>
#include <hv/vcpu.h>

#define DEFINE(name, value)                                                    \
    __asm__ volatile("\n->" #name " %0" ::"i"((unsigned long)(value)))
#define OFFSET(name, type, member) DEFINE(name, offsetof(type, member))

void asm_offsets(void);

void asm_offsets(void)
{
    OFFSET(UREGS_r15, struct cpu_user_regs, r15);
    OFFSET(UREGS_rbx, struct cpu_user_regs, rbx);
    OFFSET(UREGS_r11, struct cpu_user_regs, r11);
    OFFSET(UREGS_rax, struct cpu_user_regs, rax);
    OFFSET(UREGS_rcx, struct cpu_user_regs, rcx);
    OFFSET(UREGS_rdi, struct cpu_user_regs, rdi);
    OFFSET(UREGS_error_code, struct cpu_user_regs, error_code);
    OFFSET(UREGS_vector, struct cpu_user_regs, entry_vector);
    OFFSET(UREGS_rip, struct cpu_user_regs, rip);
    OFFSET(UREGS_cs, struct cpu_user_regs, cs);
    OFFSET(UREGS_rflags, struct cpu_user_regs, rflags);
    OFFSET(UREGS_rsp, struct cpu_user_regs, rsp);
    OFFSET(UREGS_ss, struct cpu_user_regs, ss);
    OFFSET(UREGS_es, struct cpu_user_regs, es);

    OFFSET(INFO_current, struct cpu_info, current_vcpu);
    OFFSET(INFO_percpu, struct cpu_info, per_cpu_offset);
    DEFINE(INFO_size, sizeof(struct cpu_info));
    /* Where the CPU begins to push: it aligns that to 16 bytes by itself. */
    static_assert((sizeof(struct cpu_info) -
                   offsetof(struct cpu_user_regs, es)) % 16 == 0, "");
    DEFINE(VECTOR_WAKE, VECTOR_WAKE);
    DEFINE(VECTOR_SPURIOUS, VECTOR_SPURIOUS);

    OFFSET(V_cr3_kernel, struct vcpu, pv.cr3_kernel);
    OFFSET(V_cr3_user, struct vcpu, pv.cr3_user);
    OFFSET(V_kernel_sp, struct vcpu, pv.kernel_sp);
    OFFSET(V_info, struct vcpu, pv.info);
    OFFSET(V_syscall, struct vcpu, pv.syscall.address);
    OFFSET(V_syscall_mask, struct vcpu, pv.syscall.mask_events);
    OFFSET(V_in_kernel, struct vcpu, pv.in_kernel);

    OFFSET(VI_pending, struct vcpu_info, evtchn_upcall_pending);
    OFFSET(VI_mask, struct vcpu_info, evtchn_upcall_mask);
}
