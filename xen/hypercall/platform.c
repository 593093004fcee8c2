/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * platform_op: what domain 0 asks of and tells about the machine.
 * Facts: platform.h.  Domain 0 only (hypercalls.def).
 *
 * Not there, and said so by -EOPNOTSUPP: power management by the hypervisor
 * (C and P states), taking CPUs off line, hotplug, microcode, EFI run time.
 */
#include <hv/acpi.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/domain-clock.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>
#include <hv/mm.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/string.h>
#include <hv/x86.h>
#include <xen/platform.h>

typedef struct xen_platform_op platform_op_t;

static int op_unsupported(platform_op_t *op)
{
    (void)op;
    return -EOPNOTSUPP;
}

/* --- time --- */

static int set_time(u64 seconds, u32 ns, u64 system_time)
{
    struct domain *d;
    domid_t next = 0;

    if (ns >= 1000000000)
        return -EINVAL;
    wall_clock_set(seconds, ns, (s_time_t)system_time + currd->time_shift);
    while ((d = get_next_domain(next)) != NULL) {
        domain_update_wall_clock(d);
        next = (domid_t)(d->id + 1);
        put_domain(d);
    }
    return 0;
}

static int op_settime32(platform_op_t *op)
{
    const struct xenpf_settime32 *t = &op->u.settime32;

    return set_time(t->secs, t->nsecs, t->system_time);
}

static int op_settime64(platform_op_t *op)
{
    const struct xenpf_settime64 *t = &op->u.settime64;

    return t->mbz ? -EINVAL : set_time(t->secs, t->nsecs, t->system_time);
}

/* --- memory types: the firmware's MTRRs, to be read only --- */

#define MSR_MTRR_CAP 0xfe
#define MSR_MTRR_PHYSBASE(n) (0x200 + 2 * (n))
#define MTRR_VALID (1UL << 11)

static int op_read_memtype(platform_op_t *op)
{
    struct xenpf_read_memtype *m = &op->u.read_memtype;
    u64 capability, base, mask, width = (1UL << cpu_features.phys_bits) - 1;

    if (rdmsr_safe(MSR_MTRR_CAP, &capability))
        return -EOPNOTSUPP;
    if (m->reg >= (capability & 0xff) ||
        rdmsr_safe(MSR_MTRR_PHYSBASE(m->reg), &base) ||
        rdmsr_safe(MSR_MTRR_PHYSBASE(m->reg) + 1, &mask))
        return -EINVAL;
    m->mfn = 0;
    m->nr_mfns = 0;
    m->type = 0;
    if (mask & MTRR_VALID) {
        m->mfn = (base & width) >> PAGE_SHIFT;
        m->nr_mfns = (width - (mask & width & PAGE_MASK) + 1) >> PAGE_SHIFT;
        m->type = base & 0xff;
    }
    return 0;
}

/* --- firmware --- */

/* Disks and monitor data would take BIOS calls in real mode at boot. */
static int op_firmware_info(platform_op_t *op)
{
    struct xenpf_firmware_info *f = &op->u.firmware_info;
    static const u8 *flags; /* mapped once */

    switch (f->type) {
    case XEN_FW_DISK_INFO:
    case XEN_FW_DISK_MBR_SIGNATURE:
    case XEN_FW_VBEDDC_INFO:
        return -ESRCH;
    case XEN_FW_EFI_INFO:
        return -EOPNOTSUPP;
    case XEN_FW_KBD_SHIFT_FLAGS:
        if (f->index)
            return -ESRCH;
        if (!flags)
            flags = map_firmware(0x417, 1); /* BIOS data area, 40:17 */
        if (!flags)
            return -ENOMEM;
        f->u.kbd_shift_flags = *flags;
        return 0;
    default:
        return -EINVAL;
    }
}

/* Quirks of 2005's IO-APICs; ours selects the register every time. */
static int op_platform_quirk(platform_op_t *op)
{
    switch (op->u.platform_quirk.quirk_id) {
    case QUIRK_NOIRQBALANCING:
    case QUIRK_IOAPIC_BAD_REGSEL:
    case QUIRK_IOAPIC_GOOD_REGSEL:
        return 0;
    default:
        return -EINVAL;
    }
}

static int op_enter_acpi_sleep(platform_op_t *op)
{
    const struct xenpf_enter_acpi_sleep *s = &op->u.enter_acpi_sleep;

    if (s->flags & ~XENPF_ACPI_SLEEP_EXTENDED)
        return -EINVAL;
    if (s->flags & XENPF_ACPI_SLEEP_EXTENDED)
        return -EOPNOTSUPP; /* hardware-reduced ACPI */
    return acpi_enter_sleep(s->sleep_state, s->val_a, s->val_b);
}

/* --- CPUs --- */

static unsigned int nr_cpus_known(void)
{
    return MAX(machine.nr_cpus, 1U);
}

static bool online(u32 cpu)
{
    return cpu < NR_CPUS && cpumask_test(READ_ONCE(cpu_online_map), cpu);
}

static int op_get_cpuinfo(platform_op_t *op)
{
    struct xenpf_pcpuinfo *c = &op->u.pcpu_info;

    c->max_present = nr_cpus_known() - 1;
    if (c->xen_cpuid >= nr_cpus_known()) {
        c->flags = XEN_PCPU_FLAGS_INVALID;
        return 0;
    }
    c->flags = online(c->xen_cpuid) ? XEN_PCPU_FLAGS_ONLINE : 0;
    c->apic_id = machine.cpus[c->xen_cpuid].apic_id;
    c->acpi_id = machine.cpus[c->xen_cpuid].acpi_id;
    return 0;
}

/* All CPUs of a machine that runs this are of one model. */
static int op_get_cpu_version(platform_op_t *op)
{
    struct xenpf_pcpu_version *c = &op->u.pcpu_version;
    u32 signature = cpuid_count(1, 0).a;

    c->max_present = nr_cpus_known() - 1;
    if (!online(c->xen_cpuid)) {
        memset(c->vendor_id, 0, sizeof(c->vendor_id));
        c->family = c->model = c->stepping = 0;
        return 0;
    }
    memcpy(c->vendor_id, cpu_features.vendor, sizeof(c->vendor_id));
    c->stepping = signature & 0xf;
    c->model = (signature >> 4) & 0xf;
    c->family = (signature >> 8) & 0xf;
    if (c->family == 0xf || c->family == 6)
        c->model += ((signature >> 16) & 0xf) << 4;
    if (c->family == 0xf)
        c->family += (signature >> 20) & 0xff;
    return 0;
}

static int op_cpu_online(platform_op_t *op)
{
    u32 cpu = op->u.cpu_ol.cpuid;

    if (cpu >= nr_cpus_known())
        return -EINVAL;
    return online(cpu) ? 0 : -EOPNOTSUPP;
}

static int op_cpu_offline(platform_op_t *op)
{
    return online(op->u.cpu_ol.cpuid) ? -EOPNOTSUPP : -EINVAL;
}

static int op_core_parking(platform_op_t *op)
{
    struct xenpf_core_parking *c = &op->u.core_parking;

    switch (c->type) {
    case XEN_CORE_PARKING_SET: return c->idle_nums ? -EOPNOTSUPP : 0;
    case XEN_CORE_PARKING_GET: c->idle_nums = 0; return 0;
    default: return -EINVAL;
    }
}

/* One byte of the CPU map at a time. */
static int op_getidletime(platform_op_t *op)
{
    struct xenpf_getidletime *g = &op->u.getidletime;
    unsigned int nr = MIN(g->cpumap_nr_cpus, (u32)NR_CPUS);

    for (unsigned int cpu = 0; cpu < nr; cpu++) {
        u8 byte;
        u64 t = 0;

        if (copy_from_handle_offset(&byte, g->cpumap_bitmap, cpu / 8))
            return -EFAULT;
        if (!(byte & (1U << (cpu % 8))))
            continue;
        if (online(cpu)) {
            t = (u64)cpu_idle_time(cpu);
        } else {
            byte &= (u8)~(1U << (cpu % 8));
            if (copy_to_handle_offset(g->cpumap_bitmap, cpu / 8, &byte))
                return -EFAULT;
        }
        if (copy_to_handle_offset(g->idletime, cpu, &t))
            return -EFAULT;
    }
    g->now = (u64)now();
    return 0;
}

/* --- registers of another CPU --- */

#define MAX_RESOURCE_ENTRIES 3
#define MSR_TSC 0x10

struct resource_call {
    struct xenpf_resource_entry entries[MAX_RESOURCE_ENTRIES];
    unsigned int nr, done;
};

/* The time of a reading is all that may be read. Stops at the first error. */
static void read_resources(void *arg)
{
    struct resource_call *c = arg;

    for (c->done = 0; c->done < c->nr; c->done++) {
        struct xenpf_resource_entry *e = &c->entries[c->done];
        u32 cmd = e->u.cmd; /* its place is the reply's too */

        e->u.ret = 0;
        if (cmd != XEN_RESOURCE_OP_MSR_READ && cmd != XEN_RESOURCE_OP_MSR_WRITE)
            e->u.ret = -EOPNOTSUPP;
        else if (e->rsvd)
            e->u.ret = -EINVAL;
        else if (e->idx != MSR_TSC || cmd != XEN_RESOURCE_OP_MSR_READ)
            e->u.ret = -EPERM;
        if (e->u.ret)
            return;
        e->val = (u64)now();
    }
}

static int op_resource_op(platform_op_t *op)
{
    struct xenpf_resource_op *r = &op->u.resource_op;
    struct resource_call c = {.nr = r->nr_entries};
    unsigned int written;

    if (r->nr_entries > MAX_RESOURCE_ENTRIES)
        return -EINVAL;
    if (!online(r->cpu))
        return -ENODEV;
    for (unsigned int i = 0; i < c.nr; i++)
        if (copy_from_handle_offset(&c.entries[i], r->entries, i))
            return -EFAULT;
    smp_call_function(cpumask_of(r->cpu), read_resources, &c, true);
    written = MIN(c.done + 1, c.nr); /* the failed one tells why */
    for (unsigned int i = 0; i < written; i++)
        if (copy_to_handle_offset(r->entries, i, &c.entries[i]))
            return -EFAULT;
    return (int)c.done;
}

/* --- symbols --- */

static int op_get_symbol(platform_op_t *op)
{
    struct xenpf_symdata *s = &op->u.symdata;
    unsigned long address;
    const char *name = symbol_by_number(s->symnum, &address);
    u32 room = s->namelen, length;

    if (!name) {
        s->namelen = 0;
        return 0; /* symnum as it was: the end */
    }
    length = (u32)strlen(name) + 1;
    if (room && raw_copy_to_guest(s->name.p, name, MIN(room, length)))
        return -EFAULT;
    s->namelen = length - 1;
    s->address = address;
    s->type = 't';
    s->symnum++;
    return 0;
}

/* --- dispatch --- */

#define FIRST_OP XENPF_settime32

static int (*const ops[])(platform_op_t *op) = {
#define OP(nr, fn) [(nr) - FIRST_OP] = fn
    OP(XENPF_settime32, op_settime32),
    OP(XENPF_add_memtype, op_unsupported),
    OP(XENPF_del_memtype, op_unsupported),
    OP(XENPF_read_memtype, op_read_memtype),
    OP(XENPF_microcode_update, op_unsupported),
    OP(XENPF_platform_quirk, op_platform_quirk),
    OP(XENPF_get_cpu_version, op_get_cpu_version),
    OP(XENPF_efi_runtime_call, op_unsupported),
    OP(XENPF_firmware_info, op_firmware_info),
    OP(XENPF_enter_acpi_sleep, op_enter_acpi_sleep),
    OP(XENPF_change_freq, op_unsupported),
    OP(XENPF_getidletime, op_getidletime),
    OP(XENPF_set_processor_pminfo, op_unsupported),
    OP(XENPF_get_cpuinfo, op_get_cpuinfo),
    OP(XENPF_cpu_online, op_cpu_online),
    OP(XENPF_cpu_offline, op_cpu_offline),
    OP(XENPF_cpu_hotadd, op_unsupported),
    OP(XENPF_mem_hotadd, op_unsupported),
    OP(XENPF_core_parking, op_core_parking),
    OP(XENPF_resource_op, op_resource_op),
    OP(XENPF_settime64, op_settime64),
    OP(XENPF_get_symbol, op_get_symbol),
#undef OP
};

long do_platform_op(unsigned long arg, unsigned long a2, unsigned long a3,
                    unsigned long a4, unsigned long a5)
{
    platform_op_t op, *user = (platform_op_t *)arg;
    u32 nr;
    long rc;

    (void)a2, (void)a3, (void)a4, (void)a5;
    if (copy_from_guest(&op, user))
        return -EFAULT;
    if (op.interface_version != XENPF_INTERFACE_VERSION)
        return -EACCES;
    nr = op.cmd - FIRST_OP;
    if (nr >= ARRAY_SIZE(ops) || !ops[nr])
        return -ENOSYS;
    if (copy_to_guest(user, &op)) /* the reply has somewhere to go */
        return -EFAULT;
    rc = ops[nr](&op);
    if (rc >= 0 && copy_to_guest(user, &op))
        return -EFAULT;
    return rc;
}
