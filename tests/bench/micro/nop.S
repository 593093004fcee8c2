/* SPDX-License-Identifier: GPL-2.0-only */
/* the smallest static program: exit(0) */
	.globl _start
	.text
_start:
	xor	%edi, %edi
	mov	$60, %eax
	syscall
	.section .note.GNU-stack,"",@progbits
