/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines that are terminals.  Speeds go through termios2 and BOTHER (see
 * ioctl_tty(2), <asm/termbits.h>), so any rate that the driver can do will do;
 * that header excludes <termios.h>, which is why these live in a file apart.
 */
#define _GNU_SOURCE
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "line.h"
#include "util.h"

/* Not from <sys/ioctl.h>: that brings struct termios of the C library. */
int ioctl(int fd, unsigned long request, ...);

/* Data bits, parity and stop bits of @frame into @t; false if malformed. */
static bool apply_frame(struct termios2 *t, const char *frame)
{
    static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };

    if (strlen(frame) != 3 || frame[0] < '5' || frame[0] > '8' ||
        !strchr("neoNEO", frame[1]) || (frame[2] != '1' && frame[2] != '2'))
        return false;
    t->c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB | CMSPAR);
    t->c_cflag |= sizes[frame[0] - '5'];
    if (frame[1] != 'n' && frame[1] != 'N')
        t->c_cflag |= PARENB;
    if (frame[1] == 'o' || frame[1] == 'O')
        t->c_cflag |= PARODD;
    if (frame[2] == '2')
        t->c_cflag |= CSTOPB;
    return true;
}

/* False when the word is none of the three. */
static bool apply_flow(struct termios2 *t, const char *flow)
{
    t->c_cflag &= ~(tcflag_t)CRTSCTS;
    t->c_iflag &= ~(tcflag_t)(IXON | IXOFF | IXANY);
    if (!strcmp(flow, "hard"))
        t->c_cflag |= CRTSCTS;
    else if (!strcmp(flow, "soft"))
        t->c_iflag |= IXON | IXOFF;
    else
        return !strcmp(flow, "none");
    return true;
}

/*
 * BREAK and parity errors are ignored on input: a terminal shows what came,
 * and errors are counted by the driver. HUPCL off: leaving must not reset a
 * board through DTR.
 */
static void make_raw(struct termios2 *t, unsigned baud)
{
    t->c_iflag = IGNBRK | IGNPAR;
    t->c_oflag = 0;
    t->c_lflag = 0;
    t->c_cflag |= CREAD | CLOCAL;
    t->c_cflag &= ~(tcflag_t)(CBAUD | (CBAUD << IBSHIFT) | HUPCL);
    t->c_cflag |= BOTHER;
    t->c_ospeed = t->c_ispeed = baud;
    t->c_cc[VMIN] = 1;
    t->c_cc[VTIME] = 0;
}

/*
 * The speed is read back: a driver that rounds may be off by 5 %, as a UART
 * tolerates; one that ignores the wish is found out.
 */
int tty_set(struct line *line, int fd)
{
    const struct settings *set = line->set;
    struct termios2 t;

    if (ioctl(fd, TCGETS2, &t) < 0)
        return line_fail(line, "is not a terminal", 0);
    make_raw(&t, set->baud);
    if (!apply_frame(&t, set->frame))
        return line_fail(line, "--frame is data bits 5-8, parity n e o, "
                               "stop bits 1-2, such as 8n1", 0);
    if (!apply_flow(&t, set->flow))
        return line_fail(line, "--flow is none, hard or soft", 0);
    if (!set->baud || ioctl(fd, TCSETS2, &t) < 0 ||
        ioctl(fd, TCGETS2, &t) < 0)
        return line_fail(line, "the driver refuses that speed or frame", 0);
    if (t.c_ospeed / 20 < set->baud / 21 || t.c_ospeed / 21 > set->baud / 20)
        return line_fail(line, "the driver cannot do that speed", 0);
    snprintf(line->where, sizeof(line->where), "%.80s %u %.4s", line->name,
             t.c_ospeed, set->frame);
    return 0;
}

/* The next program finds the tty as we found it. */
int tty_restore(struct line *line)
{
    int rc = 0;

    if (line->saved_modes)
        rc = ioctl(line->fd, TCSETS2, line->saved_modes);
    free(line->saved_modes);
    line->saved_modes = NULL;
    return rc;
}

static int give_up(struct line *line)
{
    tty_restore(line);
    close(line->fd);
    line->fd = -1;
    return -1;
}

/*
 * The process that a UUCP lock file names (FHS, /var/lock: ten digits in
 * "LCK..ttyS0"), as minicom and cu leave one; 0 when there is none or it has
 * died.  We only honour those: a file would outlive us.
 */
static pid_t lock_file_owner(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = xasprintf("/var/lock/LCK..%s", slash ? slash + 1 : path);
    FILE *f = fopen(name, "re");
    long pid = 0;

    free(name);
    if (!f)
        return 0;
    if (fscanf(f, "%ld", &pid) != 1 || pid <= 0 ||
        (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
        pid = 0;
    fclose(f);
    return (pid_t)pid;
}

/* Nobody else may have it; the kernel frees the lock when we end. */
static int take_lock(struct line *line)
{
    pid_t owner = lock_file_owner(line->path);

    if (owner) {
        snprintf(line->error, sizeof(line->error), "%.100s: in use by "
                 "process %d, says its lock file", line->name, (int)owner);
        return -1;
    }
    if (!flock(line->fd, LOCK_EX | LOCK_NB))
        return 0;
    if (errno != EWOULDBLOCK)
        return 0;
    return line_fail(line, "in use by another program (see fuser)", 0);
}

/* The two mistakes that everybody makes get the advice that helps. */
static int cannot_open(struct line *line, int err)
{
    if (err == EACCES)
        return line_fail(line, "no permission; be in its group "
                               "(usually dialout)", 0);
    if (err == ENOENT)
        return line_fail(line, "not there; miniterm --list shows what is",
                         0);
    return line_fail(line, "cannot open", err);
}

/* Open, lock, remember, set: each failure undoes what was done. */
int tty_open(struct line *line)
{
    struct termios2 t;

    /* O_NONBLOCK: an open must not wait for a modem's carrier. */
    line->fd = open(line->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (line->fd < 0)
        return cannot_open(line, errno);
    if (take_lock(line) < 0)
        return give_up(line);
    if (ioctl(line->fd, TCGETS2, &t) == 0) {
        line->saved_modes = malloc(sizeof(t));
        if (line->saved_modes)
            memcpy(line->saved_modes, &t, sizeof(t));
    }
    if (tty_set(line, line->fd) < 0)
        return give_up(line);
    return 0;
}

/* Only real UART drivers count; USB adapters mostly do, ptys do not. */
bool tty_counts(int fd, struct line_errors *out)
{
    struct serial_icounter_struct c;

    memset(&c, 0, sizeof(c));
    if (ioctl(fd, TIOCGICOUNT, &c) < 0)
        return false;
    out->frame = (unsigned)c.frame;
    out->overrun = (unsigned)(c.overrun + c.buf_overrun);
    out->parity = (unsigned)c.parity;
    out->brk = (unsigned)c.brk;
    return true;
}

/* An old link goes; what is no link belongs to somebody. */
static int make_link(struct line *line, const char *name)
{
    char old[2];

    if (readlink(line->path, old, sizeof(old)) >= 0)
        unlink(line->path);
    if (symlink(name, line->path) < 0)
        return line_fail(line, "cannot make the link", errno);
    return 0;
}

/*
 * We hold the master; whoever opens the slave is the target.  The two ioctls
 * are what unlockpt(3) and ptsname(3) do.
 */
int pty_open(struct line *line)
{
    unsigned number;
    int zero = 0;
    char name[40];

    line->fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (line->fd < 0)
        return line_fail(line, "no pseudo terminal", errno);
    if (ioctl(line->fd, TIOCSPTLCK, &zero) < 0 ||
        ioctl(line->fd, TIOCGPTN, &number) < 0)
        return give_up(line);
    snprintf(name, sizeof(name), "/dev/pts/%u", number);
    /* Held open: without any slave a read would be an error, not silence. */
    line->slave_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (line->slave_fd < 0 || tty_set(line, line->slave_fd) < 0)
        return give_up(line);
    if (line->path && make_link(line, name) < 0)
        return give_up(line);
    snprintf(line->where, sizeof(line->where), "%s", name);
    return 0;
}

static int print_links(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int found = 0;

    if (!d)
        return 0;
    while ((e = readdir(d))) {
        char *path, *real;

        if (e->d_name[0] == '.')
            continue;
        path = xasprintf("%s/%s", dir, e->d_name);
        real = realpath(path, NULL);
        printf("%-16s %s\n", real ? real : "?", path);
        free(real);
        free(path);
        found++;
    }
    closedir(d);
    return found;
}

/* A UART without a device behind it has a type of 0. */
static bool is_real_uart(const char *path)
{
    struct serial_struct info;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    bool real;

    if (fd < 0)
        return errno == EBUSY || errno == EACCES;
    memset(&info, 0, sizeof(info));
    real = ioctl(fd, TIOCGSERIAL, &info) < 0 || info.type != 0;
    close(fd);
    return real;
}

/* Stable names first: /dev/serial/by-id is what a profile should hold. */
int line_list(void)
{
    int found = print_links("/dev/serial/by-id");
    char path[32];

    for (int i = 0; i < 32; i++) {
        snprintf(path, sizeof(path), "/dev/ttyS%d", i);
        if (!access(path, F_OK) && is_real_uart(path)) {
            printf("%-16s UART\n", path);
            found++;
        }
    }
    if (!found)
        puts("no serial port found (looked for UARTs and "
             "/dev/serial/by-id)");
    return 0;
}
