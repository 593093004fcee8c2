/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state in which domain 0 starts: registers, start_info, the first page
 * tables, the frame lists, the shared page, the hypercall page and CPUID.
 * Facts: the comment "Start-of-day memory layout" in <xen/xen.h>.
 */
#include "guest.h"

TEST(start_registers)
{
    CHECK_EQ(entry_state.rsi, start_info);
    CHECK_EQ(entry_state.rsi % PAGE_SIZE, 0);
    CHECK_EQ(entry_state.rax | entry_state.rbx | entry_state.rcx |
                 entry_state.rdx | entry_state.rdi | entry_state.rbp,
             0);
    CHECK_EQ(entry_state.cs, FLAT_KERNEL_CS);
    CHECK_EQ(entry_state.ss, FLAT_KERNEL_SS);
    CHECK_EQ(entry_state.ds | entry_state.es | entry_state.fs | entry_state.gs,
             FLAT_KERNEL_DS);
    CHECK_EQ(entry_state.rflags &
                 (FL_IF | FL_TF | FL_DF | FL_IOPL | FL_NT | FL_AC),
             FL_IF);
}

TEST(start_info_fields)
{
    CHECK_EQ(memcmp(start_info->magic, "xen-3.0-x86_64", 14), 0);
    CHECK_EQ(start_info->nr_pages, (128 << 20) / PAGE_SIZE);
    CHECK_EQ(start_info->flags & (SIF_PRIVILEGED | SIF_INITDOMAIN),
             SIF_PRIVILEGED | SIF_INITDOMAIN);
    CHECK_EQ(start_info->flags & SIF_MOD_START_PFN, 0);
    CHECK_EQ(start_info->mod_start, 0);
    CHECK_EQ(start_info->mod_len, 0);
    CHECK_EQ(start_info->store_mfn, 0);
    CHECK_EQ(start_info->store_evtchn, 0);
    CHECK_EQ(start_info->shared_info % PAGE_SIZE, 0);
    CHECK(start_info->shared_info != 0);
}

TEST(start_console_info)
{
    u32 off = start_info->console.dom0.info_off;
    u32 size = start_info->console.dom0.info_size;

    if (!size)
        SKIP("this machine has no video and the builder gives no record");
    CHECK(off >= sizeof(start_info_t));
    CHECK(off + size <= PAGE_SIZE);
}

TEST(start_command_line)
{
    const char *line = (const char *)start_info->cmd_line;

    CHECK(strlen(line) < MAX_GUEST_CMDLINE);
    /* The module's own name is no word of it; the runner's are. */
    CHECK(!*line || !strncmp(line, "reference", 9) ||
          !strncmp(line, "minutes", 7) || !strncmp(line, "cpus=", 5));
}

/* The parts lie in the order that <xen/xen.h> lists. */
TEST(start_layout_order)
{
    ulong info = (ulong)start_info;
    ulong pt_end = start_info->pt_base + start_info->nr_pt_frames * PAGE_SIZE;

    CHECK_EQ(start_info->mfn_list % PAGE_SIZE, 0);
    CHECK(start_info->mfn_list > (ulong)hypercall_page);
    CHECK(start_info->mfn_list + start_info->nr_pages * sizeof(ulong) <= info);
    CHECK(info < start_info->pt_base);
    CHECK(entry_state.rsp > pt_end);
    CHECK_EQ(entry_state.rsp % 16, 0);
}

static ulong mapped_end(void)
{
    ulong va = VIRT_BASE;
    u64 *pte;

    while ((pte = pte_of(va, 1)) && (*pte & PTE_P))
        va += PAGE_SIZE;
    return va;
}

TEST(start_padding)
{
    ulong end = mapped_end();

    CHECK_EQ(end % (4 << 20), 0);
    CHECK(end - entry_state.rsp >= 512 << 10);
}

TEST(start_mapping_matches_p2m)
{
    ulong end = mapped_end();
    ulong wrong = 0;

    for (ulong va = VIRT_BASE; va < end; va += PAGE_SIZE) {
        /* pages_init() has put the shared page over one of ours. */
        if (va != (ulong)shared_info)
            wrong += PTE_MFN(*pte_of(va, 1)) != p2m()[(va - VIRT_BASE) >> 12];
    }
    CHECK_EQ(wrong, 0);
}

TEST(start_memory_is_writable)
{
    ulong pt_end = start_info->pt_base + start_info->nr_pt_frames * PAGE_SIZE;
    ulong end = mapped_end();
    ulong wrong = 0;

    for (ulong va = VIRT_BASE; va < end; va += PAGE_SIZE) {
        if (va < start_info->pt_base || va >= pt_end)
            wrong += !(*pte_of(va, 1) & PTE_RW);
    }
    CHECK_EQ(wrong, 0);
}

TEST(start_page_tables_are_read_only)
{
    for (ulong i = 0; i < start_info->nr_pt_frames; i++) {
        ulong va = start_info->pt_base + i * PAGE_SIZE;
        CHECK_EQ(*pte_of(va, 1) & PTE_RW, 0);
    }
}

/* Every table reachable from the root is among the nr_pt_frames. */
TEST(start_page_tables_are_counted)
{
    ulong first = pfn_of((void *)start_info->pt_base);

    for (unsigned level = 4; level > 1; level--) {
        ulong pfn = m2p(PTE_MFN(*pte_of(VIRT_BASE, level)));
        CHECK(pfn >= first && pfn < first + start_info->nr_pt_frames);
    }
    CHECK_EQ(pfn_of(pte_of(VIRT_BASE, 4)), first);
}

TEST(start_cr3)
{
    u64 cr3 = 0;

    CHECK_NO_FAULT(cr3 = READ_REG(cr3));
    CHECK_EQ(cr3 >> 12, mfn_of((void *)start_info->pt_base));
}

TEST(start_frame_lists_agree)
{
    ulong wrong = 0;

    for (ulong pfn = 0; pfn < start_info->nr_pages; pfn++)
        wrong += m2p(p2m()[pfn]) != pfn;
    CHECK_EQ(wrong, 0);
}

TEST(start_m2p_is_read_only)
{
    volatile ulong *entry = &machine_to_phys_mapping[mfn_of(page_get())];

    CHECK_FAULT(*entry = 1, VEC_PF);
    CHECK_EQ(fault.error, PF_P | PF_W);
    CHECK_EQ(fault.cr2, entry);
}

TEST(start_bss_is_zero)
{
    static volatile ulong untouched[2048];
    ulong sum = 0;

    for (size_t i = 0; i < ARRAY_SIZE(untouched); i++)
        sum |= untouched[i];
    CHECK_EQ(sum, 0);
}

TEST(start_upcalls_are_masked)
{
    extern uint8_t upcall_mask_at_start;
    CHECK_EQ(upcall_mask_at_start, 1);
    CHECK_EQ(vcpu0()->evtchn_pending_sel, 0);
}

TEST(start_wall_clock)
{
    /* Later than 2020, before 2100. */
    CHECK(shared_info->wc_sec > 1577836800U);
    CHECK_EQ(shared_info->wc_version & 1, 0);
    CHECK(shared_info->wc_nsec < 1000000000U);
}

TEST(start_hypercall_page)
{
    long (*call)(long, void *) = (void *)(hypercall_page +
                                          __HYPERVISOR_xen_version * 32);
    CHECK_EQ(call(XENVER_version, NULL), (4 << 16) | 17);
    CHECK(*(u32 *)hypercall_page != 0xcccccccc);
}

TEST(start_cpuid_signature)
{
    struct cpuid id = cpuid_forced(XEN_CPUID_FIRST_LEAF, 0);

    CHECK(id.a >= XEN_CPUID_FIRST_LEAF + 2);
    CHECK_EQ(id.b, XEN_CPUID_SIGNATURE_EBX);
    CHECK_EQ(id.c, XEN_CPUID_SIGNATURE_ECX);
    CHECK_EQ(id.d, XEN_CPUID_SIGNATURE_EDX);
}

TEST(start_cpuid_version)
{
    struct cpuid id = cpuid_forced(XEN_CPUID_FIRST_LEAF + 1, 0);

    CHECK_EQ(id.a, (4 << 16) | 17);
    CHECK_EQ(id.b | id.c | id.d, 0);
}

TEST(start_cpuid_hypercall_page)
{
    struct cpuid id = cpuid_forced(XEN_CPUID_FIRST_LEAF + 2, 0);

    CHECK_EQ(id.a, 1);
    CHECK_EQ(id.b, 0x40000000);
    CHECK_EQ(id.c & XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD,
             XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD);
}

/* Domain 0 sees the TSC as it is; sub-leaf 2 has its frequency in kHz. */
TEST(start_cpuid_tsc)
{
    struct cpuid id = cpuid_forced(XEN_CPUID_FIRST_LEAF + 3, 0);

    CHECK_EQ(id.a & 1, 0);
    CHECK_EQ(id.d, 0);
    id = cpuid_forced(XEN_CPUID_FIRST_LEAF + 3, 2);
    CHECK(id.a > 100000);
}

/* What a paravirtual kernel must not be told it has (leaf 1). */
TEST(start_cpuid_features)
{
    struct cpuid id = cpuid_forced(1, 0);

    CHECK_EQ(id.c & (1u << 5), 0);         /* VMX */
    CHECK_EQ(id.c & (1u << 17), 0);        /* PCID */
    CHECK_EQ(id.c & (1u << 31), 1u << 31); /* hypervisor present */
    CHECK_EQ(id.d & (1u << 13), 0);        /* PGE */
    CHECK_EQ(id.d & (1u << 12), on_reference ? id.d & (1u << 12) : 0);
    CHECK_EQ(id.d & (1u << 6), 1u << 6); /* PAE */
    CHECK_EQ(id.d & (1u << 4), 1u << 4); /* TSC */
}

TEST(start_cpuid_extended)
{
    struct cpuid id = cpuid_forced(0x80000001, 0);

    CHECK_EQ(id.d & (1u << 29), 1u << 29); /* long mode */
    CHECK_EQ(id.d & (1u << 11), 1u << 11); /* SYSCALL */
    CHECK_EQ(id.d & (1u << 20), 1u << 20); /* NX */
    CHECK_EQ(id.d & (1u << 26), 0);        /* 1 GiB pages */
    CHECK_EQ(id.c & (1u << 2), 0);         /* SVM */
}

TEST(start_invalid_opcode)
{
    CHECK_FAULT(asm volatile("ud2"), VEC_UD);
    /* The prefix before anything but CPUID is only an invalid opcode. */
    CHECK_FAULT(asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x90"),
                VEC_UD);
}
