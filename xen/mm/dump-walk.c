/* SPDX-License-Identifier: GPL-2.0-only */
/* The page-table walk of an address, for crash dumps. */
#include <hv/cpu.h>
#include <hv/mm.h>
#include <hv/printk.h>

void dump_page_walk(unsigned long va)
{
    maddr_t table = read_cr3() & PTE_ADDR_MASK;

    printk("Pagetable walk from %016lx:\n", va);
    for (unsigned int level = 4; level != 0; level--) {
        unsigned int i = pt_index(va, level);
        pte_t e;

        if (!mfn_valid(maddr_to_mfn(table))) {
            printk(" L%u table at %016lx is not in RAM\n", level, table);
            return;
        }
        e = ((const pte_t *)maddr_to_virt(table))[i];
        printk(" L%u[0x%03x] = %016lx%s\n", level, i, e,
               e & _PAGE_PRESENT ? "" : " (not present)");
        if (!(e & _PAGE_PRESENT) || (level < 4 && (e & _PAGE_PSE)))
            return;
        table = e & PTE_ADDR_MASK;
    }
}
