/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A domain without privileges: the second module, a tiny kernel too, is loaded
 * into a new domain by domctl and runs its tests there. Its console ring comes
 * out on ours, its total is added to this kernel's. While it runs, and after,
 * nothing of ours may have changed.
 *
 * Layout of the new domain, by pfn: the image where its ELF file wants it,
 * then LIST_PFN.. p2m list, start_info, console and xenstore rings, shared
 * page's place, page tables; one to one from VIRT_BASE ("Start-of-day memory
 * layout" in <xen/xen.h>). The file's addresses are trusted: it is ours.
 */
#include "guest.h"

#include <elf.h>

#define CHILD_PAGES 4096UL /* 16 MiB, mapped by NR_L1 tables */
#define MAPPED_PAGES (CHILD_PAGES - 64)
#define NR_L1 (CHILD_PAGES / 512)

enum {
    LIST_PFN = 0xf00,
    INFO_PFN = LIST_PFN + CHILD_PAGES / 512,
    CONSOLE_PFN,
    STORE_PFN,
    L4_PFN,
    L3_PFN,
    L2_PFN,
    L1_PFN,
    TABLES_END = L1_PFN + NR_L1,
};

extern char _start[]; /* at one address in every tiny kernel */

static domid_t child;
static xen_pfn_t *frames; /* of the child, by pfn */
static char *window;
static volatile struct xencons_interface *ring;

static long map_foreign(void *va, ulong mfn)
{
    return hc_update_va_mapping_otherdomain((ulong)va, PTE(mfn, PTE_RW_FLAGS),
                                            UVMF_INVLPG, child);
}

/* A page of the child, until the next call. */
static void *child_page(ulong pfn)
{
    if (map_foreign(window, frames[pfn]))
        print("pfn %lx of the child cannot be mapped\n", pfn);
    return window;
}

static void child_write(ulong paddr, const char *from, ulong size)
{
    while (size) {
        ulong in = paddr % PAGE_SIZE;
        ulong n = size < PAGE_SIZE - in ? size : PAGE_SIZE - in;

        memcpy((char *)child_page(paddr / PAGE_SIZE) + in, from, n);
        paddr += n;
        from += n;
        size -= n;
    }
}

static long create(void)
{
    struct xen_domctl op = { 0 };
    struct xen_domctl_createdomain *c = &op.u.createdomain;
    long rc;

    child = 0;
    c->max_vcpus = 2;
    c->max_evtchn_port = 4095;
    c->max_grant_frames = 8;
    c->max_maptrack_frames = 8;
    c->grant_opts = XEN_DOMCTL_GRANT_version(2);
    rc = domctl(XEN_DOMCTL_createdomain, child, &op);
    child = op.domain;
    if (rc)
        return rc;
    memset(&op, 0, sizeof(op));
    op.u.max_vcpus.max = 2;
    rc = domctl(XEN_DOMCTL_max_vcpus, child, &op);
    memset(&op, 0, sizeof(op));
    op.u.max_mem.max_memkb = (CHILD_PAGES + 64) * 4;
    return rc ? rc : domctl(XEN_DOMCTL_max_mem, child, &op);
}

static long populate(void)
{
    struct xen_memory_reservation r = { .nr_extents = CHILD_PAGES,
                                        .domid = child };

    for (ulong pfn = 0; pfn < CHILD_PAGES; pfn++)
        frames[pfn] = pfn;
    set_xen_guest_handle(r.extent_start, frames);
    return hc_memory_op(XENMEM_populate_physmap, &r);
}

/* The ELF file's segments; what .bss needs is zero already. */
static bool load(const char *file)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)file;
    const Elf64_Phdr *p = (const Elf64_Phdr *)(file + e->e_phoff);

    if (memcmp(e->e_ident, ELFMAG, SELFMAG))
        return false;
    for (unsigned i = 0; i < e->e_phnum; i++) {
        if (p[i].p_type != PT_LOAD)
            continue;
        if ((p[i].p_paddr + p[i].p_memsz) / PAGE_SIZE >= LIST_PFN)
            return false;
        child_write(p[i].p_paddr, file + p[i].p_offset, p[i].p_filesz);
    }
    return true;
}

static void write_tables(void)
{
    u64 *table = child_page(L4_PFN);

    table[511] = PTE(frames[L3_PFN], PTE_RW_FLAGS);
    table = child_page(L3_PFN);
    table[510] = PTE(frames[L2_PFN], PTE_RW_FLAGS);
    table = child_page(L2_PFN);
    for (unsigned i = 0; i < NR_L1; i++)
        table[i] = PTE(frames[L1_PFN + i], PTE_RW_FLAGS);
    for (ulong pfn = 0; pfn < MAPPED_PAGES; pfn++) {
        bool is_table = pfn >= L4_PFN && pfn < TABLES_END;

        table = child_page(L1_PFN + pfn / 512);
        table[pfn % 512] = PTE(frames[pfn],
                               is_table ? PTE_RO_FLAGS : PTE_RW_FLAGS);
    }
}

static void write_start_info(ulong shared_mfn)
{
    start_info_t *si = child_page(INFO_PFN);

    memcpy(si->magic, "xen-3.0-x86_64", 15);
    si->nr_pages = CHILD_PAGES;
    si->shared_info = shared_mfn * PAGE_SIZE;
    si->pt_base = VIRT_BASE + L4_PFN * PAGE_SIZE;
    si->nr_pt_frames = TABLES_END - L4_PFN;
    si->mfn_list = VIRT_BASE + LIST_PFN * PAGE_SIZE;
    si->store_mfn = frames[STORE_PFN];
    si->console.domU.mfn = frames[CONSOLE_PFN];
    text_format((char *)si->cmd_line, sizeof(si->cmd_line), "%s id=%x",
                (const char *)start_info->cmd_line, child);
}

static long pin(void)
{
    struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE };

    op.arg1.mfn = frames[L4_PFN];
    return hc_mmuext_op(&op, 1, NULL, child);
}

static long set_context(void)
{
    static struct vcpu_guest_context c;
    struct xen_domctl op = { 0 };

    memset(&c, 0, sizeof(c));
    c.flags = VGCF_in_kernel | VGCF_online;
    c.user_regs.rip = (ulong)_start;
    c.user_regs.rsi = VIRT_BASE + INFO_PFN * PAGE_SIZE;
    c.user_regs.rsp = VIRT_BASE + LIST_PFN * PAGE_SIZE;
    c.user_regs.rflags = FL_IF;
    c.user_regs.cs = FLAT_KERNEL_CS;
    c.user_regs.ss = FLAT_KERNEL_SS;
    c.kernel_ss = FLAT_KERNEL_SS;
    c.kernel_sp = c.user_regs.rsp;
    c.ctrlreg[3] = frames[L4_PFN] << 12;
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &c);
    return domctl(XEN_DOMCTL_setvcpucontext, child, &op);
}

static bool build(void)
{
    struct xen_domctl op = { 0 };
    ulong list = 0;

    window = page_get();
    ring = page_get();
    frames = pages_get(CHILD_PAGES * sizeof(*frames) / PAGE_SIZE);
    if (!CHECK_OK(create()) || !CHECK_EQ(populate(), CHILD_PAGES) ||
        !CHECK_OK(domctl(XEN_DOMCTL_getdomaininfo, child, &op)) ||
        !CHECK(load((const char *)start_info->mod_start)))
        return false;
    for (list = 0; list < CHILD_PAGES; list += 512)
        memcpy(child_page(LIST_PFN + list / 512), frames + list, PAGE_SIZE);
    write_tables();
    write_start_info(op.u.getdomaininfo.shared_info_frame);
    return CHECK_OK(remap(window, 0)) && CHECK_OK(pin()) &&
           CHECK_OK(map_foreign((void *)ring, frames[CONSOLE_PFN])) &&
           CHECK_OK(set_context());
}

/* --- while it runs --- */

static bool quiet;
static char line[600];
static unsigned line_used;
static unsigned total_passed, total_failed;

static unsigned number_at(const char *s)
{
    unsigned n = 0;

    while (*s >= '0' && *s <= '9')
        n = n * 10 + (unsigned)(*s++ - '0');
    return n;
}

/* The child's total is its last line: "GUEST 5 passed, 0 failed". */
static void line_done(void)
{
    const char *comma = line;

    line[line_used] = '\0';
    line_used = 0;
    if (strncmp(line, "GUEST ", 6)) {
        if (!quiet)
            print("%s\n", line);
        return;
    }
    while (*comma && *comma != ',')
        comma++;
    total_passed = number_at(line + 6);
    total_failed = number_at(comma + 2);
}

/* Takes what is in the ring, whatever its owner made of the counters. */
static void drain(void)
{
    u32 cons = ring->out_cons, prod = ring->out_prod;

    if (prod - cons > sizeof(ring->out))
        cons = prod;
    asm volatile("" ::: "memory");
    for (; cons != prod; cons++) {
        char c = ring->out[MASK_XENCONS_IDX(cons, ring->out)];

        if (c == '\n' || line_used == sizeof(line) - 1)
            line_done();
        else
            line[line_used++] = c;
    }
    asm volatile("" ::: "memory");
    ring->out_cons = cons;
}

/* The code it ended with (SHUTDOWN_*), by getdomaininfo's flags. */
static long run(void)
{
    struct xen_domctl op = { 0 };
    long rc = domctl(XEN_DOMCTL_unpausedomain, child, &op);

    while (!rc) {
        rc = domctl(XEN_DOMCTL_getdomaininfo, child, &op);
        drain();
        if (op.u.getdomaininfo.flags & XEN_DOMINF_shutdown)
            return (op.u.getdomaininfo.flags >> XEN_DOMINF_shutdownshift) &
                   XEN_DOMINF_shutdownmask;
        hc_sched_op(SCHEDOP_yield, NULL);
    }
    return rc;
}

/* --- what must not change --- */

static u64 sum_of_ours(void)
{
    const char *skip = (const char *)start_info->mod_start;
    u64 sum = 0;

    for (const u64 *p = (const u64 *)skip;
         p < (const u64 *)(skip + start_info->mod_len); p++)
        sum = sum * 31 + *p;
    for (ulong pfn = 0; pfn < start_info->nr_pages; pfn++)
        sum = sum * 31 + p2m()[pfn];
    return sum;
}

static long destroy(void)
{
    struct xen_domctl op = { 0 };

    return domctl(XEN_DOMCTL_destroydomain, child, &op);
}

static ulong free_pages(void)
{
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_physinfo,
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION
    };

    return hc_sysctl(&op) ? 0 : op.u.physinfo.free_pages;
}

static void live_and_die(void)
{
    struct xen_domctl op = { 0 };
    u64 sum;

    total_passed = total_failed = 0;
    REQUIRE(build());
    sum = sum_of_ours();
    CHECK_EQ(run(), option_given("dies") ? SHUTDOWN_crash : SHUTDOWN_poweroff);
    CHECK(option_given("dies") || total_passed + total_failed > 0);
    CHECK(sum == sum_of_ours());
    CHECK_OK(remap((void *)ring, 0));
    CHECK_OK(destroy());
    CHECK_ERR(domctl(XEN_DOMCTL_getdomaininfo, child, &op), -XEN_ESRCH);
}

TEST(another_domain_runs)
{
    live_and_die();
    test_count(total_passed, total_failed);
}

/* What the hypervisor allots the first time serves the second. */
TEST(it_leaves_nothing_behind)
{
    ulong free_before = free_pages();

    quiet = true;
    live_and_die();
    if (on_reference)
        SKIP("the reference frees later");
    CHECK_EQ(free_pages(), free_before);
}
