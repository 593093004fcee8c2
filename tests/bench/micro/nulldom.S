/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nulldom: the smallest 64-bit Xen PV kernel: blocks for ever. A domain made
 * of it costs its builder the domain alone, not a kernel's decompression.
 */
#define NOTE(type, val)			\
	.long 4, 8, type;		\
	.asciz "Xen";			\
	.quad val;
#define NOTES(type, str)		\
	.long 4, 2f - 1f, type;		\
	.asciz "Xen";			\
1:	.asciz str;			\
2:	.balign 4;

	.section .note.xen, "a", @note
	NOTES(6, "nulldom")		/* GUEST_OS */
	NOTES(7, "1")			/* GUEST_VERSION */
	NOTES(5, "xen-3.0")		/* XEN_VERSION */
	NOTES(8, "generic")		/* LOADER */
	NOTES(9, "yes")			/* PAE_MODE */
	NOTES(10, "")			/* FEATURES */
	NOTE(3, 0xffffffff80000000)	/* VIRT_BASE */
	NOTE(4, 0xffffffff80000000)	/* PADDR_OFFSET: p_paddr = p_vaddr */
	NOTE(1, _start)			/* ENTRY */

	.section .text, "ax"
	.globl _start
_start:
1:	mov	$29, %eax		/* sched_op(SCHEDOP_block, NULL) */
	mov	$1, %edi
	xor	%esi, %esi
	syscall
	jmp	1b
	.section .note.GNU-stack,"",@progbits
