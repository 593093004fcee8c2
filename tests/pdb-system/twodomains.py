# SPDX-License-Identifier: GPL-2.0-only
"""Machines with a tiny kernel as domain 0, and two-domains.c under gdb."""
from __future__ import annotations

import fcntl
import subprocess

import dom0
from cases import Context
from gdbrun import Session
from machine import TOP, Config, Machine, Module

KERNEL = TOP / "tests/guest/build/two-domains.elf"


def build_kernel(name: str = KERNEL.stem) -> dict[str, int]:
    """A tiny kernel; where its symbols are.  One make at a time."""
    with open(TOP / "tests/guest/Makefile", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "-C", str(TOP / "tests/guest"),
                        "VPATH=../pdb-system", f"build/{name}.elf"],
                       check=True)
    names = subprocess.run(["nm", str(KERNEL.with_stem(name))], text=True,
                           check=True, stdout=subprocess.PIPE).stdout
    return {line.split()[2]: int(line.split()[0], 16)
            for line in names.splitlines() if len(line.split()) == 3}


def machine_of(ctx: Context, kernel: str, smp: str, pdb: str,
               features: str = "") -> tuple[Machine, str]:
    """A machine whose domain 0 is a tiny kernel; the debugger's line."""
    path = ctx.directory / "gdb.sock"
    image = TOP / "tests/guest/build" / f"{kernel}.elf"
    config = Config(
        hypervisor=dom0.HV, cpu=dom0.cpu("max") + features, smp=smp,
        mem_mib=256,
        hv_args=f"{dom0.CONSOLE} com2=115200,8n1 {pdb} noreboot",
        modules=(Module(image),),
        serial=("test", f"unix:{path},server=on,wait=off"))
    return Machine(config, ctx.directory), str(path)


class Both:
    """A gdb that has the hypervisor and domain 0, without its symbols.

    Inferior 1 is let go once, so that its stops are told of.  Not by a step: at
    a SYSCALL that a tiny kernel never comes back from it would not end.
    """

    def __init__(self, session: Session, symbols: dict[str, int]) -> None:
        self.ask = session.ask
        self.symbols = symbols
        session.go()
        session.interrupt()
        for command in ("set schedule-multiple on", "add-inferior",
                        "inferior 2", "attach 2"):
            self.ask(command)

    def want(self, value: int) -> None:
        self.ask("inferior 2")
        self.ask(f"set var *(int *){self.symbols['wanted']:#x} = {value}")

    def heartbeat(self) -> int:
        """Domain 0's counter, by its memory as it is now."""
        self.ask("inferior 2")
        said = self.ask(f"output *(long *){self.symbols['heartbeat']:#x}")
        return int(said)


def run_until(session: Session, machine: Machine, pattern: str) -> None:
    """Goes on until the console says so, then stops the machine."""
    session.go()
    machine.expect(pattern, fatal="not ok")
    session.interrupt()
