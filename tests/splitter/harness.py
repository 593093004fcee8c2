# SPDX-License-Identifier: GPL-2.0-only
"""What the splitter's tests share: the program, lines, clients, packets."""
from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))

from cases import Failure, check  # noqa: E402

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "conswitch" / "build"
CHECKED = BUILD / "nsplitd-checked"
PLAIN = BUILD / "nsplitd"
# Seconds until a hang is called one: only failures take so long.
PATIENCE = 120.0 * float(os.environ.get("TEST_PATIENCE") or 1)
PORTS = ("console", "gdb", "raw", "control")

MARK = bytes(b | 0x80 for b in range(128)) + bytes(range(128, 256))


def high(data: bytes) -> bytes:
    """The form of data on the H channel."""
    return data.translate(MARK)


def low_part(data: bytes) -> bytes:
    return bytes(b for b in data if b < 0x80)


def high_part(data: bytes) -> bytes:
    return bytes(b & 0x7f for b in data if b >= 0x80)


def packet(text: bytes) -> bytes:
    return b"$%s#%02x" % (text, sum(text) & 0xff)


def wait_for(what: str, test: Callable[[], object],
             patience: float = PATIENCE) -> object:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = test()
        if found:
            return found
        time.sleep(0.01)
    raise Failure(f"{what} did not happen in {patience:.0f} s")


def free_port(row: int = 1) -> int:
    """The first of so many free TCP ports in a row.

    They are below those that Linux gives out by itself, to which a connection
    of another program could come before their user does.
    """
    for first in random.sample(range(20000, 32000), 1000):
        try:
            for port in range(first, first + row):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first
    raise Failure(f"no {row} free ports in a row")


class Peer:
    """One end of a byte stream; remembers all that came."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.seen = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def until(self, wanted: bytes, patience: float = PATIENCE) -> bytes:
        """Reads until wanted came; returns and forgets what came up to it."""
        end = time.monotonic() + patience
        while wanted not in self.seen:
            left = end - time.monotonic()
            if left <= 0:
                raise Failure(f"wanted {wanted!r}, saw {self.seen[-300:]!r}")
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise Failure(f"closed; wanted {wanted!r}, saw {self.seen!r}")
            self.seen += data
        at = self.seen.index(wanted) + len(wanted)
        found, self.seen = self.seen[:at], self.seen[at:]
        return found

    def until_high(self, wanted: bytes) -> bytes:
        """On a line: reads until wanted came on the H channel."""
        return self.until(high(wanted))

    def exactly(self, wanted: bytes) -> None:
        got = self.until(wanted)
        check(got == wanted, f"wanted {wanted!r}, got {got!r}")

    def silent(self, seconds: float = 0.3) -> None:
        """Nothing comes."""
        self.sock.settimeout(seconds)
        try:
            self.seen += self.sock.recv(65536)
        except TimeoutError:
            pass
        check(not self.seen, f"wanted silence, saw {self.seen!r}")

    def closed(self, patience: float = PATIENCE) -> bytes:
        """Reads to the end of file."""
        end = time.monotonic() + patience
        self.sock.settimeout(patience)
        while time.monotonic() < end:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return self.seen
            self.seen += data
        raise Failure("connection stays open")

    def close(self) -> None:
        self.sock.close()


class Server:
    """The target's side: a listening socket that the splitter connects to."""

    def __init__(self, path: Path | None = None, port: int = 0) -> None:
        if path is not None:
            self.sock = socket.socket(socket.AF_UNIX)
            path.unlink(missing_ok=True)
            self.sock.bind(str(path))
            self.source = f"unix:{path}"
        else:
            self.sock = socket.socket()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(("127.0.0.1", port))
            self.port = self.sock.getsockname()[1]
            self.source = f"127.0.0.1:{self.port}"
        self.sock.listen(4)
        self.sock.settimeout(PATIENCE)

    def accept(self) -> Peer:
        return Peer(self.sock.accept()[0])

    def close(self) -> None:
        self.sock.close()


class Splitter:
    """A running nsplitd on free ports."""

    def __init__(self, directory: Path, *words: str,
                 program: Path = CHECKED,
                 env: dict[str, str] | None = None) -> None:
        self.log = directory / "nsplitd.messages"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(program), "-p", "0", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        self.ports: dict[str, int] = {}
        self._find_ports()

    def _find_ports(self) -> None:
        def announced() -> bool:
            check(self.process.poll() is None,
                  f"nsplitd ended: {self.messages()}")
            return "ports: " in self.messages()
        wait_for("nsplitd's start", announced)
        line = [text for text in self.messages().splitlines()
                if "ports: " in text][-1]
        words = line.split("ports: ")[1].split()
        self.ports = dict(zip(words[::2], map(int, words[1::2])))

    def messages(self) -> str:
        return self.log.read_text(errors="replace")

    def connect(self, port: str, buffer: int = 0) -> Peer:
        """A client; with a receive buffer of that size if one is given."""
        sock = socket.socket()
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self.ports[port]))
        return Peer(sock)

    def gdb(self) -> Peer:
        """A gdb that the splitter has noticed."""
        before = self.messages().count("gdb ")
        peer = self.connect("gdb")
        wait_for("gdb's arrival",
                 lambda: self.messages().count("gdb ") > before)
        return peer

    def command(self, text: str) -> dict[str, str]:
        """One command of the control port; raises on "error:"."""
        control = self.connect("control")
        control.send(text.encode() + b"\nquit\n")
        answer = control.closed().decode(errors="replace")
        control.close()
        check("error: " not in answer, answer)
        pairs = [line.split(": ", 1) for line in answer.splitlines()
                 if ": " in line]
        return {pair[0]: pair[1] for pair in pairs}

    def counter(self, name: str) -> int:
        return int(self.command("status")[name])

    def memory_kib(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").open():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        raise Failure("no VmHWM")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        """Ends it; fails if it complains (a sanitizer) or died before."""
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(PATIENCE)
        check(status == 0, f"nsplitd ended with {status}: {self.messages()}")

    def __enter__(self) -> "Splitter":
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            self.stop()
        elif self.process.poll() is None:
            self.kill()


def flood(peer: Peer) -> threading.Thread:
    """Numbered lines into a connection until the other end goes away."""
    def run() -> None:
        number = 0
        try:
            while True:
                peer.send(b"".join(b"line %d and so on\r\n" % (number + i)
                                   for i in range(500)))
                number += 500
        except OSError:
            peer.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def documented(program: Path, manual: Path, completion: Path) -> None:
    """Every option of --help is in the manual and in the completion."""
    text = subprocess.run([str(program), "--help"], capture_output=True,
                          text=True, check=True).stdout
    options = sorted(set(re.findall(r"(--[a-z][a-z0-9-]*)", text)))
    check(len(options) > 5, f"options of {program}: {options}")
    page = manual.read_text().replace("\\-", "-")
    words = completion.read_text()
    for option in options:
        check(option in page, f"{option} is not in {manual}")
        check(re.search(rf"{option}(?![a-z0-9-])", words) is not None,
              f"{option} is not in {completion}")
    out = subprocess.run(["groff", "-t", "-man", "-Tutf8", "-ww", "-z",
                          str(manual)], capture_output=True, text=True,
                         check=True)
    check(out.stderr == "", out.stderr)


def pty_pair() -> tuple[int, str]:
    """A raw pty: our master and the slave's name."""
    import pty
    import tty
    master, slave = pty.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    os.close(slave)
    return master, name
