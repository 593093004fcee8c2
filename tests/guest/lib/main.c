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

void guest_main(void)
{
    on_reference = option_given("reference");
    pages_init();
    traps_init();
    tests_run();
}
