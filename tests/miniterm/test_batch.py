# SPDX-License-Identifier: GPL-2.0-only
"""Batch mode: steps, exit codes, debug keys without a person."""
from __future__ import annotations

import random
import socket
import subprocess
import threading
import time

from harness import Case


class Batch(Case):
    def test_expect_send(self) -> None:
        target = self.target()
        out = self.run_program("--expect", "dom0# ", "--send", "echo abc\\r",
                               "--expect", "^(a|x)bc", "--expect", "dom0# ",
                               target.name)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn(b"abc\r\n", out.stdout)
        self.assertEqual(target.machine.log, ["dom0 echo abc"])

    def test_output_matches_once(self) -> None:
        target = self.target()
        out = self.run_program("--expect", "dom0# ", "--timeout", "0.5",
                               "--expect", "dom0# ", target.name)
        self.assertEqual(out.returncode, 1)
        self.assertIn(b"step 3, --expect 'dom0# ': timed out after 0.5 s",
                      out.stderr)

    def test_fail_pattern(self) -> None:
        target = self.target()
        out = self.run_program("--fail", "Panic on CPU", "--expect",
                               "dom0# ", "--keys", "C", "--expect", "never",
                               target.name)
        self.assertEqual(out.returncode, 4)
        self.assertIn(b"--fail matched: Panic on CPU", out.stderr)

    def test_lost_target(self) -> None:
        target = self.target()
        out = self.run_program("--expect", "dom0# ", "--send", "vi\\r",
                               "--wait", "0.2", "localhost:1")
        self.assertEqual(out.returncode, 3)
        self.assertTrue(target)

    def test_debug_keys_and_back(self) -> None:
        target = self.target()
        out = self.run_program("--expect", "dom0# ", "--keys", "qd",
                               "--send", "echo back\\r", "--expect",
                               "^back", target.name)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(target.machine.log,
                         ["key q", "key d", "dom0 echo back"])
        self.assertIn(b"General information for domain 0", out.stdout)

    def test_debug_keys_when_the_hypervisor_has_the_input(self) -> None:
        target = self.target(owner="xen")
        out = self.run_program("--expect", "dom0# ", "--keys", "q",
                               target.name)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(target.machine.owner, "xen")
        self.assertEqual(target.machine.log, ["key q"])

    def test_debug_keys_without_a_message_seen(self) -> None:
        for owner in ("dom0", "xen"):
            target = self.target(banner=False, owner=owner)
            out = self.run_program("--keys", "q", target.name)
            self.assertEqual(out.returncode, 0, out.stderr)
            self.assertEqual(target.machine.log, ["key q"])
            self.assertEqual(target.machine.owner, owner)

    def test_no_hypervisor_there(self) -> None:
        line = self.pty()
        out = self.run_program("--keys", "q", line.name)
        self.assertIn(b"no answer to CTRL-a x3", out.stderr)

    def test_wait_and_quiet(self) -> None:
        target = self.target()
        start = time.monotonic()
        out = self.run_program("--quiet", "--wait", "0.4", target.name)
        self.assertGreaterEqual(time.monotonic() - start, 0.4)
        self.assertEqual((out.returncode, out.stdout), (0, b""))

    def test_waits_for_the_target_with_reconnect(self) -> None:
        from harness import Target
        path = f"unix:{self.tmp}/late"
        made: list[Target] = []
        timer = threading.Timer(0.8, lambda: made.append(Target(path)))
        timer.start()
        out = self.run_program("-r", "--expect", "dom0# ", path)
        timer.join()
        made[0].close()
        self.assertEqual(out.returncode, 0, out.stderr)

    def test_maps(self) -> None:
        target = self.target()
        out = self.run_program("--imap", "upper", "--omap", "lfcr",
                               "--expect", "DOM0# ", "--send", "echo hi\\n",
                               "--expect", "^HI", target.name)
        self.assertEqual(out.returncode, 0, out.stderr)

    def test_send_file(self) -> None:
        target = self.target()
        text = self.tmp / "text"
        text.write_text("".join(f"echo line {i}\n" for i in range(1500)))
        out = self.run_program("--quiet", "--expect", "dom0# ",
                               "--send-file", str(text), "--expect",
                               "^line 1499", target.name)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(target.machine.log,
                         [f"dom0 echo line {i}" for i in range(1500)])
        out = self.run_program("--send-file", "/none", target.name)
        self.assertEqual(out.returncode, 2)
        self.assertIn(b"cannot read /none", out.stderr)

    def test_escapes_reach_the_target(self) -> None:
        target = self.target()
        self.run_program("-8", "--expect", "dom0# ", "--send",
                         "a\\t\\e\\x1f\\\\\\n", "--wait", "0.2", target.name)
        self.assertEqual(target.machine.got, b"a\t\033\x1f\\\n")

    def test_bytes_with_the_top_bit_are_escaped_on_a_shared_line(self):
        target = self.target()
        self.run_program("--expect", "dom0# ", "--send", "\\xc3\\xbc",
                         "--wait", "0.2", target.name)
        self.assertEqual(target.machine.got, b"\\xc3\\xbc")
        self.assertEqual(target.machine.stub.packets, [])


class Transfer(Case):
    """Programs that have the line for a while."""

    def serve(self, *command: str) -> str:
        """A far end that runs @command on its side of the line."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def far_end() -> None:
            conn, _ = server.accept()
            subprocess.run(command, stdin=conn, stdout=conn, cwd=self.tmp,
                           stderr=subprocess.DEVNULL, check=False)
            conn.sendall(b"far end done\r\n")
            conn.close()

        threading.Thread(target=far_end, daemon=True).start()
        return f"localhost:{server.getsockname()[1]}"

    def test_zmodem_both_ways(self) -> None:
        blob = random.Random(3).randbytes(300000)
        there, here = self.tmp / "there", self.tmp / "here"
        there.mkdir()
        here.mkdir()
        (here / "blob").write_bytes(blob)
        name = self.serve("sh", "-c", "cd there && rz -b -y -q")
        out = self.run_program("-8", "--quiet", "--timeout", "60", "--exec",
                               f"sz -b -q {here}/blob", "--expect",
                               "far end done", name)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual((there / "blob").read_bytes(), blob)
        name = self.serve("sh", "-c", "sz -b -q there/blob")
        (here / "blob").unlink()
        out = self.run_program("-8", "--quiet", "--timeout", "60", "--exec",
                               f"cd {here} && rz -b -y -q", name)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual((here / "blob").read_bytes(), blob)

    def test_failing_program(self) -> None:
        name = self.serve("sleep", "5")
        out = self.run_program("-8", "--exec", "echo why >&2; exit 7", name)
        self.assertEqual(out.returncode, 4)
        self.assertIn(b"ended with status 7", out.stderr)
        self.assertIn(b"why", out.stderr)

    def test_shared_line_is_refused(self) -> None:
        target = self.target()
        out = self.run_program("--exec", "true", target.name)
        self.assertEqual(out.returncode, 4)
        self.assertIn(b"needs all 8 bits", out.stderr)
