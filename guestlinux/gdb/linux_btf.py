# SPDX-License-Identifier: GPL-2.0-only
"""Where the members of a kernel's structures lie, by its own BTF.

Distributions' kernels carry a description of their types (BPF Type Format:
Documentation/bpf/btf.rst of the Linux source); the running kernel has it at
/sys/kernel/btf/vmlinux and in its memory, from __start_BTF to __stop_BTF. Only
what is needed to find members of structures is read here. The bytes are not
trusted: whatever is wrong with them is a BtfError.
"""
from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Iterator

MAGIC = 0xeb9f
STRUCT, UNION = 4, 5
MAX_NAMELESS = 200       # types in one structure

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


def header(data: bytes) -> tuple[int, int, int, int]:
    """Where the types begin and end, and the names."""
    if len(data) < 24:
        raise BtfError("too short for BTF")
    magic, version, _, length, types, types_len, names, names_len = \
        struct.unpack_from("<HBBIIIII", data)
    if magic != MAGIC or version != 1:
        raise BtfError("not BTF: no such magic number")
    types, names = length + types, length + names
    if max(types + types_len, names + names_len) > len(data):
        raise BtfError("the BTF is cut off")
    return types, types + types_len, names, names + names_len


class Btf:
    """The types of one kernel. Types are numbered from 1 in their order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        first, end, self._names, self._names_end = header(data)
        self._at = [0]                        # by number; 0 is void
        self._structs: dict[int, int] = {}    # offset of the name: number
        try:
            self._index(first, end)
        except struct.error as error:
            raise BtfError("the last type is cut off") from error

    def _index(self, at: int, end: int) -> None:
        while at < end:
            name, info, _ = struct.unpack_from("<III", self._data, at)
            kind = info >> 24 & 31
            if kind not in EXTRA:
                raise BtfError(f"a type of the unknown kind {kind}")
            if kind == STRUCT:
                self._structs.setdefault(name, len(self._at))
            self._at.append(at)
            once, each = EXTRA[kind]
            at += 12 + once + each * (info & 0xffff)
        if at != end or at > len(self._data):
            raise BtfError("the last type is cut off")

    def _name(self, offset: int) -> str:
        at = self._names + offset
        end = self._data.find(b"\0", at, self._names_end)
        if end < 0:
            raise BtfError("a name lies outside of the names")
        return self._data[at:end].decode(errors="replace")

    def struct(self, name: str) -> int:
        """The number of the structure with that name."""
        for offset, number in self._structs.items():
            if self._name(offset) == name:
                return number
        raise BtfError(f"no struct {name} in it")

    def _members(self, number: int) -> Iterator[Member]:
        """Those of a structure or union; bit fields are left out."""
        if not 0 < number < len(self._at):
            raise BtfError("a member of a type that is not there")
        at = self._at[number]
        info, = struct.unpack_from("<I", self._data, at + 4)
        if info >> 24 & 31 not in (STRUCT, UNION):
            return
        for i in range(info & 0xffff):
            name, kind, offset = struct.unpack_from(
                "<III", self._data, at + 12 + 12 * i)
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
