# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of miniterm share: the program, machines, a tmux screen."""
from __future__ import annotations

import os
import pty
import re
import shutil
import socket
import subprocess
import tempfile
import termios
import threading
import time
import tty
import unittest
from pathlib import Path
from typing import Callable

import fakemachine

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
PROGRAM = os.environ.get("MINITERM",
                         str(TOP / "miniterm/build/miniterm-asan"))
# Seconds until a hang is called one: only failures take so long.
PATIENCE = 90.0 * float(os.environ.get("TEST_PATIENCE") or 1)

# libdw keeps caches to the end; everything else has to be freed.
ENV = dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm-256color", HOME="/nowhere",
           XDG_STATE_HOME="/dev/null/none",
           ASAN_OPTIONS="detect_leaks=0:abort_on_error=0")
ENV.pop("XDG_CONFIG_HOME", None)


def wait_for(condition: Callable[[], object], what: str = "") -> object:
    """Waits until @condition is true; its value."""
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what or condition}")
        time.sleep(0.02)


class Target:
    """A fake machine in a thread, on TCP or a Unix socket."""

    def __init__(self, spec: str = "tcp:0", banner: bool = True,
                 owner: str = "dom0") -> None:
        self.server = fakemachine.listen(spec)
        self.machine: fakemachine.Machine | None = None
        self.banner, self.owner = banner, owner
        self.stopping = False
        self.connections = 0
        if spec.startswith("unix:"):
            self.name = spec
        else:
            self.name = f"localhost:{self.server.getsockname()[1]}"
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stopping:
            try:
                conn, _ = self.server.accept()
            except OSError:
                return
            conn.setblocking(False)
            self.machine = fakemachine.Machine(conn.fileno(), self.banner,
                                               self.owner)
            self.connections += 1
            try:
                self.machine.serve(lambda m: self.stopping or
                                   self.machine is not m)
            except OSError:
                pass
            conn.close()

    def drop(self) -> None:
        """The line breaks; the machine can be reached again."""
        wait_for(lambda: self.machine)
        self.machine = None

    def close(self) -> None:
        self.stopping = True
        try:
            self.server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.server.close()
        self.thread.join(5)


class PtyPair:
    """A pseudo terminal: `name` for the program, `fd` for the test."""

    def __init__(self) -> None:
        self.fd, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.name = os.ttyname(self.slave)

    def read(self, size: int) -> bytes:
        data = b""
        os.set_blocking(self.fd, False)
        end = time.monotonic() + PATIENCE
        while len(data) < size and time.monotonic() < end:
            try:
                data += os.read(self.fd, size - len(data))
            except BlockingIOError:
                time.sleep(0.005)
        return data

    def close(self) -> None:
        for fd in (self.fd, self.slave):
            try:
                os.close(fd)
            except OSError:
                pass


class Child:
    """The program on a terminal of its own."""

    def __init__(self, *args: str, env: dict[str, str] | None = None) -> None:
        self.fd, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.proc = subprocess.Popen([PROGRAM, *args], stdin=self.slave,
                                     stdout=self.slave, stderr=self.slave,
                                     env=env or ENV, start_new_session=True)
        os.set_blocking(self.fd, False)

    def drain(self) -> bytes:
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return self.output
            if not data:
                return self.output
            self.output += data

    def wait_output(self, pattern: bytes) -> re.Match[bytes]:
        return wait_for(lambda: re.search(pattern, self.drain()),
                        f"{pattern!r} in {self.output[-500:]!r}")

    def is_raw(self) -> bool:
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def restored(self) -> bool:
        return termios.tcgetattr(self.slave) == self.before

    def type(self, data: bytes) -> None:
        os.write(self.fd, data)

    def close(self) -> None:
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        os.close(self.fd)
        os.close(self.slave)


class Tmux:
    """The program in tmux: keys in, the screen out."""

    def __init__(self, *args: str, width: int = 100, height: int = 36,
                 mouse: bool = False) -> None:
        self.dir = tempfile.mkdtemp(prefix="miniterm-tmux-")
        self.socket = f"{self.dir}/socket"
        err = f"{self.dir}/stderr"
        quoted = " ".join("'" + a.replace("'", "'\\''") + "'" for a in args)
        command = f"{PROGRAM} {quoted} 2>{err}; echo ended with $?; " \
                  f"cat {err}; sleep 1000"
        env = dict(ENV)
        env.pop("TMUX", None)
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null",
                        "new-session", "-d", "-x", str(width), "-y",
                        str(height), "sh", "-c", command], check=True,
                       env=env)
        self("set", "-g", "status", "off")
        self("set", "-g", "window-size", "manual")
        if mouse:
            self("set", "-g", "mouse", "on")

    def __call__(self, *args: str) -> str:
        return subprocess.run(["tmux", "-S", self.socket, *args], check=True,
                              capture_output=True, text=True, env=ENV).stdout

    def keys(self, *names: str) -> None:
        """tmux's names: C-t, F2, Enter, PageUp; else the text itself."""
        self("send-keys", *names)

    def type(self, text: str) -> None:
        self("send-keys", "-l", text)

    def raw(self, data: bytes) -> None:
        self("send-keys", "-H", *(f"{b:02x}" for b in data))

    def resize(self, width: int, height: int) -> None:
        self("resize-window", "-x", str(width), "-y", str(height))

    def screen(self, colors: bool = False) -> str:
        return self("capture-pane", "-p", *(["-e"] if colors else []))

    def rows(self) -> list[str]:
        return self.screen().splitlines()

    def expect(self, pattern: str) -> re.Match[str]:
        try:
            return wait_for(lambda: re.search(pattern, self.screen(), re.M))
        except AssertionError:
            raise AssertionError(
                f"{pattern!r} never came on:\n{self.screen()}") from None

    def gone(self, pattern: str) -> None:
        try:
            wait_for(lambda: not re.search(pattern, self.screen(), re.M))
        except AssertionError:
            raise AssertionError(
                f"{pattern!r} stays on:\n{self.screen()}") from None

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self.socket, "kill-server"],
                       capture_output=True, check=False, env=ENV)
        shutil.rmtree(self.dir, ignore_errors=True)


class Case(unittest.TestCase):
    """A test with a directory of its own; what is made here is ended."""

    def setUp(self) -> None:
        self.tmp = Path(tempfile.mkdtemp(prefix="miniterm-test-"))
        self.addCleanup(shutil.rmtree, self.tmp, True)

    def target(self, *args, **kw) -> Target:
        target = Target(*args, **kw)
        self.addCleanup(target.close)
        return target

    def tmux(self, *args: str, **kw) -> Tmux:
        screen = Tmux(*args, **kw)
        self.addCleanup(screen.close)
        return screen

    def child(self, *args: str, **kw) -> Child:
        child = Child(*args, **kw)
        self.addCleanup(child.close)
        return child

    def pty(self) -> PtyPair:
        pair = PtyPair()
        self.addCleanup(pair.close)
        return pair

    def run_program(self, *args: str, stdin: bytes = b"",
                    env: dict[str, str] | None = None
                    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([PROGRAM, *args], input=stdin, env=env or ENV,
                              capture_output=True, timeout=4 * PATIENCE,
                              check=False)
