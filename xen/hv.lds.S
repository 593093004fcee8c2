/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image. Loaded flat at IMAGE_PHYS_START, linked at IMAGE_VIRT_START:
 *
 *   text      read and execute         kept
 *   init text read and execute         freed after the boot
 *   init data read and write           freed after the boot
 *   rodata    read only                kept
 *   data, bss read and write           kept
 *
 * Every part starts on a page of its own. All code comes first, so that the
 * size of the symbol table (in rodata) moves no function.
 */
#include <hv/layout.h>

OUTPUT_FORMAT(elf64-x86-64)
OUTPUT_ARCH(i386:x86-64)
ENTRY(multiboot_entry)

#define PAGE 4096

PHDRS
{
    text PT_LOAD FLAGS(5);
    init PT_LOAD FLAGS(7);
    rodata PT_LOAD FLAGS(4);
    data PT_LOAD FLAGS(6);
    note PT_NOTE FLAGS(4);
}

SECTIONS
{
    . = IMAGE_VIRT_START;
    hv_image_start = .;

    .text : {
        hv_text_start = .;
        KEEP(*(.multiboot))
        *(.text.entry)
        *(EXCLUDE_FILE(*liblzma.a:* *libz.a:* *liblz4.a:* *libzstd.a:*) .text)
        *(EXCLUDE_FILE(*liblzma.a:* *libz.a:* *liblz4.a:* *libzstd.a:*) .text.*)
        . = ALIGN(PAGE);
        hv_text_end = .;
    } :text =0xcccccccc

    .init.text : {
        hv_init_start = .;
        hv_init_text_start = .;
        *(.init.text)
        kernel_decoders = .;
        *(.text .text.*)
        . = ALIGN(PAGE);
        hv_init_text_end = .;
    } :init

    .init.data : {
        *(.init.rodata .init.rodata.*)
        *liblzma.a:*(.rodata .rodata.* .data .data.* .bss)
        *libz.a:*(.rodata .rodata.* .data .data.* .bss)
        *liblz4.a:*(.rodata .rodata.* .data .data.* .bss)
        *libzstd.a:*(.rodata .rodata.* .data .data.* .bss)
        . = ALIGN(8);
        smap_patch_start = .;
        KEEP(*(.smap_patch))
        smap_patch_end = .;
        . = ALIGN(8);
        options_start = .;
        KEEP(*(.init.options))
        options_end = .;
        *(.init.data .init.data.*)
        . = ALIGN(PAGE);
        hv_init_end = .;
    } :init

    .rodata : {
        hv_rodata_start = .;
        *(EXCLUDE_FILE(*symbols.o *symbols-none.o) .rodata)
        *(.rodata.*)
        . = ALIGN(8);
        ex_table_start = .;
        KEEP(*(.ex_table))
        ex_table_end = .;
        KEEP(*symbols.o(.rodata))
        KEEP(*symbols-none.o(.rodata))
        . = ALIGN(4);
    } :rodata

    .note.gnu.build-id : {
        hv_build_id_start = .;
        *(.note.gnu.build-id)
        hv_build_id_end = .;
    } :rodata :note

    .data : {
        . = ALIGN(PAGE);
        hv_rodata_end = .;
        hv_data_start = .;
        *(.data.ro_after_init)
        . = ALIGN(PAGE);
        hv_ro_after_init_end = .;
        *(.data .data.rel.* .got .got.*)
        . = ALIGN(64);
        percpu_start = .;
        *(.data.percpu)
        . = ALIGN(64);
        percpu_end = .;
        *(.data.*)
        . = ALIGN(PAGE);
        hv_load_end = .;
    } :data

    .bss : {
        . = ALIGN(PAGE);
        hv_bss_start = .;
        *(.bss.stack_aligned)
        *(.bss.page_aligned)
        *(.bss .bss.* COMMON)
        . = ALIGN(PAGE);
        hv_bss_end = .;
        hv_image_end = .;
    } :data

    /DISCARD/ : { *(.eh_frame .eh_frame_hdr .comment .note.GNU-stack
                    .note.gnu.property) }
}

ASSERT(hv_image_end - hv_image_start < 0x800000, "boot page tables map 8 MiB")
