/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * console_io: domain 0's serial console.  What it writes goes to the lines as
 * it is, without prefix, and not into the console ring.
 */
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/errno.h>
#include <hv/guest-access.h>
#include <hv/hypercall.h>

#define CHUNK 512
#define MAX_READ 0x7fffffffU

/*
 * 0, -EFAULT (after writing what could be read), or a restart: when others
 * should run first, and when the lines take no more at the moment.
 */
static long console_write(unsigned long buffer, unsigned int count)
{
    char text[CHUNK];

    while (count != 0) {
        size_t n = MIN(count, (unsigned int)CHUNK), left, done = 0;

        left = raw_copy_from_guest(text, (void *)buffer, n);
        n -= left;
        if (n != 0)
            done = console_dom0_write(text, n);
        buffer += done;
        count -= (unsigned int)done;
        if (done == n && left != 0)
            return -EFAULT;
        if (count != 0 && (done < n || hypercall_preempt_check()))
            return HYPERCALL_RESTART(CONSOLEIO_write, count, buffer);
    }
    return 0;
}

/* The number of bytes, 0 if there are none; what cannot be stored is lost. */
static long console_read(unsigned long buffer, unsigned int count)
{
    char text[CHUNK];
    long total = 0;

    if (count > MAX_READ)
        return -E2BIG;
    while (count != 0) {
        size_t n = console_dom0_read(text, MIN(count, (unsigned int)CHUNK));

        if (n == 0)
            break;
        if (raw_copy_to_guest((void *)buffer, text, n) != 0)
            return -EFAULT;
        buffer += n;
        count -= (unsigned int)n;
        total += (long)n;
    }
    return total;
}

long do_console_io(unsigned long cmd, unsigned long count,
                   unsigned long buffer, unsigned long a4, unsigned long a5)
{
    (void)a4, (void)a5;
    if (!currd->is_privileged)
        return -EPERM;
    switch ((unsigned int)cmd) {
    case CONSOLEIO_write:
        return console_write(buffer, (unsigned int)count);
    case CONSOLEIO_read:
        return console_read(buffer, (unsigned int)count);
    default:
        return -ENOSYS;
    }
}
