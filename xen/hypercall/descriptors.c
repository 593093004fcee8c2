/* SPDX-License-Identifier: GPL-2.0-only */
/* set_gdt, update_descriptor, set_segment_base, stack_switch (xen.h). */
#include <hv/errno.h>
#include <hv/extable.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/layout.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>
#include <hv/x86.h>

long do_set_gdt(unsigned long a1, unsigned long entries, unsigned long a3,
                unsigned long a4, unsigned long a5)
{
    unsigned int pages = DIV_ROUND_UP((unsigned int)entries, 512);
    unsigned long frames[MAX_GDT_FRAMES];

    (void)a3, (void)a4, (void)a5;
    if ((unsigned int)entries > MAX_GDT_FRAMES * 512)
        return -EINVAL;
    if (raw_copy_from_guest(frames, (void *)a1, pages * sizeof(frames[0])))
        return -EFAULT;
    return pv_set_gdt(current, frames, (unsigned int)entries);
}

long do_update_descriptor(unsigned long ma, unsigned long desc,
                          unsigned long a3, unsigned long a4, unsigned long a5)
{
    mfn_t m = maddr_to_mfn(ma);
    enum frame_type t;
    struct frame *f;
    u64 d = desc;

    (void)a3, (void)a4, (void)a5;
    if ((ma & 7) || !mfn_valid(m) || pv_check_descriptor(&d))
        return -EINVAL;
    f = mfn_to_frame(m);
    /* A page in use as descriptors, or one the guest could write itself. */
    t = frame_type(f) == FT_DESC ? FT_DESC : FT_WRITABLE;
    if (frame_get_and_type(f, currd->id, t))
        return -EINVAL;
    WRITE_ONCE(*(u64 *)((char *)mfn_to_virt(m) + (ma & (PAGE_SIZE - 1))), d);
    frame_put_and_type(f);
    return 0;
}

/* Load GS with what may be a bad selector; 0 then. In kernel mode this is the
 * user's GS: between two SWAPGS. */
static void load_user_gs(unsigned int selector)
{
    __asm__ volatile("swapgs\n"
                     "1: mov %0, %%gs\n"
                     "2: swapgs\n"
                     ".pushsection .text.fixup, \"ax\"\n"
                     "3: xor %0, %0\n"
                     "mov %0, %%gs\n"
                     "jmp 2b\n"
                     ".popsection\n" EX_TABLE(1b, 3b)::"r"(selector)
                     : "memory");
}

long do_set_segment_base(unsigned long which, unsigned long base,
                         unsigned long a3, unsigned long a4, unsigned long a5)
{
    (void)a3, (void)a4, (void)a5;
    if (which != SEGBASE_GS_USER_SEL && !canonical(base))
        return -EINVAL;
    switch (which) {
    case SEGBASE_FS:
        wrmsr(MSR_FS_BASE, base);
        return 0;
    case SEGBASE_GS_USER:
        wrmsr(MSR_SHADOW_GS_BASE, base);
        return 0;
    case SEGBASE_GS_KERNEL:
        wrmsr(MSR_GS_BASE, base);
        return 0;
    case SEGBASE_GS_USER_SEL:
        load_user_gs((unsigned int)base & 0xffff);
        return 0;
    default:
        return -EINVAL;
    }
}

long do_stack_switch(unsigned long ss, unsigned long sp, unsigned long a3,
                     unsigned long a4, unsigned long a5)
{
    (void)a3, (void)a4, (void)a5;
    current->pv.kernel_ss = (ss & 0xffff) | 3;
    /* entry.S pushes 56 bytes here unchecked: never into our own range. An
     * address that cannot be is replaced by one that faults. */
    current->pv.kernel_sp =
        canonical(sp) && guest_range_ok((sp & ~0xfUL) - 64, 64) ? sp : 64;
    return 0;
}
