/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel that behaves as if protection keys were its own (SDM vol. 3A 4.6.2)
 * while gdb watches by them: WRPKRU in its kernel and in user mode, keys in its
 * entries.  Without a watch the instruction is #UD and the keys mean nothing.
 * A second virtual CPU executes it all the time.  Built with the lib of
 * tests/guest.
 */
#include "second.h"

#define NOINLINE __attribute__((noinline))
#define KEY_SHIFT 59
#define NR_KEYS 16
#define PKRU_LENGTH 3
#define LOAD_LENGTH 3

struct {
    volatile ulong head;
    volatile uint8_t bytes[2 * PAGE_SIZE - 8];
} room __attribute__((aligned(4096)));

volatile ulong own[NR_KEYS][512] __attribute__((aligned(4096)));
volatile ulong spins __attribute__((aligned(4096)));
volatile ulong undefined; /* WRPKRU and RDPKRU */
volatile ulong strays;    /* faults that there must not be */
volatile ulong wrong;     /* what was written is not there */

extern char unmapped_load[];

#define NOTHING 0U
#define ALL ~0U
#define WRITES 0xaaaaaaaaU

#define RDPKRU ".byte 0x0f, 0x01, 0xee\n"
#define WRPKRU ".byte 0x0f, 0x01, 0xef\n"

/* Two bits a key, from key 0 on: no access, no writes. */
static inline void wrpkru(u32 deny)
{
    asm volatile(WRPKRU : : "a"(deny), "c"(0), "d"(0) : "memory");
}

static inline u32 rdpkru(void)
{
    u32 value = 0, high = 0;

    asm volatile(RDPKRU : "+a"(value), "+d"(high) : "c"(0) : "memory");
    return value;
}

/* A hypercall without a touch of memory between WRPKRU and it. */
static long denied_vcpu_op(ulong op, void *argument)
{
    register ulong r8 asm("r8") = A(argument);
    ulong rcx = 0, rdx = 0;
    long rax = ALL;

    asm volatile(WRPKRU "mov %%r8, %%rdx\n"
                        "mov %[number], %%eax\n"
                        "syscall"
                 : "+a"(rax), "+c"(rcx), "+d"(rdx)
                 : [number] "i"(__HYPERVISOR_vcpu_op), "D"(op), "S"(0UL),
                   "r"(r8)
                 : "r10", "r11", "memory", "cc");
    return rax;
}

/* The same of the iret hypercall, to what comes next; events stay masked. */
static void denied_iret(void)
{
    ulong rax = ALL, rcx = 0, rdx = 0;

    asm volatile("mov %%rsp, %%r8\n"
                 "pushq %[ss]\n"
                 "pushq %%r8\n"
                 "pushfq\n"
                 "andq $~0x200, (%%rsp)\n"
                 "pushq %[cs]\n"
                 "pushq $1f\n"
                 "sub $32, %%rsp\n" WRPKRU "mov %[number], %%eax\n"
                 "syscall\n"
                 "1:"
                 : "+a"(rax), "+c"(rcx), "+d"(rdx)
                 : [ss] "i"(FLAT_KERNEL_SS), [cs] "i"(FLAT_KERNEL_CS & ~3),
                   [number] "i"(__HYPERVISOR_iret)
                 : "r8", "r11", "memory", "cc");
}

USER_CODE_BLOCK(denies, "xor %ecx, %ecx\n"
                        "xor %edx, %edx\n"
                        "mov $-1, %eax\n" WRPKRU "syscall");
USER_CODE_BLOCK(stores, "xor %ecx, %ecx\n"
                        "xor %edx, %edx\n"
                        "mov $-1, %eax\n" WRPKRU "push %rdi\n"
                        "pop %rbx\n"
                        "syscall");

USER_CODE_BLOCK(calls, "syscall");

static void on_undefined(struct regs *regs)
{
    undefined++;
    regs->rip += PKRU_LENGTH;
}

static void on_page_fault(struct regs *regs)
{
    if (regs->rip == (ulong)unmapped_load)
        regs->rip += LOAD_LENGTH;
    else
        strays++;
}

NOINLINE static void trap(void)
{
    asm volatile(".globl unmapped_load\n"
                 "unmapped_load: mov (%%rax), %%rax"
                 :
                 : "a"(UNMAPPED_VA)
                 : "memory");
}

static void second_main(void)
{
    for (;;) {
        for (int i = 0; i < 5000; i++)
            asm volatile("pause");
        wrpkru(spins & 1 ? ALL : WRITES);
        spins++;
    }
}

static void set_key(const volatile void *va, ulong key)
{
    CHECK_OK(remap(va, PTE(mfn_of(va), PTE_RW_FLAGS) | key << KEY_SHIFT));
    CHECK_OK(mmuext1(MMUEXT_TLB_FLUSH_ALL, 0, 0));
}

NOINLINE void write_denied(ulong n)
{
    wrpkru(ALL);
    room.bytes[1] = (uint8_t)n;
}

NOINLINE void write_read_only(ulong n)
{
    wrpkru(WRITES);
    wrong += room.bytes[1] != (uint8_t)n;
    room.bytes[2] = (uint8_t)n;
}

NOINLINE void write_by_hypercall(void)
{
    CHECK_OK(denied_vcpu_op(VCPUOP_get_runstate_info,
                            (void *)&room.bytes[PAGE_SIZE + 96]));
}

/* What comes before the trap cannot be seen. */
NOINLINE void write_allowed(ulong n)
{
    wrpkru(NOTHING);
    trap();
    room.bytes[3] = (uint8_t)n;
}

/* SYSCALL and the iret hypercall have the hypervisor touch a stack. */
NOINLINE void write_after_syscall(ulong n)
{
    int vector = user_run(denies_from, denies_to, 0, 0);

    room.bytes[4] = (uint8_t)n;
    wrong += vector != VEC_SYSCALL;
}

NOINLINE void write_after_iret(ulong n)
{
    denied_iret();
    room.bytes[5] = (uint8_t)n;
}

/* The frame meets a key that no watch has put there. */
NOINLINE void write_after_frame(ulong n)
{
    int vector;

    set_key(trap_stack_top - 8, NR_KEYS - 1);
    vector = user_run(calls_from, calls_to, 0, 0);
    room.bytes[6] = (uint8_t)n;
    wrong += vector != VEC_SYSCALL;
}

NOINLINE void write_under_own_key(ulong n)
{
    static const ulong keys[] = { 0, 15, 1, 7 };

    set_key(&room, keys[n % ARRAY_SIZE(keys)]);
    room.bytes[7] = (uint8_t)n;
}

/* Nothing that is watched, but all that else there is. */
NOINLINE void touch_own(ulong n)
{
    static volatile struct vcpu_runstate_info state;

    for (ulong key = 0; key < NR_KEYS; key++) {
        set_key(own[key], key);
        wrpkru(n & 1 ? ALL : WRITES);
        own[key][n % 512] = n + key;
        wrong += own[key][n % 512] != n + key;
        if (key != NR_KEYS - 1)
            wrong += *pte_of(A(own[key]), 1) >> KEY_SHIFT != key;
    }
    state.state_entry_time = 0;
    CHECK_OK(denied_vcpu_op(VCPUOP_get_runstate_info, (void *)&state));
    wrong += state.state_entry_time == 0;
    wrong += user_run(stores_from, stores_to, 0, n) != VEC_SYSCALL;
    wrong += fault.regs.rbx != n;
    (void)rdpkru();
}

TEST(own_keys)
{
    trap_handler_set(VEC_UD, on_undefined);
    trap_handler_set(VEC_PF, on_page_fault);
    REQUIRE(CHECK_OK(user_init()));
    REQUIRE(second_start(second_main, &spins));
    for (ulong n = 1;; n++) {
        touch_own(n);
        write_denied(n);
        write_read_only(n);
        write_by_hypercall();
        write_allowed(n);
        write_after_syscall(n);
        write_after_iret(n);
        write_after_frame(n);
        write_under_own_key(n);
    }
}
