/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two top-level tables of a vCPU (kernel and user), and finding the
 * level-1 table behind an address.
 */
#include <hv/errno.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/x86.h>

struct frame *pv_get_l1_of_va(struct vcpu *v, unsigned long va,
                              unsigned int *index)
{
    maddr_t table = v->pv.cr3_kernel & PTE_ADDR_MASK;
    struct frame *f;

    /* Another vCPU may be taking the tables apart: what is read on the way is
     * any RAM, and only the type that is taken in the end counts. */
    for (unsigned int level = 4; level > 1; level--) {
        pte_t e = READ_ONCE(
            ((pte_t *)maddr_to_virt(table))[pt_index(va, level)]);

        if ((e & (_PAGE_PRESENT | _PAGE_PSE)) != _PAGE_PRESENT)
            return NULL;
        table = e & PTE_ADDR_MASK;
        if (!mfn_valid(maddr_to_mfn(table)))
            return NULL;
    }
    *index = pt_index(va, 1);
    f = mfn_to_frame(maddr_to_mfn(table));
    if (frame_get_and_type(f, v->domain->id, FT_L1))
        return NULL;
    return f;
}

static int swap_l4(struct vcpu *v, mfn_t *slot, u64 *cr3, mfn_t m)
{
    mfn_t old = *slot;
    int rc;

    if (!mfn_valid(m))
        return -EINVAL;
    rc = frame_get_and_type(mfn_to_frame(m), v->domain->id, FT_L4);
    if (rc)
        return rc == -EPERM ? -EINVAL : rc;
    *slot = m;
    *cr3 = mfn_to_maddr(m);
    /* The old one is let go only when no CPU has it loaded any more. */
    if (v == current)
        pv_load_cr3(v);
    if (!mfn_eq(old, INVALID_MFN))
        frame_put_and_type(mfn_to_frame(old));
    return 0;
}

void pv_load_cr3(struct vcpu *v)
{
    ASSERT(v->pv.in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user);
    write_cr3(v->pv.in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user);
}

int pv_set_kernel_l4(struct vcpu *v, mfn_t m)
{
    if (mfn_eq(v->pv.kernel_l4, m)) {
        if (v == current)
            tlb_flush_local();
        return 0;
    }
    return swap_l4(v, &v->pv.kernel_l4, &v->pv.cr3_kernel, m);
}

/* 0: none; the iret to user mode is refused then. */
int pv_set_user_l4(struct vcpu *v, mfn_t m)
{
    mfn_t old = v->pv.user_l4;
    int rc;

    if (mfn_eq(old, m))
        return 0;
    if (mfn_x(m)) {
        if (!mfn_valid(m))
            return -EINVAL;
        rc = frame_get_and_type(mfn_to_frame(m), v->domain->id, FT_L4);
        if (rc)
            return rc == -EPERM ? -EINVAL : rc;
    }
    v->pv.user_l4 = mfn_x(m) ? m : INVALID_MFN;
    v->pv.cr3_user = mfn_x(m) ? mfn_to_maddr(m) : 0;
    if (!mfn_eq(old, INVALID_MFN))
        frame_put_and_type(mfn_to_frame(old));
    return 0;
}

void pv_drop_l4s(struct vcpu *v)
{
    mfn_t k = v->pv.kernel_l4, u = v->pv.user_l4;

    v->pv.kernel_l4 = v->pv.user_l4 = INVALID_MFN;
    v->pv.cr3_kernel = virt_to_maddr(hv_l4);
    v->pv.cr3_user = 0;
    if (!mfn_eq(k, INVALID_MFN))
        frame_put_and_type(mfn_to_frame(k));
    if (!mfn_eq(u, INVALID_MFN))
        frame_put_and_type(mfn_to_frame(u));
}
