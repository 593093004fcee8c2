/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the line is:
 *
 *   /dev/ttyS0[,BAUD[,DPS]]   a serial port or the slave of a pty
 *   host:port, [v6]:port      a serial server, raw TCP
 *   telnet:host:port          the same with telnet (BREAK can pass)
 *   unix:PATH                 a Unix socket, such as a QEMU chardev
 *   pty, pty:LINK             a new pty; LINK becomes a symbolic link to it
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>

enum source_kind {
    SOURCE_TTY,
    SOURCE_TCP,
    SOURCE_UNIX,
    SOURCE_PTY
};

struct source_spec {
    enum source_kind kind;
    bool telnet;
    char path[256]; /* device, socket, link */
    char host[256];
    char service[64];
    unsigned int baud; /* 0: leave the speed as it is */
    unsigned int data_bits, stop_bits;
    char parity; /* n e o m s */
};

/* 0, or -1 with a message for the user in err[size]. */
int source_parse(struct source_spec *spec, const char *text, char *err,
                 size_t size);

struct source {
    int fd;          /* non-blocking, or -1 */
    bool connecting; /* wait for POLLOUT, then source_connected() */
    bool is_uart;    /* a serial port: BREAK works, output queue is known */
    int slave;       /* of our pty, held open so that it is never hung up */
    char pty_name[64];
    unsigned int attempt; /* to connect, so far */
};

/* Start to open.  0, or -1 with a message. */
int source_open(struct source *src, const struct source_spec *spec, char *err,
                size_t size);

/* After POLLOUT while connecting: 0, or -1 with a message. */
int source_connected(struct source *src, char *err, size_t size);
void source_close(struct source *src, const struct source_spec *spec);

/* Characters that wait in the driver's output queue; 0 if unknown. */
size_t source_queued(const struct source *src);

/* A serial port's BREAK on or off; false when it has none. */
bool source_break(const struct source *src, bool on);

/*
 * tty.c: raw mode, 8 bits as asked, no flow control, modem lines ignored.
 * Any speed the driver can do.  0 or -1 with errno.
 */
int tty_setup(int fd, const struct source_spec *spec);

#endif /* SOURCE_H */
