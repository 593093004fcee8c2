/* SPDX-License-Identifier: GPL-2.0-only */
/* crashtest=: every way to die, on demand, so that tests can see the dump. */
#include <hv/bug.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/crash.h>
#include <hv/options.h>
#include <hv/printk.h>
#include <hv/spinlock.h>
#include <hv/string.h>

#define REASON_PARITY 0x80
#define REASON_IO_CHECK 0x40

u8 crash_test_nmi_reason;
static char crashtest[16];
OPTION_STRING(crashtest, crashtest);

static noinline void write_to_nowhere(void)
{
    *(volatile u64 *)0xdeadbeef000 = 1;
}

static noinline void write_to_text(void)
{
    *(volatile u8 *)write_to_nowhere = 0;
}

static noinline void raise_panic(void)
{
    panic("crashtest=panic was given");
}

static noinline void hit_bug(void)
{
    BUG_ON(crashtest[0] != '\0');
}

static noinline void execute_data(void)
{
    static u8 code[] = {0xc3};

    ((void (*)(void))(unsigned long)code)();
}

/* A push onto a stack that is not there cannot deliver its own fault. */
static noinline void double_fault(void)
{
    __asm__ volatile("xor %%esp, %%esp; push %%rax" ::: "memory");
    __builtin_unreachable();
}

/* No crash: what nobody sent for is explained, and the machine goes on. */
static noinline void raise_nmi(void)
{
    __asm__ volatile("int $2");
}

/* No crash yet: an NMI has to come. */
static void fail_memory(void)
{
    crash_test_nmi_reason = REASON_PARITY;
}

static void fail_card(void)
{
    crash_test_nmi_reason = REASON_IO_CHECK;
}

static noinline void lock_up(void)
{
    __asm__ volatile("cli");
    for (;;)
        __asm__ volatile("pause");
}

/* For the lock checker: debug builds alone mind. */
static noinline void swap_locks(void)
{
    static DEFINE_SPINLOCK(first);
    static DEFINE_SPINLOCK(second);

    spin_lock(&first);
    spin_lock(&second);
    spin_unlock(&second);
    spin_unlock(&first);
    spin_lock(&second);
    spin_lock(&first);
    spin_unlock(&first);
    spin_unlock(&second);
}

static const struct {
    const char *name;
    void (*fn)(void);
} tests[] = {
    {"fault", write_to_nowhere}, {"text", write_to_text},
    {"exec", execute_data},      {"doublefault", double_fault},
    {"bug", hit_bug},            {"panic", raise_panic},
    {"lockup", lock_up},         {"nmi", raise_nmi},
    {"lockorder", swap_locks},   {"parity", fail_memory},
    {"iocheck", fail_card},
};

void crash_test(void)
{
    if (crashtest[0] == '\0')
        return;
    for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++)
        if (strcmp(tests[i].name, crashtest) == 0) {
            log_info("crashtest=%s: here it comes.\n", crashtest);
            console_flush(); /* not all of them let anything out any more */
            tests[i].fn();
            return;
        }
    log_error("ERROR: crashtest=: '%s' is none of fault text exec doublefault bug panic lockup nmi lockorder parity iocheck.\n",
              crashtest);
}
