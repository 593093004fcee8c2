/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random hypercalls with arguments that are nearly right: small numbers, our
 * own frames, good and bad pointers, structures full of the same.  Nothing is
 * expected but that everybody is still there afterwards, and that a page which
 * was never handed out is as it was.  Calls that may end or take away the
 * ground we stand on are left out.
 */
#include "guest.h"

#define STEPS 20000

static u64 state;
static u64 *scratch[4]; /* what structures lie in and pointers lead to */
static u64 *bystander;

/* xorshift64 */
static u64 draw(u64 below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % below;
}

static u64 draw_pointer(void)
{
    switch (draw(8)) {
    case 0: return 0;
    case 1: return (u64)bad_pointer((unsigned)draw(BAD_POINTERS), 16);
    default: return (u64)scratch[draw(4)] + draw(32) * 8;
    }
}

static u64 draw_value(void)
{
    static const u64 telling[] = {
        0,          1,          DOMID_SELF,         DOMID_IO,
        DOMID_XEN,  DOMID_COW,  DOMID_INVALID,      0xffffffff,
        0x80000000, 0x7fffffff, 0x8000000000000000, 0xffffffffffffffff,
    };

    switch (draw(8)) {
    case 0: return telling[draw(ARRAY_SIZE(telling))];
    case 1: return draw_pointer();
    case 2: return mfn_of(scratch[draw(4)]);
    case 3: return maddr_of(scratch[draw(4)]) + draw(512) * 8;
    case 4: return mfn_not_ours();
    case 5: return state;
    default: return draw(64);
    }
}

/* Both halves of a word on their own, as often as not. */
static void fill_scratch(void)
{
    u64 *page = scratch[draw(4)];

    for (unsigned i = 0; i < 48; i++)
        page[i] = draw(2) ? draw_value()
                          : (draw_value() << 32) | (u32)draw_value();
}

/* The sub-operations up to a number, but those of a mask (the first 64). */
struct target {
    unsigned call;
    unsigned ops;
    u64 without;
};

static const struct target targets[] = {
    { __HYPERVISOR_xen_version, 12, 0 },
    { __HYPERVISOR_memory_op, 32, 0 },
    /* not the vCPU's end; not areas written later behind our back */
    { __HYPERVISOR_vcpu_op, 16, 1 << 2 | 1 << 5 | 1 << 10 | 1 << 13 },
    { __HYPERVISOR_event_channel_op, 16, 0 },
    { __HYPERVISOR_grant_table_op, 14, 1 << GNTTABOP_dump_table },
    /* the reference dies of a PCI device that is not there */
    { __HYPERVISOR_physdev_op, 32, 3u << PHYSDEVOP_prepare_msix },
    { __HYPERVISOR_nmi_op, 3, 1 },
    { __HYPERVISOR_vm_assist, 3, 0 },
    /* only yield; the rest block, end or watch */
    { __HYPERVISOR_sched_op, 1, 0 },
    { __HYPERVISOR_hvm_op, 30, 0 },
    { __HYPERVISOR_xsm_op, 40, 0 },
    { __HYPERVISOR_dm_op, 20, 0 },
    { __HYPERVISOR_argo_op, 10, 0 },
    { __HYPERVISOR_hypfs_op, 5, 0 },
    { __HYPERVISOR_xenpmu_op, 10, 0 },
    { __HYPERVISOR_set_debugreg, 10, 0 },
    { __HYPERVISOR_get_debugreg, 10, 0 },
    { __HYPERVISOR_set_segment_base, 5, 0 },
    { __HYPERVISOR_set_timer_op, 64, 0 },
};

static void step_call(void)
{
    const struct target *t = &targets[draw(ARRAY_SIZE(targets))];
    u64 op = draw(t->ops), a2 = draw_value(), a3 = draw_value();

    if (t->without >> op & 1)
        return;
    if (draw(3))
        a2 = draw_pointer();
    if (draw(3) == 0)
        a3 = draw_pointer();
    if (t->call == __HYPERVISOR_grant_table_op)
        a3 = draw(8); /* a count: each entry is answered in place */
    hypercall(t->call, A(op), A(a2), A(a3), A(draw_value()), A(draw_value()));
}

/* Requests on page tables, about pages of ours only. */
static void step_mmu(void)
{
    struct mmu_update *u = (void *)scratch[0];
    struct mmuext_op *e = (void *)scratch[1];
    u32 *done = (void *)draw_pointer();

    if (draw(2)) {
        u->ptr = draw(4) ? maddr_of(scratch[draw(4)]) + draw(4096)
                         : draw_value();
        u->val = draw_value();
        hc_mmu_update(u, (u32)draw(3), done,
                      draw(2) ? DOMID_SELF : (u32)draw_value());
    } else {
        e->cmd = (u32)draw(24);
        e->arg1.mfn = draw_value();
        e->arg2.src_mfn = draw_value();
        /* The LDT and the user's root may be anything; ours may not. */
        if (e->cmd != MMUEXT_NEW_BASEPTR)
            hc_mmuext_op(e, (u32)draw(2), done,
                         draw(2) ? DOMID_SELF : (u32)draw_value());
    }
}

static void step_tables(void)
{
    switch (draw(4)) {
    case 0: hc_set_gdt((void *)draw_pointer(), (u32)draw_value()); break;
    case 1:
        hc_update_descriptor(maddr_of(scratch[draw(4)]) + draw(4096),
                             draw_value());
        break;
    case 2:
        hc_update_va_mapping(SCRATCH_VA + draw(4) * PAGE_SIZE, draw_value(),
                             draw_value());
        break;
    default:
        hc_update_va_mapping_otherdomain(SCRATCH_VA, draw_value(),
                                         draw(5) ? draw(3) : draw_value(),
                                         (u32)draw_value());
    }
}

/* The scratch pages themselves may have been unmapped, pinned, given away. */
static void renew_scratch(void)
{
    for (unsigned i = 0; i < 4; i++) {
        if (FAULT_OF(*(volatile u64 *)scratch[i] = 0) != NO_FAULT)
            scratch[i] = page_get();
    }
}

/* Breakpoints that we happen to set are taken away where they hit. */
static void drop_breakpoints(struct regs *regs)
{
    hc_set_debugreg(7, 0);
    regs->rflags &= ~(u64)FL_TF;
}

static void prepare(u64 seed)
{
    trap_handler_set(VEC_DB, drop_breakpoints);
    state = seed;
    for (unsigned i = 0; i < 4; i++) {
        scratch[i] = page_get();
        CHECK_OK(map_at(SCRATCH_VA + i * PAGE_SIZE, 0));
    }
    bystander = page_get();
    for (unsigned i = 0; i < 512; i++)
        bystander[i] = i * 0x9e3779b97f4a7c15;
    edge(16);
}

static void run(u64 seed)
{
    unsigned wrong = 0;

    prepare(seed);
    for (unsigned n = 0; n < STEPS; n++) {
        renew_scratch();
        fill_scratch();
        switch (draw(4)) {
        case 0: step_mmu(); break;
        case 1: step_tables(); break;
        default: step_call();
        }
        vcpu0()->evtchn_upcall_mask = 1;
    }
    for (unsigned i = 0; i < 512; i++)
        wrong += bystander[i] != i * 0x9e3779b97f4a7c15;
    CHECK_EQ(wrong, 0);
    CHECK_EQ(hc_xen_version(XENVER_version, NULL), (4 << 16) | 17);
    CHECK_FAULT(asm volatile("ud2"), VEC_UD);
}

TEST(nonsense_seed_1)
{
    run(option_number("seed=", 0x1234567));
}

TEST(nonsense_seed_2)
{
    run(0x9e3779b97f4a7c15);
}
