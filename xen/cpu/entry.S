/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way into the hypervisor and back to a guest.
 *
 * Stack: one per CPU (hv/percpu.h).  An entry from a guest leaves a complete
 * struct cpu_user_regs at its top (cpu_info.guest_regs); an entry from the
 * hypervisor itself pushes one below.  GS is never used by the hypervisor:
 * SWAPGS is only done to change between guest user and guest kernel mode.
 *
 * System calls: SYSCALL from guest user mode is handed to the guest kernel's
 * registered entry, and the iret hypercall taken back, here, with no C, no
 * lock and four scratch values.  Interrupts stay off on these two ways, so
 * nothing can become pending that would have to be looked at.
 *
 * Frame on the guest kernel's stack (ABI, xen.h "callbacks" and
 * arch-x86/xen-x86_64.h), from the top of stack upwards:
 *   rcx, r11, [error code], rip, cs | saved upcall mask << 32, rflags, rsp, ss
 */
#include <hv/asm-offsets.h>
#include <hv/layout.h>
#include <hv/x86.h>
#include <xen/xen.h>

#define NR_STUBS 64

/* SMAP: become stac/clac at boot where the CPU has it; else no-ops. */
#define USER_ACCESS_BEGIN 771: .byte 0x0f, 0x1f, 0x00; \
    .pushsection .smap_patch, "a"; .long 771b - .; .long 0xcb; .popsection
#define USER_ACCESS_END 772: .byte 0x0f, 0x1f, 0x00; \
    .pushsection .smap_patch, "a"; .long 772b - .; .long 0xca; .popsection

#define FIXUP(insn, target) \
    .pushsection .ex_table, "a"; .long insn - ., target - .; .popsection

/* What a guest never carries into its kernel: see the rflags rules above. */
#define FLAGS_CLEARED (X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | \
    X86_EFLAGS_NT | X86_EFLAGS_IOPL | X86_EFLAGS_DF | X86_EFLAGS_TF)

#define TRAP_SYSCALL 0x100 /* entry_vector: SYSRET may be used to go back */

    .cfi_sections .debug_frame
    .text

/*
 * For gdb's backtraces (DWARF registers: System V ABI, AMD64 supplement, figure
 * 3.36): from here to CFI_END, rsp points to a complete cpu_user_regs, and the
 * caller is what was interrupted, of the hypervisor or of a guest.
 */
.macro CFI_REGS called=0
    .cfi_startproc simple
    .if !\called
    .cfi_signal_frame               /* between any two instructions */
    .endif
    .cfi_def_cfa rsp, UREGS_rip + 40
    .set i, 0
    .irp reg, r15,r14,r13,r12,rbp,rbx,r11,r10,r9,r8,rax,rcx,rdx,rsi,rdi
    .cfi_offset \reg, i - (UREGS_rip + 40)
    .set i, i + 8
    .endr
    .cfi_offset rip, -40
    .cfi_offset 49, -24                 /* rflags */
    .cfi_offset rsp, -16
.endm

.macro CFI_END                      /* not right behind a call */
    .cfi_endproc
.endm

.macro SAVE_REST            /* all but what is above rdi */
    push    %rdi
    push    %rsi
    push    %rdx
    push    %rcx
    push    %rax
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
.endm

.macro RESTORE_REST
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rax
    pop     %rcx
    pop     %rdx
    pop     %rsi
    pop     %rdi
.endm

/* ------------------------------------------------------------------ */
/* SYSCALL leaves the guest's rsp in rsp: a stub per CPU finds the stack. */

.macro SYSCALL_STUBS name, entry
    .align 64
    .globl \name
\name:
    .set i, 0
    .rept NR_STUBS
    .align 32
    mov     %rsp, syscall_slots + i * 16(%rip)
    mov     syscall_slots + i * 16 + 8(%rip), %rsp
    push    $GUEST_SS
    push    syscall_slots + i * 16(%rip)
    jmp     \entry
    .set i, i + 1
    .endr
.endm

    SYSCALL_STUBS syscall_stubs, syscall_entry
    SYSCALL_STUBS syscall_stubs_compat, syscall_entry_compat

/* From here on, offsets into guest_regs count from rsp = &guest_regs.rip - 8 */
#define FRAME(field) (UREGS_##field - UREGS_error_code)(%rsp)
#define CURRENT (INFO_current - UREGS_error_code)(%rsp)

    .align 64
syscall_entry:
    push    %r11
    push    $GUEST_CS64
    push    %rcx
    push    $0
    mov     CURRENT, %rcx
    cmpb    $0, V_in_kernel(%rcx)
    jne     hypercall_entry

    /* Guest user mode: into the guest kernel. rcx: vcpu; r11, rax: scratch. */
.Lhook_syscall:
    mov     %rax, FRAME(error_code)
    cmpq    $0, V_syscall(%rcx)
    je      syscall_slow
    mov     V_kernel_sp(%rcx), %r11
    mov     V_cr3_kernel(%rcx), %rax
    and     $~0xf, %r11
    mov     %rax, %cr3
    swapgs
    movb    $1, V_in_kernel(%rcx)
    USER_ACCESS_BEGIN
.Lsc0:
    movq    $GUEST_SS, -8(%r11)
    mov     FRAME(rsp), %rax
.Lsc1:
    mov     %rax, -16(%r11)
    mov     FRAME(rip), %rax
.Lsc2:
    mov     %rax, -32 - 8(%r11)
.Lsc3:
    mov     %rax, -56(%r11)
    mov     V_info(%rcx), %rax
    push    %rdx
    movzbl  VI_mask(%rax), %edx         /* saved mask */
    mov     V_syscall_mask(%rcx), %dh
    or      %dh, VI_mask(%rax)
    xor     %dh, %dh
    mov     8 + FRAME(rflags), %rax
.Lsc4:
    mov     %rax, -48(%r11)
    test    %edx, %edx
    jnz     2f
1:
.Lsc5:
    mov     %rax, -24(%r11)
    shl     $32, %rdx
    or      $GUEST_CS64, %rdx
.Lsc6:
    mov     %rdx, -32(%r11)
    USER_ACCESS_END
    pop     %rdx
    and     $~FLAGS_CLEARED, %eax
    or      $X86_EFLAGS_IF, %eax
    mov     V_syscall(%rcx), %rcx
    push    %r11
    mov     %rax, %r11
    mov     8 + FRAME(error_code), %rax
    pop     %rsp
    sub     $56, %rsp
    sysretq
2:  and     $~X86_EFLAGS_IF, %rax       /* rflags.IF = !saved mask */
    jmp     1b

    FIXUP(.Lsc0, syscall_fault)
    FIXUP(.Lsc1, syscall_fault)
    FIXUP(.Lsc2, syscall_fault)
    FIXUP(.Lsc3, syscall_fault)
    FIXUP(.Lsc4, syscall_fault_rdx)
    FIXUP(.Lsc5, syscall_fault_rdx)
    FIXUP(.Lsc6, syscall_fault_rdx)

/* The guest kernel's stack is not there: the C way says why, and crashes it. */
syscall_fault_rdx:
    pop     %rdx
syscall_fault:
    USER_ACCESS_END
    mov     FRAME(error_code), %rax
    mov     FRAME(rip), %rcx
    mov     FRAME(rflags), %r11
    movq    $0, FRAME(error_code)
    SAVE_REST
    call    pv_syscall_stack_bad
    jmp     guest_exit

syscall_slow:
    mov     FRAME(error_code), %rax
    movq    $0, FRAME(error_code)
    SAVE_REST
    call    pv_syscall_unregistered
    jmp     guest_exit

/* From .Lhook_syscall, if the debugger wants to see the system call. */
.Lredirect_syscall:
    mov     FRAME(rip), %rcx
    mov     FRAME(rflags), %r11
    movq    $0, FRAME(error_code)
    SAVE_REST
    call    pdb_syscall_caught
    jmp     guest_exit

syscall_entry_compat:                   /* 32-bit SYSCALL (AMD) */
    push    %r11
    push    $GUEST_CS32
    push    %rcx
    push    $0
    SAVE_REST
    mov     %rsp, %rdi
    call    pv_syscall_compat
    jmp     guest_exit

    .align 16
    .globl sysenter_entry
sysenter_entry:                         /* rsp from MSR_SYSENTER_ESP */
    push    $GUEST_SS
    push    $0
    pushfq
    push    $GUEST_CS32
    push    $0
    push    $0
    SAVE_REST
    /* SYSENTER clears IF only: no DF for our C, no NT for our IRET, no AC. */
    push    $2
    popfq
    mov     %rsp, %rdi
    call    pv_sysenter
    jmp     guest_exit

/* ------------------------------------------------------------------ */
/* Hypercalls: SYSCALL from guest kernel mode, number in eax. rcx: vcpu. */

    .align 64
hypercall_entry:
    cmp     $__HYPERVISOR_iret, %eax
    je      iret_entry
    movl    $TRAP_SYSCALL, 4 + FRAME(error_code)
    mov     FRAME(rip), %rcx
    SAVE_REST
    CFI_REGS called=1
    sti
.Lhook_hypercall:
    mov     %r10, %rcx
    mov     %eax, %eax
    cmp     $NR_HYPERCALL_SLOTS, %rax
    jae     1f
    sbb     %r11, %r11                  /* all ones: also under speculation */
    and     %r11, %rax
    lea     hypercall_table(%rip), %r11
    call    *(%r11, %rax, 8)
.Lhook_hypercall_return:
    mov     %rax, UREGS_rax(%rsp)

    /* Nothing to do and back by SYSRET: what C preserves is still there. */
    cli
    mov     INFO_percpu(%rsp), %rax
    lea     per_cpu__softirq_pending(%rip), %rcx
    cmpl    $0, (%rcx, %rax)
    jne     guest_exit
    mov     INFO_current(%rsp), %rax
    mov     UREGS_rip(%rsp), %rcx
    mov     V_info(%rax), %rax
    cmpb    $0, VI_pending(%rax)
    jne     guest_exit
    /* It came from a canonical address two bytes lower: this is the only one
     * that SYSRET would fault on. */
    shr     $47, %rcx
    cmp     $1, %ecx
    je      guest_exit
    testb   $(TRAP_SYSCALL >> 8), UREGS_vector + 1(%rsp)
    jz      guest_exit
    CFI_END
    add     $UREGS_r11, %rsp
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rax
    pop     %rcx
    pop     %rdx
    pop     %rsi
    pop     %rdi
    mov     FRAME(rip), %rcx
    mov     FRAME(rflags), %r11
    mov     FRAME(rsp), %rsp
    sysretq
1:  movq    $-38, UREGS_rax(%rsp)       /* -ENOSYS */
    jmp     guest_exit

/*
 * The iret hypercall: struct iret_context at the guest's rsp. Back to guest
 * user or kernel mode as the RPL of its cs says.
 */
    .align 64
iret_entry:
    mov     FRAME(rsp), %r11
    mov     %r11, %rax
    shr     $43, %rax
    cmp     $(HV_VIRT_START >> 43), %rax
    je      iret_bad
    USER_ACCESS_BEGIN
.Lir0:
    mov     64(%r11), %rax              /* ss */
    or      $3, %eax
    mov     %rax, FRAME(ss)
.Lir1:
    mov     56(%r11), %rax
    mov     %rax, FRAME(rsp)
.Lir2:
    mov     32(%r11), %rax
    mov     %rax, FRAME(rip)
    push    %rdx                        /* word 3: VGCF_*, no news for us */
.Lir4:
    mov     48(%r11), %rax
    mov     V_info(%rcx), %rdx
    bt      $9, %eax
    setnc   VI_mask(%rdx)
    and     $~(X86_EFLAGS_IOPL | X86_EFLAGS_VM | \
               X86_EFLAGS_VIF | X86_EFLAGS_VIP), %eax
    or      $X86_EFLAGS_IF, %eax
    mov     %rax, 8 + FRAME(rflags)
.Lir5:
    mov     40(%r11), %rax              /* cs */
    movzwl  %ax, %edx
    or      $3, %edx
    mov     %rdx, 8 + FRAME(cs)
    not     %eax
    test    $3, %al
    mov     V_info(%rcx), %rdx
.Lir6:
    mov     16(%r11), %rax              /* rcx */
    mov     %rax, 8 + FRAME(error_code)
.Lir7:
    mov     0(%r11), %rax
.Lir8:
    mov     8(%r11), %r11
    USER_ACCESS_END
    jnz     1f
    /* To guest user mode. */
    push    %rax
    mov     V_cr3_user(%rcx), %rax
    test    %rax, %rax
    jz      iret_without_tables
    movb    $0, V_in_kernel(%rcx)
    mov     %rax, %cr3
    swapgs
    pop     %rax
1:
.Lhook_sysret:
    cmpw    $0, VI_pending(%rdx)        /* pending, mask: both clear? */
    jne     2f
3:  pop     %rdx
    pop     %rcx
.Lir_iret:
    iretq
    FIXUP(.Lir_iret, iret_to_guest_faulted)
2:  cmpb    $0, VI_mask(%rdx)
    jne     3b                          /* masked */
    pop     %rdx
    mov     FRAME(error_code), %rcx
    movq    $0, FRAME(error_code)
    SAVE_REST
    jmp     guest_exit

/* From .Lhook_sysret, if the debugger wants to see where it goes. */
.Lredirect_sysret:
    pop     %rdx
    mov     FRAME(error_code), %rcx
    movq    $0, FRAME(error_code)
    SAVE_REST
    call    pdb_sysret_caught
    jmp     guest_exit

    FIXUP(.Lir0, iret_bad)
    FIXUP(.Lir1, iret_bad)
    FIXUP(.Lir2, iret_bad)
    FIXUP(.Lir4, iret_bad_rdx)
    FIXUP(.Lir5, iret_bad_rdx)
    FIXUP(.Lir6, iret_bad_rdx)
    FIXUP(.Lir7, iret_bad_rdx)
    FIXUP(.Lir8, iret_bad_rdx)

iret_without_tables:
    pop     %rax
    pop     %rdx
    mov     FRAME(error_code), %rcx
    movq    $0, FRAME(error_code)
    SAVE_REST
    call    pv_iret_without_tables
    jmp     guest_exit

iret_bad_rdx:
    pop     %rdx
iret_bad:
    USER_ACCESS_END
    SAVE_REST
    call    pv_iret_frame_bad
    jmp     guest_exit

/* ------------------------------------------------------------------ */
/* The way out: softirqs, events, then the guest in guest_regs. */

    .align 64
    .globl return_to_guest
return_to_guest:
    or      $0x7fff, %rsp               /* STACK_SIZE - 1 */
    sub     $INFO_size - 1, %rsp
guest_exit:                             /* rsp = &guest_regs */
    CFI_REGS
    cli
    mov     INFO_percpu(%rsp), %rax
    lea     per_cpu__softirq_pending(%rip), %rcx
    mov     INFO_current(%rsp), %rbx
    cmpl    $0, (%rcx, %rax)
    jne     run_softirqs
    mov     V_info(%rbx), %rax
    cmpb    $0, VI_pending(%rax)
    jne     check_event
restore_guest:
    testb   $(TRAP_SYSCALL >> 8), UREGS_vector + 1(%rsp)
    jz      1f
    mov     UREGS_rip(%rsp), %rcx
    mov     %rcx, %rax
    shl     $16, %rax
    sar     $16, %rax
    cmp     %rcx, %rax                  /* SYSRET faults in ring 0 otherwise */
    jne     1f
    CFI_END
    RESTORE_REST
    mov     FRAME(rip), %rcx
    mov     FRAME(rflags), %r11
    mov     FRAME(rsp), %rsp
    sysretq
1:  RESTORE_REST
    add     $8, %rsp
    .globl iret_to_guest
iret_to_guest:
    iretq
.Lguest_exit_end:
    FIXUP(iret_to_guest, iret_to_guest_faulted)

run_softirqs:
    CFI_REGS
    sti
    call    do_softirq
    jmp     guest_exit

check_event:
    cmpb    $0, VI_mask(%rax)
    jne     restore_guest
    call    pv_deliver_event
    jmp     restore_guest
    CFI_END

/* IRETQ to the guest's selectors or address faulted: all registers are live. */
iret_to_guest_faulted:
    push    $0
    SAVE_REST
    mov     %rsp, %rdi
    call    pv_iret_faulted
    jmp     guest_exit

/* ------------------------------------------------------------------ */
/* Exceptions and interrupts. */

.macro EXCEPTION name, vec, has_error
    .align 16
\name:
    .if !\has_error
    push    $0
    .endif
    movl    $\vec, 4(%rsp)
    jmp     exception_common
.endm

    EXCEPTION exc_de, X86_EXC_DE, 0
    EXCEPTION exc_bp, X86_EXC_BP, 0
    EXCEPTION exc_of, X86_EXC_OF, 0
    EXCEPTION exc_br, X86_EXC_BR, 0
    EXCEPTION exc_ud, X86_EXC_UD, 0
    EXCEPTION exc_nm, X86_EXC_NM, 0
    EXCEPTION exc_ts, X86_EXC_TS, 1
    EXCEPTION exc_np, X86_EXC_NP, 1
    EXCEPTION exc_ss, X86_EXC_SS, 1
    EXCEPTION exc_gp, X86_EXC_GP, 1
    EXCEPTION exc_mf, X86_EXC_MF, 0
    EXCEPTION exc_ac, X86_EXC_AC, 1
    EXCEPTION exc_xm, X86_EXC_XM, 0
    EXCEPTION exc_int80, 0x80, 0

    .align 64
exc_pf:
    movl    $X86_EXC_PF, 4(%rsp)
exception_common:
    SAVE_REST
exception_saved:
    CFI_REGS
    USER_ACCESS_END
    cld
    mov     %rsp, %rdi
    testb   $3, UREGS_cs(%rsp)
    jz      exception_hv
    call    *guest_trap_handler(%rip)
    jmp     guest_exit
exception_hv:
    call    do_hv_trap
    nop                                 /* where it returns to, for CFI_END */
    CFI_END
return_to_hv:
    RESTORE_REST
    add     $8, %rsp
    iretq

    .align 64
irq_common:
    SAVE_REST
    CFI_REGS
    USER_ACCESS_END
    cld
    mov     %rsp, %rdi
    testb   $3, UREGS_cs(%rsp)
    jz      1f
    call    do_irq
    jmp     guest_exit
1:  call    do_irq
    jmp     return_to_hv
    CFI_END

/* Vectors 0x20-0xff but 0x80, 16 bytes each. */
    .align 16
    .globl irq_stubs
irq_stubs:
    .set i, 0x20
    .rept 0x100 - 0x20
    .align 16
    push    $0
    movb    $i, 4(%rsp)
    jmp     irq_common
    .set i, i + 1
    .endr

/*
 * bool cpu_nap(void): sti, hlt, cli. An interrupt whose gate leads to one of
 * the entries below ends it without iret, which would let NMIs in if the CPU
 * naps in the handler of one. True: it was VECTOR_WAKE, and wants an EOI.
 * An NMI between sti and hlt takes the interrupt shadow with it: behind it the
 * interrupt may come before the hlt. A guest may jump to any address, and be
 * interrupted before that faults: cs tells.
 */
    .globl cpu_nap
cpu_nap:
    xor     %eax, %eax
    sti
    hlt                                 /* one byte */
nap_over:
    cli
    ret

.macro NAP_ENTRY name, vec, woken
    .globl \name
\name:
    testb   $3, 8(%rsp)                 /* cs */
    jnz     irq_stubs + (\vec - 0x20) * 16
    push    %rax
    lea     nap_over(%rip), %rax
    sub     8(%rsp), %rax               /* rip: 1 before hlt, 0 behind it */
    cmp     $1, %rax
    pop     %rax
    ja      irq_stubs + (\vec - 0x20) * 16
    mov     $\woken, %eax
    mov     24(%rsp), %rsp
    jmp     nap_over
.endm
    NAP_ENTRY wake_entry, VECTOR_WAKE, 1
    NAP_ENTRY spurious_entry, VECTOR_SPURIOUS, 0

/* On their own stacks: the interrupted code may be anywhere. */
.macro IST_ENTRY name, vec, has_error, handler
    .align 16
\name:
    .if !\has_error
    push    $0
    .endif
    movl    $\vec, 4(%rsp)
    SAVE_REST
    CFI_REGS
    USER_ACCESS_END
    cld
    mov     %rsp, %rdi
    call    \handler
    nop
    CFI_END
    RESTORE_REST
    add     $8, %rsp
    iretq
.endm

/*
 * #DB comes on a stack of its own (hv/percpu.h). From a guest the frame moves
 * to the ordinary stack and goes on like any other exception.
 */
    .align 16
exc_db:
    push    $0
    movl    $X86_EXC_DB, 4(%rsp)
    testb   $3, 8 + 8(%rsp)
    jz      1f
    push    %rax
    push    %rcx
    mov     %rsp, %rax
    or      $0x7fff, %rsp               /* as in return_to_guest */
    sub     $INFO_size - 1 - UREGS_es, %rsp
    pushq   16 + 40(%rax)               /* ss */
    pushq   16 + 32(%rax)
    pushq   16 + 24(%rax)
    pushq   16 + 16(%rax)
    pushq   16 + 8(%rax)                /* rip */
    pushq   16(%rax)                    /* error code, vector */
    mov     (%rax), %rcx
    mov     8(%rax), %rax
    SAVE_REST
    jmp     exception_saved
1:  SAVE_REST
.Ldb_saved:
    CFI_REGS
    USER_ACCESS_END
    cld
    mov     %rsp, %rdi
    call    do_hv_trap
    jmp     return_to_hv
    CFI_END

    IST_ENTRY exc_nmi, X86_EXC_NMI, 0, do_nmi
    IST_ENTRY exc_df, X86_EXC_DF, 1, do_double_fault
    IST_ENTRY exc_mc, X86_EXC_MC, 0, do_machine_check

/* ------------------------------------------------------------------ */

    .section .rodata
    .align 8
    .globl exception_entries
exception_entries:                      /* by vector; 0: reserved */
    .quad   exc_de, exc_db, exc_nmi, exc_bp, exc_of, exc_br, exc_ud, exc_nm
    .quad   exc_df, 0, exc_ts, exc_np, exc_ss, exc_gp, exc_pf, 0
    .quad   exc_mf, exc_ac, exc_mc, exc_xm
    .globl int80_entry
int80_entry:
    .quad   exc_int80
    .globl pdb_entry_places
pdb_entry_places:                       /* debug/pdb-hook.h, PDB_PLACE_* */
    .quad   .Lhook_hypercall, .Lhook_hypercall_return
    .quad   .Lhook_syscall, .Lhook_sysret
    .quad   .Lredirect_syscall, .Lredirect_sysret

    .globl db_entry_range, guest_exit_range
db_entry_range:                         /* first, behind the last */
    .quad   exc_db, .Ldb_saved
guest_exit_range:
    .quad   guest_exit, .Lguest_exit_end

    .data
    .align 64
    .globl syscall_slots
syscall_slots:                          /* per CPU: guest rsp, our stack top */
    .fill   NR_STUBS * 16, 1, 0

    .section .note.GNU-stack, "", @progbits
