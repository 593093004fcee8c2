# SPDX-License-Identifier: GPL-2.0-only
"""Where the members of a kernel's structures lie, by its own BTF.

Distributions' kernels carry a description of their types (BPF Type Format:
Documentation/bpf/btf.rst of the Linux source); the running kernel has it at
/sys/kernel/btf/vmlinux and in its memory, from __start_BTF to __stop_BTF. Only
what is needed to find members of structures is read here, in their order: a kernel's
own structures come first, so that of megabytes some pages are enough. The bytes
are not trusted: whatever is wrong with them is a BtfError.
"""
from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Callable, Iterator

MAGIC = 0xeb9f
STRUCT, UNION = 4, 5
MAX_NAMELESS = 200       # types in one structure
BLOCK = 4096

# Bytes behind the 12 of a type: so many at all, so many for each of its parts.
EXTRA = {1: (4, 0), 2: (0, 0), 3: (12, 0), STRUCT: (0, 12), UNION: (0, 12),
         6: (0, 8), 7: (0, 0), 8: (0, 0), 9: (0, 0), 10: (0, 0), 11: (0, 0),
         12: (0, 0), 13: (0, 8), 14: (4, 0), 15: (0, 12), 16: (0, 0),
         17: (4, 0), 18: (0, 0), 19: (0, 12)}


class BtfError(Exception):
    """This is no BTF, or not of a kernel that has what is looked for."""


@dataclass(frozen=True)
class Member:
    name: str
    type: int            # number of its type
    offset: int          # bytes from the beginning of the structure


class Lazy:
    """Bytes that are read in blocks when they are looked at."""

    def __init__(self, read: Callable[[int, int], bytes], start: int,
                 length: int) -> None:
        self._read, self._start, self._length = read, start, length
        self._blocks: dict[int, bytes] = {}
        self.looked_at = 0

    def __len__(self) -> int:
        return self._length

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            at = number * BLOCK
            self._blocks[number] = self._read(
                self._start + at, min(BLOCK, self._length - at))
            self.looked_at += len(self._blocks[number])
        return self._blocks[number]

    def __getitem__(self, part: slice) -> bytes:
        first, end, _ = part.indices(self._length)
        numbers = range(first // BLOCK, (end + BLOCK - 1) // BLOCK)
        data = b"".join(self._block(number) for number in numbers)
        return data[first % BLOCK:][:max(0, end - first)]


def header(data: bytes) -> tuple[int, int, int, int]:
    """Where the types begin and end, and the names."""
    if len(data) < 24:
        raise BtfError("too short for BTF")
    magic, version, _, length, types, types_len, names, names_len = \
        struct.unpack("<HBBIIIII", data[:24])
    if magic != MAGIC or version != 1:
        raise BtfError("not BTF: no such magic number")
    types, names = length + types, length + names
    if max(types + types_len, names + names_len) > len(data):
        raise BtfError("the BTF is cut off")
    return types, types + types_len, names, names + names_len


class Btf:
    """The types of one kernel. Types are numbered from 1 in their order."""

    def __init__(self, data: bytes | Lazy) -> None:
        self._data = data
        self._next, self._end, self._names, self._names_end = header(data)
        self._at = [0]                        # by number; 0 is void

    def _words(self, at: int, count: int) -> tuple[int, ...]:
        data = self._data[at:at + 4 * count]
        if len(data) < 4 * count:
            raise BtfError("a type is cut off")
        return struct.unpack(f"<{count}I", data)

    def _knows(self, number: int) -> bool:
        """There is a type of that number; all up to it have been read."""
        while len(self._at) <= number:
            if self._next == self._end:
                return False
            _, info, _ = self._words(self._next, 3)
            kind = info >> 24 & 31
            if kind not in EXTRA:
                raise BtfError(f"a type of the unknown kind {kind}")
            self._at.append(self._next)
            once, each = EXTRA[kind]
            self._next += 12 + once + each * (info & 0xffff)
            if self._next > self._end:
                raise BtfError("the last type is cut off")
        return True

    def _name(self, offset: int) -> str:
        name = b""
        at = self._names + offset
        while b"\0" not in name:
            piece = self._data[at:min(at + 64, self._names_end)]
            if not piece:
                raise BtfError("a name lies outside of the names")
            name += piece
            at += len(piece)
        return name[:name.index(0)].decode(errors="replace")

    def struct(self, name: str) -> int:
        """The number of the structure with that name."""
        number = 1
        while self._knows(number):
            offset, info = self._words(self._at[number], 2)
            if info >> 24 & 31 == STRUCT and self._name(offset) == name:
                return number
            number += 1
        raise BtfError(f"no struct {name} in it")

    def _members(self, number: int) -> Iterator[Member]:
        """Those of a structure or union; bit fields are left out."""
        if not 0 < number or not self._knows(number):
            raise BtfError("a member of a type that is not there")
        at = self._at[number]
        _, info = self._words(at, 2)
        if info >> 24 & 31 not in (STRUCT, UNION):
            return
        for i in range(info & 0xffff):
            name, kind, offset = self._words(at + 12 + 12 * i, 3)
            if info >> 31:                    # with the size of a bit field
                if offset >> 24:
                    continue
                offset &= 0xffffff
            yield Member(self._name(name), kind, offset // 8)

    def _find(self, number: int, name: str, seen: set[int]) -> int | None:
        """In this type and the nameless ones in it, each looked at once."""
        if number in seen or len(seen) > MAX_NAMELESS:
            return None
        seen.add(number)
        for member in self._members(number):
            if member.name == name:
                return member.offset
            if member.name == "":
                inner = self._find(member.type, name, seen)
                if inner is not None:
                    return member.offset + inner
        return None

    def offset(self, structure: str, member: str) -> int:
        """In bytes; members of nameless members count as the structure's."""
        found = self._find(self.struct(structure), member, set())
        if found is None:
            raise BtfError(f"struct {structure} has no member {member}")
        return found
