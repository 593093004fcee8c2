# SPDX-License-Identifier: GPL-2.0-only
"""gdb commands for Linux under pdb: source this file in gdb.

    linux-layout FILE   the kernel's structures, by a copy of its
                        /sys/kernel/btf/vmlinux
    linux-layout        ... by that in its memory, of which some pages are read
    linux-ps            lists the processes of the selected domain
    linux-process PID   memory and breakpoints are then that process's; its
                        name does as well, if no other has it
    linux-process off   ... and again those of whatever runs

The domain's inferior must be selected (attach N+2), with the symbol file that
kallsyms-elf makes: only the symbol init_task is needed, no debug information.
Without linux-layout the members of the structures are found by what they must
contain.
"""
from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import gdb  # type: ignore[import-not-found]

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import linux_tasks as linux  # noqa: E402
from linux_btf import Btf, BtfError, Lazy  # noqa: E402


def read(address: int, length: int) -> bytes:
    try:
        return bytes(gdb.selected_inferior().read_memory(address, length))
    except (gdb.MemoryError, OverflowError) as error:
        raise OSError(str(error)) from error


def read_page_by_page(address: int, length: int) -> bytes:
    """As much as there is: what lies behind the end may not be mapped."""
    data = b""
    while len(data) < length:
        at = address + len(data)
        try:
            data += read(at, min(length - len(data), 4096 - at % 4096))
        except OSError:
            break
    return data


def address_of(symbol: str) -> int:
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)&{symbol}"))
    except gdb.error as error:
        raise gdb.GdbError(f"no symbol {symbol}: load the file that "
                           "kallsyms-elf made with 'symbol-file'") from error


def init_task() -> int:
    return address_of("init_task")


def is_top_table(address: int) -> int:
    """The machine address of a top-level page table; 0 if it is none."""
    read(address, 8)        # makes gdb name the thread that is meant
    said = gdb.execute(f"monitor whatis {address:#x}", to_string=True)
    found = re.search(r"machine address ([0-9a-f]+),", said)
    return int(found[1], 16) if found and "type: L4 table" in said else 0


class Kernel:
    """What was found out about one domain's kernel."""

    def __init__(self, btf: Btf | None = None) -> None:
        self.start = init_task()
        if btf:
            self.at = linux.offsets_by(btf.offset)
            self.pgd = btf.offset("mm_struct", "pgd")
        else:
            self.at = linux.find_offsets(read_page_by_page, self.start)
            self.pgd = -1

    def tasks(self) -> list[linux.Task]:
        return list(linux.tasks_of(read, self.start, self.at))

    def find_pgd(self, mm: int) -> int:
        for at in linux.page_tables_in(read(mm, linux.MM_BYTES)):
            if is_top_table(linux.u64(read(mm + at, 8), 0)):
                return at
        raise linux.NotLinux("no page table in a process's mm_struct")

    def cr3(self, task: linux.Task) -> int:
        if self.pgd < 0:
            self.pgd = self.find_pgd(task.mm)
        return is_top_table(linux.u64(read(task.mm + self.pgd, 8), 0))


kernels: dict[int, Kernel] = {}


def kernel() -> Kernel:
    """The selected inferior's; found out once."""
    number = gdb.selected_inferior().num
    try:
        if number not in kernels or kernels[number].start != init_task():
            kernels[number] = Kernel()
        return kernels[number]
    except (linux.NotLinux, OSError) as error:
        raise gdb.GdbError(f"this is not a Linux kernel's memory: {error}; "
                           "is the domain's inferior selected?") from error


class Layout(gdb.Command):
    """Take the layout of the kernel's structures from its BTF.

linux-layout FILE, a copy of the domain's /sys/kernel/btf/vmlinux; without FILE
what is needed of it is read from the kernel's memory."""

    def __init__(self) -> None:
        super().__init__("linux-layout", gdb.COMMAND_FILES,
                         gdb.COMPLETE_FILENAME)

    def invoke(self, argument: str, from_tty: bool) -> None:
        try:
            data = Path(argument).expanduser().read_bytes() if argument \
                else self.in_memory()
            number = gdb.selected_inferior().num
            kernels[number] = Kernel(Btf(data))
        except (OSError, BtfError) as error:
            raise gdb.GdbError(f"no layout: {error}") from error
        print(f"layout of {len(data)} bytes of BTF")
        if isinstance(data, Lazy):
            print(f"read over the line: {data.looked_at}")

    def in_memory(self) -> Lazy:
        start, stop = address_of("__start_BTF"), address_of("__stop_BTF")
        return Lazy(read, start, stop - start)


class Ps(gdb.Command):
    """List the processes of the Linux kernel in the selected inferior."""

    def __init__(self) -> None:
        super().__init__("linux-ps", gdb.COMMAND_STATUS)

    def invoke(self, argument: str, from_tty: bool) -> None:
        print("    PID  TASK              COMMAND")
        for task in kernel().tasks():
            name = task.comm if task.mm else f"[{task.comm}]"
            print(f"{task.pid:7}  {task.address:016x}  {name}")


class Process(gdb.Command):
    """Choose whose memory is meant: linux-process PID, or NAME, or off.

Breakpoints set from then on belong to that process alone."""

    def __init__(self) -> None:
        super().__init__("linux-process", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        if argument == "off":
            gdb.execute("monitor context thread")
        elif argument:
            self.choose(argument)
        else:
            raise gdb.GdbError("usage: linux-process PID|NAME|off")
        gdb.execute("maintenance flush dcache")

    def choose(self, which: str) -> None:
        gdb.execute("monitor context thread", to_string=True)
        task = self.find(which)
        if not task.mm:
            raise gdb.GdbError(f"{task.comm} is a thread of the kernel: "
                               "its memory is the kernel's")
        cr3 = kernel().cr3(task)
        if not cr3:
            raise gdb.GdbError(f"the page table of {which} is not one: is the "
                               "process just beginning or ending?")
        gdb.execute(f"monitor context cr3 {cr3:#x}")
        print(f"process {task.pid}, {task.comm}")

    def find(self, which: str) -> linux.Task:
        """By number, or by a name that no other has."""
        found = [task for task in kernel().tasks()
                 if which in (str(task.pid), task.comm)]
        if not found:
            raise gdb.GdbError(f"no process {which}; linux-ps lists them")
        if len(found) > 1:
            numbers = " ".join(str(task.pid) for task in found)
            raise gdb.GdbError(f"several are called {which}: {numbers}")
        return found[0]


Layout()
Ps()
Process()
