// SPDX-License-Identifier: GPL-2.0-only
/* What is typed at the fuzzed commands: lines that are right, damaged, huge. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

#define LONG_EVENT                                                             \
    "break-on hypercall number # domain # arg1 # arg2 # arg3 # arg4 # arg5 #"

/* A # becomes a number. */
static const char *const seeds[] = {
    "break-on", "break-on off", "break-on off #", "break-on hypercall",
    LONG_EVENT,
    "break-on hypercall number sched_op arg1 #", "break-on hypercall arg5 #",
    "break-on hypercall number mmuext_op domain #",
    "break-on exception vector # domain # address #", "break-on exception",
    "break-on event port # domain # vcpu # from #", "break-on event port #",
    "break-on grant ref # domain # from #", "break-on grant from #",
    "break-on page-type wanted # domain # frame #", "break-on domain-start",
    "break-on domain-start domain #", "break-on domain-crash domain #",
    "break-on domain-shutdown reason # domain #", "break-on schedule vcpu #",
    "break-on schedule domain # vcpu # from #", "break-on event vcpu # vcpu #",
    "break-on off 1", "break-on off 0x10", "break-on nonsense domain #",
    "whatis #", "whatis 0x1000", "pt #", "pt 0x8fff", "scope", "scope all",
    "scope domain #", "scope domain 0", "scope domain 0x7ff0", "context",
    "context thread", "context phys", "context cr3 #", "context cr3 0x3000",
    "key", "key #", "key q", "key q!", "key !", "key !!", "key C", "key C!",
    "domains", "domains !", "evtchn", "grants !", "irqs", "memory", "timers",
    "vcpus !", "cpus", "crash", "crash !", "latency-reset !", "nmi #", "regs",
    "dmesg", "help", "breakpoints", "link", "why", "console on",
    "console off", "console", "follow on", "follow off", "follow", "sse on",
    "sse off", "sse", "short-addresses on", "short-addresses", "reboot",
    "reboot #", "#", "",
};
#define NR_SEEDS (sizeof(seeds) / sizeof(seeds[0]))

static uint64_t state;

void rnd_seed(uint64_t seed)
{
    state = seed ? seed : 1;
}

static uint64_t rnd64(void)
{
    state ^= state << 13; /* xorshift64 */
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

uint32_t rnd(uint32_t below)
{
    return (uint32_t)(rnd64() >> 11) % below;
}

static uint64_t some_value(void)
{
    switch (rnd(6)) {
    case 0: return rnd(20);
    case 1: return (1ull << rnd(64)) + rnd(3) - 1;
    case 2: return UINT64_MAX - rnd(20);
    case 3: return MACHINE_BASE * (uint64_t)rnd(12);
    case 4: return 0x7ff0 + rnd(3) - 1; /* DOMID_FIRST_RESERVED */
    default: return rnd64();
    }
}

/* At most 64 characters. */
static uint32_t put_number(char *to)
{
    static const char *const formats[] = {
        "%lu", "%lu", "0x%lx", "0x%lx", "0X%lX", "0x%lX", "%05lu", "0x%020lx",
        "%lu0", "0x%lx0", "%lx", "-%lu", "%ld", "%luu", "0x%lxg", "0x",
    };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return (uint32_t)sprintf(to, formats[rnd(rnd(4) ? 8 : 16)], some_value());
#pragma GCC diagnostic pop
}

static uint32_t put_filled(char *to, const char *s)
{
    uint32_t n = 0;

    for (; *s; s++)
        if (*s == '#')
            n += put_number(to + n);
        else
            to[n++] = *s;
    return n;
}

static uint32_t put_seed(char *to)
{
    return put_filled(to, seeds[rnd(NR_SEEDS)]);
}

uint32_t make_long_event(char *line)
{
    return put_filled(line, LONG_EVENT);
}

/* Puts len bytes in front of what is at `at`. Returns the new length. */
static uint32_t insert(char *line, uint32_t n, uint32_t at, const char *what,
                       uint32_t len)
{
    if (len > MAX_LINE - n)
        return n;
    memmove(line + at + len, line + at, n - at);
    memcpy(line + at, what, len);
    return n + len;
}

static uint32_t damage(char *line, uint32_t n)
{
    uint32_t at = n ? rnd(n) : 0, k;
    char other[512], c = (char)rnd(256);

    switch (rnd(9)) {
    case 0: return insert(line, n, at, &c, 1);
    case 1: return at;
    case 2: return insert(line, n, at, "   ", 1 + rnd(3));
    case 3: return insert(line, n, n, "   ", 1 + rnd(3));
    case 4: return insert(line, n, at, &"!x0 \t\n#,-"[rnd(9)], 1);
    case 5: /* one byte less */
        k = n != 0;
        memmove(line + at, line + at + k, n - at - k);
        return n - k;
    case 6: /* something else behind it */
        k = put_seed(other + 1);
        other[0] = ' ';
        return rnd(2) ? insert(line, n, n, other, k + 1)
                      : insert(line, n, n, other + 1, k);
    case 7:
        k = put_number(other);
        return insert(line, n, at, other, k);
    default:
        if (n)
            line[at] ^= (char)(1 << rnd(8));
        return n;
    }
}

/* As long as the line may be, just longer, or much longer. */
static uint32_t fill(char *line, uint32_t n)
{
    uint32_t to = rnd(2) ? 250 + rnd(10) : rnd(MAX_LINE + 1);
    char c = "0f! \t\x80"[rnd(6)];

    while (n < to)
        line[n++] = rnd(40) ? c : (char)rnd(256);
    return n;
}

uint32_t make_line(char *line)
{
    uint32_t n = put_seed(line);

    if (rnd(3))
        return n;
    for (uint32_t i = 1 + rnd(3); i; i--)
        n = damage(line, n);
    if (!rnd(50))
        n = fill(line, n);
    if (!rnd(100))
        for (uint32_t i = 0; i < n; i++)
            line[i] = (char)rnd(256);
    return n;
}
