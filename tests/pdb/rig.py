# SPDX-License-Identifier: GPL-2.0-only
"""What the tests with real gdb share: the host program, a relay, gdb runs."""
import os
import re
import select
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field


class Host:
    """One pdb-host; ends with the `with` block."""

    def __init__(self, build: str, *options: str, fast: bool = False) -> None:
        self.guest = os.path.join(build, "guest")
        program = os.path.join(build, "pdb-host-fast" if fast else "pdb-host")
        self.process = subprocess.Popen(
            [program, *options, self.guest, os.path.realpath("/usr/bin/gdb")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        if len(words) != 2:
            raise RuntimeError("pdb-host did not start")
        self.target = words[1] if words[0] == "tty" else "localhost:" + words[1]
        self.output = ""

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.output, _ = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if self.process.returncode:
            raise RuntimeError(f"pdb-host ended with {self.process.returncode}")


@dataclass
class Relay:
    """Sits between gdb and a host: counts, and can damage what passes."""

    target: str
    damage_every: int = 0  # every so many chunks, one character is changed
    lose: bytes = b""  # the first match of this is
    delay: float = 0  # seconds, each time that something has come
    counts: dict[str, int] = field(default_factory=lambda: {"to": 0, "from": 0})
    top_bits: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "localhost:%d" % self.listener.getsockname()[1]
        self.chunks = 0
        threading.Thread(target=self.run, daemon=True).start()

    def total(self) -> int:
        return self.counts["to"] + self.counts["from"]

    def reset(self) -> None:
        self.counts.update({"to": 0, "from": 0})

    def spoil(self, data: bytes) -> bytes:
        self.chunks += 1
        time.sleep(self.delay)
        if self.lose and re.search(self.lose, data):
            data, self.lose = re.sub(self.lose, b"", data, count=1), b""
        if not self.damage_every or self.chunks % self.damage_every:
            return data
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]

    def run(self) -> None:
        near, _ = self.listener.accept()
        host, port = self.target.rsplit(":", 1)
        far = socket.create_connection((host, int(port)))
        for s in (near, far):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            ready, _, _ = select.select([near, far], [], [])
            for s in ready:
                try:
                    data = s.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    far.close()
                    near.close()
                    return
                self.top_bits += sum(1 for c in data if c & 0x80)
                self.counts["to" if s is near else "from"] += len(data)
                (far if s is near else near).sendall(self.spoil(data))


class Session:
    """A gdb run over a list of commands; its output can be asked about."""

    def __init__(self, host: Host, commands: list[str], *, target: str = "",
                 extended: bool = False, before: list[str] | None = None,
                 symbols: bool | str = True, timeout: int = 90) -> None:
        kind = "extended-remote" if extended else "remote"
        lines = ["set pagination off", "set confirm off", "set width 0",
                 *(before or [])]
        if symbols:
            lines.append("file " + (symbols if isinstance(symbols, str)
                                    else host.guest))
        lines.append(f"target {kind} {target or host.target}")
        argv = ["gdb", "-nx", "-batch"]
        for line in lines + commands:
            argv += ["-ex", line]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout, errors="replace")
        self.text = done.stdout

    def has(self, *patterns: str) -> None:
        """Each pattern is found behind the one before it."""
        at = 0
        for p in patterns:
            m = re.compile(p, re.M).search(self.text, at)
            if not m:
                raise AssertionError(f"no {p!r} in:\n{self.text[at:]}")
            at = m.end()

    def lacks(self, pattern: str) -> None:
        if re.search(pattern, self.text, re.M):
            raise AssertionError(f"{pattern!r} in:\n{self.text}")

    def numbers(self, pattern: str) -> list[int]:
        return [int(n, 0) for n in re.findall(pattern, self.text)]


class Mi:
    """A gdb that stays, driven by its machine interface."""

    def __init__(self, host: Host, *before: str, target: str = "") -> None:
        self.process = subprocess.Popen(
            ["gdb", "-nx", "-q", "-i=mi3"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        for line in ("set pagination off", "set confirm off",
                     "set mi-async on", *before, "file " + host.guest,
                     "target remote " + (target or host.target)):
            self.ask(line)

    def __enter__(self) -> "Mi":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.process.communicate("-gdb-exit\n", timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def read_until(self, prefix: str) -> str:
        """All output up to a line that begins so; 30 seconds at most."""
        assert self.process.stdout is not None
        text = ""
        watchdog = threading.Timer(30, self.process.kill)
        watchdog.start()
        for line in self.process.stdout:
            text += line
            if line.startswith(prefix) or line.startswith("^error"):
                break
        watchdog.cancel()
        if prefix not in text or "^error" in text:
            raise AssertionError(f"no {prefix} in:\n{text}")
        return text

    def send(self, line: str) -> None:
        if not line.startswith("-"):
            line = '-interpreter-exec console "%s"' % line.replace('"', '\\"')
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line: str) -> str:
        self.send(line)
        return self.read_until("^")

    def stops(self, line: str) -> str:
        self.send(line)
        return self.read_until("*stopped")
