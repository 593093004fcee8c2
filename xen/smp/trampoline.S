/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first instructions of a further CPU: a startup IPI sets it off in real
 * mode at the beginning of this page, copied below 1 MiB (SDM vol. 3A, 8.4).
 * start.c fills trampoline_data and the three addresses that depend on where
 * the copy lies; everything else is relative to it.
 */
#include <hv/layout.h>
#include <hv/x86.h>

#define OFFSET(sym) (sym - trampoline_start)
#define SEL_CODE32 0x08
#define SEL_DATA 0x10
#define SEL_CODE64 0x18

/* struct trampoline_data */
#define DATA_STACK 0
#define DATA_ENTRY 8
#define DATA_CR3 16
#define DATA_CR4 20
#define DATA_EFER 24

    .section .init.rodata, "a", @progbits
    .balign 16
    .globl trampoline_start, trampoline_end, trampoline_32, trampoline_gdt
    .globl trampoline_far32, trampoline_gdtr, trampoline_data
trampoline_start:
    .code16
    cli
    cld
    mov     %cs, %ax
    mov     %ax, %ds
    xor     %ebx, %ebx
    mov     %ax, %bx
    shl     $4, %ebx            /* linear address of the copy */
    lgdtl   OFFSET(trampoline_gdtr)
    mov     %cr0, %eax
    or      $X86_CR0_PE, %al
    mov     %eax, %cr0
    ljmpl   *OFFSET(trampoline_far32)

    .code32
trampoline_32:
    mov     $SEL_DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    lea     OFFSET(trampoline_data)(%ebx), %esi
    mov     DATA_CR4(%esi), %eax
    mov     %eax, %cr4
    mov     DATA_CR3(%esi), %eax
    mov     %eax, %cr3
    mov     $MSR_EFER, %ecx
    mov     DATA_EFER(%esi), %eax
    xor     %edx, %edx
    wrmsr
    mov     $X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | \
             X86_CR0_MP | X86_CR0_PE, %eax
    mov     %eax, %cr0
    lea     OFFSET(trampoline_64)(%ebx), %eax
    lea     OFFSET(trampoline_far64)(%ebx), %edx
    mov     %eax, (%edx)
    ljmp    *(%edx)

    .code64
trampoline_64:
    mov     %esi, %esi          /* upper half is undefined after the switch */
    mov     DATA_STACK(%rsi), %rsp
    xor     %ebp, %ebp
    jmp     *DATA_ENTRY(%rsi)

    .balign 8
trampoline_gdt:
    .quad   0
    .quad   0x00cf9b000000ffff  /* 32-bit code */
    .quad   0x00cf93000000ffff  /* data */
    .quad   0x00af9b000000ffff  /* 64-bit code */
trampoline_gdtr:
    .short  4 * 8 - 1
    .long   0                   /* filled: trampoline_gdt */
    .balign 4
trampoline_far32:
    .long   0                   /* filled: trampoline_32 */
    .short  SEL_CODE32
    .balign 4
trampoline_far64:
    .long   0
    .short  SEL_CODE64
    .balign 8
trampoline_data:
    .skip   32
trampoline_end:
