/* SPDX-License-Identifier: GPL-2.0-only */
/* From the first instruction to the tests. */
#include "guest.h"

start_info_t *start_info;
shared_info_t *shared_info;
/* Not in .bss: head.S fills it before anything is known to be sane. */
struct entry_state entry_state __attribute__((section(".data")));

void guest_main(void);

bool option_given(const char *word)
{
    const char *s = (const char *)start_info->cmd_line;
    size_t n = strlen(word);

    while (*s) {
        const char *end = s;

        while (*end && *end != ' ')
            end++;
        if ((size_t)(end - s) == n && !strncmp(s, word, n))
            return true;
        for (s = end; *s == ' '; s++)
            ;
    }
    return false;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

u64 option_number(const char *prefix, u64 fallback)
{
    const char *s = (const char *)start_info->cmd_line;
    size_t n = strlen(prefix);
    u64 value = 0;

    while (*s && strncmp(s, prefix, n))
        s++;
    if (!*s)
        return fallback;
    for (s += n; digit_of(*s) >= 0; s++)
        value = value * 16 + (u64)digit_of(*s);
    return value;
}

void kernel_context(struct vcpu_guest_context *c, void (*entry)(void),
                    char *stack_end)
{
    memset(c, 0, sizeof(*c));
    c->flags = VGCF_in_kernel;
    c->user_regs.rip = (ulong)entry;
    c->user_regs.rsp = (ulong)stack_end - 8;
    c->user_regs.cs = FLAT_KERNEL_CS;
    c->user_regs.ss = FLAT_KERNEL_SS;
    c->user_regs.rflags = FL_ONE | FL_IF;
    c->kernel_ss = FLAT_KERNEL_SS;
    c->kernel_sp = c->user_regs.rsp;
    c->ctrlreg[3] = READ_REG(cr3);
}

void guest_main(void)
{
    on_reference = option_given("reference");
    pages_init();
    traps_init();
    tests_run();
}
