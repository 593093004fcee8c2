/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libzstd refers to decoders of formats from before version 0.8 (2016).  No
 * kernel was ever packed so, and decompress.c passes nothing on whose magic
 * number is not today's: these names keep 90 KiB out of the image.
 */
    .section .init.text, "ax", @progbits

    .macro unused names:vararg
    .irp name, \names
    .globl \name
\name:
    .endr
    .endm

    .irp v, 05, 06, 07
    unused ZSTDv\v\()_createDCtx, ZSTDv\v\()_freeDCtx
    unused ZSTDv\v\()_decompress_usingDict, ZSTDv\v\()_getFrameParams
    unused ZSTDv\v\()_findFrameSizeInfoLegacy
    unused ZBUFFv\v\()_createDCtx, ZBUFFv\v\()_freeDCtx
    unused ZBUFFv\v\()_decompressContinue, ZBUFFv\v\()_decompressInitDictionary
    .endr
    ud2

/* Hooks for tracing, which answer that nobody traces. */
    unused ZSTD_trace_decompress_begin, ZSTD_trace_decompress_end
    xor %eax, %eax
    ret

    .section .note.GNU-stack, "", @progbits
