/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries from the hypervisor: one stub per exception vector, one each for
 * the event, failsafe, syscall and sysenter callbacks.  The hypervisor leaves
 * rcx and r11 on top of the frame (then, for failsafe, ds es fs gs; or an
 * error code); a stub turns that into `vector, error code, rip ...` and every
 * one goes through trap_dispatch() and leaves by the iret hypercall.
 */
#define IRET_HYPERCALL 23

    .text

    .macro stub_plain name, vector
\name:
    movq (%rsp), %rcx
    movq 8(%rsp), %r11
    movq $0, 8(%rsp)
    movq $\vector, (%rsp)
    jmp trap_common
    .endm

    .macro stub_error name, vector
\name:
    popq %rcx
    popq %r11
    pushq $\vector
    jmp trap_common
    .endm

    .altmacro
    .macro vector_stub n
    .if (\n == 8) || ((\n >= 10) && (\n <= 14)) || (\n == 17) || (\n == 21)
    stub_error vector_\n, \n
    .else
    stub_plain vector_\n, \n
    .endif
    .endm

    .set i, 0
    .rept 256
    vector_stub %i
    .set i, i + 1
    .endr

    .globl event_entry, failsafe_entry
    .globl syscall_entry, sysenter_entry, syscall32_entry, nmi_entry
    stub_plain event_entry, 256
    stub_plain syscall_entry, 258
    stub_plain sysenter_entry, 259
    stub_plain syscall32_entry, 260
    stub_plain nmi_entry, 261
failsafe_entry:
    popq %rcx
    popq %r11
    addq $24, %rsp          /* ds es fs; gs becomes the error code */
    pushq $257
    jmp trap_common

trap_common:
    cld
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    movq %rsp, %rbp
    andq $-16, %rsp
    call trap_dispatch
    movq %rbp, %rsp
    .globl trap_return
trap_return:                /* rsp: struct regs */
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    addq $16, %rsp
    pushq $0                /* struct iret_context: flags rcx r11 rax */
    pushq %rcx
    pushq %r11
    pushq %rax
    movl $IRET_HYPERCALL, %eax
    syscall
    ud2

    /* int catch_save(struct catch *): 0, and again 1 after a fault */
    .globl catch_save
catch_save:
    movq %rbx, 0x00(%rdi)
    movq %rbp, 0x08(%rdi)
    movq %r12, 0x10(%rdi)
    movq %r13, 0x18(%rdi)
    movq %r14, 0x20(%rdi)
    movq %r15, 0x28(%rdi)
    leaq 8(%rsp), %rax
    movq %rax, 0x30(%rdi)
    movq (%rsp), %rax
    movq %rax, 0x38(%rdi)
    xorl %eax, %eax
    ret

    /* void regs_enter(const struct regs *): leave by the iret hypercall */
    .globl regs_enter
regs_enter:
    movq %rdi, %rsp
    jmp trap_return

    .section .rodata
    .balign 8
    .globl vector_stubs
vector_stubs:
    .macro vector_address n
    .quad vector_\n
    .endm
    .set i, 0
    .rept 256
    vector_address %i
    .set i, i + 1
    .endr
    .section .note.GNU-stack, "", @progbits
