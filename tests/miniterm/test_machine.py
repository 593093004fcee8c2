# SPDX-License-Identifier: GPL-2.0-only
"""miniterm on the serial line of the real hypervisor with a real domain 0."""
from __future__ import annotations

import re
import sys
from pathlib import Path

import harness
from harness import TOP, Case, Tmux, wait_for

sys.path.insert(0, str(TOP / "tests/lib"))

import dom0  # noqa: E402  (the path has to be set first)
from machine import Machine  # noqa: E402

SYMBOLS = dom0.HV.with_name("xen-syms")


class RealMachine(Case):
    def setUp(self) -> None:
        super().setUp()
        patience = harness.PATIENCE
        harness.PATIENCE = 240.0
        self.addCleanup(setattr, harness, "PATIENCE", patience)

    def machine(self) -> str:
        """A machine whose com1 is a Unix socket; the target's name."""
        socket = self.tmp / "com1"
        # (a kernel that is unpacked first: time to connect before it says so)
        machine = Machine(dom0.config(
            kernel=dom0.KERNEL, serial=(f"unix:{socket},server=on,wait=off",)),
            self.tmp / "logs")
        machine.__enter__()
        self.addCleanup(machine.__exit__, None, None, None)
        wait_for(socket.exists)
        return f"unix:{socket}"

    def palette(self, screen: Tmux, key: str, text: str) -> None:
        screen.keys("F2")
        screen.expect(rf"^   {key}  .*{text}")
        screen.keys(key, "Enter")
        screen.expect(r"input: domain 0")

    def vi(self, screen: Tmux) -> None:
        """An editor in domain 0 gets a real terminal for as long as it runs."""
        screen.type("vi /etc/passwd")
        screen.keys("Enter")
        screen.expect(r"domain 0 \[full screen\]")
        screen.expect(r"^root:")
        screen.type(":q!")
        screen.keys("Enter")
        screen.gone(r"\[full screen\]")

    def test_screen_batch_and_replay(self) -> None:
        target = self.machine()
        record = self.tmp / "record"
        screen = self.tmux("-i", "-s", str(SYMBOLS), "--record", str(record),
                           target, width=110, height=46)
        screen.expect(r"dom0:/\S*#$")
        screen.expect(r"input: domain 0")
        self.assertRegex(screen.screen(), r"\*\*\* Serial input -> DOM0")
        self.palette(screen, "d", "registers")
        screen.keys("C-t", "1")
        # (its end: the symbols behind registers may push RIP off the screen)
        screen.expect(r"Call trace:")
        wait_for(lambda: re.search(r"(?m)^.*ffff[0-9a-f]{8,12}.*; \w+\+0x",
                                   screen.screen()))
        screen.keys("C-t", "2")
        screen.type("echo $((6 * 7)) answers")
        screen.keys("Enter")
        screen.expect(r"^42 answers$")
        self.vi(screen)
        screen.keys("C-]")
        screen.expect("ended with 0")
        self.replay(record)
        self.batch(target)

    def replay(self, record: Path) -> None:
        again = self.tmux("--replay", str(record), "--speed", "0", width=110,
                          height=46)
        again.expect(r"end of the replay: \d+ records, 0 other")
        again.expect(r"^42 answers$")

    def batch(self, target: str) -> None:
        out = self.run_program("--send", "\\r", "--expect", dom0.PROMPT,
                               "--keys", "q", "--send", "echo $((6*9))\\r",
                               "--expect", "54", "--fail", dom0.TROUBLE,
                               target)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertRegex(out.stdout, rb"\(XEN\) .*[Dd]omain 0")

    def test_debugger_beside_the_console(self) -> None:
        """One line: break in, go on, a gdb in a pane, domain 0's shell."""
        socket = self.tmp / "com1"
        machine = Machine(dom0.config(
            "console=com1L pdb=com1H", kernel=dom0.KERNEL,
            serial=(f"unix:{socket},server=on,wait=off",)),
            self.tmp / "logs")
        machine.__enter__()
        self.addCleanup(machine.__exit__, None, None, None)
        wait_for(socket.exists)
        screen = self.tmux("-i", "-g", "0", "-s", str(SYMBOLS),
                           "--gdb-command", "gdb -nx -q %s -ex 'set pagination"
                           " off' -ex 'target remote localhost:%p'",
                           f"unix:{socket}", width=120, height=50)
        screen.expect(r"dom0:/\S*#$")
        screen.keys("F5")
        screen.expect(r"target stopped: signal \d+")
        screen.keys("C-t", "r")
        screen.expect("told the target to continue")
        screen.type("echo $((6 * 7)) answers")
        screen.keys("Enter")
        screen.expect(r"^42 answers$")
        screen.keys("C-t", "g")
        screen.expect(r"gdb :\d+ attached")
        screen.expect(r"^\(gdb\)")
        screen.type("info registers rip")
        screen.keys("Enter")
        screen.expect(r"^rip +0x")
        screen.type("detach")
        screen.keys("Enter")
        screen.expect(r"Inferior 1 .*detached|Detaching from")
        screen.keys("C-t", "2")
        screen.type("echo $((6 * 9)) goes on")
        screen.keys("Enter")
        screen.expect(r"^54 goes on$")
        screen.expect(r"H bad 0 ")
