# SPDX-License-Identifier: GPL-2.0-only
"""Test cases that run a few at a time, and the line that sums them up.

A suite is a program: it makes a Suite, adds functions to it and ends with
sys.exit(suite.main()). A case gets a Context and fails by raising. At most
TEST_JOBS (two) run at once, and together they never promise their machines
more memory than the host has free.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Callable

from machine import TOP, MachineError


class Failure(Exception):
    """A check of the test did not hold."""


class Skip(Exception):
    """The case cannot be tried here; says why. Counts as neither."""


@dataclass(frozen=True)
class Context:
    """What a case may use: its own, empty, directory."""
    name: str
    directory: Path


@dataclass(frozen=True)
class Case:
    name: str
    run: Callable[[Context], None]
    mem_mib: int


def check(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(message)


def free_mib() -> int:
    text = Path("/proc/meminfo").read_text()
    match = re.search(r"^MemAvailable: +(\d+) kB", text, re.M)
    return int(match[1]) // 1024 if match else 4096


def leave_nothing(number: int, frame: FrameType | None) -> None:
    """Signal handler: ends the machines of the cases that run, then us."""
    del frame
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
    os._exit(128 + number)


class Suite:
    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: list[Case] = []

    def add(self, name: str, run: Callable[[Context], None],
            mem_mib: int = 1024) -> None:
        self.cases.append(Case(name, run, mem_mib))

    def case(self, name: str, mem_mib: int = 1024) -> Callable[
            [Callable[[Context], None]], Callable[[Context], None]]:
        def decorate(run: Callable[[Context], None]) -> Callable[
                [Context], None]:
            self.add(name, run, mem_mib)
            return run
        return decorate

    def main(self) -> int:
        parser = argparse.ArgumentParser()
        parser.add_argument("words", nargs="*", metavar="WORD",
                            help="run only cases with this in their name")
        parser.add_argument("--jobs", type=int, default=int(os.environ.get(
            "TEST_JOBS") or min(2, os.cpu_count() or 1)))
        parser.add_argument("--list", action="store_true")
        args = parser.parse_args()
        chosen = [c for c in self.cases if not args.words
                  or any(word in c.name for word in args.words)]
        if args.list:
            print("\n".join(c.name for c in chosen))
            return 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, leave_nothing)
        run = Run(self.name, chosen)
        run.work(max(1, args.jobs))
        print(f"{run.passed} passed, {run.failed} failed", flush=True)
        return 1 if run.failed or not run.passed else 0


class Run:
    """One pass over the cases by a few threads."""

    def __init__(self, suite: str, cases: list[Case]) -> None:
        self.passed = self.failed = 0
        self._logs = TOP / (os.environ.get("TEST_LOGS")
                            or "build/test-logs") / suite
        self._waiting = deque(cases)
        self._room = threading.Condition()
        self._promised = 0
        # A case that alone is more than there is runs alone.
        self._limit = int(free_mib() * 0.8)

    def work(self, jobs: int) -> None:
        threads = [threading.Thread(target=self._worker, daemon=True)
                   for _ in range(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _take(self) -> Case | None:
        with self._room:
            while self._waiting:
                for case in self._waiting:
                    if (self._promised == 0
                            or self._promised + case.mem_mib <= self._limit):
                        self._waiting.remove(case)
                        self._promised += case.mem_mib
                        return case
                self._room.wait()
            return None

    def _worker(self) -> None:
        while case := self._take():
            self._run_one(case)
            with self._room:
                self._promised -= case.mem_mib
                self._room.notify_all()

    def _run_one(self, case: Case) -> None:
        directory = self._logs / re.sub(r"[^\w.+-]", "_", case.name)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        started = time.monotonic()
        verdict, text = "ok", ""
        try:
            case.run(Context(case.name, directory))
        except Skip as reason:
            verdict, text = "skipped", f": {reason}"
        except (Failure, MachineError) as failure:
            verdict, text = "FAILED", f": {failure}"
        except Exception as error:
            verdict = "FAILED"
            text = f": {error!r}\n{traceback.format_exc()}"
        seconds = time.monotonic() - started
        with self._room:
            self.passed += verdict == "ok"
            self.failed += verdict == "FAILED"
            print(f"{verdict} {case.name} ({seconds:.0f} s){text}", flush=True)
        if verdict == "ok":
            for big in directory.glob("*.img"):
                big.unlink()
