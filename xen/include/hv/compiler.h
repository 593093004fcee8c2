/* SPDX-License-Identifier: GPL-2.0-only */
/* What we ask of the compiler by name. Floor: lib. */
#ifndef HV_COMPILER_H
#define HV_COMPILER_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __must_check __attribute__((warn_unused_result))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __noreturn __attribute__((noreturn))
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __used __attribute__((used))
#define __maybe_unused __attribute__((unused))
#define __weak __attribute__((weak))
#define noinline __attribute__((noinline))
#define always_inline inline __attribute__((always_inline))
#define __cold __attribute__((cold))

/* Code and data freed after the boot. Never referenced from anything else. */
#define __init __attribute__((section(".init.text"), cold))
#define __initdata __attribute__((section(".init.data")))
#define __initconst __attribute__((section(".init.rodata")))
/* Written during the boot, read-only from then on. */
#define __ro_after_init __attribute__((section(".data.ro_after_init")))

/* First in a function that nobody returns to: gdb's backtraces end there. */
#define OUTERMOST_FRAME() __asm__ volatile(".cfi_undefined rip")

/* Read or write a shared location exactly once. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define barrier() __asm__ volatile("" ::: "memory")

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member)                                          \
    ((type *)((char *)(p)-offsetof(type, member)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, a) (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ROUND_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

#define static_assert _Static_assert

#endif
