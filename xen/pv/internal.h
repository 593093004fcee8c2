/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of pv/. */
#ifndef PV_INTERNAL_H
#define PV_INTERNAL_H

#include "decode.h"

#include <hv/pv.h>
#include <hv/x86.h>

/* ioport.c: IN, OUT and the string forms. False: not allowed, inject #GP. */
bool pv_emulate_io(struct cpu_user_regs *regs, struct insn *i);

/* cpuid.c */
void pv_cpuid(struct vcpu *v, u32 leaf, u32 sub, struct cpuid_regs *r);

/* msr.c: -EPERM: #GP for the guest. */
int pv_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int pv_wrmsr(struct vcpu *v, u32 msr, u64 val);

/* dump.c: one byte of v's memory, in the direct map; NULL if it is not there or
 * no RAM. It may be anybody's a moment later. Any context. */
u8 *pv_guest_byte(const struct vcpu *v, unsigned long va);

/* debugreg.c: load what v asked for / take it off. */
void pv_debugreg_unload(struct vcpu *v);

/* fpu.c */
int pv_fpu_init(struct vcpu *v);
void pv_fpu_free(struct vcpu *v);
void pv_fpu_save(struct vcpu *v);
void pv_fpu_restore(struct vcpu *v);
void pv_fpu_set_legacy(struct vcpu *v, const void *image); /* 512 bytes */
int pv_set_xcr0(struct vcpu *v, u64 xcr0);

#endif
