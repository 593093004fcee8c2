/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine for the debugger's tests: counts, and prints a line on COM1 for
 * every 65536th count. 32-bit, multiboot 1 (header: section 3.1.1 of its
 * specification), no interrupts, polled UART.
 */
    .set MAGIC, 0x1badb002
    .text
    .align 4
    .long MAGIC, 0, -MAGIC

    .globl _start, tick, work
_start:
    cli
    movl $stack_top, %esp
    /* 16550 line control register: 8n1 */
    movw $0x3fb, %dx
    movb $3, %al
    outb %al, %dx
loop:
    call work
    testw $0xffff, counter
    jnz loop
    call tick
    jmp loop

work:
    incl counter
    ret

/* one line: "tick " and a digit */
tick:
    movl $text, %esi
1:  lodsb
    testb %al, %al
    jz 2f
    call put
    jmp 1b
2:  movb counter + 2, %al
    andb $7, %al
    addb $'0', %al
    call put
    movb $'\r', %al
    call put
    movb $'\n', %al
    call put
    ret

/* %al to COM1; wait for an empty transmit holding register */
put:
    movb %al, %bl
    movw $0x3fd, %dx
3:  inb %dx, %al
    testb $0x20, %al
    jz 3b
    movw $0x3f8, %dx
    movb %bl, %al
    outb %al, %dx
    ret

    .data
    .globl counter, pattern, room
counter:
    .long 0
text:
    .asciz "tick "
pattern:
    .byte 0x11, 0x22, 0xff, 0xfe, 0x80, 0x33
room:
    .space 4096, 0x5a
    .bss
    .space 4096
stack_top:
    .section .note.GNU-stack, "", @progbits
