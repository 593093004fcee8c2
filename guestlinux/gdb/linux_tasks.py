# SPDX-License-Identifier: GPL-2.0-only
"""The tasks of a Linux kernel, out of its memory, without debug information.

Nothing is known but where init_task is. Where its fields lie differs from
kernel to kernel. The kernel's BTF (linux_btf.py) tells; without it they are
found by what they must contain: the first task is called swapper, its list
leads round to it, the next two tasks are process 1 and kthreadd, and a thread
of the kernel has no address space of its own. This module knows nothing of gdb:
it is given a function that reads memory.
"""
from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Callable, Iterator

Reader = Callable[[int, int], bytes]
KERNEL = 1 << 63
TASK_BYTES = 12288       # of task_struct, more than any has had so far
MM_BYTES = 512           # of mm_struct: pgd is among its first members
COMM_BYTES = 16
MAX_TASKS = 32768


class NotLinux(Exception):
    """The memory does not look as a Linux kernel's would."""


@dataclass(frozen=True)
class Offsets:
    """Of members of task_struct, in bytes."""
    tasks: int
    pid: int
    mm: int
    comm: int


@dataclass(frozen=True)
class Task:
    address: int
    pid: int
    comm: str
    mm: int              # 0: a thread of the kernel


def u64(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<Q", data, at)[0])


def u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def name_in(data: bytes, at: int) -> str:
    """A task's name; empty if there is none that could be one."""
    text = data[at:at + COMM_BYTES].split(b"\0")[0]
    return text.decode() if text.isascii() and text.decode().isprintable() \
        else ""


def find_comm(init: bytes) -> int:
    at = init.find(b"swapper")
    if at < 0:
        raise NotLinux("no task called swapper where init_task should be")
    return at


def neighbours(read: Reader, start: int, init: bytes, at: int,
               comm: int) -> bool:
    """Is at `at` a list that leads to another task and back?"""
    following, before = u64(init, at), u64(init, at + 8)
    if min(following, before) < KERNEL or following == start + at:
        return False
    try:
        return (u64(read(following + 8, 8), 0) == start + at
                and u64(read(before, 8), 0) == start + at
                and name_in(read(following - at + comm, COMM_BYTES), 0) != ""
                and name_in(read(before - at + comm, COMM_BYTES), 0) != "")
    except (OSError, struct.error):     # no such address, or less than asked
        return False


def find_tasks(read: Reader, start: int, init: bytes, comm: int) -> int:
    for at in range(0, comm - 16, 8):
        if neighbours(read, start, init, at, comm):
            return at
    raise NotLinux("init_task is in no list of tasks")


def find_pid(tasks: list[bytes], first: int, last: int) -> int:
    """pid and tgid stand side by side: 0 0, 1 1, 2 2."""
    for at in range(first, last, 4):
        if all(u32(task, at) == n == u32(task, at + 4)
               for n, task in enumerate(tasks)):
            return at
    raise NotLinux("the numbers of the first three tasks are nowhere")


def find_mm(tasks: list[bytes], first: int, last: int) -> int:
    """mm and active_mm: equal in a process, the first 0 in the kernel's.

    The second has an address there while the task runs, else it may be 0.
    """
    swapper, init, kthreadd = tasks
    for at in range(first, last, 8):
        if (u64(init, at) == u64(init, at + 8) >= KERNEL
                and u64(swapper, at) == 0 == u64(kthreadd, at)
                and all(not u64(task, at + 8) or u64(task, at + 8) >= KERNEL
                        for task in (swapper, kthreadd))):
            return at
    raise NotLinux("process 1 seems to have no address space")


def find_offsets(read: Reader, start: int) -> Offsets:
    swapper = read(start, TASK_BYTES)
    comm = find_comm(swapper)
    tasks = find_tasks(read, start, swapper, comm)
    length = comm + COMM_BYTES
    one = u64(swapper, tasks) - tasks
    init = read(one, length)
    kthreadd = read(u64(init, tasks) - tasks, length)
    three = [swapper, init, kthreadd]
    pid = find_pid(three, tasks, comm)
    return Offsets(tasks, pid, find_mm(three, tasks, pid), comm)


def offsets_by(offset: Callable[[str, str], int]) -> Offsets:
    """By the kernel's own description of its structures."""
    return Offsets(*(offset("task_struct", name)
                     for name in ("tasks", "pid", "mm", "comm")))


def tasks_of(read: Reader, start: int, at: Offsets) -> Iterator[Task]:
    """All processes: of the threads in one, the first."""
    address = start
    low = min(at.tasks, at.pid, at.mm)
    high = max(at.comm + COMM_BYTES, at.tasks + 8)
    for _ in range(MAX_TASKS):
        data = bytes(low) + read(address + low, high - low)
        yield Task(address, u32(data, at.pid), name_in(data, at.comm),
                   u64(data, at.mm))
        address = u64(data, at.tasks) - at.tasks
        if address == start:
            return
    raise NotLinux("the list of tasks has no end")


def page_tables_in(mm: bytes) -> Iterator[int]:
    """Offsets in mm_struct of what could be the address of a page table."""
    for at in range(0, len(mm) - 7, 8):
        value = u64(mm, at)
        if value >= KERNEL and value % 4096 == 0:
            yield at
