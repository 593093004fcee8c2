// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvinfo: what the hypervisor says about memory, through /dev/xen/privcmd.
 * Prints "name value unit" lines; needs dom0 (sysctl). Built with the public
 * headers of Xen 4.17 (sysctl interface 0x15, domctl interface 0x15).
 *
 *   hvinfo            version, physinfo, domains
 *   hvinfo free       only the free (plus scrub) pages in KiB
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/sysctl.h>
#include <xen/domctl.h>
#include <xen/memory.h>
#include <xen/version.h>

struct privcmd_hypercall { uint64_t op, arg[5]; };
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

static int fd;

static long hcall(unsigned op, uint64_t a0, uint64_t a1)
{
	struct privcmd_hypercall h = { op, { a0, a1 } };
	int r = ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &h);
	return r < 0 ? -errno : r;
}

int main(int argc, char **argv)
{
	int only_free = argc > 1 && !strcmp(argv[1], "free");

	fd = open("/dev/xen/privcmd", O_RDWR);
	if (fd < 0) {
		perror("/dev/xen/privcmd");
		return 1;
	}
	/* the hypervisor reads these through our own page tables: keep them present */
	char *buf = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (buf == MAP_FAILED)
		return 1;
	memset(buf, 0, 65536);

	if (!only_free) {
		long v = hcall(__HYPERVISOR_xen_version, XENVER_version, 0);
		if (v > 0)
			printf("hv_version %ld.%ld -\n", v >> 16, v & 0xffff);
	}

	xen_sysctl_t *s = (void *)buf;
	s->cmd = XEN_SYSCTL_physinfo;
	s->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	long r = hcall(__HYPERVISOR_sysctl, (uint64_t)s, 0);
	if (r < 0) {
		printf("physinfo n/a errno%ld\n", -r);
		return 1;
	}
	uint64_t total = s->u.physinfo.total_pages, freep = s->u.physinfo.free_pages,
		 scrub = s->u.physinfo.scrub_pages;
	if (only_free) {
		printf("%llu\n", (unsigned long long)(freep + scrub) * 4);
		return 0;
	}
	printf("phys_total_kib %llu KiB\n", (unsigned long long)total * 4);
	printf("phys_free_kib %llu KiB\n", (unsigned long long)freep * 4);
	printf("phys_scrub_kib %llu KiB\n", (unsigned long long)scrub * 4);
	printf("phys_cpus %u -\n", s->u.physinfo.nr_cpus);
	printf("phys_cpu_khz %u kHz\n", s->u.physinfo.cpu_khz);

	xen_domctl_getdomaininfo_t *d = (void *)(buf + 8192);
	memset(s, 0, sizeof *s);
	s->cmd = XEN_SYSCTL_getdomaininfolist;
	s->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	s->u.getdomaininfolist.first_domain = 0;
	s->u.getdomaininfolist.max_domains = 64;
	set_xen_guest_handle(s->u.getdomaininfolist.buffer, d);
	r = hcall(__HYPERVISOR_sysctl, (uint64_t)s, 0);
	uint64_t doms = 0;
	if (r < 0) {
		printf("domains n/a errno%ld\n", -r);
		/* fall back: only ourselves */
		domid_t *self = (void *)(buf + 4096);
		*self = DOMID_SELF;
		r = hcall(__HYPERVISOR_memory_op, XENMEM_current_reservation, (uint64_t)self);
		if (r <= 0)
			return 1;
		doms = r;
		printf("dom0_kib %llu KiB\n", (unsigned long long)doms * 4);
	} else
		for (unsigned i = 0; i < s->u.getdomaininfolist.num_domains; i++) {
			doms += d[i].tot_pages;
			printf("dom%u_kib %llu KiB\n", d[i].domain,
			       (unsigned long long)d[i].tot_pages * 4);
		}
	printf("hv_keeps_kib %lld KiB\n", (long long)(total - freep - scrub - doms) * 4);
	return 0;
}
