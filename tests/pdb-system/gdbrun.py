# SPDX-License-Identifier: GPL-2.0-only
"""Real gdb against a serial line's socket: a batch of commands, or a session."""
from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

from machine import PATIENCE, TOP, MachineError

SYMBOLS = Path(os.environ.get("HV_SYMS") or TOP / "dist/boot/xen-syms")
SETTINGS = ("set pagination off", "set confirm off", "set width 0",
            "set remotetimeout 20", "set tcp connect-timeout 30",
            "set trust-readonly-sections on")
PROMPT = "\x02gdb-is-ready\x03"


def gdb(target: str, *commands: str, symbols: Path | None = SYMBOLS,
        deadline: float = 90, directory: Path = TOP) -> str:
    """What gdb and its errors say; the last command should be detach."""
    args = ["gdb", "-nx", "-q", "-batch"]
    for command in (*SETTINGS, f"target remote {target}", *commands):
        args += ["-ex", command]
    if symbols:
        args.append(str(symbols))
    done = subprocess.run(args, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=deadline * PATIENCE, check=False,
                          cwd=directory, errors="replace")
    return done.stdout


class Session:
    """A gdb that is typed at, one command after the other.

    ask() gives what gdb says until its next prompt; begin(), interrupt() and
    finish() are for a command that goes on until something happens. `script`
    keeps all of it as a person would have seen it. Without a target the
    first command has to connect.
    """

    def __init__(self, target: str, *first: str,
                 symbols: Path | None = SYMBOLS, deadline: float = 90,
                 connect: str = "target remote",
                 directory: Path = TOP) -> None:
        self._deadline = deadline * PATIENCE
        self._said = b""
        self.script = ""
        self.process = subprocess.Popen(
            ["gdb", "-nx", "-q"] + ([str(symbols)] if symbols else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=directory, start_new_session=True)
        self._type(f"set prompt {PROMPT}")
        self.finish()
        for command in (*SETTINGS, *first):
            self.ask(command)
        self.script = ""
        self.greeting = self.ask(f"{connect} {target}") if target else ""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.kill()

    def kill(self) -> None:
        """As by kill -9: gdb says nothing more to anybody."""
        self.process.kill()
        self.process.wait()

    def _type(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def begin(self, command: str) -> None:
        self.script += f"(gdb) {command}\n"
        self._type(command)

    def go(self) -> None:
        """The machine runs when this returns."""
        self.begin("continue")
        self.wait_for(r"Continuing\.\n")

    def finish(self, deadline: float = 0) -> str:
        """What gdb says until it wants the next command."""
        end = time.monotonic() + (deadline * PATIENCE or self._deadline)
        said = self._until(re.escape(PROMPT), end)[:-len(PROMPT)]
        self.script += said
        return said

    def wait_for(self, pattern: str) -> str:
        """Waits for a text of a command that has not ended yet."""
        said = self._until(pattern, time.monotonic() + self._deadline)
        self.script += said
        return said

    def _until(self, pattern: str, end: float) -> str:
        wanted = re.compile(pattern.encode(), re.M)
        assert self.process.stdout is not None
        while not (match := wanted.search(self._said)):
            ready = select.select([self.process.stdout], [], [],
                                  max(0.0, end - time.monotonic()))[0]
            data = os.read(self.process.stdout.fileno(), 65536) if ready \
                else b""
            if not data:
                raise MachineError(f"gdb did not say /{pattern}/:\n"
                                   f"{self.script}{self._said!r}")
            self._said += data
        said, self._said = (self._said[:match.end()],
                            self._said[match.end():])
        return said.decode(errors="replace")

    def ask(self, command: str, deadline: float = 0) -> str:
        self.begin(command)
        return self.finish(deadline)

    def ask_beside(self, command: str) -> str:
        """Non-stop: what it says to that, behind what it said by itself."""
        self.begin(command)
        self._type("echo in-sync\\n")
        said = self.wait_for("in-sync\n")
        self.finish()
        return said.removesuffix("in-sync\n").replace(PROMPT, "")

    def interrupt(self) -> str:
        """^C, and what it leads to."""
        self.process.send_signal(signal.SIGINT)
        return self.finish()

    def leave(self) -> str:
        return self.ask("detach")
