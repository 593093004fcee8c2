# SPDX-License-Identifier: GPL-2.0-only
"""Machines with the hypervisor under test and Debian's kernel as domain 0.

HV names the hypervisor (default dist/boot/xen); TEST_CPU_MINUS takes features
off `-cpu max`, for a hypervisor that cannot live with one of them.

Unpacking Debian's file (XZ) is half of what a boot under QEMU takes. So most
machines get the ELF file that is in it; those whose case is about the file, or
about the time before domain 0, ask for KERNEL.
"""
from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import kernelimage
from machine import TOP, Config, Machine, Module

GUEST = TOP / "guestlinux" / "build"
KERNEL = GUEST / "kernel" / "vmlinuz"
INITRD = GUEST / "initramfs.cpio"
HV = Path(os.environ.get("HV") or TOP / "dist" / "boot" / "xen")
CONSOLE = "console=com1 com1=115200,8n1"
READY = r"GUEST-READY Linux \S+, (\d+) CPU, (\d+) MiB, hypervisor: xen"
PROMPT = r"dom0:\S+# "

# What domain 0 or the hypervisor says when it is lost.
TROUBLE = (r"Kernel panic|BUG: |Oops: |general protection fault|"
           r"soft lockup|rcu: INFO|FATAL|domain_crash")


def cpu(name: str) -> str:
    minus = os.environ.get("TEST_CPU_MINUS", "")
    if name != "max" or not minus:
        return name
    return name + "".join(",-" + word for word in minus.split(","))


def unpacked() -> Path:
    """The ELF file inside KERNEL; made when it is missing or another's."""
    elf = KERNEL.with_name("vmlinux")
    made_of = KERNEL.stat().st_mtime_ns
    if not elf.exists() or elf.stat().st_mtime_ns != made_of:
        # several suites may come here at once
        with tempfile.NamedTemporaryFile(dir=elf.parent, delete=False) as new:
            new.write(kernelimage.vmlinux(KERNEL))
        os.utime(new.name, ns=(made_of, made_of))
        os.replace(new.name, elf)
    return elf


def config(hv_args: str = "", dom0_args: str = "modules=none",
           dom0_mem: str = "512M", kernel: Path | None = None,
           initrd: Path = INITRD, **more: Any) -> Config:
    """A machine that QEMU boots by itself: hypervisor, kernel, initramfs."""
    more["cpu"] = cpu(more.get("cpu", "max"))
    kernel = kernel or unpacked()
    return Config(
        hypervisor=HV,
        hv_args=f"{CONSOLE} dom0_mem={dom0_mem} {hv_args}".strip(),
        modules=(Module(kernel, f"console=hvc0 earlyprintk=xen {dom0_args}"),
                 Module(initrd)),
        **more)


def wait_ready(machine: Machine) -> tuple[int, int]:
    """Waits for domain 0's init; how many CPUs and MiB it says it has."""
    match = machine.expect(READY, fatal=TROUBLE, deadline=480)
    return int(match[1]), int(match[2])


def wait_task(machine: Machine, name: str, deadline: float = 600) -> None:
    """Waits for a task of the kernel's command line to end well."""
    machine.expect(rf"TASK {name}: ok", deadline=deadline,
                   fatal=rf"TASK {name}: failed.*|{TROUBLE}")
