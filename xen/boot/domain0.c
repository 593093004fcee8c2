/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domain 0 is built here: memory, kernel image, initrd, start_info, first page
 * tables, the state of vCPU 0 (start-of-day rules: xen.h, "Start-of-day memory
 * layout"; notes: elfnote.h).
 *
 * Order of pages from pfn 0: what the kernel image leaves free below it, the
 * image, [initrd], [p2m list], start_info, page tables, boot stack, padding up
 * to the end of the mapping; initrd and p2m list come after the mapping when
 * the kernel's notes allow.
 */
#include <hv/boot.h>
#include <hv/bug.h>
#include <hv/console.h>
#include <hv/domain-clock.h>
#include <hv/domain.h>
#include <hv/printk.h>
#include <hv/pv-mm.h>
#include <hv/pv.h>
#include <hv/sched.h>
#include <hv/softirq.h>
#include <hv/string.h>

#include "domain0.h"
#include "hooks.h"

#define MAPPING_ALIGN (4UL << 20)
#define MAPPING_SPARE (512UL << 10)

static unsigned long pages_of(size_t bytes)
{
    return DIV_ROUND_UP(bytes, PAGE_SIZE);
}

static u64 va_of(const struct dom0_layout *l, unsigned long pfn)
{
    return l->virt_base + (pfn << PAGE_SHIFT);
}

/* Choose a place for everything; the mapping's tables map themselves. */
static void plan(struct dom0_layout *l, const struct kernel_image *k,
                 const struct boot_module *initrd)
{
    unsigned long at = pages_of(k->virt_end - k->virt_base), end;

    l->kernel_end = at;
    l->initrd_pages = initrd ? pages_of(initrd->size) : 0;
    l->p2m_list_pages = pages_of(l->nr_pages * sizeof(unsigned long));
    if (!k->mod_start_pfn) {
        l->initrd = at;
        at += l->initrd_pages;
    }
    if (!k->init_p2m) {
        l->p2m_list = at;
        at += l->p2m_list_pages;
    }
    l->start_info = at++;
    l->tables = at;
    for (l->nr_tables = 1;; l->nr_tables++) {
        u64 top = va_of(l, at + l->nr_tables + 1) + MAPPING_SPARE;

        top = ROUND_UP(top, MAPPING_ALIGN);
        l->mapped = (top - l->virt_base) >> PAGE_SHIFT;
        if (dom0_tables_needed(l->virt_base, top) + 1 <= l->nr_tables)
            break;
    }
    l->stack = at + l->nr_tables;
    end = l->mapped;
    if (k->mod_start_pfn) {
        l->initrd = end;
        end += l->initrd_pages;
    }
    if (k->init_p2m) {
        l->p2m_list = end;
        l->nr_p2m_tables = dom0_tables_needed(
            k->init_p2m, k->init_p2m + (l->p2m_list_pages << PAGE_SHIFT));
        l->p2m_tables = end + l->p2m_list_pages;
        end = l->p2m_tables + l->nr_p2m_tables;
    }
    if (end > l->nr_pages)
        panic("dom0_mem=%luM is too small: kernel, initrd and tables need %lu MiB. Give at least dom0_mem=%luM.",
              l->nr_pages >> 8, (end >> 8) + 1, (end >> 8) + 64);
}

static void load_kernel(const struct dom0_layout *l,
                        const struct kernel_image *k)
{
    for (unsigned int i = 0; i < k->nr_segments; i++) {
        unsigned long at = k->segments[i].vaddr - l->virt_base;
        u64 file = k->segments[i].file_size;

        dom0_copy(l, at, k->elf + k->segments[i].file_offset, file);
        dom0_clear(l, at + file, k->segments[i].mem_size - file);
    }
}

static void fill_vga_info(struct dom0_vga_console_info *c)
{
    __typeof__(boot_info.framebuffer) *f = &boot_info.framebuffer;

    if (!f->addr || f->type != 1) {
        c->video_type = XEN_VGATYPE_TEXT_MODE_3;
        c->u.text_mode_3.font_height = 16;
        c->u.text_mode_3.rows = 25;
        c->u.text_mode_3.columns = 80;
        return;
    }
    c->video_type = XEN_VGATYPE_VESA_LFB;
    c->u.vesa_lfb.width = (u16)f->width;
    c->u.vesa_lfb.height = (u16)f->height;
    c->u.vesa_lfb.bytes_per_line = (u16)f->pitch;
    c->u.vesa_lfb.bits_per_pixel = f->bpp;
    c->u.vesa_lfb.lfb_base = (u32)f->addr;
    c->u.vesa_lfb.lfb_size = (f->pitch * f->height + 0xffff) >> 16;
    c->u.vesa_lfb.red_pos = f->red_pos;
    c->u.vesa_lfb.red_size = f->red_size;
    c->u.vesa_lfb.green_pos = f->green_pos;
    c->u.vesa_lfb.green_size = f->green_size;
    c->u.vesa_lfb.blue_pos = f->blue_pos;
    c->u.vesa_lfb.blue_size = f->blue_size;
    c->u.vesa_lfb.ext_lfb_base = (u32)(f->addr >> 32);
}

static void fill_start_info(const struct dom0_layout *l,
                            const struct kernel_image *k,
                            const struct boot_module *kernel,
                            const struct boot_module *initrd)
{
    struct start_info *si = dom0_page(l, l->start_info);

    clear_page(si);
    strlcpy(si->magic, "xen-3.0-x86_64", sizeof(si->magic));
    si->nr_pages = l->nr_pages;
    si->shared_info = mfn_to_maddr(l->d->shared_info_mfn);
    si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
    si->pt_base = va_of(l, l->tables);
    si->nr_pt_frames = l->nr_tables;
    si->mfn_list = k->init_p2m ? k->init_p2m : va_of(l, l->p2m_list);
    if (k->init_p2m) {
        si->first_p2m_pfn = l->p2m_list;
        si->nr_p2m_frames = l->p2m_list_pages + l->nr_p2m_tables;
    }
    if (initrd) {
        si->mod_start = k->mod_start_pfn ? l->initrd : va_of(l, l->initrd);
        si->mod_len = initrd->size;
        si->flags |= k->mod_start_pfn ? SIF_MOD_START_PFN : 0;
    }
    si->console.dom0.info_off = sizeof(*si);
    si->console.dom0.info_size = sizeof(struct dom0_vga_console_info);
    fill_vga_info((struct dom0_vga_console_info *)(si + 1));
    /* Without legacy BIOS areas Linux does not find the tables itself. */
    if (boot_info.efi_system_table && boot_info.acpi_rsdp)
        snprintf((char *)si->cmd_line, sizeof(si->cmd_line),
                 "%s acpi_rsdp=%#lx", kernel->cmdline,
                 (unsigned long)boot_info.acpi_rsdp);
    else
        strlcpy((char *)si->cmd_line, kernel->cmdline, sizeof(si->cmd_line));
}

/* Ports of devices that the hypervisor drives itself. */
static void allow_ports(struct domain *d)
{
    static const struct {
        u16 first, last;
    } denied[] = {
        {0x20, 0x21}, {0xa0, 0xa1}, /* interrupt controllers */
        {0x40, 0x43},               /* interval timer */
    };

    d->ioport_allowed = hv_alloc(65536 / 8);
    if (!d->ioport_allowed)
        panic("Not enough memory for domain 0's port bitmap");
    memset(d->ioport_allowed, 0xff, 65536 / 8);
    for (unsigned int i = 0; i < ARRAY_SIZE(denied); i++)
        for (unsigned int p = denied[i].first; p <= denied[i].last; p++)
            __clear_bit(p, d->ioport_allowed);
    console_deny_ports(d->ioport_allowed);
    d->io_all_allowed = 1;
}

static struct domain *create(unsigned long pages)
{
    unsigned int vcpus = dom0_vcpu_count();
    struct domain *d;
    int err;

    d = domain_create(0, vcpus, DOMCREATE_PRIVILEGED, &err);
    if (!d)
        panic("Domain 0 cannot be created: error %d", err);
    d->max_pages = (u32)dom0_memory_max_pages(pages);
    for (unsigned int i = 0; i < vcpus; i++)
        if (!vcpu_create(d, i))
            panic("Not enough memory for vCPU %u of domain 0", i);
    allow_ports(d);
    return d;
}

static void set_vcpu0(const struct dom0_layout *l, const struct kernel_image *k,
                      mfn_t top)
{
    struct vcpu *v = l->d->vcpu[0];
    struct cpu_user_regs *r = &v->regs;
    int rc = pv_set_kernel_l4(v, top);

    /* The kernel unpins it when it has one of its own. */
    if (!rc)
        rc = pv_pin(l->d, top, 4);
    if (rc)
        panic("Domain 0's first page tables are refused: error %d", rc);
    memset(r, 0, sizeof(*r));
    r->rip = k->virt_entry;
    r->cs = FLAT_KERNEL_CS;
    r->ss = FLAT_KERNEL_SS;
    r->rflags = 0x202;
    r->rsp = va_of(l, l->stack + 1);
    r->rsi = va_of(l, l->start_info);
    v->pv.in_kernel = 1;
    v->pv.info->evtchn_upcall_mask = 1;
    v->initialised = 1;
}

static void report(const struct dom0_layout *l, const struct kernel_image *k)
{
    log_info("Domain 0: %s %s, %lu MiB, %u vCPU%s\n", k->guest_os,
             k->guest_version, l->nr_pages >> 8, l->d->max_vcpus,
             l->d->max_vcpus == 1 ? "" : "s");
    log_info(" kernel   %#lx-%#lx, entry %#lx\n", (unsigned long)k->virt_start,
             (unsigned long)k->virt_end, (unsigned long)k->virt_entry);
    if (l->initrd_pages)
        log_info(" initrd   pfn %#lx, %lu KiB\n", l->initrd,
                 l->initrd_pages << 2);
    log_info(" mapped   %#lx-%#lx, tables at pfn %#lx\n",
             (unsigned long)l->virt_base,
             (unsigned long)va_of(l, l->mapped), l->tables);
}

void __init build_domain0(void)
{
    const struct boot_module *initrd =
        boot_info.nr_modules > 1 ? &boot_info.modules[1] : NULL;
    struct dom0_layout l = {0};
    struct kernel_image k;
    mfn_t top;

    if (kernel_image_open(boot_info.nr_modules ? &boot_info.modules[0] : NULL,
                          &k))
        panic("Domain 0's kernel cannot be used (see above). Name a Linux kernel with Xen PV support as the first module.");
    tasklets_run(); /* debug keys */
    l.nr_pages = dom0_memory_pages();
    l.virt_base = k.virt_base;
    plan(&l, &k, initrd);
    l.d = create(l.nr_pages);
    l.p2m_order = order_of_size(l.nr_pages * sizeof(mfn_t));
    l.p2m = alloc_hv_pages(l.p2m_order, 0);
    if (!l.p2m)
        panic("Not enough memory for domain 0's frame list. Give a smaller dom0_mem=.");
    dom0_allocate(&l);
    load_kernel(&l, &k);
    if (k.hypercall_page)
        pv_fill_hypercall_page(dom0_page(
            &l, (k.hypercall_page - k.virt_base) >> PAGE_SHIFT));
    if (initrd)
        dom0_copy(&l, l.initrd << PAGE_SHIFT, maddr_to_virt(initrd->start),
                  initrd->size);
    tasklets_run();
    dom0_copy(&l, l.p2m_list << PAGE_SHIFT, l.p2m,
              l.nr_pages * sizeof(mfn_t));
    fill_start_info(&l, &k, &boot_info.modules[0], initrd);
    top = dom0_build_tables(&l, k.init_p2m);
    set_vcpu0(&l, &k, top);
    report(&l, &k);
    free_hv_pages(l.p2m, l.p2m_order);
    kernel_image_close(&k);
    domain_update_wall_clock(l.d);
    vcpu_bring_up(l.d->vcpu[0]);
}
