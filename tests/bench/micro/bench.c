// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: small lmbench-like micro-benchmarks for a guest under a hypervisor.
 *
 * Every measurement prints one line  "name value unit"  (value: median over
 * the batches) and a second one "name.min value unit" (the best batch).
 * With -i the unit of a time is "insn": under QEMU -icount shift=0 the
 * virtual clock advances 1 ns per executed guest instruction (guest kernel
 * and hypervisor included), so a nanosecond *is* an instruction.
 *
 * usage: bench [-i] [-s SCALE] [-b BATCHES] [-x NOPBIN] [name...]
 *        bench tsc      only the time stamp counter and the clock, now
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

typedef uint64_t u64;

static const char *unit = "ns";
static const char *nopbin = "/bin/nop";
static double scale = 1.0;
static int batches = 7;

static u64 now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static u64 rdtsc(void)
{
	uint32_t a, d;
	__asm__ volatile("lfence; rdtsc" : "=a"(a), "=d"(d) : : "memory");
	return a | (u64)d << 32;
}

static void pin(int cpu)
{
	cpu_set_t s;
	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	sched_setaffinity(0, sizeof(s), &s);
}

/* A benchmark returns the nanoseconds n operations took; 0: not available. */
#define FAIL 0

static u64 b_cpuloop(long n)
{
	u64 t = now(), x = 1;
	for (long i = 0; i < n; i++)
		__asm__ volatile("imul %0, %0\n\tinc %0" : "+r"(x));
	return now() - t;
}

static u64 b_clock(long n)
{
	struct timespec ts;
	u64 t = now();
	for (long i = 0; i < n; i++)
		clock_gettime(CLOCK_MONOTONIC, &ts);
	return now() - t;
}

static u64 b_getppid(long n)
{
	u64 t = now();
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	return now() - t;
}

static u64 b_readzero(long n)
{
	char c;
	int fd = open("/dev/zero", O_RDONLY);
	if (fd < 0)
		return FAIL;
	u64 t = now();
	for (long i = 0; i < n; i++)
		if (read(fd, &c, 1) != 1)
			return FAIL;
	t = now() - t;
	close(fd);
	return t;
}

static volatile sig_atomic_t hits;
static void on_sig(int s) { (void)s; hits++; }

static u64 b_signal(long n)
{
	struct sigaction sa = { .sa_handler = on_sig };
	sigaction(SIGUSR1, &sa, NULL);
	pid_t me = getpid();
	u64 t = now();
	for (long i = 0; i < n; i++)
		kill(me, SIGUSR1);
	return now() - t;
}

static char *segv_page;
static void on_segv(int s, siginfo_t *si, void *u)
{
	(void)s; (void)si; (void)u;
	hits++;
	/* skip the 2-byte store "movb %al,(%rdi)" = 88 07 */
	((ucontext_t *)u)->uc_mcontext.gregs[REG_RIP] += 2;
}

static u64 b_protfault(long n)
{
	struct sigaction sa = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	sigaction(SIGSEGV, &sa, NULL);
	segv_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 t = now();
	for (long i = 0; i < n; i++)
		__asm__ volatile(".byte 0x88,0x07" : : "D"(segv_page), "a"(0) : "memory");
	t = now() - t;
	munmap(segv_page, 4096);
	signal(SIGSEGV, SIG_DFL);
	return t;
}

#define AREA (4ul << 20)
static void *area(size_t sz, int extra)
{
	char *p = mmap(NULL, sz, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | extra, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	madvise(p, sz, MADV_NOHUGEPAGE);
	return p;
}

static u64 b_pagefault(long n)		/* n: rounds over 1024 pages */
{
	u64 sum = 0;
	for (long i = 0; i < n / 1024; i++) {
		volatile char *p = area(AREA, 0);
		if (!p)
			return FAIL;
		u64 t = now();
		for (size_t o = 0; o < AREA; o += 4096)
			p[o] = 1;
		sum += now() - t;
		munmap((void *)p, AREA);
	}
	return sum;
}

static u64 b_unmap(long n)		/* unmapping touched pages, per page */
{
	u64 sum = 0;
	for (long i = 0; i < n / 1024; i++) {
		volatile char *p = area(AREA, 0);
		if (!p)
			return FAIL;
		for (size_t o = 0; o < AREA; o += 4096)
			p[o] = 1;
		u64 t = now();
		munmap((void *)p, AREA);
		sum += now() - t;
	}
	return sum;
}

static u64 b_mmap(long n)		/* mmap + touch one page + munmap */
{
	u64 t = now();
	for (long i = 0; i < n; i++) {
		volatile char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return FAIL;
		p[0] = 1;
		munmap((void *)p, 65536);
	}
	return now() - t;
}

static u64 b_mmap0(long n)		/* mmap + munmap, nothing touched */
{
	u64 t = now();
	for (long i = 0; i < n; i++) {
		void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return FAIL;
		munmap(p, 65536);
	}
	return now() - t;
}

static u64 b_mprotect(long n)		/* toggle one touched page, per call */
{
	volatile char *p = area(4096, 0);
	p[0] = 1;
	u64 t = now();
	for (long i = 0; i < n; i++) {
		mprotect((void *)p, 4096, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ);
		(void)p[0];
	}
	t = now() - t;
	munmap((void *)p, 4096);
	return t;
}

static u64 b_fork(long n)
{
	u64 t = now();
	for (long i = 0; i < n; i++) {
		pid_t p = fork();
		if (p < 0)
			return FAIL;
		if (!p)
			_exit(0);
		waitpid(p, NULL, 0);
	}
	return now() - t;
}

static u64 b_exec(long n)
{
	int st;
	u64 t = now();
	for (long i = 0; i < n; i++) {
		pid_t p = fork();
		if (p < 0)
			return FAIL;
		if (!p) {
			execl(nopbin, nopbin, (char *)NULL);
			_exit(127);
		}
		waitpid(p, &st, 0);
		if (st)
			return FAIL;
	}
	return now() - t;
}

static int peer_cpu;			/* -1: leave alone */

static u64 b_pipe(long n)		/* per round trip: two switches */
{
	int a[2], b[2];
	char c = 0;
	if (pipe(a) || pipe(b))
		return FAIL;
	pid_t p = fork();
	if (!p) {
		pin(peer_cpu);
		close(a[1]);
		close(b[0]);
		while (read(a[0], &c, 1) == 1)
			if (write(b[1], &c, 1) != 1)
				break;
		_exit(0);
	}
	close(a[0]);
	close(b[1]);
	u64 t = 0;
	for (long i = -20; i < n; i++) {
		if (i == 0)
			t = now();
		if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
			return FAIL;
	}
	t = now() - t;
	close(a[1]);
	close(b[0]);
	waitpid(p, NULL, 0);
	return t;
}

/* two processes sharing a CPU, handing over with sched_yield: no wakeups */
static u64 b_yield(long n)
{
	volatile int *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t p = fork();
	if (!p) {
		while (!*stop)
			sched_yield();
		_exit(0);
	}
	for (int i = 0; i < 10; i++)
		sched_yield();
	u64 t = now();
	for (long i = 0; i < n; i++)
		sched_yield();
	t = now() - t;
	*stop = 1;
	waitpid(p, NULL, 0);
	munmap((void *)stop, 4096);
	return t;
}

/* TLB shoot-down: another CPU runs in the same address space meanwhile */
static volatile int spin_on, spin_up;
static void *spinner(void *arg)
{
	(void)arg;
	pin(1);
	spin_up = 1;
	while (spin_on)
		__builtin_ia32_pause();
	return NULL;
}

static u64 b_shootdown(long n)
{
	pthread_t th;
	spin_on = 1;
	spin_up = 0;
	if (pthread_create(&th, NULL, spinner, NULL))
		return FAIL;
	while (!spin_up)
		sched_yield();
	u64 t = b_mprotect(n);
	spin_on = 0;
	pthread_join(th, NULL);
	return t;
}

static u64 b_nanosleep(long n)		/* oversleep of a 200 us sleep */
{
	struct timespec ts = { 0, 200000 };
	u64 t = now();
	for (long i = 0; i < n; i++)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	t = now() - t;
	return t > 200000ull * n ? t - 200000ull * n : 1;
}

static char *cp_src, *cp_dst;
#define CPSZ (8ul << 20)
static u64 b_memcpy(long n)		/* per MiB copied */
{
	if (!cp_src) {
		cp_src = area(CPSZ, 0);
		cp_dst = area(CPSZ, 0);
		memset(cp_src, 1, CPSZ);
		memset(cp_dst, 2, CPSZ);
	}
	u64 t = now();
	for (long i = 0; i < n / 8; i++) {
		memcpy(cp_dst, cp_src, CPSZ);
		__asm__ volatile("" : : "r"(cp_dst) : "memory");
	}
	return now() - t;
}

/* ---- Xen interfaces: Linux' ABI of /dev/xen/{privcmd,evtchn} ---- */
struct privcmd_hypercall { u64 op, arg[5]; };
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))
struct evtchn_bind_interdomain { unsigned remote_domain, remote_port; };
struct evtchn_bind_unbound { unsigned remote_domain; };
struct evtchn_port { unsigned port; };
#define IOCTL_EVTCHN_BIND_INTERDOMAIN _IOC(_IOC_NONE, 'E', 1, sizeof(struct evtchn_bind_interdomain))
#define IOCTL_EVTCHN_BIND_UNBOUND_PORT _IOC(_IOC_NONE, 'E', 2, sizeof(struct evtchn_bind_unbound))
#define IOCTL_EVTCHN_UNBIND _IOC(_IOC_NONE, 'E', 3, sizeof(struct evtchn_port))
#define IOCTL_EVTCHN_NOTIFY _IOC(_IOC_NONE, 'E', 4, sizeof(struct evtchn_port))
#define HV_xen_version 17
#define HV_sched_op 29
#define DOMID_SELF 0x7ff0

static int privcmd = -1;
static int open_privcmd(void)
{
	if (privcmd < 0)
		privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	return privcmd;
}

static u64 b_ioctlnull(long n)		/* an ioctl privcmd refuses: the floor */
{
	if (open_privcmd() < 0)
		return FAIL;
	u64 t = now();
	for (long i = 0; i < n; i++)
		ioctl(privcmd, _IO('P', 250), 0);
	return now() - t;
}

static u64 b_hypercall(long n)
{
	struct privcmd_hypercall h = { HV_xen_version, { 0 } };
	if (open_privcmd() < 0 || ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &h) <= 0)
		return FAIL;
	u64 t = now();
	for (long i = 0; i < n; i++)
		ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &h);
	return now() - t;
}

static u64 b_hyperyield(long n)		/* SCHEDOP_yield: through the scheduler */
{
	struct privcmd_hypercall h = { HV_sched_op, { 0 } };
	if (open_privcmd() < 0 || ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &h) < 0)
		return FAIL;
	u64 t = now();
	for (long i = 0; i < n; i++)
		ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &h);
	return now() - t;
}

static int ev_pair(int fa, int fb, unsigned *pa, unsigned *pb)
{
	struct evtchn_bind_unbound u = { DOMID_SELF };
	int r = ioctl(fa, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &u);
	if (r < 0) {
		u.remote_domain = 0;
		r = ioctl(fa, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &u);
	}
	if (r < 0)
		return -1;
	*pa = r;
	struct evtchn_bind_interdomain i = { u.remote_domain, *pa };
	r = ioctl(fb, IOCTL_EVTCHN_BIND_INTERDOMAIN, &i);
	if (r < 0)
		return -1;
	*pb = r;
	return 0;
}

/* a fresh binding may carry one spurious event: wait and swallow */
static void ev_drain(int fd)
{
	unsigned p;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 4; i++) {
		while (read(fd, &p, sizeof p) == sizeof p)
			if (write(fd, &p, sizeof p) < 0)
				return;
		sched_yield();
	}
	fcntl(fd, F_SETFL, 0);
}

static u64 b_evself(long n)		/* notify own port, take it, unmask it */
{
	int fa = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	int fb = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	unsigned a, b, p;
	u64 t = 0;
	if (fa < 0 || fb < 0 || ev_pair(fa, fb, &a, &b))
		return FAIL;
	ev_drain(fa);
	ev_drain(fb);
	for (long i = -10; i < n; i++) {
		struct evtchn_port nt = { b };
		if (i == 0)
			t = now();
		if (ioctl(fb, IOCTL_EVTCHN_NOTIFY, &nt) < 0 ||
		    read(fa, &p, sizeof p) != sizeof p || p != a ||
		    write(fa, &p, sizeof p) != sizeof p)
			return FAIL;
	}
	t = now() - t;
	close(fb);
	close(fa);
	return t;
}

static u64 b_evnotify(long n)		/* send to a port that is pending already */
{
	int fa = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	int fb = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	unsigned a, b;
	u64 t = 0;
	if (fa < 0 || fb < 0 || ev_pair(fa, fb, &a, &b))
		return FAIL;
	for (long i = -10; i < n; i++) {
		struct evtchn_port nt = { b };
		if (i == 0)
			t = now();
		if (ioctl(fb, IOCTL_EVTCHN_NOTIFY, &nt) < 0)
			return FAIL;
	}
	t = now() - t;
	close(fb);
	close(fa);
	return t;
}

static u64 b_evpingpong(long n)		/* two processes; per round trip */
{
	int fa = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	int fb = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	unsigned a, b, p;
	u64 t = 0;
	if (fa < 0 || fb < 0 || ev_pair(fa, fb, &a, &b))
		return FAIL;
	ev_drain(fa);
	ev_drain(fb);
	pid_t c = fork();
	if (!c) {
		struct evtchn_port nt = { b };
		pin(peer_cpu);
		for (;;) {
			if (read(fb, &p, sizeof p) != sizeof p ||
			    write(fb, &p, sizeof p) != sizeof p ||
			    ioctl(fb, IOCTL_EVTCHN_NOTIFY, &nt) < 0)
				_exit(1);
		}
	}
	struct evtchn_port nt = { a };
	for (long i = -10; i < n; i++) {
		if (i == 0)
			t = now();
		if (ioctl(fa, IOCTL_EVTCHN_NOTIFY, &nt) < 0 ||
		    read(fa, &p, sizeof p) != sizeof p ||
		    write(fa, &p, sizeof p) != sizeof p)
			return FAIL;
	}
	t = now() - t;
	kill(c, SIGKILL);
	waitpid(c, NULL, 0);
	close(fb);
	close(fa);
	return t;
}

/* Four processes that only compute, on whatever CPUs there are: until the last
 * one is done. */
static u64 b_four(long n)
{
	cpu_set_t all;
	u64 t = now();

	memset(&all, 0xff, sizeof all);
	for (int i = 0; i < 4; i++) {
		pid_t p = fork();
		if (p < 0)
			return FAIL;
		if (!p) {
			sched_setaffinity(0, sizeof all, &all);
			b_cpuloop(n);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	return now() - t;
}

static const struct bench {
	const char *name;
	u64 (*fn)(long);
	long n;
	char need;		/* x: Xen devices, 2: two CPUs, c: peer on CPU 1,
				   n: only if named */
	const char *what;
} list[] = {
	{ "cpu_loop",	b_cpuloop,	2000000, 0,	"imul+inc loop, per turn" },
	{ "clock_gettime", b_clock,	20000,	0,	"vDSO clock read" },
	{ "null_syscall", b_getppid,	20000,	0,	"getppid" },
	{ "read_zero",	b_readzero,	10000,	0,	"1 byte of /dev/zero" },
	{ "signal",	b_signal,	3000,	0,	"kill self, handler, return" },
	{ "prot_fault",	b_protfault,	2000,	0,	"SIGSEGV caught, return" },
	{ "page_fault",	b_pagefault,	2048,	0,	"anonymous, per page" },
	{ "unmap_page",	b_unmap,	2048,	0,	"munmap of touched, per page" },
	{ "mmap_munmap", b_mmap0,	2000,	0,	"64 KiB, untouched" },
	{ "mmap_touch1", b_mmap,	1000,	0,	"64 KiB, one page touched" },
	{ "mprotect",	b_mprotect,	2000,	0,	"one touched page, per call" },
	{ "fork_exit",	b_fork,		40,	0,	"fork+exit+wait" },
	{ "fork_exec",	b_exec,		20,	0,	"fork+exec+exit+wait" },
	{ "pipe_rtt",	b_pipe,		1000,	0,	"pipe round trip, same CPU" },
	{ "yield_switch", b_yield,	2000,	0,	"sched_yield to another process" },
	{ "nanosleep_over", b_nanosleep, 50,	0,	"oversleep of 200 us" },
	{ "memcpy_mib",	b_memcpy,	32,	0,	"per MiB" },
	{ "privcmd_ioctl_floor", b_ioctlnull, 10000, 'x', "refused ioctl" },
	{ "hypercall",	b_hypercall,	10000,	'x',	"privcmd xen_version(0)" },
	{ "hypercall_yield", b_hyperyield, 5000, 'x',	"privcmd sched_op(yield)" },
	{ "evtchn_notify", b_evnotify,	5000,	'x',	"send, the port already pending" },
	{ "evtchn_self", b_evself,	1000,	'x',	"notify+read+unmask, own port" },
	{ "evtchn_rtt",	b_evpingpong,	500,	'x',	"two processes, same CPU" },
	{ "pipe_rtt_xcpu", b_pipe,	500,	'c',	"pipe round trip, two CPUs" },
	{ "evtchn_rtt_xcpu", b_evpingpong, 300,	'C',	"two processes, two CPUs" },
	{ "cpu_four",	b_four,		100000000, 'n',	"4 cpu_loops at once, per turn" },
	{ "tlb_shootdown", b_shootdown,	500,	'2',	"mprotect, other CPU active" },
};

static int cmp(const void *a, const void *b)
{
	double x = *(double *)a, y = *(double *)b;
	return x < y ? -1 : x > y;
}

static void on_alarm(int s)
{
	(void)s;
	static const char m[] = "# timed out\n";
	if (write(1, m, sizeof m - 1) < 0)
		_exit(3);
	kill(0, SIGKILL);
}

static void run(const struct bench *b)
{
	double v[64];
	long n = b->n * scale;
	if (n < 1)
		n = 1;
	if (b->n >= 1024 && n < 1024)
		n = 1024;
	peer_cpu = b->need == 'c' || b->need == 'C';
	for (int i = -1; i < batches; i++) {	/* one batch to warm up */
		u64 t = b->fn(n);
		if (t == FAIL) {
			printf("%s n/a %s\n", b->name, unit);
			return;
		}
		if (i >= 0)
			v[i] = (double)t / n;
	}
	qsort(v, batches, sizeof *v, cmp);
	printf("%s %.2f %s\n", b->name, v[batches / 2], unit);
	printf("%s.min %.2f %s\n", b->name, v[0], unit);
}

int main(int argc, char **argv)
{
	int o;
	while ((o = getopt(argc, argv, "is:b:x:")) != -1)
		switch (o) {
		case 'i': unit = "insn"; break;
		case 's': scale = atof(optarg); break;
		case 'b': batches = atoi(optarg); break;
		case 'x': nopbin = optarg; break;
		default:
			fprintf(stderr, "usage: bench [-i] [-s scale] [-b batches] [-x nop] [name...]\n");
			return 2;
		}
	if (batches < 1 || batches > 64)
		return 2;
	int ncpu = sysconf(_SC_NPROCESSORS_ONLN);
	int xen = access("/dev/xen/privcmd", F_OK) == 0;

	pin(0);
	if (optind + 1 == argc && !strcmp(argv[optind], "tsc")) {
		printf("tsc %llu ticks\n", (unsigned long long)rdtsc());
		printf("monotonic %llu ns\n", (unsigned long long)now());
		return 0;
	}
	/* sanity of the clock: TSC ticks per nanosecond over ~50 ms */
	u64 c0 = rdtsc(), t0 = now();
	while (now() - t0 < 50000000)
		;
	printf("tsc_per_ns %.4f ticks\n", (double)(rdtsc() - c0) / (now() - t0));

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const struct bench *b = &list[i];
		int want = optind == argc && b->need != 'n';
		for (int k = optind; k < argc; k++)
			want |= !strcmp(argv[k], b->name);
		if (!want)
			continue;
		if ((b->need == 'x' || b->need == 'C') && !xen)
			continue;
		if ((b->need == '2' || b->need == 'c' || b->need == 'C') && ncpu < 2)
			continue;
		fflush(stdout);
		/* own process group and a watchdog: one hang must not end the run */
		pid_t p = fork();
		if (!p) {
			setpgid(0, 0);
			signal(SIGALRM, on_alarm);
			alarm(60);
			run(b);
			fflush(stdout);
			_exit(0);
		}
		int st;
		waitpid(p, &st, 0);
		if (WIFSIGNALED(st))
			printf("%s failed signal%d\n", b->name, WTERMSIG(st));
	}
	return 0;
}
