// SPDX-License-Identifier: GPL-2.0-only
/*
 * netcopy take ADDRESS PORT: connects and copies what comes to standard output
 * netcopy give ADDRESS PORT: connects and sends standard input
 *
 * For the network test in domain 0: moves 64 KiB at a time, where busybox's nc
 * moves 1 KiB and so measures system calls. Exit status 0 when the connection
 * ended in order.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[65536];

static int copy(int from, int to)
{
    ssize_t got;

    while ((got = read(from, buffer, sizeof(buffer))) > 0)
        for (ssize_t done = 0, n; done < got; done += n)
            if ((n = write(to, buffer + done, (size_t)(got - done))) <= 0)
                return -1;
    return got < 0 ? -1 : 0;
}

/* Sends all, says so, and waits until the peer has taken it and closed. */
static int give(int peer)
{
    if (copy(STDIN_FILENO, peer) || shutdown(peer, SHUT_WR))
        return -1;
    return read(peer, buffer, sizeof(buffer)) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    int failed;

    if (argc != 4 || !inet_aton(argv[2], &address.sin_addr)) {
        fprintf(stderr, "usage: netcopy take|give ADDRESS PORT\n");
        return 2;
    }
    address.sin_port = htons((unsigned short)atoi(argv[3]));
    if (connect(peer, (struct sockaddr *)&address, sizeof(address))) {
        perror("netcopy: connect");
        return 1;
    }
    failed = strcmp(argv[1], "give") ? copy(peer, STDOUT_FILENO) : give(peer);
    if (failed)
        perror("netcopy");
    return failed ? 1 : 0;
}
