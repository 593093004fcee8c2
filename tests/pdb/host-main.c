// SPDX-License-Identifier: GPL-2.0-only
/*
 * pdb-host: serves a machine of traced processes to gdb.
 *
 * usage: pdb-host [-7aefs] [-c CPUS] [-d DOMAINS] [-t] GUEST TEXT
 *   -7  a shared line: seven bits (also checks what leaves)
 *   -a  acknowledgements cannot be turned off
 *   -e  names the executable to gdb
 *   -f  follows new domains
 *   -s  describes XMM registers
 *   -t  offers a pseudo-terminal instead of a TCP port
 * Prints "port N" or "tty PATH", then serves one gdb after another until its
 * standard input ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "host.h"

#define TICK_MS 1000

static struct machine machine;

struct line {
    int listener; /* -1 for a pseudo-terminal */
    int fd;       /* -1 while nobody is connected */
    int children; /* signalfd */
};

static int open_pty(void)
{
    struct termios t;
    int fd = posix_openpt(O_RDWR | O_NOCTTY), slave;

    if (fd < 0 || grantpt(fd) || unlockpt(fd))
        return -1;
    slave = open(ptsname(fd), O_RDWR | O_NOCTTY); /* kept: no hang-ups */
    if (slave < 0 || tcgetattr(slave, &t))
        return -1;
    cfmakeraw(&t);
    tcsetattr(slave, TCSANOW, &t);
    printf("tty %s\n", ptsname(fd));
    return fd;
}

static int open_listener(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
        listen(fd, 1) || getsockname(fd, (struct sockaddr *)&a, &len))
        return -1;
    printf("port %d\n", ntohs(a.sin_port));
    return fd;
}

static int open_children(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void push_out(struct line *l)
{
    struct pdb *p = &machine.pdb;
    uint8_t buf[512];
    uint32_t n;

    while ((n = pdb_tx(p, buf, sizeof(buf)))) {
        for (uint32_t i = 0; (p->flags & PDB_SEVEN_BIT) && i < n; i++)
            if (buf[i] & 0x80)
                abort();
        if (l->fd >= 0 && write(l->fd, buf, n) != (ssize_t)n)
            fprintf(stderr, "pdb-host: short write\n");
    }
}

static void break_in(void)
{
    struct pdb_stop s = { .why = PDB_WHY_BREAK_IN, .thread = { 1, 1 } };

    machine.want_break = false;
    machine_freeze(&machine);
    pdb_event(&machine.pdb, &s);
}

/* Reads what came and feeds the core; false when the peer has gone. */
static bool pull_in(struct line *l)
{
    uint8_t buf[512];
    ssize_t n = read(l->fd, buf, sizeof(buf));

    if (n <= 0)
        return false;
    for (ssize_t i = 0; i < n; i++)
        pdb_rx(&machine.pdb, buf[i]);
    return true;
}

static void hang_up(struct line *l)
{
    if (l->listener < 0)
        return;
    close(l->fd);
    l->fd = -1;
    pdb_drop(&machine.pdb);
}

static void accept_gdb(struct line *l)
{
    int one = 1;

    l->fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC);
    if (l->fd >= 0)
        setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* Everything that one wake-up may have left to be done. */
static void settle(struct line *l)
{
    struct signalfd_siginfo si;

    while (read(l->children, &si, sizeof(si)) > 0)
        ;
    if (setjmp(machine.rescue))
        pdb_fault(&machine.pdb, "monitor");
    machine_wait(&machine);
    if (machine.want_break)
        break_in();
    push_out(l);
    if (machine.plan_set)
        machine_go(&machine);
    push_out(l);
}

static void serve(struct line *l)
{
    struct pollfd f[3];

    for (;;) {
        f[0] = (struct pollfd){ .fd = 0, .events = POLLIN };
        f[1] = (struct pollfd){ .fd = l->children, .events = POLLIN };
        f[2] = (struct pollfd){ .fd = l->fd >= 0 ? l->fd : l->listener,
                                .events = POLLIN };
        if (poll(f, 3, TICK_MS) == 0)
            pdb_tick(&machine.pdb);
        if (f[0].revents)
            return;
        if (f[2].revents && l->fd < 0)
            accept_gdb(l);
        else if (f[2].revents && !pull_in(l))
            hang_up(l);
        settle(l);
    }
}

int main(int argc, char **argv)
{
    unsigned int flags = PDB_NO_ACK;
    struct line l = { -1, -1, -1 };
    int opt, cpus = 1, domains = 0;
    bool tty = false;

    while ((opt = getopt(argc, argv, "7aefsc:d:t")) != -1) {
        switch (opt) {
        case '7': flags |= PDB_SEVEN_BIT; break;
        case 'a': flags &= ~PDB_NO_ACK; break;
        case 'e': machine.list_exec_file = true; break;
        case 'f': flags |= PDB_FOLLOW; break;
        case 's': flags |= PDB_SSE; break;
        case 'c': cpus = atoi(optarg); break;
        case 'd': domains = atoi(optarg); break;
        case 't': tty = true; break;
        default: return 2;
        }
    }
    if (argc - optind != 2)
        return 2;
    machine.guest = argv[optind];
    machine.text_file = argv[optind + 1];
    l.children = open_children();
    if (tty)
        l.fd = open_pty();
    else
        l.listener = open_listener();
    if (l.fd < 0 && l.listener < 0)
        return 1;
    pdb_init(&machine.pdb, &machine_ops, &machine, flags);
    for (int i = 0; i <= domains; i++)
        if (machine_spawn(&machine, i + 1, i ? 1 : cpus) < 0)
            return 1;
    pdb_init(&machine.pdb, &machine_ops, &machine, flags);
    pdb_plan_init(&machine.plan);
    pdb_plan_add(&machine.plan, (struct pdb_tid){ -1, -1 }, PDB_DO_CONT);
    machine_go(&machine);
    fflush(stdout);
    serve(&l);
    return 0;
}
