/* SPDX-License-Identifier: GPL-2.0-only */
/* A user address space of two pages, entered by the iret hypercall. */
#include "guest.h"

static char *code_page;

long user_init(void)
{
    static bool done;
    u64 *l1, *l2, *l3, *l4;
    long rc;

    if (done)
        return 0;
    code_page = page_get();
    l1 = page_get();
    l1[0] = PTE(mfn_of(code_page), PTE_RO_FLAGS);
    l1[1] = PTE(mfn_of(page_get()), PTE_RW_FLAGS | PTE_NX);
    make_ro(l1);
    l2 = table_with(2, PTE(mfn_of(l1), PTE_RW_FLAGS));
    l3 = table_with(0, PTE(mfn_of(l2), PTE_RW_FLAGS));
    l4 = table_with(0, PTE(mfn_of(l3), PTE_RW_FLAGS));
    rc = mmuext1(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0);
    if (!rc)
        rc = mmuext1(MMUEXT_NEW_USER_BASEPTR, mfn_of(l4), 0);
    done = !rc;
    return rc;
}

struct regs user_regs(const char *from, const char *to)
{
    struct regs r = {
        .rip = USER_CODE,
        .cs = FLAT_USER_CS,
        .rflags = FL_ONE | FL_IF,
        .rsp = USER_STACK_TOP,
        .ss = FLAT_USER_SS,
    };

    memcpy(code_page, from, (size_t)(to - from));
    return r;
}

/* Leaves the catch in place over regs_enter(), which never returns. */
int enter_and_catch(const struct regs *regs)
{
    struct regs copy = *regs; /* leaving uses up the memory */

    return FAULT_OF(regs_enter(&copy));
}

int user_run(const char *from, const char *to, u64 rbx, u64 rdi)
{
    struct regs r = user_regs(from, to);
    int vector;

    r.rbx = rbx;
    r.rdi = rdi;
    vector = enter_and_catch(&r);
    vcpu0()->evtchn_upcall_mask = 1;
    return vector;
}
