/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A domain 0 that does nothing but answer: what is typed comes back between
 * brackets.  For tests of the serial line that need no Linux; it never ends,
 * so the runner does not boot it.  Words on its command line:
 *
 *   crash    shut down with SHUTDOWN_crash after the first typed byte
 *   noise    first have 100 warnings printed about this domain
 *   load     meanwhile compute and write, without rest
 *   write=N  first write N (hexadecimal) bytes: lines of 63 letters
 */
#include "guest.h"

#define LINE 64
#define NAP (5 * 1000000UL) /* ns */

static void nap(void)
{
    struct sched_poll p = { .timeout = system_time() + NAP };

    hc_sched_op(SCHEDOP_poll, &p);
}

/* A line, and then no rest for as long as a nap. */
static void work(void)
{
    u64 end = system_time() + NAP;

    hc_console_io(CONSOLEIO_write, 12, "echo: works\n");
    while (system_time() < end)
        ;
}

static void write_lines(u64 count)
{
    char line[LINE];

    for (u64 n = 0; n < count; n += LINE) {
        for (unsigned i = 0; i < LINE - 1; i++)
            line[i] = (char)('a' + (n / LINE + i) % 26);
        line[LINE - 1] = '\n';
        hc_console_io(CONSOLEIO_write, LINE, line);
    }
}

/* The serial port's interrupt is the hypervisor's: each try earns a warning. */
static void make_noise(void)
{
    struct physdev_map_pirq map = { .domid = DOMID_SELF,
                                    .type = MAP_PIRQ_TYPE_GSI,
                                    .index = 4,
                                    .pirq = 4 };

    hc_physdev_op(PHYSDEVOP_map_pirq, &map);
    for (unsigned i = 0; i < 100; i++) {
        struct evtchn_bind_pirq bind = { .pirq = 4 };

        hc_event_channel_op(EVTCHNOP_bind_pirq, &bind);
    }
}

/* Of the board, by vector 2 of the trap table. */
static void on_nmi(struct regs *regs)
{
    (void)regs;
    print("echo: an NMI\n");
}

TEST(echo)
{
    char buf[64];

    trap_handler_set(2, on_nmi);
    print("echo: ready\n");
    if (option_given("noise"))
        make_noise();
    write_lines(option_number("write=", 0));
    print("echo: listening\n");
    for (;;) {
        long n = hc_console_io(CONSOLEIO_read, sizeof(buf), buf);

        if (n <= 0) {
            if (option_given("load"))
                work();
            else
                nap();
            continue;
        }
        if (option_given("crash")) {
            struct sched_shutdown s = { .reason = SHUTDOWN_crash };

            hc_sched_op(SCHEDOP_shutdown, &s);
        }
        hc_console_io(CONSOLEIO_write, 1, "[");
        hc_console_io(CONSOLEIO_write, (unsigned long)n, buf);
        hc_console_io(CONSOLEIO_write, 2, "]\n");
    }
}
