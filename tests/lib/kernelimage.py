# SPDX-License-Identifier: GPL-2.0-only
"""Kernel images in the shapes that a boot loader may hand over.

A bzImage (Linux Documentation/arch/x86/boot.rst) is setup sectors followed by
a 32-bit part; since protocol 2.08 its header says where in that part the
compressed vmlinux lies. These functions take it out, and put it in again
compressed otherwise. What they make is for a loader that uses that header:
the 32-bit part's own unpacker would not find its way in it.
"""
from __future__ import annotations

import gzip
import struct
import subprocess
from pathlib import Path

SETUP_SECTS = 0x1f1
SYSSIZE = 0x1f4
PAYLOAD_OFFSET = 0x248
PAYLOAD_LENGTH = 0x24c
PT_NOTE = 4

# How each format is made, and what its first bytes are. The kernel's build
# puts the unpacked size behind all but gzip, which has it at its end.
PACKERS = {
    "gzip": (["gzip", "-1nc"], b"\x1f\x8b", False),
    "xz": (["xz", "--check=crc32", "--x86", "--lzma2=dict=4MiB", "-c"],
           b"\xfd7zXZ", True),
    "lz4": (["lz4", "-l", "-9", "-c"], b"\x02\x21\x4c\x18", True),
    "zstd": (["zstd", "-q", "-12", "-c"], b"\x28\xb5\x2f\xfd", True),
}


def _payload(image: bytes) -> tuple[int, int]:
    """Where the payload lies: offset and length in the file."""
    offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    start = (image[SETUP_SECTS] + 1) * 512 + offset
    return start, length


def format_of(image: bytes) -> str:
    start, _ = _payload(image)
    for name, (_, magic, _) in PACKERS.items():
        if image[start:].startswith(magic):
            return name
    raise ValueError("a payload of unknown format")


def vmlinux(bzimage: Path) -> bytes:
    """The ELF file inside a bzImage."""
    image = bzimage.read_bytes()
    start, length = _payload(image)
    name = format_of(image)
    packed = image[start:start + length]
    if PACKERS[name][2]:
        packed = packed[:-4]
    done = subprocess.run([name, "-dc"], input=packed, check=True,
                          stdout=subprocess.PIPE)
    return done.stdout


def repack(bzimage: Path, elf: bytes, name: str, out: Path) -> None:
    """Writes `out`: that bzImage with `elf` inside, compressed by `name`."""
    image = bytearray(bzimage.read_bytes())
    start, length = _payload(image)
    command, magic, size_behind = PACKERS[name]
    packed = subprocess.run(command, input=elf, check=True,
                            stdout=subprocess.PIPE).stdout
    assert packed.startswith(magic), name
    if size_behind:
        packed += struct.pack("<I", len(elf))
    tail = bytes(image[start + length:])
    result = image[:start] + packed + tail
    result += bytes(-len(result) % 16)
    struct.pack_into("<I", result, PAYLOAD_LENGTH, len(packed))
    setup = (image[SETUP_SECTS] + 1) * 512
    struct.pack_into("<I", result, SYSSIZE, (len(result) - setup) // 16)
    out.write_bytes(result)


def without_notes(elf: bytes) -> bytes:
    """The same kernel with its Xen notes under another owner's name."""
    phoff, = struct.unpack_from("<Q", elf, 32)
    phentsize, phnum = struct.unpack_from("<HH", elf, 54)
    result = elf
    for number in range(phnum):
        kind, _, start, _, _, size = struct.unpack_from(
            "<IIQQQQ", elf, phoff + number * phentsize)
        if kind == PT_NOTE:
            notes = elf[start:start + size].replace(b"Xen\0", b"Xin\0")
            result = result[:start] + notes + result[start + size:]
    assert result != elf
    return result


def write_gzip(data: bytes, out: Path) -> None:
    out.write_bytes(gzip.compress(data, 1, mtime=0))
