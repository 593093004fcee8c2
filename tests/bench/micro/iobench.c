// SPDX-License-Identifier: GPL-2.0-only
/*
 * iobench: block and TCP throughput of a guest; "name value unit" lines.
 *
 *   iobench blk DEV [MIB]        sequential 1 MiB and random 4 KiB, O_DIRECT
 *   iobench serve PORT           the other end of "net"
 *   iobench net HOST PORT [MIB]  TCP send, receive, 1-byte round trips
 *   iobench ts                   CLOCK_MONOTONIC in ns
 *   iobench wait FILE SECONDS PATTERN...
 *                                wait until FILE has each PATTERN; prints
 *                                "ns PATTERN" as each is seen (inotify)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static char *buf;
#define BS (1 << 20)

static int blk(const char *dev, int mib)
{
	int fd = open(dev, O_RDWR | O_DIRECT);
	if (fd < 0) {
		perror(dev);
		return 1;
	}
	memset(buf, 0x5a, BS);
	for (int w = 1; w >= 0; w--) {
		uint64_t t = now();
		lseek(fd, 0, SEEK_SET);
		for (int i = 0; i < mib; i++) {
			ssize_t r = w ? write(fd, buf, BS) : read(fd, buf, BS);
			if (r != BS) {
				perror(w ? "write" : "read");
				return 1;
			}
		}
		if (w)
			fsync(fd);
		t = now() - t;
		printf("blk_seq_%s %.2f MiB/s\n", w ? "write" : "read", mib * 1e9 / t);
		printf("blk_seq_%s_per_mib %.2f us\n", w ? "write" : "read", t / 1e3 / mib);
	}
	for (int w = 1; w >= 0; w--) {
		unsigned x = 12345, n = 1000;
		uint64_t t = now();
		for (unsigned i = 0; i < n; i++) {
			x = x * 1103515245 + 12345;
			off_t o = (off_t)((x >> 8) % (mib * 256u)) * 4096;
			ssize_t r = w ? pwrite(fd, buf, 4096, o) : pread(fd, buf, 4096, o);
			if (r != 4096)
				return 1;
		}
		t = now() - t;
		printf("blk_4k_%s %.2f us\n", w ? "write" : "read", t / 1e3 / n);
	}
	return 0;
}

static int full(int fd, char *p, size_t n, int w)
{
	while (n) {
		ssize_t r = w ? write(fd, p, n) : read(fd, p, n);
		if (r <= 0)
			return -1;
		p += r;
		n -= r;
	}
	return 0;
}

struct req { char mode; char pad[3]; uint32_t mib; };

static int serve(int port)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(s, (void *)&a, sizeof a) || listen(s, 5)) {
		perror("bind");
		return 1;
	}
	for (;;) {
		int c = accept(s, NULL, NULL);
		struct req r;
		if (c < 0)
			return 1;
		setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (full(c, (char *)&r, sizeof r, 0) == 0) {
			if (r.mode == 'S') {
				for (uint32_t i = 0; i < r.mib; i++)
					if (full(c, buf, BS, 0))
						break;
				full(c, buf, 1, 1);
			} else if (r.mode == 'G') {
				for (uint32_t i = 0; i < r.mib; i++)
					if (full(c, buf, BS, 1))
						break;
			} else
				while (read(c, buf, 1) == 1)
					if (write(c, buf, 1) != 1)
						break;
		}
		close(c);
	}
}

static int dial(const char *host, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	inet_aton(host, &a.sin_addr);
	for (int i = 0; i < 600; i++) {
		int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(s, (void *)&a, sizeof a) == 0) {
			setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
			return s;
		}
		close(s);
		usleep(50000);
	}
	return -1;
}

static int net(const char *host, int port, int mib)
{
	for (const char *m = "SGE"; *m; m++) {
		struct req r = { .mode = *m, .mib = mib };
		int s = dial(host, port), n = 500;
		if (s < 0 || full(s, (char *)&r, sizeof r, 1))
			return 1;
		uint64_t t = now();
		if (*m == 'S') {
			for (int i = 0; i < mib; i++)
				if (full(s, buf, BS, 1))
					return 1;
			full(s, buf, 1, 0);
		} else if (*m == 'G') {
			for (int i = 0; i < mib; i++)
				if (full(s, buf, BS, 0))
					return 1;
		} else
			for (int i = 0; i < n; i++)
				if (full(s, buf, 1, 1) || full(s, buf, 1, 0))
					return 1;
		t = now() - t;
		if (*m == 'E')
			printf("net_tcp_rr %.2f us\n", t / 1e3 / n);
		else
			printf("net_tcp_%s %.2f MiB/s\n", *m == 'S' ? "send" : "recv", mib * 1e9 / t);
		close(s);
	}
	return 0;
}

static int waitfor(const char *file, int secs, char **pat, int n)
{
	static char data[1 << 20];
	size_t len = 0;
	int fd = -1, left = n, seen[16] = { 0 };
	uint64_t end = now() + secs * 1000000000ull;
	char *dir = dirname(strdup(file));
	int in = inotify_init1(IN_NONBLOCK);
	if (n > 16 || inotify_add_watch(in, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		perror(dir);
		return 2;
	}
	while (left) {
		if (fd < 0)
			fd = open(file, O_RDONLY);
		ssize_t r;
		while (fd >= 0 && len < sizeof data - 1 &&
		       (r = read(fd, data + len, sizeof data - 1 - len)) > 0)
			len += r;
		uint64_t t = now();
		for (int i = 0; i < n; i++)
			if (!seen[i] && memmem(data, len, pat[i], strlen(pat[i]))) {
				seen[i] = 1;
				left--;
				printf("%llu %s\n", (unsigned long long)t, pat[i]);
				fflush(stdout);
			}
		if (!left)
			break;
		if (now() > end)
			return 1;
		struct pollfd p = { in, POLLIN, 0 };
		poll(&p, 1, 500);
		char ev[4096];
		while (read(in, ev, sizeof ev) > 0)
			;
	}
	return 0;
}

int main(int argc, char **argv)
{
	buf = aligned_alloc(4096, BS);
	memset(buf, 0, BS);
	signal(SIGPIPE, SIG_IGN);
	if (argc >= 3 && !strcmp(argv[1], "blk"))
		return blk(argv[2], argc > 3 ? atoi(argv[3]) : 64);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(atoi(argv[2]));
	if (argc >= 4 && !strcmp(argv[1], "net"))
		return net(argv[2], atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 32);
	if (argc == 2 && !strcmp(argv[1], "ts")) {
		printf("%llu\n", (unsigned long long)now());
		return 0;
	}
	if (argc >= 5 && !strcmp(argv[1], "wait"))
		return waitfor(argv[2], atoi(argv[3]), argv + 4, argc - 4);
	fprintf(stderr, "usage: iobench blk|serve|net|ts|wait ...\n");
	return 2;
}
