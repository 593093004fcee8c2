/* SPDX-License-Identifier: GPL-2.0-only */
/* Running the tests of one tiny kernel and reporting them. */
#include "guest.h"

extern const struct test tests_start[], tests_end[];

bool on_reference;

static const struct test *current;
static bool failed, skipped, left_out;
static struct catch test_catch;

/* The names of <xen/errno.h>, by value. */
static const char *const errno_names[] = {
#define XEN_ERRNO(name, value) [value] = #name,
#include <xen/errno.h>
};

static const char *errno_name(long value)
{
    if (value < 0 && -value < (long)ARRAY_SIZE(errno_names) &&
        errno_names[-value])
        return errno_names[-value];
    return value ? "no error" : "success";
}

/* The file's own name is enough: `mmu-update.c:12`. */
static const char *short_place(const char *where)
{
    const char *start = where;

    for (; *where; where++) {
        if (*where == '/')
            start = where + 1;
    }
    return start;
}

static void report_failure(const char *what, const char *detail,
                           const char *where)
{
    print("%s %s: %s: %s (%s)\n", failed ? "    and" : "not ok", current->name,
          what, detail, short_place(where));
    failed = true;
}

bool test_check(bool good, const char *what, const char *where)
{
    if (!good)
        report_failure(what, "is false", where);
    return good;
}

bool test_check_eq(long got, long want, const char *what, const char *where)
{
    char detail[100];

    if (got == want)
        return true;
    text_format(detail, sizeof(detail), "expected %ld (0x%lx), got %ld (0x%lx)",
                want, (ulong)want, got, (ulong)got);
    report_failure(what, detail, where);
    return false;
}

bool test_check_err(long got, long want, const char *what, const char *where)
{
    char detail[100];

    if (got == want)
        return true;
    text_format(detail, sizeof(detail), "expected %ld (%s), got %ld (%s)", want,
                errno_name(want), got, errno_name(got));
    report_failure(what, detail, where);
    return false;
}

static void name_vector(char *buf, size_t n, int vector)
{
    static const char *const names[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF",
        "9",   "#TS", "#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC",
    };

    if (vector == NO_FAULT)
        text_format(buf, n, "no fault");
    else if ((size_t)vector < ARRAY_SIZE(names))
        text_format(buf, n, "%s", names[vector]);
    else
        text_format(buf, n, "vector %d", vector);
}

bool test_check_fault(int got, int want, const char *what, const char *where)
{
    char detail[120], a[16], b[16];

    if (got == want)
        return true;
    name_vector(a, sizeof(a), want);
    name_vector(b, sizeof(b), got);
    text_format(detail, sizeof(detail),
                "expected %s, got %s (error %lx, cr2 %lx, rip %lx)", a, b,
                fault.error, fault.cr2, fault.regs.rip);
    report_failure(what, detail, where);
    return false;
}

void *bad_pointer(unsigned kind, unsigned n)
{
    switch (kind) {
    case 0: return (void *)UNMAPPED_VA;
    case 1: return (void *)HYPERVISOR_VA;
    case 2: return (void *)NON_CANONICAL_VA;
    case 3: /* the read-only view of the M2P is the hypervisor's, too */
        return (void *)HYPERVISOR_VIRT_START;
    default: return edge(n > 1 ? n / 2 : 0);
    }
}

void test_skip(const char *why)
{
    print("skip %s: %s\n", current->name, why);
    skipped = true;
}

void test_leave_out(void)
{
    left_out = true;
}

void test_abort(void)
{
    struct regs regs = { .rflags = FL_ONE | FL_IF };

    print("%s %s: ended by the stray trap above\n",
          failed ? "    and" : "not ok", current->name);
    failed = true;
    catch_top = &test_catch;
    catch_throw(&regs);
    regs_enter(&regs);
}

static void run_one(const struct test *t)
{
    current = t;
    failed = skipped = left_out = false;
    catch_top = NULL;
    vcpu0()->evtchn_upcall_mask = 1;
    if (!catch_save(&test_catch))
        t->run();
    catch_top = NULL;
    if (!failed && !skipped && !left_out)
        print("ok %s\n", t->name);
}

static unsigned nr_passed, nr_failed, nr_skipped;

void test_count(unsigned good, unsigned failures)
{
    nr_passed += good;
    nr_failed += failures;
}

void tests_run(void)
{
    struct sched_shutdown off = { .reason = SHUTDOWN_poweroff };
    for (const struct test *t = tests_start; t < tests_end; t++) {
        run_one(t);
        if (failed)
            nr_failed++;
        else if (skipped)
            nr_skipped++;
        else if (!left_out)
            nr_passed++;
    }
    if (nr_skipped)
        print("GUEST %u skipped\n", nr_skipped);
    print("GUEST %u passed, %u failed\n", nr_passed, nr_failed);
    hc_sched_op(SCHEDOP_shutdown, &off);
    for (;;)
        hc_sched_op(SCHEDOP_block, NULL);
}
