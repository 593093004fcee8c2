# SPDX-License-Identifier: GPL-2.0-only
"""The world outside the machine: a disk made here, a peer on its network."""
from __future__ import annotations

import hashlib
import random
import socket
import subprocess
import threading
from pathlib import Path
from typing import Callable


def pattern(size: int, seed: int) -> bytes:
    """`size` bytes that no driver could guess, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def make_disk(image: Path, mib: int, given: bytes) -> None:
    """An ext4 image of `mib` MiB with one file, "given"."""
    folder = image.with_suffix(".files")
    folder.mkdir()
    (folder / "given").write_bytes(given)
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d",
                    str(folder), str(image), f"{mib}M"], check=True,
                   stdout=subprocess.DEVNULL)
    (folder / "given").unlink()
    folder.rmdir()


def read_disk(image: Path, name: str) -> bytes:
    """A file of an ext4 image, once fsck finds nothing to complain of."""
    subprocess.run(["/sbin/e2fsck", "-fn", str(image)], check=True,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return subprocess.run(["/sbin/debugfs", "-R", f"cat {name}", str(image)],
                          check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


class Peer:
    """Two ports of this host that the guest reaches over QEMU's user network.

    `port` sends `data` to whoever connects; the next port takes what it is
    sent and keeps the checksums of what came, one a connection.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.received: list[str] = []
        self._give, self._take, self.port = self._two_ports()
        for listener, serve in ((self._give, self._send),
                                (self._take, self._receive)):
            threading.Thread(target=self._accept, args=(listener, serve),
                             daemon=True).start()

    @staticmethod
    def _two_ports() -> tuple[socket.socket, socket.socket, int]:
        for _ in range(100):
            first = socket.create_server(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                return first, socket.create_server(("127.0.0.1", port + 1)), \
                    port
            except (OSError, OverflowError):
                first.close()
        raise OSError("no two free ports side by side")

    @staticmethod
    def _accept(listener: socket.socket,
                serve: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                serve(connection)

    def _send(self, connection: socket.socket) -> None:
        connection.sendall(self.data)

    def _receive(self, connection: socket.socket) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        while chunk := connection.recv(1 << 16):
            digest.update(chunk)
        self.received.append(digest.hexdigest())

    def close(self) -> None:
        self._give.close()
        self._take.close()
