# SPDX-License-Identifier: GPL-2.0-only
"""A program on a pseudo terminal, as a person would run it."""
from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

from machine import DEADLINE, PATIENCE, MachineError


class Terminal:
    """Runs a command with a terminal of its own; use it in `with`."""

    def __init__(self, command: list[str], cwd: Path, log: Path,
                 env: dict[str, str] | None = None) -> None:
        self._command, self._cwd, self._env = command, cwd, env
        self._log = log.open("wb")
        self.data = b""
        self._seen = 0

    def __enter__(self) -> Terminal:
        self._end, theirs = pty.openpty()
        self.process = subprocess.Popen(
            self._command, cwd=self._cwd, env=self._env, stdin=theirs,
            stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._end)
        self._log.close()

    def _read(self, seconds: float) -> bool:
        """Takes what has come; False when the program has gone."""
        if not select.select([self._end], [], [], seconds)[0]:
            return True
        try:
            chunk = os.read(self._end, 65536)
        except OSError:
            return False
        self._log.write(chunk)
        self._log.flush()
        self.data += chunk
        return bool(chunk)

    def expect(self, pattern: str, deadline: float = DEADLINE) -> None:
        end = time.monotonic() + deadline * PATIENCE
        while True:
            match = re.compile(pattern.encode(), re.M).search(self.data,
                                                              self._seen)
            if match:
                self._seen = match.end()
                return
            if not self._read(1) or time.monotonic() > end:
                tail = self.data[-2000:].decode(errors="replace")
                raise MachineError(f"no /{pattern}/ on the terminal:\n{tail}")

    def send(self, text: str) -> None:
        os.write(self._end, text.encode())

    def wait(self, deadline: float = DEADLINE) -> int:
        """Reads until the program has gone; its exit status."""
        end = time.monotonic() + deadline * PATIENCE
        while self._read(1):
            if time.monotonic() > end:
                raise MachineError("the program does not end:\n"
                                   + self.data[-2000:].decode(errors="replace"))
        return self.process.wait(DEADLINE)
