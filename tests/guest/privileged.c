/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Privileged instructions of a kernel in ring 3: some are carried out by the
 * hypervisor, the rest get #GP as on the bare machine in ring 3.
 */
#include "guest.h"

enum {
    MSR_TSC = 0x10,
    MSR_APIC_BASE = 0x1b,
    MSR_MISC_ENABLE = 0x1a0,
    MSR_PAT = 0x277,
    MSR_EFER = 0xc0000080,
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_FS_BASE = 0xc0000100,
    MSR_GS_BASE = 0xc0000101,
    MSR_KERNEL_GS_BASE = 0xc0000102,
    MSR_HYPERCALL_PAGE = 0x40000000,
};
enum {
    CR0_PE = 1,
    CR0_TS = 8,
    CR0_WP = 1 << 16
};
#define CR0_PG (1UL << 31)

TEST(cr0_read)
{
    u64 cr0 = 0;

    CHECK_NO_FAULT(cr0 = READ_REG(cr0));
    CHECK_EQ(cr0 & (CR0_PG | CR0_WP | CR0_PE), CR0_PG | CR0_WP | CR0_PE);
}

TEST(cr0_write)
{
    u64 cr0 = READ_REG(cr0);

    CHECK_NO_FAULT(WRITE_REG(cr0, cr0));
    CHECK_NO_FAULT(WRITE_REG(cr0, cr0 | CR0_TS));
    CHECK_EQ(READ_REG(cr0) & CR0_TS, CR0_TS);
    CHECK_NO_FAULT(asm volatile("clts"));
    CHECK_EQ(READ_REG(cr0) & CR0_TS, 0);
    /* Nothing but TS is the kernel's. */
    CHECK_FAULT(WRITE_REG(cr0, cr0 & ~(u64)CR0_WP), VEC_GP);
    CHECK_FAULT(WRITE_REG(cr0, cr0 & ~CR0_PG), VEC_GP);
    CHECK_EQ(READ_REG(cr0), cr0 & ~(u64)CR0_TS);
}

TEST(cr2)
{
    CHECK_FAULT(*(volatile char *)UNMAPPED_VA, VEC_PF);
    CHECK_EQ(READ_REG(cr2), UNMAPPED_VA);
    CHECK_NO_FAULT(WRITE_REG(cr2, 0x1234));
    CHECK_EQ(vcpu0()->arch.cr2, 0x1234);
    CHECK_EQ(READ_REG(cr2), 0x1234);
}

TEST(cr3)
{
    u64 cr3 = READ_REG(cr3);

    CHECK_EQ(cr3 >> 12, mfn_of((void *)start_info->pt_base));
    CHECK_NO_FAULT(WRITE_REG(cr3, cr3));
    CHECK_FAULT(WRITE_REG(cr3, maddr_of(page_get())), VEC_GP);
    CHECK_FAULT(WRITE_REG(cr3, mfn_not_ours() << 12), VEC_GP);
    CHECK_EQ(READ_REG(cr3), cr3);
}

TEST(cr4)
{
    u64 cr4 = 0;

    CHECK_NO_FAULT(cr4 = READ_REG(cr4));
    CHECK_EQ(cr4 & (1 << 5), 1 << 5); /* PAE */
    CHECK_NO_FAULT(WRITE_REG(cr4, cr4));
    CHECK_EQ(READ_REG(cr4), cr4);
    /* SMEP, SMAP and VMXE are the hypervisor's: asking changes nothing. */
    CHECK_NO_FAULT(WRITE_REG(cr4, cr4 | (3 << 20)));
    CHECK_EQ(READ_REG(cr4) & ((3 << 20) | (1 << 13)), cr4 & (3 << 20));
    CHECK_NO_FAULT(WRITE_REG(cr4, cr4));
}

/* CR4.TSD and CR4.DE are kernels' own affair. */
TEST(cr4_debug_extensions)
{
    u64 cr4 = READ_REG(cr4);

    CHECK_NO_FAULT(WRITE_REG(cr4, cr4 | 8));
    CHECK_EQ(READ_REG(cr4) & 8, 8);
    CHECK_NO_FAULT(WRITE_REG(cr4, cr4));
}

TEST(cr8)
{
    u64 v = 0;
    CHECK_FAULT(asm volatile("mov %%cr8, %0" : "=r"(v)), VEC_GP);
    CHECK_FAULT(asm volatile("mov %0, %%cr8" : : "r"(v)), VEC_GP);
}

TEST(debug_registers_by_instruction)
{
    u64 at = (ulong)page_get(), v = 0;

    CHECK_NO_FAULT(asm volatile("mov %0, %%dr1" : : "r"(at)));
    CHECK_NO_FAULT(asm volatile("mov %%dr1, %0" : "=r"(v)));
    CHECK_EQ(v, at);
    CHECK_EQ(hc_get_debugreg(1), at);
    CHECK_FAULT(asm volatile("mov %0, %%dr1" : : "r"(HYPERVISOR_VA)), VEC_GP);
    CHECK_NO_FAULT(asm volatile("mov %0, %%dr1" : : "r"(0UL)));
}

TEST(efer)
{
    u64 efer = 0;

    CHECK_NO_FAULT(efer = rdmsr(MSR_EFER));
    CHECK_EQ(efer & 0x501, 0x501); /* SCE, LME, LMA */
    CHECK_NO_FAULT(wrmsr(MSR_EFER, efer));
    CHECK_FAULT(wrmsr(MSR_EFER, efer & ~0x100UL), VEC_GP);
    CHECK_EQ(rdmsr(MSR_EFER), efer);
}

TEST(base_msrs)
{
    static const u32 bases[] = { MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE };
    u64 at = (ulong)page_get();

    for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
        u64 old = rdmsr(bases[i]);

        CHECK_NO_FAULT(wrmsr(bases[i], at + i));
        CHECK_EQ(rdmsr(bases[i]), at + i);
        CHECK_FAULT(wrmsr(bases[i], NON_CANONICAL_VA), VEC_GP);
        CHECK_EQ(rdmsr(bases[i]), at + i);
        CHECK_NO_FAULT(wrmsr(bases[i], old));
    }
}

/* The PAT is the hypervisor's: it can be read. */
TEST(pat)
{
    u64 pat = 0;

    CHECK_NO_FAULT(pat = rdmsr(MSR_PAT));
    CHECK_EQ(pat, 0x050100070406UL);
    CHECK_FAULT(wrmsr(MSR_PAT, 0x0007040600070406UL), VEC_GP);
    CHECK_EQ(rdmsr(MSR_PAT), pat);
}

TEST(apic_base)
{
    u64 base = 0;

    CHECK_NO_FAULT(base = rdmsr(MSR_APIC_BASE));
    FAULT_OF(wrmsr(MSR_APIC_BASE, base ^ (1 << 11)));
    CHECK_EQ(rdmsr(MSR_APIC_BASE), base);
}

TEST(tsc_msr)
{
    u64 a = 0, b = 0;

    CHECK_NO_FAULT(a = rdmsr(MSR_TSC));
    CHECK_NO_FAULT(b = rdmsr(MSR_TSC));
    CHECK(b > a);
}

/* The system-call MSRs are what set_callbacks is for. */
TEST(syscall_msrs)
{
    for (u32 msr = MSR_STAR; msr <= MSR_LSTAR + 2; msr++) {
        FAULT_OF(wrmsr(msr, 0x1234));
        CHECK_EQ(hc_xen_version(XENVER_version, NULL), (4 << 16) | 17);
    }
}

TEST(unknown_msrs)
{
    static const u32 msrs[] = { 0x12345678, 0xc0011fff, 0x40000500,
                                0x4000ffff };

    for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++) {
        CHECK_FAULT(rdmsr(msrs[i]), VEC_GP);
        CHECK_FAULT(wrmsr(msrs[i], 0), VEC_GP);
    }
}

TEST(hypercall_page_msr)
{
    char *page = page_get();
    long (*call)(long, void *) = (void *)(page + 17 * 32);

    REQUIRE(CHECK_NO_FAULT(wrmsr(MSR_HYPERCALL_PAGE, maddr_of(page))));
    CHECK_EQ(call(XENVER_version, NULL), (4 << 16) | 17);
    /* Page 1 of 1; a frame that is not ours; a page that is a table. */
    CHECK_FAULT(wrmsr(MSR_HYPERCALL_PAGE, maddr_of(page) + 1), VEC_GP);
    CHECK_FAULT(wrmsr(MSR_HYPERCALL_PAGE, mfn_not_ours() << 12), VEC_GP);
    CHECK_FAULT(wrmsr(MSR_HYPERCALL_PAGE,
                      maddr_of((void *)start_info->pt_base)),
                VEC_GP);
}

TEST(io_needs_iopl)
{
    struct physdev_set_iopl iopl = { .iopl = 0 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_FAULT(inb(0x80), VEC_GP);
    CHECK_EQ(fault.error, 0);
    CHECK_FAULT(outb(0x80, 0), VEC_GP);
    iopl.iopl = 1;
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_NO_FAULT(inb(0x80));
    CHECK_NO_FAULT(outb(0x80, 0));
    CHECK_NO_FAULT(inw(0x80));
    CHECK_NO_FAULT(inl(0x80));
}

/* Ports that the hypervisor keeps read as nothing there. */
TEST(io_of_hypervisor_ports)
{
    static const uint16_t ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x3f8, 0x3fd };
    struct physdev_set_iopl iopl = { .iopl = 1 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
        uint8_t v = 0;
        CHECK_NO_FAULT(v = inb(ports[i]));
        CHECK_EQ(v, 0xff);
    }
    CHECK_NO_FAULT(outb(0x20, 0x20));
}

/* The PCI bus through its two ports: device 0 is the host bridge. */
TEST(io_of_pci_configuration)
{
    struct physdev_set_iopl iopl = { .iopl = 1 };
    u32 id = 0;

    FOR_DOMAIN_0();
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_NO_FAULT(asm volatile("outl %0, %1"
                                :
                                : "a"(0x80000000), "Nd"((uint16_t)0xcf8)));
    CHECK_NO_FAULT(id = inl(0xcfc));
    CHECK(id != 0xffffffff && id != 0);
    CHECK_EQ(inl(0xcf8), 0x80000000);
    CHECK_EQ(inw(0xcfe), id >> 16);
}

TEST(io_string)
{
    struct physdev_set_iopl iopl = { .iopl = 1 };
    char *buf = page_get(), *to = buf, *from = buf;
    u64 n = 4;

    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_NO_FAULT(asm volatile("rep insb"
                                : "+D"(to), "+c"(n)
                                : "d"((uint16_t)0x3f8)
                                : "memory"));
    CHECK_EQ(n, 0);
    CHECK_EQ(*(u32 *)buf, 0xffffffff);
    CHECK_EQ(to, buf + 4);
    n = 2;
    CHECK_NO_FAULT(asm volatile("rep outsb"
                                : "+S"(from), "+c"(n)
                                : "d"((uint16_t)0x80)
                                : "memory"));
    CHECK_EQ(from, buf + 2);
    to = (char *)UNMAPPED_VA;
    n = 1;
    CHECK_FAULT(asm volatile("rep insb"
                             : "+D"(to), "+c"(n)
                             : "d"((uint16_t)0x80)
                             : "memory"),
                VEC_PF);
    CHECK_EQ(fault.cr2, UNMAPPED_VA);
}

USER_CODE_BLOCK(user_in, "inb $0x80, %al\n\tud2\n");
USER_CODE_BLOCK(user_cli, "cli\n\tud2\n");

TEST(io_of_user_mode)
{
    struct physdev_set_iopl iopl = { .iopl = 1 };

    REQUIRE(CHECK_OK(user_init()));
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_EQ(user_run(user_in_from, user_in_to, 0, 0), VEC_GP);
    iopl.iopl = 3;
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_EQ(user_run(user_in_from, user_in_to, 0, 0), VEC_UD);
    iopl.iopl = 1;
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_EQ(user_run(user_in_from, user_in_to, 0, 0), VEC_GP);
}

/* By the bitmap, where a clear bit permits. */
TEST(io_bitmap)
{
    uint8_t *bits = pages_get(2);
    struct physdev_set_iobitmap map = { .nr_ports = 0x400 };

    REQUIRE(CHECK_OK(user_init()));
    memset(bits, 0xff, 0x80);
    set_xen_guest_handle(map.bitmap, bits);
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iobitmap, &map));
    CHECK_EQ(user_run(user_in_from, user_in_to, 0, 0), VEC_GP);
    bits[0x80 / 8] = 0xfe;
    CHECK_EQ(user_run(user_in_from, user_in_to, 0, 0), VEC_UD);
    map.nr_ports = 0;
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iobitmap, &map));
    CHECK_EQ(user_run(user_in_from, user_in_to, 0, 0), VEC_GP);
}

/* With virtual IOPL 1 a kernel's cli and sti are taken, and do nothing. */
TEST(interrupt_flag)
{
    struct physdev_set_iopl iopl = { .iopl = 0 };

    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_FAULT(asm volatile("cli"), VEC_GP);
    CHECK_FAULT(asm volatile("sti"), VEC_GP);
    iopl.iopl = 1;
    CHECK_OK(hc_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    vcpu0()->evtchn_upcall_mask = 1;
    CHECK_NO_FAULT(asm volatile("sti"));
    CHECK_EQ(vcpu0()->evtchn_upcall_mask, 1);
    CHECK_NO_FAULT(asm volatile("cli"));
    CHECK_EQ(read_flags() & FL_IF, FL_IF);
    CHECK_EQ(user_run(user_cli_from, user_cli_to, 0, 0), VEC_GP);
}

/* popf leaves what is privileged as it is. */
TEST(flags_register)
{
    CHECK_NO_FAULT(write_flags(FL_ONE | FL_IOPL));
    CHECK_EQ(read_flags() & (FL_IOPL | FL_IF), FL_IF);
}

TEST(cache_and_tlb_instructions)
{
    void *page = page_get();

    CHECK_FAULT(asm volatile("invlpg (%0)"
                             :
                             : "r"(page)
                             : "memory"),
                DIFFERS(NO_FAULT, VEC_GP, "carried out like mmuext_op's"));
    CHECK_NO_FAULT(asm volatile("wbinvd"));
    /* Throwing the cache away is not for us; writing it back will do. */
    CHECK_FAULT(asm volatile("invd"),
                DIFFERS(NO_FAULT, VEC_GP, "carried out as wbinvd"));
}

TEST(time_stamp_counter)
{
    u64 a = 0, b = 0;

    CHECK_NO_FAULT(a = rdtsc());
    CHECK_NO_FAULT(b = rdtsc());
    CHECK(b > a);
}

/* CR4.TSD stops user mode alone; the kernel's readings are carried out. */
TEST(time_stamp_counter_with_tsd)
{
    u64 cr4 = READ_REG(cr4), a = rdtsc(), b = 0, c = 0;
    unsigned int low, high, aux = ~0u;

    WRITE_REG(cr4, cr4 | 4);
    CHECK_NO_FAULT(b = rdtsc());
    CHECK_NO_FAULT(asm volatile("rdtscp"
                                : "=a"(low), "=d"(high), "=c"(aux)));
    CHECK_NO_FAULT(asm volatile("data16 rdtsc" : "=a"(c) : : "rdx"));
    WRITE_REG(cr4, cr4);
    CHECK(b > a);
    CHECK((low | (u64)high << 32) > b);
    CHECK_EQ(aux, 0);
    CHECK((unsigned int)c != 0);
}

TEST(descriptor_table_instructions)
{
    struct {
        uint16_t limit;
        u64 base;
    } __attribute__((packed)) table = { 0xfff, 0 };

    CHECK_FAULT(asm volatile("lgdt %0" : : "m"(table)), VEC_GP);
    CHECK_FAULT(asm volatile("lidt %0" : : "m"(table)), VEC_GP);
    CHECK_FAULT(asm volatile("lldt %w0" : : "r"(0)), VEC_GP);
    CHECK_FAULT(asm volatile("ltr %w0" : : "r"(0x40)), VEC_GP);
}

TEST(other_privileged_instructions)
{
    CHECK_FAULT(asm volatile("hlt"), VEC_GP);
    CHECK_FAULT(asm volatile("rdpmc" : : "c"(0) : "eax", "edx"), VEC_GP);
    CHECK_FAULT(asm volatile("swapgs"), VEC_GP);
    CHECK_FAULT(asm volatile("sysretq"), VEC_GP);
}

TEST(virtualisation_instructions)
{
    CHECK_FAULT(asm volatile("vmcall" : : : "rax"), VEC_UD);
    CHECK_FAULT(asm volatile("vmmcall" : : : "rax"), VEC_UD);
}

TEST(extended_control_register)
{
    u32 lo = 0, hi = 0;

    if (!(cpuid_forced(1, 0).c & (1u << 26)))
        SKIP("no XSAVE is offered");
    WRITE_REG(cr4, READ_REG(cr4) | (1 << 18));
    CHECK_NO_FAULT(asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0)));
    CHECK_EQ(lo & 1, 1);
    CHECK_NO_FAULT(asm volatile("xsetbv" : : "a"(lo), "d"(hi), "c"(0)));
    CHECK_FAULT(asm volatile("xsetbv"
                             :
                             : "a"(lo & ~1u), "d"(hi), "c"(0)),
                VEC_GP);
    CHECK_FAULT(asm volatile("xsetbv" : : "a"(lo), "d"(hi), "c"(7)), VEC_GP);
}
