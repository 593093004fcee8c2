/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts of the machine.
 *
 * An irq is a number below NR_IRQS: GSIs first (irq == gsi below nr_gsis),
 * message-signalled ones above.  Each has a descriptor with a lock; each in
 * use has a vector on one CPU.  Lock order: irq_desc.lock, then vector_lock,
 * then an IO-APIC's lock; all of them are taken with irqs off.
 * Floor: irq.
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/acpi.h>
#include <hv/cpu.h>
#include <hv/spinlock.h>
#include <hv/types.h>

#define NR_IRQS 1024
#define NR_ISA_IRQS 16
extern unsigned int nr_gsis;

struct irq_desc;
struct msi_desc;

/*
 * How a kind of interrupt is driven. All run with desc->lock held, irqs off.
 * mask and unmask may be NULL: the source has no mask.
 */
struct irq_chip {
    const char *name;
    void (*mask)(struct irq_desc *desc);
    void (*unmask)(struct irq_desc *desc);
    /*
     * Make the source send desc->vector to desc->cpu. -EBUSY: not now (a level
     * interrupt is in flight; tried again at its end).
     */
    int (*retarget)(struct irq_desc *desc);
    /* Vector and CPU cannot change in one step without losing an edge: a move
     * keeps the vector. */
    bool same_vector;
};

enum irq_state { IRQ_UNUSED, IRQ_HYPERVISOR, IRQ_GUEST };

typedef void (*irq_handler_t)(unsigned int irq, void *arg);

struct irq_desc {
    spinlock_t lock;
    const struct irq_chip *chip; /* NULL: no such source */
    irq_handler_t handler;
    void *arg;
    u8 state;  /* enum irq_state */
    u8 vector; /* 0: none */
    u8 level;  /* stays asserted until its device is served */
    u8 waits_for_end; /* masked until irq_end() */
    u8 running;       /* its handler is */
    u8 fixed; /* stays on its CPU: one of a block of MSIs */
    u16 cpu;         /* whose vector it is */
    u16 old_cpu;     /* a move that is under way: the former place */
    u8 old_vector;   /* 0: none */
    s16 wanted_cpu;  /* move when possible; -1: nothing to do */
    u64 count;
    struct msi_desc *msi;
};
extern struct irq_desc irq_descs[NR_IRQS];

/* --- irq.c --- */
void irq_init(void);     /* boot CPU, after acpi_init() and cpu_tables_init() */
void irq_init_cpu(void); /* every further CPU */
/*
 * Take an irq for the hypervisor or (state IRQ_GUEST) for a domain; the
 * handler runs in interrupt context on the irq's CPU. The line is unmasked.
 * -EINVAL no such irq, -EBUSY taken, -ENOSPC no vector left.
 */
int irq_request(unsigned int irq, irq_handler_t handler, void *arg);
int irq_request_guest(unsigned int irq, irq_handler_t handler, void *arg,
                      unsigned int cpu);
void irq_free(unsigned int irq);
/*
 * A guest handler of a level irq returns with the line masked; irq_end() opens
 * it again once the domain has served the device. Any context.
 */
void irq_end(unsigned int irq);
/* Move to another CPU, now or as soon as nothing is in flight. */
void irq_set_cpu(unsigned int irq, unsigned int cpu);
unsigned int isa_irq_to_gsi(unsigned int isa_irq);
bool irq_is_level(unsigned int irq);
void irq_dump(void); /* debug key 'i' */

/* A vector of one CPU that is no device's: fn runs in interrupt context after
 * the EOI. Registered once at boot. */
void irq_set_vector_handler(u8 vector, void (*fn)(void));

/* --- vectors.c --- */
/* n adjacent vectors (a power of two, aligned) on a CPU, entered in the
 * descriptors. -ENOSPC. */
int irq_alloc_vectors(struct irq_desc *const *descs, unsigned int n,
                      unsigned int cpu);
/* A second vector on another CPU, which desc then names; the first one stays
 * allocated. The same number if it is free there or must be. -ENOSPC. */
int irq_move_vector(struct irq_desc *desc, unsigned int cpu);
void irq_release_vector(struct irq_desc *desc);
int irq_of_vector(u8 vector); /* on this CPU; -1: nobody's */
/* An unused irq number above the GSIs, claimed by setting its chip. -ENOSPC */
int irq_alloc(const struct irq_chip *chip);
void irq_release(unsigned int irq);

/* --- lapic.c --- */
extern bool x2apic_enabled;
void lapic_init(void);     /* boot CPU: find, choose the mode, enable */
void lapic_init_cpu(void); /* every CPU: spurious vector, LVTs, TPR 0 */
u32 lapic_id(void);
u32 cpu_apic_id(unsigned int cpu); /* of machine.cpus */
void lapic_eoi(void);
/* Interrupt command: waits until an earlier one has left (xAPIC). */
void lapic_send_ipi(u32 apic_id, u32 icr_low);
void lapic_send_ipi_self(u8 vector);
#define ICR_FIXED 0x000
#define ICR_NMI 0x400
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define ICR_ASSERT 0x4000
#define ICR_LEVEL 0x8000
/* The timer counts down from count; 0 stops it. Divisor 1. */
void lapic_timer_set(u32 count);
u32 lapic_timer_count(void);
/* TSC-deadline mode where the CPU has it; 0 disarms. */
void lapic_timer_set_deadline(u64 tsc);
void lapic_timer_mode(bool deadline);
/*
 * The timer stands still: what halt() returns is for go_on(), with the ticks of
 * the TSC that have passed in between and are not to count. irqs off. Whoever
 * arms the timer in between, but by lapic_nap(), has no use for go_on().
 */
u64 lapic_timer_halt(void);
void lapic_timer_go_on(u64 left, u64 halted);
/* For dumps. */
u32 lapic_error_status(void);
/*
 * irqs off, the code that was interrupted at any place, in an NMI too, which
 * stays one: sleep until VECTOR_WAKE or an NMI comes, at most so many ticks of
 * the timer, or until that TSC where it has deadlines. All other interrupts
 * wait. The timer then goes on from where it stood, or would be if time passes;
 * one that is halted stays so. False, at once: it was interrupted in the
 * handler of VECTOR_WAKE.
 */
bool lapic_nap(u32 ticks, u64 until_tsc, bool time_passes);

/* --- ioapic.c --- */
void ioapic_init(void); /* all lines masked, nr_gsis set */
/*
 * Trigger and polarity of a line, before it is used. -EBUSY: in use otherwise.
 */
int ioapic_set_mode(unsigned int gsi, bool level, bool active_low);
/* PHYSDEVOP_apic_read/write: the IO-APIC at this physical address. -EINVAL */
int ioapic_guest_read(unsigned long base, u32 reg, u32 *value);
int ioapic_guest_write(unsigned long base, u32 reg, u32 value);
/* The vector of an irq in use, 0 if it has none. */
u8 irq_vector(unsigned int irq);
void ioapic_dump(void);
/* Every edge of this line is an NMI to all CPUs from now on. False: taken. */
bool ioapic_broadcast_nmi(unsigned int gsi);

/* --- msi.c, pci.c --- */
struct pci_address {
    u16 segment;
    u8 bus, devfn;
};
/* Index and data port belong together: whoever carries out a guest's access to
 * CF8-CFF holds this lock across the pair (with irqs off). */
extern spinlock_t pci_port_lock;
u32 pci_read32(struct pci_address a, unsigned int reg);
u16 pci_read16(struct pci_address a, unsigned int reg);
u8 pci_read8(struct pci_address a, unsigned int reg);
void pci_write32(struct pci_address a, unsigned int reg, u32 v);
void pci_write16(struct pci_address a, unsigned int reg, u16 v);
/* The device is there: a vendor id answers. */
bool pci_present(struct pci_address a);
/* What domain 0 reported. -ENODEV: does not answer, was not reported. */
int pci_device_add(struct pci_address a);
int pci_device_remove(struct pci_address a);
void pci_devices_dump(void); /* on the console */
/* Offset of a capability in configuration space, 0 if none. */
#define PCI_CAP_MSI 0x05
#define PCI_CAP_MSIX 0x11
unsigned int pci_find_capability(struct pci_address a, u8 id);
/* Domain 0 confirmed an MMCFG region (or its E820 did). */
int pci_mmcfg_reserved(maddr_t base, u16 segment, u8 start, u8 end, bool use);

/*
 * MSI and MSI-X.  msi_map() makes irqs for a device's messages, masked and
 * programmed, ready for irq_request_guest().  entry: number in the MSI-X
 * table, table_base: its address (0: read from the BARs); for plain MSI
 * nr messages in one block, table_base 0. irqs[] receives them.
 * -ENODEV no device, -ENOENT no such capability, -EINVAL entry, -EBUSY taken,
 * -ENOSPC no vectors or irqs, -ENOMEM.
 */
int msi_map(struct pci_address a, unsigned int nr, int *irqs,
            unsigned int cpu);
int msix_map(struct pci_address a, unsigned int entry, maddr_t table_base,
             int *irq, unsigned int cpu);
void msi_unmap(unsigned int irq);
/* After a device came back from reset: program all its messages again. */
int msi_restore(struct pci_address a);

#endif
