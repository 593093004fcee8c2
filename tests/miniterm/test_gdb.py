# SPDX-License-Identifier: GPL-2.0-only
"""The built-in splitter: a real gdb beside the console of one line."""
from __future__ import annotations

import re
import socket
import subprocess

from harness import ENV, PATIENCE, TOP, wait_for
from test_screen import Screen, Symbols


class GdbPort(Symbols):
    # Only this class's own tests; the others run where they are.
    test_addresses_are_explained = None
    test_bad_symbol_file = None
    test_hypervisor_and_kernel_at_once = None
    test_without_debug_information = None
    test_directory_by_build_id = None
    test_symbols_of_another_build = None

    def serve(self, *args: str) -> tuple:
        screen, target = self.start("--gdb-port", "0", *args, width=120,
                                    height=50)
        port = screen.expect(r"gdb :(\d+) free")[1]
        return screen, target, int(port)

    def gdb(self, port: int, *commands: str) -> str:
        args = [a for c in (f"target remote localhost:{port}", *commands)
                for a in ("-ex", c)]
        return subprocess.run(
            ["gdb", "-nx", "-q", "-batch", "-ex",
             "set architecture i386:x86-64", *args], env=ENV, check=False,
            capture_output=True, text=True, timeout=PATIENCE).stdout

    def test_gdb_and_console_at_once(self) -> None:
        screen, target, port = self.serve()
        out = self.gdb(port, "x/2xb 0xffff82d040200000", "detach")
        self.assertRegex(out, r"0xffff82d040200000:\s+0x90\s+0x90")
        self.command(screen, "3")
        self.command(screen, "z")
        screen.expect(r"-> m.* \| read \d+ bytes at ffff82d040200000")
        screen.expect(r"<- T05.*stopped: trap")
        self.command(screen, "2")
        screen.type("echo still here")
        screen.keys("Enter")
        screen.expect(r"^still here$")
        self.assertIn("dom0 echo still here", target.machine.log)
        screen.expect(r"gdb :\d+ free")

    def test_status_says_attached(self) -> None:
        screen, _, port = self.serve()
        conn = socket.create_connection(("localhost", port))
        screen.expect(r"gdb :\d+ attached")
        conn.close()
        screen.expect(r"gdb :\d+ free")

    def test_gdbs_interrupt(self) -> None:
        screen, target, port = self.serve()
        conn = socket.create_connection(("localhost", port))
        conn.sendall(b"\x03")
        wait_for(lambda: target.machine.stub.interrupts)
        screen.expect(r"target stopped: signal 2")
        conn.close()

    def test_break_in_goes_through_an_attached_gdb(self) -> None:
        screen, target, port = self.serve()
        conn = socket.create_connection(("localhost", port))
        screen.expect(r"attached")
        screen.keys("F5")
        wait_for(lambda: target.machine.stub.interrupts)
        conn.settimeout(PATIENCE)
        data = b""
        while b"T02" not in data:
            data += conn.recv(100)
        conn.close()

    def test_gdb_in_a_pane(self) -> None:
        elf = self.elf()
        screen, _, _ = self.serve("-s", elf, "--gdb-command",
                                  "gdb -nx -q %s -ex 'set pagination off' "
                                  "-ex 'target remote localhost:%p'")
        screen.keys("C-t", "g")
        screen.expect(r"^ gdb ")
        screen.expect(r"\(gdb\)")
        screen.expect(r"gdb :\d+ attached")
        screen.type("print 6*7")
        screen.keys("Enter")
        screen.expect(r"^\$1 = 42")
        screen.type("detach")
        screen.keys("Enter")
        screen.type("quit")
        screen.keys("Enter")
        screen.expect(r"gdb has ended|gdb :\d+ free")
        screen.gone(r"^\$1 = 42")

    def test_source_of_an_address_in_gdb(self) -> None:
        elf = self.elf()
        screen, target, _ = self.serve("-s", elf, "--gdb-command",
                                       "gdb -nx -q %s")
        target.machine.say("RIP: [<ffff82d040200016>]")
        screen.expect(r"; panic_here\+0x")
        screen.keys("C-t", "g")
        screen.expect(r"\(gdb\)")
        screen.keys("C-t", "1")
        screen.keys("C-t", "o")
        screen.expect(r"list hv\.c:[45]")
        screen.expect(r"return other\(x\)")

    def test_trigger_starts_gdb(self) -> None:
        config = self.tmp / "config"
        config.write_text("[trigger panic]\ngdb = yes\n")
        screen, target, _ = self.serve("-C", str(config), "--gdb-command",
                                       "echo the debugger came; sleep 100")
        target.machine.key("C")
        screen.expect(r"the debugger came")

    def test_port_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            target = self.target()
            screen = self.tmux("-i", "-g", port, target.name)
            screen.expect(r"ended with 2")
            screen.expect(r"(?i)address already in use")

    def test_bad_port(self) -> None:
        screen = self.tmux("-i", "-g", "seven", "a:1")
        screen.expect(r"'seven' is no TCP port")

    def test_record_and_replay_of_packets(self) -> None:
        record = self.tmp / "record"
        screen, _, port = self.serve("--record", str(record))
        self.gdb(port, "detach")
        wait_for(lambda: re.search(r"(?m)Z H> ", record.read_text()))
        self.assertRegex(record.read_text(), r"(?m)Z H< ")
        again = self.tmux("--replay", str(record), "--speed", "0")
        again.expect(r"<- OK")
        self.command(again, "3")
        self.command(again, "z")
        again.expect(r"-> \?.*why stopped")


class RealDebugger(Screen):
    """The hypervisor's debugger itself, run on the host by its own tests."""

    PDB = TOP / "miniterm/build/pdb"
    SHIM = TOP / "tests/splitter/msb-shim"

    @classmethod
    def setUpClass(cls) -> None:
        subprocess.run(["make", "-s", "-C", str(TOP / "pdb"), f"B={cls.PDB}",
                        f"{cls.PDB}/pdb-host", f"{cls.PDB}/guest"],
                       check=True)

    def line(self) -> str:
        """A shared line: console of the fake machine, debugger of pdb."""
        host = subprocess.Popen(
            [str(self.PDB / "pdb-host"), "-7", "-c", "2",
             str(self.PDB / "guest"), "/usr/bin/gdb"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.addCleanup(host.wait)
        self.addCleanup(host.stdout.close)
        self.addCleanup(host.stdin.close)
        words = host.stdout.readline().split()
        self.assertEqual(words[:1], ["port"])
        self.console = self.target(f"unix:{self.tmp}/console")
        shim = subprocess.Popen(
            [str(self.SHIM), f"{self.tmp}/line", f"{self.tmp}/console",
             f"localhost:{words[1]}"], stderr=subprocess.DEVNULL)
        self.addCleanup(shim.wait)
        self.addCleanup(shim.kill)
        wait_for((self.tmp / "line").exists)
        return f"unix:{self.tmp}/line"

    def test_break_in_and_gdb_in_a_pane(self) -> None:
        screen = self.tmux(
            "-i", "-g", "0", "-s", str(self.PDB / "guest"), "--gdb-command",
            "gdb -nx -q %s -ex 'set pagination off' -ex "
            "'target remote localhost:%p'", self.line(), width=120,
            height=50)
        screen.expect(r"^dom0#")
        screen.keys("F5")
        screen.expect(r"target stopped: signal \d+, ")
        screen.keys("C-t", "r")
        screen.expect(r"told the target to continue")
        screen.keys("C-t", "g")
        screen.expect(r"gdb :\d+ attached")
        screen.expect(r"^\(gdb\)")
        screen.type("break leaf")
        screen.keys("Enter")
        screen.expect(r"^Breakpoint 1 at")
        screen.type("continue")
        screen.keys("Enter")
        screen.expect(r"Breakpoint 1, .*leaf|hit Breakpoint 1")
        screen.keys("C-t", "2")
        screen.type("echo the console goes on")
        screen.keys("Enter")
        screen.expect(r"^the console goes on$")
        screen.expect(r"H bad 0 noise 0")
        screen.keys("C-t", "g")
        screen.type("detach")
        screen.keys("Enter")
        screen.expect(r"Inferior 1 .*detached|Detaching from")
