/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ELF notes (numbers: <xen/elfnote.h>) and the first instructions of a
 * tiny kernel.  Every register is saved as the domain builder left it before
 * anything else happens, for the tests of the state at entry.
 */
#include <xen/elfnote.h>

    .macro note_string type, text
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  .asciz "\text"
2:  .balign 4
    .endm

    .macro note_number type, value
    .long 4, 8, \type
    .asciz "Xen"
    .quad \value
    .endm

    .section .note.xen, "a", @note
    note_string XEN_ELFNOTE_GUEST_OS, "tiny"
    note_string XEN_ELFNOTE_GUEST_VERSION, "1"
    note_string XEN_ELFNOTE_XEN_VERSION, "xen-3.0"
    note_string XEN_ELFNOTE_LOADER, "generic"
    note_string XEN_ELFNOTE_PAE_MODE, "yes"
    note_string XEN_ELFNOTE_FEATURES, "!writable_page_tables"
    note_number XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000000
    note_number XEN_ELFNOTE_PADDR_OFFSET, 0
    note_number XEN_ELFNOTE_ENTRY, _start
    note_number XEN_ELFNOTE_HYPERCALL_PAGE, hypercall_page
#ifdef GUEST_INIT_P2M
    note_number XEN_ELFNOTE_INIT_P2M, GUEST_INIT_P2M
#endif

    .section .text.head, "ax", @progbits
    .globl _start, hypercall_page
_start:
    mov %rax, entry_state + 0x00(%rip)
    mov %rbx, entry_state + 0x08(%rip)
    mov %rcx, entry_state + 0x10(%rip)
    mov %rdx, entry_state + 0x18(%rip)
    mov %rsi, entry_state + 0x20(%rip)
    mov %rdi, entry_state + 0x28(%rip)
    mov %rbp, entry_state + 0x30(%rip)
    mov %rsp, entry_state + 0x38(%rip)
    mov %ds, entry_state + 0x40(%rip)
    mov %es, entry_state + 0x42(%rip)
    mov %fs, entry_state + 0x44(%rip)
    mov %gs, entry_state + 0x46(%rip)
    mov %cs, entry_state + 0x48(%rip)
    mov %ss, entry_state + 0x4a(%rip)
    pushfq
    popq entry_state + 0x50(%rip)
    mov %rsi, start_info(%rip)
    lea boot_stack_top(%rip), %rsp
    xor %ebp, %ebp
    call guest_main
1:  jmp 1b

    .balign 4096
hypercall_page:
    .skip 4096, 0xcc

    .bss
    .balign 4096
    .skip 32768
boot_stack_top:
    .globl trap_stack_top
    .skip 32768
trap_stack_top:
    .section .note.GNU-stack, "", @progbits
