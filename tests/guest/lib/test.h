/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests and checks.  A test is one TEST(name) { ... }; the first failing check
 * makes its line `not ok`, further ones are listed under it.  A test that
 * cannot run here says so with SKIP("why").
 */
#ifndef GUEST_TEST_H
#define GUEST_TEST_H

struct test {
    const char *name;
    void (*run)(void);
};

#define TEST(id)                                                              \
    static void test_##id(void);                                              \
    static const struct test entry_##id                                       \
        __attribute__((used, section(".tests"), aligned(8))) = { #id,         \
                                                                 test_##id }; \
    static void test_##id(void)

/* Record a failure, or (why == NULL) nothing; return whether it passed. */
bool test_check(bool good, const char *what, const char *where);
bool test_check_eq(long got, long want, const char *what, const char *where);
bool test_check_err(long got, long want, const char *what, const char *where);
bool test_check_fault(int got, int want, const char *what, const char *where);
void test_skip(const char *why);
void test_leave_out(void);

/* Ends the test at hand as failed; for the trap dispatcher. */
void test_abort(void) __attribute__((noreturn));

/* Adds tests that ran elsewhere to the total. */
void test_count(unsigned passed, unsigned failed);

/* Runs every test in order and ends the machine.  Does not return. */
void tests_run(void) __attribute__((noreturn));

#define STR2(x) #x
#define STR(x) STR2(x)
#define HERE __FILE__ ":" STR(__LINE__)

#define CHECK(cond) test_check((cond), #cond, HERE)
#define CHECK_EQ(got, want) test_check_eq((long)(got), (long)(want), #got, HERE)
/* A hypercall's answer: 0, a positive value or -XEN_Exxx. */
#define CHECK_ERR(call, want) test_check_err((call), (want), #call, HERE)
#define CHECK_OK(call) test_check_err((call), 0, #call, HERE)
#define CHECK_FAULT(statement, vector) \
    test_check_fault(FAULT_OF(statement), (vector), #statement, HERE)
#define CHECK_NO_FAULT(statement) CHECK_FAULT(statement, NO_FAULT)
/*
 * A frame that cannot take a type because it is in use as another; a frame of
 * somebody else's.  The reference has no rule for which errno that is.
 */
#define ERR_IN_USE DIFFERS(-XEN_EBUSY, -XEN_EINVAL, "in use is not malformed")
#define ERR_NOT_OURS DIFFERS(-XEN_EINVAL, -XEN_EBUSY, "not ours is not busy")

/*
 * Every pointer that is no good for n bytes: nothing mapped, the hypervisor's
 * area, non-canonical, and one that starts well and runs off its page.  `bad`
 * is the pointer in the expression, which must answer `want` each time.
 */
#define CHECK_BAD_POINTERS(n, want, expression)                      \
    do {                                                             \
        for (unsigned kind_ = 0; kind_ < BAD_POINTERS; kind_++) {    \
            void *bad = bad_pointer(kind_, (n));                     \
            test_check_err((expression), (want), #expression, HERE); \
        }                                                            \
    } while (0)
enum {
    BAD_POINTERS = 5
};
void *bad_pointer(unsigned kind, unsigned n);

/* Leaves the test when what the rest of it stands on did not work. */
#define REQUIRE(check) \
    do {               \
        if (!(check))  \
            return;    \
    } while (0)
/* A test of what only domain 0 may do; elsewhere it does not count. */
#define FOR_DOMAIN_0()          \
    do {                        \
        if (!is_initdomain()) { \
            test_leave_out();   \
            return;             \
        }                       \
    } while (0)
#define SKIP(why)       \
    do {                \
        test_skip(why); \
        return;         \
    } while (0)

/*
 * An answer in which this hypervisor differs from the reference on purpose;
 * the reason stands beside it.  The command-line word "reference" (the
 * runner's --reference) selects the second.
 */
extern bool on_reference;
#define DIFFERS(ours, reference, why) (on_reference ? (reference) : (ours))

#endif
