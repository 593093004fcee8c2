# SPDX-License-Identifier: GPL-2.0-only
"""Real gdb, as a batch of commands against a serial line's socket."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

from machine import PATIENCE, TOP

SYMBOLS = Path(os.environ.get("HV_SYMS") or TOP / "dist/boot/xen-syms")
SETTINGS = ("set pagination off", "set confirm off", "set width 0",
            "set remotetimeout 20", "set tcp connect-timeout 30",
            "set trust-readonly-sections on")


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
