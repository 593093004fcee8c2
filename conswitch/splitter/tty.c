/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Setting up a serial port.  Apart from source.c because the kernel's
 * <asm/termbits.h>, which knows speeds by number, excludes <termios.h>.
 */
#include "source.h"

#include <asm/termbits.h>
#include <string.h>
#include <sys/ioctl.h>

static unsigned int data_flag(unsigned int bits)
{
    switch (bits) {
    case 5: return CS5;
    case 6: return CS6;
    case 7: return CS7;
    default: return CS8;
    }
}

static unsigned int parity_flags(char parity)
{
    switch (parity) {
    case 'e': return PARENB;
    case 'o': return PARENB | PARODD;
    case 'm': return PARENB | PARODD | CMSPAR;
    case 's': return PARENB | CMSPAR;
    default: return 0;
    }
}

int tty_setup(int fd, const struct source_spec *spec)
{
    struct termios2 t;

    if (ioctl(fd, TCGETS2, &t) < 0)
        return -1;
    t.c_iflag = IGNBRK | IGNPAR;
    t.c_oflag = 0;
    t.c_lflag = 0;
    t.c_cflag &= CBAUD | (CBAUD << IBSHIFT);
    t.c_cflag |= CLOCAL | CREAD | data_flag(spec->data_bits) |
                 parity_flags(spec->parity);
    if (spec->stop_bits == 2)
        t.c_cflag |= CSTOPB;
    memset(t.c_cc, 0, sizeof(t.c_cc));
    t.c_cc[VMIN] = 1;
    if (spec->baud) {
        t.c_cflag &= ~(unsigned int)(CBAUD | (CBAUD << IBSHIFT));
        t.c_cflag |= BOTHER | (BOTHER << IBSHIFT);
        t.c_ispeed = t.c_ospeed = spec->baud;
    }
    return ioctl(fd, TCSETS2, &t);
}
