/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the boot loader to start() in C.
 *
 * The loader enters multiboot_entry in 32-bit protected mode without paging,
 * EAX = its magic number, EBX = the address of its information (Multiboot
 * 0.6.96 section 3.2, Multiboot 2 section 3.3).  Both headers carry load
 * addresses, so a flat 64-bit image is fine for either.
 *
 * First page tables, dropped by mm_init():
 *   0 and DIRECTMAP_VIRT_START   first 4 GiB, RW
 *   IMAGE_VIRT_START             the image, 4 KiB pages, text RX, rodata R,
 *                                the rest RW; only text may be executed
 */
#include <hv/layout.h>
#include <hv/x86.h>

#define PHYS(sym) (sym - IMAGE_VIRT_START + IMAGE_PHYS_START)

#define MB1_MAGIC 0x1badb002
#define MB1_FLAGS 0x00010003 /* page-aligned modules, memory, addresses */
#define MB2_MAGIC 0xe85250d6

#define PTE_P 0x1
#define PTE_RW 0x2
#define PTE_PSE 0x80
#define PTE_NX_HIGH 0x80000000 /* upper half of an entry */
#define IMAGE_L1_TABLES 4      /* 8 MiB, asserted in hv.lds.S */

#define CPU0_STACK_SIZE 0x8000 /* STACK_SIZE, asserted in start.c */
#define STACK_TOP_RESERVE 512  /* more than struct cpu_info */

    .section .multiboot, "ax", @progbits
    .code32

    .balign 8
mb1_header:
    .long MB1_MAGIC
    .long MB1_FLAGS
    .long -(MB1_MAGIC + MB1_FLAGS)
    .long PHYS(mb1_header)
    .long PHYS(hv_image_start)
    .long PHYS(hv_load_end)
    .long PHYS(hv_bss_end)
    .long PHYS(multiboot_entry)

    .balign 8
mb2_header:
    .long MB2_MAGIC
    .long 0 /* i386 protected mode */
    .long mb2_header_end - mb2_header
    .long -(MB2_MAGIC + (mb2_header_end - mb2_header))
    .balign 8 /* addresses */
    .short 2, 0
    .long 24
    .long PHYS(mb2_header), PHYS(hv_image_start), PHYS(hv_load_end)
    .long PHYS(hv_bss_end)
    .balign 8 /* entry point */
    .short 3, 0
    .long 12
    .long PHYS(multiboot_entry)
    .balign 8 /* modules on page boundaries */
    .short 6, 0
    .long 8
    .balign 8 /* keep whatever console the firmware has, text if possible */
    .short 4, 1
    .long 12
    .long 2
    .balign 8 /* end */
    .short 0, 0
    .long 8
mb2_header_end:

    .globl multiboot_entry
multiboot_entry:
    cld
    cli
    mov $PHYS(cpu0_stack) + CPU0_STACK_SIZE - STACK_TOP_RESERVE, %esp
    push $2 /* every flag off: a loader may leave NT set */
    popf
    mov %eax, PHYS(boot_magic)
    mov %ebx, PHYS(boot_information)
    call check_cpu
    call build_page_tables

    mov %cr4, %eax
    or $X86_CR4_PAE, %eax
    mov %eax, %cr4
    mov $PHYS(boot_l4), %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $(EFER_LME | EFER_NX), %eax
    wrmsr
    mov $(X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_PE), %eax
    mov %eax, %cr0
    lgdt PHYS(boot_gdt_low)
    ljmp $HV_CS, $PHYS(long_mode_low)

/*
 * The processor must have long mode and no-execute pages: else say so.
 * Clobbers eax, ebx, ecx, edx, esi.
 */
check_cpu:
    /* CPUID exists if EFLAGS.ID can be changed (SDM vol. 1, 3.4.3.3). */
    pushf
    pop %eax
    mov %eax, %ecx
    xor $X86_EFLAGS_ID, %eax
    push %eax
    popf
    pushf
    pop %eax
    xor %ecx, %eax
    test $X86_EFLAGS_ID, %eax
    jz cpu_too_old
    mov $0x80000000, %eax
    cpuid
    cmp $0x80000001, %eax
    jb cpu_too_old
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx /* long mode */
    jnc cpu_too_old
    mov $PHYS(text_no_nx), %esi
    bt $20, %edx /* no-execute */
    jnc die
    ret

cpu_too_old:
    mov $PHYS(text_no_long_mode), %esi
/* The text at esi to the first serial port and the VGA screen, and halt. */
die:
    mov $0xb8000, %edi
1:  lodsb
    test %al, %al
    jz 3f
    mov %al, (%edi)
    movb $0x4f, 1(%edi) /* white on red */
    add $2, %edi
    mov %al, %bl
    mov $10000, %ecx
2:  mov $0x3f8 + 5, %edx
    in %dx, %al
    test $0x20, %al
    loopz 2b
    mov $0x3f8, %edx
    mov %bl, %al
    out %al, %dx
    jmp 1b
3:  hlt
    jmp 3b

/* Fill the boot tables, which are zero. Clobbers eax, ebx, ecx, edx, edi. */
build_page_tables:
    /* 2048 pages of 2 MiB. The one that holds this code: executable, RO. */
    mov $PHYS(boot_l2), %edi
    mov $(PTE_P | PTE_RW | PTE_PSE), %eax
    mov $2048, %ecx
1:  mov %eax, (%edi)
    movl $PTE_NX_HIGH, 4(%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 1b
    mov $PHYS(boot_l2) + (IMAGE_PHYS_START >> 21) * 8, %edi
    movl $(IMAGE_PHYS_START + PTE_P + PTE_PSE), (%edi)
    movl $0, 4(%edi)

    mov $PHYS(boot_l3), %edi
    mov $(PHYS(boot_l2) + PTE_P + PTE_RW), %eax
    mov $4, %ecx
    call fill_tables
    mov $PHYS(boot_l2_image), %edi
    mov $(PHYS(boot_l1_image) + PTE_P + PTE_RW), %eax
    mov $IMAGE_L1_TABLES, %ecx
    call fill_tables
    movl $(PHYS(boot_l2_image) + PTE_P + PTE_RW), PHYS(boot_l3_image)
    movl $(PHYS(boot_l3) + PTE_P + PTE_RW), PHYS(boot_l4)
    movl $(PHYS(boot_l3) + PTE_P + PTE_RW), \
        PHYS(boot_l4) + ((DIRECTMAP_VIRT_START >> 39) & 511) * 8
    movl $(PHYS(boot_l3_image) + PTE_P + PTE_RW), \
        PHYS(boot_l4) + ((IMAGE_VIRT_START >> 39) & 511) * 8

    mov $PHYS(hv_image_start), %eax
    mov $PHYS(boot_l1_image), %edi
    mov $PHYS(hv_text_end), %ebx
    mov $PTE_P, %ecx
    xor %edx, %edx
    call fill_pages
    mov $PHYS(hv_init_text_end), %ebx
    call fill_pages
    mov $PTE_NX_HIGH, %edx
    mov $PHYS(hv_init_end), %ebx
    mov $(PTE_P | PTE_RW), %ecx
    call fill_pages
    mov $PHYS(hv_rodata_end), %ebx
    mov $PTE_P, %ecx
    call fill_pages
    mov $PHYS(hv_image_end), %ebx
    mov $(PTE_P | PTE_RW), %ecx
/* Entries at edi for the pages eax..ebx; ecx: low flags, edx: upper half. */
fill_pages:
1:  cmp %ebx, %eax
    jae 2f
    or %ecx, %eax
    mov %eax, (%edi)
    mov %edx, 4(%edi)
    and $~0xfff, %eax
    add $0x1000, %eax
    add $8, %edi
    jmp 1b
2:  ret

/* ecx entries at edi for adjacent tables, the first one being eax. */
fill_tables:
    mov %eax, (%edi)
    add $0x1000, %eax
    add $8, %edi
    loop fill_tables
    ret

    .code64
long_mode_low:
    movabs $long_mode_high, %rax
    jmp *%rax
long_mode_high:
    lgdt boot_gdt_high(%rip)
    /* Nothing runs at low addresses any more: writable, not executable. */
    movq $(IMAGE_PHYS_START + PTE_P + PTE_RW + PTE_PSE), %rax
    bts $63, %rax
    mov %rax, boot_l2 + (IMAGE_PHYS_START >> 21) * 8(%rip)
    mov %cr3, %rax
    mov %rax, %cr3
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    lea cpu0_stack + CPU0_STACK_SIZE - STACK_TOP_RESERVE(%rip), %rsp
    xor %ebp, %ebp
    mov boot_magic(%rip), %edi
    mov boot_information(%rip), %esi
    call start
    ud2

    .section .init.data, "aw", @progbits
    .balign 8
boot_magic:
    .long 0
boot_information:
    .long 0
/* The selectors of layout.h: the limit reaches them, the base is moved back. */
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* HV_CS: 64-bit code, ring 0 */
    .word 0
boot_gdt_low:
    .word 0xffff
    .long PHYS(boot_gdt) - (HV_CS - 8)
    .word 0, 0, 0
boot_gdt_high:
    .word 0xffff
    .quad boot_gdt - (HV_CS - 8)
text_no_long_mode:
    .asciz "(XEN) This processor has no 64-bit mode: the hypervisor cannot run on it.\r\n"
text_no_nx:
    .asciz "(XEN) This processor has no no-execute pages, or the firmware hides them (look for NX, XD or EVP in its setup).\r\n"

    .section .bss.page_aligned, "aw", @nobits
    .balign 4096
    .globl boot_l4
boot_l4:
    .skip 4096
boot_l3:
    .skip 4096
boot_l2:
    .skip 4 * 4096
boot_l3_image:
    .skip 4096
boot_l2_image:
    .skip 4096
boot_l1_image:
    .skip IMAGE_L1_TABLES * 4096

    .section .bss.stack_aligned, "aw", @nobits
    .balign CPU0_STACK_SIZE
    .globl cpu0_stack
cpu0_stack:
    .skip CPU0_STACK_SIZE

    .section .note.GNU-stack, "", @progbits
