/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Non-maskable interrupts: who sent this one?  In turn: another CPU that wants
 * our registers, the debugger, the watchdog's pulse, failing memory or a
 * failing card (port 0x61, bits 7 and 6: "System control port B" of the PC
 * AT).  What is left is explained and survived.
 */
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/debug.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/events.h>
#include <hv/options.h>
#include <hv/perf.h>
#include <hv/printk.h>
#include <hv/smp.h>
#include <hv/softirq.h>
#include <xen/nmi.h>

#define PORT_REASON 0x61
#define REASON_PARITY 0x80
#define REASON_IO_CHECK 0x40
#define CLEAR_PARITY 0x04
#define CLEAR_IO_CHECK 0x08
#define ANSWER_MS 1000

enum nmi_policy { NMI_FATAL, NMI_DOM0, NMI_IGNORE };

#ifdef NDEBUG
static enum nmi_policy policy = NMI_DOM0;
#else
static enum nmi_policy policy = NMI_FATAL;
#endif

static DEFINE_PER_CPU(u32, nmi_count);
static u64 dump_wanted;    /* CPUs asked for their registers; atomics */
static u64 dump_later;     /* those that were printing: ask again; atomics */
static u64 dump_too_late;  /* those that did not answer in time; atomics */
static u64 unknown_later;   /* CPUs with an NMI to tell of later; atomics */
static u64 dom0_reasons;   /* XEN_NMIREASON_* bits for domain 0; atomics */
static bool (*debugger_nmi)(struct cpu_user_regs *regs);
static bool (*debugger_button)(struct cpu_user_regs *regs);

/* Only the first letter counts, as it always did. */
static int __init parse_nmi(const char *value)
{
    switch (value[0]) {
    case 'f': policy = NMI_FATAL; return 0;
    case 'd': policy = NMI_DOM0; return 0;
    case 'i': policy = NMI_IGNORE; return 0;
    default: return -EINVAL;
    }
}
OPTION_CUSTOM(nmi, parse_nmi);

void nmi_register_debugger(bool (*fn)(struct cpu_user_regs *regs),
                           bool (*unexplained)(struct cpu_user_regs *regs))
{
    debugger_nmi = fn;
    debugger_button = unexplained;
}

bool nmi_dump_cpu(unsigned int cpu)
{
    clear_bit(cpu, &dump_too_late);
    set_bit(cpu, &dump_wanted);
    smp_send_nmi(cpumask_of(cpu));
    for (unsigned int ms = 0; ms < ANSWER_MS; ms++) {
        if (!test_bit(cpu, &dump_wanted))
            return true;
        if (test_and_clear_bit(cpu, &dump_later))
            smp_send_nmi(cpumask_of(cpu));
        this_cpu(console_activity)++; /* the other one prints for us */
        udelay(1000);
    }
    /* It may answer yet: one that the debugger keeps is in an NMI already. */
    set_bit(cpu, &dump_too_late);
    if (test_and_clear_bit(cpu, &dump_wanted))
        return false;
    clear_bit(cpu, &dump_too_late);
    return true;
}

static bool dump_was_wanted(const struct cpu_user_regs *regs)
{
    unsigned int cpu = smp_processor_id();

    if (!test_bit(cpu, &dump_wanted))
        return test_and_clear_bit(cpu, &dump_too_late);
    if (console_busy_here()) {
        set_bit(cpu, &dump_later);
        return true;
    }
    printk("*** CPU%u ***\n", cpu);
    show_execution_state(regs);
    if (!test_and_clear_bit(cpu, &dump_wanted))
        clear_bit(cpu, &dump_too_late); /* a slow line: it came after all */
    return true;
}

/* The line is held down until it is told that it was heard. */
static void clear_reason(u8 bit)
{
    u8 v = (u8)(inb(PORT_REASON) & 0x0f);

    outb(v | bit, PORT_REASON);
    outb((u8)(v & ~bit), PORT_REASON);
}

static void hardware_error(const struct cpu_user_regs *regs, const char *what,
                           u8 clear, unsigned int dom0_bit)
{
    clear_reason(clear);
    note_event("NMI from the board, reason", clear, policy);
    if (policy == NMI_FATAL)
        panic_at(regs, "NMI - %s", what);
    if (policy == NMI_IGNORE)
        return;
    set_bit(dom0_bit, &dom0_reasons);
    raise_softirq(SOFTIRQ_NMI);
}

/* Only the boot CPU is wired to the board's line. */
static bool board_complains(const struct cpu_user_regs *regs)
{
    u8 reason = smp_processor_id() == 0 ? inb(PORT_REASON) : 0;

    if (reason == 0xff)
        reason = 0; /* there is no such port */
    reason |= atomic_xchg(&crash_test_nmi_reason, (u8)0);
    if (reason & REASON_PARITY)
        hardware_error(regs, "MEMORY ERROR", CLEAR_PARITY,
                       _XEN_NMIREASON_pci_serr);
    if (reason & REASON_IO_CHECK)
        hardware_error(regs, "I/O ERROR", CLEAR_IO_CHECK,
                       _XEN_NMIREASON_io_error);
    return reason & (REASON_PARITY | REASON_IO_CHECK);
}

static void explain_unknown(unsigned int cpu)
{
    log_warn("NMI on CPU%u for an unknown reason (port 0x61: %02x): a button, a failing part, or power management. Going on.\n",
             cpu, inb(PORT_REASON));
}

static void find_sender(struct cpu_user_regs *regs)
{
    bool known;

    this_cpu(nmi_count)++;
    perf_inc(nmis);
    known = dump_was_wanted(regs);
    known |= debugger_nmi && debugger_nmi(regs);
    known |= watchdog_nmi(regs);
    known |= board_complains(regs);
    known = known || (debugger_button && debugger_button(regs));
    if (known)
        return;
    note_event("NMI for an unknown reason", 0, 0);
    if (console_busy_here()) {
        set_bit(smp_processor_id(), &unknown_later);
        raise_softirq(SOFTIRQ_NMI);
    } else {
        explain_unknown(smp_processor_id());
    }
}

/*
 * It may have come upon a CPU that was about to sleep, after the last look for
 * something to do: an interrupt makes it look again.
 */
static void handle_nmi(struct cpu_user_regs *regs)
{
    find_sender(regs);
    if (softirq_is_pending())
        smp_send_event_check(smp_processor_id());
}

/* What an NMI leaves to be done out of it: news for people, for domain 0. */
static void after_nmi(void)
{
    u64 reasons = atomic_xchg(&dom0_reasons, 0);
    struct vcpu *v = dom0 ? dom0->vcpu[0] : NULL;

    if (test_and_clear_bit(smp_processor_id(), &unknown_later))
        explain_unknown(smp_processor_id());
    if (reasons == 0 || !v || !dom0->shared_info)
        return;
    log_warn("NMI from the board: %s. Domain 0 is told.\n",
             reasons & XEN_NMIREASON_pci_serr
                 ? "failing memory, or a PCI card's system error"
                 : "a failing card (I/O check)");
    /* Nobody clears what an NMI before told, once that was delivered. */
    if (READ_ONCE(v->nmi_pending))
        reasons |= READ_ONCE(dom0->shared_info->arch.nmi_reason);
    WRITE_ONCE(dom0->shared_info->arch.nmi_reason, reasons);
    vcpu_send_nmi(v);
}

void nmi_dump(void)
{
    unsigned int cpu;
    static const char *const names[] = {"fatal", "dom0", "ignore"};

    printk("NMI policy: %s\n", names[policy]);
    for_each_online_cpu (cpu)
        printk("CPU%u: %u NMIs\n", cpu, per_cpu(nmi_count, cpu));
}

void __init nmi_init(void)
{
    softirq_register(SOFTIRQ_NMI, after_nmi);
    traps_register_nmi(handle_nmi);
}
