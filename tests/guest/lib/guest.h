/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a tiny kernel needs: the ABI's headers, the hypercalls, traps,
 * page tables and the test macros.  A tiny kernel is one C file with TEST()s.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The control interface (domctl, sysctl) is for tools and the hypervisor. */
#define __XEN_TOOLS__ 1
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

typedef unsigned long ulong;
typedef uint64_t u64;
typedef uint32_t u32;

#define PAGE_SIZE 4096UL
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define END_OF(a) ((a) + ARRAY_SIZE(a)) /* the first byte behind */

#include "hypercall.h"
#include "text.h"
#include "traps.h"
#include "pages.h"
#include "test.h"
#include "user.h"
#include "cpu.h"

extern start_info_t *start_info;
extern shared_info_t *shared_info;

/* The registers as the domain builder left them (lib/head.S). */
struct entry_state {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint16_t ds, es, fs, gs, cs, ss, pad[2];
    u64 rflags;
} __attribute__((packed));
extern struct entry_state entry_state;

extern char hypercall_page[PAGE_SIZE];

/* The hexadecimal number after a prefix such as "seed=", or the fallback. */
u64 option_number(const char *prefix, u64 fallback);

/* True if `word` is one of the blank-separated words of the command line. */
bool option_given(const char *word);

/* Domain 0, or one that another tiny kernel built (domu.c)? */
static inline bool is_initdomain(void)
{
    return start_info->flags & SIF_INITDOMAIN;
}

/* Our number: domu.c tells it by the command line. */
static inline domid_t own_id(void)
{
    return is_initdomain() ? 0 : (domid_t)option_number("id=", 0);
}

/* Virtual CPU 0's part of the shared page. */
static inline volatile struct vcpu_info *vcpu0(void)
{
    return &shared_info->vcpu_info[0];
}

/*
 * Fills in the whole of *c for VCPUOP_initialise: a virtual CPU that begins in
 * entry(), in kernel mode and the caller's address space, with interrupts on
 * in RFLAGS (its upcall mask is the caller's affair), flat segments, and no
 * trap table, GDT or callbacks of its own. stack_end is the first byte behind
 * its stack, a multiple of 16: rsp is 8 below, as after a call (System V ABI,
 * section 3.2.2), and is its kernel stack too. entry() must not return.
 */
void kernel_context(struct vcpu_guest_context *c, void (*entry)(void),
                    char *stack_end);

#include "events.h"

#endif
