# SPDX-License-Identifier: GPL-2.0-only
#
# The two commands: `make run` and `make test`. `make help` lists the rest.
#
# Variables: HV (the hypervisor to boot, default our own), SMP, MEM, DOM0_MEM,
# CPU, MACHINE, HV_ARGS, DOM0_ARGS, DISK, QEMU_ARGS (see guestlinux/run),
# SUITES (a word that picks suites of tests/suites), TEST_JOBS (QEMUs at a
# time), DESTDIR and PREFIX (for install), SETUP=no (never call apt).

SHELL := /bin/bash
PREFIX ?= /usr
HV ?= dist/boot/xen
GUEST := guestlinux/build
KERNEL ?= $(GUEST)/kernel/vmlinuz
INITRD ?= $(GUEST)/initramfs.cpio
export SMP MEM DOM0_MEM CPU MACHINE HV_ARGS DOM0_ARGS DISK QEMU_ARGS

# Parts in the order in which they need each other.
PARTS := $(patsubst %/Makefile,%,$(wildcard $(addsuffix /Makefile, \
	xen pdb conswitch miniterm tools)))

# What is built from source; another hypervisor given by HV is taken as it is.
OURS := $(filter dist/%,$(HV))
BOOTS := $(if $(OURS),hypervisor)

.DEFAULT_GOAL := all

all: hypervisor           ## build everything
	@set -e; for part in $(filter-out xen,$(PARTS)); do \
		$(MAKE) -C $$part all; done

run: setup initramfs $(BOOTS) ## boot domain 0 in QEMU, console in this terminal
	guestlinux/run $(HV) $(KERNEL) $(INITRD)

test: setup initramfs debian dist ## run every test (20 minutes on 2 cores)
	tests/run $(SUITES)

run-debian: setup debian $(BOOTS) ## the same with a Debian 12 disk: user root, no password
	DISK=$(GUEST)/debian/disk.img DOM0_ARGS="root=/dev/vda $(DOM0_ARGS)" \
		guestlinux/run $(HV) $(GUEST)/debian/vmlinuz \
		$(GUEST)/debian/initrd.img

initramfs: setup          ## take Debian's kernel package and make the busybox initramfs
	@$(MAKE) --no-print-directory -C guestlinux all

debian: setup             ## make the Debian 12 disk image
	@$(MAKE) --no-print-directory -C guestlinux debian

iso: setup initramfs $(BOOTS) ## make guestlinux/build/hv.iso: GRUB, hypervisor, domain 0
	@$(MAKE) --no-print-directory -C guestlinux iso HV=$(abspath $(HV))

hypervisor: setup         ## build the hypervisor alone, into dist/boot
	@$(MAKE) --no-print-directory -C xen all
	@mkdir -p dist/boot
	@for file in xen.gz xen xen-syms; do \
		cmp -s xen/build/$$file dist/boot/$$file || \
		cp xen/build/$$file dist/boot/ || exit 1; done

dist: all                 ## collect dist/boot/{xen.gz,xen,xen-syms} and dist/usr
	@set -e; for part in $(filter-out xen,$(PARTS)); do \
		$(MAKE) --no-print-directory -C $$part install \
			DESTDIR=$(CURDIR)/dist PREFIX=/usr; done

install: dist             ## put dist/ below DESTDIR
	install -d $(DESTDIR)/boot
	install -m 644 dist/boot/* $(DESTDIR)/boot/
	@set -e; for part in $(filter-out xen,$(PARTS)); do \
		$(MAKE) --no-print-directory -C $$part install \
			DESTDIR=$(DESTDIR) PREFIX=$(PREFIX); done

bench: setup initramfs hypervisor ## compare with bare Linux and Debian's hypervisor
	tests/bench/compare

bench-pdb: setup initramfs hypervisor ## what a gdb session costs, beside QEMU's own stub
	tests/bench/pdb

lint: setup               ## check the house rules, print the figures
	tools/lint/lint

cppcheck: setup           ## static analysis of all C
	tools/lint/run-cppcheck

nightly: setup initramfs debian dist ## the long runs: fuzzers, stress, every test
	tests/run --nightly $(SUITES)

stress: setup initramfs   ## 30 minutes of stress-ng on 4 vCPUs, over a debug build
	STRESS_SECONDS=$${STRESS_SECONDS:-1800} tests/stress/run 4-vcpus-on-4

setup:                    ## install the Debian packages that are missing
	@[ "$(SETUP)" = no ] || setup/install

clean:                    ## remove what was built; downloads stay
	rm -rf dist build
	@for part in $(PARTS) guestlinux; do \
		$(MAKE) --no-print-directory -C $$part clean; done

distclean: clean          ## remove the downloads too
	@$(MAKE) --no-print-directory -C guestlinux distclean

help:                     ## this list
	@echo "The two commands are 'make run' and 'make test'. All targets:"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/    make \1|\2/p' Makefile | \
		awk -F'|' '{ printf "%-20s  %s\n", $$1, $$2 }'
	@sed -n '/^# Variables/,/^$$/s/^# \{0,1\}//p' Makefile

.PHONY: all hypervisor run test run-debian initramfs debian iso dist install bench bench-pdb lint \
	cppcheck nightly stress setup clean distclean help
