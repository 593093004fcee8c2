# SPDX-License-Identifier: GPL-2.0-only
"""The processes of conswitch/logwriter.c that outlive a killed program."""
from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Mapping


class LogWriters:
    """Those of the programs that were started with @env.

    A log is as long as it gets only when none of them is left: until then a
    look at it may fall into the middle of a write.
    """

    def __init__(self, env: Mapping[str, str] = os.environ) -> None:
        self._mark = "LOG_WRITERS_OF=" + secrets.token_hex(8)
        name, _, value = self._mark.partition("=")
        self.env = dict(env, **{name: value})

    def pids(self) -> list[int]:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "comm").read_text() == "logwriter\n" and \
                   self._mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
        return found
