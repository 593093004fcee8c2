#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""console_client.py HOST PORT: xencons by its old name.

Also a module: connect(host, port) puts the terminal on a console and returns
when the person leaves it, with xencons' exit status.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def find_xencons() -> str | None:
    """The program beside this file, else the one on the PATH."""
    here = Path(__file__).resolve().parent
    for path in (here / "xencons", here / "build" / "xencons"):
        if os.access(path, os.X_OK):
            return str(path)
    return shutil.which("xencons")


def connect(host: str, port: int | str, *options: str) -> int:
    program = find_xencons()
    if program is None:
        raise FileNotFoundError("xencons is not installed")
    return subprocess.run([program, *options, host, str(port)],
                          check=False).returncode


def main() -> int:
    program = find_xencons()
    if program is None:
        print("console_client.py: xencons is not installed; it belongs beside"
              " this program or on the PATH", file=sys.stderr)
        return 1
    os.execv(program, ["xencons", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
